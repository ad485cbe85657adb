//! Turns the arguments of a call into text at its entry. Main function: [`input`].
//!
//! Memory is read here, because the task or another one may overwrite it during the call.

use super::context::{Context, action, limits, list, octal, pointer, signal_name, signal_set};
use super::kind::Kind;
use super::message::{address_at, buffers, bytes, message, messages};
use super::names::{self, files, sockets};
use super::options;
use super::text::{PATH, STRING};
use super::time;
use crate::model::attribution::values;
use crate::model::kernel::uapi::{AT_FDCWD, CSIGNAL};

/// The most elements of a list.
const ITEMS: u64 = 32;

/// Returns the text of an argument; `None` if the line does not show it. Memory that cannot be read
/// is shown as its address.
pub(super) fn input(context: &Context<'_>, kind: Kind, at: usize) -> Option<String> {
    match kind {
        Kind::Skip => None,
        Kind::DirFd => (context.int(at) != AT_FDCWD).then(|| context.fd(context.int(at))),
        Kind::CreateMode(flags) => context.makes_file(context.arg(flags)).then(|| octal(context.uint(at))),
        Kind::SomeBits(table) => (context.uint(at) != 0).then(|| names::bits(table, context.uint(at))),
        Kind::SomeAddress(length) => (context.arg(at) != 0).then(|| in_memory(context, Kind::Address(length), at)),
        Kind::FutexTimeout => options::futex_waits(context.uint(1)).then(|| in_memory(context, Kind::Timespec, at)),
        Kind::FcntlArgument => options::fcntl_argument(context, at),
        Kind::PrctlArgument => options::prctl_argument(context, at),
        _ => Some(number(context, kind, at).unwrap_or_else(|| in_memory(context, kind, at))),
    }
}

/// Returns the text of an argument that is in the register itself.
fn number(context: &Context<'_>, kind: Kind, at: usize) -> Option<String> {
    let (whole, uint) = (context.arg(at), context.uint(at));
    Some(match kind {
        Kind::Int => context.int(at).to_string(),
        Kind::Long if context.reader.word == 4 => context.int(at).to_string(),
        Kind::Long | Kind::Wide | Kind::LowHigh => (whole as i64).to_string(),
        Kind::Size => whole.to_string(),
        Kind::Hex => names::bits(&[], whole),
        Kind::Mode => octal(uint),
        Kind::Pages => names::bits(&[], whole.wrapping_mul(4096)),
        Kind::Fd => context.fd(context.int(at)),
        Kind::Choice(table) => names::choice(table, uint),
        Kind::Bits(table) => names::bits(table, uint),
        Kind::Value(table) => names::value(table, uint),
        Kind::Flags(table, none) => names::flags(table, none, uint),
        Kind::Open => context.open_flags(uint),
        Kind::OpenBits => context.open_bits(uint),
        Kind::Clone => options::clone_flags(whole & !CSIGNAL, whole & CSIGNAL),
        Kind::Futex => options::futex(uint),
        Kind::SocketType => options::socket_type(uint),
        Kind::Protocol(family) => options::protocol(context.uint(family), uint),
        Kind::SocketOption(reads) => {
            let option = values::option(context.uint(at - 1), uint, reads);
            option.map_or_else(|| names::bits(&[], uint), |option| option.name.to_owned())
        }
        Kind::Ioctl => {
            let command = values::command(uint as u32, context.reader.view.object(context.int(0)).as_ref());
            command.map_or_else(|| format!("{uint:#x}"), |command| command.name.to_owned())
        }
        Kind::Signal => signal_name(context.int(at)),
        Kind::Milliseconds => time::milliseconds(context.int(at)),
        _ => return None,
    })
}

/// Returns the text of an argument that points to memory.
fn in_memory(context: &Context<'_>, kind: Kind, at: usize) -> String {
    let address = context.arg(at);
    let read = if address == 0 { None } else { pointed(context, kind, address) };
    read.unwrap_or_else(|| pointer(address))
}

