//! Finds the thread group of a task, by the numbers of the task's own PID namespace. Main function:
//! [`is_own_thread`].
//!
//! The tracer's numbers and those in a tracee's registers differ if they are in different PID
//! namespaces.

use std::fs;

use super::status::field;
use super::sys;
use crate::model::attribution::Receiver;
use crate::model::kernel::call::Tid;

/// Returns whether a signal for this receiver goes to a thread of the task's own thread group.
///
/// A receiver that cannot be inspected counts as one of another thread group.
pub(super) fn is_own_thread(task: Tid, receiver: Receiver) -> bool {
    match receiver {
        // do_tkill() finds no thread of another group under this number, kernel/signal.c.
        Receiver::Group(group) => number(&status(task), "NStgid:") == Some(group),
        Receiver::Thread(thread) => is_thread(task, thread),
    }
}

/// Returns whether a number is a thread of the task's group. Outside nested PID namespaces, which
/// is most common, /proc lists the number itself.
fn is_thread(task: Tid, thread: Tid) -> bool {
    let own = status(task);
    if number(&own, "NSpid:") == Some(thread) {
        return true;
    }
    if depth(&own) == 1 {
        return number(&status_of(task, thread), "NSpid:") == Some(thread);
    }
    let Ok(threads) = fs::read_dir(format!("/proc/{task}/task")) else { return false };
    let outer = threads.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    outer.into_iter().any(|outer| number(&status_of(task, outer), "NSpid:") == Some(thread))
}

fn status(task: Tid) -> String {
    text(&format!("/proc/{task}/status"))
}

fn status_of(task: Tid, thread: Tid) -> String {
    text(&format!("/proc/{task}/task/{thread}/status"))
}

fn text(path: &str) -> String {
    String::from_utf8_lossy(&sys::read_proc(path)).into_owned()
}

/// Returns the last number of a line: that of the innermost namespace, proc_pid_status(5).
fn number(status: &str, key: &str) -> Option<Tid> {
    numbers(status, key)?.last()?.parse().ok()
}

fn depth(status: &str) -> usize {
    numbers(status, "NSpid:").map_or(0, Iterator::count)
}

fn numbers<'a>(status: &'a str, key: &str) -> Option<std::str::SplitWhitespace<'a>> {
    field(status, key).map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn innermost_number_is_read() {
        let status = "Name:\tNStgid:\nTgid:\t70\nNStgid:\t70\t8\t1\nNSpid:\t71\t9\t2\n";
        assert_eq!((number(status, "NStgid:"), number(status, "NSpid:"), depth(status)), (Some(1), Some(2), 3));
        assert_eq!((number("", "NStgid:"), depth("Name:\tx\n")), (None, 0));
    }

    #[test]
    fn only_own_threads_are_in_the_group() {
        let (own, other) = (sys::gettid(), std::thread::spawn(sys::gettid));
        let process = std::process::id() as Tid;
        assert!(is_own_thread(own, Receiver::Group(process)) && is_own_thread(own, Receiver::Thread(own)));
        assert!(is_own_thread(own, Receiver::Thread(process)));
        for foreign in [0, 1, -1, Tid::MAX] {
            assert!(!is_own_thread(own, Receiver::Group(foreign)), "{foreign}");
            assert!(!is_own_thread(own, Receiver::Thread(foreign)), "{foreign}");
        }
        let gone = other.join().expect("a number");
        assert!(!is_own_thread(Tid::MAX, Receiver::Thread(gone)));
    }
}
