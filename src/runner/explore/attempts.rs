//! The runs with injections of one workload, and further runs of what they showed. Main type:
//! [`Exploration`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::runs::{Explorer, Replay};
use crate::model::expectation::{Document, ErrorPaths};
use crate::model::explore::injection::Fault;
use crate::model::explore::outcome::{Ended, Outcomes};
use crate::model::explore::plan::{Plan, Step};
use crate::model::explore::run::Attempt;
use crate::model::explore::survey::{Survey, SurveyedCall};
use crate::model::facts::error_path::RunOutcome;
use crate::model::facts::example::Example;
use crate::model::judge::exploration::confirm::{REPEATS, is_unexpected, to_repeat};
use crate::model::judge::exploration::difference::differences;
use crate::model::judge::exploration::facts::KnownFacts;
use crate::model::judge::exploration::judge::Judgement;
use crate::model::judge::exploration::{NotTried, PathSummary, Repeated, Tried, stable};
use crate::model::observe::call_site::CallSite;
use crate::runner::progress::ProgressGuard;

/// The attempts of an exploration.
#[derive(Default)]
pub(super) struct Attempts {
    /// Those that were made, in the order of the plan.
    pub(super) tried: Vec<Tried>,
    /// The index in the plan of each of them.
    pub(super) steps: Vec<usize>,
    /// How many steps of the plan have begun.
    pub(super) begun: usize,
    /// How many of them tried to change the user's files.
    pub(super) refused: usize,
    /// Steps that could not be tried, by reason.
    pub(super) failed: BTreeMap<String, u64>,
}

/// What the runs with injections need.
pub(super) struct Exploration<'a> {
    pub(super) explorer: &'a Explorer<'a>,
    pub(super) plan: &'a Plan,
    pub(super) surveys: &'a [Survey],
    pub(super) outcomes: &'a Outcomes,
    pub(super) known: &'a KnownFacts<'a>,
    pub(super) document: &'a Document,
    pub(super) recorded: Option<&'a ErrorPaths>,
    pub(super) limit: Duration,
    pub(super) jobs: usize,
    pub(super) running: &'a ProgressGuard<'a>,
}

impl Exploration<'_> {
    /// Tries the steps of the plan until the time is over.
    pub(super) fn attempts(&self, begun: Instant, budget: Duration) -> Attempts {
        let injections: Vec<_> = self.plan.steps.iter().map(|step| step.injection).collect();
        let mut results: BTreeMap<usize, Result<Tried, String>> = BTreeMap::new();
        let mut refused = 0;
        let mut found = BTreeSet::new();
        let total = u32::try_from(injections.len()).unwrap_or(u32::MAX);
        self.running.explore(0, total, 0);
        let goes_on = || begun.elapsed() < budget;
        self.explorer.attempts(&injections, self.limit, self.jobs, &goes_on, &mut |at, attempt| {
            refused += usize::from(attempt.as_ref().is_ok_and(|attempt| attempt.is_refused));
            let result = attempt.map(|attempt| self.tried(at, attempt)).map_err(|error| error.to_string());
            if let Ok(tried) = &result {
                found.extend(self.found(tried));
            }
            results.insert(at, result);
            let [done, found] = [results.len(), found.len()].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
            self.running.explore(done, total, found);
        });
        let mut attempts = Attempts { begun: results.len(), refused, ..Attempts::default() };
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

    /// Returns the keys of the findings that an attempt seems to be.
    fn found(&self, tried: &Tried) -> Vec<String> {
        let is_outcome = is_unexpected(&self.document.explore, self.recorded, tried);
        let outcome = is_outcome.then(|| format!("{} {}", tried.outcome, tried.call));
        let facts = tried.comparison.findings.iter().filter(|_| self.recorded.is_some());
        outcome.into_iter().chain(facts.map(|finding| finding.fact.to_string())).collect()
    }

    fn tried(&self, at: usize, attempt: Attempt) -> Tried {
        let step = &self.plan.steps[at];
        let Ended { outcome, result } = self.outcomes.ended(&attempt);
        let differences =
            if outcome.is_judged() { differences(self.outcomes.expected(), &result, outcome) } else { Vec::new() };
        let injected = match step.injection.fault {
            Fault::Errno(errno) if attempt.reached => Some((&step.used, errno)),
            _ => None,
        };
        let (beyond, comparison) = self.known.of(attempt.observation, injected);
        Tried { id: step.id.clone(), call: step.call.clone(), outcome, differences, beyond, comparison }
    }

    /// Repeats the attempts that may be findings, several at once.
    pub(super) fn repeated(&self, attempts: &Attempts) -> BTreeMap<usize, Repeated> {
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
                repeated.example = call.map(|call| self.failed(call, step));
                repeated.site = Some(site.site());
            }
            let again = self.tried(at, attempt);
            repeated.same += u32::from(again.outcome == first.outcome);
            repeated.facts.retain(|fact| again.beyond.contains(fact));
        }
        repeated
    }

    /// Returns the injected call with its result. What differs from the same call in runs without
    /// an injection is masked.
    fn failed(&self, example: Example, step: &Step) -> Example {
        let same =
            self.surveys.iter().flat_map(|survey| &survey.calls).filter(|call| call.point == step.injection.point);
        let entry = |call: &SurveyedCall| call.example.call.rsplit_once(" = ").map(|(call, _)| call.to_owned());
        let others: Vec<String> = same.filter_map(entry).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let call = stable::call(&example.call, &others);
        with_result(Example { call, ..example }, step)
    }

    /// Returns what is not compared or not as in other runs, as clauses.
    fn limits(&self, attempts: &Attempts) -> Vec<String> {
        let refused = (attempts.refused > 0).then(|| {
            format!(
                "in {} runs, calls that would change files of the package outside of the copy of its working \
                 directory failed with EROFS",
                attempts.refused
            )
        });
        self.outcomes.limits().into_iter().chain(self.explorer.left_out().to_vec()).chain(refused).collect()
    }

    pub(super) fn summary(&self, budget: Duration, attempts: &Attempts, judgement: &Judgement) -> PathSummary {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut outcomes: BTreeMap<RunOutcome, u32> = BTreeMap::new();
        attempts.tried.iter().for_each(|tried| *outcomes.entry(tried.outcome).or_default() += 1);
        let untried = self.plan.untried(attempts.begun).into_iter();
        let untried = untried.filter(|(_, count)| *count > 0).map(|(reason, count)| NotTried {
            reason: reason.to_string(),
            injections: reason.counts_injections().then_some(count),
        });
        let failed =
            attempts.failed.iter().map(|(reason, count)| NotTried { reason: reason.clone(), injections: Some(*count) });
        PathSummary {
            budget,
            tried: count(self.plan.paths(attempts.begun)),
            reachable: count(self.plan.reachable),
            outcomes,
            recorded: judgement.recorded,
            excepted: judgement.excepted,
            untried: untried.chain(failed).collect(),
            limits: self.limits(attempts),
        }
    }
}

/// Returns the injected call with its result.
pub(super) fn with_result(Example { call, process }: Example, step: &Step) -> Example {
    let result = match step.injection.fault {
        Fault::Errno(errno) => format!("-1 {}", errno.name()),
        Fault::Short(bytes) => format!("at most {bytes} bytes"),
    };
    let call = if call.contains(" = ") { call } else { format!("{call} = {result}") };
    Example { call, process }
}
