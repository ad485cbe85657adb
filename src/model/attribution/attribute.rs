//! [`attribute`]: one call → one [`Use`].

use std::borrow::Cow;
use std::sync::Arc;

use super::answers::Answers;
use super::arguments::argument;
use super::calls::Subject;
use super::meant::{Meant, meant};
use super::memory::Memory;
use super::objects::Object;
use super::{Subsystem, ambient, entry_points};
use crate::model::kernel::call::{Call, CallOutcome};
use crate::model::kernel::syscall::Syscall;

/// One way in which a syscall was used. Its order is that of reports: subsystem, syscall, argument,
/// object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    /// The subsystem that the call reached.
    pub subsystem: Subsystem,
    /// The call.
    pub syscall: Syscall,
    /// The symbolic value of a multiplexing call (`AF_INET`, `TIOCGWINSZ`).
    pub argument: Option<Cow<'static, str>>,
    /// The kind of thing an fd or path stands for (`file:ext4`, `socket:AF_INET:SOCK_STREAM`).
    pub object: Option<Arc<str>>,
    /// Decided by scheduler, allocator, loader or vDSO rather than by the program: see [`ambient`].
    pub ambient: bool,
}

/// What this call used.
///
/// The subsystem is the argument's if that says one, else that of the object through which data or
/// control moved, else that of the entry point.
pub fn attribute(call: &Call, outcome: CallOutcome, answers: &Answers) -> Use {
    let entry_point = || entry_points::subsystem(call.syscall);
    let Some(meant) = meant(call, &answers.memory) else {
        return Use { subsystem: entry_point(), syscall: call.syscall, argument: None, object: None, ambient: false };
    };
    let subject = meant.shape.map_or(Subject::None, |shape| shape.subject);
    let object = object(subject, &meant, outcome, answers);
    let argument = argument(call, &meant, &answers.memory, object.as_ref().map(|object| &*object.name));
    let reached =
        object.as_ref().filter(|_| is_reached(subject, &meant, &answers.memory)).and_then(|object| object.subsystem);
    let subsystem = argument.as_ref().and_then(|argument| argument.subsystem).or(reached).unwrap_or_else(entry_point);
    Use {
        subsystem,
        syscall: call.syscall,
        argument: argument.map(|argument| argument.text),
        object: object.map(|object| object.name),
        ambient: ambient::is_ambient(call.syscall, &meant, answers),
    }
}

/// What this call makes if it succeeds, where it makes something and the call itself tells what.
pub fn made(call: &Call) -> Option<Object> {
    let meant = meant(call, &Memory::default())?;
    let subject = meant.shape?.subject;
    let makes = matches!(subject, Subject::Made(_) | Subject::Socket);
    if makes { object(subject, &meant, CallOutcome::Returned(0), &Answers::default()) } else { None }
}

/// Whether the object says what was reached: not if only a place was opened.
fn is_reached(subject: Subject, meant: &Meant, memory: &Memory) -> bool {
    let is_place = matches!(subject, Subject::Opened(flags) if meant.opens_a_place_only(flags, memory));
    subject.is_reached() && !is_place
}

/// The object, as far as the call itself tells it or somebody answered. What a failed call would
/// have made or found is none.
fn object(subject: Subject, meant: &Meant, outcome: CallOutcome, answers: &Answers) -> Option<Object> {
    let succeeded = matches!(outcome, CallOutcome::Returned(_));
    match subject {
        Subject::None => None,
        Subject::Fd(_) | Subject::Descriptor(_) | Subject::Mapped => answers.object.clone().object(),
        Subject::Ring(flags, index) if meant.args[flags] & index != 0 => Some(Object::named("anon_inode:io_uring")),
        Subject::Ring(..) => answers.object.clone().object(),
        _ if !succeeded => None,
        Subject::Made(name) => Some(Object::named(name)),
        Subject::Socket => {
            let [domain, kind, protocol, ..] = meant.args;
            Some(Object::socket(domain as u32, kind as u32, protocol as u32))
        }
        Subject::Opened(_) | Subject::PathBefore(_) | Subject::PathAfter(_) | Subject::Program => {
            answers.object.clone().object()
        }
    }
}

#[cfg(test)]
mod tests;
