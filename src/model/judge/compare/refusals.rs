//! Refused calls that a baseline knows from any subsystem: they reached nothing and are not new.
//! Main type: [`KnownRefusals`].
//!
//! It must not decide which calls were refused: the projection does.

use std::collections::BTreeSet;
use std::iter::successors;

use crate::model::facts::fact::Fact;

/// Facts that only known refused calls show.
pub(super) struct KnownRefusals(BTreeSet<Fact>);

impl KnownRefusals {
    /// Keeps those facts of `refused` that are held with all their parts. A part is held if any
    /// subsystem holds its syscall and, if given, its argument.
    pub(super) fn of(held: &BTreeSet<Fact>, refused: &BTreeSet<Fact>) -> Self {
        if refused.is_empty() {
            return Self(BTreeSet::new());
        }
        let syscalls: BTreeSet<&str> = held.iter().filter_map(Fact::syscall).collect();
        let argument = |fact: &'_ Fact| Some((fact.syscall()?.to_owned(), fact.argument()?.to_owned()));
        let arguments: BTreeSet<(String, String)> = held.iter().filter_map(argument).collect();
        let is_held = |fact: &&Fact| match (fact.syscall(), argument(fact)) {
            (None, _) => true,
            (Some(syscall), None) => syscalls.contains(syscall),
            (Some(_), Some(both)) => arguments.contains(&both),
        };
        let new = refused.iter().filter(|fact| !is_held(fact));
        let new: BTreeSet<Fact> = new.flat_map(|fact| successors(Some(fact.clone()), Fact::parent)).collect();
        Self(refused.difference(&new).cloned().collect())
    }

    pub(super) fn contains(&self, fact: &Fact) -> bool {
        self.0.contains(fact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference implementation: checks one fact at a time.
    fn is_known(held: &BTreeSet<Fact>, refused: &BTreeSet<Fact>, fact: &Fact) -> bool {
        let is_held = |part: &Fact| {
            let is_same = |other: &Fact| other.syscall() == part.syscall();
            let same_argument = |other: &Fact| part.argument().is_none_or(|it| other.argument() == Some(it));
            part.syscall().is_none() || held.iter().any(|other| is_same(other) && same_argument(other))
        };
        let is_part = |other: &Fact| successors(Some(other.clone()), Fact::parent).any(|whole| whole == *fact);
        refused.contains(fact) && refused.iter().filter(|other| is_part(other)).all(is_held)
    }

    #[test]
    fn refusal_is_known_when_every_part_is_held() {
        let keys = [
            "device",
            "device::ioctl",
            "device::ioctl::argument=A",
            "device::ioctl::object=pipe",
            "network::ioctl",
            "network::ioctl::argument=A",
            "network::ioctl::argument=B",
            "network::read",
            "blind_spots::io_uring",
            "phase=serving::network::read",
        ];
        let facts = keys.map(|key| key.parse::<Fact>().expect(key));
        let chosen = |bits: usize| -> BTreeSet<Fact> {
            facts.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, fact)| fact.clone()).collect()
        };
        for (held, refused) in (0..1 << keys.len()).step_by(7).zip((0..1 << keys.len()).rev().step_by(5).cycle()) {
            let (held, refused) = (chosen(held), chosen(refused));
            let known = KnownRefusals::of(&held, &refused);
            for fact in &facts {
                assert_eq!(known.contains(fact), is_known(&held, &refused, fact), "{fact}: {held:?} {refused:?}");
            }
        }
    }
}
