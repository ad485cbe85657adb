//! The door where there is no Linux: nothing can be traced, and everything else goes on without.
//! Its names are those of the others.

use std::io;
use std::path::Path;

use super::{Command, Limits, NEEDED, Outcome, TraceError};
use crate::model::guard::{Guard, Inherited};
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::CallSite;
use crate::model::text::remains::Remains;
use crate::model::trace::event::Event;
use crate::model::trace::gate::{Gate, GateState};
use crate::model::trace::marker::Marker;

fn impossible<T>() -> Result<T, TraceError> {
    Err(TraceError::Impossible { reason: NEEDED.unwrap_or_default().to_owned() })
}

/// Impossible here.
///
/// # Errors
///
/// Always.
pub fn trace(_: Command, _: &Limits, _: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    impossible()
}

/// Impossible here.
///
/// # Errors
///
/// Always.
pub fn trace_guarded(_: Command, _: &Limits, _: &Guard, _: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    impossible()
}

/// Impossible here.
///
/// # Errors
///
/// Always.
pub fn trace_notified(_: Command, _: &Limits, _: &mut (dyn FnMut(&Event) + Send)) -> Result<Outcome, TraceError> {
    impossible()
}

/// Nothing is traced here, so no program has to be told apart.
pub fn mark_harness() {}

/// Nothing is traced here, so no program has to be told apart.
///
/// # Errors
///
/// Never.
pub fn may_be_harness(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The one gate that is in the way.
pub fn probe(_rustflags: &str) -> Vec<Gate> {
    let found = NEEDED.unwrap_or_default().to_owned();
    vec![Gate { name: "ptrace", state: GateState::Closed, found, remedies: Vec::new() }]
}

/// Nobody is started here.
pub fn inherited(_: &Command) -> Inherited {
    Inherited::new()
}

/// Nobody.
#[derive(Debug, Default)]
pub struct Callers(());

impl Callers {
    /// Who calls: not known here.
    pub fn of(&mut self, _: Tid) -> CallSite {
        CallSite::default()
    }
}

/// What is left to the system here.
#[derive(Debug)]
pub struct KeptTerminal(());

/// Leaves it to the system.
///
/// # Errors
///
/// Never.
pub fn keep_terminal() -> io::Result<KeptTerminal> {
    Ok(KeptTerminal(()))
}

/// There are no jobs to stop.
pub fn suspend_job() -> io::Result<()> {
    Ok(())
}

impl KeptTerminal {
    /// Nothing was kept.
    pub fn restore(&self) {}
}

/// Nothing is run that could want them.
///
/// # Errors
///
/// Never.
pub fn leave_signals_to_workload() -> io::Result<()> {
    Ok(())
}

/// Does nothing: no process is started here that would need it.
///
/// # Errors
///
/// Never.
pub fn block_ending_signals() -> io::Result<()> {
    Ok(())
}

/// Removes a folder and all that is in it. No workload runs here, so only this project writes
/// there.
///
/// # Errors
///
/// Why it could not be removed.
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

/// Nobody could hear it.
pub fn mark(_: &Marker) {}

/// This one, as far as anybody wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Machine {
    /// Nobody asks.
    pub fn kernel_release() -> String {
        String::new()
    }

    /// There is none.
    pub fn glibc_version() -> Option<String> {
        None
    }

    /// As many as there are.
    pub fn cpus() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// Any file that is there.
    pub fn may_execute(_file: &Path) -> bool {
        true
    }

    /// Nobody asks.
    pub fn user() -> String {
        String::new()
    }
}
