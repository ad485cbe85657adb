//! Runs a workload by a function of the caller, in the environment that a test gives it. Main type:
//! [`RunBy`].

use super::runnable::Obstacle;
use super::suite::{Case, Suite};
use crate::linux::{Command, Limits};
use crate::model::run::workload::Exit;

/// A run of a workload by a function that starts its command.
#[derive(Debug)]
pub struct RunBy<T> {
    /// What the function returned.
    pub result: T,
    /// The last output of the workload, from standard output and standard error.
    pub output: String,
    /// Whether it ended as its document says.
    pub ended_well: bool,
}

/// Why a workload was not run: its file cannot be used, a program that it needs is not installed,
/// or it could not be built or started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRun(pub String);

impl Suite {
    /// Runs a workload by `run` in a fresh scratch directory. `exit` returns how the first process
    /// ended. The workload's targets must have been built.
    ///
    /// # Errors
    ///
    /// [`NotRun`].
    pub fn run_by<T>(
        &self,
        case: &Case,
        run: impl FnOnce(Command, &Limits) -> T,
        exit: impl FnOnce(&T) -> Option<Exit>,
    ) -> Result<RunBy<T>, NotRun> {
        let unusable = |unreadable: &super::Unreadable| NotRun(unreadable.message.clone());
        let document = &case.content.as_ref().map_err(unusable)?.expectation.document;
        let prepared = self.prepare(document)?;
        let (result, output) = prepared.start(|command, limits, _| Ok(run(command, limits)))?;
        let ended_well = exit(&result).is_some_and(|exit| prepared.ended_well(exit));
        Ok(RunBy { result, output, ended_well })
    }
}

impl From<Obstacle> for NotRun {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Absent(reason)
            | Obstacle::NotStarted(reason)
            | Obstacle::Untraceable(reason)
            | Obstacle::Broken(reason)
            | Obstacle::Unguarded(reason) => Self(reason),
        }
    }
}
