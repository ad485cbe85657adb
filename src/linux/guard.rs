//! Who may run unwatched: the fds of every task against what its filter lets pass. Main type: [`Watch`].
//!
//! The filter is decided by `model::guard`, from registers. Here is the other half: a task runs to the next call that its filter stops only while every fd in its
//! table is of a kind whose calls the baseline holds; else it is stopped at every call, until that fd is closed. Fds come by calls that always stop.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::{fs, io};

use super::command::{Command, Stream};
use super::objects::{Objects, access};
use super::outcome::Incomplete;
use super::stopped::Pace;
use super::sys;
use super::witness::{Sight, Witness, memory_of};
use crate::model::attribution::files::{self, shares_files};
use crate::model::attribution::objects::is_told_by_path;
use crate::model::attribution::{Answers, Memory, Object, Question, answers, made};
use crate::model::event::{BlindSpot, Call, CallOutcome, Event, Tid};
use crate::model::guard::{Access, Class, Effect, Guard, Inherited, Likeness, effect};
use crate::model::marker::Marker;
use crate::model::tracee::{Stop, Tasks};

/// What is known of the fds of every task, none of which is left out.
pub(super) struct Watch<'a> {
    guard: &'a Guard,
    tables: HashMap<Tid, Unborne>,
    /// Who runs to the next call that its filter stops.
    free: HashSet<Tid>,
    /// What was decided of an fd's class, kind and access.
    decided: HashMap<(Class, Object, Access), bool>,
    /// What was decided of calls that are alike, on such an object.
    expected: HashMap<(Likeness, Option<Object>), bool>,
    incomplete: Option<Incomplete>,
    /// Fds may come without a call.
    is_hidden: bool,
}

/// The fds of one table that the filter cannot be trusted with. One that was closed unseen may be among them, never the other way round.
type Unborne = Rc<RefCell<BTreeSet<i32>>>;

impl<'a> Watch<'a> {
    pub(super) fn new(guard: &'a Guard) -> Self {
        let (tables, free, decided, expected) = (HashMap::new(), HashSet::new(), HashMap::new(), HashMap::new());
        Self { guard, tables, free, decided, expected, incomplete: None, is_hidden: false }
    }

    /// Why this run will not do, once that is so.
    pub(super) fn incomplete(&self) -> Option<Incomplete> {
        self.incomplete
    }

