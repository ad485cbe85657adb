//! Finds tasks of the tree that have no tracer: a child that a call made without an announcement.
//!
//! A thread may set CLONE_UNTRACED in another one's `struct clone_args` after the tracer has read
//! it. The call returns a child all the same, so the child is looked for in /proc and attached;
//! what it did before stays unseen. Main function: [`attach`].

use std::collections::BTreeSet;
use std::fs;

use super::sys::{self, Hears};
use crate::model::kernel::call::Tid;

/// A task that has just been attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stray {
    pub(super) task: Tid,
    pub(super) leads: bool,
}

/// Attaches the child that a call of `parent` returned as `number`, and all its descendants.
///
/// A child that has already ended, or that lost its parent before it could be found, is not among
/// them.
pub(super) fn attach(parent: Tid, number: i64, hears: Hears) -> Vec<Stray> {
    let mut strays = Vec::new();
    let Some(child) = find(parent, number) else { return strays };
    let mut families: BTreeSet<Tid> = status(child).and_then(|status| status.process).into_iter().collect();
    // A child that is attached hands its tracer on to its children: what is found twice is
    // complete.
    loop {
        let before = strays.len();
        for family in &families {
            strays.extend(threads(*family).into_iter().filter_map(|task| attach_one(task, hears)));
        }
        let children = processes().into_iter().filter(|process| {
            let parent = status(*process).and_then(|status| status.parent);
            parent.is_some_and(|parent| families.contains(&parent))
        });
        families.extend(children.collect::<Vec<_>>());
        if strays.len() == before {
            return strays;
        }
    }
}

/// The task that the parent knows by this number in its own PID namespace.
fn find(parent: Tid, number: i64) -> Option<Tid> {
    let number = Tid::try_from(number).ok()?;
    let depth = status(parent)?.numbers.len();
    if depth == 1 {
        return Some(number);
    }
    let is_it = |task: &Tid| status(*task).is_some_and(|status| status.numbers.get(depth - 1) == Some(&number));
    threads(parent).into_iter().find(is_it).or_else(|| processes().into_iter().find(is_it))
}

/// A task that another tracer has, this one among them, cannot be attached, nor one that has ended.
fn attach_one(task: Tid, hears: Hears) -> Option<Stray> {
    if status(task)?.tracer != Some(0) {
        return None;
    }
    sys::seize(task, hears).and_then(|()| sys::interrupt(task)).ok()?;
    Some(Stray { task, leads: sys::leads_thread_group(task) })
}

/// What proc_pid_status(5) says of a task.
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    /// `Tgid`: the process of a thread.
    process: Option<Tid>,
    parent: Option<Tid>,
    tracer: Option<Tid>,
    /// `NSpid`: its number in each PID namespace, from the outermost.
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

/// The threads of a process, or of the process of a thread.
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
    fn a_status_says_parent_tracer_and_numbers() {
        let text = "Name:\tx: y\nTgid:\t11\nPid:\t12\nPPid:\t7\nTracerPid:\t0\nNSpid:\t12\t3\t1\nKthread:\t0\n";
        let status = read_status(text);
        let expected = Status { process: Some(11), parent: Some(7), tracer: Some(0), numbers: vec![12, 3, 1] };
        assert_eq!(status, expected);
        assert_eq!(read_status("nonsense"), Status::default());
    }

    #[test]
    fn a_task_without_a_namespace_is_its_own_number() {
        let own = sys::gettid();
        assert_eq!(find(own, i64::from(own)), Some(own));
        assert!(threads(own).contains(&own));
        assert_eq!(find(own, -1).and_then(status), None);
    }
}
