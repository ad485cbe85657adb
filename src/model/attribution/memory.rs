//! The memory of a tracee that an argument points to. Main type: [`Memory`].

/// The first bytes of a structure or a string in the memory of a tracee.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    bytes: [u8; Self::SIZE],
    length: usize,
    is_refused: bool,
}

impl Memory {
    /// The most that is read: the longest structure or string that any question needs.
    pub const SIZE: usize = 32;

    /// Holds the bytes that could be read, which may be fewer than asked for.
    pub fn new(bytes: &[u8]) -> Self {
        let mut memory = Self { length: bytes.len().min(Self::SIZE), ..Self::default() };
        memory.bytes[..memory.length].copy_from_slice(&bytes[..memory.length]);
        memory
    }

    /// Stands for memory that the kernel did not let the tracer read.
    pub fn refused() -> Self {
        Self { is_refused: true, ..Self::default() }
    }

    /// Returns whether reading was refused.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Returns whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn read(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Returns the first eight bytes as a number.
    pub fn long(&self) -> Option<u64> {
        self.read().first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// Returns the element at this index of an array of four-byte numbers.
    pub fn word(&self, index: usize) -> Option<u32> {
        self.read().get(index * 4..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// Returns the string at the beginning, if it ends within these bytes and is UTF-8.
    pub fn text(&self) -> Option<&str> {
        let end = self.read().iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&self.read()[..end]).ok()
    }
}
