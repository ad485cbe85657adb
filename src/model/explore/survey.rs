//! What a run without an injection shows of each call. Main type: [`Survey`].

use crate::model::attribution::Use;
use crate::model::explore::injection::CallPoint;
use crate::model::explore::run::RunResult;
use crate::model::facts::example::Example;
use crate::model::kernel::call::CallOutcome;
use crate::model::observe::call_site::CallSite;
use crate::model::observe::observation::Observation;

/// A run without an injection, with its calls.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The calls, in the order in which they were made.
    pub calls: Vec<SurveyedCall>,
    /// What the run used.
    pub observation: Observation,
    /// What the run did for others to see.
    pub result: RunResult,
}

/// One call of a survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyedCall {
    /// Where it is in the run.
    pub point: CallPoint,
    /// What it used: syscall, argument and object.
    pub used: Use,
    /// Its argument registers at the entry.
    pub args: [u64; 6],
    /// Whether its fd is in non-blocking mode (O_NONBLOCK); `None` if it has no fd or this is not
    /// known.
    pub nonblocking: Option<bool>,
    /// Its result.
    pub outcome: CallOutcome,
    /// The number of frames of its stack.
    pub depth: usize,
    /// Whether the dynamic loader made it: every frame is the loader's.
    pub by_loader: bool,
    /// Whether several tasks make the call on this stack while both live. Then it depends on the
    /// scheduler which of them makes the n-th call.
    pub is_shared: bool,
    /// The call as text, and its process.
    pub example: Example,
    /// Its stack with names.
    pub site: CallSite,
}
