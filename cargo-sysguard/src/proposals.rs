//! The proposals of the selected packages, and the findings that keys select. Main type:
//! [`Proposals`].
//!
//! It must not use modules that trace: proposals can be settled on any platform.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sysguard::unstable::artifacts;
use sysguard::unstable::model::expectation::Baseline;
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::judge::pending::{Aim, Pending, Settled};
use sysguard::unstable::model::run::test_name;
use sysguard::unstable::report::PendingKeys;
use sysguard::unstable::settings::{Flags, Settings};
use sysguard::unstable::store::{Decided, Store, StoreError, proposals_below};

use crate::cargo::{PackageFlags, Selected};
use crate::context::Context;
use crate::exit_code::Failure;
use crate::judging::absolute;

/// The flags that select proposals.
#[derive(Debug, clap::Args)]
pub(crate) struct ProposalFlags {
    /// Use the proposals in this directory instead of those beside the expectations
    #[arg(long, value_name = "DIRECTORY")]
    pending_dir: Option<PathBuf>,
    #[command(flatten)]
    cargo: PackageFlags,
}

/// The stores of the selected packages.
#[derive(Debug)]
pub(crate) struct Proposals {
    workspace: PathBuf,
    packages: Vec<(PathBuf, Store)>,
}

/// A workload: the index of its package, and its name.
pub(crate) type WorkloadId = (usize, String);

/// The part of a workload that keys select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// These facts.
    Facts(BTreeSet<Fact>),
    /// The whole proposal file, even if it is malformed.
    Proposal,
    /// Nothing, because the file already contains it.
    Held,
}

impl ProposalFlags {
    /// Opens the stores of the selected packages.
    pub(crate) fn open(&self, context: &Context) -> Result<Proposals, Failure> {
        let settings = context.settings(Flags { pending_dir: self.folder()?, ..Flags::default() })?;
        Proposals::open(&self.cargo, &settings)
    }

    /// Returns the directory of proposals as an absolute path, if the flag is given.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>, Failure> {
        absolute(self.pending_dir.as_deref())
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

