//! What the decoder asks about a stopped task, and how it reads the task's memory. Main types:
//! [`View`] and [`Reader`].

use crate::model::attribution::ObjectKind;
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::PATH_MAX;

/// A stopped task, as the decoder sees it. The log queries the kernel; tests use fixed answers.
pub trait View {
    /// Reads memory from this address on, and returns how many bytes could be read.
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize;

    /// Returns what an fd stands for: a path, `pipe`, or the address of the peer. `None` if that
    /// adds nothing.
    fn fd(&self, fd: i32) -> Option<String>;

    /// Returns the kind of an fd's object, as far as it is known. It selects between ioctl commands
    /// with the same number.
    fn object(&self, fd: i32) -> Option<ObjectKind> {
        let _ = fd;
        None
    }

    /// Returns the path of the working directory, or of a directory by its fd.
    fn directory(&self, fd: Option<i32>) -> Option<String> {
        let _ = fd;
        None
    }
}

/// Reads structures with the layout of an ABI.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) view: &'a dyn View,
    /// The size of a pointer, and of `long` in structures.
    pub(super) word: u64,
    /// The size of each part of a time.
    time: u64,
}

impl<'a> Reader<'a> {
    /// Reads for a call of this name.
    pub(super) fn new(view: &'a dyn View, abi: Abi, name: &str) -> Self {
        let word = if matches!(abi, Abi::I386 | Abi::X32 | Abi::Arm) { 4 } else { 8 };
        // Calls of 32-bit ABIs that end with 64 take `struct __kernel_timespec`. x32 always does.
        let is_short = matches!(abi, Abi::I386 | Abi::Arm) && !name.ends_with("64") && !is_always_long(name);
        Self { view, word, time: if is_short { 4 } else { 8 } }
    }

    /// Reads exactly as many bytes as an array has.
    fn array<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        (address != 0 && self.view.read(address, &mut bytes) == N).then_some(bytes)
    }

    /// Reads exactly this many bytes.
    pub(super) fn bytes(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let is_read = length == 0 || address != 0 && self.view.read(address, &mut bytes) == length;
        is_read.then_some(bytes)
    }

    pub(super) fn short(&self, address: u64) -> Option<u16> {
        self.array(address).map(u16::from_le_bytes)
    }

    pub(super) fn int(&self, address: u64) -> Option<u32> {
        self.array(address).map(u32::from_le_bytes)
    }

    pub(super) fn long(&self, address: u64) -> Option<u64> {
        self.array(address).map(u64::from_le_bytes)
    }

    /// Reads the word with this index from an array of words.
    pub(super) fn word(&self, address: u64, index: u64) -> Option<u64> {
        let at = place(address, index.wrapping_mul(self.word))?;
        if self.word == 4 { self.int(at).map(u64::from) } else { self.long(at) }
    }

    /// Reads a time: its seconds, and its nanoseconds or microseconds.
    pub(super) fn time(&self, address: u64, index: u64) -> Option<(i64, i64)> {
        let at = place(address, index.wrapping_mul(2 * self.time))?;
        let part = |at: u64| match self.time {
            4 => self.int(at).map(|part| i64::from(part as i32)),
            _ => self.long(at).map(|part| part as i64),
        };
        Some((part(at)?, part(place(at, self.time)?)?))
    }

    /// Reads a string of at most [`PATH_MAX`] bytes, and returns whether its end was found.
    pub(super) fn string(&self, address: u64) -> Option<(Vec<u8>, bool)> {
        const CHUNK: usize = 256;
        let mut text = Vec::new();
        while address != 0 && text.len() < PATH_MAX {
            let mut chunk = [0; CHUNK];
            let length = self.view.read(address.checked_add(text.len() as u64)?, &mut chunk).min(CHUNK);
            if let Some(end) = chunk[..length].iter().position(|byte| *byte == 0) {
                text.extend(&chunk[..end]);
                return Some((text, true));
            }
            text.extend(&chunk[..length]);
            if length < CHUNK {
                break;
            }
        }
        (!text.is_empty()).then_some((text, false))
    }
}

/// Returns whether a call takes 64-bit times under every ABI, as calls added since Linux 5.1 do.
fn is_always_long(name: &str) -> bool {
    matches!(name, "epoll_pwait2" | "futex_wait" | "futex_waitv")
}

fn place(address: u64, offset: u64) -> Option<u64> {
    if address == 0 { None } else { address.checked_add(offset) }
}
