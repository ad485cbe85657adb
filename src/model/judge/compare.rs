//! Compares an observation with an expectation. Main function: [`compare`].
//!
//! It must not decide what to do about differences: [`decide`](crate::model::judge::decide) does.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::expectation::first_calls::FirstByFact;
use crate::model::expectation::{Baseline, Document, Level, Projection, Version};
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::families;
use crate::model::facts::finding::{Comparison, Finding, FindingKind, RelatedSyscall};
use crate::model::judge::forbid::{self, Broken};
use crate::model::observe::call_site::CallSite;
use crate::model::observe::observation::Observation;

mod refusals;

use refusals::KnownRefusals;

/// Compares an observation with a baseline; without a baseline every fact is new.
///
/// `projection` holds the judged facts of `observation`; only `forbid:` rules look at every use.
pub fn compare(
    document: &Document,
    baseline: Option<&Baseline>,
    projection: &Projection,
    observation: &Observation,
) -> Comparison {
    let expected = baseline.map(Baseline::expected).unwrap_or_default();
    let phases = baseline.map(|baseline| baseline.phases.keys().collect()).unwrap_or_default();
    let mut found = unknown(&expected, &phases, projection, document.families_strict);
    let version = baseline.map_or(Version::LATEST, |baseline| baseline.version);
    let broken = forbid::broken(&document.forbid, observation, version);
    for (fact, broken) in &broken {
        let finding = found.entry(fact.clone()).or_insert_with(|| Finding::new(fact.clone(), broken.calls));
        finding.forbidden = Some(broken.rule.clone());
    }
    let mut found: Vec<Finding> = found.into_values().collect();
    let sites = FirstByFact::of(&observation.sites, document);
    let examples = FirstByFact::of(&observation.examples, document);
    for finding in &mut found {
        finding.set_site(sites.of_fact(&finding.fact).map(CallSite::site));
        let example = match &finding.fact {
            Fact::Signal(signal) => observation.ends.examples.get(signal),
            fact => examples.of_fact(fact),
        };
        finding.example = example.cloned();
    }
    show_breaking_calls(&mut found, &broken, document, observation);
    found.sort_by_key(|finding| (finding.forbidden.is_none(), finding.kind));
    let fails = |finding: &Finding| finding.related.is_none() && fails_at(finding.kind, &finding.fact, document.level);
    let (findings, notes) = found.into_iter().partition(|finding| finding.forbidden.is_some() || fails(finding));
    let gone = baseline.map(|baseline| gone(document, baseline, projection)).unwrap_or_default();
    Comparison { findings, notes, gone, version, ..Comparison::default() }
}

/// Gives findings of broken rules the first call that matched the rule, which may not be the first
/// one of its fact.
fn show_breaking_calls(
    found: &mut [Finding],
    broken: &BTreeMap<Fact, Broken>,
    document: &Document,
    observation: &Observation,
) {
    for (at, rule) in document.forbid.iter().enumerate().filter(|(_, rule)| rule.signal.is_none()) {
        let is_its = |finding: &&mut Finding| broken.get(&finding.fact).is_some_and(|broken| broken.at == at);
        let mut findings = found.iter_mut().filter(is_its).peekable();
        if findings.peek().is_none() {
            continue;
        }
        let sites = FirstByFact::of_rule(&observation.sites, rule);
        let examples = FirstByFact::of_rule(&observation.examples, rule);
        for finding in findings {
            finding.set_site(sites.of_fact(&finding.fact).map(CallSite::site));
            finding.example = examples.of_fact(&finding.fact).cloned();
        }
    }
}

/// Returns whether a finding of this kind fails at this level.
fn fails_at(kind: FindingKind, fact: &Fact, level: Level) -> bool {
    match kind {
        FindingKind::NewSubsystem | FindingKind::NewBlindSpot | FindingKind::NewAbi => true,
        FindingKind::NewSyscall => level >= Level::Syscall,
        FindingKind::NewArgument => level >= Level::Argument,
        FindingKind::NewObject | FindingKind::NewUse => level >= Level::Object,
        FindingKind::NewError => level >= Level::Error,
        FindingKind::NewSignal => level >= Level::Signal || matches!(fact, Fact::Signal(signal) if signal.is_crash()),
    }
}

