//! The baselines that a policy is made from. Main types: [`Source`] and [`Refusal`].

use std::collections::BTreeSet;

use sysguard::unstable::model::attribution::blind_spot::BlindSpot;
use sysguard::unstable::model::expectation::{Baseline, Document, Entry, Expectation, Level, Rule};
use sysguard::unstable::model::facts::blind_spot::RecordedBlindSpot;
use sysguard::unstable::model::kernel::syscall::Abi;
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::model::run::recording::FEWEST_RUNS;

/// A workload with a baseline that can be enforced.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The workload's name.
    pub name: &'a str,
    /// Its document.
    pub document: &'a Document,
    /// Its baseline.
    pub baseline: &'a Baseline,
    /// The ABI of its platform.
    pub native: Abi,
}

/// Why no profile is made of a workload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was never recorded on the platform.
    #[error("{workload} has no baseline for {platform}")]
    NoBaseline {
        /// The workload.
        workload: String,
        /// The platform.
        platform: Platform,
    },
    /// No table has the syscalls of the platform.
    #[error("the syscalls of {0} are not known")]
    UnknownPlatform(Platform),
    /// The baseline holds subsystems only.
    #[error("{0} is recorded at `level: subsystem`, without syscalls")]
    NoSyscalls(String),
    /// New facts still appeared at the end of its recording.
    #[error("the baseline of {0} was still growing when its recording ended (`quiet: never`)")]
    NeverQuiet(String),
    /// Too few runs were recorded to show rare calls.
    #[error("the baseline of {workload} is of {runs} runs only (`runs: {runs}`), which miss rare calls")]
    FewRuns {
        /// The workload.
        workload: String,
        /// How many runs.
        runs: u32,
    },
    /// Calls were left out of the baseline, and their names are not known.
    #[error("{workload} tolerates calls without naming them, so that its baseline lacks them: {rule}")]
    Tolerated {
        /// The workload.
        workload: String,
        /// The rule.
        rule: String,
    },
    /// Some calls may have been missed.
    #[error("the baseline of {workload} has blind spots, so that calls may be missing: {}", .spots.join(", "))]
    BlindSpots {
        /// The workload.
        workload: String,
        /// The blind spots.
        spots: Vec<String>,
    },
}

impl Refusal {
    /// Returns what to do about it, as a whole sentence without a full stop.
    pub fn help(&self) -> String {
        match self {
            Self::NoBaseline { workload, .. } => format!("record it with `cargo sysguard bless {workload}`"),
            Self::UnknownPlatform(_) => "choose another platform with `--target`".to_owned(),
            Self::NoSyscalls(workload) => {
                format!("remove `level: subsystem`, and run `cargo sysguard bless {workload}`")
            }
            Self::NeverQuiet(workload) => {
                format!("run `cargo sysguard bless {workload}` until the file has no `quiet: never`")
            }
            Self::FewRuns { workload, .. } => {
                format!(
                    "run `cargo sysguard bless {workload}` without `--runs`, which records at least {FEWEST_RUNS} runs"
                )
            }
            Self::Tolerated { workload, .. } => {
                format!("name a `syscall:` in the rule, or remove it and run `cargo sysguard bless {workload}`")
            }
            Self::BlindSpots { .. } => {
                "a profile would deny the calls that were missed; `cargo sysguard explain NAME` explains a blind spot"
                    .to_owned()
            }
        }
    }
}

/// Returns whether a profile would not cover what the blind spot hides: calls that were not seen,
/// or operations that no seccomp filter sees.
fn is_uncovered(spot: &RecordedBlindSpot) -> bool {
    use BlindSpot::{LdPreload, ReservedPhase, SeccompFilter, Unanswerable};
    !matches!(spot.known(), Some(LdPreload | ReservedPhase | SeccompFilter | Unanswerable))
}

/// Returns a rule as a document has it, in one line.
pub(crate) fn described(list: &str, rule: &Rule) -> String {
    let parts: Vec<String> = rule.parts().map(|(part, value)| format!("{part}: {value}")).collect();
    format!("{list} {{{}}}", parts.join(", "))
}

impl<'a> Source<'a> {
    /// Returns the baseline of a workload, if it can be enforced.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with the first reason.
    pub fn of(name: &'a str, expectation: &'a Expectation, platform: &Platform) -> Result<Self, Refusal> {
        let workload = || name.to_owned();
        let native = platform.abi().ok_or_else(|| Refusal::UnknownPlatform(platform.clone()))?;
        let document = &expectation.document;
        let baseline = expectation
            .baseline(platform)
            .ok_or_else(|| Refusal::NoBaseline { workload: workload(), platform: platform.clone() })?;
        if document.level == Level::Subsystem {
            return Err(Refusal::NoSyscalls(workload()));
        }
        if baseline.never_quiet {
            return Err(Refusal::NeverQuiet(workload()));
        }
        if let Some(runs) = baseline.few_runs {
            return Err(Refusal::FewRuns { workload: workload(), runs });
        }
        // A rule with a signal matches no call.
        let mut rules = document.tolerate.iter().filter(|rule| rule.signal.is_none());
        if let Some(rule) = rules.find(|rule| rule.syscall.is_none()) {
            return Err(Refusal::Tolerated { workload: workload(), rule: described("tolerate", rule) });
        }
        let errors = baseline.errors.iter().flat_map(|errors| &errors.blind_spots);
        let spots = baseline.blind_spots.iter().chain(errors).filter(|spot| is_uncovered(spot));
        let spots: BTreeSet<&str> = spots.map(RecordedBlindSpot::name).collect();
        if !spots.is_empty() {
            let spots = spots.into_iter().map(str::to_owned).collect();
            return Err(Refusal::BlindSpots { workload: workload(), spots });
        }
        Ok(Self { name, document, baseline, native })
    }

    /// Returns every syscall of the baseline with its entry, those of error paths included. A
    /// syscall may have an entry in several subsystems.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Entry)> + use<'a> {
        let errors = self.baseline.errors.iter().flat_map(|errors| errors.uses.values());
        let subsystems = self.baseline.subsystems.values().chain(errors);
        subsystems.flatten().map(|(name, entry)| (name.as_str(), entry))
    }
}
