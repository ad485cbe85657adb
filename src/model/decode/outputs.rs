//! Turns what the kernel filled in, and a call's result, into text at its exit. Main functions:
//! [`output`] and [`result`].

use super::context::{Context, action, limits, list, octal, pointer, signal_set};
use super::kind::Output;
use super::message::{address_at, bytes, message, messages};
use super::names::{self, sockets};
use super::options::option_value;
use super::text::PATH;
use super::time;
use crate::model::kernel::call::CallOutcome;
use crate::model::kernel::signal;
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::{F_GETFD, F_GETFL, PATH_MAX};

/// Returns the text of what the kernel filled in; the address if it filled nothing.
pub(super) fn output(context: &Context<'_>, output: Output, at: usize, outcome: CallOutcome) -> String {
    let address = context.arg(at);
    let CallOutcome::Returned(value) = outcome else { return pointer(address) };
    let filled = if address == 0 { None } else { filled(context, output, address, value) };
    filled.unwrap_or_else(|| pointer(address))
}

fn filled(context: &Context<'_>, output: Output, address: u64, value: i64) -> Option<String> {
    let reader = &context.reader;
    let count = u64::try_from(value).ok();
    match output {
        Output::Payload => count.map(bytes),
        Output::Text => {
            let text = reader.bytes(address, usize::try_from(value).ok()?.min(PATH_MAX))?;
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            Some(context.places.quoted(&text[..end], PATH, true))
        }
        Output::Address(length) => address_at(context, address, reader.int(context.arg(length))?.into()),
        Output::Message => message(context, address, count),
        Output::Messages => messages(context, address, count?, true),
        Output::OptionValue(length) => option_value(context, address, reader.int(context.arg(length))?.into()),
        Output::Pair => {
            let (first, second) = (reader.int(address)?, reader.int(address.checked_add(4)?)?);
            Some(format!("[{}, {}]", first as i32, second as i32))
        }
        Output::Status if value <= 0 => None,
        Output::Status => reader.int(address).map(|status| format!("[{}]", wait_status(status))),
        Output::Int => reader.int(address).map(|number| format!("[{}]", number as i32)),
        Output::Offset => reader.long(address).map(|number| format!("[{}]", number as i64)),
        Output::Timespec => time::timespec(reader, address),
        Output::Timeval => time::timeval(reader, address),
        Output::TimerSpec => time::timer_spec(reader, address),
        Output::TimerVal => time::timer_val(reader, address),
        Output::SignalSet => signal_set(reader, address),
        Output::Action => action(context, address),
        Output::EpollEvents => epoll_events(context, address, count?),
        Output::Limit => limits(reader, address, false),
        Output::Limit64 => limits(reader, address, true),
    }
}

/// Returns how a child ended or changed: wait(2), "WIFEXITED" and the following.
fn wait_status(status: u32) -> String {
    const CONTINUED: u32 = 0xffff;
    let high = ((status >> 8) & 0xff) as i32;
    match status & 0x7f {
        _ if status == CONTINUED => "continued".to_owned(),
        0 => format!("exited with {high}"),
        0x7f => format!("stopped by {}", signal::name(high)),
        number => {
            let core = if status & 0x80 != 0 { " (core dumped)" } else { "" };
            format!("killed by {}{core}", signal::name(number as i32))
        }
    }
}

/// Reads events of epoll. `struct epoll_event` is packed on x86 only:
/// include/uapi/linux/eventpoll.h.
fn epoll_events(context: &Context<'_>, address: u64, count: u64) -> Option<String> {
    const MOST: u64 = 8;
    let size = if matches!(context.abi, Abi::X86_64 | Abi::X32 | Abi::I386) { 12 } else { 16 };
    list(count, MOST, |index| {
        let events = context.reader.int(address.checked_add(index * size)?)?;
        Some(names::bits(sockets::EPOLL, events.into()))
    })
}

/// Returns the result of a call: `3`, `-1 ENOENT`, `?` if there is none.
pub(super) fn result(context: &Context<'_>, outcome: CallOutcome) -> String {
    match outcome {
        CallOutcome::Returned(value) => returned(context, value),
        CallOutcome::Failed(errno) => format!("-1 {}", errno.name()),
        CallOutcome::Restarting => "? (to be restarted)".to_owned(),
        CallOutcome::Unknown | CallOutcome::NeverReturned => "?".to_owned(),
    }
}

fn returned(context: &Context<'_>, value: i64) -> String {
    match context.name {
        "mmap" | "mmap2" | "brk" | "mremap" | "shmat" => {
            let width = if context.reader.word == 4 { 0xffff_ffff } else { u64::MAX };
            pointer(value as u64 & width)
        }
        "umask" => octal(value as u64),
        "fcntl" | "fcntl64" => match context.uint(1) {
            F_GETFD if value == 1 => "1 (FD_CLOEXEC)".to_owned(),
            F_GETFL => format!("{value:#x} ({})", context.open_flags(value as u64)),
            _ => value.to_string(),
        },
        "poll" | "ppoll" | "ppoll_time64" | "select" | "_newselect" | "pselect6" | "pselect6_time64" | "epoll_wait"
        | "epoll_pwait" | "epoll_pwait2"
            if value == 0 =>
        {
            "0 (timeout)".to_owned()
        }
        _ => value.to_string(),
    }
}
