//! Error paths as expectation files name them: the call that failed, and how the run then ended.
//! Main types: [`FailedCall`] and [`RunOutcome`].

use std::fmt;
use std::str::FromStr;

use super::errno_name::ErrnoName;
use crate::model::kernel::call::Errno;

/// A call that was made to fail: `write ENOSPC`, `ioctl TCGETS EIO`, `read short`.
///
/// It names no place in the program, so it stays the same when code moves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedCall {
    /// The name of the syscall.
    pub syscall: String,
    /// The argument, if the syscall has one that is known.
    pub argument: Option<String>,
    /// What the call returned.
    pub fault: FaultName,
}

/// What a call returned instead of its own result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultName {
    /// It failed with this errno.
    Errno(ErrnoName),
    /// It read or wrote fewer bytes than asked.
    Short,
}

impl FaultName {
    /// The name of a short read or write.
    const SHORT: &'static str = "short";

    /// Returns the fault of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            Self::SHORT => Some(Self::Short),
            _ => Errno::from_name(name).map(|errno| Self::Errno(ErrnoName(errno))),
        }
    }

    /// Returns the name of every fault.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        std::iter::once(Self::SHORT).chain(Errno::names())
    }
}

impl fmt::Display for FaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(errno) => errno.fmt(f),
            Self::Short => f.pad(Self::SHORT),
        }
    }
}

impl fmt::Display for FailedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { syscall, argument, fault } = self;
        match argument {
            Some(argument) => write!(f, "{syscall} {argument} {fault}"),
            None => write!(f, "{syscall} {fault}"),
        }
    }
}

/// The text does not name a call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid call `{0}`: write the syscall, its argument if it has one, and an error, such as `write ENOSPC`")]
pub struct NotAFailedCall(String);

/// Reads what [`Display`](fmt::Display) writes. An argument may hold blanks, a syscall and a fault
/// may not.
impl FromStr for FailedCall {
    type Err = NotAFailedCall;

    fn from_str(text: &str) -> Result<Self, NotAFailedCall> {
        let read = || {
            let (syscall, rest) = text.split_once(' ')?;
            let (argument, fault) = match rest.rsplit_once(' ') {
                Some((argument, fault)) => (Some(argument), fault),
                None => (None, rest),
            };
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
            let is_whole = !syscall.is_empty() && syscall.bytes().all(is_name) && argument != Some("");
            let fault = FaultName::from_name(fault).filter(|_| is_whole)?;
            Some(Self { syscall: syscall.to_owned(), argument: argument.map(str::to_owned), fault })
        };
        read().ok_or_else(|| NotAFailedCall(text.to_owned()))
    }
}

/// How a run with an injected error ended, compared with runs without one; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunOutcome {
    /// The call was not made, so nothing was injected.
    NotReached,
    /// The same end, output and files.
    Absorbed,
    /// Another exit status, or a message on standard error.
    Reported,
    /// The same exit status and nothing on standard error, but other output or files.
    Silent,
    /// A Rust panic.
    Panic,
    /// A signal ended it.
    Signal,
    /// It did not end, and was killed.
    Hang,
}

impl RunOutcome {
    /// Every outcome of a run that makes the call, the best first.
    pub const ALL: [Self; 6] = [Self::Absorbed, Self::Reported, Self::Silent, Self::Panic, Self::Signal, Self::Hang];

    /// The outcomes that are findings unless the expectation holds them.
    pub const JUDGED: [Self; 4] = [Self::Silent, Self::Panic, Self::Signal, Self::Hang];

    /// Returns the name used in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotReached => "not reached",
            Self::Absorbed => "absorbed",
            Self::Reported => "reported",
            Self::Silent => "silent",
            Self::Panic => "panic",
            Self::Signal => "signal",
            Self::Hang => "hang",
        }
    }

    /// Returns the judged outcome of this name.
    pub fn judged(name: &str) -> Option<Self> {
        Self::JUDGED.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Returns whether it is a finding unless the expectation holds it.
    pub fn is_judged(self) -> bool {
        Self::JUDGED.contains(&self)
    }

    /// Returns what happened, as a clause after the name of the workload.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NotReached => "did not make the call",
            Self::Absorbed => "ended the same way, with the same output and files",
            Self::Reported => "ended with another status, or with a message",
            Self::Silent => "ended the same way, without a message, but with other output or files",
            Self::Panic => "panicked",
            Self::Signal => "was ended by a signal",
            Self::Hang => "did not end",
        }
    }
}

impl fmt::Display for RunOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_call_is_read_back() {
        for text in ["write ENOSPC", "ioctl TCGETS EIO", "read short", "execve a b EACCES", "syscall_0x3e7 EPERM"] {
            assert_eq!(text.parse::<FailedCall>().map(|call| call.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "write", "write ", " ENOSPC", "write ENOSPACE", "write  ENOSPC", "wri/te EIO", "write EIO x"] {
            assert!(text.parse::<FailedCall>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn calls_are_ordered_by_syscall_argument_and_error() {
        let calls = ["fcntl EIO", "fcntl F_GETFD EBADF", "fcntl F_GETFL EBADF", "read EINTR", "read EIO", "read short"];
        let parsed: Vec<FailedCall> = calls.iter().map(|text| text.parse().expect(text)).collect();
        assert!(parsed.is_sorted());
    }

    #[test]
    fn outcomes_are_ordered_and_found_by_name() {
        assert!(RunOutcome::ALL.is_sorted());
        for outcome in RunOutcome::ALL {
            assert_eq!(RunOutcome::judged(outcome.name()), Some(outcome).filter(|outcome| outcome.is_judged()));
        }
    }
}
