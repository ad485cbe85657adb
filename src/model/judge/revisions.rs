//! What differs between two versions of an expectation, without running anything. Main type:
//! [`Drift`].
//!
//! It must not judge: whether a difference is welcome is its reader's business.

use crate::model::expectation::{Baseline, Document, Expectation, Level, Projection};
use crate::model::facts::finding::{Comparison, Finding};
use crate::model::judge::compare::compare;
use crate::model::observe::observation::Observation;
use crate::model::run::platform::Platform;

/// What became of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Its name.
    pub workload: String,
    /// Its file, relative to the package.
    pub file: String,
    /// Whether the file is new, gone, or another.
    pub change: Change,
    /// Whether its author's document says something else now.
    pub document: bool,
    /// The platforms whose baselines differ, in the order of their names.
    pub baselines: Vec<BaselineDrift>,
}

/// What became of a file or of a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Added,
    /// It is no longer there.
    Removed,
    /// It holds something else.
    Changed,
}

/// What became of one platform's baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineDrift {
    /// Which.
    pub platform: Platform,
    /// Whether it is new, gone, or another.
    pub change: Change,
    /// What it holds now and did not, heaviest first.
    pub new: Vec<Entered>,
    /// What it held and holds no longer, heaviest first.
    pub gone: Vec<Entered>,
}

/// A difference, with what the file that holds it says of its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The difference.
    pub finding: Finding,
    /// Why the workload needs it.
    pub why: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
}

impl Drift {
    /// What differs between two versions of a workload's file; `None` where nothing does that
    /// counts.
    pub fn between(
        workload: &str,
        file: &str,
        before: Option<&Expectation>,
        after: Option<&Expectation>,
    ) -> Option<Self> {
        let change = change(before.is_some(), after.is_some())?;
        let document = before.map(|before| &before.document) != after.map(|after| &after.document);
        let baselines = baselines(before, after);
        let drift = Self { workload: workload.to_owned(), file: file.to_owned(), change, document, baselines };
        (change != Change::Changed || document || !drift.baselines.is_empty()).then_some(drift)
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

fn baselines(before: Option<&Expectation>, after: Option<&Expectation>) -> Vec<BaselineDrift> {
    let all = before.into_iter().chain(after).flat_map(|expectation| &expectation.baselines);
    let mut platforms: Vec<&Platform> = all.map(|baseline| &baseline.platform).collect();
    platforms.sort();
    platforms.dedup();
    let Some(document) = after.or(before).map(|expectation| &expectation.document) else { return Vec::new() };
    let drift = |platform: &&Platform| {
        let [old, new] = [before, after].map(|version| version.and_then(|version| version.baseline(platform)));
        let change = change(old.is_some(), new.is_some())?;
        let beyond = |held: Option<&Baseline>, other: Option<&Baseline>| {
            other.map(|other| entered(difference(document, held, other), other)).unwrap_or_default()
        };
        let (added, gone) = (beyond(old, new), beyond(new, old));
        let differs = change != Change::Changed || !added.is_empty() || !gone.is_empty();
        differs.then(|| BaselineDrift { platform: (*platform).clone(), change, new: added, gone })
    };
    platforms.iter().filter_map(drift).collect()
}

fn entered(findings: Vec<Finding>, baseline: &Baseline) -> Vec<Entered> {
    let of = |finding: Finding| {
        let entry = baseline.entry(&finding.fact.in_any_phase());
        let (why, owner) = entry.map(|entry| (entry.why.clone(), entry.owner.clone())).unwrap_or_default();
        Entered { finding, why, owner }
    };
    findings.into_iter().map(of).collect()
}

/// What a baseline holds and another does not, heaviest first, however deep the document looks.
pub fn difference(document: &Document, held: Option<&Baseline>, baseline: &Baseline) -> Vec<Finding> {
    let document = Document { level: Level::Error, ..document.clone() };
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

    fn shown(findings: &[Entered]) -> Vec<String> {
        findings.iter().map(|Entered { finding, .. }| format!("{} {}", finding.kind.name(), finding.fact)).collect()
    }

    #[test]
    fn what_is_new_and_what_is_gone_are_told_heaviest_first() {
        let before = expectation(&format!("{GNU}  filesystem:\n    openat:\n      seen: sometimes\n    close:\n"));
        let after = expectation(&format!(
            "{GNU}  filesystem:\n    close:\n      objects: [file]\n  network:\n    socket:\n      arguments: [AF_INET]\n"
        ));
        let drift = Drift::between("a", "a.yaml", Some(&before), Some(&after)).expect("a drift");
        assert_eq!((drift.change, drift.document), (Change::Changed, false));
        let [baseline] = &drift.baselines[..] else { panic!("one platform") };
        assert_eq!(
            shown(&baseline.new),
            ["new-subsystem network", "new-syscall network::socket", "new-object filesystem::close::object=file"]
        );
        assert_eq!(shown(&baseline.gone), ["new-syscall filesystem::openat"], "also what is seen only sometimes");
        assert_eq!(baseline.gone[0].finding.kind, FindingKind::NewSyscall);
    }

    #[test]
    fn a_difference_has_the_reason_of_the_entry_that_it_is_in() {
        let before =
            expectation(&format!("{GNU}  network:\n    bind:\n      why: served\n    socket:\n      why: old\n"));
        let after = expectation(&format!(
            "{GNU}  network:\n    connect:\n    socket:\n      arguments: [AF_INET]\n      why: talks\n      owner: us\n"
        ));
        let drift = Drift::between("a", "a.yaml", Some(&before), Some(&after)).expect("a drift");
        let reasons = |differences: &[Entered]| -> Vec<_> {
            differences.iter().map(|Entered { why, owner, .. }| (why.clone(), owner.clone())).collect()
        };
        let said = |words: &str| Some(words.to_owned());
        assert_eq!(reasons(&drift.baselines[0].new), [(None, None), (said("talks"), said("us"))]);
        assert_eq!(reasons(&drift.baselines[0].gone), [(said("served"), None)]);
    }

    #[test]
    fn versions_that_say_the_same_differ_in_nothing() {
        let plain = expectation(&format!("{GNU}  network:\n    socket:\n"));
        let explained = expectation(&format!("{GNU}  network: {{socket: {{why: talks}}}}\n"));
        assert_eq!(Drift::between("a", "a.yaml", Some(&plain), Some(&explained)), None);
        assert_eq!(Drift::between("a", "a.yaml", None, None), None);
    }

    #[test]
    fn files_baselines_and_documents_come_and_go() {
        let (bare, blessed) = (expectation(""), expectation(&format!("{GNU}  network:\n    socket:\n")));
        for (before, after, change, baseline) in [
            (None, Some(&blessed), Change::Added, Some(Change::Added)),
            (Some(&blessed), None, Change::Removed, Some(Change::Removed)),
            (Some(&bare), Some(&blessed), Change::Changed, Some(Change::Added)),
            (None, Some(&bare), Change::Added, None),
        ] {
            let drift = Drift::between("a", "a.yaml", before, after).expect("a drift");
            assert_eq!((drift.change, drift.baselines.first().map(|drift| drift.change)), (change, baseline));
        }
        let mut other = bare.clone();
        other.document.ignore = Some("slow".to_owned());
        assert!(Drift::between("a", "a.yaml", Some(&bare), Some(&other)).expect("a drift").document);
    }
}
