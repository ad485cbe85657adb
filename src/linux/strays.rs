//! Finds tasks of the tree without a tracer: children that no ptrace event announced. Main
//! function: [`attach`].
//!
//! A thread may set CLONE_UNTRACED in the `struct clone_args` of another thread after the tracer
//! has read it. The call still returns a child, so the child is searched in /proc and attached. Its
//! calls before that stay unseen.

use std::collections::BTreeSet;
#[cfg(feature = "unstable")]
use std::collections::HashMap;
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

/// Returns the parent of a process; `None` if the process is gone, or if this is the number of a
/// thread, which `/proc` knows too.
#[cfg(feature = "unstable")]
pub(super) fn parent(process: Tid) -> Option<Tid> {
    status(process).filter(|status| status.process == Some(process))?.parent
}

/// Returns the process group of a process, and its session.
#[cfg(feature = "unstable")]
pub(super) fn group_and_session(process: Tid) -> Option<(Tid, Tid)> {
    let status = status(process)?;
    status.group.zip(status.session)
}

/// Returns the children of this process. They can be incomplete while some of them end, and are
/// missing without CONFIG_PROC_CHILDREN: proc_pid_task(5).
#[cfg(feature = "unstable")]
pub(super) fn own_children() -> Vec<Tid> {
    let own = std::process::id() as Tid;
    let children = |thread| fs::read_to_string(format!("/proc/{own}/task/{thread}/children")).unwrap_or_default();
    let all: Vec<String> = threads(own).into_iter().map(children).collect();
    all.iter().flat_map(|children| children.split_whitespace()).filter_map(|child| child.parse().ok()).collect()
}

/// A process below another one.
#[cfg(feature = "unstable")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Descendant {
    pub(super) process: Tid,
    pub(super) parent: Tid,
    /// It has ended and waits for its parent.
    pub(super) has_ended: bool,
}

/// Returns the descendants of a process, parents first.
#[cfg(feature = "unstable")]
pub(super) fn descendants(ancestor: Tid) -> Vec<Descendant> {
    let mut children: HashMap<Tid, Vec<Descendant>> = HashMap::new();
    for process in processes() {
        let Some(Status { parent: Some(parent), has_ended, .. }) = status(process) else { continue };
        children.entry(parent).or_default().push(Descendant { process, parent, has_ended });
    }
    let mut found = children.remove(&ancestor).unwrap_or_default();
    let mut next = 0;
    while let Some(Descendant { process, .. }) = found.get(next) {
        found.extend(children.remove(process).unwrap_or_default());
        next += 1;
    }
    found
}

/// Returns whether a process has this number in a nested PID namespace.
#[cfg(feature = "unstable")]
pub(super) fn is_nested(process: Descendant, number: Tid) -> bool {
    status(process.process).is_some_and(|status| status.numbers.iter().skip(1).any(|nested| *nested == number))
}

/// Fields of proc_pid_status(5).
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    /// `Tgid`: the process that the thread belongs to.
    process: Option<Tid>,
    parent: Option<Tid>,
    tracer: Option<Tid>,
    /// `State` is that of a zombie, and no other thread is left.
    has_ended: bool,
    /// `NSpgid`, in the PID namespace of `/proc`.
    group: Option<Tid>,
    /// `NSsid`, likewise.
    session: Option<Tid>,
    /// `NSpid`: the task's number in each PID namespace, outermost first.
    numbers: Vec<Tid>,
}

fn status(task: Tid) -> Option<Status> {
    let text = fs::read_to_string(format!("/proc/{task}/status")).ok()?;
    Some(read_status(&text))
}

fn read_status(text: &str) -> Status {
    let mut status = Status::default();
    let (mut is_zombie, mut threads) = (false, None);
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let mut numbers = value.split_whitespace().map_while(|number| number.parse().ok());
        match key {
            "Tgid" => status.process = numbers.next(),
            "PPid" => status.parent = numbers.next(),
            "TracerPid" => status.tracer = numbers.next(),
            "State" => is_zombie = value.trim_start().starts_with(['Z', 'X']),
            "Threads" => threads = numbers.next(),
            "NSpid" => status.numbers = numbers.collect(),
            "NSpgid" => status.group = numbers.next(),
            "NSsid" => status.session = numbers.next(),
            _ => {}
        }
    }
    // The first thread of a process may end before others: then it is a zombie that runs.
    status.has_ended = is_zombie && threads.is_none_or(|threads| threads <= 1);
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

    /// kill(2) with the number of a thread kills its whole process.
    #[test]
    #[cfg(feature = "unstable")]
    fn thread_is_no_process_with_a_parent() {
        let thread = std::thread::spawn(|| (sys::gettid(), parent(sys::gettid()))).join().expect("it ends");
        assert_ne!(thread.0, std::process::id() as Tid);
        assert_eq!(thread.1, None);
        assert_eq!(parent(std::process::id() as Tid), Some(std::os::unix::process::parent_id() as Tid));
    }

    #[test]
    fn status_fields_are_read() {
        let text = "Name:\tx: y\nTgid:\t11\nPid:\t12\nPPid:\t7\nTracerPid:\t0\nNSpid:\t12\t3\t1\nNSpgid:\t9\t0\nNSsid:\t8\t0\n";
        let status = read_status(text);
        let numbers = vec![12, 3, 1];
        let expected = Status {
            process: Some(11),
            parent: Some(7),
            tracer: Some(0),
            has_ended: false,
            group: Some(9),
            session: Some(8),
            numbers,
        };
        assert_eq!(status, expected);
        for (text, has_ended) in [
            ("State:\tZ (zombie)\nThreads:\t1\n", true),
            ("State:\tZ (zombie)\nThreads:\t2\n", false),
            ("State:\tS (sleeping)\nThreads:\t1\n", false),
        ] {
            assert_eq!(read_status(text).has_ended, has_ended, "{text}");
        }
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
