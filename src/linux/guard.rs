//! Who may run unwatched: the fds of every task against what its filter lets pass. Main type: [`Watch`].
//!
//! The filter is decided by `model::guard`, from registers. Here is the other half: a task runs to the next call that its filter stops only while every fd in its
//! table is of a kind whose calls the baseline holds; else it is stopped at every call, until that fd is closed. Fds come by calls that always stop.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::{fs, io};

use super::launch::{Command, Stream};
use super::objects::Objects;
use super::stopped::Pace;
use super::sys;
use super::witness::{Witness, memory_of};
use crate::model::attribution::files::{self, shares_files};
use crate::model::attribution::{Memory, Object, answers};
use crate::model::event::{BlindSpot, Call, CallOutcome, Event, Tid};
use crate::model::guard::{Effect, Guard, Inherited, effect};
use crate::model::marker::Marker;
use crate::model::tracee::{Stop, Tasks};

/// What is known of the fds of every task, none of which is left out.
pub(super) struct Watch<'a> {
    guard: &'a Guard,
    tables: HashMap<Tid, Rc<RefCell<Table>>>,
    /// What was decided of an fd's class and kind.
    borne: RefCell<HashMap<(usize, Object), bool>>,
    incomplete: Option<Incomplete>,
    /// Fds may come without a call.
    is_hidden: bool,
}

/// What a table of fds may hold: at least what it does hold, since a close may pass unseen.
#[derive(Debug, Clone, Default)]
struct Table {
    fds: BTreeMap<i32, Option<Object>>,
    /// So many of them are of a kind that the filter cannot be trusted with.
    unborne: usize,
}

/// Why a guarded run shows less than the workload did: it must be watched call by call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// It has a seccomp filter of its own, whose answers come before those of ours.
    #[error("it has a seccomp filter of its own")]
    OwnFilter,
    /// A program would have more privileges if nobody watched.
    #[error("it runs a set-user-ID program")]
    Privileges,
    /// It tells its tracer what it is about to do, and a call that passes is of any phase.
    #[error("it names phases")]
    Phases,
}

impl<'a> Watch<'a> {
    pub(super) fn new(guard: &'a Guard) -> Self {
        let (tables, borne) = (HashMap::new(), RefCell::default());
        Self { guard, tables, borne, incomplete: None, is_hidden: false }
    }

    /// Why this run will not do, once that is so.
    pub(super) fn incomplete(&self) -> Option<Incomplete> {
        self.incomplete
    }

