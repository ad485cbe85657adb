//! The output of tracing. Main type: [`Event`].
//!
//! Events are plain data about tracees. They must not carry OS handles, and nothing is printed
//! here.

use crate::model::attribution::Answers;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::run::workload::Exit;

/// One fact about the tracees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A task was created; the first one has no parent.
    Spawned {
        /// The new task.
        task: Tid,
        /// The task that made it, if known.
        parent: Option<Tid>,
        /// True for the leader of a new thread group (a process), false for a thread of its
        /// parent's group.
        process: bool,
    },
    /// A call is over: it has returned, or never will.
    Called {
        /// The calling task.
        task: Tid,
        /// The syscall and its arguments.
        call: Call,
        /// Its result.
        outcome: CallOutcome,
        /// Answers to questions beyond the registers; empty if none was asked.
        answers: Answers,
    },
    /// A task has ended.
    Ended {
        /// The task.
        task: Tid,
        /// Its exit status or signal. That of a leader is the one of its whole thread group.
        exit: Exit,
        /// Whether sysguard killed it.
        by_tracer: bool,
    },
    /// A handler takes a signal.
    Handled {
        /// The task that runs the handler.
        task: Tid,
        /// The number of the signal.
        signal: i32,
    },
    /// Something may not have been seen.
    Blind(BlindSpot),
}
