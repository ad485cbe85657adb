//! From runs to a verdict: compare, decide, write. The text of a verdict is formatted by `report`.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::progress::Progress;
use super::repeat::Runs;
use super::runnable::{FinishedRun, Obstacle, RunFailure, Runnable};
use super::suite::{Case, Suite, Unreadable};

use crate::linux::NEEDED;
use crate::model::expectation::format::with_remarks;
use crate::model::expectation::{Baseline, Document, Parsed, Recorded, Remarks, Unseen, Version, amend, record};
use crate::model::facts::finding::Comparison;
use crate::model::judge::causes::explain;
use crate::model::judge::decide::{Action, Update, decide};
use crate::model::judge::verdict::{Asked, Change, Status, Verdict};
use crate::model::run::recording::{Growth, Length};

impl Suite {
    /// Runs a workload and compares it with its baseline. Further runs confirm a finding.
    ///
    /// Without a baseline, if one may be proposed, the workload is run as often as `bless` would
    /// run it, because the proposal may be accepted as it is.
    pub fn test(&self, case: &Case, progress: &dyn Progress) -> Verdict {
        let needs_more_runs = Cell::new(false);
        self.tested(case, progress, RecordingOptions::default(), &needs_more_runs, |document| {
            Ok(Box::new(self.prepare(document)?))
        })
    }

    /// Like [`Self::test`], for any [`Runnable`]. `needs_more_runs` is set if further runs are
    /// needed but not allowed yet.
    pub(super) fn tested<'a>(
        &'a self,
        case: &'a Case,
        progress: &'a dyn Progress,
        RecordingOptions { length, is_partial, in_slot }: RecordingOptions,
        needs_more_runs: &Cell<bool>,
        start: impl FnOnce(&'a Document) -> Result<Box<dyn Runnable + 'a>, Obstacle>,
    ) -> Verdict {
        let update = self.settings.update();
        self.verdict(case, |parsed| {
            let document = &parsed.expectation.document;
            let baseline = parsed.expectation.baseline(&self.platform);
            let update = if baseline.is_none() && is_partial { Update::No } else { update };
            let upgrades = update == Update::Force && !is_partial;
            let upgrades = upgrades && baseline.is_some_and(|old| old.version < Version::LATEST);
            let records = baseline.is_none() && update != Update::No || upgrades;
            if in_slot && records {
                needs_more_runs.set(true);
                return Ok(bare(case, Status::Passed));
            }
            let mut runs = Runs::new(self, case, document, progress, start(document)?);
            let confirming = if in_slot { 0 } else { self.settings.confirm };
            let mut judgement = match baseline {
                _ if records => self.recorded(&mut runs, parsed, length, Unseen::Keep)?,
                Some(baseline) => self.confirmed(&mut runs, parsed, baseline, confirming)?,
                None => self.unrecorded(&mut runs, parsed)?,
            };
            if is_partial {
                judgement.comparison.gone.clear();
            }
            needs_more_runs
                .set(in_slot && self.settings.confirm > 0 && baseline.is_some_and(|old| runs.can_confirm(old)));
            Ok(if needs_more_runs.get() {
                Verdict { comparison: judgement.comparison, ..bare(case, Status::Failed) }
            } else {
                judgement.carry_out(update, self, case)
            })
        })
    }

    /// Runs a workload until it is quiet and writes what it used to its baseline.
    ///
    /// The file is unchanged if a run does not end as the document says, or if a `forbid:` rule is
    /// broken.
    pub fn bless(&self, case: &Case, length: Length, unseen: Unseen, progress: &dyn Progress) -> Verdict {
        let verdict = self.verdict(case, |parsed| {
            let document = &parsed.expectation.document;
            let mut runs = Runs::new(self, case, document, progress, Box::new(self.prepare(document)?));
            Ok(self.recorded(&mut runs, parsed, length, unseen)?.carry_out(Update::Force, self, case))
        });
        Verdict { asked: Asked::Bless, ..verdict }
    }

    /// Runs a workload as `bless` does and returns what it used as a baseline. Nothing is compared
    /// or written.
    ///
    /// # Errors
    ///
    /// The verdict on a workload that could not be run this way.
    pub fn observe(&self, case: &Case, length: Length, progress: &dyn Progress) -> Result<Baseline, Box<Verdict>> {
        let mut observed = None;
        let verdict = self.verdict(case, |parsed| {
            let document = &parsed.expectation.document;
            let mut runs = Runs::new(self, case, document, progress, Box::new(self.prepare(document)?));
            let growth = runs.record(length)?;
            observed = Some(record(None, &self.recording(&runs, growth.is_never_quiet()), Unseen::Keep));
            Ok(bare(case, Status::Passed))
        });
        observed.ok_or_else(|| Box::new(verdict))
    }