    /// Takes a stop and its events in, after they have been witnessed.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop, events: &[&Event], tasks: &Tasks, witness: &mut Witness) {
        for event in events {
            if let Event::Called { task, call, outcome: CallOutcome::Returned(value), .. } = event {
                self.returned(*task, call, *value, witness);
            }
        }
        match *stop {
            // Strict mode would even be refused where there is a filter: seccomp_may_assign_mode(), kernel/seccomp.c.
            Stop::Entry(call) if effect(&call) == Effect::Filters && !tasks.is_launching(task) => {
                self.incomplete = Some(Incomplete::OwnFilter);
            }
            Stop::Entry(call) if Marker::of(&call).is_some() => self.incomplete = Some(Incomplete::Phases),
            Stop::Spawning { child, .. } => self.spawned(task, child, tasks),
            Stop::Exec { former, privileged } => {
                self.tables.remove(&former);
                self.tables.insert(task, Rc::default());
                self.look_at_all(task, witness);
                if privileged {
                    self.incomplete = Some(Incomplete::Privileges);
                }
            }
            Stop::Ended(_) => drop(self.tables.remove(&task)),
            _ => {}
        }
    }

    /// Something may stay unseen: of a child that nobody sees, what it does to the fds that it shares.
    pub(super) fn hide(&mut self, spot: BlindSpot) {
        self.is_hidden |= spot == BlindSpot::UntracedChild;
    }

    /// Where this task stops next. In a call that was told its result is awaited.
    pub(super) fn pace(&self, task: Tid, tasks: &Tasks) -> Pace {
        let is_borne = self.tables.get(&task).is_some_and(|table| {
            // A thread that opens something cannot stop the others before they might use it.
            Rc::strong_count(table) == 1 && table.borrow().unborne == 0
        });
        let may_pass = is_borne && !self.is_hidden && tasks.call(task).is_none() && !tasks.is_launching(task);
        if may_pass { Pace::Filtered } else { Pace::EveryCall }
    }

    /// Whether a call that the filter stopped is no news, so that its result need not be awaited.
    pub(super) fn settles(&self, task: Tid, call: &Call, witness: &mut Witness) -> bool {
        effect(call) == Effect::None
            && answers::memory(call).is_none()
            && self.guard.expects(call, None)
            && self.guard.settles_before(call)
            && witness.object_of(task, call).is_none_or(|object| self.guard.expects(call, Some(&object)))
    }

    fn returned(&mut self, task: Tid, call: &Call, value: i64, witness: &mut Witness) {
        match effect(call) {
            Effect::None => {}
            Effect::Closes(fd) => self.learn(task, fd, |_| None),
            Effect::Opens => {
                let fd = i32::try_from(value).unwrap_or(-1);
                self.learn(task, fd, |table| Some(witness.fd(table, fd)));
            }
            Effect::Anything => {
                // A child that hides is told by `hide`; memory matters to none of the others.
                self.is_hidden |= files::effect(call, &Memory::default()) == Some(files::Effect::Hidden);
                self.look_at_all(task, witness);
            }
            // Its entry was enough.
            Effect::Filters => {}
        }
    }

    fn spawned(&mut self, parent: Tid, child: Tid, tasks: &Tasks) {
        let Some(table) = self.tables.get(&parent).cloned() else { return };
        let shares = tasks.call(parent).is_none_or(|call| shares_files(&call, &memory_of(parent, &call)));
        let table = if shares { table } else { Rc::new(RefCell::new(table.borrow().clone())) };
        self.tables.insert(child, table);
    }

    /// Whatever the task's table held, this is what it holds.
    fn look_at_all(&mut self, task: Tid, witness: &mut Witness) {
        let Some(table) = self.tables.get(&task).cloned() else { return };
        let mut fresh = Table::default();
        match open_fds(task) {
            Ok(fds) => fds.for_each(|fd| self.put(&mut fresh, fd, Some(witness.fd(task, fd)))),
            // Dead, or out of reach.
            Err(_) => self.put(&mut fresh, 0, Some(None)),
        }
        *table.borrow_mut() = fresh;
    }

    fn learn(&self, task: Tid, fd: i32, ask: impl FnOnce(Tid) -> Option<Option<Object>>) {
        if let Some(table) = self.tables.get(&task) {
            self.put(&mut table.borrow_mut(), fd, ask(task));
        }
    }

    /// This fd stands for this now: `None` for nothing, `Some(None)` for something unknown.
    fn put(&self, table: &mut Table, fd: i32, object: Option<Option<Object>>) {
        let is_borne = |object: &Option<Object>| self.bears(fd, object.as_ref());
        if let Some(former) = table.fds.remove(&fd) {
            table.unborne -= usize::from(!is_borne(&former));
        }
        if let Some(object) = object {
            table.unborne += usize::from(!is_borne(&object));
            table.fds.insert(fd, object);
        }
    }

    fn bears(&self, fd: i32, object: Option<&Object>) -> bool {
        let Some(object) = object else { return false };
        let key = (self.guard.class(fd), object.clone());
        *self.borne.borrow_mut().entry(key).or_insert_with(|| self.guard.bears(fd, Some(object)))
    }
}

/// What the fds stand for that this command begins with.
pub fn inherited(command: &Command) -> Inherited {
    let own = sys::gettid();
    let mut inherited: Inherited = open_fds(own)
        .into_iter()
        .flatten()
        .filter(|fd| *fd > 2 && sys::survives_exec(*fd))
        .map(|fd| (fd, fd))
        .chain((0..).zip(&command.stdio).map(|(at, stream)| match stream {
            Stream::Inherited => (at, at),
            Stream::Given(fd) => (at, fd.as_raw_fd()),
        }))
        .map(|(at, fd)| (at, Objects::default().of_fd(own, fd)))
        .collect();
    // Many are no streams of a workload, but what somebody forgot to close; the filter must not grow with them.
    while inherited.len() > MOST_INHERITED {
        inherited.pop_last();
    }
    inherited
}

/// Each costs the filter some instructions in every gate of a call on an fd.
const MOST_INHERITED: usize = 8;

fn open_fds(task: Tid) -> io::Result<impl Iterator<Item = i32>> {
    let fds = fs::read_dir(format!("/proc/{task}/fd"))?;
    Ok(fds.flatten().filter_map(|fd| fd.file_name().to_str()?.parse().ok()))
}
