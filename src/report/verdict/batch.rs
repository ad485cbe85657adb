//! The verdicts of a run by package, and their findings in the order of importance. Main type:
//! [`PackageVerdicts`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::findings::words;
use crate::model::facts::example::Example;
use crate::model::facts::fact::Detail;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::{Comparison, Finding, RelatedSyscall};
use crate::model::judge::groups::{Cause, Group, Member, groups};
use crate::model::judge::verdict::{Status, Verdict};
use crate::model::judge::weight::{Weight, privilege, rank};
use crate::report::words::counted;

/// The verdicts on the workloads of one package, and the place of its files.
#[derive(Debug, Clone, Default)]
pub struct PackageVerdicts {
    /// Cargo's name of the package.
    pub name: String,
    /// Its folder relative to git's top level, with `/`; empty if it is the top level itself.
    pub folder: String,
    /// The verdict on each workload.
    pub verdicts: Vec<Verdict>,
    /// The source files of call sites that are in the repository: as call sites name them, and
    /// relative to git's top level.
    pub sources: BTreeMap<String, String>,
}

/// A line of a source file in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct SourceLine {
    /// The file, relative to git's top level.
    pub(in crate::report) path: String,
    /// The line, counted from 1.
    pub(in crate::report) line: usize,
}

impl PackageVerdicts {
    /// Returns the expectation file of a verdict, relative to git's top level.
    pub(super) fn path(&self, verdict: &Verdict) -> String {
        let folder = self.folder.trim_matches('/');
        if folder.is_empty() { verdict.file.clone() } else { format!("{folder}/{}", verdict.file) }
    }

    /// Returns the line of the repository that caused a finding, if it is known.
    pub(super) fn source(&self, finding: &Finding) -> Option<SourceLine> {
        let location = finding.site.as_ref()?.location.as_ref()?;
        let path = self.sources.get(location.file.as_ref()?)?.clone();
        Some(SourceLine { path, line: usize::try_from(location.line?).ok()? })
    }
}

/// Returns every verdict with its package.
pub(super) fn all(packages: &[PackageVerdicts]) -> impl Iterator<Item = (&PackageVerdicts, &Verdict)> {
    packages.iter().flat_map(|package| package.verdicts.iter().map(move |verdict| (package, verdict)))
}

/// The numbers of workloads by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
}

impl Tally {
    pub(super) fn of(packages: &[PackageVerdicts]) -> Self {
        let mut tally = Self { passed: 0, failed: 0, ignored: 0 };
        for (_, verdict) in all(packages) {
            match &verdict.status {
                Status::Ignored { .. } => tally.ignored += 1,
                status if status.is_failure() => tally.failed += 1,
                _ => tally.passed += 1,
            }
        }
        tally
    }
}

/// `2 of 7 workloads failed, 1 ignored`
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, ignored } = *self;
        let run = counted(passed + failed, "workload", "workloads");
        match (failed, passed) {
            (0, 0) => write!(f, "no workload was run")?,
            (0, _) => write!(f, "{run} as expected")?,
            _ => write!(f, "{failed} of {run} failed")?,
        }
        if ignored > 0 { write!(f, ", {ignored} ignored") } else { Ok(()) }
    }
}

/// A finding or note with its verdict and weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked<'a> {
    pub(super) weight: Weight,
    pub(super) verdict: &'a Verdict,
    pub(super) finding: &'a Finding,
}

/// Returns every finding and note, heaviest first.
pub(super) fn ranked(packages: &[PackageVerdicts]) -> Vec<Ranked<'_>> {
    let mut ranked: Vec<Ranked<'_>> = all(packages).flat_map(|(_, verdict)| Ranked::of(verdict)).collect();
    ranked.sort_by_key(|line| rank(line.weight, line.finding));
    ranked
}

/// Returns the causes of all findings, heaviest first. Notes and suspects of the same cause belong
/// to it.
pub(super) fn causes(packages: &[PackageVerdicts]) -> Vec<Group<'_>> {
    let members = all(packages).flat_map(|(_, verdict)| {
        let Comparison { findings, notes, suspects, .. } = &verdict.comparison;
        let suspects = suspects.iter().map(|suspect| &suspect.finding);
        let notes = notes.iter().chain(suspects).map(|note| (Weight::Note, note));
        let new = findings.iter().map(|finding| (Weight::of(finding), finding)).chain(notes);
        new.map(|(weight, finding)| Member { workload: &verdict.workload, finding, weight })
    });
    groups(members)
}

impl<'a> Ranked<'a> {
    /// Returns the findings and notes of a verdict, heaviest first. A verdict without a baseline
    /// has none: everything in it is new.
    pub(super) fn of(verdict: &'a Verdict) -> Vec<Self> {
        if matches!(verdict.status, Status::NoBaseline { .. }) {
            return Vec::new();
        }
        let line = |weight, finding| Self { weight, verdict, finding };
        let findings = verdict.comparison.findings.iter().map(|finding| line(Weight::of(finding), finding));
        let notes = verdict.comparison.notes.iter().map(|note| line(Weight::Note, note));
        let mut lines: Vec<Self> = findings.chain(notes).collect();
        lines.sort_by_key(|line| rank(line.weight, line.finding));
        lines
    }

    /// Returns the id of the cause, unless it is not known.
    pub(super) fn group(&self) -> Option<String> {
        let cause = Cause::of(&self.verdict.workload, self.finding);
        (!matches!(cause, Cause::Unknown { .. })).then(|| cause.id())
    }

    /// Returns the finding's key, which is the same in every format.
    pub(super) fn key(&self) -> String {
        self.finding.fact.key(&self.verdict.workload)
    }

    /// Returns the kind as singular and plural: `new subsystem`, `new subsystems`.
    pub(super) fn kind(&self) -> (&'static str, &'static str) {
        match (self.weight, &self.finding.fact) {
            (Weight::Forbidden, _) => ("forbidden use", "forbidden uses"),
            (Weight::Privileged, Fact::Use { detail: None, .. }) => ("privileged call", "privileged calls"),
            (Weight::Note, _) => ("note", "notes"),
            _ => words(self.finding.kind),
        }
    }

    /// Returns what explains the finding: why it is privileged, which related call is known, what
    /// changed around the workload.
    pub(super) fn reasons(&self) -> impl Iterator<Item = String> {
        let privilege = privilege(&self.finding.fact).filter(|_| self.weight == Weight::Privileged);
        let related = self
            .finding
            .related
            .as_ref()
            .map(|RelatedSyscall { family, beside }| format!("beside {beside} (family {family})"));
        privilege.map(str::to_owned).into_iter().chain(related).chain(self.finding.cause.clone())
    }

    /// Returns the reason of a `forbid:` rule, then the details of the finding.
    pub(super) fn remarks(&self) -> impl Iterator<Item = Cow<'a, str>> {
        let finding = self.finding;
        finding.forbidden.as_deref().map(Cow::from).into_iter().chain(finding.details.iter().map(Detail::value))
    }

    /// Returns the first call.
    pub(super) fn example(&self) -> Option<&'a Example> {
        self.finding.example.as_ref()
    }

    /// Returns what the user's own code calls there.
    pub(super) fn callee(&self) -> Option<&'a str> {
        self.finding.site.as_ref()?.location.as_ref()?.callee.as_deref()
    }

    /// Returns the call site of the first call.
    pub(super) fn site(&self) -> Option<&'a str> {
        self.finding.site.as_ref().map(|site| site.words.as_str())
    }
}
