//! One run of a command under each engine, and baselines made of facts.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use sysguard::unstable::linux::{Command, Environment, Limits, Stream, inherited};
use sysguard::unstable::model::expectation::{Baseline, Document, Recorded, Unseen, Version, format, project, record};
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::facts::fingerprint::Fingerprint;
use sysguard::unstable::model::guard::Guard;
use sysguard::unstable::model::observe::observation::Observation;
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::model::trace::marker::LOADER;
use sysguard::unstable::runner::{Lookup, find_command, observe, observe_guarded, observe_notified};

pub(crate) const LIMITS: Limits =
    Limits { timeout: Some(Duration::from_secs(60)), stop: None, grace: Duration::from_secs(2) };

/// Returns the command as a workload runs it. Its output is not read, so it must fit into a pipe.
pub(crate) fn command(words: &[&str]) -> (Command, [std::io::PipeReader; 2]) {
    let Lookup::Found(program) = find_command(words[0].as_ref()) else { panic!("{} is not installed", words[0]) };
    let (out, stdout) = std::io::pipe().expect("a pipe");
    let (err, stderr) = std::io::pipe().expect("a pipe");
    let null = std::fs::File::open("/dev/null").expect("/dev/null");
    let command = Command {
        program,
        argv: words.iter().map(Into::into).collect(),
        environment: Environment::Exactly(vec![("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: Some(PathBuf::from("/tmp")),
        scratch: None,
        stdio: [OwnedFd::from(null), stdout.into(), stderr.into()].map(Stream::Given),
        isolated: true,
        filters: Vec::new(),
    };
    (command, [out, err])
}

pub(crate) fn document() -> Document {
    let text = "version: 1\ncommand: [\"true\"]\n";
    format::read(text.as_bytes()).expect("a document").expectation.document
}

/// Returns the facts of a baseline, except the loader's own set.
pub(crate) fn facts(observation: &Observation, platform: &Platform) -> BTreeSet<Fact> {
    let is_loaders = |fact: &Fact| matches!(fact, Fact::Phase { phase, .. } if phase == LOADER);
    project(observation, &document(), platform, Version::LATEST)
        .facts
        .into_keys()
        .filter(|fact| !is_loaders(fact))
        .collect()
}

/// Returns the facts that were reached: a call refused because of its fd is reported only if no
/// baseline has it.
pub(crate) fn reached(observation: &Observation, platform: &Platform) -> BTreeSet<Fact> {
    let refused = project(observation, &document(), platform, Version::LATEST).refused;
    facts(observation, platform).into_iter().filter(|fact| !refused.contains(fact)).collect()
}

pub(crate) fn traced(words: &[&str]) -> Observation {
    let (command, _output) = command(words);
    let (observation, outcome) = observe(command, &LIMITS).expect("a traced run");
    assert_eq!(outcome.lost_events, 0);
    observation
}

pub(crate) fn notified(words: &[&str], platform: &Platform) -> BTreeSet<Fact> {
    let (command, _output) = command(words);
    let (observation, outcome) = observe_notified(command, &LIMITS).expect("a run by notifications");
    assert_eq!((outcome.lost_events, outcome.incomplete), (0, None), "{words:?}");
    facts(&observation, platform)
}

pub(crate) fn guarded(words: &[&str], baseline: &Baseline, platform: &Platform) -> BTreeSet<Fact> {
    let (command, _output) = command(words);
    let guard = Guard::new(&document(), baseline, platform, &inherited(&command)).expect("a guard");
    let (observation, outcome) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    assert_eq!((outcome.lost_events, outcome.incomplete), (0, None), "{words:?}");
    reached(&observation, platform)
}

/// Returns the baseline that holds these facts and no others.
pub(crate) fn holding(facts: &BTreeSet<Fact>, platform: &Platform) -> Baseline {
    let recorded = Recorded {
        platform: platform.clone(),
        fingerprint: Fingerprint::default(),
        never_quiet: false,
        runs: vec![facts.clone()],
    };
    record(None, &recorded, Unseen::Keep)
}

/// Removes a fact and every part of it.
pub(crate) fn without(facts: &BTreeSet<Fact>, fact: &Fact) -> BTreeSet<Fact> {
    let is_part = |other: &Fact| {
        let ancestors = std::iter::successors(Some(other.clone()), Fact::parent);
        ancestors.into_iter().any(|ancestor| ancestor == *fact)
    };
    facts.iter().filter(|other| !is_part(other)).cloned().collect()
}
