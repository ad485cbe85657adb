//! Signal numbers and their names, as on x86, ARM and RISC-V: signal(7).
//!
//! It must not send signals. Real-time signals are named as `kill -l` names them: `SIGRTMIN` is 34,
//! because the C library reserves 32 and 33.

use std::borrow::Cow;

use crate::model::kernel::uapi::NSIG;

/// The names of 1 to 31.
#[rustfmt::skip]
const NAMES: [&str; 31] = [
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
    "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
];

/// Second names of some numbers.
const ALIASES: [(&str, &str); 3] = [("SIGCLD", "SIGCHLD"), ("SIGIOT", "SIGABRT"), ("SIGPOLL", "SIGIO")];

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

/// Returns the names of 1 to 31, ordered by number.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    NAMES.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_names_map_back_to_their_numbers() {
        for number in (1..=31).chain(RTMIN..=RTMAX) {
            assert_eq!(from_name(&name(number)), Some(number));
        }
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
