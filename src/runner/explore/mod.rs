//! Explores the error paths of a workload: surveys, attempts, further runs of what was found, and
//! the verdict. Main types: [`ExploreOptions`] and [`NotReplayed`].

mod attempts;
mod replay;
mod runs;

use std::time::{Duration, Instant};

use self::attempts::Exploration;
use super::progress::{Progress, ProgressGuard};
use super::suite::{Case, Suite, Unreadable};
use crate::linux::NEEDED;
use crate::model::expectation::{Baseline, ErrorPaths, ExploreSettings, Explored, Parsed};
use crate::model::explore::outcome::Outcomes;
use crate::model::explore::plan::{Plan, PlanOptions};
use crate::model::explore::survey::Survey;
use crate::model::facts::error_path::FaultName;
use crate::model::judge::exploration::facts::KnownFacts;
use crate::model::judge::exploration::judge::{Judgement, judge};
use crate::model::judge::exploration::recording::record_paths;
use crate::model::judge::exploration::{ExplorationVerdict, PathSummary};
use crate::model::judge::verdict::{Change, Status};

pub use replay::NotReplayed;
pub use runs::{Explorer, NotExplored, Replay, Surveyed, limit};

/// How workloads are explored.
#[derive(Debug, Clone, Default)]
pub struct ExploreOptions {
    /// How long each is explored; `None`: as its document says.
    pub budget: Option<Duration>,
    /// The injected errors; empty: every plausible one.
    pub faults: Vec<FaultName>,
    /// How many runs are made at once.
    pub jobs: usize,
    /// Whether errors are injected into calls of the dynamic loader, too.
    pub has_loader: bool,
    /// Whether what was found is written to the file.
    pub blesses: bool,
}

/// The number of runs without an injection. What differs among them is not compared.
const SURVEYS: usize = 3;

impl Suite {
    /// Explores a workload and compares its error paths with what was recorded.
    pub fn explore(&self, case: &Case, options: &ExploreOptions, progress: &dyn Progress) -> ExplorationVerdict {
        let unexplored = |line, status| ExplorationVerdict::unexplored(&case.name, &case.file, line, status);
        let parsed = match &case.content {
            Ok(parsed) => parsed,
            Err(Unreadable { message, line }) => {
                return unexplored(*line, Status::Malformed { message: message.clone() });
            }
        };
        let line = parsed.line(&self.platform, None);
        if parsed.expectation.baseline(&self.platform).is_none() && options.blesses {
            return unexplored(line, Status::NoBaseline { platform: self.platform.to_string() });
        }
        match self.explored(case, parsed, options, progress) {
            Ok(verdict) => ExplorationVerdict { line, ..verdict },
            Err(error) => unexplored(line, self.status_of(error)),
        }
    }

    fn explored(
        &self,
        case: &Case,
        parsed: &Parsed,
        options: &ExploreOptions,
        progress: &dyn Progress,
    ) -> Result<ExplorationVerdict, NotExplored> {
        let begun = Instant::now();
        let document = &parsed.expectation.document;
        let baseline = parsed.expectation.baseline(&self.platform);
        let recorded = baseline.and_then(|baseline| baseline.errors.as_ref());
        let running = ProgressGuard { progress, workload: &case.name };
        let explorer = self.traced_explorer(case)?;
        let budget = options.budget.or(document.explore.budget).unwrap_or(ExploreSettings::BUDGET);
        let runs = Surveys::make(&explorer, &running)?;
        let wanted = (!options.faults.is_empty()).then(|| options.faults.iter().copied().collect());
        let plan = Plan::new(&runs.surveys, &PlanOptions { loader: options.has_loader, faults: wanted });
        let known =
            KnownFacts::new(document, baseline, &self.platform, runs.surveys.iter().map(|survey| &survey.observation));
        let exploration = Exploration {
            explorer: &explorer,
            plan: &plan,
            surveys: &runs.surveys,
            outcomes: &runs.outcomes,
            known: &known,
            document,
            recorded,
            limit: runs.limit,
            jobs: options.jobs.max(1),
            running: &running,
        };
        let attempts = exploration.attempts(begun, budget);
        let repeated = exploration.repeated(&attempts);
        let judgement = judge(&document.explore, recorded, &attempts.tried, &repeated);
        let summary = exploration.summary(budget, &attempts, &judgement);
        let paths = options.blesses.then(|| {
            let PathSummary { tried, reachable, .. } = summary;
            let is_whole = options.faults.is_empty() && attempts.begun == plan.steps.len();
            let explored = Explored { budget, tried, reachable };
            record_paths(&document.explore, recorded, &attempts.tried, &judgement, explored, is_whole)
        });
        Ok(self.concluded(case, parsed, recorded.is_some(), judgement, summary, paths))
    }

