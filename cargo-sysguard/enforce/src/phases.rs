//! Baselines of a program from one of its phases on. Main functions: [`order`] and [`from_phase`].
//!
//! A baseline holds the calls of each phase, but neither the order of phases nor which calls are
//! outside all of them. A profile from a phase on allows the calls of that phase and of later ones.

use std::collections::BTreeSet;

use sysguard::unstable::model::expectation::Baseline;

use crate::source::Source;

/// The phase before a program can install a profile.
const LOADER: &str = "loader";

/// Why the phases of workloads have no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOrder {
    /// The baseline holds no phases.
    #[error("the baseline of {0} has no phases")]
    NoPhases(String),
    /// Several phases, and no order was given.
    #[error("the order of the phases {} is not known", .0.join(", "))]
    NotGiven(Vec<String>),
    /// An order with a phase that no baseline has.
    #[error("no baseline has the phase `{0}`")]
    Unknown(String),
    /// An order with a phase in two places.
    #[error("the order has the phase `{0}` twice")]
    Repeated(String),
    /// An order without some phases.
    #[error("the order lacks the phases {}", .0.join(", "))]
    Lacking(Vec<String>),
}

impl NoOrder {
    /// Returns what to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NoPhases(_) => {
                "name the phases in the program (`sysguard_phase::phase`), and record it again".to_owned()
            }
            Self::NotGiven(_) => "give it, as in `--per-phase=FIRST,SECOND`".to_owned(),
            Self::Unknown(_) | Self::Repeated(_) | Self::Lacking(_) => {
                "give each phase of the baselines once, in order".to_owned()
            }
        }
    }
}

/// Returns the phases of workloads in this order. Without one, a single phase has an order. The
/// phase `loader` is left out: it ends before the program runs.
///
/// # Errors
///
/// [`NoOrder`].
pub fn order(sources: &[Source<'_>], asked: &[String]) -> Result<Vec<String>, NoOrder> {
    let mut known: BTreeSet<&String> = BTreeSet::new();
    for source in sources {
        let of_source: Vec<&String> = source.baseline.phases.keys().filter(|phase| *phase != LOADER).collect();
        if of_source.is_empty() {
            return Err(NoOrder::NoPhases(source.name.to_owned()));
        }
        known.extend(of_source);
    }
    let names = |phases: Vec<&&String>| phases.into_iter().map(|phase| (*phase).clone()).collect::<Vec<_>>();
    match asked {
        [] if known.len() == 1 => Ok(names(known.iter().collect())),
        [] => Err(NoOrder::NotGiven(names(known.iter().collect()))),
        asked => {
            if let Some(unknown) = asked.iter().find(|phase| !known.contains(phase)) {
                return Err(NoOrder::Unknown(unknown.clone()));
            }
            let mut earlier = BTreeSet::new();
            if let Some(repeated) = asked.iter().find(|phase| !earlier.insert(*phase)) {
                return Err(NoOrder::Repeated(repeated.clone()));
            }
            let lacking: Vec<&&String> = known.iter().filter(|phase| !asked.contains(phase)).collect();
            if lacking.is_empty() { Ok(asked.to_vec()) } else { Err(NoOrder::Lacking(names(lacking))) }
        }
    }
}

/// Returns a baseline with only the calls of these phases, with all of their arguments and objects,
/// and with those of error paths, which have no phase.
pub fn from_phase(baseline: &Baseline, phases: &[String]) -> Baseline {
    let mut left = baseline.clone();
    let is_called = |subsystem: &_, syscall: &String| {
        let mut of_phases = phases.iter().filter_map(|phase| baseline.phases.get(phase));
        of_phases.any(|subsystems| subsystems.get(subsystem).is_some_and(|syscalls| syscalls.contains(syscall)))
    };
    for (subsystem, syscalls) in &mut left.subsystems {
        syscalls.retain(|syscall, _| is_called(subsystem, syscall));
    }
    left.subsystems.retain(|_, syscalls| !syscalls.is_empty());
    left
}

#[cfg(test)]
mod tests {
    use sysguard::unstable::model::expectation::{Expectation, format};
    use sysguard::unstable::model::run::platform::Platform;

    use super::*;
    use crate::policy::{Options, Policy};

    const DOCUMENT: &str = "\
version: 2
command: [demo]
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    chdir:
      - dir
    unlink:
      - file
  network:
    socket:
      - AF_INET socket:AF_INET:SOCK_STREAM
phases:
  loader:
    filesystem:
      - chdir
  serve:
    network:
      - socket
  startup:
    filesystem:
      - unlink
";

    fn platform() -> Platform {
        Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple")
    }

    fn expectation() -> Expectation {
        format::read(DOCUMENT.as_bytes()).expect("it is read").expectation
    }

    fn names(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn order_is_given_unless_one_phase_is_left() {
        let expectation = expectation();
        let source = Source::of("demo", &expectation, &platform()).expect("it can be enforced");
        for (asked, expected) in [
            (&["startup", "serve"][..], Ok(names(&["startup", "serve"]))),
            (&[], Err(NoOrder::NotGiven(names(&["serve", "startup"])))),
            (&["startup", "serve", "startup"], Err(NoOrder::Repeated("startup".to_owned()))),
            (&["startup"], Err(NoOrder::Lacking(names(&["serve"])))),
            (&["startup", "stop"], Err(NoOrder::Unknown("stop".to_owned()))),
        ] {
            assert_eq!(order(&[source], &names(asked)), expected, "{asked:?}");
        }
        let mut one = source.baseline.clone();
        one.phases.remove("startup");
        assert_eq!(order(&[Source { baseline: &one, ..source }], &[]), Ok(names(&["serve"])));
        one.phases.clear();
        assert_eq!(order(&[Source { baseline: &one, ..source }], &[]), Err(NoOrder::NoPhases("demo".to_owned())));
    }

    #[test]
    fn later_phase_allows_no_call_of_an_earlier_one() {
        let expectation = expectation();
        let source = Source::of("demo", &expectation, &platform()).expect("it can be enforced");
        let allowed = |phases: &[&str], tightens| {
            let baseline = from_phase(source.baseline, &names(phases));
            let options = Options { tightens, ..Options::default() };
            let policy = Policy::of(&[Source { baseline: &baseline, ..source }], &options);
            policy.allowed.keys().map(|syscall| syscall.name().into_owned()).collect::<BTreeSet<_>>()
        };
        let (first, last) = (allowed(&["startup", "serve"], true), allowed(&["serve"], false));
        for (name, in_first, in_last) in [
            ("socket", true, true),
            ("unlink", true, false),
            ("unlinkat", true, false),
            ("chdir", false, false),
            ("seccomp", true, false),
            ("prctl", true, true),
        ] {
            assert_eq!((first.contains(name), last.contains(name)), (in_first, in_last), "{name}");
        }
    }
}
