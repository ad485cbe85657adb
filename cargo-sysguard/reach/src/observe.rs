//! Runs a program once under the tracer: which calls it makes, and which files it maps as code.
//! Main function: [`observe`].
//!
//! Only processes that execute the program count. Other programs that it starts have a reach of
//! their own.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sysguard::unstable::linux::{Command, Limits, TraceError, Watcher, Watching, watch};
use sysguard::unstable::model::kernel::call::{Call, CallOutcome, Tid};
use sysguard::unstable::model::kernel::syscall::Syscall;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::trace::event::Event;

use crate::uapi::PROT_EXEC;

/// What a run of a program showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The calls of processes that execute the program.
    pub calls: BTreeSet<Syscall>,
    /// The files that such a process mapped as code.
    pub mapped: BTreeSet<PathBuf>,
    /// Whether such a process mapped memory as code that is of no file.
    pub generates_code: bool,
    /// Whether a process of the run executed another program.
    pub executed_others: bool,
    /// How the run ended.
    pub exit: Exit,
    /// The number of processes that outlived the first one and were killed.
    pub killed_stragglers: u64,
    /// The number of events that were lost; anything but 0 is an error.
    pub lost_events: u64,
}

/// Runs a command once. `program` is the file that counts.
///
/// # Errors
///
/// If the command cannot be started or traced.
pub fn observe(command: Command, program: &Path, limits: &Limits) -> Result<Observed, TraceError> {
    let mut watcher = ProgramWatcher { program: FileId::of(program), ..ProgramWatcher::default() };
    let outcome = watch(command, limits, Watching::EveryCall, &mut watcher)?;
    let ProgramWatcher { calls, code, executed_others, .. } = watcher;
    Ok(Observed {
        calls,
        mapped: code.files,
        generates_code: code.is_generated,
        executed_others,
        exit: outcome.exit,
        killed_stragglers: outcome.killed_stragglers,
        lost_events: outcome.lost_events,
    })
}

/// Device and inode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self(metadata.dev(), metadata.ino()))
    }

    /// Returns the file that a task executes. The link works for a file that was removed, too.
    fn executed_by(task: Tid) -> Option<Self> {
        Self::of(Path::new(&format!("/proc/{task}/exe")))
    }
}

/// Collects the calls of tasks that execute one program.
#[derive(Debug, Default)]
struct ProgramWatcher {
    program: Option<FileId>,
    tasks: HashSet<Tid>,
    calls: BTreeSet<Syscall>,
    code: MappedCode,
    executed_others: bool,
}

impl ProgramWatcher {
    /// Learns which program a task executes now.
    fn look(&mut self, task: Tid) {
        if self.program.is_some() && FileId::executed_by(task) == self.program {
            self.tasks.insert(task);
            self.code.add(&maps(task));
        } else {
            self.tasks.remove(&task);
        }
    }
}

impl Watcher for ProgramWatcher {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Spawned { task, parent, .. } => match parent {
                // A child executes the program of its parent.
                Some(parent) if self.tasks.contains(parent) => drop(self.tasks.insert(*task)),
                Some(_) => drop(self.tasks.remove(task)),
                None => self.look(*task),
            },
            Event::Called { task, call, outcome: CallOutcome::Returned(_), .. }
                if self.tasks.contains(task) && maps_code(call) =>
            {
                self.code.add(&maps(*task));
            }
            Event::Ended { task, .. } => drop(self.tasks.remove(task)),
            _ => {}
        }
    }

    /// Counts a call at its entry: at the end of execve(2) its task executes another program.
    fn entered(&mut self, task: Tid, call: &Call) {
        if self.tasks.contains(&task) {
            self.calls.insert(call.syscall);
        }
    }

    fn executed(&mut self, task: Tid, former: Tid) {
        self.tasks.remove(&former);
        self.look(task);
        self.executed_others |= !self.tasks.contains(&task);
    }
}

/// Returns whether a call may map memory as code.
fn maps_code(call: &Call) -> bool {
    let maps = matches!(&*call.syscall.name(), "mmap" | "mmap2" | "mprotect" | "pkey_mprotect");
    maps && call.args[2] & PROT_EXEC != 0
}

/// Returns the mappings of a task; empty if it is gone.
fn maps(task: Tid) -> String {
    fs::read(format!("/proc/{task}/maps")).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}

/// What is mapped as code.
#[derive(Debug, Default, PartialEq, Eq)]
struct MappedCode {
    files: BTreeSet<PathBuf>,
    is_generated: bool,
}

/// Memory that the kernel maps as code into every program.
const OF_KERNEL: [&str; 2] = ["[vdso]", "[vsyscall]"];

impl MappedCode {
    /// Adds the executable mappings of proc_pid_maps(5):
    /// `55d0-55e0 r-xp 00002000 fe:00 123    /usr/bin/demo`.
    fn add(&mut self, maps: &str) {
        for line in maps.lines() {
            let mut words = line.splitn(6, ' ');
            let is_code = words.nth(1).is_some_and(|protection| protection.contains('x'));
            let path = words.nth(3).unwrap_or_default().trim_start();
            if !is_code || OF_KERNEL.contains(&path) {
                continue;
            }
            // Memory of a memfd is written by the program itself, and `//anon` is no path.
            if path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/memfd:") {
                // The kernel escapes line breaks only: seq_file_path() in fs/proc/task_mmu.c.
                self.files.insert(PathBuf::from(path.replace("\\012", "\n")));
            } else {
                self.is_generated = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;
