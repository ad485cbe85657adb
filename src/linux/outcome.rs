//! When a run ends, and what comes of it. Main types: [`Limits`] and [`Outcome`].

use std::io;
use std::time::Duration;

use crate::model::run::workload::{Exit, StopAfter};

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
    /// Why a guarded run was ended and must be made again without a guard.
    pub incomplete: Option<Incomplete>,
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
    /// The working directory could not be entered.
    #[error("cannot enter the working directory {directory}: {source}")]
    Directory {
        /// Its path.
        directory: String,
        /// What chdir(2) said.
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
    /// A task runs unwatched while another one opens what it must not use so: it cannot be stopped
    /// without being disturbed.
    #[error("its threads share what one of them opened")]
    Shared,
    /// A socket became one of another family, also where other processes hold it.
    #[error("it turns a socket into one of another family")]
    Changed,
    /// "[…] if there is no tracer, the system call is not executed and returns a failure status
    /// with errno set to ENOSYS", SECCOMP_RET_TRACE in seccomp(2).
    #[error("it makes a child that cannot be traced")]
    Untraced,
}
