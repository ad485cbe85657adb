//! Keeps calls as examples: decoded text, and the commands of the process. Main type:
//! [`CallExamples`].
//!
//! Decoding is slow compared to a stop, so it is used for new uses only. Most arguments are intact
//! at the exit, where it is known whether the use is new. The first call of each name that may be
//! new is decoded at its entry, and so is every execve: it replaces the memory with its arguments.

mod commands;

use std::collections::HashMap;
use std::fmt;

use self::commands::Commands;
use super::log::task::StoppedTask;
use crate::model::decode::{EnteredCall, NamedFolders};
use crate::model::facts::example::Example;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::trace::event::Event;

/// More than the largest number of a call under any ABI, without the bit of x32.
const NUMBERS: usize = 1024;

/// The examples of one run.
pub struct CallExamples {
    folders: NamedFolders,
    commands: Commands,
    /// Which calls are decoded at the entry, by number.
    at_entry: Box<[AtEntry; NUMBERS]>,
    /// The calls that were decoded at their entry and have not ended.
    entered: HashMap<Tid, Entered>,
    /// The call of a thread that changes its number, until the end of the call is reported.
    moved: Option<(Tid, Entered)>,
}

/// A call at its entry.
struct Entered {
    call: Call,
    decoded: EnteredCall,
    process: Vec<String>,
}

/// Whether the next call with a number is decoded at its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtEntry {
    /// It is the first one.
    First,
    Never,
    Always,
}

impl fmt::Debug for CallExamples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallExamples").field("entered", &self.entered.len()).finish_non_exhaustive()
    }
}

impl CallExamples {
    /// Starts a run. Folders are shown by their names, and the first process by the name of its
    /// closure, if it runs one.
    pub fn new(folders: NamedFolders, closure: Option<String>) -> Self {
        let at_entry = Box::new([AtEntry::First; NUMBERS]);
        Self { commands: Commands::new(closure), folders, at_entry, entered: HashMap::new(), moved: None }
    }

    /// Takes an event, after [`Self::of`] for the same event.
    pub fn event(&mut self, event: &Event) {
        match *event {
            Event::Spawned { task, parent, .. } => self.commands.spawned(task, parent),
            Event::Called { task, .. } if !self.entered.is_empty() => drop(self.entered.remove(&task)),
            Event::Ended { task, .. } => {
                self.commands.ended(task);
                self.entered.remove(&task);
            }
            Event::Called { .. } | Event::Blind(_) | Event::Handled { .. } => {}
        }
    }

    /// Forgets which calls were made: from here on others count.
    pub fn restart(&mut self) {
        self.at_entry.fill(AtEntry::First);
    }

    /// Looks at a call at its entry. `may_be_new` says whether calls of its name can be new.
    pub fn entered(&mut self, task: Tid, call: &Call, may_be_new: impl FnOnce(Syscall) -> bool) {
        let Some(at_entry) = self.at_entry.get_mut(call.syscall.number as usize % NUMBERS) else { return };
        match *at_entry {
            AtEntry::Never => return,
            AtEntry::First => {
                let replaces_memory = matches!(&*call.syscall.name(), "execve" | "execveat");
                *at_entry = if replaces_memory { AtEntry::Always } else { AtEntry::Never };
                if !replaces_memory && !may_be_new(call.syscall) {
                    return;
                }
            }
            AtEntry::Always => {}
        }
        let decoded = EnteredCall::new(call, &StoppedTask(task), &self.folders);
        self.entered.insert(task, Entered { call: *call, decoded, process: self.commands.of(task) });
    }

    /// Keeps the call of a thread that executes a program and so takes the number of its process:
    /// ptrace(2) reports the end of the call under the new number.
    pub fn renumbered(&mut self, task: Tid, former: Tid) {
        self.moved = self.entered.remove(&former).map(|entered| (task, entered));
    }

    /// Handles an execve; its exit follows, under the task's new number.
    pub fn executed(&mut self, task: Tid, former: Tid) {
        if self.commands.is_empty() {
            // The calls of the launcher do not count.
            self.restart();
        }
        self.commands.executed(task, former, &self.folders);
        if former != task {
            self.entered.remove(&task);
            self.entered.extend(self.moved.take());
        }
    }

    /// Returns the commands of a task.
    pub fn process(&self, task: Tid) -> Vec<String> {
        self.commands.of(task)
    }

    /// Returns a call that has ended, or is about to be made, as an example.
    pub fn of(&mut self, task: Tid, call: &Call, outcome: CallOutcome) -> Example {
        let view = StoppedTask(task);
        let is_moved = self.moved.as_ref().is_some_and(|(number, entered)| *number == task && entered.call == *call);
        let moved = if is_moved { self.moved.take().map(|(_, entered)| entered) } else { None };
        let entered = moved.or_else(|| self.entered.remove(&task)).filter(|entered| entered.call == *call);
        let (decoded, mut process) = match entered {
            Some(Entered { decoded, process, .. }) => (decoded, process),
            None => (EnteredCall::new(call, &view, &self.folders), Vec::new()),
        };
        // The first execve makes the workload.
        if process.is_empty() {
            process = self.commands.of(task);
        }
        let result = (outcome != CallOutcome::Unknown).then(|| decoded.result(outcome, &view, &self.folders));
        let text = decoded.call(outcome, &view, &self.folders);
        Example::new(&text, result.as_deref(), process)
    }
}
