//! Repeats a workload until its set of facts is quiet, or until a finding is confirmed. Main type:
//! [`Runs`].
//!
//! The model decides when to stop. A run counts only if it ends as its document says; any other end
//! stops all runs. Anything that implements [`Runnable`] can be run.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::cpu_load::CpuLoad;
use super::manifests::Manifests;
use super::progress::{Progress, ProgressGuard};
use super::runnable::{FinishedRun, Obstacle, RunFailure, Runnable, Wanted};
use super::suite::{Case, Suite};
use crate::model::engine::{Engine, UsedEngine};
use crate::model::expectation::{Baseline, Document, FirstCallFilter, Level, Projection, Remarks, Version, project};
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Comparison;
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::site::NoSite;
use crate::model::guard::{Guard, Inherited};
use crate::model::judge::compare::compare;
use crate::model::judge::confirm::Sightings;
use crate::model::judge::revisions::difference;
use crate::model::judge::weight::{Weight, rank};
use crate::model::observe::lockfile::Moves;
use crate::model::observe::observation::Observation;
use crate::model::run::recording::{FEWEST_CPUS, Growth, Length, WARM_UP_RUNS};

/// The runs of one workload.
pub(super) struct Runs<'a> {
    suite: &'a Suite,
    document: &'a Document,
    prepared: Box<dyn Runnable + 'a>,
    running: ProgressGuard<'a>,
    /// The expectation file.
    file: &'a str,
    /// The dependencies that moved since that file was last changed, read when first needed.
    moves: OnceCell<Moves>,
    manifests: Option<Manifests>,
    /// What each run showed, as the baseline names it; without one, in the latest version.
    sightings: Sightings,
    version: Version,
    /// Facts of each run in the latest version, if the baseline has an older version.
    upgraded: Sightings,
    all: Observation,
    /// The facts that are not in the baseline, if there is one. Their first calls are kept.
    first_calls: Option<FirstCallFilter<'a>>,
    /// How the runs of a recording are watched.
    used: UsedEngine,
}

impl<'a> Runs<'a> {
    /// Prepares the runs without starting one.
    pub(super) fn new(
        suite: &'a Suite,
        case: &'a Case,
        document: &'a Document,
        progress: &'a dyn Progress,
        prepared: Box<dyn Runnable + 'a>,
    ) -> Self {
        let held = case.content.as_ref().ok().and_then(|parsed| parsed.expectation.baseline(&suite.platform));
        let version = held.map_or(Version::LATEST, |baseline| baseline.version);
        let running = ProgressGuard { progress, workload: &case.name };
        let (sightings, all) = (Sightings::default(), Observation::default());
        let mut rules = document.tolerate.iter().chain(&document.forbid);
        let asks_for_errors = document.level >= Level::Error || rules.any(|rule| rule.error.is_some());
        let used = match suite.settings.engine {
            Engine::Notify if asks_for_errors => UsedEngine::instead(ERRORS.to_owned()),
            Engine::Notify => Engine::Notify.into(),
            Engine::Ptrace | Engine::Guard => Engine::Ptrace.into(),
        };
        let (file, moves) = (case.file.as_str(), OnceCell::new());
        Self {
            suite,
            document,
            prepared,
            running,
            file,
            moves,
            manifests: None,
            sightings,
            version,
            upgraded: Sightings::default(),
            all,
            first_calls: None,
            used,
        }
    }

    /// Runs it once.
    pub(super) fn once(&mut self) -> Result<(), RunFailure> {
        self.next(1)
    }

    /// Runs the workload until it is quiet, or for a fixed number of runs. Every other run has a
    /// busy machine.
    pub(super) fn record(&mut self, length: Length) -> Result<Growth, RunFailure> {
        enough_cpus(self.suite.cpus)?;
        let mut growth = Growth::default();
        for _ in 0..WARM_UP_RUNS {
            self.running.run(0, growth.goal(length));
            self.recorded(|_| Wanted::Nothing)?;
        }
        while growth.goes_on(length) {
            let _busy = (self.sightings.runs() % 2 == 1).then(|| CpuLoad::keep(self.suite.cpus));
            self.running.run(self.sightings.runs() + 1, growth.goal(length));
            let run = self.recorded(Self::wanted)?;
            self.take(run);
            growth = Growth::of(&self.recorded_facts());
        }
        Ok(growth)
    }

    /// Runs a recording once. After one run that notifications could not watch, the rest are traced
    /// with ptrace.
    fn recorded(&mut self, wanted: impl Fn(&Self) -> Wanted<'_>) -> Result<FinishedRun, RunFailure> {
        if self.used.engine != Engine::Notify {
            return self.prepared.good_run(wanted(self));
        }
        let (run, used) = self.prepared.notified_run(wanted(self))?;
        self.used = used;
        Ok(run)
    }

