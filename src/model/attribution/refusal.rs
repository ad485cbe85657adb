//! What it means that a question about a tracee was not answered, by the errno of the question.
//! Main type: [`Failure`].
//!
//! A missing object and a refused question look alike to the caller of a syscall that fails. Taking
//! one for the other would hide an object from the baseline, or report a blind spot where there is
//! none.

use crate::model::kernel::call::Errno;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inquiry {
    /// What a link of `/proc/TID` leads to: an fd, the program, the root, the working directory.
    Link,
    /// What a path of the tracee names, once its starting point is known.
    Path,
    /// What is in the memory of the tracee.
    Memory,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is no such thing, or the task is gone.
    Absent,
    /// The call under way fails as the question did. If it succeeds, it used something that could
    /// not be asked about.
    Alike,
    /// The kernel, a filter or a security module refused the question: the object or the memory may
    /// be there.
    Refused,
}

impl Failure {
    /// What this errno of a question means.
    ///
    /// Errors that no row names are refusals: an unknown failure says nothing about what is there.
    pub fn of(asked: Inquiry, errno: Errno) -> Self {
        match (asked, errno.0) {
            (_, ESRCH) => Self::Absent,
            (Inquiry::Link, ENOENT | EBADF) => Self::Absent,
            (Inquiry::Path, ENOENT | ENOTDIR) => Self::Absent,
            // The caller's own rights are at least looked at alike, and so are the limits of a
            // path.
            (Inquiry::Path, EACCES | ELOOP | ENAMETOOLONG | EINVAL) => Self::Alike,
            // EFAULT of process_vm_readv(2) and EIO of /proc/TID/mem: the address is not mapped.
            // Memory of memfd_secret(2) and of some devices gives the same, though the task itself
            // can use it.
            (Inquiry::Memory, EFAULT | EIO) => Self::Alike,
            _ => Self::Refused,
        }
    }
}

/// include/uapi/asm-generic/errno-base.h and errno.h
const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EIO: i32 = 5;
const EBADF: i32 = 9;
const EACCES: i32 = 13;
const EFAULT: i32 = 14;
const ENOTDIR: i32 = 20;
const EINVAL: i32 = 22;
const ENAMETOOLONG: i32 = 36;
const ELOOP: i32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errno_and_question_decide_what_silence_means() {
        use Failure::{Absent, Alike, Refused};
        const EPERM: i32 = 1;
        const ENOMEM: i32 = 12;
        const ENFILE: i32 = 23;
        const EAGAIN: i32 = 11;
        const ENOSYS: i32 = 38;
        const ENOTCONN: i32 = 107;
        const ESTALE: i32 = 116;
        for (errno, link, path, memory) in [
            (ENOENT, Absent, Absent, Refused),
            (ESRCH, Absent, Absent, Absent),
            (EBADF, Absent, Refused, Refused),
            (ENOTDIR, Refused, Absent, Refused),
            (EACCES, Refused, Alike, Refused),
            (ELOOP, Refused, Alike, Refused),
            (ENAMETOOLONG, Refused, Alike, Refused),
            (EINVAL, Refused, Alike, Refused),
            (EFAULT, Refused, Refused, Alike),
            (EIO, Refused, Refused, Alike),
            (EPERM, Refused, Refused, Refused),
            (ENOSYS, Refused, Refused, Refused),
            (EAGAIN, Refused, Refused, Refused),
            (ENOMEM, Refused, Refused, Refused),
            (ENFILE, Refused, Refused, Refused),
            (ENOTCONN, Refused, Refused, Refused),
            (ESTALE, Refused, Refused, Refused),
        ] {
            let meant = [Inquiry::Link, Inquiry::Path, Inquiry::Memory].map(|asked| Failure::of(asked, Errno(errno)));
            assert_eq!(meant, [link, path, memory], "errno {errno}");
        }
    }
}
