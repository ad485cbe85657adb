//! From runs to a verdict: compare, decide, write. What is said of it is another room's work.

use super::progress::Progress;
use super::run::{Obstacle, Run};
use super::suite::{Case, RECORDED_RUNS, Suite, Unfit, Unreadable};

use crate::model::compare::{Comparison, compare};
use crate::model::decide::{Action, Update, decide};
use crate::model::expectation::{Baseline, Parsed, Unseen, project, record};
use crate::model::observation::Observation;
use crate::model::verdict::{Change, Status, Verdict};
use crate::store::StoreError;

impl Suite {
    /// Runs a workload and compares it with its baseline.
    ///
    /// Where there is none, and one may be proposed, it is run as often as `bless` would: what is proposed may be accepted.
    pub fn test(&self, case: &Case, progress: &dyn Progress) -> Verdict {
        let update = self.settings.update.resolve(self.settings.ci);
        self.verdict(case, |parsed| {
            let recorded = parsed.expectation.baseline(&self.platform).is_some() || update == Update::No;
            let runs = if recorded { 1 } else { RECORDED_RUNS };
            let document = &parsed.expectation.document;
            let observations = observations(self.runs(&case.name, document, runs, progress)?);
            Ok(Judgement::new(self, parsed, &observations, Unseen::Keep).under(update, self, case)?)
        })
    }

    /// Runs a workload so often, and writes what it used into its baseline.
    ///
    /// A run that does not end as the document says, or what breaks a `forbid:`, leaves the file as it was.
    pub fn bless(&self, case: &Case, runs: u32, unseen: Unseen, progress: &dyn Progress) -> Verdict {
        self.verdict(case, |parsed| {
            let observations = observations(self.runs(&case.name, &parsed.expectation.document, runs, progress)?);
            Ok(Judgement::new(self, parsed, &observations, unseen).under(Update::Force, self, case)?)
        })
    }

    /// The verdict on a workload that nobody asked to be run.
    pub fn ignored(case: &Case, reason: &str) -> Verdict {
        bare(case, Status::Ignored { reason: reason.to_owned() })
    }

    fn verdict(&self, case: &Case, judge: impl FnOnce(&Parsed) -> Result<Verdict, Setback>) -> Verdict {
        let parsed = match &case.content {
            Ok(parsed) => parsed,
            Err(Unreadable { message, line }) => {
                return Verdict { line: *line, ..bare(case, Status::Malformed { message: message.clone() }) };
            }
        };
        let verdict = match judge(parsed) {
            Ok(verdict) => verdict,
            Err(Setback::Store(error)) => bare(case, Status::Broken { reason: error.to_string() }),
            Err(Setback::Unfit(Unfit::Obstacle(obstacle))) => bare(case, self.told(obstacle)),
            Err(Setback::Unfit(Unfit::WrongExit(Run { exit, output, .. }))) => {
                let expected = parsed.expectation.document.workload.exit;
                bare(case, Status::WrongExit { expected, actual: exit, output })
            }
        };
        self.located(verdict, parsed)
    }

    /// With the lines of the file that it concerns.
    fn located(&self, mut verdict: Verdict, parsed: &Parsed) -> Verdict {
        verdict.line = parsed.line(&self.platform, None);
        verdict.comparison.locate(|subsystem| parsed.line(&self.platform, subsystem));
        verdict
    }

    /// Where a workload's proposal lies, relative to the package where it lies in there.
    fn proposal(&self, name: &str) -> String {
        let file = self.store.proposal_file(name);
        file.strip_prefix(self.package()).unwrap_or(&file).display().to_string()
    }

    /// What cannot be run here is ignored, unless it is required.
    fn told(&self, obstacle: Obstacle) -> Status {
        match obstacle {
            Obstacle::Absent(reason) if self.settings.require => Status::NotStarted { reason },
            Obstacle::Untraceable(reason) if self.settings.require => Status::Untraceable { reason },
            Obstacle::Absent(reason) | Obstacle::Untraceable(reason) => Status::Ignored { reason },
            Obstacle::NotStarted(reason) => Status::NotStarted { reason },
            Obstacle::Broken(reason) => Status::Broken { reason },
        }
    }
}

/// Why there is no judgement.
enum Setback {
    Unfit(Unfit),
    Store(StoreError),
}

impl From<Unfit> for Setback {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

impl From<StoreError> for Setback {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn observations(runs: Vec<Run>) -> Vec<Observation> {
    runs.into_iter().map(|run| run.observation).collect()
}

fn bare(case: &Case, status: Status) -> Verdict {
    let (workload, file) = (case.name.clone(), case.file.clone());
    Verdict { workload, file, line: None, status, comparison: Comparison::default(), change: None }
}

/// What was seen of a workload against what is recorded of it.
struct Judgement<'a> {
    parsed: &'a Parsed,
    recorded: bool,
    comparison: Comparison,
    /// The baseline after accepting all.
    baseline: Baseline,
}

impl<'a> Judgement<'a> {
    fn new(suite: &Suite, parsed: &'a Parsed, observations: &[Observation], unseen: Unseen) -> Self {
        let document = &parsed.expectation.document;
        let old = parsed.expectation.baseline(&suite.platform);
        let mut all = Observation::default();
        observations.iter().cloned().for_each(|observation| all.merge(observation));
        let projection = project(&all, document, &suite.platform);
        Self {
            parsed,
            recorded: old.is_some(),
            comparison: compare(document, old, &projection, &all),
            baseline: record(old, &suite.platform, observations, document, unseen),
        }
    }

    /// Does what is to be done about it.
    fn under(self, update: Update, suite: &Suite, case: &Case) -> Result<Verdict, StoreError> {
        let action = decide(update, self.recorded, &self.comparison);
        let (before, after) = (self.parsed.text(), self.parsed.with(self.baseline));
        let status = match action {
            Action::Keep => Status::Passed,
            Action::Bless => Status::Blessed,
            Action::Propose | Action::Refuse if self.recorded || self.comparison.is_forbidden() => Status::Failed,
            Action::Propose | Action::Refuse => Status::NoBaseline { platform: suite.platform.to_string() },
        };
        let written = match action {
            // Where nothing may be written, nothing is removed either.
            Action::Keep if update == Update::No => None,
            Action::Keep => {
                suite.store.remove_proposal(&case.name)?;
                None
            }
            Action::Propose => {
                suite.store.propose(&case.name, &after)?;
                Some(suite.proposal(&case.name))
            }
            Action::Bless => {
                let written = suite.store.save(&case.name, &after)?.then(|| case.file.clone());
                suite.store.remove_proposal(&case.name)?;
                written
            }
            Action::Refuse => None,
        };
        let shown = action != Action::Keep && after != before;
        let change = shown.then_some(Change { before, after, written });
        let (workload, file) = (case.name.clone(), case.file.clone());
        Ok(Verdict { workload, file, line: None, status, comparison: self.comparison, change })
    }
}
