//! Content that is compared between runs: whole up to a limit, and a hash beyond. Main type:
//! [`Content`].

/// How many bytes are kept.
pub(super) const KEPT_BYTES: usize = 4 << 20;

/// The bytes of a stream or file so far.
#[derive(Debug, Clone)]
pub(super) struct Content {
    kept: Vec<u8>,
    /// The number of bytes that are not kept, and their hash.
    rest: u64,
    hash: u64,
}

impl Default for Content {
    fn default() -> Self {
        // The offset basis of 64-bit FNV-1a.
        Self { kept: Vec::new(), rest: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Content {
    /// Adds bytes at the end.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (kept, rest) = bytes.split_at(bytes.len().min(KEPT_BYTES - self.kept.len()));
        self.kept.extend_from_slice(kept);
        self.rest += rest.len() as u64;
        self.hash = rest.iter().fold(self.hash, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    }

    /// Returns the bytes. After the limit, a line stands for those that were not kept.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        if self.rest > 0 {
            self.kept.extend(format!("\n[{} more bytes, hash {:016x}]\n", self.rest, self.hash).bytes());
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&[u8]]) -> Vec<u8> {
        let mut content = Content::default();
        parts.iter().for_each(|part| content.push(part));
        content.into_bytes()
    }

    #[test]
    fn content_within_the_limit_is_kept_as_it_is() {
        assert_eq!(of(&[]), b"");
        assert_eq!(of(&[b"a", b"", b"bc"]), b"abc");
        let most = vec![7; KEPT_BYTES];
        assert_eq!(of(&[&most]), most);
    }

    #[test]
    fn content_beyond_the_limit_differs_by_its_hash() {
        let most = vec![7; KEPT_BYTES];
        let long = of(&[&most, b"end"]);
        assert!(long.ends_with(b"]\n") && long.len() < KEPT_BYTES + 100);
        assert_eq!(of(&[&most[1..], b"\x07e", b"nd"]), long, "the parts do not matter");
        assert_ne!(of(&[&most, b"enD"]), long);
        assert_ne!(of(&[&most, b"end."]), long);
    }
}
