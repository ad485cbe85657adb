//! What the errno of a failed question about a tracee means. Main type: [`Failure`].
//!
//! A missing object and a refused question both look like a failed syscall. Confusing them would
//! hide an object from the baseline, or report a blind spot where there is none.

use crate::model::kernel::call::Errno;
use crate::model::kernel::uapi::{EACCES, EBADF, EFAULT, EINVAL, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ESRCH};

/// The kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// The target of a link of `/proc/TID`: of an fd, the program, the root or the working
    /// directory.
    Link,
    /// The object at a path of the tracee, when its starting point is known.
    Path,
    /// The content of the tracee's memory.
    Memory,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The object does not exist, or the task has ended.
    Absent,
    /// The call in progress fails with the same error. If it succeeds, it used something that could
    /// not be examined.
    Alike,
    /// The kernel, a filter or a security module refused the question. The object or the memory may
    /// exist.
    Refused,
}

impl Failure {
    /// Returns what this errno means for a question of this kind.
    ///
    /// An errno without a row counts as a refusal, because it does not say what exists.
    pub fn of(asked: Query, errno: Errno) -> Self {
        match (asked, errno.0) {
            (_, ESRCH) => Self::Absent,
            (Query::Link, ENOENT | EBADF) => Self::Absent,
            (Query::Path, ENOENT | ENOTDIR) => Self::Absent,
            // The caller's own permissions and the limits of a path apply to the call in the same
            // way.
            (Query::Path, EACCES | ELOOP | ENAMETOOLONG | EINVAL) => Self::Alike,
            // EFAULT of process_vm_readv(2) and EIO of /proc/TID/mem: the address is not mapped.
            // Memory of memfd_secret(2) and of some devices gives the same error, although the task
            // itself can use it.
            (Query::Memory, EFAULT | EIO) => Self::Alike,
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meaning_depends_on_errno_and_question() {
        use Failure::{Absent, Alike, Refused};
        for (name, link, path, memory) in [
            ("ENOENT", Absent, Absent, Refused),
            ("ESRCH", Absent, Absent, Absent),
            ("EBADF", Absent, Refused, Refused),
            ("ENOTDIR", Refused, Absent, Refused),
            ("EACCES", Refused, Alike, Refused),
            ("ELOOP", Refused, Alike, Refused),
            ("ENAMETOOLONG", Refused, Alike, Refused),
            ("EINVAL", Refused, Alike, Refused),
            ("EFAULT", Refused, Refused, Alike),
            ("EIO", Refused, Refused, Alike),
            ("EPERM", Refused, Refused, Refused),
            ("ENOSYS", Refused, Refused, Refused),
            ("EAGAIN", Refused, Refused, Refused),
            ("ENOMEM", Refused, Refused, Refused),
            ("ENFILE", Refused, Refused, Refused),
            ("ENOTCONN", Refused, Refused, Refused),
            ("ESTALE", Refused, Refused, Refused),
        ] {
            let errno = Errno::from_name(name).expect(name);
            let meanings = [Query::Link, Query::Path, Query::Memory].map(|asked| Failure::of(asked, errno));
            assert_eq!(meanings, [link, path, memory], "{name}");
        }
    }
}
