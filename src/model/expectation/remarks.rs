//! What a test knows of what it proposes and no baseline holds: who made the first call, and what may have brought it. Main type: [`Remarks`].
//!
//! They are for the reviewer only: a proposal carries them, no decision depends on them, and what is accepted is without them.

use std::collections::{BTreeMap, BTreeSet};

use super::terms::Baseline;
use crate::model::compare::{Comparison, Fact, Finding};
use crate::model::fingerprint::Drift;

/// What is said of the facts of a proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// What changed around the workload since the baseline was recorded.
    pub drift: Vec<String>,
    /// Who made the first call.
    pub sites: BTreeMap<Fact, String>,
    /// What is known to have brought it, other than a change of the workload.
    pub causes: BTreeMap<Fact, String>,
}

impl Remarks {
    /// What a comparison tells of the facts that this baseline holds.
    pub fn of(comparison: &Comparison, proposed: &Baseline) -> Self {
        let told = |of: fn(&Finding) -> &Option<String>| {
            let findings = comparison.findings.iter().chain(&comparison.notes);
            findings.filter_map(|finding| Some((finding.fact.clone(), of(finding).clone()?))).collect()
        };
        let remarks = Self {
            drift: comparison.drift.iter().map(Drift::to_string).collect(),
            sites: told(|finding| &finding.site),
            causes: told(|finding| &finding.cause),
        };
        remarks.only(&proposed.facts())
    }

    /// What is said of these facts.
    pub fn only(mut self, facts: &BTreeSet<Fact>) -> Self {
        for remarks in [&mut self.sites, &mut self.causes] {
            remarks.retain(|fact, _| facts.contains(fact));
        }
        self
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.drift.is_empty() && self.sites.is_empty() && self.causes.is_empty()
    }

    /// The finding, with what is said of it.
    pub(super) fn told(&self, finding: Finding) -> Finding {
        let [site, cause] = [&self.sites, &self.causes].map(|remarks| remarks.get(&finding.fact).cloned());
        Finding { site, cause, ..finding }
    }
}
