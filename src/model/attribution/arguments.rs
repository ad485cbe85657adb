//! Names the argument that selects what a multiplexing call does, and the subsystem that it
//! reaches. Main type: [`Argument`].
//!
//! This module does not know which register selects; [`calls`](super::calls) does.

use std::borrow::Cow;

use super::Subsystem;
use super::answers::Answers;
use super::calls::{Flags, Selector, Subject};
use super::decode::DecodedCall;
use super::object_kind::ObjectKind;
use super::objects;
use super::values::{self, Value, flags as rows, table, value};
use crate::model::kernel::call::Call;
use crate::model::kernel::uapi::{
    AF_NETLINK, CLOCKFD, CLOCKFD_MASK, CPUCLOCK_PERTHREAD_MASK, IPC_OPERATION_MASK, O_ACCMODE, O_CREAT, O_PATH,
    O_TRUNC, O_WRONLY, PER_MASK, PROT_EXEC, PROT_READ, PROT_WRITE,
};

/// The selecting argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    /// Its name in the headers, or its hexadecimal value if they have none.
    pub(super) text: Cow<'static, str>,
    /// The subsystem that it reaches; `None` if the argument alone does not say.
    pub(super) subsystem: Option<Subsystem>,
}

impl Argument {
    fn named(text: &'static str, subsystem: Option<Subsystem>) -> Self {
        Self { text: Cow::Borrowed(text), subsystem }
    }

    fn unknown(number: u64) -> Self {
        Self { text: Cow::Owned(format!("{number:#x}")), subsystem: None }
    }

    fn of(table: &'static [Value], number: u64) -> Self {
        value(table, number).map_or_else(|| Self::unknown(number), |value| Self::named(value.name, value.subsystem))
    }
}

/// Returns the argument of a call that acts on an object of this kind.
pub(super) fn argument(
    call: &Call,
    decoded: &DecodedCall,
    answers: &Answers,
    object: Option<&ObjectKind>,
) -> Option<Argument> {
    let inner = decoded.shape.and_then(|shape| selected(shape.selector, decoded, answers, object));
    let is_address = matches!(decoded.shape.map(|shape| shape.selector), Some(Selector::Address(_)));
    // A call that carries another one is named if the other one selects nothing. A class of
    // addresses is shown with the name, because several carried calls take one.
    match (call.syscall.row()?.name, inner) {
        ("socketcall", Some(class)) if is_address => {
            let text = format!("{}/{}", Argument::of(&table::SOCKETCALL, call.args[0]).text, class.text);
            Some(Argument { text: Cow::Owned(text), ..class })
        }
        (_, Some(inner)) => Some(inner),
        ("socketcall", None) => Some(Argument::of(&table::SOCKETCALL, call.args[0])),
        ("ipc", None) => Some(Argument::of(&table::IPC, call.args[0] & IPC_OPERATION_MASK)),
        _ => None,
    }
}

fn selected(
    selector: Selector,
    decoded: &DecodedCall,
    answers: &Answers,
    object: Option<&ObjectKind>,
) -> Option<Argument> {
    let (args, memory) = (&decoded.args, &answers.memory);
    match selector {
        Selector::None => None,
        Selector::Value(at, mask, table) => Some(Argument::of(table, args[at] & mask)),
        Selector::ValueAt(_, table) => memory.word(0).map(|word| Argument::of(table, u64::from(word))),
        Selector::Flags(at, mask, table) => flags(table, args[at] & mask),
        Selector::FlagsAt(_, table) => flags(table, memory.long()?),
        Selector::Protection(at) => decoded.is_executable().then(|| protection(args[at] & 0xffff_ffff)),
        Selector::Mapping => decoded.is_executable().then(|| mapping(args[2] & 0xffff_ffff, decoded.maps_a_file())),
        Selector::Personality => personality(args[0] & 0xffff_ffff),
        Selector::Clock(at) => Some(clock(args[at] as i32)),
        Selector::Filesystem(..) => memory.text().map(filesystem),
        Selector::Family => Some(family(args[0] & 0xffff_ffff, args[2] & 0xffff_ffff)),
        Selector::SocketOption(reads) => Some(option(args[1] & 0xffff_ffff, args[2] & 0xffff_ffff, reads)),
        Selector::Command => Some(command(args[1] as u32, object)),
        Selector::Opening => opening(match decoded.shape?.subject {
            Subject::Opened(Flags::In(at)) => args[at] & 0xffff_ffff,
            Subject::Opened(Flags::At(_)) => memory.long()?,
            // "O_CREAT|O_WRONLY|O_TRUNC", creat(2)
            _ => O_CREAT | O_WRONLY | O_TRUNC,
        }),
        Selector::Address(_) | Selector::Program => {
            answers.argument.text().map(|text| Argument { text, subsystem: None })
        }
    }
}

/// Returns the flags by which an open does more than open a file for reading. "O_PATH beats
/// everything else", build_open_how() in fs/open.c. A file that is opened for writing may also be
/// truncated, so O_TRUNC matters only without that.
fn opening(bits: u64) -> Option<Argument> {
    let is_read_only = bits & O_ACCMODE == 0;
    flags(
        &rows::OPENING,
        match bits {
            bits if bits & O_PATH != 0 => O_PATH,
            bits if is_read_only => bits,
            bits => bits & !O_TRUNC,
        },
    )
}

