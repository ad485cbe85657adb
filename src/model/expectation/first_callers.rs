//! Finds the call site of the first call of each fact. Main type: [`FirstCallers`].
//!
//! An observation stores call sites by use, and several uses can show the same fact: the first call
//! counts. The index is built in one pass over the uses. It must not know which facts are new.

use std::collections::BTreeMap;

use super::storage::written_object;
use crate::model::attribution::Use;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::site::Site;
use crate::model::observe::call_site::CallSite;
use crate::model::observe::observation::Observation;

/// The call sites of an observation, by fact.
#[derive(Debug, Clone, Default)]
pub struct FirstCallers<'a>(BTreeMap<Fact, &'a CallSite>);

impl<'a> FirstCallers<'a> {
    /// Indexes the call sites of an observation.
    pub fn of(observation: &'a Observation) -> Self {
        let mut callers: BTreeMap<Fact, &CallSite> = BTreeMap::new();
        for ((phase, used), site) in &observation.sites {
            for fact in shown(phase.as_deref(), used) {
                let first = callers.entry(fact).or_insert(site);
                if site.order < first.order {
                    *first = site;
                }
            }
        }
        Self(callers)
    }

    /// Returns the first call site of a fact; `None` if the observation has none.
    pub fn of_fact(&self, fact: &Fact) -> Option<Site> {
        // Uses hold neither errors nor ABIs, so those facts get the call site of their syscall.
        let syscall = match fact {
            Fact::Use { detail: Some(Detail::Error(_) | Detail::Abi(_)), .. } => fact.parent(),
            _ => None,
        };
        self.0.get(syscall.as_ref().unwrap_or(fact)).map(|site| site.site())
    }
}

/// Returns the facts that a use shows, in a phase or outside all phases.
pub(super) fn shown(phase: Option<&str>, used: &Use) -> Vec<Fact> {
    if let Some(phase) = phase {
        return vec![used.in_phase(phase)];
    }
    let argument = used.argument.as_ref().map(|argument| Detail::Argument(argument.to_string()));
    let object = used.object.as_ref().map(|object| Detail::Object(written_object(object)));
    let fact = |syscall, detail| Fact::Use { subsystem: used.subsystem, syscall, detail };
    let syscall = || Some(used.syscall.name().into_owned());
    let details = [None, argument.map(Some), object.map(Some)].into_iter().flatten();
    [fact(None, None), fact(syscall(), None)].into_iter().chain(details.map(|detail| fact(syscall(), detail))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::Subsystem;
    use crate::model::kernel::syscall::{Abi, Syscall};
    use crate::model::observe::call_site::Frame;

    /// Reference implementation: a linear search for the first call that shows the fact.
    fn linear_search(fact: &Fact, seen: &Observation) -> Option<String> {
        let phase = match fact {
            Fact::Phase { phase, .. } => Some(phase),
            _ => None,
        };
        let shows = |place: &Option<String>, used: &Use| place.as_ref() == phase && is_shown_by(fact, used);
        let sites = seen.sites.iter().filter(|((place, used), _)| shows(place, used));
        sites.min_by_key(|(_, site)| site.order).map(|(_, site)| site.to_string())
    }

    fn is_shown_by(fact: &Fact, used: &Use) -> bool {
        let Fact::Use { subsystem, syscall, detail } = fact.in_any_phase() else { return false };
        subsystem == used.subsystem
            && syscall.is_none_or(|syscall| syscall == used.syscall.name())
            && match detail {
                Some(Detail::Argument(argument)) => used.argument.as_deref() == Some(&argument),
                Some(Detail::Object(object)) => used.object.as_ref().is_some_and(|own| written_object(own) == object),
                Some(Detail::Error(_) | Detail::Abi(_)) | None => true,
            }
    }

    /// Builds uses from every combination of a few subsystems, syscalls, arguments, objects and
    /// phases. It leaves out every `missing`th, so that the first use of a fact varies.
    fn observation(missing: usize) -> Observation {
        let mut seen = Observation::new();
        let subsystems = [Subsystem::Network, Subsystem::Filesystem];
        let mut number = 0;
        for (subsystem, syscall) in subsystems.into_iter().flat_map(|it| [(it, 3), (it, 16)]) {
            for argument in [None, Some("A"), Some("B")] {
                for object in [None, Some("file:ext4"), Some("file:xfs"), Some("pipe")] {
                    for phase in [None, Some("serving"), Some("ending")] {
                        let used = Use {
                            subsystem,
                            syscall: Syscall { abi: Abi::X86_64, number: syscall },
                            argument: argument.map(Into::into),
                            object: object.map(Into::into),
                            ambient: number % 2 == 0,
                        };
                        number += 1;
                        if number % missing != 0 {
                            let frame = Frame { function: Some(format!("f{number}")), ..Frame::default() };
                            let site =
                                CallSite { frames: vec![frame], order: number * 7919 % 1009, ..CallSite::default() };
                            seen.sites.insert((phase.map(str::to_owned), used), site);
                        }
                    }
                }
            }
        }
        seen
    }

    #[test]
    fn first_caller_is_that_of_the_first_call() {
        let details = ["argument=A", "argument=B", "argument=C", "object=file", "object=pipe", "object=file:ext4"];
        let mut keys = vec!["blind_spots::io_uring".to_owned()];
        for subsystem in ["network", "filesystem", "memory"] {
            keys.push(subsystem.to_owned());
            for syscall in ["close", "ioctl", "read"] {
                keys.push(format!("{subsystem}::{syscall}"));
                keys.extend(["serving", "never"].map(|phase| format!("phase={phase}::{subsystem}::{syscall}")));
                let details = details.iter().chain(&["error=EPERM", "abi=i386"]);
                keys.extend(details.map(|detail| format!("{subsystem}::{syscall}::{detail}")));
            }
        }
        for missing in 2..40 {
            let seen = observation(missing);
            let callers = FirstCallers::of(&seen);
            for key in &keys {
                let fact = key.parse().expect(key);
                assert_eq!(
                    callers.of_fact(&fact).map(|site| site.words),
                    linear_search(&fact, &seen),
                    "{key}, every {missing}th is missing"
                );
            }
        }
    }
}
