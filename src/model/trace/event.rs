//! What tracing hands onward: [`Event`] is the only thing that leaves it.
//!
//! Events are plain data about tracees. They must not carry handles of the system, and nobody
//! prints here.

use crate::model::attribution::Answers;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::run::workload::Exit;

/// One fact about the tracees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A task came to be; the first one has no parent.
    Spawned {
        /// The new task.
        task: Tid,
        /// Who made it, where that is known.
        parent: Option<Tid>,
        /// It leads a thread group of its own (a process), or joined its parent's (a thread).
        process: bool,
    },
    /// A call is over: it returned, or never will.
    Called {
        /// The calling task.
        task: Tid,
        /// What was called with what.
        call: Call,
        /// What came of it.
        outcome: CallOutcome,
        /// What its registers alone do not tell; empty where nobody asked.
        answers: Answers,
    },
    /// A task is gone.
    Ended {
        /// Which.
        task: Tid,
        /// How.
        exit: Exit,
    },
    /// Something may have stayed unseen.
    Blind(BlindSpot),
}
