//! Finds tasks of the tree without a tracer: children that no ptrace event announced. Main
//! function: [`attach`].
//!
//! A thread may set CLONE_UNTRACED in the `struct clone_args` of another thread after the tracer
//! has read it. The call still returns a child, so the child is searched in /proc and attached. Its
//! calls before that stay unseen.

use std::collections::BTreeSet;
use std::fs;

use super::sys::{self, SeizeOptions};
use crate::model::kernel::call::Tid;

/// A task that has just been attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stray {
    pub(super) task: Tid,
    pub(super) leads: bool,
}

/// Attaches the child that a call of `parent` returned as `number`, and all its descendants.
///
/// Misses a child that has already ended, or that lost its parent before it was found.
pub(super) fn attach(parent: Tid, number: i64, options: SeizeOptions) -> Vec<Stray> {
    let mut strays = Vec::new();
    let Some(child) = find(parent, number) else { return strays };
    let mut known: BTreeSet<Tid> = status(child).and_then(|status| status.process).into_iter().collect();
    // An attached child passes its tracer on to its children, so the search is complete once a
    // round finds no more.
    loop {
        let before = strays.len();
        for process in &known {
            strays.extend(threads(*process).into_iter().filter_map(|task| attach_one(task, options)));
        }
        let children = processes().into_iter().filter(|process| {
            let parent = status(*process).and_then(|status| status.parent);
            parent.is_some_and(|parent| known.contains(&parent))
        });
        known.extend(children.collect::<Vec<_>>());
        if strays.len() == before {
            return strays;
        }
    }
}

/// Returns the task that has this number in the parent's PID namespace.
fn find(parent: Tid, number: i64) -> Option<Tid> {
    let number = Tid::try_from(number).ok()?;
    let depth = status(parent)?.numbers.len();
    if depth == 1 {
        return Some(number);
    }
    let is_it = |task: &Tid| status(*task).is_some_and(|status| status.numbers.get(depth - 1) == Some(&number));
    threads(parent).into_iter().find(is_it).or_else(|| processes().into_iter().find(is_it))
}

/// Attaches a task. `None` if it has ended or already has a tracer, such as this one.
fn attach_one(task: Tid, options: SeizeOptions) -> Option<Stray> {
    if status(task)?.tracer != Some(0) {
        return None;
    }
    sys::seize(task, options).and_then(|()| sys::interrupt(task)).ok()?;
    Some(Stray { task, leads: sys::leads_thread_group(task) })
}

/// Returns each process with its parent.
#[cfg(feature = "unstable")]
pub(super) fn parents() -> Vec<(Tid, Tid)> {
    processes().into_iter().filter_map(|process| Some((process, status(process)?.parent?))).collect()
}

/// Fields of proc_pid_status(5).
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    /// `Tgid`: the process that the thread belongs to.
    process: Option<Tid>,
    parent: Option<Tid>,
    tracer: Option<Tid>,
    /// `NSpid`: the task's number in each PID namespace, outermost first.
    numbers: Vec<Tid>,
}

fn status(task: Tid) -> Option<Status> {
    let text = fs::read_to_string(format!("/proc/{task}/status")).ok()?;
    Some(read_status(&text))
}

fn read_status(text: &str) -> Status {
    let mut status = Status::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let mut numbers = value.split_whitespace().map_while(|number| number.parse().ok());
        match key {
            "Tgid" => status.process = numbers.next(),
            "PPid" => status.parent = numbers.next(),
            "TracerPid" => status.tracer = numbers.next(),
            "NSpid" => status.numbers = numbers.collect(),
            _ => {}
        }
    }
    status
}

fn processes() -> Vec<Tid> {
    numbered("/proc")
}

/// Returns the threads of a process, given any of its threads.
fn threads(task: Tid) -> Vec<Tid> {
    numbered(&format!("/proc/{task}/task"))
}

fn numbered(folder: &str) -> Vec<Tid> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_fields_are_read() {
        let text = "Name:\tx: y\nTgid:\t11\nPid:\t12\nPPid:\t7\nTracerPid:\t0\nNSpid:\t12\t3\t1\nKthread:\t0\n";
        let status = read_status(text);
        let expected = Status { process: Some(11), parent: Some(7), tracer: Some(0), numbers: vec![12, 3, 1] };
        assert_eq!(status, expected);
        assert_eq!(read_status("nonsense"), Status::default());
    }

    #[test]
    fn task_without_own_namespace_is_found_by_number() {
        let own = sys::gettid();
        assert_eq!(find(own, i64::from(own)), Some(own));
        assert!(threads(own).contains(&own));
        assert_eq!(find(own, -1).and_then(status), None);
    }
}
