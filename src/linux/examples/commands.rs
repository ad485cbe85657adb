//! The commands of each task, from the workload down to its own process. Main type: [`Commands`].

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use crate::model::decode::NamedFolders;
use crate::model::facts::example;
use crate::model::kernel::call::Tid;

/// The most commands of a process: the workload's and those of its nearest ancestors.
const MOST: usize = 6;

/// The most bytes of a command that are read.
const BYTES: u64 = 4096;

/// What each task runs. A fork or a thread runs what its parent runs, until it executes a program.
#[derive(Debug, Default)]
pub(super) struct Commands {
    of_tasks: HashMap<Tid, Arc<[String]>>,
    /// The name of the closure that the first program runs.
    closure: Option<String>,
    is_started: bool,
}

impl Commands {
    pub(super) fn new(closure: Option<String>) -> Self {
        Self { closure, ..Self::default() }
    }

    /// Returns whether no program was executed yet.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_started
    }

    pub(super) fn spawned(&mut self, task: Tid, parent: Option<Tid>) {
        let inherited = parent.and_then(|parent| self.of_tasks.get(&parent)).cloned().unwrap_or_default();
        self.of_tasks.insert(task, inherited);
    }

    pub(super) fn ended(&mut self, task: Tid) {
        self.of_tasks.remove(&task);
    }

    /// Adds the program that a task runs from here on. A task that was a thread takes the number of
    /// its thread group's leader: execve(2).
    pub(super) fn executed(&mut self, task: Tid, former: Tid, folders: &NamedFolders) {
        let before = self.of_tasks.remove(&former).unwrap_or_default();
        let first = if std::mem::replace(&mut self.is_started, true) { None } else { self.closure.take() };
        let command = first.unwrap_or_else(|| command(task, folders));
        self.of_tasks.insert(task, extended(&before, command));
    }

    /// Returns the commands of a task.
    pub(super) fn of(&self, task: Tid) -> Vec<String> {
        self.of_tasks.get(&task).map(|commands| commands.to_vec()).unwrap_or_default()
    }
}

/// Appends a command, unless it repeats the last one. Above the limit, the second one is removed.
fn extended(before: &[String], command: String) -> Arc<[String]> {
    let mut all = before.to_vec();
    if all.last() != Some(&command) {
        all.push(command);
    }
    if all.len() > MOST {
        all.remove(1);
    }
    all.into()
}

/// Returns the command of a task that has just executed a program: proc_pid_cmdline(5).
fn command(task: Tid, folders: &NamedFolders) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is left out.
    let _ = File::open(format!("/proc/{task}/cmdline")).and_then(|file| file.take(BYTES).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(bytes.strip_suffix(b"\0").unwrap_or(&bytes)).into_owned();
    let words: Vec<String> = text.split('\0').map(|word| folders.named(word)).collect();
    example::command(words.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workload_and_nearest_commands_stay() {
        let all = ["a", "b", "b", "c", "d", "e", "f", "g"];
        let commands = all.iter().fold(Arc::from([]), |before, command| extended(&before, (*command).to_owned()));
        assert_eq!(&*commands, ["a", "c", "d", "e", "f", "g"]);
    }

    #[test]
    fn task_has_the_commands_of_its_parent_until_it_executes() {
        let mut commands = Commands::new(Some("closure".to_owned()));
        let folders = NamedFolders::default();
        let own = crate::linux::sys::gettid();
        commands.spawned(1, None);
        assert!(commands.is_empty() && commands.of(1).is_empty());
        commands.executed(1, 1, &folders);
        commands.spawned(2, Some(1));
        commands.spawned(own, Some(2));
        commands.ended(2);
        assert_eq!(commands.of(own), ["closure"]);
        commands.executed(own, own, &folders);
        assert_eq!(commands.of(own).len(), 2);
        assert_eq!(commands.of(1), ["closure"]);
        assert_eq!(commands.of(2), [""; 0]);
    }
}
