//! Tests of findings on error paths, and of what is then recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::model::expectation::{Explored, OutcomeRule};
use crate::model::judge::exploration::confirm::{REPEATS, keep_repeated, to_repeat};
use crate::model::judge::exploration::recording::record_paths;

fn call(text: &str) -> FailedCall {
    text.parse().expect(text)
}

/// Returns a run that showed these facts.
fn tried(id: &str, failed: &str, outcome: RunOutcome, facts: &[&str]) -> Tried {
    let facts: BTreeSet<Fact> = facts.iter().map(|key| key.parse().expect(key)).collect();
    let findings = facts.iter().map(|fact| Finding::new(fact.clone(), 1)).collect();
    Tried {
        id: id.to_owned(),
        call: call(failed),
        is_shared: false,
        outcome,
        differences: Vec::new(),
        beyond: facts,
        comparison: Comparison { findings, ..Comparison::default() },
    }
}

/// Returns the further runs of these, `same` of which showed the same.
fn repeated(
    settings: &ExploreSettings,
    recorded: Option<&ErrorPaths>,
    tried: &[Tried],
    same: u32,
) -> BTreeMap<usize, Repeated> {
    let again = |at: usize| {
        let facts = if same == REPEATS { tried[at].beyond.clone() } else { BTreeSet::new() };
        (at, Repeated { same, runs: REPEATS, facts, ..Repeated::default() })
    };
    to_repeat(settings, recorded, tried).into_iter().map(again).collect()
}

/// Returns the judgement if everything repeats.
fn judgement(settings: &ExploreSettings, recorded: Option<&ErrorPaths>, tried: &[Tried]) -> Judgement {
    judge(settings, recorded, tried, &repeated(settings, recorded, tried, REPEATS))
}

/// Formats findings as `RULE SUBJECT: IDS (+MORE)`.
fn shown(findings: &[PathFinding]) -> Vec<String> {
    let show = |finding: &PathFinding| {
        let ids: Vec<&str> = finding.paths.iter().map(|path| path.id.as_str()).collect();
        format!("{} {}: {} (+{})", finding.rule(), finding.subject(), ids.join(","), finding.more.len())
    };
    findings.iter().map(show).collect()
}

fn explored() -> Explored {
    Explored { budget: Duration::from_secs(60), tried: 4, reachable: 9 }
}

fn recorded(outcomes: &[(RunOutcome, &str)], facts: &[&str]) -> ErrorPaths {
    let mut paths = ErrorPaths::default();
    for (outcome, text) in outcomes {
        paths.outcomes.entry(*outcome).or_default().insert(call(text));
    }
    facts.iter().for_each(|key| paths.insert(&key.parse().expect(key)));
    paths
}

fn sample() -> Vec<Tried> {
    vec![
        tried("a", "read EIO", RunOutcome::Absorbed, &[]),
        tried("b", "write ENOSPC", RunOutcome::Silent, &["filesystem::unlink"]),
        tried("c", "write ENOSPC", RunOutcome::Silent, &["filesystem::unlink"]),
        tried("d", "write EIO", RunOutcome::Panic, &["signal::tgkill"]),
        tried("e", "poll EINTR", RunOutcome::Hang, &[]),
        tried("f", "read EINTR", RunOutcome::NotReached, &[]),
    ]
}

#[test]
fn without_record_each_judged_outcome_fails_and_facts_are_notes() {
    let found = judgement(&ExploreSettings::default(), None, &sample());
    assert_eq!(
        shown(&found.findings),
        ["hang poll EINTR: e (+0)", "panic write EIO: d (+0)", "silent write ENOSPC: b,c (+0)"]
    );
    let notes = ["new-syscall signal::tgkill: d (+0)", "new-syscall filesystem::unlink: b (+1)"];
    assert_eq!(shown(&found.notes).iter().collect::<BTreeSet<_>>(), notes.map(str::to_owned).iter().collect());
    assert_eq!((found.suspects.len(), found.gone.len(), found.recorded), (0, 0, 0));
}

#[test]
fn recorded_outcomes_and_facts_are_no_findings() {
    let record =
        recorded(&[(RunOutcome::Silent, "write ENOSPC"), (RunOutcome::Panic, "read EIO")], &["filesystem::unlink"]);
    let mut runs = sample();
    // The facts of a run are compared with what was recorded before.
    runs.iter_mut().for_each(|run| run.comparison.findings.retain(|found| found.fact.syscall() != Some("unlink")));
    let found = judgement(&ExploreSettings::default(), Some(&record), &runs);
    let findings = ["hang poll EINTR: e (+0)", "panic write EIO: d (+0)", "new-syscall signal::tgkill: d (+0)"];
    assert_eq!(shown(&found.findings), findings);
    assert_eq!(found.gone, [(RunOutcome::Panic, call("read EIO"))], "`read EIO` no longer panics");
    assert_eq!(found.recorded, 2);
}

