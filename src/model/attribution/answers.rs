//! The questions about a call that its registers do not answer, and the answers. Main types:
//! [`Question`], [`Answer`] and [`Answers`].
//!
//! The tracer asks what [`memory`], [`object()`] and [`named::question`](super::named::question)
//! return, and passes the answers on with the call. Nothing here touches a process.

use std::borrow::Cow;

use super::calls::{Flags, Link, Path, Subject};
use super::decode::{DecodedCall, decode, memory_address};
use super::memory::Memory;
use super::met::{Met, Undecided};
use super::objects::Object;
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::uapi::{
    AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, O_ACCMODE, O_CREAT, O_EXCL, O_NOFOLLOW, O_TMPFILE, O_WRONLY,
};

/// The answers for one call; empty if nothing was asked or nothing could be answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The object that the call acts on.
    pub object: Answer,
    /// The memory that one of its arguments points to.
    pub memory: Memory,
    /// The name of an argument that is in memory: a program, or the class of an address.
    pub argument: ArgumentAnswer,
    /// The conditions of the document's rules that the call meets.
    pub met: Met,
    /// Data that a rule depends on and that could not be determined.
    pub undecided: Undecided,
    /// The loader made the call, before the program began.
    pub by_loader: bool,
    /// It signals a thread of its caller's own thread group; false if that could not be found out.
    pub to_own_thread: bool,
}

/// The answer to a question about an argument in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ArgumentAnswer {
    /// Its name.
    Text(Cow<'static, str>),
    /// The call has no such argument, or it was not queried.
    #[default]
    None,
    /// It could not be read.
    Unanswerable,
}

impl ArgumentAnswer {
    /// Returns the name, if it is known.
    pub fn text(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::None | Self::Unanswerable => None,
        }
    }
}

impl From<Option<Cow<'static, str>>> for ArgumentAnswer {
    fn from(text: Option<Cow<'static, str>>) -> Self {
        text.map_or(Self::None, Self::Text)
    }
}

/// The answer to a question about an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    /// The object.
    Object(Object),
    /// There is no object, or nothing was asked.
    #[default]
    None,
    /// There is an object, or there may be one, but the kernel refused to say which.
    Unanswerable,
}

impl Answer {
    /// Returns a reference to the object, if it is known.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::None | Self::Unanswerable => None,
        }
    }

    /// Returns the object, if it is known.
    pub fn object(self) -> Option<Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::None | Self::Unanswerable => None,
        }
    }
}

/// Converts the kind of something that was found: `None` means a kind without a name, which is not
/// the same as no object.
impl From<Option<Object>> for Answer {
    fn from(object: Option<Object>) -> Self {
        object.map_or(Self::Unanswerable, Self::Object)
    }
}

/// The receiver of a signal, numbered as in the caller's PID namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// A thread of this thread group.
    Group(Tid),
    /// This thread.
    Thread(Tid),
}

/// A question about the object of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The object of this fd, before the call, which may close it.
    Fd(i32),
    /// The object of the fd that the call returned.
    Returned,
    /// The object at this path before the call.
    PathBefore(PathArgument),
    /// The object at this path after the call.
    PathAfter(PathArgument),
    /// The program that runs after the call.
    Program,
}

/// A path in the memory of a tracee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathArgument {
    /// The fd of the directory where it begins; `None` for the working directory.
    pub directory: Option<i32>,
    /// The address of its text.
    pub address: u64,
    /// A symbolic link at its end is followed.
    pub follows: bool,
}

/// Returns the address from which memory must be read at the entry of this call.
pub fn memory(call: &Call) -> Option<u64> {
    memory_address(call).filter(|address| *address != 0)
}

/// Returns the receiver of a signal if the call is ambient only within its caller's own thread
/// group.
pub fn receiver(call: &Call) -> Option<Receiver> {
    let [first, ..] = call.args.map(|arg| arg as i32);
    match call.syscall.row()?.name {
        "tgkill" => Some(Receiver::Group(first)),
        "tkill" => Some(Receiver::Thread(first)),
        _ => None,
    }
}

