//! Signal numbers and their names, as on x86, ARM and RISC-V: signal(7).
//!
//! It must not send anything. Real-time signals are named as `kill -l` names them: `SIGRTMIN` is
//! 34, because the C library keeps 32 and 33 to itself.

use std::borrow::Cow;

/// The names of 1 to 31.
#[rustfmt::skip]
const NAMES: [&str; 31] = [
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
    "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
];

/// Second names of one number.
const ALIASES: [(&str, &str); 3] = [("SIGCLD", "SIGCHLD"), ("SIGIOT", "SIGABRT"), ("SIGPOLL", "SIGIO")];

/// The signal that asks a process to end.
pub const SIGTERM: i32 = 15;

const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// The name of a signal, or `SIG70` where Linux has none.
pub fn name(number: i32) -> Cow<'static, str> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match (index.and_then(|index| NAMES.get(index)), number) {
        (Some(&name), _) => Cow::Borrowed(name),
        (None, RTMIN) => Cow::Borrowed("SIGRTMIN"),
        (None, RTMIN..=RTMAX) => Cow::Owned(format!("SIGRTMIN+{}", number - RTMIN)),
        (None, _) => Cow::Owned(format!("SIG{number}")),
    }
}

/// The signal of this name; `SIGRTMAX-2` and aliases (`SIGPOLL`) are understood too.
pub fn from_name(name: &str) -> Option<i32> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |&(_, name)| name);
    if let Some(index) = NAMES.iter().position(|known| *known == name) {
        return i32::try_from(index + 1).ok();
    }
    let number = match (name.strip_prefix("SIGRTMIN"), name.strip_prefix("SIGRTMAX")) {
        (Some(offset), _) => RTMIN + distance(offset, '+')?,
        (_, Some(offset)) => RTMAX - distance(offset, '-')?,
        _ => return None,
    };
    (RTMIN..=RTMAX).contains(&number).then_some(number)
}

/// `+3` → 3, nothing → 0.
fn distance(offset: &str, sign: char) -> Option<i32> {
    if offset.is_empty() {
        return Some(0);
    }
    let digits = offset.strip_prefix(sign)?;
    let number: u8 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some(i32::from(number))
}

/// The names of 1 to 31, ordered by number.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    NAMES.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name_that_leads_back() {
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
    fn other_words_are_no_signals() {
        for word in
            ["", "TERM", "sigterm", "SIG", "SIGRTMIN+31", "SIGRTMAX-31", "SIGRTMIN-1", "SIGRTMIN++1", "SIGRTMIN+", "15"]
        {
            assert_eq!(from_name(word), None, "{word}");
        }
    }
}
