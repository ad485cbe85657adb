//! Explores the error paths of a workload: surveys, attempts, further runs of what was found, and
//! the verdict. Main types: [`ExploreOptions`] and [`NotReplayed`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::explore::{Explorer, NotExplored, Replay, Surveyed, limit};
use super::progress::{Progress, ProgressGuard};
use super::suite::{Case, Suite, Unreadable};
use crate::linux::NEEDED;
use crate::model::expectation::{Baseline, Document, ErrorPaths, ExploreSettings, Explored, Parsed};
use crate::model::explore::injection::Fault;
use crate::model::explore::outcome::{Ended, Outcomes};
use crate::model::explore::plan::{Plan, PlanOptions, Step};
use crate::model::explore::run::Attempt;
use crate::model::explore::survey::Survey;
use crate::model::facts::error_path::{FaultName, RunOutcome};
use crate::model::facts::example::Example;
use crate::model::judge::exploration::confirm::{REPEATS, to_repeat};
use crate::model::judge::exploration::difference::{all_differences, differences};
use crate::model::judge::exploration::facts::KnownFacts;
use crate::model::judge::exploration::judge::{Judgement, judge};
use crate::model::judge::exploration::recording::record_paths;
use crate::model::judge::exploration::{ExplorationVerdict, NotTried, PathSummary, Repeated, Replayed, Tried};
use crate::model::judge::verdict::{Change, Status};
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::CallSite;
use crate::model::observe::stacks;

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

/// The number of runs without an injection. What differs among them is not compared.
const SURVEYS: usize = 3;

