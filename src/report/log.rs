//! One line of a log: `[pid 7 curl] connect(3, 127.0.0.1:80) = 0`. Main function: [`log_line`].

use std::fmt::Write;
use std::time::Duration;

use super::words::escaped;
use crate::model::kernel::signal;
use crate::model::run::workload::Exit;
use crate::model::trace::logged::{Happening, Logged};

/// Returns the line with its end. With times, each line begins with the seconds since the start of
/// the run, and each call ends with the seconds that it took.
pub fn log_line(line: &Logged<'_>, has_times: bool) -> String {
    let Logged { task, program, since_start, what } = line;
    let mut text = format!("[pid {task} {}] ", escaped(program));
    if has_times {
        // Writing to a String cannot fail.
        let _ = write!(text, "{:.6} ", since_start.as_secs_f64());
    }
    text.push_str(&happened(what, has_times));
    text.push('\n');
    text
}

fn happened(what: &Happening<'_>, has_times: bool) -> String {
    match *what {
        Happening::Called { text, result, took, is_resumed } => {
            let name = text.split('(').next().unwrap_or_default();
            let resumed = if is_resumed { format!("<... {name} resumed> ") } else { String::new() };
            let took = if has_times { seconds(took) } else { String::new() };
            format!("{resumed}{text} = {result}{took}")
        }
        Happening::Unfinished { text } => format!("{} <unfinished ...>", text.strip_suffix(')').unwrap_or(text)),
        Happening::Signal(number) => format!("--- {} ---", signal::name(number)),
        Happening::Superseded { by } => format!("+++ superseded by execve in pid {by} +++"),
        Happening::Ended(Exit::Signaled(number)) => format!("+++ killed by {} +++", signal::name(number)),
        Happening::Ended(Exit::Exited(status)) => format!("+++ exited with {status} +++"),
        Happening::Ended(Exit::TimedOut) => "+++ killed by SIGKILL +++".to_owned(),
    }
}

fn seconds(took: Duration) -> String {
    format!(" <{:.6}>", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(what: Happening<'_>, has_times: bool) -> String {
        log_line(&Logged { task: 7, program: "cu\nrl", since_start: Duration::from_millis(1500), what }, has_times)
    }

    #[test]
    fn lines_look_like_those_of_strace() {
        let called = |is_resumed| Happening::Called {
            text: "connect(3, 127.0.0.1:80)",
            result: "-1 EINPROGRESS",
            took: Duration::from_micros(45),
            is_resumed,
        };
        for (what, has_times, text) in [
            (called(false), false, "connect(3, 127.0.0.1:80) = -1 EINPROGRESS"),
            (called(false), true, "1.500000 connect(3, 127.0.0.1:80) = -1 EINPROGRESS <0.000045>"),
            (called(true), false, "<... connect resumed> connect(3, 127.0.0.1:80) = -1 EINPROGRESS"),
            (Happening::Unfinished { text: "read(0, 0x10, 1)" }, false, "read(0, 0x10, 1 <unfinished ...>"),
            (Happening::Signal(17), false, "--- SIGCHLD ---"),
            (Happening::Superseded { by: 9 }, false, "+++ superseded by execve in pid 9 +++"),
            (Happening::Ended(Exit::Exited(3)), false, "+++ exited with 3 +++"),
            (Happening::Ended(Exit::Signaled(9)), true, "1.500000 +++ killed by SIGKILL +++"),
        ] {
            assert_eq!(line(what, has_times), format!("[pid 7 cu\\nrl] {text}\n"));
        }
    }
}
