//! Arguments with a meaning that depends on another one: commands, options and operations. Main
//! functions: [`fcntl_argument`] and [`prctl_argument`].

use super::context::{Context, pointer, signal_name};
use super::message::bytes;
use super::names::{self, files, processes, sockets, system};
use super::text::STRING;
use crate::model::attribution::values::table as values;
use crate::model::kernel::uapi::{FUTEX_PRIVATE_FLAG, SOCK_TYPE_MASK};

/// Returns the flags of a clone and the child's exit signal: `CLONE_VM|SIGCHLD`.
pub(super) fn clone_flags(flags: u64, signal: u64) -> String {
    let signal = (signal != 0).then(|| signal_name(i32::try_from(signal).unwrap_or(i32::MAX)));
    let flags = (flags != 0).then(|| names::bits(processes::CLONE, flags));
    let parts: Vec<String> = flags.into_iter().chain(signal).collect();
    if parts.is_empty() { "0".to_owned() } else { parts.join("|") }
}

/// The bits of a futex operation below its flags.
const OPERATION: u64 = 0x7f;

/// Returns a futex operation: `FUTEX_WAIT_PRIVATE`.
pub(super) fn futex(number: u64) -> String {
    let name = names::value(&values::FUTEX, number & OPERATION);
    let private = if number & FUTEX_PRIVATE_FLAG != 0 { "_PRIVATE" } else { "" };
    let rest = number & !OPERATION & !FUTEX_PRIVATE_FLAG;
    let rest = if rest == 0 { String::new() } else { format!("|{}", names::bits(processes::FUTEX, rest)) };
    format!("{name}{private}{rest}")
}

/// Returns whether a futex operation takes a timeout: futex(2).
pub(super) fn futex_waits(number: u64) -> bool {
    matches!(
        names::value(&values::FUTEX, number & OPERATION).as_str(),
        "FUTEX_WAIT" | "FUTEX_LOCK_PI" | "FUTEX_WAIT_BITSET" | "FUTEX_WAIT_REQUEUE_PI" | "FUTEX_LOCK_PI2"
    )
}

/// Returns the type of a socket with its flags.
pub(super) fn socket_type(number: u64) -> String {
    let of_type = u64::from(SOCK_TYPE_MASK);
    let name = names::value(&values::SOCKET_TYPE, number & of_type);
    match number & !of_type {
        0 => name,
        flags => format!("{name}|{}", names::bits(sockets::SOCK, flags)),
    }
}

/// Returns a protocol of a family.
pub(super) fn protocol(family: u64, number: u64) -> String {
    match names::value(&values::FAMILY, family).as_str() {
        "AF_INET" | "AF_INET6" => names::choice(sockets::PROTOCOL, number),
        "AF_NETLINK" => names::value(&values::NETLINK, number),
        _ => names::bits(&[], number),
    }
}

/// Returns the value of a socket option: most are a number.
pub(super) fn option_value(context: &Context<'_>, address: u64, length: u64) -> Option<String> {
    const INT: u64 = 4;
    if length == INT {
        return context.reader.int(address).map(|number| format!("[{}]", number as i32));
    }
    Some(bytes(length))
}

/// Returns the argument of a fcntl command; `None` for a command without one.
pub(super) fn fcntl_argument(context: &Context<'_>, at: usize) -> Option<String> {
    let command = names::value(&values::FCNTL, context.uint(at - 1));
    let (number, uint) = (context.int(at), context.uint(at));
    match command.as_str() {
        "F_GETFD" | "F_GETFL" | "F_GETOWN" | "F_GETSIG" | "F_GETLEASE" | "F_GETPIPE_SZ" | "F_GET_SEALS" => None,
        "F_DUPFD" | "F_DUPFD_CLOEXEC" | "F_SETOWN" | "F_SETPIPE_SZ" => Some(number.to_string()),
        "F_SETFD" => Some(names::bits(files::FD, uint)),
        "F_SETFL" => Some(context.open_flags(uint)),
        "F_SETSIG" => Some(signal_name(number)),
        "F_ADD_SEALS" => Some(names::bits(system::SEALS, uint)),
        "F_SETLEASE" => Some(lock(uint & 0xffff)),
        "F_GETLK" | "F_SETLK" | "F_SETLKW" | "F_OFD_GETLK" | "F_OFD_SETLK" | "F_OFD_SETLKW" | "F_GETLK64"
        | "F_SETLK64" | "F_SETLKW64" => {
            let address = context.arg(at);
            Some(
                context
                    .reader
                    .short(address)
                    .map_or_else(|| pointer(address), |kind| format!("{{{}}}", lock(kind.into()))),
            )
        }
        "F_DUPFD_QUERY" => Some(context.fd(number)),
        _ => Some(names::bits(&[], context.arg(at))),
    }
}

fn lock(kind: u64) -> String {
    names::choice(files::LOCK, kind)
}

/// Returns the second argument of prctl; `None` for an operation without one.
pub(super) fn prctl_argument(context: &Context<'_>, at: usize) -> Option<String> {
    let operation = names::value(&values::PRCTL, context.uint(0));
    let number = context.arg(at);
    match operation.as_str() {
        "PR_SET_NAME" => Some(match context.reader.string(number) {
            Some((text, is_whole)) => context.places.quoted(&text, STRING, is_whole),
            None => pointer(number),
        }),
        "PR_SET_PDEATHSIG" => Some(signal_name(context.int(at))),
        "PR_GET_DUMPABLE"
        | "PR_GET_KEEPCAPS"
        | "PR_GET_NO_NEW_PRIVS"
        | "PR_GET_SECCOMP"
        | "PR_GET_SECUREBITS"
        | "PR_GET_THP_DISABLE"
        | "PR_GET_TIMERSLACK"
        | "PR_GET_TIMING" => None,
        _ => Some(names::bits(&[], number)),
    }
}
