//! Reads a tracee's memory, trying every available way before it counts as refused. Main function:
//! [`read`].
//!
//! process_vm_readv(2) may be missing from the kernel or refused by a container's seccomp filter.
//! `/proc/TID/mem` needs no calls but open and pread. PTRACE_PEEKDATA needs none beyond those that
//! tracing needs anyway.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::sys;
use crate::model::attribution::{Failure, Memory, Query, answers};
use crate::model::kernel::call::{Call, Errno, Tid};

/// Reads into the whole buffer, or as much of it as is mapped, and returns the number of bytes.
///
/// # Errors
///
/// Why nothing could be read.
pub(super) fn read(task: Tid, address: u64, buffer: &mut [u8]) -> Result<usize, Failure> {
    let failure = |error: io::Error| failure(Query::Memory, &error);
    match sys::read_memory(task, address, buffer).map_err(failure) {
        Err(Failure::Refused) => {}
        answer => return answer,
    }
    match read_by_proc(task, address, buffer) {
        Ok(length) => return Ok(length),
        // The file could be opened, so the error is about the address.
        Err(error) if error.raw_os_error() == Some(libc::EIO) => return Err(Failure::Alike),
        Err(_) => {}
    }
    // For any other error (the task is not stopped, or not this thread's tracee) the memory counts
    // as refused.
    read_words(task, address, buffer).ok_or(Failure::Refused)
}

/// Classifies a failed question.
pub(super) fn failure(asked: Query, error: &io::Error) -> Failure {
    error.raw_os_error().map_or(Failure::Refused, |errno| Failure::of(asked, Errno(errno)))
}

fn read_by_proc(task: Tid, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    match File::open(format!("/proc/{task}/mem"))?.read_at(buffer, address)? {
        // The task's memory is gone: mem_rw(), fs/proc/base.c.
        0 => Err(io::Error::from_raw_os_error(libc::ESRCH)),
        length => Ok(length),
    }
}

/// Reads aligned words, since an unaligned word may begin on a mapped page and end on an unmapped
/// one.
fn read_words(task: Tid, address: u64, buffer: &mut [u8]) -> Option<usize> {
    const WORD: u64 = size_of::<u64>() as u64;
    let mut length = 0;
    while length < buffer.len() {
        let at = address.checked_add(length as u64)?;
        let Ok(word) = sys::read_word(task, at - at % WORD) else { break };
        let bytes = &word.to_ne_bytes()[(at % WORD) as usize..];
        let count = bytes.len().min(buffer.len() - length);
        buffer[length..length + count].copy_from_slice(&bytes[..count]);
        length += count;
    }
    (length > 0).then_some(length)
}

/// Returns the memory that a register of this call points to, if the call cannot be understood
/// without it.
pub(super) fn of_call(task: Tid, call: &Call) -> Memory {
    answers::memory(call).map_or_else(Memory::default, |address| {
        let mut bytes = [0; Memory::SIZE];
        match read(task, address, &mut bytes) {
            Ok(length) => Memory::new(&bytes[..length]),
            Err(Failure::Refused) => Memory::refused(),
            Err(Failure::Absent | Failure::Alike) => Memory::default(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_unaligned_addresses_by_proc() {
        let bytes: Vec<u8> = (0..64).collect();
        for (offset, length) in [(0, 8), (1, 8), (3, 30), (7, 1)] {
            let mut buffer = vec![0; length];
            let address = bytes.as_ptr() as u64 + offset as u64;
            assert_eq!(read_by_proc(sys::gettid(), address, &mut buffer).expect("own memory"), length);
            assert_eq!(buffer, bytes[offset..offset + length]);
        }
    }

    #[test]
    fn unmapped_address_fails_as_the_call_does() {
        for address in [8, u64::MAX - 8] {
            assert_eq!(read(sys::gettid(), address, &mut [0; 8]), Err(Failure::Alike), "{address:#x}");
        }
        let by_proc = read_by_proc(sys::gettid(), 8, &mut [0; 8]).map_err(|error| error.raw_os_error());
        assert_eq!(by_proc, Err(Some(libc::EIO)));
    }
}
