//! The proposals of the selected packages, and what keys mean among them. Main type: [`Proposals`].
//!
//! Off the rooms that trace: proposals can be decided on wherever the files are.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sysguard::artifacts;
use sysguard::model::expectation::Baseline;
use sysguard::model::facts::fact::Fact;
use sysguard::model::judge::pending::{Aim, Pending, Settled};
use sysguard::model::run::test_name;
use sysguard::report::PendingKeys;
use sysguard::settings::{Flags, Settings};
use sysguard::store::{Store, StoreError, proposals_below};

use crate::cargo::{PackageFlags, Selected};
use crate::context::Context;
use crate::exit_code::Failure;
use crate::judging::PendingDir;

/// The options by which proposals are found.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    #[command(flatten)]
    pub(crate) pending_dir: PendingDir,
    #[command(flatten)]
    cargo: PackageFlags,
}

/// The stores of the selected packages.
#[derive(Debug)]
pub(crate) struct Proposals {
    workspace: PathBuf,
    packages: Vec<(PathBuf, Store)>,
}

/// One workload, by the index of its package and its name.
pub(crate) type Place = (usize, String);

/// What is taken of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// These facts.
    Facts(BTreeSet<Fact>),
    /// The proposal as it lies there, whatever it says.
    Proposal,
    /// Nothing: the file holds it already.
    Held,
}

impl Where {
    /// Opens the stores.
    pub(crate) fn open(&self, context: &Context) -> Result<Proposals, Failure> {
        let settings = context.settings(Flags { pending_dir: self.pending_dir.absolute()?, ..Flags::default() })?;
        Proposals::open(&self.cargo, &settings)
    }
}

impl Proposals {
    /// Opens the stores of the packages that the flags select.
    pub(crate) fn open(flags: &PackageFlags, settings: &Settings) -> Result<Self, Failure> {
        let Selected { root, packages } = flags.select(&settings.cargo)?;
        let workspace = settings.workspace_root.clone().unwrap_or(root);
        let open = |package: &cargo_metadata::Package| {
            let folder = artifacts::root(package);
            let proposals = settings.pending_dir.as_deref().map(|below| proposals_below(below, &workspace, &folder));
            Store::open(&folder, proposals.as_deref()).map(|store| (folder, store)).map_err(Failure::failed)
        };
        let packages = packages.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { workspace, packages })
    }

    /// The packages with their folders.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&Path, &Store)> {
        self.packages.iter().map(|(folder, store)| (folder.as_path(), store))
    }

    /// Every workload that has a proposal.
    pub(crate) fn places(&self) -> Vec<Place> {
        let numbered = self.packages.iter().enumerate();
        numbered.flat_map(|(index, (_, store))| store.pending().map(move |name| (index, name.to_owned()))).collect()
    }

    pub(crate) fn store(&self, place: &Place) -> &Store {
        &self.packages[place.0].1
    }

    /// What is pending there; nothing where there is no proposal, or the file holds all of it.
    pub(crate) fn pending(&self, place: &Place) -> Result<Option<Pending>, StoreError> {
        self.store(place).pending_of(&place.1)
    }

    /// Writes what was decided.
    pub(crate) fn settle(&self, place: &Place, settled: &Settled) -> Result<(), Failure> {
        self.store(place).settle(&place.1, settled).map_err(unwritten)
    }

    /// Writes what is left of a proposal, and leaves its file as it is.
    pub(crate) fn leave(&self, place: &Place, rest: Option<&str>) -> Result<(), Failure> {
        let (store, name) = (self.store(place), place.1.as_str());
        let changed = match rest {
            Some(rest) => store.propose(name, rest),
            None => store.remove_proposal(name),
        };
        changed.map(drop).map_err(unwritten)
    }

    /// A workload's file as it is called from the workspace's folder.
    pub(crate) fn file(&self, place: &Place) -> String {
        let (folder, store) = &self.packages[place.0];
        self.file_below(folder, store, &place.1)
    }

    /// The same, where the package is at hand.
    pub(crate) fn file_below(&self, folder: &Path, store: &Store, workload: &str) -> String {
        self.shown(folder, &store.file(workload))
    }

    /// A file of a package as it is called from the workspace's folder.
    pub(crate) fn shown(&self, folder: &Path, file: &Path) -> String {
        let file = folder.join(file);
        file.strip_prefix(&self.workspace).unwrap_or(&file).display().to_string()
    }

    /// A workload's proposal, as it is called from the workspace's folder.
    pub(crate) fn proposal_file(&self, place: &Place) -> String {
        let file = self.store(place).proposal_file(&place.1);
        file.strip_prefix(&self.workspace).unwrap_or(&file).display().to_string()
    }

    /// Everything that is pending, and what cannot be decided on.
    pub(crate) fn all(&self) -> (Vec<(Place, Pending)>, Vec<StoreError>) {
        let (mut found, mut faults) = (Vec::new(), Vec::new());
        for place in self.places() {
            match self.pending(&place) {
                Ok(Some(pending)) => found.push((place, pending)),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
        (found, faults)
    }

    /// The keys of all that is pending there.
    pub(crate) fn keys(&self, place: &Place, pending: &Pending) -> PendingKeys {
        PendingKeys::new(&place.1, self.file(place), pending)
    }

    /// What all of these keys mean together. A key that means nothing, or two things, is wrong
    /// usage.
    pub(crate) fn resolve(&self, keys: &[String], decision: Decision) -> Result<BTreeMap<Place, Taken>, Failure> {
        let mut all: BTreeMap<Place, Taken> = BTreeMap::new();
        let mut worst: Option<Failure> = None;
        let mut lookup = Lookup::new(self);
        for key in keys {
            let meant = match lookup.meaning(key, decision) {
                Ok(meant) => meant,
                Err(failure) => {
                    let is_worse = worst.as_ref().is_none_or(|worst| worst.outcome < failure.outcome);
                    worst = if is_worse { Some(failure) } else { worst };
                    continue;
                }
            };
            for (place, taken) in meant {
                match (all.get_mut(&place), taken) {
                    (Some(Taken::Facts(facts)), Taken::Facts(more)) => facts.extend(more),
                    (Some(Taken::Proposal), _) | (Some(_), Taken::Held) => {}
                    (_, taken) => drop(all.insert(place, taken)),
                }
            }
        }
        worst.map_or(Ok(all), Err)
    }
}

/// What keys mean. Each workload is read once, for all keys.
struct Lookup<'a> {
    proposals: &'a Proposals,
    /// The names of each package's workloads.
    names: Vec<BTreeSet<&'a str>>,
    pending: BTreeMap<Place, Waiting>,
    held: BTreeMap<Place, Vec<BTreeSet<Fact>>>,
}