/// The number of lines of each difference that a replay shows.
const REPLAYED_LINES: usize = 200;

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

    /// Runs a workload once with an injection. With `stopped`, its process is stopped for a debugger
    /// once the call has failed: see [`Explorer::debug`].
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
        let runs = Surveys::make(&explorer, &ProgressGuard { progress: &super::Silent, workload: &case.name })?;
        let plan = Plan::new(&runs.surveys, &PlanOptions { loader: true, faults: None });
        let step = plan.step(id).ok_or_else(|| NotReplayed::UnknownId(id.to_owned()))?;
        let Replay { attempt, call, site } = match stopped {
            Some(stopped) => explorer.debug(&step.injection, stopped)?,
            None => explorer.replay(&step.injection, runs.limit)?,
        };
        let Ended { outcome, result } = runs.outcomes.ended(&attempt);
        let no_stack =
            site.frames.is_empty().then(|| site.missing.map_or("it was not reached", |reason| reason.name()));
        Ok(Replayed {
            id: step.id.clone(),
            workload: case.name.clone(),
            call: step.call.clone(),
            outcome,
            example: call.map(|call| failed(call, step)),
            stack: stacks::kept(&site.frames),
            no_stack,
            accepted: self.accepted(case, step, outcome),
            differences: all_differences(runs.outcomes.expected(), &result, REPLAYED_LINES),
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

/// The attempts of an exploration.
#[derive(Default)]
struct Attempts {
    /// Those that were made, in the order of the plan.
    tried: Vec<Tried>,
    /// The index in the plan of each of them.
    steps: Vec<usize>,
    /// How many steps of the plan have begun.
    begun: usize,
    /// Steps that could not be tried, by reason.
    failed: BTreeMap<String, u64>,
}

/// What the runs with injections need.
struct Exploration<'a> {
    explorer: &'a Explorer<'a>,
    plan: &'a Plan,
    outcomes: &'a Outcomes,
    known: &'a KnownFacts<'a>,
    document: &'a Document,
    recorded: Option<&'a ErrorPaths>,
    limit: Duration,
    jobs: usize,
    running: &'a ProgressGuard<'a>,
}

impl Exploration<'_> {
    /// Tries the steps of the plan until the time is over.
    fn attempts(&self, begun: Instant, budget: Duration) -> Attempts {
        let injections: Vec<_> = self.plan.steps.iter().map(|step| step.injection).collect();
        let mut results: BTreeMap<usize, Result<Tried, String>> = BTreeMap::new();
        let mut found = 0;
        let total = u32::try_from(injections.len()).unwrap_or(u32::MAX);
        self.running.explore(0, total, found);
        let goes_on = || begun.elapsed() < budget;
        self.explorer.attempts(&injections, self.limit, self.jobs, &goes_on, &mut |at, attempt| {
            let result = attempt.map(|attempt| self.tried(at, attempt)).map_err(|error| error.to_string());
            found += u32::from(result.as_ref().is_ok_and(|tried| self.is_found(tried)));
            results.insert(at, result);
            self.running.explore(u32::try_from(results.len()).unwrap_or(u32::MAX), total, found);
        });
        let mut attempts = Attempts { begun: results.len(), ..Attempts::default() };
        for (at, result) in results {
            match result {
                Ok(tried) => {
                    attempts.tried.push(tried);
                    attempts.steps.push(at);
                }
                Err(reason) => *attempts.failed.entry(reason).or_default() += 1,
            }
        }
        attempts
    }

    /// Returns whether an attempt alone is a finding.
    fn is_found(&self, tried: &Tried) -> bool {
        !to_repeat(&self.document.explore, self.recorded, std::slice::from_ref(tried)).is_empty()
    }

    fn tried(&self, at: usize, attempt: Attempt) -> Tried {
        let step = &self.plan.steps[at];
        let Ended { outcome, result } = self.outcomes.ended(&attempt);
        let differences = if outcome.is_judged() { differences(self.outcomes.expected(), &result) } else { Vec::new() };
        let injected = match step.injection.fault {
            Fault::Errno(errno) if attempt.reached => Some((&step.used, errno)),
            _ => None,
        };
        let (beyond, comparison) = self.known.of(attempt.observation, injected);
        Tried { id: step.id.clone(), call: step.call.clone(), outcome, differences, beyond, comparison }
    }

    /// Repeats the attempts that may be findings, several at once.
    fn repeated(&self, attempts: &Attempts) -> BTreeMap<usize, Repeated> {
        let selected: Vec<usize> =
            to_repeat(&self.document.explore, self.recorded, &attempts.tried).into_iter().collect();
        let (next, repeated) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let work = || {
            while let Some(&index) = selected.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = self.repeat(attempts.steps[index], &attempts.tried[index]);
                repeated.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(selected.len()) {
                scope.spawn(work);
            }
        });
        repeated.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Repeats one attempt. A run that fails shows nothing.
    fn repeat(&self, at: usize, first: &Tried) -> Repeated {
        let step = &self.plan.steps[at];
        let mut repeated = Repeated { facts: first.beyond.clone(), ..Repeated::default() };
        for run in 0..REPEATS {
            repeated.runs += 1;
            let replay = if run == 0 {
                self.explorer.replay(&step.injection, self.limit)
            } else {
                self.explorer.attempt(&step.injection, self.limit).map(|attempt| Replay {
                    attempt,
                    call: None,
                    site: CallSite::default(),
                })
            };
            let Ok(Replay { attempt, call, site }) = replay else {
                repeated.facts.clear();
                continue;
            };
            if run == 0 {
                repeated.example = call.map(|call| failed(call, step));
                repeated.site = Some(site.site());
            }
            let again = self.tried(at, attempt);
            repeated.same += u32::from(again.outcome == first.outcome);
            repeated.facts.retain(|fact| again.beyond.contains(fact));
        }
        repeated
    }

    fn summary(&self, budget: Duration, attempts: &Attempts, judgement: &Judgement) -> PathSummary {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut outcomes: BTreeMap<RunOutcome, u32> = BTreeMap::new();
        attempts.tried.iter().for_each(|tried| *outcomes.entry(tried.outcome).or_default() += 1);
        let untried = self.plan.untried(attempts.begun).into_iter();
        let untried = untried.filter(|(_, count)| *count > 0).map(|(reason, count)| NotTried {
            reason: reason.to_string(),
            count,
            are_calls: !reason.counts_injections(),
        });
        let failed = attempts.failed.iter().map(|(reason, count)| NotTried {
            reason: reason.clone(),
            count: *count,
            are_calls: false,
        });
        PathSummary {
            budget,
            tried: count(self.plan.paths(attempts.begun)),
            reachable: count(self.plan.reachable),
            outcomes,
            recorded: judgement.recorded,
            excepted: judgement.excepted,
            untried: untried.chain(failed).collect(),
            limits: self.outcomes.limits(),
        }
    }
}

/// Returns the injected call with its result.
fn failed(Example { call, process }: Example, step: &Step) -> Example {
    let result = match step.injection.fault {
        Fault::Errno(errno) => format!("-1 {}", errno.name()),
        Fault::Short(bytes) => format!("at most {bytes} bytes"),
    };
    let call = if call.contains(" = ") { call } else { format!("{call} = {result}") };
    Example { call, process }
}