/// Returns the question about the object of this call. The memory that the call points to must be
/// known.
pub fn object(call: &Call, memory: &Memory) -> Option<Question> {
    let decoded = decode(call, memory)?;
    match decoded.shape?.subject {
        Subject::Fd(at) | Subject::Descriptor(at) => Some(Question::Fd(decoded.args[at] as i32)),
        Subject::Mapped => decoded.maps_a_file().then(|| Question::Fd(decoded.args[4] as i32)),
        Subject::Opened(_) => Some(Question::Returned),
        Subject::Ring(flags, index) => (decoded.args[flags] & index == 0).then(|| Question::Fd(decoded.args[0] as i32)),
        Subject::PathBefore(path) => Some(Question::PathBefore(place(&decoded, path))),
        Subject::PathAfter(path) => Some(Question::PathAfter(place(&decoded, path))),
        Subject::Program => Some(Question::Program),
        Subject::None | Subject::Made(_) | Subject::Socket => None,
    }
}

/// What an open would open if the file exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The path of the file.
    pub place: PathArgument,
    /// The call creates the file if it does not exist, so that its absence means nothing.
    pub makes: bool,
    /// The fd will be readable, by `O_ACCMODE` of open(2).
    pub reads: bool,
    /// The fd will be writable, likewise.
    pub writes: bool,
}

/// Returns what an open or openat will open. Returns `None` for other calls, and for a file without
/// a name (O_TMPFILE).
pub fn opening(call: &Call) -> Option<Opening> {
    let decoded = decode(call, &Memory::default())?;
    let Subject::Opened(Flags::In(at)) = decoded.shape?.subject else { return None };
    let (flags, path) = (decoded.args[at], at.checked_sub(1)?);
    let directory = path.checked_sub(1).map(|at| decoded.args[at] as i32).filter(|fd| *fd != AT_FDCWD);
    let is_exclusive = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
    let place =
        PathArgument { directory, address: decoded.args[path], follows: flags & O_NOFOLLOW == 0 && !is_exclusive };
    let (reads, writes) = (flags & O_ACCMODE != O_WRONLY, flags & O_ACCMODE != 0);
    let is_named = decoded.name != "open_by_handle_at" && flags & O_TMPFILE == 0;
    is_named.then_some(Opening { place, makes: flags & O_CREAT != 0, reads, writes })
}

