//! What must be asked about a call beyond its registers, and what was answered: the border between
//! knowing a call and touching its process.
//!
//! The shell asks what [`memory`] and [`object()`] tell it to and hands the answers on with the
//! call. Main types: [`Question`], [`Answer`] and [`Answers`].

use super::calls::{Flags, Link, Path, Subject};
use super::meant::{Meant, meant, points_to};
use super::memory::Memory;
use super::objects::Object;
use crate::model::kernel::call::{Call, Tid};

/// What was answered about one call; empty where nothing was asked or nobody could answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// What the call acts on.
    pub object: Answer,
    /// What stood where one of its registers points.
    pub memory: Memory,
    /// The loader makes it, before it lets the program begin.
    pub by_loader: bool,
    /// It signals a thread of its caller's own thread group; false where that could not be asked.
    pub to_own_thread: bool,
}

/// The answer to a question about an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    /// It is this.
    Object(Object),
    /// There is none, or nothing was asked.
    #[default]
    None,
    /// There is one, or there may be one, but the kernel refused to say which.
    Unanswerable,
}

impl Answer {
    /// A reference to the object, if it is known.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::None | Self::Unanswerable => None,
        }
    }

    /// The object, if it is known.
    pub fn object(self) -> Option<Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::None | Self::Unanswerable => None,
        }
    }
}

/// The answer where something was found: an object of a kind that has no name is no missing object.
impl From<Option<Object>> for Answer {
    fn from(object: Option<Object>) -> Self {
        object.map_or(Self::Unanswerable, Self::Object)
    }
}

/// Where a signal goes, by the numbers of the caller's PID namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// A thread of this thread group.
    Group(Tid),
    /// This thread.
    Thread(Tid),
}

/// What must be asked to know the object of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What does this fd stand for? Asked before the call, which may close it.
    Fd(i32),
    /// What does the fd stand for that the call returned?
    Returned,
    /// What does a path stand for before the call?
    PathBefore(Place),
    /// What does a path stand for after the call?
    PathAfter(Place),
    /// Which program runs after the call?
    Program,
}

/// A path in the memory of a tracee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The fd of the directory where it begins; `None`: the working directory.
    pub directory: Option<i32>,
    /// Where its text is.
    pub address: u64,
    /// A link at its end is followed.
    pub follows: bool,
}

/// Where memory must be read at the entry of this call.
pub fn memory(call: &Call) -> Option<u64> {
    points_to(call).filter(|address| *address != 0)
}

/// Whose thread group must be compared with the caller's, where that decides whether the call is
/// ambient.
pub fn receiver(call: &Call) -> Option<Receiver> {
    let [first, ..] = call.args.map(|arg| arg as i32);
    match call.syscall.row()?.name {
        "tgkill" => Some(Receiver::Group(first)),
        "tkill" => Some(Receiver::Thread(first)),
        _ => None,
    }
}

/// What must be asked about the object of this call, once the memory that it points to is known.
pub fn object(call: &Call, memory: &Memory) -> Option<Question> {
    let meant = meant(call, memory)?;
    match meant.shape?.subject {
        Subject::Fd(at) | Subject::Descriptor(at) => Some(Question::Fd(meant.args[at] as i32)),
        Subject::Mapped => meant.maps_a_file().then(|| Question::Fd(meant.args[4] as i32)),
        Subject::Opened(_) => Some(Question::Returned),
        Subject::Ring(flags, index) => (meant.args[flags] & index == 0).then(|| Question::Fd(meant.args[0] as i32)),
        Subject::PathBefore(path) => Some(Question::PathBefore(place(&meant, path))),
        Subject::PathAfter(path) => Some(Question::PathAfter(place(&meant, path))),
        Subject::Program => Some(Question::Program),
        Subject::None | Subject::Made(_) | Subject::Socket => None,
    }
}

/// What a call will open, if that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Where it is.
    pub place: Place,
    /// Whether it may be made instead: then its absence says nothing.
    pub makes: bool,
    /// What will be possible with the fd, by `O_ACCMODE` of open(2).
    pub reads: bool,
    /// The same.
    pub writes: bool,
}

