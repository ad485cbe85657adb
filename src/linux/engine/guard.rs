//! The engine `guard`: tasks run natively from one call that their seccomp filter stops to the
//! next. Main type: [`GuardEngine`].
//!
//! `model::guard` builds the filter, which sees registers only. This module checks the fds: a task
//! runs natively only while the baseline covers every call on each fd in its fd table. Otherwise
//! the task stops at every call until that fd is closed. Every call that can add fds stops.

mod fds;

use std::collections::{BTreeSet, HashMap};
use std::io;

pub use fds::inherited;
use fds::{has_program_fd, is_open, open_fds, read};

use crate::linux::objects::access;
use crate::linux::outcome::{Incomplete, TraceError};
use crate::linux::stopped::NextStop;
use crate::linux::sys::{self, Filter, SeizeOptions};
use crate::linux::witness::{Target, Witness};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::files::{CacheEffect, cache_effect, shares_files};
use crate::model::attribution::objects::is_named_by_path;
use crate::model::attribution::{Answers, Memory, Object, ObjectClass, Question, answers, made};
use crate::model::guard::{
    Access, Class, FdEffect, FdTables, Guard, Likeness, Sharing, acts_through_fd, conflicts_with_filter, fd_effect,
};
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::trace::event::Event;
use crate::model::trace::marker::Marker;
use crate::model::trace::tracee::{Step, Stop, Tasks};

/// Compares the fds of all tasks with what the guard allows.
pub(in crate::linux) struct GuardEngine<'a> {
    guard: &'a Guard,
    pub(super) witness: Witness,
    tables: FdTables,
    /// Decisions about fds, by class, kind and access.
    decided: HashMap<(Class, Object, Access), bool>,
    /// Decisions about equivalent calls on the same object.
    expected: HashMap<(Likeness, Option<Object>), bool>,
    incomplete: Option<Incomplete>,
    /// Fds may be added without a call.
    has_unseen_fds: bool,
    /// This process already has a seccomp filter, which its children inherit.
    has_filter: bool,
}

impl<'a> GuardEngine<'a> {
    pub(super) fn new(guard: &'a Guard) -> Self {
        Self {
            guard,
            witness: Witness::for_guarded_run(),
            tables: FdTables::default(),
            decided: HashMap::new(),
            expected: HashMap::new(),
            incomplete: None,
            has_unseen_fds: false,
            has_filter: sys::is_filtered(),
        }
    }

    /// Returns the filter that stops every call that the baseline does not allow natively.
    pub(super) fn filter(&self, must_stop: &dyn Fn(&Call) -> bool) -> Result<Filter, TraceError> {
        let program = self.guard.filter(must_stop).map_err(|error| TraceError::System {
            operation: "build a seccomp filter",
            source: io::Error::other(error),
        })?;
        Ok(Filter { program, notifies: false })
    }

    pub(super) fn seize_options(&self) -> SeizeOptions {
        SeizeOptions { filtered: true, exits: false }
    }

    /// Returns the tree that begins with this task. Its tasks stop too seldom to be seen in a call
    /// that makes a task or executes a program.
    pub(super) fn begin(&self, root: Tid) -> Tasks {
        Tasks::launch(root).in_brief()
    }

    /// Returns why this run must be repeated by another engine, if it must.
    pub(super) fn incomplete(&self) -> Option<Incomplete> {
        self.incomplete.or(self.tables.has_raced().then_some(Incomplete::Shared))
    }

