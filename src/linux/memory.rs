//! Reads a tracee's memory, trying every available way before it counts as refused. Main function:
//! [`read`].
//!
//! process_vm_readv(2) may be missing from the kernel or refused by a container's seccomp filter.
//! `/proc/TID/mem` needs no calls but open and pread. PTRACE_PEEKDATA needs none beyond those that
//! tracing needs anyway.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::{maps, sys};
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

/// The most bytes of a path, with the zero byte at its end.
pub(super) const MAX_PATH: usize = libc::PATH_MAX as usize;

/// Reads the path at this address, if it is terminated. Most paths are short, and each page that is
/// read must be found and pinned.
pub(super) fn read_path(task: Tid, address: u64, text: &mut [u8; MAX_PATH]) -> Result<&[u8], Failure> {
    const SHORT: usize = 256;
    for (begin, end) in [(0, SHORT), (SHORT, MAX_PATH)] {
        let length = read(task, address.wrapping_add(begin as u64), &mut text[begin..end])?;
        if let Some(at) = text[begin..begin + length].iter().position(|byte| *byte == 0) {
            return Ok(&text[..begin + at]);
        }
        if begin + length < end {
            break;
        }
    }
    // The kernel fails with EFAULT or ENAMETOOLONG here.
    Err(Failure::Alike)
}

/// Returns whether an address is mapped, so that the kernel may read what this process cannot.
pub(super) fn is_mapped(task: Tid, address: u64) -> bool {
    let text = maps::text(task);
    let mut ranges = text.lines().filter_map(|line| {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        Some(number(start)?..number(end)?)
    });
    ranges.any(|range| range.contains(&address))
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
    fn mapped_address_is_known() {
        let byte = 7_u8;
        assert!(is_mapped(sys::gettid(), &raw const byte as u64));
        assert!(!is_mapped(sys::gettid(), 8));
    }

    #[test]
    fn unmapped_address_fails_as_the_call_does() {
        for address in [8, u64::MAX - 8] {
            assert_eq!(read(sys::gettid(), address, &mut [0; 8]), Err(Failure::Alike), "{address:#x}");
        }
        let by_proc = read_by_proc(sys::gettid(), 8, &mut [0; 8]).map_err(|error| error.raw_os_error());
        assert_eq!(by_proc, Err(Some(libc::EIO)));
    }

    #[test]
    fn path_of_any_length_is_read_completely() {
        for length in [0, 1, 255, 256, 257, 4000, 4095] {
            let path = [vec![b'x'; length], vec![0]].concat();
            let mut text = [0; MAX_PATH];
            assert_eq!(read_path(sys::gettid(), path.as_ptr() as u64, &mut text), Ok(&path[..length]));
        }
        let endless = vec![b'x'; MAX_PATH];
        for address in [endless.as_ptr() as u64, 8, u64::MAX] {
            assert_eq!(read_path(sys::gettid(), address, &mut [0; MAX_PATH]), Err(Failure::Alike));
        }
    }
}
