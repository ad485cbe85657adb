//! Compares two revisions of an expectation without running anything. Main type:
//! [`ExpectationDiff`].
//!
//! It must not judge whether a difference is acceptable.

use crate::model::expectation::{Baseline, Document, Expectation, Level, Projection};
use crate::model::facts::finding::{Comparison, Finding};
use crate::model::judge::compare::compare;
use crate::model::observe::observation::Observation;
use crate::model::run::platform::Platform;

/// The changes of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectationDiff {
    /// Its name.
    pub workload: String,
    /// Its file, relative to the package.
    pub file: String,
    /// Whether the file was added, removed or changed.
    pub change: Change,
    /// Whether the author's document changed.
    pub document: bool,
    /// The baselines that differ, ordered by platform.
    pub baselines: Vec<BaselineDiff>,
}

/// How a file or a baseline changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It did not exist before.
    Added,
    /// It no longer exists.
    Removed,
    /// Its content changed.
    Changed,
}

/// The changes of the baseline of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineDiff {
    /// The platform.
    pub platform: Platform,
    /// Whether it was added, removed or changed.
    pub change: Change,
    /// The added facts, most severe first.
    pub new: Vec<EntryDifference>,
    /// The removed facts, most severe first.
    pub gone: Vec<EntryDifference>,
}

/// A difference, with the reason and owner of its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDifference {
    /// The difference.
    pub finding: Finding,
    /// Why the workload needs it.
    pub why: Option<String>,
    /// The person or team responsible for it.
    pub owner: Option<String>,
}

impl ExpectationDiff {
    /// Returns the changes between two revisions of a workload's file; `None` if no fact and no
    /// part of the document differs.
    pub fn between(
        workload: &str,
        file: &str,
        before: Option<&Expectation>,
        after: Option<&Expectation>,
    ) -> Option<Self> {
        let change = change(before.is_some(), after.is_some())?;
        let document = before.map(|before| &before.document) != after.map(|after| &after.document);
        let baselines = baselines(before, after);
        let diff = Self { workload: workload.to_owned(), file: file.to_owned(), change, document, baselines };
        (change != Change::Changed || document || !diff.baselines.is_empty()).then_some(diff)
    }
}

fn change(before: bool, after: bool) -> Option<Change> {
    match (before, after) {
        (false, false) => None,
        (false, true) => Some(Change::Added),
        (true, false) => Some(Change::Removed),
        (true, true) => Some(Change::Changed),
    }
}

fn baselines(before: Option<&Expectation>, after: Option<&Expectation>) -> Vec<BaselineDiff> {
    let all = before.into_iter().chain(after).flat_map(|expectation| &expectation.baselines);
    let mut platforms: Vec<&Platform> = all.map(|baseline| &baseline.platform).collect();
    platforms.sort();
    platforms.dedup();
    let Some(document) = after.or(before).map(|expectation| &expectation.document) else { return Vec::new() };
    let diff = |platform: &&Platform| {
        let [old, new] = [before, after].map(|version| version.and_then(|version| version.baseline(platform)));
        let change = change(old.is_some(), new.is_some())?;
        let beyond = |held: Option<&Baseline>, other: Option<&Baseline>| {
            other.map(|other| entered(difference(document, held, other), other)).unwrap_or_default()
        };
        let (added, gone) = (beyond(old, new), beyond(new, old));
        let differs = change != Change::Changed || !added.is_empty() || !gone.is_empty();
        differs.then(|| BaselineDiff { platform: (*platform).clone(), change, new: added, gone })
    };
    platforms.iter().filter_map(diff).collect()
}

fn entered(findings: Vec<Finding>, baseline: &Baseline) -> Vec<EntryDifference> {
    let of = |finding: Finding| {
        let entry = baseline.entry(&finding.fact.in_any_phase());
        let why = entry.and_then(|entry| entry.why_of(&finding.fact)).map(str::to_owned);
        let owner = entry.and_then(|entry| entry.owner.clone());
        EntryDifference { finding, why, owner }
    };
    findings.into_iter().map(of).collect()
}

