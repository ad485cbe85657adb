//! Remarks on the new facts of a proposal: the first call, its call site and stack, and a known
//! cause. Main type: [`Remarks`].
//!
//! They are for the reviewer only: no decision depends on them, and an accepted baseline holds
//! none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::expectation::first_calls::FirstByFact;
use crate::model::expectation::terms::Document;
use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::{Comparison, Finding};
use crate::model::facts::fingerprint::FingerprintChange;
use crate::model::facts::site::{NoSite, Site};
use crate::model::observe::observation::Observation;
use crate::model::observe::stacks;

/// The cause of a proposed fact that a test does not report as a finding.
const REFUSED: &str = "only refused calls, and the baseline knows their kind: no finding of the test";

/// The remarks on the facts of a proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Parts of the fingerprint that changed since the baseline was recorded.
    pub drift: Vec<String>,
    /// The first call.
    pub examples: BTreeMap<Fact, Example>,
    /// The call site of the first call.
    pub sites: BTreeMap<Fact, Site>,
    /// The reason for a missing call site, if only the run shows it.
    pub site_reasons: BTreeMap<Fact, NoSite>,
    /// The stack of the first call, one line a function, innermost first. Long runs of library
    /// functions are folded.
    pub stacks: BTreeMap<Fact, Arc<[String]>>,
    /// A possible cause other than a change of the workload.
    pub causes: BTreeMap<Fact, String>,
}

impl Remarks {
    /// Returns remarks on the differences between a baseline and a proposal, after a comparison
    /// with the observation. If the stacks are too long together, those of the first differences
    /// are kept.
    pub fn of(
        document: &Document,
        differences: &[Finding],
        comparison: &Comparison,
        seen: &Observation,
        refused: &BTreeSet<Fact>,
    ) -> Self {
        let facts = || differences.iter().map(|finding| &finding.fact);
        let mut compared = BTreeMap::new();
        for finding in comparison.findings.iter().chain(&comparison.notes) {
            compared.entry(&finding.fact).or_insert(finding);
        }
        let sites = FirstByFact::of(&seen.sites, document);
        let examples = FirstByFact::of(&seen.examples, document);
        let example = |fact: &Fact| match fact {
            Fact::Signal(signal) => seen.ends.examples.get(signal),
            fact => examples.of_fact(fact),
        };
        let cause = |fact: &Fact| match compared.get(fact) {
            Some(finding) => finding.cause.clone(),
            None => refused.contains(fact).then(|| REFUSED.to_owned()),
        };
        let site_reason = |fact: &Fact| {
            let of_call = sites.of_fact(fact).and_then(|site| site.site().err());
            let reason = of_call.or_else(|| compared.get(fact)?.no_site.filter(|_| sites.of_fact(fact).is_none()));
            reason.filter(|reason| reason.is_of_run())
        };
        Self {
            drift: comparison.drift.iter().map(FingerprintChange::to_string).collect(),
            examples: facts().filter_map(|fact| Some((fact.clone(), example(fact)?.clone()))).collect(),
            sites: facts().filter_map(|fact| Some((fact.clone(), sites.of_fact(fact)?.site().ok()?))).collect(),
            site_reasons: facts().filter_map(|fact| Some((fact.clone(), site_reason(fact)?))).collect(),
            stacks: stacks::by_fact(facts().filter_map(|fact| Some((fact, sites.of_fact(fact)?)))),
            causes: facts().filter_map(|fact| Some((fact.clone(), cause(fact)?))).collect(),
        }
    }

    /// Keeps only the remarks on these facts.
    pub fn only(mut self, facts: &BTreeSet<Fact>) -> Self {
        self.examples.retain(|fact, _| facts.contains(fact));
        self.sites.retain(|fact, _| facts.contains(fact));
        self.site_reasons.retain(|fact, _| facts.contains(fact));
        self.stacks.retain(|fact, _| facts.contains(fact));
        self.causes.retain(|fact, _| facts.contains(fact));
        self
    }

    /// Returns whether there are no remarks.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the finding with its first call, call site and cause.
    pub(in crate::model) fn annotated(&self, finding: Finding) -> Finding {
        let fact = &finding.fact;
        let (site, cause) = (self.sites.get(fact).cloned(), self.causes.get(fact).cloned());
        let (example, no_site) = (self.examples.get(fact).cloned(), self.site_reasons.get(fact).copied());
        Finding { site, no_site, cause, example, ..finding }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposed_fact_without_finding_has_a_cause() {
        let fact = |key: &str| key.parse::<Fact>().expect(key);
        let found = Finding { cause: Some("glibc".to_owned()), ..Finding::new(fact("process::clone3"), 1) };
        let without_cause = Finding::new(fact("network::socket"), 1);
        let without_finding = Finding::new(fact("device::ioctl::object=pipe"), 0);
        let refused =
            [without_finding.fact.clone(), without_cause.fact.clone(), fact("device::ioctl::object=file")].into();
        let comparison =
            Comparison { findings: vec![found.clone()], notes: vec![without_cause.clone()], ..Comparison::default() };
        let remarks = Remarks::of(
            &Document::for_tests(),
            &[found, without_cause, without_finding],
            &comparison,
            &Observation::new(),
            &refused,
        );
        let causes = [(fact("process::clone3"), "glibc"), (fact("device::ioctl::object=pipe"), REFUSED)];
        assert_eq!(remarks.causes, causes.map(|(fact, cause)| (fact, cause.to_owned())).into());
        assert_eq!(remarks.sites, BTreeMap::new());
    }
}