    /// Writes what was recorded if it was asked for and nothing is forbidden, and returns the
    /// verdict.
    fn concluded(
        &self,
        case: &Case,
        parsed: &Parsed,
        is_recorded: bool,
        judgement: Judgement,
        summary: PathSummary,
        paths: Option<ErrorPaths>,
    ) -> ExplorationVerdict {
        let Judgement { findings, notes, suspects, gone, .. } = judgement;
        let is_forbidden = findings.iter().any(|finding| finding.forbidden.is_some());
        let old = parsed.expectation.baseline(&self.platform);
        let (status, change) = match (paths.filter(|_| !is_forbidden), old) {
            (Some(paths), Some(old)) => self.blessed(case, parsed, Baseline { errors: Some(paths), ..old.clone() }),
            _ if findings.is_empty() => (Status::Passed, None),
            _ => (Status::Failed, None),
        };
        let summary = Some(summary);
        ExplorationVerdict {
            is_recorded,
            findings,
            notes,
            suspects,
            gone,
            summary,
            change,
            ..ExplorationVerdict::unexplored(&case.name, &case.file, None, status)
        }
    }

    fn blessed(&self, case: &Case, parsed: &Parsed, baseline: Baseline) -> (Status, Option<Change>) {
        let (before, after) = (parsed.text(), parsed.with(baseline));
        match self.store.save_over(&case.name, parsed, &after) {
            Ok(changed) => {
                let written = Some(case.file.clone());
                (Status::Blessed, changed.then_some(Change { before, after, written, pending_dir: None }))
            }
            Err(error) => (Status::Broken { reason: error.to_string() }, None),
        }
    }

    fn traced_explorer<'a>(&'a self, case: &'a Case) -> Result<Explorer<'a>, NotExplored> {
        match NEEDED {
            Some(needed) => Err(NotExplored::Untraceable(needed.to_owned())),
            None => self.explorer(case),
        }
    }

    /// Returns the status of a workload that was not explored: one that cannot run here is ignored,
    /// unless it is required.
    fn status_of(&self, error: NotExplored) -> Status {
        match error {
            NotExplored::Refused { reason, help } => Status::Ignored { reason: format!("{reason}\nhelp: {help}") },
            NotExplored::Absent(reason) if self.settings.require => Status::NotStarted { reason },
            NotExplored::Untraceable(reason) if self.settings.require => Status::Untraceable { reason },
            NotExplored::Absent(reason) | NotExplored::Untraceable(reason) => Status::Ignored { reason },
            NotExplored::WrongExit { expected, actual, output } => Status::WrongExit { expected, actual, output },
            NotExplored::NotStarted(reason) => Status::NotStarted { reason },
            other => Status::Broken { reason: other.to_string() },
        }
    }
}

/// Runs without an injection, and what follows from them.
struct Surveys {
    surveys: Vec<Survey>,
    outcomes: Outcomes,
    /// How long a run with an injection may take.
    limit: Duration,
}

impl Surveys {
    fn make(explorer: &Explorer<'_>, running: &ProgressGuard<'_>) -> Result<Self, NotExplored> {
        let mut surveys = Vec::new();
        let mut longest = Duration::ZERO;
        for _ in 0..SURVEYS {
            running.run(0, 1);
            let Surveyed { survey, elapsed } = explorer.survey(false)?;
            longest = longest.max(elapsed);
            surveys.push(survey);
        }
        let outcomes = Outcomes::of(&surveys);
        Ok(Self { surveys, outcomes, limit: limit(longest) })
    }
}
