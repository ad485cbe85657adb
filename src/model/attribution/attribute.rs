//! From a call to what it used. Main function: [`attribute`]. Main type: [`Use`].

use std::borrow::Cow;

use super::address::is_address_class;
use super::answers::Answers;
use super::arguments::argument;
use super::calls::{Selector, Shape, Subject, shape_of};
use super::decode::{DecodedCall, decode};
use super::memory::Memory;
use super::met::Met;
use super::object_kind::ObjectKind;
use super::objects::Object;
use super::writes::can_write;
use super::{Subsystem, ambient, entry_points};
use crate::model::kernel::call::{Call, CallOutcome};
use crate::model::kernel::syscall::Syscall;

/// One way in which a syscall was used. Uses are ordered as in reports: by subsystem, syscall,
/// argument and object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    /// The subsystem that the call reached.
    pub subsystem: Subsystem,
    /// The syscall.
    pub syscall: Syscall,
    /// What distinguishes calls of this name: a symbolic value (`AF_INET`, `TIOCGWINSZ`, `O_RDWR`),
    /// the class of an address, or the name of a program.
    pub argument: Option<Cow<'static, str>>,
    /// The kind of object behind its fd or path (`file:ext4`, `socket:AF_INET:SOCK_STREAM`).
    pub object: Option<ObjectKind>,
    /// Decided by scheduler, allocator, loader or vDSO instead of the program: see [`ambient`].
    pub ambient: bool,
    /// The conditions of the document's rules that the call meets.
    pub met: Met,
}

/// Which arguments are facts: an expectation file holds those of its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownArguments {
    /// Without the flags of opens, the classes of addresses and the names of programs.
    Version1,
    /// Every argument.
    All,
}

impl KnownArguments {
    /// Returns the argument of a use, as far as it is known.
    pub fn of(self, used: &Use) -> Option<&str> {
        let argument = used.argument.as_deref()?;
        let is_added =
            |shape: Shape| matches!(shape.selector, Selector::Opening | Selector::Address(_) | Selector::Program);
        match self {
            Self::All => Some(argument),
            Self::Version1 if shape_of(used.syscall).is_some_and(is_added) => None,
            // The name of the carried call, without the class of an address.
            Self::Version1 if argument.starts_with("SYS_") => argument.split('/').next(),
            Self::Version1 => Some(argument),
        }
    }
}

impl Use {
    /// Returns whether the argument is this one, or consists of several classes of addresses, one
    /// of which is this one.
    pub fn has_argument(&self, wanted: &str) -> bool {
        self.argument.as_deref().is_some_and(|argument| {
            argument == wanted || is_address_class(wanted) && argument.split(['/', '|']).any(|part| part == wanted)
        })
    }

    /// Returns whether the argument is this one, without another class of addresses beside it.
    pub fn has_only_argument(&self, wanted: &str) -> bool {
        self.argument.as_deref().is_some_and(|argument| {
            argument == wanted
                || is_address_class(wanted) && argument.split_once('/').is_some_and(|(_, it)| it == wanted)
        })
    }

    /// Returns the name of the executed program, as it was invoked.
    pub fn program(&self) -> Option<&str> {
        let shape = shape_of(self.syscall)?;
        self.argument.as_deref().filter(|_| matches!(shape.selector, Selector::Program))
    }

    /// Returns whether the call can change what it names.
    pub fn can_write(&self) -> bool {
        can_write(&self.syscall.name(), self.argument.as_deref())
    }
}

/// Returns whether calls of this number can name the address of a socket. Its class is then a part
/// of their argument.
pub fn takes_address(syscall: Syscall) -> bool {
    let is_addressed = |shape: Shape| matches!(shape.selector, Selector::Address(_));
    shape_of(syscall).is_some_and(is_addressed) || syscall.row().is_some_and(|row| row.name == "socketcall")
}

/// Returns what this call used.
///
/// The subsystem is that of the argument, if it has one. Otherwise it is that of the object through
/// which data or control moved, and else that of the entry point.
pub fn attribute(call: &Call, outcome: CallOutcome, answers: &Answers) -> Use {
    let entry_point = || entry_points::subsystem(call.syscall);
    let Some(decoded) = decode(call, &answers.memory) else {
        return Use {
            subsystem: entry_point(),
            syscall: call.syscall,
            argument: None,
            object: None,
            ambient: false,
            met: answers.met.clone(),
        };
    };
    let subject = decoded.shape.map_or(Subject::None, |shape| shape.subject);
    let object = object(subject, &decoded, outcome, answers);
    let argument = argument(call, &decoded, answers, object.as_ref().map(|object| &object.kind));
    let reached =
        object.as_ref().filter(|_| is_reached(subject, &decoded, &answers.memory)).and_then(|object| object.subsystem);
    let subsystem = argument.as_ref().and_then(|argument| argument.subsystem).or(reached).unwrap_or_else(entry_point);
    Use {
        subsystem,
        syscall: call.syscall,
        argument: argument.map(|argument| argument.text),
        object: object.map(|object| object.kind),
        ambient: ambient::is_ambient(call.syscall, &decoded, answers),
        met: answers.met.clone(),
    }
}

/// Returns the object that this call makes if it succeeds, if the call alone determines it.
pub fn made(call: &Call) -> Option<Object> {
    let decoded = decode(call, &Memory::default())?;
    let subject = decoded.shape?.subject;
    let makes = matches!(subject, Subject::Made(_) | Subject::Socket);
    if makes { object(subject, &decoded, CallOutcome::Returned(0), &Answers::default()) } else { None }
}

/// Returns whether the object says what was reached. It does not if the file was opened as a path
/// only.
fn is_reached(subject: Subject, decoded: &DecodedCall, memory: &Memory) -> bool {
    let is_path_only = matches!(subject, Subject::Opened(flags) if decoded.opens_path_only(flags, memory));
    subject.is_reached() && !is_path_only
}

/// Returns the object, as far as the call or an answer determines it. A failed call has neither
/// made nor found one.
fn object(subject: Subject, decoded: &DecodedCall, outcome: CallOutcome, answers: &Answers) -> Option<Object> {
    let succeeded = matches!(outcome, CallOutcome::Returned(_));
    match subject {
        Subject::None => None,
        Subject::Fd(_) | Subject::Descriptor(_) | Subject::Mapped => answers.object.clone().object(),
        Subject::Ring(flags, index) if decoded.args[flags] & index != 0 => Some(Object::named("anon_inode:io_uring")),
        Subject::Ring(..) => answers.object.clone().object(),
        _ if !succeeded => None,
        Subject::Made(name) => Some(Object::named(name)),
        Subject::Socket => {
            let [domain, kind, protocol, ..] = decoded.args;
            Some(Object::socket(domain as u32, kind as u32, protocol as u32))
        }
        Subject::Opened(_) | Subject::PathBefore(_) | Subject::PathAfter(_) | Subject::Program => {
            answers.object.clone().object()
        }
    }
}

#[cfg(test)]
mod tests;
