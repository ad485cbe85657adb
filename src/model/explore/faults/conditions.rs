//! When a row of the table applies to a call: its object, its argument and its registers. Main
//! types: [`Condition`] and [`Subject`].

use super::base;
use crate::model::attribution::ObjectClass;
use crate::model::expectation::storage;
use crate::model::explore::survey::SurveyedCall;
use crate::model::kernel::uapi::{AT_EMPTY_PATH, MSG_DONTWAIT, TIMER_ABSTIME};

/// What a row requires of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Condition {
    /// A file or directory of a filesystem on storage, or a block device.
    Storage,
    /// A file or directory of a filesystem that shows the kernel's data: proc, sysfs.
    Interface,
    /// A pipe, or a FIFO.
    Pipe,
    /// A FIFO, which a path names.
    Fifo,
    /// A terminal.
    Terminal,
    /// Another file descriptor that is read to wait for events.
    Events,
    /// A socket that transports a stream of bytes.
    Stream,
    /// A socket that transports messages.
    Messages,
    /// A socket of one of these families.
    Family(&'static [&'static str]),
    /// A pipe, a terminal or a socket: what signal(7) calls slow.
    Slow,
    /// Standard output, where it is a pipe as in runs of sysguard. A user may redirect it to a
    /// file.
    StandardOutput,
    /// The call may wait, so a signal may interrupt it.
    MayWait,
    /// The call returns EAGAIN instead of waiting.
    NonBlocking,
    /// The argument is one of these, alone or among others.
    Argument(&'static [&'static str]),
    /// The argument is none of these, alone or among others.
    NotArgument(&'static [&'static str]),
    /// The register is not 0.
    Given(usize),
    /// The register has this flag.
    Has(usize, u64),
    /// The register lacks this flag.
    Lacks(usize, u64),
    /// The register holds more than this number.
    MoreThan(usize, u64),
    /// The call names a path, not only an fd: the register with flags lacks AT_EMPTY_PATH.
    Path(usize),
    /// An interrupted sleep leaves the remaining time where the task put the requested time, or
    /// nowhere. Otherwise the kernel would have to write it.
    KeepsTime,
}

/// What the conditions ask of a call.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// Its name without the variants for 32 bits. For a call that socketcall(2) or ipc(2) carries,
    /// the name of that.
    pub(super) name: String,
    argument: Option<&'a str>,
    class: Option<ObjectClass<'a>>,
    /// The registers; unknown for a carried call.
    args: Option<[u64; 6]>,
    nonblocking: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn of(call: &'a SurveyedCall) -> Self {
        let argument = call.used.argument.as_deref();
        let name = call.point.syscall.name();
        let carried = argument.filter(|_| matches!(&*name, "socketcall" | "ipc")).map(carried);
        let is_carried = carried.is_some();
        let name = carried.unwrap_or_else(|| base(&name).to_owned());
        let args = (!is_carried).then_some(call.args);
        let is_for_now = |args: [u64; 6]| message_flags(&name).is_some_and(|at| args[at] & MSG_DONTWAIT != 0);
        let nonblocking = call.nonblocking == Some(true) || args.is_some_and(is_for_now);
        let class = call.used.object.as_ref().map(|object| object.class());
        Self { name, argument, class, args, nonblocking }
    }

    fn register(&self, at: usize) -> Option<u64> {
        self.args.map(|args| args[at])
    }

    fn has_argument(&self, wanted: &[&str]) -> bool {
        self.argument.is_some_and(|argument| argument.split('|').any(|part| wanted.contains(&part)))
    }
}

/// Returns the name of a call that another one carries: `SYS_CONNECT/loopback` is connect.
fn carried(argument: &str) -> String {
    let (operation, _) = argument.split_once('/').unwrap_or((argument, ""));
    match operation.strip_prefix("SYS_").unwrap_or(operation) {
        "SEND" => "sendto".to_owned(),
        "RECV" => "recvfrom".to_owned(),
        name => name.to_ascii_lowercase(),
    }
}

/// Returns the register with the flags of a message.
fn message_flags(name: &str) -> Option<usize> {
    match name {
        "recvfrom" | "sendto" | "recvmmsg" | "sendmmsg" => Some(3),
        "recvmsg" | "sendmsg" => Some(2),
        _ => None,
    }
}

/// The file descriptor of standard output.
const STANDARD_OUTPUT: u64 = 1;
/// The devices that are terminals.
const TERMINALS: [&str; 4] = ["console", "ptmx", "pts", "tty"];
/// Anonymous files that are read to wait for events.
const EVENTS: [&str; 5] = ["eventfd", "fanotify", "inotify", "signalfd", "timerfd"];
/// The types of sockets that transport streams; SOCK_SEQPACKET keeps messages apart, but is
/// connected.
const STREAM: &str = "SOCK_STREAM";

impl Condition {
    /// Returns whether the call meets it. What is not known is not met.
    pub(super) fn is_met(self, subject: &Subject<'_>) -> bool {
        let class = subject.class;
        let register = |at| subject.register(at);
        match self {
            Self::Storage => match class {
                Some(ObjectClass::File(on) | ObjectClass::Directory(on)) => on.is_none_or(is_storage),
                Some(ObjectClass::Block(_)) => true,
                _ => false,
            },
            Self::Interface => class.is_some_and(|class| class.filesystem().is_some_and(|on| !is_storage(on))),
            Self::Pipe => class.is_some_and(ObjectClass::is_pipe),
            Self::Fifo => class == Some(ObjectClass::Fifo),
            Self::Terminal => matches!(class, Some(ObjectClass::Character(device)) if TERMINALS.contains(&device)),
            Self::Events => matches!(class, Some(ObjectClass::Anonymous(name)) if EVENTS.contains(&name)),
            Self::Stream => matches!(class, Some(ObjectClass::Socket { kind: Some(STREAM), .. })),
            Self::Messages => matches!(class, Some(ObjectClass::Socket { kind, .. }) if kind != Some(STREAM)),
            Self::Family(wanted) => {
                matches!(class, Some(ObjectClass::Socket { family, .. }) if wanted.contains(&family))
            }
            Self::Slow => {
                let is_socket = matches!(class, Some(ObjectClass::Socket { .. }));
                is_socket || Self::Pipe.is_met(subject) || Self::Terminal.is_met(subject)
            }
            Self::StandardOutput => register(0) == Some(STANDARD_OUTPUT) && Self::Pipe.is_met(subject),
            Self::MayWait => !subject.nonblocking,
            Self::NonBlocking => subject.nonblocking,
            Self::Argument(wanted) => subject.has_argument(wanted),
            Self::NotArgument(unwanted) => !subject.has_argument(unwanted),
            Self::Given(at) => register(at).is_some_and(|value| value != 0),
            Self::Has(at, flag) => register(at).is_some_and(|value| value & flag != 0),
            Self::Lacks(at, flag) => register(at).is_some_and(|value| value & flag == 0),
            Self::MoreThan(at, number) => register(at).is_some_and(|value| value > number),
            Self::Path(at) => register(at).is_some_and(|flags| flags & AT_EMPTY_PATH == 0),
            Self::KeepsTime => match (&*subject.name, subject.args) {
                ("nanosleep", Some([asked, left, ..])) => left == 0 || left == asked,
                ("clock_nanosleep", Some([_, flags, asked, left, ..])) => {
                    flags & TIMER_ABSTIME != 0 || left == 0 || left == asked
                }
                _ => false,
            },
        }
    }
}

fn is_storage(filesystem: &str) -> bool {
    storage::reason(filesystem).is_some()
}