    /// Runs the workload once, and again while a finding can be confirmed: at most `confirming`
    /// more times.
    pub(super) fn confirm(&mut self, baseline: &Baseline, confirming: u32) -> Result<Comparison, RunFailure> {
        self.first_calls = Some(FirstCallFilter::new(self.document, baseline, &self.suite.platform));
        let most = confirming.saturating_add(1);
        let used = self.first(baseline)?;
        loop {
            let mut comparison = self.compare(Some(baseline));
            if self.sightings.runs() >= most || !self.sightings.can_confirm(&comparison) {
                if used.engine == Engine::Guard {
                    comparison.gone.clear();
                }
                comparison.used = used;
                return Ok(self.sightings.sort(comparison));
            }
            self.next(most)?;
        }
    }

    /// Returns whether further runs could confirm a finding.
    pub(super) fn can_confirm(&self, baseline: &Baseline) -> bool {
        self.sightings.can_confirm(&self.compare(Some(baseline)))
    }

    /// Makes the first run of a test, guarded if the engine allows it. The runs that confirm its
    /// findings watch every call.
    fn first(&mut self, baseline: &Baseline) -> Result<UsedEngine, RunFailure> {
        if self.suite.settings.engine == Engine::Ptrace {
            return self.next(1).map(|()| Engine::Ptrace.into());
        }
        self.running.run(1, 1);
        let guard = |inherited: &Inherited| Guard::new(self.document, baseline, &self.suite.platform, inherited);
        let (run, used) = self.prepared.guarded_run(&guard, self.wanted())?;
        self.take(run);
        Ok(used)
    }

    /// Compares all runs so far with a baseline.
    pub(super) fn compare(&self, baseline: Option<&Baseline>) -> Comparison {
        let projection = self.project(&self.all, self.version);
        let mut comparison = compare(self.document, baseline, &projection, &self.all);
        if self.used.engine == Engine::Notify {
            for finding in comparison.findings.iter_mut().chain(&mut comparison.notes) {
                finding.no_site.get_or_insert(NoSite::Engine);
            }
        }
        self.sightings.with_calls_of_one_run(Comparison { used: self.used.clone(), ..comparison })
    }

    /// Returns the reviewer's remarks on what a proposal adds to a baseline, if there is one.
    pub(super) fn remarks(&self, old: Option<&Baseline>, proposed: &Baseline, comparison: &Comparison) -> Remarks {
        let refused = self.project(&self.all, proposed.version).refused;
        let mut difference = difference(self.document, old, proposed);
        difference.sort_by_key(|finding| rank(Weight::of(finding), finding));
        Remarks::of(self.document, &difference, comparison, &self.all, &refused)
    }

    /// Returns the facts of each run, as the baseline names them.
    pub(super) fn facts(&self) -> Vec<BTreeSet<Fact>> {
        self.sightings.facts()
    }

    /// Returns the facts of each run in the latest version.
    pub(super) fn recorded_facts(&self) -> Vec<BTreeSet<Fact>> {
        if self.version == Version::LATEST { self.sightings.facts() } else { self.upgraded.facts() }
    }

    /// Returns the fingerprint of the environment around the workload.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.suite.fingerprint(self.prepared.built_by_cargo())
    }

    fn next(&mut self, of: u32) -> Result<(), RunFailure> {
        self.running.run(self.sightings.runs() + 1, of);
        let run = self.prepared.good_run(self.wanted())?;
        self.take(run);
        Ok(())
    }

    /// Returns which first calls are kept: those that are new, and that no earlier run has shown.
    fn wanted(&self) -> Wanted<'_> {
        match &self.first_calls {
            Some(filter) => Wanted::New(filter, Some(&self.all)),
            None => Wanted::First { known: &self.all, has_errors: self.document.judges_errors() },
        }
    }

    fn take(&mut self, FinishedRun { mut observation, .. }: FinishedRun) {
        let package = self.suite.package().to_string_lossy();
        for site in observation.sites.values_mut() {
            self.manifests.get_or_insert_with(|| Manifests::of(self.suite)).resolve(site);
            site.since(self.moves.get_or_init(|| self.suite.moves_since(self.file)));
            site.relative_to(&package);
        }
        self.sightings.add(self.project(&observation, self.version));
        if self.version != Version::LATEST {
            self.upgraded.add(self.project(&observation, Version::LATEST));
        }
        self.all.merge(observation);
    }

    fn project(&self, observation: &Observation, version: Version) -> Projection {
        project(observation, self.document, &self.suite.platform, version)
    }
}

const ERRORS: &str = "its document records errnos, which notifications do not report";

/// Fails with fewer CPUs than needed: a baseline recorded on one CPU fails every test on two.
fn enough_cpus(cpus: usize) -> Result<(), Obstacle> {
    if cpus >= FEWEST_CPUS {
        return Ok(());
    }
    Err(Obstacle::NotStarted(format!(
        "a baseline needs at least {FEWEST_CPUS} CPUs, because threads that never run at the same time make fewer calls, \
         but this process may use {cpus}: allow it more (taskset(1)), or bless on another machine"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recording_on_one_cpu_is_refused() {
        assert_eq!(enough_cpus(2), Ok(()));
        let Err(Obstacle::NotStarted(reason)) = enough_cpus(1) else { panic!("one CPU is not enough") };
        assert!(reason.contains("at least 2 CPUs") && reason.contains("may use 1"), "{reason}");
    }
}
