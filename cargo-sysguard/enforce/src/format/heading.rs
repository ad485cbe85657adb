//! The first comment of a profile. Main type: [`Heading`].

use std::collections::BTreeMap;

use sysguard::unstable::model::run::platform::Platform;

use super::profile::Effect;
use crate::policy::{Calls, Policy, Reason};

/// What the first comment of a profile says beside its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The platform of the baselines.
    pub platform: Platform,
    /// The phase from which on the profile is enforced; `None`: from the start.
    pub phase: Option<String>,
    /// The proof, if there is one.
    pub proof: Option<Proven>,
}

/// A proof, as the first comment names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The number of runs under the profile without a denial.
    pub runs: u32,
    /// The file with the proof.
    pub file: String,
}

impl Heading {
    /// Returns the lines, without a comment sign.
    pub(super) fn lines(&self, policy: &Policy) -> Vec<String> {
        let workloads: Vec<&str> = policy.workloads.iter().map(String::as_str).collect();
        let phase = self.phase.iter().map(|phase| format!(", from phase {phase} on,")).collect::<String>();
        let mut lines = vec![
            format!(
                "Seccomp profile of {}{phase} for {}, made by `cargo sysguard enforce`.",
                workloads.join(", "),
                self.platform
            ),
            counts(policy),
            format!("All other calls: {}.", Effect::from(policy.otherwise)),
            "Not enforced: objects, paths, addresses and names of programs. A seccomp filter sees registers only."
                .to_owned(),
        ];
        if !policy.refused.is_empty() {
            lines.insert(2, "Calls that a `forbid:` rule names are refused.".to_owned());
        }
        lines.extend(policy.unenforced.iter().map(|rule| format!("Not enforced: {rule}.")));
        if self.phase.is_some() {
            lines.push("It assumes that no earlier phase, and no code outside all phases, runs later.".to_owned());
        }
        lines.push(match &self.proof {
            Some(Proven { runs, file }) => format!("Proved by {runs} runs without a denial: {file}."),
            None => "Not proved: run it under this profile with `--prove 20`.".to_owned(),
        });
        lines
    }
}

/// Returns how many calls are allowed, by the first reason of each.
fn counts(policy: &Policy) -> String {
    let mut counts: BTreeMap<(u8, String), usize> = BTreeMap::new();
    for allowed in policy.allowed.values() {
        let group = match allowed.why.first() {
            Some(Reason::Observed { .. }) | None => (0, "observed".to_owned()),
            Some(Reason::ErrorPath { .. }) => (1, "on error paths".to_owned()),
            Some(Reason::Tolerated { .. }) => (2, "tolerated".to_owned()),
            Some(Reason::Ambient { .. }) => (3, "of any program".to_owned()),
            Some(Reason::Instead { .. } | Reason::Beside { .. }) => (4, "of other C libraries and kernels".to_owned()),
            Some(Reason::Phases { .. }) => (5, "of phases".to_owned()),
            Some(Reason::Launcher { launcher, .. }) => (6, format!("of {launcher}")),
        };
        *counts.entry(group).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|((_, group), count)| format!("{count} {group}")).collect();
    let narrowed = policy.allowed.values().filter(|allowed| matches!(allowed.calls, Calls::Some(_))).count();
    let narrowed = if narrowed == 0 { String::new() } else { format!("; {narrowed} with some arguments only") };
    format!("Allows {} calls: {}{narrowed}.", policy.allowed.len(), counts.join(", "))
}
