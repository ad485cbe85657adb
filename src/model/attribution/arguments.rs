//! The symbolic value of a multiplexing call, and the subsystem that the value reaches.
//!
//! It must not know which register selects: that is [`calls`](super::calls)'. Main type:
//! [`Argument`].

use std::borrow::Cow;

use super::Subsystem;
use super::calls::Selector;
use super::meant::Meant;
use super::memory::Memory;
use super::objects;
use super::values::{self, Value, flags as curated, table, value};
use crate::model::kernel::call::Call;

/// The version is above: `IPCCALL`, include/uapi/linux/ipc.h
const IPC_OPERATION: u64 = 0xffff;

/// What a call was told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    /// As the headers name it; hexadecimal where they do not.
    pub(super) text: Cow<'static, str>,
    /// What it reaches; `None`: it does not say.
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

/// The argument of a call that acts on an object of this kind.
pub(super) fn argument(call: &Call, meant: &Meant, memory: &Memory, object: Option<&str>) -> Option<Argument> {
    let inner = meant.shape.and_then(|shape| selected(shape.selector, meant, memory, object));
    // A call that carries another one selects it, if the other one selects nothing.
    inner.or_else(|| match call.syscall.row()?.name {
        "socketcall" => Some(Argument::of(&table::SOCKETCALL, call.args[0])),
        "ipc" => Some(Argument::of(&table::IPC, call.args[0] & IPC_OPERATION)),
        _ => None,
    })
}

fn selected(selector: Selector, meant: &Meant, memory: &Memory, object: Option<&str>) -> Option<Argument> {
    let args = &meant.args;
    match selector {
        Selector::None => None,
        Selector::Value(at, mask, table) => Some(Argument::of(table, args[at] & mask)),
        Selector::ValueAt(_, table) => memory.word(0).map(|word| Argument::of(table, u64::from(word))),
        Selector::Flags(at, mask, table) => flags(table, args[at] & mask),
        Selector::FlagsAt(_, table) => flags(table, memory.long()?),
        Selector::Protection(at) => meant.is_executable().then(|| protection(args[at] & 0xffff_ffff)),
        Selector::Mapping => meant.is_executable().then(|| mapping(args[2] & 0xffff_ffff, meant.maps_a_file())),
        Selector::Personality => personality(args[0] & 0xffff_ffff),
        Selector::Clock(at) => Some(clock(args[at] as i32)),
        Selector::Filesystem(..) => memory.text().map(filesystem),
        Selector::Family => Some(family(args[0] & 0xffff_ffff, args[2] & 0xffff_ffff)),
        Selector::SocketOption(reads) => Some(option(args[1] & 0xffff_ffff, args[2] & 0xffff_ffff, reads)),
        Selector::Command => Some(command(args[1] as u32, object)),
    }
}

/// The known bits, lowest first; `None` without any. The lowest says what is reached.
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

/// The common ones without making a new text.
fn protection(bits: u64) -> Argument {
    match bits {
        4 => Argument::named("PROT_EXEC", None),
        5 => Argument::named("PROT_READ|PROT_EXEC", None),
        6 => Argument::named("PROT_WRITE|PROT_EXEC", None),
        7 => Argument::named("PROT_READ|PROT_WRITE|PROT_EXEC", None),
        _ => {
            let known = table::PROTECTION.iter().filter(|value| bits & value.number != 0);
            let mut names: Vec<Cow<'static, str>> = known.map(|value| Cow::Borrowed(value.name)).collect();
            let unknown = table::PROTECTION.iter().fold(bits, |bits, value| bits & !value.number);
            names.extend((unknown != 0).then(|| Cow::Owned(format!("{unknown:#x}"))));
            Argument { text: Cow::Owned(names.join("|")), subsystem: None }
        }
    }
}

/// The protection, and MAP_ANONYMOUS where no file is mapped: code that no file holds is another
/// matter than a library's.
fn mapping(bits: u64, maps_a_file: bool) -> Argument {
    let mut argument = protection(bits);
    if !maps_a_file {
        argument.text.to_mut().push('|');
        argument.text.to_mut().push_str(curated::MAPPING[0].name);
    }
    argument
}

/// The persona, unless it is PER_LINUX with flags; then the flags, lowest first; then what is left.
/// 0xffffffff only asks, personality(2).
fn personality(number: u64) -> Option<Argument> {
    const QUESTION: u64 = 0xffff_ffff;
    /// `PER_MASK`, include/uapi/linux/personality.h
    const MASK: u64 = 0xff;
    if number == QUESTION {
        return None;
    }
    let (persona, bits) = (number & MASK, number & !MASK);
    let mut names = Vec::new();
    if persona != 0 || bits == 0 {
        names.push(Argument::of(&curated::PERSONA, persona).text);
    }
    let known = curated::PERSONALITY.iter().filter(|value| bits & value.number != 0);
    names.extend(known.map(named));
    let unknown = curated::PERSONALITY.iter().fold(bits, |bits, value| bits & !value.number);
    names.extend((unknown != 0).then(|| Argument::unknown(unknown).text));
    Some(Argument { text: Cow::Owned(names.join("|")), subsystem: None })
}

/// "clockid_t" below zero is made from a number, which is not the program's doing: of an fd, a
/// thread, or a process (include/linux/posix-timers.h).
fn clock(id: i32) -> Argument {
    match u64::try_from(id) {
        Ok(id) => Argument::of(&table::CLOCK, id),
        Err(_) if id & 7 == 3 => Argument::named("FD_TO_CLOCKID", Some(Subsystem::Device)),
        Err(_) if id & 4 != 0 => Argument::named("MAKE_THREAD_CPUCLOCK", None),
        Err(_) => Argument::named("MAKE_PROCESS_CPUCLOCK", None),
    }
}

/// A filesystem's type; the text is the tracee's, so that what no filesystem is called is made
/// harmless.
fn filesystem(name: &str) -> Argument {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    let text: String = name.chars().map(|c| if is_plain(c) { c } else { '?' }).collect();
    // fuse.sshfs is a fuse.
    let subsystem = objects::filesystem(text.split('.').next().unwrap_or_default());
    Argument { text: Cow::Owned(text), subsystem }
}

/// `AF_NETLINK`, include/linux/socket.h
const AF_NETLINK: u64 = 16;

fn family(family: u64, protocol: u64) -> Argument {
    let mut argument = Argument::of(&table::FAMILY, family);
    if family == AF_NETLINK {
        argument.subsystem = value(&table::NETLINK, protocol).and_then(|protocol| protocol.subsystem);
    }
    argument
}

fn option(level: u64, number: u64, reads: bool) -> Argument {
    // af_vsock.c takes its family for a level.
    let family = || value(&table::FAMILY, level).filter(|family| family.name == "AF_VSOCK");
    let level_name = value(&table::LEVEL, level).or_else(family).map_or_else(|| Argument::unknown(level).text, named);
    let option = values::option(level, number, reads).map_or_else(|| Argument::unknown(number).text, named);
    Argument { text: Cow::Owned(format!("{level_name}/{option}")), subsystem: None }
}

fn named(value: &'static Value) -> Cow<'static, str> {
    Cow::Borrowed(value.name)
}

fn command(number: u32, object: Option<&str>) -> Argument {
    let known = values::command(number, object);
    known.map_or_else(|| Argument::unknown(u64::from(number)), |known| Argument::named(known.name, known.subsystem))
}
