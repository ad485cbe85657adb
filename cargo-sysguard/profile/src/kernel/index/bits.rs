//! Sorted numbers in few bits: Rice codes of their differences. Main types: [`Writer`],
//! [`Reader`].

/// Returns how many low bits of a difference are written as they are, for this many random numbers
/// below `2^width`: about the logarithm of the mean difference.
fn plain_bits(count: usize, width: u32) -> u32 {
    width.saturating_sub(usize::BITS - count.max(1).leading_zeros())
}

/// Writes bits, the lowest of each byte first.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    used: u32,
}

impl Writer {
    fn bit(&mut self, bit: bool) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.used;
        }
        self.used = (self.used + 1) % 8;
    }

    /// Writes sorted numbers below `2^width`.
    pub(super) fn sorted(&mut self, numbers: &[u64], width: u32) {
        let plain = plain_bits(numbers.len(), width);
        let mut previous = 0;
        for &number in numbers {
            let difference = number - previous;
            previous = number;
            for _ in 0..difference >> plain {
                self.bit(true);
            }
            self.bit(false);
            for at in 0..plain {
                self.bit(difference >> at & 1 == 1);
            }
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    /// Bits that were read but not used yet, the next one lowest.
    held: u64,
    count: u32,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, held: 0, count: 0 }
    }

    /// Returns that many bits (at most 56); zeros after the end.
    fn bits(&mut self, wanted: u32) -> u64 {
        while self.count < wanted {
            let byte = self.bytes.split_off_first().copied().unwrap_or(0);
            self.held |= u64::from(byte) << self.count;
            self.count += 8;
        }
        let bits = self.held & ((1 << wanted) - 1);
        self.held >>= wanted;
        self.count -= wanted;
        bits
    }

    /// Reads `count` numbers and calls `found` with each.
    pub(super) fn sorted(&mut self, count: usize, width: u32, mut found: impl FnMut(u64)) {
        let plain = plain_bits(count, width);
        let mut number = 0;
        for _ in 0..count {
            let mut high = 0;
            while self.bits(1) == 1 {
                high += 1;
            }
            number += (high << plain) + self.bits(plain);
            found(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written() {
        let lists: [&[u64]; 4] = [&[5], &[0, 1, 2, 3, (1 << 34) - 1], &[], &[7, 7, 1 << 33]];
        let mut writer = Writer::default();
        lists.iter().for_each(|list| writer.sorted(list, 34));
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes);
        for list in lists {
            let mut found = Vec::new();
            reader.sorted(list.len(), 34, |number| found.push(number));
            assert_eq!(found, list);
        }
    }
}