/// What is pending of a workload, and the keys that `cargo sysguard pending` prints of it.
struct Waiting {
    pending: Option<Pending>,
    printed: BTreeSet<String>,
}

impl<'a> Lookup<'a> {
    fn new(proposals: &'a Proposals) -> Self {
        let names = |(_, store): &'a (PathBuf, Store)| store.names().chain(store.pending()).collect();
        let names = proposals.packages.iter().map(names).collect();
        Self { proposals, names, pending: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// What one key means, in every package.
    fn meaning(&mut self, key: &str, decision: Decision) -> Result<Vec<(Place, Taken)>, Failure> {
        let mut meant = Vec::new();
        for index in 0..self.names.len() {
            let aims = self.names[index].iter().filter_map(|name| Some((*name, aim(name, key)?)));
            let aims: Vec<_> = aims.collect();
            let mut here = Vec::new();
            for (name, (aim, way)) in aims {
                here.extend(self.taken((index, name.to_owned()), key, &aim, decision)?.map(|meaning| (meaning, way)));
            }
            // A printed key is an accepted key: it wins over a workload or a subsystem of the same
            // name.
            if here.iter().any(|(meaning, _)| meaning.printed) {
                here.retain(|(meaning, _)| meaning.printed);
            }
            // What lies below a name is meant together; anything else must be one.
            if let [(one, way), rest @ ..] = &here[..]
                && let Some((other, _)) = rest.iter().find(|(_, other)| *way == Way::Fact || way != other)
            {
                let (one, other) = (&one.place.1, &other.place.1);
                return Err(Failure::usage(format!(
                    "`{key}` can be of workload {one} or of workload {other}: name it more closely, as `cargo sysguard pending` does"
                )));
            }
            meant.extend(here.into_iter().map(|(meaning, _)| (meaning.place, meaning.taken)));
        }
        if meant.is_empty() {
            return Err(Failure::usage(format!(
                "nothing that is pending has the key `{key}`; nothing was changed; `cargo sysguard pending` tells the keys"
            )));
        }
        Ok(meant)
    }

    fn taken(&mut self, place: Place, key: &str, aim: &Aim, decision: Decision) -> Result<Option<Meaning>, Failure> {
        if *aim == Aim::Whole && decision == Decision::Reject {
            // Also of a proposal that nothing else can be done with.
            let lies_there = self.proposals.store(&place).pending().any(|pending| pending == place.1);
            return Ok(lies_there.then_some(Meaning { place, taken: Taken::Proposal, printed: false }));
        }
        let Waiting { pending, printed } = self.waiting(&place)?;
        let facts = match (pending, aim) {
            (None, _) => BTreeSet::new(),
            (Some(pending), Aim::Whole) => pending.all().clone(),
            (Some(pending), Aim::Part(fact)) => pending.under(fact),
        };
        let printed = printed.contains(key);
        if !facts.is_empty() || printed {
            return Ok(Some(Meaning { place, taken: Taken::Facts(facts), printed }));
        }
        let held = decision == Decision::Accept && self.holds(&place, aim)?;
        Ok(held.then_some(Meaning { place, taken: Taken::Held, printed: false }))
    }

    fn waiting(&mut self, place: &Place) -> Result<&Waiting, Failure> {
        let read = || {
            let pending = self.proposals.pending(place).map_err(Failure::failed)?;
            let printed = pending.iter().flat_map(|pending| pending.keys(&place.1)).collect();
            Ok(Waiting { pending, printed })
        };
        once(&mut self.pending, place, read)
    }

    /// Whether the workload's file holds it, on any platform.
    fn holds(&mut self, place: &Place, aim: &Aim) -> Result<bool, Failure> {
        let store = self.proposals.store(place);
        if !store.names().any(|known| known == place.1) {
            return Ok(false);
        }
        let read = || {
            let baselines = store.load(&place.1).map_err(Failure::failed)?.expectation.baselines;
            Ok(baselines.iter().map(Baseline::facts).collect())
        };
        let baselines = once(&mut self.held, place, read)?;
        Ok(match aim {
            Aim::Whole => !baselines.is_empty(),
            Aim::Part(fact) => baselines.iter().any(|facts| facts.contains(fact)),
        })
    }
}

/// How a key leads to a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is the name, or a part of it up to a `::`.
    Name,
    /// The same of a test without the `run::` of its file.
    ShortName,
    /// It is a fact of the workload.
    Fact,
}

/// What the key asks of the workload of this name.
fn aim(name: &str, key: &str) -> Option<(Aim, Way)> {
    let at = |name: &str, way: Way| match Aim::at(name, key) {
        Some(Aim::Part(fact)) => Some((Aim::Part(fact), Way::Fact)),
        Some(Aim::Whole) => Some((Aim::Whole, way)),
        None => name.strip_prefix(key)?.starts_with("::").then_some((Aim::Whole, way)),
    };
    at(name, Way::Name).or_else(|| at(test_name::short(name)?, Way::ShortName))
}

/// Nothing is lost by it.
fn unwritten(error: StoreError) -> Failure {
    Failure::failed(format!("{error}; what is not written stays pending"))
}

/// What is to become of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Accept,
    Reject,
}