    /// Takes a stop and its events in, after they have been witnessed.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop, events: &[&Event], tasks: &Tasks, witness: &mut Witness) {
        self.free.remove(&task);
        for event in events {
            if let Event::Called { task, call, outcome: CallOutcome::Returned(value), answers } = event {
                self.returned(*task, call, answers, *value, witness);
            }
        }
        match *stop {
            // Strict mode would even be refused where there is a filter: seccomp_may_assign_mode(), kernel/seccomp.c.
            Stop::Entry(call) if effect(&call, &Memory::default()) == Effect::Filters && !tasks.is_launching(task) => {
                self.incomplete = Some(Incomplete::OwnFilter);
            }
            Stop::Entry(call) if Marker::of(&call).is_some() => self.incomplete = Some(Incomplete::Phases),
            Stop::Spawning { child, .. } => self.spawned(task, child, events),
            Stop::Exec { former, privileged } => {
                // What was borne still is: fds are closed, and none is opened.
                let former = self.tables.remove(&former);
                self.tables.insert(task, Unborne::default());
                if former.is_none_or(|former| !former.borrow().is_empty()) {
                    self.look_at_all(task, witness);
                }
                if privileged {
                    self.incomplete = Some(Incomplete::Privileges);
                }
            }
            Stop::Ended(_) => drop(self.tables.remove(&task)),
            _ => {}
        }
    }

    /// Something may stay unseen: where a child's tracer would have to answer, the child has none.
    pub(super) fn hide(&mut self, spot: BlindSpot) {
        if spot == BlindSpot::UntracedChild {
            self.incomplete = Some(Incomplete::Untraced);
        }
    }

    /// Where this task stops next. One that nobody announced has fds that nobody knows.
    pub(super) fn pace(&mut self, task: Tid, tasks: &Tasks, witness: &mut Witness) -> Pace {
        if !self.tables.contains_key(&task) && !tasks.is_launching(task) {
            self.tables.insert(task, Unborne::default());
            self.look_at_all(task, witness);
        }
        if self.may_run_free(task, tasks) {
            self.free.insert(task);
            return Pace::Filtered;
        }
        Pace::EveryCall
    }

    /// Whether the filter alone will do. In a call that was told its result is awaited.
    fn may_run_free(&self, task: Tid, tasks: &Tasks) -> bool {
        let is_borne = self.tables.get(&task).is_some_and(|unborne| unborne.borrow().is_empty());
        is_borne && !self.is_hidden && tasks.call(task).is_none() && !tasks.is_launching(task)
    }

    /// Whether a call that the filter stopped is no news, so that its result need not be awaited.
    pub(super) fn settles(&mut self, task: Tid, call: &Call, tasks: &Tasks, witness: &mut Witness) -> bool {
        self.may_run_free(task, tasks)
            && answers::memory(call).is_none()
            && self.guard.settles_before(call)
            && match effect(call, &Memory::default()) {
                Effect::None | Effect::Looks => self.is_no_news(task, call, witness),
                Effect::Opens | Effect::OpensTwo(_) => self.opens_nothing_new(task, call, witness),
                _ => false,
            }
    }

    fn is_no_news(&mut self, task: Tid, call: &Call, witness: &mut Witness) -> bool {
        match answers::object(call, &Memory::default()) {
            None => self.guard.expects(call, None),
            Some(question) => self.expects(call, &witness.look(task, &question)),
        }
    }

    /// Also if it fails.
    fn expects(&mut self, call: &Call, sight: &Sight) -> bool {
        let object = match sight {
            Sight::Object(object) => Some(object),
            Sight::Nothing => None,
            // Its result tells more.
            Sight::Unknown => return false,
        };
        let decide =
            || self.guard.expects(call, None) && object.is_none_or(|object| self.guard.expects(call, Some(object)));
        match Guard::likeness(call) {
            Some(likeness) => *self.expected.entry((likeness, object.cloned())).or_insert_with(decide),
            None => decide(),
        }
    }

    /// Whether what this call opens, duplicates or makes is known before, expected, and of a kind that is borne whichever fd it gets.
    fn opens_nothing_new(&mut self, task: Tid, call: &Call, witness: &mut Witness) -> bool {
        let (sight, access) = match (answers::opening(call), answers::object(call, &Memory::default())) {
            (Some(opening), _) => match witness.look_at(task, &opening.place) {
                Sight::Nothing if opening.makes => return false,
                // What its link leads to is known of an fd only.
                Sight::Object(object) if needs_its_path(&object) => return false,
                sight => (sight, Access { reads: opening.reads, writes: opening.writes }),
            },
            (None, Some(Question::Fd(fd))) => (witness.look(task, &Question::Fd(fd)), access(task, fd)),
            (None, Some(_)) => return false,
            (None, None) => (made(call).map_or(Sight::Unknown, Sight::Object), Access::BOTH),
        };
        if !self.expects(call, &sight) {
            return false;
        }
        let Sight::Object(object) = sight else { return true };
        self.decide(becomes(call).map_or(Class::Any, |fd| self.guard.class(fd)), &object, access)
    }

    fn returned(&mut self, task: Tid, call: &Call, answers: &Answers, value: i64, witness: &mut Witness) {
        let memory = &answers.memory;
        match effect(call, memory) {
            // Of a filter its entry was enough.
            Effect::None | Effect::Looks | Effect::Spawns | Effect::Filters => {}
            Effect::Closes(fd) => self.closed(task, fd),
            Effect::Opens => {
                let fd = i32::try_from(value).unwrap_or(-1);
                let is_answered = answers::object(call, memory) == Some(Question::Returned);
                match answers.object.clone().filter(|_| is_answered) {
                    Some(object) => self.opened(task, fd, Some(object)),
                    None => self.opened(task, fd, witness.fd(task, fd)),
                }
            }
            Effect::OpensTwo(address) => match read(task, address).map(u64::to_ne_bytes) {
                Some([a, b, c, d, rest @ ..]) => {
                    for fd in [[a, b, c, d], rest].map(i32::from_ne_bytes) {
                        self.opened(task, fd, witness.fd(task, fd));
                    }
                }
                None => self.look_at_all(task, witness),
            },
            Effect::Receives(header) => {
                if read(task, header.wrapping_add(CONTROL_LENGTH)) != Some(0) {
                    self.look_at_all(task, witness);
                }
            }
            Effect::Anything => {
                let effect = files::effect(call, memory);
                self.is_hidden |= effect == Some(files::Effect::Hidden);
                if effect == Some(files::Effect::Unshares) {
                    self.tables.insert(task, Unborne::default());
                }
                self.look_at_all(task, witness);
            }
        }
    }

    /// The call that made the child is over with that; one that was not told makes a child with a table of its own.
    fn spawned(&mut self, parent: Tid, child: Tid, events: &[&Event]) {
        let Some(table) = self.tables.get(&parent).cloned() else { return };
        let mut calls = events.iter().filter_map(|event| match event {
            Event::Called { task, call, .. } if *task == parent => Some(call),
            _ => None,
        });
        let shares = calls.next_back().is_some_and(|call| shares_files(call, &memory_of(parent, call)));
        let table = if shares { table } else { Rc::new(RefCell::new(table.borrow().clone())) };
        // It may have shown itself long before.
        self.tables.entry(child).or_insert(table);
    }

    /// Whatever the task's table held, this is what it holds.
    fn look_at_all(&mut self, task: Tid, witness: &mut Witness) {
        let Some(table) = self.tables.get(&task).cloned() else { return };
        let unborne = match open_fds(task) {
            Ok(fds) => fds.filter(|fd| !self.bears(task, *fd, witness.fd(task, *fd))).collect(),
            // Dead, or out of reach.
            Err(_) => BTreeSet::from([-1]),
        };
        table.replace(unborne);
        self.keep_from_others(task, &table);
    }

    fn opened(&mut self, task: Tid, fd: i32, object: Option<Object>) {
        let Some(table) = self.tables.get(&task).cloned() else { return };
        if self.bears(task, fd, object) {
            table.borrow_mut().remove(&fd);
        } else {
            table.borrow_mut().insert(fd);
            self.keep_from_others(task, &table);
        }
    }

    fn closed(&self, task: Tid, fd: i32) {
        if let Some(table) = self.tables.get(&task) {
            table.borrow_mut().remove(&fd);
        }
    }

    /// Nobody else who uses this table may run on unwatched. The task itself is stopped, and until it goes on nobody can have learnt of a new fd.
    fn keep_from_others(&mut self, task: Tid, table: &Unborne) {
        let shares = |other: &Tid| *other != task && self.tables.get(other).is_some_and(|own| Rc::ptr_eq(own, table));
        if !table.borrow().is_empty() && self.free.iter().any(shares) {
            self.incomplete = Some(Incomplete::Shared);
        }
    }

    /// Most kinds are borne however they were opened, and then nobody need ask.
    fn bears(&mut self, task: Tid, fd: i32, object: Option<Object>) -> bool {
        let class = self.guard.class(fd);
        object.is_some_and(|object| {
            self.decide(class, &object, Access::BOTH) || self.decide(class, &object, access(task, fd))
        })
    }

    fn decide(&mut self, class: Class, object: &Object, access: Access) -> bool {
        let key = (class, object.clone(), access);
        *self.decided.entry(key).or_insert_with(|| self.guard.bears(class, object, access))
    }
}

/// The fd that a call returns, where it says so itself.
fn becomes(call: &Call) -> Option<i32> {
    call.syscall.row().filter(|row| matches!(row.name, "dup2" | "dup3")).map(|_| call.args[1] as i32)
}

fn needs_its_path(object: &Object) -> bool {
    let stored = object.name.strip_prefix("file:").or_else(|| object.name.strip_prefix("dir:"));
    stored.is_some_and(is_told_by_path)
}

/// `msg_controllen` of `struct user_msghdr` on 64 bits: include/linux/socket.h.
const CONTROL_LENGTH: u64 = 40;

/// Eight bytes of a task's memory.
fn read(task: Tid, address: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    (sys::read_memory(task, address, &mut bytes) == bytes.len()).then(|| u64::from_ne_bytes(bytes))
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
