//! The memory of a tracee that an argument points to. Main type: [`Memory`].

/// The first bytes of a structure or a string in the memory of a tracee.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    bytes: [u8; Self::SIZE],
    length: usize,
    is_refused: bool,
}

impl Memory {
    /// How much may be read: the longest of what is asked for.
    pub const SIZE: usize = 32;

    /// From what could be read, which may be less than was asked for.
    pub fn new(bytes: &[u8]) -> Self {
        let mut memory = Self { length: bytes.len().min(Self::SIZE), ..Self::default() };
        memory.bytes[..memory.length].copy_from_slice(&bytes[..memory.length]);
        memory
    }

    /// Memory that the kernel does not let the tracer read.
    pub fn refused() -> Self {
        Self { is_refused: true, ..Self::default() }
    }

    /// Whether reading it was refused.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Whether nothing of it was read.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn read(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The number of eight bytes at its beginning.
    pub fn long(&self) -> Option<u64> {
        self.read().first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// The number of four bytes at this index of an array of such.
    pub fn word(&self, index: usize) -> Option<u32> {
        self.read().get(index * 4..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// The string at its beginning, if it ends here and is text.
    pub fn text(&self) -> Option<&str> {
        let end = self.read().iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&self.read()[..end]).ok()
    }
}