    /// Processes a stop and adds the answers to its events.
    pub(super) fn on_stop(&mut self, task: Tid, stop: &Stop, step: &mut Step, tasks: &Tasks) {
        self.witness.observe(task, stop, step);
        let events: Vec<&Event> = step.before.iter().chain(&step.event).collect();
        for event in &events {
            let Event::Called { task, call, outcome, answers } = event else { continue };
            self.called(*task, call, *outcome, answers);
            if conflicts_with_filter(call, *outcome, self.has_filter) {
                self.incomplete = Some(Incomplete::OwnFilter);
            }
        }
        // Another task runs natively, and fds may be added to its table without a call of its own.
        if self.has_unseen_fds && !tasks.is_alone(task) {
            self.incomplete = Some(Incomplete::Shared);
        }
        match *stop {
            Stop::Entry(call) => {
                self.tables.enter(task);
                if Marker::of(&call).is_some() {
                    self.incomplete = Some(Incomplete::Phases);
                }
            }
            Stop::Spawning { child, .. } => self.spawned(task, child, &events),
            Stop::Exec { former, privileged } => {
                // An exec closes fds, and opens one only for an interpreter that requests it.
                if !self.tables.executed(task, former) || has_program_fd(task) {
                    self.scan_fds(task);
                }
                if privileged {
                    self.incomplete = Some(Incomplete::Privileges);
                }
            }
            Stop::Ended(_) => {
                let other = self.tables.ended(task);
                // A task that was killed in a call may have left an fd in a table that others use.
                let was_inside = events.iter().any(|event| may_leave_an_fd(event));
                if let Some(other) = other.filter(|_| was_inside) {
                    self.scan_fds(other);
                }
            }
            _ => {}
        }
    }

    /// Notes a blind spot: an untraced child gets ENOSYS for calls that the filter stops.
    pub(super) fn note_blind_spot(&mut self, spot: BlindSpot) {
        if spot == BlindSpot::UntracedChild {
            self.incomplete = Some(Incomplete::Untraced);
        }
    }

    /// Returns where this task, which is about to resume, stops next.
    pub(super) fn next_stop(&mut self, task: Tid, tasks: &Tasks) -> NextStop {
        if !self.tables.contains(task) && !tasks.is_launching(task) {
            self.adopt(task);
        }
        if self.may_run_natively(task, tasks) { NextStop::Filtered } else { NextStop::EveryCall }
    }

    /// Finds the fd table of a task that no parent announced.
    fn adopt(&mut self, task: Tid) {
        let ask = |other| (other, sys::share_fd_table(task, other));
        let sharer = self.tables.tasks().map(ask).find(|(_, shares)| *shares != Some(false));
        match sharer {
            Some((other, shares)) => drop(self.tables.spawned(other, task, sharing_of(shares))),
            None => self.tables.own(task),
        }
        self.scan_fds(task);
    }

    /// Returns whether the filter alone suffices. A task in a stopped call must also stop at its
    /// exit.
    fn may_run_natively(&self, task: Tid, tasks: &Tasks) -> bool {
        self.tables.is_safe(task) && !self.has_unseen_fds && tasks.call(task).is_none() && !tasks.is_launching(task)
    }

    /// Returns whether a call that the filter stopped is expected whatever its result, so that the
    /// task can continue natively: neither the entry nor the exit of the call need be reported.
    ///
    /// The call's target is inspected before the call is made. The answer counts only while no
    /// other task of the tree can change it: an fd while the fd table is the task's alone, and a
    /// path (its text and its target) while the task is the only one.
    pub(super) fn may_pass(&mut self, task: Tid, call: &Call, tasks: &Tasks) -> bool {
        self.may_run_natively(task, tasks)
            && answers::memory(call).is_none()
            && self.guard.is_known_before(call)
            && match fd_effect(call, &Memory::default()) {
                FdEffect::None | FdEffect::Looks => self.is_expected(task, call, tasks),
                FdEffect::Opens | FdEffect::OpensTwo(_) => self.opens_only_safe(task, call, tasks),
                _ => false,
            }
    }

    /// Returns whether the answer to a question stays true until the call is made.
    fn is_stable(&self, task: Tid, question: &Question, tasks: &Tasks) -> bool {
        match question {
            Question::Fd(_) => !self.tables.is_shared(task),
            Question::PathBefore(_) | Question::PathAfter(_) => tasks.is_alone(task),
            Question::Returned | Question::Program => false,
        }
    }

    fn is_expected(&mut self, task: Tid, call: &Call, tasks: &Tasks) -> bool {
        match answers::object(call, &Memory::default()) {
            None => self.guard.expects(call, None),
            Some(question) if self.is_stable(task, &question, tasks) => {
                let target = self.witness.target(task, &question);
                self.expects(call, &target)
            }
            Some(_) => false,
        }
    }