/// What an open or openat will open; of other calls nothing is known, nor of a file without a name
/// (O_TMPFILE).
pub fn opening(call: &Call) -> Option<Opening> {
    let meant = meant(call, &Memory::default())?;
    let Subject::Opened(Flags::In(at)) = meant.shape?.subject else { return None };
    let (flags, path) = (meant.args[at], at.checked_sub(1)?);
    let directory = path.checked_sub(1).map(|at| meant.args[at] as i32).filter(|fd| *fd != AT_FDCWD);
    let is_exclusive = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
    let place = Place { directory, address: meant.args[path], follows: flags & O_NOFOLLOW == 0 && !is_exclusive };
    let (reads, writes) = (flags & O_ACCMODE != O_WRONLY, flags & O_ACCMODE != 0);
    let is_named = meant.name != "open_by_handle_at" && flags & O_TMPFILE == 0;
    is_named.then_some(Opening { place, makes: flags & O_CREAT != 0, reads, writes })
}

/// include/uapi/asm-generic/fcntl.h, the same on x86; O_TMPFILE without its O_DIRECTORY
const O_ACCMODE: u64 = 3;
const O_WRONLY: u64 = 1;
const O_CREAT: u64 = 0o100;
const O_EXCL: u64 = 0o200;
const O_NOFOLLOW: u64 = 0o400_000;
const O_TMPFILE: u64 = 0o20_000_000;

/// `AT_FDCWD`, `AT_SYMLINK_NOFOLLOW` and `AT_SYMLINK_FOLLOW`, include/uapi/linux/fcntl.h
const AT_FDCWD: i32 = -100;
const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
const AT_SYMLINK_FOLLOW: u64 = 0x400;

fn place(meant: &Meant, path: Path) -> Place {
    let follows = match path.link {
        Link::Followed => true,
        Link::Itself => false,
        Link::FollowedUnless(at) => meant.args[at] & AT_SYMLINK_NOFOLLOW == 0,
        Link::ItselfUnless(at) => meant.args[at] & AT_SYMLINK_FOLLOW != 0,
    };
    let directory = path.directory.map(|at| meant.args[at] as i32).filter(|fd| *fd != AT_FDCWD);
    Place { directory, address: meant.args[path.at], follows }
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
    fn what_is_asked_follows_from_the_call() {
        let path = |directory, address, follows| Place { directory, address, follows };
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
    fn memory_is_read_for_few_calls_only() {
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
    fn memory_that_could_be_read_in_part_answers_in_part() {
        let memory = Memory::new(b"ext4\0rest");
        assert_eq!((memory.text(), memory.word(1), memory.word(2)), (Some("ext4"), Some(0x7365_7200), None));
        assert_eq!(Memory::new(b"ext4").text(), None);
        assert_eq!(Memory::default().long(), None);
    }

    #[test]
    fn what_will_be_opened_is_known_where_a_path_names_it() {
        let opened = |name, args| opening(&call(Abi::X86_64, name, args));
        let place = |directory, follows| Place { directory, address: 8, follows };
        let found = |place| Opening { place, makes: false, reads: true, writes: false };
        assert_eq!(opened("open", [8, 0, 0, 0, 0, 0]), Some(found(place(None, true))));
        assert_eq!(opened("openat", [-100_i32 as u64, 8, 0o400_000, 0, 0, 0]), Some(found(place(None, false))));
        assert_eq!(opened("openat", [5, 8, 0, 0, 0, 0]), Some(found(place(Some(5), true))));
        let made = Opening { makes: true, reads: false, writes: true, ..found(place(None, true)) };
        assert_eq!(opened("open", [8, 0o1101, 0o644, 0, 0, 0]), Some(made));
        let both = Opening { makes: true, writes: true, ..found(place(None, false)) };
        assert_eq!(opened("open", [8, 0o302, 0o644, 0, 0, 0]), Some(both));
        // O_TMPFILE, flags in memory, a handle, no path at all.
        assert_eq!(opened("open", [8, 0o20_200_002, 0, 0, 0, 0]), None);
        for name in ["openat2", "open_by_handle_at", "creat", "dup", "read"] {
            assert_eq!(opened(name, [8; 6]), None, "{name}");
        }
    }
}
