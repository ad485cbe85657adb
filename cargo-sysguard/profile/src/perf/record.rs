//! Reads the records that the kernel writes: perf_event_open(2), "MMAP layout". Main type:
//! [`Record`].
//!
//! Only the fields that `events` asks for are in a record. perf-event2's own parser expects
//! registers in every sample, but tasks that exit have none.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::recording::FileId;
use crate::uapi::{
    PERF_CONTEXT_KERNEL, PERF_CONTEXT_MAX, PERF_CONTEXT_USER, PERF_RECORD_COMM, PERF_RECORD_EXIT, PERF_RECORD_FORK,
    PERF_RECORD_LOST, PERF_RECORD_LOST_SAMPLES, PERF_RECORD_MISC_COMM_EXEC, PERF_RECORD_MISC_CPUMODE_MASK,
    PERF_RECORD_MISC_KERNEL, PERF_RECORD_MMAP2, PERF_RECORD_SAMPLE, PERF_RECORD_THROTTLE, PERF_REGS,
    PERF_SAMPLE_REGS_ABI_64,
};

/// A record of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// The stack of a task.
    Sample(Box<RawSample>),
    /// A process mapped code.
    Map(Map),
    /// A task has a new name.
    Name { pid: u32, tid: u32, time: u64, name: String, is_exec: bool },
    /// A process has a new task. If `parent` is a different process, the task is a new process.
    Fork { pid: u32, parent: u32, time: u64 },
    /// A task of a process has ended.
    Exit { pid: u32, time: u64 },
    /// Records that did not fit into the buffer.
    Lost(u64),
    /// The kernel paused sampling because it took too much time.
    Throttled,
}

/// A mapping of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) pid: u32,
    pub(super) time: u64,
    pub(super) addresses: Range<u64>,
    pub(super) offset: u64,
    pub(super) path: PathBuf,
    pub(super) file: FileId,
}

/// A sample with a stack that is not unwound yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawSample {
    pub(super) pid: u32,
    pub(super) tid: u32,
    pub(super) time: u64,
    pub(super) period: u64,
    pub(super) in_kernel: bool,
    /// As in the recording.
    pub(super) kernel: Vec<u64>,
    pub(super) user: UserStack,
}

/// The user stack of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UserStack {
    /// Unwound by the kernel, as in the recording.
    Chain(Vec<u64>),
    /// The registers of [`PERF_REGS`], and the bytes from the stack pointer on.
    Copy { registers: Vec<u64>, stack: Vec<u8> },
}

impl Record {
    /// Returns the time at which it was written, for records that must be ordered.
    pub(super) fn time(&self) -> u64 {
        match self {
            Self::Sample(sample) => sample.time,
            Self::Map(map) => map.time,
            Self::Name { time, .. } | Self::Fork { time, .. } | Self::Exit { time, .. } => *time,
            Self::Lost(_) | Self::Throttled => 0,
        }
    }

    /// Reads a record without its header. Returns `None` for other kinds and truncated records.
    /// `has_stacks` is whether samples hold registers and a copy of the stack.
    pub(super) fn read(kind: u32, misc: u16, body: &[u8], has_stacks: bool) -> Option<Self> {
        let mut fields = Fields(body);
        Some(match kind {
            PERF_RECORD_SAMPLE => Self::Sample(Box::new(sample(&mut fields, misc, has_stacks)?)),
            PERF_RECORD_MMAP2 => Self::Map(map(&mut fields)?),
            PERF_RECORD_COMM => {
                let (pid, tid) = (fields.short()?, fields.short()?);
                let (name, time) = fields.text_and_time()?;
                let is_exec = misc & PERF_RECORD_MISC_COMM_EXEC != 0;
                Self::Name { pid, tid, time, name: String::from_utf8_lossy(name).into_owned(), is_exec }
            }
            PERF_RECORD_FORK | PERF_RECORD_EXIT => {
                let (pid, parent) = (fields.short()?, fields.short()?);
                let (_tid, _parent_tid) = (fields.short()?, fields.short()?);
                let time = fields.long()?;
                if kind == PERF_RECORD_FORK { Self::Fork { pid, parent, time } } else { Self::Exit { pid, time } }
            }
            PERF_RECORD_LOST => {
                let _id = fields.long()?;
                Self::Lost(fields.long()?)
            }
            PERF_RECORD_LOST_SAMPLES => Self::Lost(fields.long()?),
            PERF_RECORD_THROTTLE => Self::Throttled,
            _ => return None,
        })
    }
}