/// Returns the facts of `baseline` that `held` lacks, most severe first, at every level of detail.
pub fn difference(document: &Document, held: Option<&Baseline>, baseline: &Baseline) -> Vec<Finding> {
    let document = Document { level: Level::Signal, ..document.clone() };
    let facts = baseline.facts().into_iter().map(|fact| (fact, 0)).collect();
    let projection = Projection { facts, ..Projection::default() };
    let Comparison { mut findings, notes, .. } = compare(&document, held, &projection, &Observation::new());
    findings.extend(notes);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::expectation::format::read;
    use crate::model::facts::finding::FindingKind;

    fn expectation(baseline: &str) -> Expectation {
        let text = format!("version: 1\nbin: demo\n{baseline}");
        read(text.as_bytes()).expect("a good text").expectation
    }

    const GNU: &str = "---\nplatform: x86_64-linux-gnu\nsubsystems:\n";

    fn shown(findings: &[EntryDifference]) -> Vec<String> {
        findings
            .iter()
            .map(|EntryDifference { finding, .. }| format!("{} {}", finding.kind.name(), finding.fact))
            .collect()
    }

    #[test]
    fn added_and_removed_facts_are_ordered_by_severity() {
        let before = expectation(&format!("{GNU}  filesystem:\n    openat:\n      seen: sometimes\n    close:\n"));
        let after = expectation(&format!(
            "{GNU}  filesystem:\n    close:\n      objects: [file]\n  network:\n    socket:\n      arguments: [AF_INET]\n"
        ));
        let diff = ExpectationDiff::between("a", "a.yaml", Some(&before), Some(&after)).expect("a difference");
        assert_eq!((diff.change, diff.document), (Change::Changed, false));
        let [baseline] = &diff.baselines[..] else { panic!("one platform") };
        assert_eq!(
            shown(&baseline.new),
            ["new-subsystem network", "new-syscall network::socket", "new-object filesystem::close::object=file"]
        );
        assert_eq!(shown(&baseline.gone), ["new-syscall filesystem::openat"], "an occasional syscall counts too");
        assert_eq!(baseline.gone[0].finding.kind, FindingKind::NewSyscall);
    }

    #[test]
    fn difference_has_the_reason_of_its_entry() {
        let before =
            expectation(&format!("{GNU}  network:\n    bind:\n      why: served\n    socket:\n      why: old\n"));
        let after = expectation(&format!(
            "{GNU}  network:\n    connect:\n    socket:\n      arguments: [AF_INET]\n      why: talks\n      owner: us\n"
        ));
        let diff = ExpectationDiff::between("a", "a.yaml", Some(&before), Some(&after)).expect("a difference");
        let reasons = |differences: &[EntryDifference]| -> Vec<_> {
            differences.iter().map(|EntryDifference { why, owner, .. }| (why.clone(), owner.clone())).collect()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(reasons(&diff.baselines[0].new), [(None, None), (text("talks"), text("us"))]);
        assert_eq!(reasons(&diff.baselines[0].gone), [(text("served"), None)]);
    }

    #[test]
    fn equal_facts_give_no_difference() {
        let plain = expectation(&format!("{GNU}  network:\n    socket:\n"));
        let explained = expectation(&format!("{GNU}  network: {{socket: {{why: talks}}}}\n"));
        assert_eq!(ExpectationDiff::between("a", "a.yaml", Some(&plain), Some(&explained)), None);
        assert_eq!(ExpectationDiff::between("a", "a.yaml", None, None), None);
    }

    #[test]
    fn added_and_removed_files_and_baselines_are_reported() {
        let (bare, blessed) = (expectation(""), expectation(&format!("{GNU}  network:\n    socket:\n")));
        for (before, after, change, baseline) in [
            (None, Some(&blessed), Change::Added, Some(Change::Added)),
            (Some(&blessed), None, Change::Removed, Some(Change::Removed)),
            (Some(&bare), Some(&blessed), Change::Changed, Some(Change::Added)),
            (None, Some(&bare), Change::Added, None),
        ] {
            let diff = ExpectationDiff::between("a", "a.yaml", before, after).expect("a difference");
            assert_eq!((diff.change, diff.baselines.first().map(|diff| diff.change)), (change, baseline));
        }
        let mut other = bare.clone();
        other.document.ignore = Some("slow".to_owned());
        assert!(ExpectationDiff::between("a", "a.yaml", Some(&bare), Some(&other)).expect("a difference").document);
    }
}