fn pointed(context: &Context<'_>, kind: Kind, address: u64) -> Option<String> {
    let (reader, places) = (&context.reader, context.places);
    match kind {
        Kind::Path => reader.string(address).map(|(text, is_whole)| places.quoted(&text, PATH, is_whole)),
        Kind::Text => reader.string(address).map(|(text, is_whole)| places.quoted(&text, STRING, is_whole)),
        Kind::Strings => strings(context, address),
        Kind::Variables => variables(context, address),
        Kind::Payload(length) => Some(bytes(context.arg(length))),
        Kind::Vectors(count) => buffers(context, address, context.arg(count)),
        Kind::OptionValue(length) => options::option_value(context, address, context.uint(length)),
        Kind::SignalSet => signal_set(reader, address),
        Kind::Action => action(context, address),
        Kind::Address(length) => address_at(context, address, context.uint(length)),
        Kind::Message => message(context, address, None),
        Kind::Messages(count) => messages(context, address, context.uint(count), false),
        Kind::Timespec => time::timespec(reader, address),
        Kind::Timeval => time::timeval(reader, address),
        Kind::TimerSpec => time::timer_spec(reader, address),
        Kind::TimerVal => time::timer_val(reader, address),
        Kind::FileTimes => time::file_times(reader, address),
        Kind::PollFds(count) => poll_fds(context, address, context.uint(count)),
        Kind::FdSet(count) => fd_set(context, address, context.int(count)),
        Kind::EpollEvent => reader.int(address).map(|events| names::bits(sockets::EPOLL, events.into())),
        Kind::How => how(context, address),
        Kind::CloneArgs => {
            let (flags, signal) = (reader.long(address)?, reader.long(address.checked_add(32)?)?);
            Some(format!("{{{}}}", options::clone_flags(flags, signal)))
        }
        Kind::Limit => limits(reader, address, false),
        Kind::Limit64 => limits(reader, address, true),
        Kind::Priority => reader.int(address).map(|priority| format!("[{}]", priority as i32)),
        _ => None,
    }
}

/// Reads the arguments of a program: `["curl", "-s", ...]`.
fn strings(context: &Context<'_>, address: u64) -> Option<String> {
    let mut shown = Vec::new();
    for index in 0..=ITEMS {
        let at = context.reader.word(address, index)?;
        match at {
            0 => break,
            _ if index == ITEMS => shown.push("...".to_owned()),
            _ => shown.push(match context.reader.string(at) {
                Some((text, is_whole)) => context.places.quoted(&text, STRING, is_whole),
                None => pointer(at),
            }),
        }
    }
    Some(format!("[{}]", shown.join(", ")))
}

/// Counts the variables of an environment: they may hold secrets, and are never shown.
fn variables(context: &Context<'_>, address: u64) -> Option<String> {
    const MOST: u64 = 10_000;
    let mut count = 0;
    while count < MOST && context.reader.word(address, count)? != 0 {
        count += 1;
    }
    Some(format!("[{count} {}]", if count == 1 { "variable" } else { "variables" }))
}

/// Reads the fds of poll(2): `[{3<pipe>, POLLIN}]`.
fn poll_fds(context: &Context<'_>, address: u64, count: u64) -> Option<String> {
    const SIZE: u64 = 8;
    list(count, ITEMS, |index| {
        let at = address.checked_add(index * SIZE)?;
        let (fd, events) = (context.reader.int(at)? as i32, context.reader.short(at.checked_add(4)?)?);
        Some(format!("{{{}, {}}}", context.fd(fd), names::bits(sockets::POLL, events.into())))
    })
}

/// Reads a set of fds for select(2): `[3<pipe> 5]`.
fn fd_set(context: &Context<'_>, address: u64, count: i32) -> Option<String> {
    const MOST: i32 = 1024;
    let count = usize::try_from(count.min(MOST)).ok()?;
    let bytes = context.reader.bytes(address, count.div_ceil(8))?;
    let is_set = |fd: &usize| bytes[fd / 8] & (1 << (fd % 8)) != 0;
    let fds: Vec<String> = (0..count).filter(is_set).map(|fd| context.fd(fd as i32)).collect();
    Some(format!("[{}]", fds.join(" ")))
}

/// Reads `struct open_how`: flags, permissions if they matter, and limits of the lookup.
fn how(context: &Context<'_>, address: u64) -> Option<String> {
    let long = |index: u64| context.reader.long(address.checked_add(index * 8)?);
    let (flags, mode, resolve) = (long(0)?, long(1)?, long(2)?);
    let mut parts = vec![context.open_flags(flags)];
    parts.extend(context.makes_file(flags).then(|| octal(mode)));
    parts.extend((resolve != 0).then(|| names::bits(files::RESOLVE, resolve)));
    Some(format!("{{{}}}", parts.join(", ")))
}