/// Returns the names of the known bits, lowest first, or `None` without any. The lowest bit says
/// what is reached.
fn flags(table: &'static [Value], bits: u64) -> Option<Argument> {
    let mut known = table.iter().filter(|value| bits & value.number != 0);
    let first = known.next()?;
    let mut argument = Argument::named(first.name, first.subsystem);
    for value in known {
        argument.text.to_mut().push('|');
        argument.text.to_mut().push_str(value.name);
    }
    Some(argument)
}

/// Returns the names of the protection bits. The common ones need no allocation.
fn protection(bits: u64) -> Argument {
    const READ_EXEC: u64 = PROT_READ | PROT_EXEC;
    const WRITE_EXEC: u64 = PROT_WRITE | PROT_EXEC;
    const ALL: u64 = PROT_READ | PROT_WRITE | PROT_EXEC;
    match bits {
        PROT_EXEC => Argument::named("PROT_EXEC", None),
        READ_EXEC => Argument::named("PROT_READ|PROT_EXEC", None),
        WRITE_EXEC => Argument::named("PROT_WRITE|PROT_EXEC", None),
        ALL => Argument::named("PROT_READ|PROT_WRITE|PROT_EXEC", None),
        _ => {
            let known = table::PROTECTION.iter().filter(|value| bits & value.number != 0);
            let mut names: Vec<Cow<'static, str>> = known.map(|value| Cow::Borrowed(value.name)).collect();
            let unknown = table::PROTECTION.iter().fold(bits, |bits, value| bits & !value.number);
            names.extend((unknown != 0).then(|| Cow::Owned(format!("{unknown:#x}"))));
            Argument { text: Cow::Owned(names.join("|")), subsystem: None }
        }
    }
}

/// Returns the protection, with MAP_ANONYMOUS if no file is mapped. Code without a file is another
/// fact than code of a library.
fn mapping(bits: u64, maps_a_file: bool) -> Argument {
    let mut argument = protection(bits);
    if !maps_a_file {
        argument.text.to_mut().push('|');
        argument.text.to_mut().push_str(rows::MAPPING[0].name);
    }
    argument
}

/// Returns the persona, unless it is PER_LINUX with flags. The flags follow, lowest first, then all
/// unknown bits. 0xffffffff is only a query, personality(2).
fn personality(number: u64) -> Option<Argument> {
    const QUESTION: u64 = 0xffff_ffff;
    if number == QUESTION {
        return None;
    }
    let (persona, bits) = (number & PER_MASK, number & !PER_MASK);
    let mut names = Vec::new();
    if persona != 0 || bits == 0 {
        names.push(Argument::of(&rows::PERSONA, persona).text);
    }
    let known = rows::PERSONALITY.iter().filter(|value| bits & value.number != 0);
    names.extend(known.map(named));
    let unknown = rows::PERSONALITY.iter().fold(bits, |bits, value| bits & !value.number);
    names.extend((unknown != 0).then(|| Argument::unknown(unknown).text));
    Some(Argument { text: Cow::Owned(names.join("|")), subsystem: None })
}

/// Returns the name of a clock. A negative `clockid_t` is computed from an fd, a thread or a
/// process (include/linux/posix-timers_types.h), so its value varies and is not shown.
fn clock(id: i32) -> Argument {
    let bits = i64::from(id) as u64;
    match u64::try_from(id) {
        Ok(id) => Argument::of(&table::CLOCK, id),
        Err(_) if bits & CLOCKFD_MASK == CLOCKFD => Argument::named("FD_TO_CLOCKID", Some(Subsystem::Device)),
        Err(_) if bits & CPUCLOCK_PERTHREAD_MASK != 0 => Argument::named("MAKE_THREAD_CPUCLOCK", None),
        Err(_) => Argument::named("MAKE_PROCESS_CPUCLOCK", None),
    }
}

/// Returns a filesystem type. The text comes from the tracee, so characters that no type contains
/// are replaced.
fn filesystem(name: &str) -> Argument {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    let text: String = name.chars().map(|c| if is_plain(c) { c } else { '?' }).collect();
    // fuse.sshfs is a FUSE filesystem.
    let subsystem = objects::filesystem(text.split('.').next().unwrap_or_default());
    Argument { text: Cow::Owned(text), subsystem }
}

fn family(family: u64, protocol: u64) -> Argument {
    let mut argument = Argument::of(&table::FAMILY, family);
    if family == AF_NETLINK {
        argument.subsystem = value(&table::NETLINK, protocol).and_then(|protocol| protocol.subsystem);
    }
    argument
}

fn option(level: u64, number: u64, reads: bool) -> Argument {
    // af_vsock.c uses its family as the level.
    let family = || value(&table::FAMILY, level).filter(|family| family.name == "AF_VSOCK");
    let level_name = value(&table::LEVEL, level).or_else(family).map_or_else(|| Argument::unknown(level).text, named);
    let option = values::option(level, number, reads).map_or_else(|| Argument::unknown(number).text, named);
    Argument { text: Cow::Owned(format!("{level_name}/{option}")), subsystem: None }
}

fn named(value: &'static Value) -> Cow<'static, str> {
    Cow::Borrowed(value.name)
}

fn command(number: u32, object: Option<&ObjectKind>) -> Argument {
    let known = values::command(number, object);
    known.map_or_else(|| Argument::unknown(u64::from(number)), |known| Argument::named(known.name, known.subsystem))
}