    /// Returns the packages with their folders.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&Path, &Store)> {
        self.packages.iter().map(|(folder, store)| (folder.as_path(), store))
    }

    /// Returns every workload that has a proposal.
    pub(crate) fn places(&self) -> Vec<WorkloadId> {
        let numbered = self.packages.iter().enumerate();
        numbered.flat_map(|(index, (_, store))| store.pending().map(move |name| (index, name.to_owned()))).collect()
    }

    pub(crate) fn store(&self, place: &WorkloadId) -> &Store {
        &self.packages[place.0].1
    }

    /// Returns the pending findings, or nothing if there is no proposal or the file contains all of
    /// it.
    pub(crate) fn pending(&self, place: &WorkloadId) -> Result<Option<Pending>, StoreError> {
        self.store(place).pending_of(&place.1)
    }

    /// Decides on what is pending now, and writes the file and its proposal. Other processes wait
    /// meanwhile. Returns what undoes the decision, if anything was pending.
    pub(crate) fn decide(
        &self,
        place: &WorkloadId,
        decision: impl FnOnce(&Pending) -> Settled,
    ) -> Result<Option<Decided>, Failure> {
        self.store(place).decide_undoably(&place.1, decision).map_err(write_failed)
    }

    /// Restores the bytes from before a decision. Returns false if a file has changed since.
    pub(crate) fn undo(&self, place: &WorkloadId, decided: &Decided) -> Result<bool, Failure> {
        self.store(place).undo(&place.1, decided).map_err(Failure::failed)
    }

    /// Returns the paths of a workload's file and of its proposal.
    pub(crate) fn paths(&self, place: &WorkloadId) -> [PathBuf; 2] {
        let (folder, store) = &self.packages[place.0];
        [folder.join(store.file(&place.1)), store.proposal_file(&place.1)]
    }

    /// Returns the folder of a workload's package.
    pub(crate) fn folder(&self, place: &WorkloadId) -> &Path {
        &self.packages[place.0].0
    }

    /// Removes a proposal as a whole, whatever it contains. Returns whether there was one.
    pub(crate) fn remove(&self, place: &WorkloadId) -> Result<bool, Failure> {
        self.store(place).remove_proposal(&place.1).map_err(write_failed)
    }

    /// Returns the path of a workload's file, relative to the workspace.
    pub(crate) fn file(&self, place: &WorkloadId) -> String {
        let (folder, store) = &self.packages[place.0];
        self.file_below(folder, store, &place.1)
    }

    /// Returns the path of a workload's file in this package, relative to the workspace.
    pub(crate) fn file_below(&self, folder: &Path, store: &Store, workload: &str) -> String {
        self.shown(folder, &store.file(workload))
    }

    /// Returns the path of a file in this package, relative to the workspace.
    pub(crate) fn shown(&self, folder: &Path, file: &Path) -> String {
        let file = folder.join(file);
        file.strip_prefix(&self.workspace).unwrap_or(&file).display().to_string()
    }

    /// Returns the path of a workload's proposal, relative to the workspace.
    pub(crate) fn proposal_file(&self, place: &WorkloadId) -> String {
        let file = self.store(place).proposal_file(&place.1);
        file.strip_prefix(&self.workspace).unwrap_or(&file).display().to_string()
    }

    /// Returns all pending findings, and the faults of unreadable files.
    pub(crate) fn all(&self) -> (Vec<(WorkloadId, Pending)>, Vec<StoreError>) {
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

    /// Returns the keys of a workload's pending findings.
    pub(crate) fn keys(&self, place: &WorkloadId, pending: &Pending) -> PendingKeys {
        PendingKeys::new(&place.1, self.file(place), pending)
    }

    /// Returns what the keys select together. A key that matches nothing, or is ambiguous, is wrong
    /// usage.
    pub(crate) fn resolve(&self, keys: &[String], decision: Decision) -> Result<BTreeMap<WorkloadId, Taken>, Failure> {
        let mut all: BTreeMap<WorkloadId, Taken> = BTreeMap::new();
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

/// The cache for a lookup of keys: each workload is read once for all keys.
struct Lookup<'a> {
    proposals: &'a Proposals,
    /// The names of each package's workloads.
    names: Vec<BTreeSet<&'a str>>,
    pending: BTreeMap<WorkloadId, PendingEntry>,
    held: BTreeMap<WorkloadId, Vec<BTreeSet<Fact>>>,
}

/// The pending findings of a workload, and the keys that `cargo sysguard pending` prints for it.
struct PendingEntry {
    pending: Option<Pending>,
    printed: BTreeSet<String>,
}

impl<'a> Lookup<'a> {
    fn new(proposals: &'a Proposals) -> Self {
        let names = |(_, store): &'a (PathBuf, Store)| store.names().chain(store.pending()).collect();
        let names = proposals.packages.iter().map(names).collect();
        Self { proposals, names, pending: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// Returns what one key selects in every package.
    fn meaning(&mut self, key: &str, decision: Decision) -> Result<Vec<(WorkloadId, Taken)>, Failure> {
        let mut meant = Vec::new();
        for index in 0..self.names.len() {
            let aims = self.names[index].iter().filter_map(|name| Some((*name, aim(name, key)?)));
            let mut aims: Vec<_> = aims.collect();
            // A workload's own name takes precedence over that of a test without `run::`.
            if aims.iter().any(|(_, (_, kind))| *kind == MatchKind::Name) {
                aims.retain(|(_, (_, kind))| *kind != MatchKind::ShortName);
            }
            let mut here = Vec::new();
            for (name, (aim, kind)) in aims {
                here.extend(self.taken((index, name.to_owned()), key, &aim, decision)?.map(|meaning| (meaning, kind)));
            }
            // A printed key takes precedence over a workload or subsystem of the same name.
            if here.iter().any(|(meaning, _)| meaning.printed) {
                here.retain(|(meaning, _)| meaning.printed);
            }
            // A name selects all workloads below it. Any other key must match one workload.
            if let [(one, kind), rest @ ..] = &here[..]
                && let Some((other, _)) = rest.iter().find(|(_, other)| *kind == MatchKind::Fact || kind != other)
            {
                let (one, other) = (&one.place.1, &other.place.1);
                return Err(Failure::usage(format!(
                    "`{key}` is ambiguous: it matches workload {one} and workload {other}\nhelp: use a key that `cargo sysguard pending` prints"
                )));
            }
            meant.extend(here.into_iter().map(|(meaning, _)| (meaning.place, meaning.taken)));
        }
        if meant.is_empty() {
            return Err(Failure::usage(format!(
                "no pending finding has the key `{key}`; nothing was changed\nhelp: `cargo sysguard pending` lists the keys"
            )));
        }
        Ok(meant)
    }

    fn taken(
        &mut self,
        place: WorkloadId,
        key: &str,
        aim: &Aim,
        decision: Decision,
    ) -> Result<Option<Meaning>, Failure> {
        if *aim == Aim::Whole && decision == Decision::Reject {
            // A malformed proposal can be rejected as a whole.
            let has_proposal = self.proposals.store(&place).pending().any(|pending| pending == place.1);
            return Ok(has_proposal.then_some(Meaning { place, taken: Taken::Proposal, printed: false }));
        }
        let PendingEntry { pending, printed } = self.entry(&place)?;
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

    fn entry(&mut self, place: &WorkloadId) -> Result<&PendingEntry, Failure> {
        let read = || {
            let pending = self.proposals.pending(place).map_err(Failure::failed)?;
            let printed = pending.iter().flat_map(|pending| pending.keys(&place.1)).collect();
            Ok(PendingEntry { pending, printed })
        };
        read_once(&mut self.pending, place, read)
    }

    /// Returns whether the workload's file contains it, on any platform.
    fn holds(&mut self, place: &WorkloadId, aim: &Aim) -> Result<bool, Failure> {
        let store = self.proposals.store(place);
        if !store.names().any(|known| known == place.1) {
            return Ok(false);
        }
        let read = || {
            let baselines = store.load(&place.1).map_err(Failure::failed)?.expectation.baselines;
            Ok(baselines.iter().map(Baseline::facts).collect())
        };
        let baselines = read_once(&mut self.held, place, read)?;
        Ok(match aim {
            Aim::Whole => !baselines.is_empty(),
            Aim::Part(fact) => baselines.iter().any(|facts| facts.contains(fact)),
        })
    }
}

/// How a key matches a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchKind {
    /// It is the name, or its beginning up to a `::`.
    Name,
    /// It is the name of a test without `run::`, or its beginning up to a `::`.
    ShortName,
    /// It is a fact of the workload.
    Fact,
}

/// Returns what the key selects of the workload with this name, if it matches.
fn aim(name: &str, key: &str) -> Option<(Aim, MatchKind)> {
    let at = |name: &str, kind: MatchKind| match Aim::at(name, key) {
        Some(Aim::Part(fact)) => Some((Aim::Part(fact), MatchKind::Fact)),
        Some(Aim::Whole) => Some((Aim::Whole, kind)),
        None => test_name::is_at_or_below(name, key).then_some((Aim::Whole, kind)),
    };
    at(name, MatchKind::Name).or_else(|| at(test_name::short(name)?, MatchKind::ShortName))
}

/// Returns the failure for an unwritten decision. Its findings stay pending.
fn write_failed(error: StoreError) -> Failure {
    Failure::failed(format!("{error}; findings that were not written stay pending"))
}

/// What to do with the selected findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Accept,
    Reject,
}

struct Meaning {
    place: WorkloadId,
    taken: Taken,
    /// Whether `pending` prints this key.
    printed: bool,
}

/// Returns whether a reason can be added to these facts. Only a system call has a `why:`.
pub(crate) fn takes_reason(facts: &BTreeSet<Fact>) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::Use { syscall: Some(_), .. }))
}

/// Returns the cached value for a workload, reading it on the first call.
fn read_once<'a, T>(
    known: &'a mut BTreeMap<WorkloadId, T>,
    place: &WorkloadId,
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
    fn key_matches_name_prefix_or_fact() {
        for (name, key, kind) in [
            ("perf::sched", "perf::sched", Some(MatchKind::Name)),
            ("perf::sched", "perf", Some(MatchKind::Name)),
            ("perf::sched", "per", None),
            ("perf::sched", "sched", None),
            ("run::fd::tests::a", "run::fd::tests", Some(MatchKind::Name)),
            ("run::fd::tests::a", "fd::tests", Some(MatchKind::ShortName)),
            ("run::fd::tests::a", "fd::tests::a", Some(MatchKind::ShortName)),
            ("run::fd::tests::a", "run", Some(MatchKind::Name)),
            ("perf", "perf::network::socket", Some(MatchKind::Fact)),
            ("run::fd::it", "fd::it::network", Some(MatchKind::Fact)),
        ] {
            assert_eq!(aim(name, key).map(|(_, kind)| kind), kind, "{key} of {name}");
        }
    }
}
