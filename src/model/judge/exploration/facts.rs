//! What an error path uses beyond runs without an injection. Main type: [`KnownFacts`].

use std::collections::BTreeSet;

use crate::model::attribution::Use;
use crate::model::expectation::{Baseline, Document, ErrorPaths, Projection, Version, project};
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Comparison;
use crate::model::judge::compare::compare;
use crate::model::kernel::call::Errno;
use crate::model::observe::observation::{Observation, Tally};
use crate::model::run::platform::Platform;

/// What is expected of error paths.
#[derive(Debug)]
pub struct KnownFacts<'a> {
    document: &'a Document,
    platform: &'a Platform,
    version: Version,
    /// What the baseline holds and runs without an injection used.
    success: BTreeSet<Fact>,
    /// Both, and what was recorded of error paths, as one baseline.
    all: Baseline,
}

impl<'a> KnownFacts<'a> {
    /// Collects what is known: the baseline, if there is one, and runs without an injection.
    pub fn new<'o>(
        document: &'a Document,
        baseline: Option<&Baseline>,
        platform: &'a Platform,
        runs: impl IntoIterator<Item = &'o Observation>,
    ) -> Self {
        let mut all = baseline.cloned().unwrap_or_else(|| Baseline::new(platform.clone()));
        let version = all.version;
        for run in runs {
            facts(run, document, platform, version).facts.keys().for_each(|fact| all.insert(fact));
        }
        // Errors of a whole run say nothing about a phase of it.
        all.phases.clear();
        let success = all.expected();
        let recorded = baseline.and_then(|baseline| baseline.errors.as_ref());
        recorded.map(ErrorPaths::expected).iter().flatten().for_each(|fact| all.insert(fact));
        Self { document, platform, version, success, all }
    }

    /// Returns the facts of a run with an injection that no run without one shows, and their
    /// comparison with what was recorded. `injected` is the use that failed, and its error: the
    /// program did not cause that.
    pub fn of(&self, mut observation: Observation, injected: Option<(&Use, Errno)>) -> (BTreeSet<Fact>, Comparison) {
        if let Some((used, errno)) = injected {
            forget(&mut observation, used, errno);
        }
        let projection = facts(&observation, self.document, self.platform, self.version);
        let comparison = compare(self.document, Some(&self.all), &projection, &observation);
        let beyond = projection.facts.into_keys().filter(|fact| !self.success.contains(fact)).collect();
        (beyond, Comparison { gone: Vec::new(), ..comparison })
    }
}

/// Returns the facts of a whole run.
fn facts(observation: &Observation, document: &Document, platform: &Platform, version: Version) -> Projection {
    let mut projection = project(observation, document, platform, version);
    projection.facts.retain(|fact, _| !matches!(fact, Fact::Phase { .. }));
    projection
}

/// Removes the failed call from an observation. Its object may not be known, because the kernel did
/// not make the call.
fn forget(observation: &mut Observation, used: &Use, errno: Errno) {
    let uses = &observation.uses;
    let failed = |(other, tally): &(&Use, &Tally)| other.syscall == used.syscall && tally.errors.contains_key(&errno);
    let exact = uses.get_key_value(used).filter(failed).map(|(used, _)| used.clone());
    let Some(used) = exact.or_else(|| uses.iter().find(failed).map(|(used, _)| used.clone())) else { return };
    for uses in std::iter::once(&mut observation.uses).chain(observation.phases.values_mut()) {
        let Some(tally) = uses.get_mut(&used) else { continue };
        let Some(errors) = tally.errors.get_mut(&errno) else { continue };
        (*errors, tally.calls) = (errors.saturating_sub(1), tally.calls.saturating_sub(1));
        tally.errors.retain(|_, count| *count > 0);
        uses.retain(|_, tally| tally.calls > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::{Met, Subsystem};
    use crate::model::expectation::Level;
    use crate::model::kernel::syscall::{Abi, Syscall};

    const INJECTED: Errno = Errno(28);

    fn used(name: &str, object: &str) -> Use {
        let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
        let object = Some(object.into());
        Use { subsystem: Subsystem::Filesystem, syscall, argument: None, object, ambient: false, met: Met::default() }
    }

    fn observation(uses: &[(&str, &str, u64, u64)]) -> Observation {
        let mut observation = Observation::new();
        for &(name, object, calls, failed) in uses {
            let errors = (failed > 0).then_some((INJECTED, failed)).into_iter().collect();
            observation.uses.insert(used(name, object), Tally { calls, errors });
        }
        observation
    }

    fn beyond(level: Level, uses: &[(&str, &str, u64, u64)]) -> (Vec<String>, Vec<String>) {
        let document = Document { level, ..Document::for_tests() };
        let platform: Platform = "x86_64-linux-gnu".parse().expect("a platform");
        let mut baseline = Baseline::new(platform.clone());
        baseline.insert(&"filesystem::write::object=file".parse().expect("a fact"));
        let mut errors = ErrorPaths::default();
        errors.insert(&"filesystem::rmdir::object=dir".parse().expect("a fact"));
        baseline.errors = Some(errors);
        let survey = observation(&[("write", "file:ext4", 4, 0), ("link", "file:ext4", 1, 0)]);
        let known = KnownFacts::new(&document, Some(&baseline), &platform, [&survey]);
        let (beyond, comparison) = known.of(observation(uses), Some((&used("write", "file:ext4"), INJECTED)));
        let findings = comparison.findings.iter().map(|finding| finding.fact.to_string());
        (beyond.iter().map(ToString::to_string).collect(), findings.collect())
    }

    #[test]
    fn only_facts_of_error_paths_are_left() {
        let run = [("write", "file:ext4", 4, 1), ("link", "file:ext4", 1, 0)];
        for level in [Level::Object, Level::Error] {
            assert_eq!(beyond(level, &run), (vec![], vec![]), "the injected error is no fact");
        }
        let more = [("write", "file:ext4", 4, 1), ("unlink", "file:ext4", 1, 0), ("rmdir", "dir:ext4", 1, 0)];
        let (beyond, findings) = beyond(Level::Object, &more);
        let held =
            ["rmdir", "rmdir::object=dir", "unlink", "unlink::object=file"].map(|it| format!("filesystem::{it}"));
        assert_eq!(beyond, held);
        assert_eq!(findings, ["filesystem::unlink"], "what was recorded is no finding");
    }

    #[test]
    fn second_failure_with_the_same_error_is_a_fact() {
        let twice = [("write", "file:ext4", 4, 2)];
        assert_eq!(beyond(Level::Error, &twice).0, ["filesystem::write::error=ENOSPC"]);
    }

    #[test]
    fn injected_call_without_object_is_no_fact() {
        assert_eq!(beyond(Level::Object, &[("write", "file:ext4", 3, 0), ("write", "pipe", 1, 1)]).0, [""; 0]);
    }
}