/// Returns a finding for each fact that is not expected. Arguments and objects of a new syscall are
/// part of its finding.
fn unknown(
    expected: &BTreeSet<Fact>,
    phases: &BTreeSet<&String>,
    projection: &Projection,
    families_strict: bool,
) -> BTreeMap<Fact, Finding> {
    let mut found: BTreeMap<Fact, Finding> = BTreeMap::new();
    let known_refusals = KnownRefusals::of(expected, &projection.refused);
    // Each syscall of a phase is also judged as one of the workload. A phase that the baseline does
    // not name is not judged separately.
    let is_judged = |fact: &Fact| {
        phase(fact).is_none_or(|phase| phases.contains(phase) && expected.contains(&fact.in_any_phase()))
            && !known_refusals.contains(fact)
    };
    for (fact, &calls) in projection.facts.iter().filter(|(fact, _)| !expected.contains(fact) && is_judged(fact)) {
        let related = related_fact(expected, fact).filter(|_| !families_strict);
        let syscall = fact.parent().and_then(|parent| found.get_mut(&parent));
        match (syscall.filter(|syscall| syscall.includes(fact, related.as_ref())), fact) {
            (Some(syscall), Fact::Use { detail: Some(detail), .. }) => syscall.details.push(detail.clone()),
            _ => {
                let kind = kind(expected, fact);
                found.insert(fact.clone(), Finding { kind, related, ..Finding::new(fact.clone(), calls) });
            }
        }
    }
    found
}

/// Returns the kind of finding for a new fact: for a pair, whether a part of it is new to the
/// syscall.
fn kind(expected: &BTreeSet<Fact>, fact: &Fact) -> FindingKind {
    let (Some(Detail::Pair(pair)), Some(syscall)) = (fact.detail(), fact.parent()) else {
        return FindingKind::of(fact);
    };
    let of_syscall = expected.range(&syscall..).skip(1).take_while(|other| other.parent().as_ref() == Some(&syscall));
    let mut known = of_syscall.filter_map(Fact::detail);
    if !known.clone().any(|detail| detail.argument() == Some(&pair.argument)) {
        FindingKind::NewArgument
    } else if !known.any(|detail| detail.object() == Some(&pair.object)) {
        FindingKind::NewObject
    } else {
        FindingKind::NewUse
    }
}

fn phase(fact: &Fact) -> Option<&String> {
    match fact {
        Fact::Phase { phase, .. } => Some(phase),
        _ => None,
    }
}

/// Returns an expected member of the syscall's family in the same subsystem, with the same detail.
/// A call under another ABI has none.
fn related_fact(expected: &BTreeSet<Fact>, fact: &Fact) -> Option<RelatedSyscall> {
    let Fact::Use { subsystem, syscall: Some(syscall), detail } = fact else { return None };
    if matches!(detail, Some(Detail::Abi(_))) {
        return None;
    }
    families::of(syscall).find_map(|family| {
        let others = family.members.iter().filter(|member| **member != syscall.as_str());
        let beside = others.copied().find(|member| {
            let syscall = Some((*member).to_owned());
            expected.contains(&Fact::Use { subsystem: *subsystem, syscall, detail: detail.clone() })
        })?;
        Some(RelatedSyscall { family: family.name.to_owned(), beside: beside.to_owned() })
    })
}

/// Returns the held facts that were not seen. An occasional entry is not gone; errors and signals
/// count only where a new one fails.
fn gone(document: &Document, baseline: &Baseline, projection: &Projection) -> Vec<Fact> {
    let held = baseline.facts();
    let judged = |fact: &Fact| match FindingKind::of(fact) {
        kind @ FindingKind::NewError => fails_at(kind, fact, document.level),
        kind @ FindingKind::NewSignal => {
            document.judges_signals(baseline.version) && fails_at(kind, fact, document.level)
        }
        _ => true,
    };
    let missing = |fact: &Fact| !projection.facts.contains_key(fact) && judged(fact) && !is_occasional(baseline, fact);
    let missing: BTreeSet<&Fact> = held.iter().filter(|fact| missing(fact)).collect();
    let is_outermost = |fact: &Fact| fact.parent().is_none_or(|parent| !missing.contains(&parent));
    missing.iter().filter(|fact| is_outermost(fact)).map(|&fact| fact.clone()).collect()
}

/// Returns whether some recorded run did not show the fact, or a part of it.
fn is_occasional(baseline: &Baseline, fact: &Fact) -> bool {
    let Fact::Use { subsystem, syscall, .. } = fact else { return false };
    let Some(entries) = baseline.subsystems.get(subsystem) else { return false };
    match syscall {
        Some(syscall) => entries.get(syscall).is_some_and(|entry| entry.sometimes),
        None => entries.values().any(|entry| entry.sometimes),
    }
}

#[cfg(test)]
mod tests;