struct Meaning {
    place: Place,
    taken: Taken,
    /// Whether the key is one that `pending` prints.
    printed: bool,
}

/// Whether a reason has a place among these facts: only a system call has an entry.
pub(crate) fn takes_reason(facts: &BTreeSet<Fact>) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::Use { syscall: Some(_), .. }))
}

/// What is known of a place, read where it is not yet.
fn once<'a, T>(
    known: &'a mut BTreeMap<Place, T>,
    place: &Place,
    read: impl FnOnce() -> Result<T, Failure>,
) -> Result<&'a T, Failure> {
    Ok(match known.entry(place.clone()) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(read()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_name_its_beginning_or_a_fact() {
        for (name, key, way) in [
            ("perf::sched", "perf::sched", Some(Way::Name)),
            ("perf::sched", "perf", Some(Way::Name)),
            ("perf::sched", "per", None),
            ("perf::sched", "sched", None),
            ("run::fd::tests::a", "run::fd::tests", Some(Way::Name)),
            ("run::fd::tests::a", "fd::tests", Some(Way::ShortName)),
            ("run::fd::tests::a", "fd::tests::a", Some(Way::ShortName)),
            ("run::fd::tests::a", "run", Some(Way::Name)),
            ("perf", "perf::network::socket", Some(Way::Fact)),
            ("run::fd::it", "fd::it::network", Some(Way::Fact)),
        ] {
            assert_eq!(aim(name, key).map(|(_, way)| way), way, "{key} of {name}");
        }
    }
}