    /// Tests against a baseline.
    fn confirmed<'a>(
        &self,
        runs: &mut Runs<'_>,
        parsed: &'a Parsed,
        old: &Baseline,
        confirming: u32,
    ) -> Result<Judgement<'a>, RunFailure> {
        let mut comparison = runs.confirm(old, confirming)?;
        let (mut baseline, mut remarks) = (old.clone(), Remarks::default());
        if comparison.has_new_facts() {
            let recorded = Recorded { runs: runs.facts(), ..self.recording(runs, false) };
            comparison = explain(comparison, &old.fingerprint, &recorded.fingerprint);
            baseline = amend(old, &recorded, &comparison.suspects);
            remarks = runs.remarks(Some(old), &baseline, &comparison);
        }
        Ok(Judgement { parsed, recorded: true, comparison, baseline, remarks, growth: Growth::default() })
    }

    /// Tests without a baseline where none may be proposed.
    fn unrecorded<'a>(&self, runs: &mut Runs<'_>, parsed: &'a Parsed) -> Result<Judgement<'a>, RunFailure> {
        runs.once()?;
        let baseline = record(None, &self.recording(runs, false), Unseen::Keep);
        let comparison = runs.compare(None);
        let (remarks, growth) = (Remarks::default(), Growth::default());
        Ok(Judgement { parsed, recorded: false, comparison, baseline, remarks, growth })
    }

    /// Records a baseline.
    fn recorded<'a>(
        &self,
        runs: &mut Runs<'_>,
        parsed: &'a Parsed,
        length: Length,
        unseen: Unseen,
    ) -> Result<Judgement<'a>, RunFailure> {
        let old = parsed.expectation.baseline(&self.platform);
        let growth = runs.record(length)?;
        let baseline = record(old, &self.recording(runs, growth.is_never_quiet()), unseen);
        let (recorded, comparison) = (old.is_some(), runs.compare(old));
        let remarks = runs.remarks(old, &baseline, &comparison);
        Ok(Judgement { parsed, recorded, comparison, baseline, remarks, growth })
    }

    /// Returns the result of a recording, with the facts of the latest version.
    fn recording(&self, runs: &Runs<'_>, never_quiet: bool) -> Recorded {
        let (platform, fingerprint) = (self.platform.clone(), runs.fingerprint());
        Recorded { platform, fingerprint, never_quiet, runs: runs.recorded_facts() }
    }

    /// Returns the verdict on a workload that is skipped.
    pub fn ignored(case: &Case, reason: &str) -> Verdict {
        bare(case, Status::Ignored { reason: reason.to_owned() })
    }

    pub(super) fn verdict<'a>(
        &self,
        case: &'a Case,
        judge: impl FnOnce(&'a Parsed) -> Result<Verdict, RunFailure>,
    ) -> Verdict {
        let parsed = match &case.content {
            Ok(parsed) => parsed,
            Err(Unreadable { message, line }) => {
                return Verdict { line: *line, ..bare(case, Status::Malformed { message: message.clone() }) };
            }
        };
        let begun = Instant::now();
        let judged = match NEEDED {
            Some(needed) => Err(Obstacle::Untraceable(needed.to_owned()).into()),
            None => judge(parsed),
        };
        let elapsed = begun.elapsed();
        let verdict = match judged {
            Ok(verdict) => verdict,
            Err(RunFailure::Obstacle(obstacle)) => bare(case, self.obstructed(obstacle)),
            Err(RunFailure::WrongExit(run)) => {
                let FinishedRun { exit, output, .. } = *run;
                let expected = parsed.expectation.document.workload.exit;
                bare(case, Status::WrongExit { expected, actual: exit, output })
            }
        };
        let was_run = !matches!(verdict.status, Status::Ignored { .. });
        self.located(Verdict { elapsed: if was_run { elapsed } else { Duration::ZERO }, ..verdict }, parsed)
    }

    /// Adds the lines of the file that the verdict refers to.
    fn located(&self, mut verdict: Verdict, parsed: &Parsed) -> Verdict {
        verdict.line = parsed.line(&self.platform, None);
        verdict.comparison.locate(|subsystem| parsed.line(&self.platform, subsystem));
        verdict
    }

    /// Returns the path of a workload's proposal, relative to the package if it is inside.
    fn proposal(&self, name: &str) -> String {
        let file = self.store.proposal_file(name);
        file.strip_prefix(self.package()).unwrap_or(&file).display().to_string()
    }

    /// Returns the status of an obstacle: a workload that cannot run here is ignored, unless it is
    /// required.
    fn obstructed(&self, obstacle: Obstacle) -> Status {
        match obstacle {
            Obstacle::Absent(reason) if self.settings.require => Status::NotStarted { reason },
            Obstacle::Untraceable(reason) if self.settings.require => Status::Untraceable { reason },
            Obstacle::Absent(reason) | Obstacle::Untraceable(reason) => Status::Ignored { reason },
            Obstacle::NotStarted(reason) => Status::NotStarted { reason },
            Obstacle::Broken(reason) | Obstacle::Unguarded(reason) => Status::Broken { reason },
        }
    }
}