fn sample(fields: &mut Fields<'_>, misc: u16, has_stack: bool) -> Option<RawSample> {
    let _instruction = fields.long()?;
    let (pid, tid) = (fields.short()?, fields.short()?);
    let (time, period) = (fields.long()?, fields.long()?);
    let length = usize::try_from(fields.long()?).ok()?;
    let chain: Vec<u64> = (0..length).map_while(|_| fields.long()).collect();
    if chain.len() < length {
        return None;
    }
    let (kernel, chain) = split(&chain);
    let user = if has_stack { copy(fields)? } else { UserStack::Chain(chain) };
    let in_kernel = misc & PERF_RECORD_MISC_CPUMODE_MASK == PERF_RECORD_MISC_KERNEL;
    Some(RawSample { pid, tid, time, period, in_kernel, kernel, user })
}

/// Reads registers and stack. A task without memory has neither: perf_output_sample(),
/// kernel/events/core.c. The registers of a 32-bit task are those of another
/// architecture, so only its innermost frame is known.
fn copy(fields: &mut Fields<'_>) -> Option<UserStack> {
    let abi = fields.long()?;
    let registers: Vec<u64> = match abi {
        0 => Vec::new(),
        _ => PERF_REGS.iter().map(|_| fields.long()).collect::<Option<_>>()?,
    };
    let size = usize::try_from(fields.long()?).ok()?;
    let stack = fields.bytes(size)?;
    let filled = if size > 0 { usize::try_from(fields.long()?).ok()? } else { 0 };
    match registers.last() {
        Some(_) if abi == PERF_SAMPLE_REGS_ABI_64 => {
            Some(UserStack::Copy { registers, stack: stack.get(..filled)?.to_vec() })
        }
        Some(instruction) => Some(UserStack::Chain(vec![*instruction])),
        None => Some(UserStack::Chain(Vec::new())),
    }
}

/// Splits a call chain into kernel and user addresses. A return address becomes an address within
/// the call instruction.
fn split(chain: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let (mut kernel, mut user) = (Vec::new(), Vec::new());
    let mut context = 0;
    for &address in chain {
        if address >= PERF_CONTEXT_MAX {
            context = address;
            continue;
        }
        let stack = match context {
            PERF_CONTEXT_KERNEL => &mut kernel,
            PERF_CONTEXT_USER => &mut user,
            _ => continue,
        };
        let is_innermost = stack.is_empty();
        stack.push(if is_innermost { address } else { address.saturating_sub(1) });
    }
    (kernel, user)
}

fn map(fields: &mut Fields<'_>) -> Option<Map> {
    let (pid, _tid) = (fields.short()?, fields.short()?);
    let (start, length, offset) = (fields.long()?, fields.long()?, fields.long()?);
    let device = (fields.short()?, fields.short()?);
    let (inode, generation) = (fields.long()?, fields.long()?);
    let (_protection, _flags) = (fields.short()?, fields.short()?);
    let (path, time) = fields.text_and_time()?;
    let addresses = start..start.checked_add(length)?;
    let file = FileId { device, inode, generation };
    Some(Map { pid, time, addresses, offset, path: PathBuf::from(OsStr::from_bytes(path)), file })
}

/// The rest of a record.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn short(&mut self) -> Option<u32> {
        self.bytes(4)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    fn long(&mut self) -> Option<u64> {
        self.bytes(8)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
    }

    /// Reads a text that ends with zeros, and the time in the fields that end every record:
    /// `struct sample_id` with process, task and time.
    fn text_and_time(&mut self) -> Option<(&'a [u8], u64)> {
        let text = self.bytes(self.0.len().checked_sub(16)?)?;
        let _tasks = self.long()?;
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Some((&text[..end], self.long()?))
    }
}

#[cfg(test)]
mod tests;
