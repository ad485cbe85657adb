//! The one door: start a command, follow its whole tree, hand every event on.

use std::io;
use std::time::Duration;

use super::launch::Command;
use crate::model::event::Event;
use crate::model::workload::{Exit, StopAfter};

/// When a run is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the run may take; then all of it is killed and [`Exit::TimedOut`] is its end.
    pub timeout: Option<Duration>,
    /// When and how the first process is asked to end.
    pub stop: Option<StopAfter>,
    /// How long other processes may outlive the first one before they are killed.
    pub grace: Duration,
}

/// What came of a traced run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How the first process ended.
    pub exit: Exit,
    /// Events known to be missing: other than 0 is an error.
    pub lost_events: u64,
    /// Tasks that outlived the first process and were killed when the grace was over.
    pub killed_stragglers: u64,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The program was found but could not be executed: exit status 126 of `trace`.
    #[error("cannot execute {program}: {source}")]
    Exec {
        /// The file.
        program: String,
        /// What execve(2) said.
        source: io::Error,
    },
    /// Tracing is impossible here.
    #[error("cannot trace: {reason}")]
    Impossible {
        /// Which gate is closed, and what opens it.
        reason: String,
    },
    /// The system refused something that must work.
    #[error("cannot {operation}: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs the command, hands every event of its whole tree to `sink`, and returns when no task of it is left.
pub fn trace(_command: Command, _limits: &Limits, _sink: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    Err(TraceError::Impossible { reason: "not built yet".to_owned() })
}