    /// Returns whether a call on this target is expected, also if it fails.
    fn expects(&mut self, call: &Call, target: &Target) -> bool {
        let object = match target {
            Target::Object(object) => Some(object),
            Target::Absent => None,
            // The call's result gives more information.
            Target::Unknown => return false,
        };
        let decide =
            || self.guard.expects(call, None) && object.is_none_or(|object| self.guard.expects(call, Some(object)));
        match Guard::likeness(call) {
            Some(likeness) => *self.expected.entry((likeness, object.cloned())).or_insert_with(decide),
            None => decide(),
        }
    }

    /// Returns whether the object that this call opens, duplicates or creates is known in advance,
    /// expected, and safe at any fd.
    fn opens_only_safe(&mut self, task: Tid, call: &Call, tasks: &Tasks) -> bool {
        let (target, access) = match (answers::opening(call), answers::object(call, &Memory::default())) {
            (Some(opening), _) => {
                if !tasks.is_alone(task) {
                    return false;
                }
                match self.witness.target_of_path(task, &opening.place) {
                    Target::Absent if opening.makes => return false,
                    // The link target is known only once there is an fd.
                    Target::Object(object) if is_object_named_by_path(&object) => return false,
                    target => (target, Access { reads: opening.reads, writes: opening.writes }),
                }
            }
            (None, Some(question @ Question::Fd(fd))) => {
                if !self.is_stable(task, &question, tasks) {
                    return false;
                }
                (self.witness.target(task, &question), access(task, fd))
            }
            (None, Some(_)) => return false,
            (None, None) => (made(call).map_or(Target::Unknown, Target::Object), Access::BOTH),
        };
        if !self.expects(call, &target) {
            return false;
        }
        let Target::Object(object) = target else { return true };
        self.decide(returned_fd(call).map_or(Class::Any, |fd| self.guard.class(fd)), &object, access)
    }

    /// Applies the effect of a finished call on the task's fds.
    fn called(&mut self, task: Tid, call: &Call, outcome: CallOutcome, answers: &Answers) {
        let memory = &answers.memory;
        let is_shared = self.tables.is_shared(task);
        match (fd_effect(call, memory), outcome) {
            (FdEffect::Anything, _) => self.scan_after(task, call, outcome, memory),
            // Another task may have replaced the socket.
            (FdEffect::Receives, _) if is_shared || answers.object.as_object().is_none_or(can_carry_fds) => {
                self.scan_fds(task);
            }
            (FdEffect::None | FdEffect::Looks, _) if self.tables.may_add_fds(task) && acts_through_fd(call) => {
                self.scan_fds(task);
            }
            (FdEffect::Changes, CallOutcome::Returned(_)) => self.incomplete = Some(Incomplete::Changed),
            (FdEffect::Closes(fd), CallOutcome::Returned(_)) => self.scan_fd(task, fd),
            (FdEffect::Opens, CallOutcome::Returned(value)) => {
                let fd = i32::try_from(value).unwrap_or(-1);
                let is_answered = answers::object(call, memory) == Some(Question::Returned);
                match answers.object.clone().object().filter(|_| is_answered) {
                    Some(object) => self.opened(task, fd, Some(object)),
                    None => self.inspect(task, fd),
                }
            }
            (FdEffect::OpensTwo(address), CallOutcome::Returned(_)) => {
                match read(task, address).map(u64::to_ne_bytes) {
                    Some([a, b, c, d, rest @ ..]) if !is_shared => {
                        for fd in [[a, b, c, d], rest].map(i32::from_ne_bytes) {
                            self.inspect(task, fd);
                        }
                    }
                    // Another task may have overwritten the numbers.
                    _ => self.scan_fds(task),
                }
            }
            _ => {}
        }
    }

    /// Handles a call that may have added any fd, whatever its result.
    fn scan_after(&mut self, task: Tid, call: &Call, outcome: CallOutcome, memory: &Memory) {
        let effect = cache_effect(call, memory);
        self.has_unseen_fds |= effect == Some(CacheEffect::Hidden);
        if effect == Some(CacheEffect::Unshares) && matches!(outcome, CallOutcome::Returned(_)) {
            self.tables.own(task);
        }
        self.scan_fds(task);
    }