/// How a first baseline is recorded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RecordingOptions {
    pub(super) length: Length,
    /// Whether only a part of the workload is run. Then a missing fact is not reported as gone, and
    /// no first baseline is made.
    pub(super) is_partial: bool,
    /// Whether only one run is allowed.
    pub(super) in_slot: bool,
}

fn bare(case: &Case, status: Status) -> Verdict {
    let (workload, file) = (case.name.clone(), case.file.clone());
    let comparison = Comparison::default();
    Verdict {
        workload,
        file,
        line: None,
        status,
        comparison,
        growth: Growth::default(),
        change: None,
        elapsed: Duration::ZERO,
        asked: Asked::Test,
    }
}

/// A comparison of a workload's runs with its baseline, and the baseline that would accept them.
struct Judgement<'a> {
    parsed: &'a Parsed,
    recorded: bool,
    comparison: Comparison,
    /// The baseline after accepting all findings.
    baseline: Baseline,
    /// The remarks that a proposal carries.
    remarks: Remarks,
    /// How the recording grew, if there was one.
    growth: Growth,
}

impl Judgement<'_> {
    /// Writes what the update mode asks for, and returns the verdict. A write error does not hide
    /// the findings.
    fn carry_out(self, update: Update, suite: &Suite, case: &Case) -> Verdict {
        let action = decide(update, self.recorded, &self.comparison);
        let (before, after) = (self.parsed.text(), self.parsed.with(self.baseline));
        let status = match action {
            Action::Keep => Status::Passed,
            Action::Bless => Status::Blessed,
            Action::Propose | Action::Refuse if self.recorded || self.comparison.is_forbidden() => Status::Failed,
            Action::Propose | Action::Refuse => Status::NoBaseline { platform: suite.platform.to_string() },
        };
        let written = match action {
            // Without permission to write, nothing is removed either.
            Action::Keep if update == Update::No => Ok(None),
            Action::Keep => match suite.store.remove_proposal(&case.name) {
                // The workload still passed. Its old proposal stays pending.
                Err(error) if error.is_read_only() => Ok(None),
                removed => removed.map(|_| None),
            },
            Action::Propose => {
                let proposal = with_remarks(after.clone(), &self.remarks);
                suite.store.propose(&case.name, &proposal).map(|_| Some(suite.proposal(&case.name)))
            }
            Action::Bless => suite.store.save_over(&case.name, self.parsed, &after).and_then(|changed| {
                suite.store.remove_proposal(&case.name)?;
                Ok(changed.then(|| case.file.clone()))
            }),
            Action::Refuse => Ok(None),
        };
        let (status, written) = match written {
            Ok(written) => (status, written),
            Err(error) => (Status::Broken { reason: error.to_string() }, None),
        };
        let shown = action != Action::Keep && after != before;
        let pending_dir = suite.settings.pending_dir.as_ref().map(|folder| folder.display().to_string());
        let change = shown.then_some(Change { before, after, written, pending_dir });
        let (workload, file) = (case.name.clone(), case.file.clone());
        Verdict {
            workload,
            file,
            line: None,
            status,
            comparison: self.comparison,
            growth: self.growth,
            change,
            elapsed: Duration::ZERO,
            asked: Asked::Test,
        }
    }
}