/// Returns the path in the registers of a call.
pub(super) fn place(decoded: &DecodedCall, path: Path) -> PathArgument {
    let follows = match path.link {
        Link::Followed => true,
        Link::Itself => false,
        Link::FollowedUnless(at) => decoded.args[at] & AT_SYMLINK_NOFOLLOW == 0,
        Link::ItselfUnless(at) => decoded.args[at] & AT_SYMLINK_FOLLOW != 0,
    };
    let directory = path.directory.map(|at| decoded.args[at] as i32).filter(|fd| *fd != AT_FDCWD);
    PathArgument { directory, address: decoded.args[path.at], follows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    fn call(abi: Abi, name: &str, args: [u64; 6]) -> Call {
        Call { syscall: Syscall::from_name(abi, name).expect(name), args, instruction_pointer: 0 }
    }

    fn asked(name: &str, args: [u64; 6]) -> Option<Question> {
        object(&call(Abi::X86_64, name, args), &Memory::default())
    }

    #[test]
    fn question_follows_from_the_call() {
        let path = |directory, address, follows| PathArgument { directory, address, follows };
        const CWD: u64 = AT_FDCWD as u32 as u64;
        for (name, args, question) in [
            ("read", [3, 0, 0, 0, 0, 0], Some(Question::Fd(3))),
            ("close", [u64::MAX, 0, 0, 0, 0, 0], Some(Question::Fd(-1))),
            ("sendfile", [4, 5, 0, 0, 0, 0], Some(Question::Fd(5))),
            ("openat", [CWD, 0x1000, 0, 0, 0, 0], Some(Question::Returned)),
            ("mmap", [0, 4096, 1, 2, 7, 0], Some(Question::Fd(7))),
            ("mmap", [0, 4096, 1, 0x22, 7, 0], None),
            ("stat", [0x1000, 0, 0, 0, 0, 0], Some(Question::PathAfter(path(None, 0x1000, true)))),
            ("newfstatat", [CWD, 0x1000, 0, 0x100, 0, 0], Some(Question::PathAfter(path(None, 0x1000, false)))),
            ("statx", [6, 0x1000, 0, 0, 0, 0], Some(Question::PathAfter(path(Some(6), 0x1000, true)))),
            ("linkat", [CWD, 0x1000, CWD, 0x2000, 0, 0], Some(Question::PathBefore(path(None, 0x1000, false)))),
            ("execve", [0x1000, 0, 0, 0, 0, 0], Some(Question::Program)),
            ("io_uring_enter", [4, 1, 0, 0, 0, 0], Some(Question::Fd(4))),
            ("io_uring_enter", [4, 1, 0, 0x10, 0, 0], None),
            ("pipe2", [0x1000, 0, 0, 0, 0, 0], None),
            ("getpid", [0; 6], None),
        ] {
            assert_eq!(asked(name, args), question, "{name}");
        }
    }

    #[test]
    fn memory_is_read_only_where_needed() {
        for (abi, name, args, address) in [
            (Abi::X86_64, "clone3", [0x1000, 88, 0, 0, 0, 0], Some(0x1000)),
            (Abi::X86_64, "perf_event_open", [0x1000, 0, 0, 0, 0, 0], Some(0x1000)),
            (Abi::X86_64, "mount", [1, 2, 0x1000, 0, 0, 0], Some(0x1000)),
            (Abi::X86_64, "mount", [1, 2, 0x1000, 0x1000, 0, 0], None),
            (Abi::X86_64, "mount", [1, 2, 0, 0, 0, 0], None),
            (Abi::X86_64, "fsopen", [0x1000, 0, 0, 0, 0, 0], Some(0x1000)),
            (Abi::I386, "socketcall", [3, 0x1000, 0, 0, 0, 0], Some(0x1000)),
            (Abi::I386, "mmap", [0x1000, 0, 0, 0, 0, 0], Some(0x1000)),
            (Abi::X86_64, "mmap", [0x1000, 0, 0, 0, 0, 0], None),
            (Abi::X86_64, "openat2", [1, 2, 0x1000, 24, 0, 0], Some(0x1000)),
            (Abi::X86_64, "read", [3, 0x1000, 0, 0, 0, 0], None),
        ] {
            assert_eq!(memory(&call(abi, name, args)), address, "{abi} {name}");
        }
    }

    #[test]
    fn partial_memory_gives_partial_answers() {
        let memory = Memory::new(b"ext4\0rest");
        assert_eq!((memory.text(), memory.word(1), memory.word(2)), (Some("ext4"), Some(0x7365_7200), None));
        assert_eq!(Memory::new(b"ext4").text(), None);
        assert_eq!(Memory::default().long(), None);
    }

    #[test]
    fn opening_is_known_if_a_path_names_it() {
        let opened = |name, args| opening(&call(Abi::X86_64, name, args));
        let place = |directory, follows| PathArgument { directory, address: 8, follows };
        let found = |place| Opening { place, makes: false, reads: true, writes: false };
        assert_eq!(opened("open", [8, 0, 0, 0, 0, 0]), Some(found(place(None, true))));
        assert_eq!(opened("openat", [-100_i32 as u64, 8, 0o400_000, 0, 0, 0]), Some(found(place(None, false))));
        assert_eq!(opened("openat", [5, 8, 0, 0, 0, 0]), Some(found(place(Some(5), true))));
        let made = Opening { makes: true, reads: false, writes: true, ..found(place(None, true)) };
        assert_eq!(opened("open", [8, 0o1101, 0o644, 0, 0, 0]), Some(made));
        let both = Opening { makes: true, writes: true, ..found(place(None, false)) };
        assert_eq!(opened("open", [8, 0o302, 0o644, 0, 0, 0]), Some(both));
        // O_TMPFILE, flags in memory, a file handle, and calls without a path.
        assert_eq!(opened("open", [8, 0o20_200_002, 0, 0, 0, 0]), None);
        for name in ["openat2", "open_by_handle_at", "creat", "dup", "read"] {
            assert_eq!(opened(name, [8; 6]), None, "{name}");
        }
    }
}