    /// Gives a child its fd table: the parent's, or a copy of it.
    fn spawned(&mut self, parent: Tid, child: Tid, events: &[&Event]) {
        let mut calls = events.iter().filter_map(|event| match event {
            Event::Called { task, call, answers, .. } if *task == parent => Some((call, &answers.memory)),
            _ => None,
        });
        // A call that the filter let pass is a fork.
        let sharing = calls.next_back().map_or(Sharing::Copied, |(call, memory)| {
            match sys::share_fd_table(parent, child) {
                Some(shares) => sharing_of(Some(shares)),
                // The kernel reads flags in a register as they are here; flags in memory may change
                // before that.
                None if answers::memory(call).is_none() => sharing_of(Some(shares_files(call, memory))),
                None => Sharing::Unknown,
            }
        });
        if !self.tables.spawned(parent, child, sharing) {
            self.scan_fds(child);
        }
    }

    /// Inspects every fd of the task.
    fn scan_fds(&mut self, task: Tid) {
        let unsafe_fds = match open_fds(task) {
            Ok(fds) => fds.filter(|fd| !self.is_fd_safe(task, *fd)).collect(),
            // The task is dead or cannot be inspected.
            Err(_) => BTreeSet::from([-1]),
        };
        self.tables.replace(task, unsafe_fds);
    }

    /// Inspects an fd that the task has closed: another task may have opened it again.
    fn scan_fd(&mut self, task: Tid, fd: i32) {
        let is_free = !self.tables.is_shared(task) || !is_open(task, fd);
        let is_safe = is_free || self.is_fd_safe(task, fd);
        self.tables.set(task, fd, is_safe);
    }

    /// Inspects an fd that the task has just got.
    fn inspect(&mut self, task: Tid, fd: i32) {
        let is_safe = self.is_fd_safe(task, fd);
        self.tables.set(task, fd, is_safe);
    }

    fn is_fd_safe(&mut self, task: Tid, fd: i32) -> bool {
        let object = self.witness.fd(task, fd);
        self.is_safe(task, fd, object)
    }

    fn opened(&mut self, task: Tid, fd: i32, object: Option<Object>) {
        let is_safe = self.is_safe(task, fd, object);
        self.tables.set(task, fd, is_safe);
    }

    /// Returns whether an fd is safe. Most kinds are safe in every access mode; only for others the
    /// mode is read.
    fn is_safe(&mut self, task: Tid, fd: i32, object: Option<Object>) -> bool {
        let class = self.guard.class(fd);
        if !object.as_ref().is_some_and(Guard::is_plain) {
            self.tables.mark_may_add_fds(task);
        }
        object.is_some_and(|object| {
            self.decide(class, &object, Access::BOTH) || self.decide(class, &object, access(task, fd))
        })
    }

    fn decide(&mut self, class: Class, object: &Object, access: Access) -> bool {
        let key = (class, object.clone(), access);
        *self.decided.entry(key).or_insert_with(|| self.guard.is_safe(class, object, access))
    }
}

/// Returns the fd that a call will return, if its arguments say so.
fn returned_fd(call: &Call) -> Option<i32> {
    call.syscall.row().filter(|row| matches!(row.name, "dup2" | "dup3")).map(|_| call.args[1] as i32)
}

fn is_object_named_by_path(object: &Object) -> bool {
    object.kind.class().filesystem().is_some_and(is_named_by_path)
}

fn sharing_of(shares: Option<bool>) -> Sharing {
    match shares {
        Some(true) => Sharing::Shared,
        Some(false) => Sharing::Copied,
        None => Sharing::Unknown,
    }
}

/// Returns whether this is a call in which its task was killed, and which may have left an fd
/// behind.
fn may_leave_an_fd(event: &Event) -> bool {
    let Event::Called { call, outcome: CallOutcome::NeverReturned, answers, .. } = event else { return false };
    !matches!(fd_effect(call, &answers.memory), FdEffect::Closes(_) | FdEffect::Spawns | FdEffect::Filters)
}

/// Returns whether a message of this socket can carry fds.
fn can_carry_fds(object: &Object) -> bool {
    match object.kind.class() {
        ObjectClass::Socket { family, .. } => family == "AF_UNIX",
        _ => true,
    }
}