#[test]
fn forbidden_outcome_fails_even_if_recorded_and_exception_beats_both() {
    let record = recorded(&[(RunOutcome::Silent, "write ENOSPC"), (RunOutcome::Hang, "poll EINTR")], &[]);
    let forbid = [RunOutcome::Silent, RunOutcome::Hang].into();
    let except = vec![OutcomeRule { syscall: Some("poll".to_owned()), ..OutcomeRule::default() }];
    let settings = ExploreSettings { forbid, except, ..ExploreSettings::default() };
    let found = judgement(&settings, Some(&record), &sample()[..5]);
    assert_eq!(shown(&found.findings)[..2], ["forbidden write ENOSPC: b,c (+0)", "panic write EIO: d (+0)"]);
    assert_eq!((found.excepted, found.recorded), (1, 2));
    let new = record_paths(&settings, Some(&record), &sample(), &found, explored(), true);
    assert!(!new.outcomes.contains_key(&RunOutcome::Hang), "an excepted outcome is not recorded");
}

#[test]
fn unrepeated_findings_are_suspects_and_not_recorded() {
    let (settings, runs) = (ExploreSettings::default(), sample());
    for same in [0, REPEATS - 1] {
        let found = judge(&settings, None, &runs, &repeated(&settings, None, &runs, same));
        assert_eq!((found.findings.len(), found.notes.len(), found.suspects.len()), (0, 0, 5));
        let new = record_paths(&settings, None, &runs, &found, explored(), true);
        assert_eq!(new, ErrorPaths { explored: Some(explored()), ..ErrorPaths::default() });
    }
}

#[test]
fn only_first_places_are_repeated() {
    let settings = ExploreSettings::default();
    let runs: Vec<Tried> =
        (0..PLACES + 3).map(|at| tried(&at.to_string(), "write EIO", RunOutcome::Panic, &[])).collect();
    assert_eq!(to_repeat(&settings, None, &runs), (0..PLACES).collect());
    assert_eq!(shown(&judgement(&settings, None, &runs).findings), ["panic write EIO: 0,1,2,3,4 (+3)"]);
}

#[test]
fn record_is_stable_and_forgets_what_is_gone() {
    let (settings, runs) = (ExploreSettings::default(), sample());
    let found = judgement(&settings, None, &runs);
    let first = record_paths(&settings, None, &runs, &found, explored(), true);
    let held: Vec<String> =
        first.outcomes.iter().map(|(outcome, calls)| format!("{outcome} {}", calls.len())).collect();
    assert_eq!(held, ["silent 1", "panic 1", "hang 1"]);
    let mut known = runs.clone();
    known.iter_mut().for_each(|run| run.comparison.findings.clear());
    let again = judgement(&settings, Some(&first), &known);
    assert_eq!((again.findings.len(), again.recorded), (0, 4));
    assert_eq!(record_paths(&settings, Some(&first), &known, &again, explored(), true), first);

    // `write EIO` is absorbed now, and no run uses tgkill.
    let mut fixed = known.clone();
    fixed[3] = tried("d", "write EIO", RunOutcome::Absorbed, &[]);
    let found = judgement(&settings, Some(&first), &fixed);
    for (is_whole, uses_tgkill) in [(true, false), (false, true)] {
        let new = record_paths(&settings, Some(&first), &fixed, &found, explored(), is_whole);
        assert!(!new.outcomes.contains_key(&RunOutcome::Panic));
        let facts = new.expected();
        assert_eq!(facts.contains(&"signal::tgkill".parse().expect("a fact")), uses_tgkill);
        assert!(facts.contains(&"filesystem::unlink".parse().expect("a fact")));
    }
    let partly = judgement(&settings, Some(&first), &known[..3]);
    let new = record_paths(&settings, Some(&first), &known[..3], &partly, explored(), false);
    assert_eq!(new, first, "what was not tried stays");
}

#[test]
fn reasons_of_recorded_uses_stay() {
    let (settings, runs) = (ExploreSettings::default(), sample());
    let first = record_paths(&settings, None, &runs, &judgement(&settings, None, &runs), explored(), true);
    let mut reasoned = first.clone();
    for entry in reasoned.uses.values_mut().flat_map(BTreeMap::values_mut) {
        entry.why = Some("cleans up".to_owned());
    }
    let again = judgement(&settings, Some(&reasoned), &runs);
    assert_eq!(record_paths(&settings, Some(&reasoned), &runs, &again, explored(), true), reasoned);
}

#[test]
fn shared_call_keeps_only_repeated_facts() {
    let shared = |id| Tried { is_shared: true, ..tried(id, "read EIO", RunOutcome::Silent, &["filesystem::unlink"]) };
    let mut runs = vec![shared("a"), shared("b"), tried("c", "dup EMFILE", RunOutcome::Absorbed, &["signal::tgkill"])];
    let settings = ExploreSettings::default();
    assert_eq!(to_repeat(&settings, None, &runs), BTreeSet::from([0, 1, 2]));
    let mut again = repeated(&settings, None, &runs, REPEATS);
    again.get_mut(&0).expect("a run").facts.clear();
    again.get_mut(&0).expect("a run").same = 1;
    keep_repeated(&mut runs, &again);
    assert_eq!(runs.iter().map(|run| run.beyond.len()).collect::<Vec<_>>(), [0, 1, 1]);
    let found = judge(&settings, None, &runs, &again);
    assert_eq!(shown(&found.findings), ["silent read EIO: b (+0)"], "what did not repeat is not shown beside it");
}
