//! Replays one injection of a workload. Main type: [`NotReplayed`].

use super::Surveys;
use super::attempts::with_result;
use super::runs::{NotExplored, Replay};
use crate::model::explore::outcome::Ended;
use crate::model::explore::plan::{Plan, PlanOptions, Step};
use crate::model::facts::error_path::RunOutcome;
use crate::model::judge::exploration::Replayed;
use crate::model::judge::exploration::difference::all_differences;
use crate::model::kernel::call::Tid;
use crate::model::observe::stacks;
use crate::runner::Silent;
use crate::runner::progress::ProgressGuard;
use crate::runner::suite::{Case, Suite};

/// Why an injection was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum NotReplayed {
    /// No injection of the workload has this id.
    #[error("`{0}` is no injection of this workload")]
    UnknownId(String),
    /// The workload cannot be explored.
    #[error(transparent)]
    NotExplored(#[from] NotExplored),
}

/// The number of lines of each difference that a replay shows.
const REPLAYED_LINES: usize = 200;

impl Suite {
    /// Runs a workload once with an injection. With `stopped`, its process is stopped for a
    /// debugger once the call has failed: see [`Explorer::debug`].
    ///
    /// # Errors
    ///
    /// The id is unknown, or the workload cannot be explored.
    pub fn replay(
        &self,
        case: &Case,
        id: &str,
        stopped: Option<&mut dyn FnMut(Option<Tid>)>,
    ) -> Result<Replayed, NotReplayed> {
        let explorer = self.traced_explorer(case)?;
        let runs = Surveys::make(&explorer, &ProgressGuard { progress: &Silent, workload: &case.name })?;
        let plan = Plan::new(&runs.surveys, &PlanOptions { loader: true, faults: None });
        let step = plan.step(id).ok_or_else(|| NotReplayed::UnknownId(id.to_owned()))?;
        let is_debugged = stopped.is_some();
        let Replay { attempt, call, site } = match stopped {
            Some(stopped) => explorer.debug(&step.injection, stopped)?,
            None => explorer.replay(&step.injection, runs.limit)?,
        };
        let Ended { outcome, result } = runs.outcomes.ended(&attempt);
        let differences = all_differences(runs.outcomes.expected(), &result, REPLAYED_LINES);
        let no_stack =
            site.frames.is_empty().then(|| site.missing.map_or("it was not reached", |reason| reason.name()));
        Ok(Replayed {
            id: step.id.clone(),
            workload: case.name.clone(),
            call: step.call.clone(),
            outcome: (!is_debugged).then_some(outcome),
            example: call.map(|call| with_result(call, step)),
            stack: stacks::kept(&site.frames),
            no_stack,
            accepted: self.accepted(case, step, outcome),
            differences: if is_debugged { Vec::new() } else { differences },
        })
    }

    /// Returns why the expectation accepts an outcome, if it does.
    fn accepted(&self, case: &Case, step: &Step, outcome: RunOutcome) -> Option<String> {
        let expectation = &case.content.as_ref().ok()?.expectation;
        let settings = &expectation.document.explore;
        if let Some(rule) = settings.exception(&step.call, outcome).filter(|_| outcome.is_judged()) {
            return Some(rule.why.clone().unwrap_or_else(|| "an exception accepts it".to_owned()));
        }
        let recorded = expectation.baseline(&self.platform)?.errors.as_ref()?;
        let is_held = recorded.holds(&step.call, outcome) && !settings.forbid.contains(&outcome);
        is_held.then(|| "recorded".to_owned())
    }
}
