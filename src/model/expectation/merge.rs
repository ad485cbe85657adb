//! From recorded runs to a baseline: [`record`].
//!
//! It must not write: it makes the value that is written. What a baseline holds stays, with its reasons, until it is pruned.

use std::collections::{BTreeMap, BTreeSet};

use super::project::project;
use super::terms::{Baseline, Document, Entry};
use crate::model::attribution::Subsystem;
use crate::model::compare::{Detail, Fact};
use crate::model::observation::Observation;
use crate::model::platform::Platform;

/// What becomes of facts that the old baseline holds and no run showed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unseen {
    /// They stay as they are.
    #[default]
    Keep,
    /// They are dropped (`--prune`).
    Prune,
}

/// The baseline after these runs: one observation a run.
///
/// An entry that only some of the runs showed is marked `seen: sometimes`, and a mark stays. An entry that none showed is gone rather
/// than rare: it gets no mark.
pub fn record(
    old: Option<&Baseline>,
    platform: &Platform,
    observations: &[Observation],
    document: &Document,
    unseen: Unseen,
) -> Baseline {
    let runs: Vec<BTreeSet<Fact>> = observations
        .iter()
        .map(|observation| project(observation, document, platform).facts.into_keys().collect())
        .collect();
    let mut new = Baseline::new(platform.clone());
    for fact in runs.iter().flatten() {
        new.insert(fact);
    }
    for (subsystem, syscall, entry) in new.entries_mut() {
        let fact = Fact::Use { subsystem, syscall: Some(syscall.to_owned()), detail: None };
        entry.sometimes = !runs.iter().all(|facts| facts.contains(&fact));
    }
    if let Some(old) = old {
        new.adopt(old, unseen);
    }
    new
}

impl Baseline {
    /// Takes a fact in, together with the coarser ones that it is part of.
    pub fn insert(&mut self, fact: &Fact) {
        match fact {
            Fact::BlindSpot(spot) => {
                self.blind_spots.insert(spot.clone());
            }
            Fact::Use { subsystem, syscall, detail } => {
                let syscalls = self.subsystems.entry(*subsystem).or_default();
                let Some(syscall) = syscall else { return };
                let entry = syscalls.entry(syscall.clone()).or_default();
                if let Some(detail) = detail {
                    entry.insert(detail);
                }
            }
        }
    }

    /// Every entry with its place.
    fn entries_mut(&mut self) -> impl Iterator<Item = (Subsystem, &str, &mut Entry)> {
        self.subsystems.iter_mut().flat_map(|(&subsystem, syscalls)| {
            syscalls.iter_mut().map(move |(syscall, entry)| (subsystem, syscall.as_str(), entry))
        })
    }

    /// Takes over what an earlier baseline says of the same entries and, unless pruned, everything else that it holds.
    fn adopt(&mut self, old: &Self, unseen: Unseen) {
        if unseen == Unseen::Keep {
            for fact in old.facts() {
                self.insert(&fact);
            }
        }
        let none = BTreeMap::new();
        for (subsystem, syscall, entry) in self.entries_mut() {
            if let Some(earlier) = old.subsystems.get(&subsystem).unwrap_or(&none).get(syscall) {
                entry.sometimes |= earlier.sometimes;
                entry.why.clone_from(&earlier.why);
                entry.owner.clone_from(&earlier.owner);
            }
        }
    }
}

impl Entry {
    /// Takes a detail in.
    fn insert(&mut self, detail: &Detail) {
        let (set, value) = match detail {
            Detail::Argument(argument) => (&mut self.arguments, argument),
            Detail::Object(object) => (&mut self.objects, object),
            Detail::Error(error) => (&mut self.errors, error),
            Detail::Abi(abi) => (&mut self.abis, abi),
        };
        set.insert(value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::Use;
    use crate::model::event::BlindSpot;
    use crate::model::observation::Tally;
    use crate::model::syscall::{Abi, Syscall};

    /// A run that made these calls, each on an object. Numbers that no table knows have names of their own.
    fn run(calls: &[(i64, &'static str)]) -> Observation {
        let once = Tally { calls: 1, errors: BTreeMap::new() };
        let used = |&(number, object): &(i64, &'static str)| Use {
            subsystem: Subsystem::Filesystem,
            syscall: Syscall { abi: Abi::X86_64, number },
            argument: None,
            object: Some(object.into()),
            ambient: false,
        };
        Observation { uses: calls.iter().map(|call| (used(call), once.clone())).collect(), ..Observation::new() }
    }

    fn platform() -> Platform {
        "x86_64-linux-gnu".parse().expect("a platform")
    }

    fn recorded(old: Option<&Baseline>, runs: &[Observation], unseen: Unseen) -> Baseline {
        record(old, &platform(), runs, &Document::for_tests(), unseen)
    }

    /// The entries as `syscall objects`, with `?` for sometimes and the reason.
    fn shown(baseline: &Baseline) -> Vec<String> {
        let entries = baseline.subsystems.get(&Subsystem::Filesystem).into_iter().flatten();
        let show = |(name, entry): (&String, &Entry)| {
            let objects: Vec<_> = entry.objects.iter().map(String::as_str).collect();
            let mark = if entry.sometimes { "?" } else { "" };
            format!("{name}{mark} {} {}", objects.join(","), entry.why.as_deref().unwrap_or_default())
                .trim_end()
                .to_owned()
        };
        entries.map(show).collect()
    }

    #[test]
    fn what_only_some_runs_showed_is_marked_and_the_mark_stays() {
        let first =
            recorded(None, &[run(&[(900, "file:ext4"), (901, "pipe")]), run(&[(900, "file:xfs")])], Unseen::Keep);
        assert_eq!(shown(&first), ["syscall_0x384 file", "syscall_0x385? pipe"]);
        let second = recorded(Some(&first), &[run(&[(900, "file:ext4"), (901, "pipe")])], Unseen::Keep);
        assert_eq!(second, first);
    }

    #[test]
    fn what_a_baseline_holds_stays_until_it_is_pruned() {
        let mut old = recorded(None, &[run(&[(900, "file:ext4"), (900, "pipe"), (901, "pipe")])], Unseen::Keep);
        old.blind_spots.insert("io_uring".to_owned());
        let entry = old.entries_mut().next().expect("an entry").2;
        entry.why = Some("logs".to_owned());
        let runs = [run(&[(900, "file:ext4"), (902, "pipe")])];

        let kept = recorded(Some(&old), &runs, Unseen::Keep);
        assert_eq!(shown(&kept), ["syscall_0x384 file,pipe logs", "syscall_0x385 pipe", "syscall_0x386 pipe"]);
        assert!(kept.blind_spots.contains("io_uring"));

        let pruned = recorded(Some(&old), &runs, Unseen::Prune);
        assert_eq!(shown(&pruned), ["syscall_0x384 file logs", "syscall_0x386 pipe"]);
        assert!(pruned.blind_spots.is_empty());
    }

    #[test]
    fn recording_the_same_again_changes_nothing() {
        let mut runs = [run(&[(900, "file:proc")]), run(&[(900, "file:proc"), (901, "fifo")])];
        runs[1].blind_spots.insert(BlindSpot::IoUring);
        let first = recorded(None, &runs, Unseen::Keep);
        for unseen in [Unseen::Keep, Unseen::Prune] {
            assert_eq!(recorded(Some(&first), &runs, unseen), first);
        }
        assert_eq!(recorded(Some(&first), &[], Unseen::Keep), first, "no runs, no change");
    }
}
