//! Stubs for systems other than Linux: tracing fails, and everything else works without it. The
//! names are those of the Linux modules.

use std::io;
use std::path::Path;

use super::{Command, Limits, NEEDED, Outcome, TraceError, Watcher, Watching};
use crate::model::decode::NamedFolders;
use crate::model::facts::example::Example;
use crate::model::guard::Inherited;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::text::remains::Remains;
use crate::model::trace::event::Event;
use crate::model::trace::marker::Marker;
use crate::model::trace::prerequisite::{Prerequisite, PrerequisiteState};

fn impossible<T>() -> Result<T, TraceError> {
    Err(TraceError::Impossible { reason: NEEDED.unwrap_or_default().to_owned() })
}

/// Fails: tracing needs Linux.
///
/// # Errors
///
/// Always.
pub fn trace(_: Command, _: &Limits, _: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    impossible()
}

/// Fails: tracing needs Linux.
///
/// # Errors
///
/// Always.
pub fn watch(_: Command, _: &Limits, _: Watching<'_>, _: &mut dyn Watcher) -> Result<Outcome, TraceError> {
    impossible()
}

/// Fails: tracing needs Linux.
///
/// # Errors
///
/// Always.
pub fn watch_notified(_: Command, _: &Limits, _: &mut (dyn Watcher + Send)) -> Result<Outcome, TraceError> {
    impossible()
}

/// Does nothing: programs are not traced here, so harnesses need not be recognized.
pub fn mark_harness() {}

/// Does nothing: programs are not traced here, so harnesses need not be recognized.
///
/// # Errors
///
/// Never.
pub fn may_be_harness(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Returns one prerequisite, which is not met: tracing needs Linux.
pub fn probe(_rustflags: &str) -> Vec<Prerequisite> {
    let found = NEEDED.unwrap_or_default().to_owned();
    vec![Prerequisite { name: "ptrace", state: PrerequisiteState::Unmet, found, remedies: Vec::new() }]
}

/// Returns no fds: no command is started here.
pub fn inherited(_: &Command) -> Inherited {
    Inherited::new()
}

/// Knows no examples.
#[derive(Debug, Default)]
pub struct CallExamples(());

impl CallExamples {
    /// Returns nothing that shows calls.
    pub fn new(_: NamedFolders, _: Option<String>) -> Self {
        Self(())
    }

    /// Does nothing.
    pub fn event(&mut self, _: &Event) {}

    /// Does nothing.
    pub fn restart(&mut self) {}

    /// Does nothing.
    pub fn entered(&mut self, _: Tid, _: &Call, _: impl FnOnce(Syscall) -> bool) {}

    /// Does nothing.
    pub fn executed(&mut self, _: Tid, _: Tid) {}

    /// Does nothing.
    pub fn renumbered(&mut self, _: Tid, _: Tid) {}

    /// Returns no commands.
    pub fn process(&self, _: Tid) -> Vec<String> {
        Vec::new()
    }

    /// Returns an empty example.
    pub fn of(&mut self, _: Tid, _: &Call, _: CallOutcome) -> Example {
        Example::default()
    }
}

/// Holds no modes.
#[derive(Debug)]
pub struct KeptTerminal(());

/// Does nothing.
///
/// # Errors
///
/// Never.
pub fn keep_terminal() -> io::Result<KeptTerminal> {
    Ok(KeptTerminal(()))
}

/// Does nothing: there is no job control.
pub fn suspend_job() -> io::Result<()> {
    Ok(())
}

impl KeptTerminal {
    /// Does nothing: no modes were saved.
    pub fn restore(&self) {}
}

/// Does nothing: no workload runs here.
///
/// # Errors
///
/// Never.
pub fn leave_signals_to_workload() -> io::Result<()> {
    Ok(())
}

/// Does nothing: no process that needs it is started here.
///
/// # Errors
///
/// Never.
pub fn block_ending_signals() -> io::Result<()> {
    Ok(())
}

/// Removes a folder and its content. No workload runs here, so only this project writes there.
///
/// # Errors
///
/// Why the folder could not be removed.
pub fn remove_tree(folder: &Path) -> Result<(), Remains> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Remains {
            folder: folder.display().to_string(),
            first: String::new(),
            reason: error.to_string(),
            entries: 1,
        }),
        _ => Ok(()),
    }
}

/// Does nothing: there is no tracer.
pub fn mark(_: &Marker) {}

/// This machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Machine {
    /// Returns an empty string: not used here.
    pub fn kernel_release() -> String {
        String::new()
    }

    /// Returns `None`.
    pub fn glibc_version() -> Option<String> {
        None
    }

    /// Returns the number of CPUs.
    pub fn cpus() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// Returns `true` for any file.
    pub fn may_execute(_file: &Path) -> bool {
        true
    }

    /// Returns an empty string: not used here.
    pub fn user() -> String {
        String::new()
    }
}
