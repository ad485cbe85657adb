//! The lines of a log, before they are formatted. Main type: [`Logged`].

use std::time::Duration;

use crate::model::attribution::Answers;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::run::workload::Exit;

/// One line of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged<'a> {
    /// The task that it is about.
    pub task: Tid,
    /// The program that the task runs, as the kernel names it: at most 15 bytes of its file name.
    pub program: &'a str,
    /// The time from the start of the run until this happened; for a call, until its entry.
    pub since_start: Duration,
    /// What happened.
    pub what: Happening<'a>,
}

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening<'a> {
    /// A call is over.
    Called {
        /// The call with its arguments.
        text: &'a str,
        /// Its result.
        result: &'a str,
        /// The time from its entry to its exit, as the tracer saw it.
        took: Duration,
        /// It was reported as unfinished before.
        is_resumed: bool,
    },
    /// A call has not ended for a while.
    Unfinished {
        /// The call with its arguments.
        text: &'a str,
    },
    /// A signal is about to be delivered.
    Signal(i32),
    /// A thread has ended because another one executed a program.
    Superseded {
        /// The thread that executed it.
        by: Tid,
    },
    /// The task has ended.
    Ended(Exit),
}

/// A call with the time that it took, before it is filtered or decoded.
#[derive(Debug, Clone, Copy)]
pub struct TimedCall<'a> {
    /// The call.
    pub call: &'a Call,
    /// Its result.
    pub outcome: CallOutcome,
    /// What attribution knows about it.
    pub answers: &'a Answers,
    /// The time from its entry to its exit, as the tracer saw it.
    pub took: Duration,
}
