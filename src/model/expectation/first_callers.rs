//! Finds the call site of the first call of each fact. Main type: [`FirstCallers`], and
//! [`FirstCalls`] for anything else that is known of first calls.
//!
//! An observation stores call sites by use, and several uses can show the same fact: the first call
//! counts. The index is built in one pass over the uses. It must not know which facts are new.

use std::collections::BTreeMap;

use super::storage::written_object;
use super::terms::{Document, Rule};
use crate::model::attribution::Use;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::site::Site;
use crate::model::kernel::call::Errno;
use crate::model::observe::call_site::CallSite;
use crate::model::observe::observation::Observation;

/// The call sites of an observation, by fact.
#[derive(Debug, Clone)]
pub struct FirstCallers<'a>(FirstCalls<'a, CallSite>);

impl<'a> FirstCallers<'a> {
    /// Indexes the call sites of an observation, as far as this document judges the calls.
    pub fn of(observation: &'a Observation, document: &Document) -> Self {
        let uses = observation.sites.iter();
        let uses = uses.map(|((phase, used), site)| (phase.as_deref(), used, site.order, site));
        let failed = observation.failed_sites.iter();
        Self(FirstCalls::of(document, uses, failed.map(|((used, errno), site)| (used, *errno, site.order, site))))
    }

    /// Returns the first call site of a fact; `None` if the observation has none.
    pub fn of_fact(&self, fact: &Fact) -> Option<Site> {
        self.0.of_fact(fact).map(CallSite::site)
    }
}

/// What is known of first calls, by fact. Of the calls that show a fact, the first one counts.
///
/// A call that is neither judged nor forbidden is left out: a finding is about other calls.
#[derive(Debug, Clone)]
pub(super) struct FirstCalls<'a, T>(BTreeMap<Fact, (usize, &'a T)>);

impl<'a, T> FirstCalls<'a, T> {
    /// Indexes what is known of the first call of each use, with its phase and its place in the
    /// order of calls, and of the first one with each error: uses do not hold errors.
    pub(super) fn of<'u>(
        document: &Document,
        uses: impl Iterator<Item = (Option<&'u str>, &'u Use, usize, &'a T)>,
        failed: impl Iterator<Item = (&'u Use, Errno, usize, &'a T)>,
    ) -> Self {
        let mut index = Self(BTreeMap::new());
        for (phase, used, at, known) in uses.filter(|(phase, used, ..)| counts(document, *phase, used)) {
            let abi = phase.is_none().then(|| detailed(used, Detail::Abi(used.syscall.abi)));
            shown(phase, used).into_iter().chain(abi).for_each(|fact| index.add(fact, at, known));
        }
        for (used, errno, at, known) in failed {
            if counts(document, None, used) || document.forbid.iter().any(|rule| rule.matches(used, Some(errno))) {
                index.add(detailed(used, Detail::Error(ErrnoName(errno))), at, known);
            }
        }
        index
    }

    fn add(&mut self, fact: Fact, at: usize, known: &'a T) {
        let earliest = self.0.entry(fact).or_insert((at, known));
        if at < earliest.0 {
            *earliest = (at, known);
        }
    }

    /// Returns what is known of the first call of a fact.
    pub(super) fn of_fact(&self, fact: &Fact) -> Option<&'a T> {
        self.0.get(fact).map(|(_, known)| *known)
    }
}

/// Returns whether a finding can be about calls of this use.
fn counts(document: &Document, phase: Option<&str>, used: &Use) -> bool {
    let concerns = |rule: &Rule| rule.is_of(phase) && rule.matches(used, None);
    let is_judged = || (!used.ambient || document.ambient_strict) && !document.tolerate.iter().any(concerns);
    is_judged() || document.forbid.iter().any(concerns)
}

fn detailed(used: &Use, detail: Detail) -> Fact {
    Fact::Use { subsystem: used.subsystem, syscall: Some(used.syscall.name().into_owned()), detail: Some(detail) }
}

/// Returns the facts that a use shows, in a phase or outside all phases.
fn shown(phase: Option<&str>, used: &Use) -> Vec<Fact> {
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
    use crate::model::expectation::Level;
    use crate::model::kernel::syscall::{Abi, Syscall};
    use crate::model::observe::call_site::Frame;

    /// Reference implementation: a linear search for the first call that shows the fact.
    fn linear_search(fact: &Fact, seen: &Observation) -> Option<String> {
        if let Fact::Use { detail: Some(Detail::Error(ErrnoName(errno))), .. } = fact {
            let of_errno = |used: &Use, failed: &Errno| failed == errno && is_shown_by(fact, used);
            let sites = seen.failed_sites.iter().filter(|((used, failed), _)| of_errno(used, failed));
            return sites.min_by_key(|(_, site)| site.order).map(|(_, site)| site.to_string());
        }
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
                Some(Detail::Abi(abi)) => abi == used.syscall.abi,
                Some(Detail::Error(_)) | None => true,
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
                            if number % 3 == 0 {
                                let errno = Errno(if number % 2 == 0 { 1 } else { 2 });
                                let order = number * 104_729 % 1009;
                                seen.failed_sites.insert((used.clone(), errno), CallSite { order, ..site.clone() });
                            }
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
                let details =
                    details.iter().chain(&["error=EPERM", "error=ENOENT", "error=EIO", "abi=i386", "abi=x86_64"]);
                keys.extend(details.map(|detail| format!("{subsystem}::{syscall}::{detail}")));
            }
        }
        let document = Document { ambient_strict: true, level: Level::Error, ..Document::for_tests() };
        for missing in 2..40 {
            let seen = observation(missing);
            let callers = FirstCallers::of(&seen, &document);
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
