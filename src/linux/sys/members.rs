//! The numbers of all traced tasks, readable in a signal handler. Main type: [`Members`].
//!
//! A sender may end before its signal arrives, so a number stays for a while after its task's end.
//! It does not stay for good: the kernel reuses it for another process.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::getppid;

use crate::linux::status::field;
use crate::linux::uapi::PID_MAX_LIMIT;
use crate::model::kernel::call::Tid;

/// How long a number stays after its task's end. A signal arrives within a time slice, and the
/// kernel assigns numbers round-robin.
const RETENTION: Duration = Duration::from_secs(1);

/// One bit per number. Static, since a handler may neither lock nor allocate; pages that are never
/// written use no memory.
struct Bits([AtomicU64; PID_MAX_LIMIT / 64]);

impl Bits {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; PID_MAX_LIMIT / 64])
    }

    fn place(&self, number: i32) -> Option<(&AtomicU64, u64)> {
        let number = usize::try_from(number).ok().filter(|number| (1..PID_MAX_LIMIT).contains(number))?;
        Some((&self.0[number / 64], 1 << (number % 64)))
    }

    fn holds(&self, number: i32) -> bool {
        self.place(number).is_some_and(|(word, bit)| word.load(Ordering::Acquire) & bit != 0)
    }

    fn set(&self, number: i32, is_known: bool) {
        match self.place(number) {
            Some((word, bit)) if is_known => drop(word.fetch_or(bit, Ordering::AcqRel)),
            Some((word, bit)) => drop(word.fetch_and(!bit, Ordering::AcqRel)),
            None => {}
        }
    }
}

/// Numbers in this process's PID namespace.
static OURS: Bits = Bits::new();

/// Numbers in nested PID namespaces: kill(2) of a process group passes the sender's number in its
/// own namespace, even to members of the group outside (prepare_kill_siginfo(), kernel/signal.c).
static NESTED: Bits = Bits::new();

/// Returns whether a signal's sender is, or recently was, a traced task. Async-signal-safe.
///
/// A nested number may also belong to an unrelated process. The parent, the process most likely to
/// end this one, never counts as a task.
pub(super) fn is_traced_sender(sender: i32) -> bool {
    OURS.holds(sender) || NESTED.holds(sender) && sender != getppid().as_raw()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Number {
    Ours(i32),
    Nested(i32),
}

impl Number {
    fn set(self, is_known: bool) {
        match self {
            Self::Ours(number) => OURS.set(number, is_known),
            Self::Nested(number) => NESTED.set(number, is_known),
        }
    }
}

/// How often each number is in use, and when it was released. Several runs of one process share it.
#[derive(Debug, Default)]
struct Ledger {
    uses: HashMap<Number, u32>,
    released: VecDeque<(Instant, Number)>,
}

static LEDGER: Mutex<Option<Ledger>> = Mutex::new(None);

/// A panic leaves it consistent: each change is one insertion or removal.
fn ledger() -> MutexGuard<'static, Option<Ledger>> {
    LEDGER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    fn acquire(&mut self, number: Number) {
        *self.uses.entry(number).or_default() += 1;
        number.set(true);
    }

    fn expire(&mut self, time: Instant) {
        while self.released.front().is_some_and(|(released, _)| *released <= time) {
            let Some((_, number)) = self.released.pop_front() else { return };
            let Some(uses) = self.uses.get_mut(&number) else { continue };
            *uses -= 1;
            if *uses == 0 {
                self.uses.remove(&number);
                number.set(false);
            }
        }
    }
}

/// The tasks of one run. A new task runs, and can send signals, only after its first stop was seen.
#[derive(Debug, Default)]
pub(in crate::linux) struct Members(HashMap<Tid, Vec<Number>>);

impl Members {
    /// Adds a task.
    pub(in crate::linux) fn join(&mut self, task: Tid) {
        self.0.entry(task).or_insert_with(|| {
            let nested = nested_numbers(task).into_iter().map(Number::Nested);
            let numbers: Vec<Number> = std::iter::once(Number::Ours(task)).chain(nested).collect();
            let mut ledger = ledger();
            numbers.iter().for_each(|number| ledger.get_or_insert_default().acquire(*number));
            numbers
        });
    }

    /// Removes a task that has ended.
    pub(in crate::linux) fn leave(&mut self, task: Tid) {
        self.release(self.0.get(&task).cloned().unwrap_or_default());
        self.0.remove(&task);
    }

    fn release(&self, numbers: Vec<Number>) {
        let now = Instant::now();
        let mut ledger = ledger();
        let ledger = ledger.get_or_insert_default();
        ledger.released.extend(numbers.into_iter().map(|number| (now, number)));
        if let Some(time) = now.checked_sub(RETENTION) {
            ledger.expire(time);
        }
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        self.release(self.0.values().flatten().copied().collect());
    }
}

/// Returns the numbers of a task in nested PID namespaces.
fn nested_numbers(task: Tid) -> Vec<i32> {
    let namespace = |task: &str| fs::read_link(format!("/proc/{task}/ns/pid")).ok();
    if namespace(&task.to_string()) == namespace("self") {
        return Vec::new();
    }
    let status = super::read_proc(&format!("/proc/{task}/status"));
    nested_in(&String::from_utf8_lossy(&status))
}

/// Parses `NSpid:` of proc_pid_status(5): "the thread group's PID in each of the PID namespaces of
/// which it is a member", outermost first.
fn nested_in(status: &str) -> Vec<i32> {
    let numbers = field(status, "NSpid:").unwrap_or_default();
    numbers.split_whitespace().skip(1).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No process and no other test uses such numbers.
    const UNUSED: i32 = (PID_MAX_LIMIT - 10) as i32;

    #[test]
    fn number_stays_known_shortly_after_its_last_use() {
        let number = Number::Ours(UNUSED);
        let mut ledger = Ledger::default();
        let now = Instant::now();
        ledger.acquire(number);
        ledger.released.push_back((now, number));
        ledger.acquire(number);
        ledger.expire(now);
        assert!(is_traced_sender(UNUSED), "the number is in use again");
        ledger.released.push_back((now + RETENTION, number));
        ledger.expire(now);
        assert!(is_traced_sender(UNUSED), "its task ended just now");
        ledger.expire(now + RETENTION);
        assert!(!is_traced_sender(UNUSED));
    }

    #[test]
    fn numbers_out_of_range_are_ignored() {
        for number in [i32::MIN, -1, 0, PID_MAX_LIMIT as i32, i32::MAX] {
            OURS.set(number, true);
            assert!(!is_traced_sender(number), "{number}");
        }
    }

    #[test]
    fn parent_is_never_a_nested_task() {
        let parent = getppid().as_raw();
        for (number, is_known) in [(UNUSED + 1, true), (parent, false)] {
            NESTED.set(number, true);
            assert_eq!(is_traced_sender(number), is_known, "{number}");
            NESTED.set(number, false);
        }
    }

    #[test]
    fn nested_numbers_are_those_after_the_first() {
        for (status, numbers) in [
            ("Pid:\t71\nNSpid:\t71\n", &[][..]),
            ("NStgid:\t71\t1\nNSpid:\t71\t12\t1\nNSpgid:\t7\t0\t0\n", &[12, 1]),
            ("", &[]),
        ] {
            assert_eq!(nested_in(status), numbers);
        }
    }
}
