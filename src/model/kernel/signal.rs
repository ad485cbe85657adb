//! Signal numbers and their names, as on x86, ARM and RISC-V: signal(7).
//!
//! It must not send signals. Real-time signals are named as `kill -l` names them: `SIGRTMIN` is 34,
//! because the C library reserves 32 and 33.

use std::borrow::Cow;

use crate::model::kernel::uapi::{NSIG, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS};

/// The names of 1 to 31.
#[rustfmt::skip]
const NAMES: [&str; 31] = [
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
    "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
];

/// Second names of some numbers.
const ALIASES: [(&str, &str); 3] = [("SIGCLD", "SIGCHLD"), ("SIGIOT", "SIGABRT"), ("SIGPOLL", "SIGIO")];

/// What each of 1 to 31 means, and what it does by default: signal(7), "Standard signals".
#[rustfmt::skip]
const MEANINGS: [&str; 31] = [
    "the controlling terminal hung up, or its session leader ended; ends the process",
    "interrupt from the keyboard; ends the process",
    "quit from the keyboard; ends the process with a core dump",
    "an illegal instruction; ends the process with a core dump",
    "a trap for a debugger; ends the process with a core dump",
    "abort(3); ends the process with a core dump",
    "a bad memory access, such as one beyond the end of a mapped file; ends the process with a core dump",
    "an arithmetic error, such as a division by zero; ends the process with a core dump",
    "ends the process and cannot be caught; also sent by the kernel if memory runs out",
    "defined by programs; ends the process",
    "an invalid memory access; ends the process with a core dump",
    "defined by programs; ends the process",
    "a write to a pipe or socket without a reader; ends the process",
    "a timer of alarm(2); ends the process",
    "a request to end; ends the process",
    "a fault of a coprocessor, which Linux never sends; ends the process",
    "a child stopped or ended; ignored",
    "continues a stopped process",
    "stops the process and cannot be caught",
    "stop from the terminal; stops the process",
    "terminal input for a background process; stops the process",
    "terminal output for a background process; stops the process",
    "urgent data on a socket; ignored",
    "the limit of CPU time was exceeded; ends the process with a core dump",
    "the limit of file size was exceeded; ends the process with a core dump",
    "a virtual timer; ends the process",
    "a profiling timer; ends the process",
    "the size of the window changed; ignored",
    "an fd can be read or written; ends the process",
    "the power failed; ends the process",
    "a system call that a seccomp filter refused, or a bad one; ends the process with a core dump",
];

/// The signals of crashes: the kernel sends them for a faulting instruction or a call that a
/// seccomp filter refuses, and abort(3) raises SIGABRT.
const CRASHES: [i32; 6] = [SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS];

/// The signals that the C library uses itself; they have no names of their own.
const RESERVED: [(&str, i32); 2] = [("SIG32", 32), ("SIG33", 33)];

/// The C library's SIGRTMIN and SIGRTMAX: signal(7).
const RTMIN: i32 = 34;
const RTMAX: i32 = NSIG;

/// Returns the name of a signal, or `SIG70` if Linux has none.
pub fn name(number: i32) -> Cow<'static, str> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match (index.and_then(|index| NAMES.get(index)), number) {
        (Some(&name), _) => Cow::Borrowed(name),
        (None, RTMIN) => Cow::Borrowed("SIGRTMIN"),
        (None, RTMIN..=RTMAX) => Cow::Owned(format!("SIGRTMIN+{}", number - RTMIN)),
        (None, _) => Cow::Owned(format!("SIG{number}")),
    }
}

/// Returns the signal of this name. `SIGRTMAX-2` and aliases (`SIGPOLL`) work too.
pub fn from_name(name: &str) -> Option<i32> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |&(_, name)| name);
    if let Some(index) = NAMES.iter().position(|known| *known == name) {
        return i32::try_from(index + 1).ok();
    }
    if let Some((_, number)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        return Some(*number);
    }
    let number = match (name.strip_prefix("SIGRTMIN"), name.strip_prefix("SIGRTMAX")) {
        (Some(offset), _) => RTMIN + offset_of(offset, '+')?,
        (_, Some(offset)) => RTMAX - offset_of(offset, '-')?,
        _ => return None,
    };
    (RTMIN..=RTMAX).contains(&number).then_some(number)
}

/// Parses an offset: `+3` is 3, and nothing is 0.
fn offset_of(offset: &str, sign: char) -> Option<i32> {
    if offset.is_empty() {
        return Some(0);
    }
    let digits = offset.strip_prefix(sign)?;
    let number: u8 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some(i32::from(number))
}

/// Returns whether the signal means that the program crashed.
pub fn is_crash(number: i32) -> bool {
    CRASHES.contains(&number)
}

/// Returns what a signal means and does by default; `None` if Linux has no such signal.
pub fn meaning(number: i32) -> Option<&'static str> {
    match number {
        1..=31 => usize::try_from(number - 1).ok().and_then(|index| MEANINGS.get(index).copied()),
        32..RTMIN => Some("used by the C library; ends the process"),
        RTMIN..=RTMAX => Some("a real-time signal, defined by programs; ends the process"),
        _ => None,
    }
}

/// Returns the names of 1 to 31, ordered by number.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    NAMES.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_names_map_back_to_their_numbers() {
        for number in 1..=RTMAX {
            assert_eq!(from_name(&name(number)), Some(number));
            assert!(meaning(number).is_some());
        }
    }

    #[test]
    fn crash_signals_dump_core() {
        for number in (1..=RTMAX).filter(|number| is_crash(*number)) {
            assert!(meaning(number).is_some_and(|meaning| meaning.ends_with("with a core dump")), "{}", name(number));
        }
        assert_eq!((meaning(0), meaning(65)), (None, None));
        assert!(CRASHES.is_sorted() && !is_crash(9));
    }

    #[test]
    fn numbers_are_those_of_linux() {
        for (written, number) in [
            ("SIGKILL", 9),
            ("SIGTERM", 15),
            ("SIGSYS", 31),
            ("SIGPOLL", 29),
            ("SIGIOT", 6),
            ("SIGRTMIN", 34),
            ("SIGRTMIN+1", 35),
            ("SIGRTMAX", 64),
            ("SIGRTMAX-2", 62),
        ] {
            assert_eq!(from_name(written), Some(number), "{written}");
        }
        assert_eq!(name(70), "SIG70");
        assert_eq!(name(0), "SIG0");
        assert_eq!(name(33), "SIG33");
    }

    #[test]
    fn unknown_names_are_rejected() {
        for word in
            ["", "TERM", "sigterm", "SIG", "SIGRTMIN+31", "SIGRTMAX-31", "SIGRTMIN-1", "SIGRTMIN++1", "SIGRTMIN+", "15"]
        {
            assert_eq!(from_name(word), None, "{word}");
        }
    }
}
