//! The limits of a run and its result. Main types: [`Limits`] and [`Outcome`].

use std::io;
use std::time::Duration;

use crate::model::run::workload::{Exit, StopAfter};

/// When the tracer ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the run may take. After that the whole tree is killed, and the result is
    /// [`Exit::TimedOut`].
    pub timeout: Option<Duration>,
    /// When to signal the first process to end, and by which signal.
    pub stop: Option<StopAfter>,
    /// How long other processes may outlive the first one before they are killed.
    pub grace: Duration,
}

/// The result of a traced run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How the first process ended.
    pub exit: Exit,
    /// Number of events known to be missing; anything but 0 is an error.
    pub lost_events: u64,
    /// Number of tasks that outlived the first process and were killed after the grace period.
    pub killed_stragglers: u64,
    /// Why a guarded run was ended and must be repeated without a guard.
    pub incomplete: Option<Incomplete>,
}

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The program was found but could not be executed: exit status 126 of `trace`.
    #[error("cannot execute {program}: {source}")]
    Exec {
        /// The path of the program.
        program: String,
        /// The error of execve(2).
        source: io::Error,
    },
    /// The working directory could not be entered.
    #[error("cannot enter the working directory {directory}: {source}")]
    Directory {
        /// The path of the directory.
        directory: String,
        /// The error of chdir(2).
        source: io::Error,
    },
    /// Tracing is impossible here.
    #[error("cannot trace: {reason}")]
    Impossible {
        /// Which prerequisite is not met, and how to meet it.
        reason: String,
    },
    /// The processes of a command could not be found, so nothing was run.
    #[error("cannot find the processes of a command: {reason}\nhelp: mount -t proc proc /proc")]
    Unfindable {
        /// What is wrong with `/proc`.
        reason: &'static str,
    },
    /// A system call failed that must succeed.
    #[error("cannot {operation}: {source}")]
    System {
        /// The operation that failed, as a verb phrase.
        operation: &'static str,
        /// The error of the system call.
        source: io::Error,
    },
}

/// Why a guarded run would be incomplete and must be repeated under the ptrace engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The workload has a seccomp filter of its own, which may answer before ours.
    #[error("it has a seccomp filter of its own")]
    OwnFilter,
    /// A program would get more privileges without a tracer.
    #[error("it runs a set-user-ID program")]
    Privileges,
    /// The workload marks phases, and a call that runs natively has no known phase.
    #[error("it names phases")]
    Phases,
    /// A task runs natively while another task opens an fd that needs checks. The first task cannot
    /// be stopped without disturbing it.
    #[error("its threads share an fd that needs checks")]
    Shared,
    /// A socket changed its family; other processes may hold it too.
    #[error("it changes the address family of a socket")]
    Changed,
    /// "[…] if there is no tracer, the system call is not executed and returns a failure status
    /// with errno set to ENOSYS", SECCOMP_RET_TRACE in seccomp(2).
    #[error("it starts a child that cannot be traced")]
    Untraced,
}
