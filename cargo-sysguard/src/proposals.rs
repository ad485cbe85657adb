//! The proposals of the selected packages, and the findings that keys select. Main type:
//! [`Proposals`].
//!
//! It must not use modules that trace: proposals can be settled on any platform.

mod keys;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sysguard::unstable::artifacts;
use sysguard::unstable::model::expectation::Baseline;
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::judge::groups::Cause;
use sysguard::unstable::model::judge::pending::{Aim, Pending, Settled};
use sysguard::unstable::report::PendingKeys;
use sysguard::unstable::settings::{Flags, Settings};
use sysguard::unstable::store::{Decided, Store, StoreError, proposals_below};

use self::keys::{MatchKind, aim};
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
        let Selected { root, packages, .. } = flags.select(&settings.cargo)?;
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

    /// Restores the bytes from before decisions, which are given in their order. Returns the file
    /// that has changed since, if any; then nothing is written.
    pub(crate) fn undo(&self, decisions: &[(WorkloadId, Decided)]) -> Result<Option<String>, Failure> {
        let decisions: Vec<(&Store, &str, &Decided)> =
            decisions.iter().map(|(place, decided)| (self.store(place), place.1.as_str(), decided)).collect();
        let changed = Store::undo(&decisions).map_err(Failure::failed)?;
        Ok(changed.map(|file| self.below_workspace(&file)))
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
        self.below_workspace(&folder.join(file))
    }

    /// Returns the path of a workload's proposal, relative to the workspace.
    pub(crate) fn proposal_file(&self, place: &WorkloadId) -> String {
        self.below_workspace(&self.store(place).proposal_file(&place.1))
    }

    fn below_workspace(&self, file: &Path) -> String {
        file.strip_prefix(&self.workspace).unwrap_or(file).display().to_string()
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

    /// Returns all pending facts. An unreadable file is a failure.
    pub(crate) fn everything(&self) -> Result<BTreeMap<WorkloadId, Taken>, Failure> {
        let (found, faults) = self.all();
        if let Some(fault) = faults.into_iter().next() {
            return Err(Failure::failed(fault));
        }
        Ok(found.into_iter().map(|(place, pending)| (place, Taken::Facts(pending.all().clone()))).collect())
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
        if Cause::is_id(key) {
            return self.of_cause(key);
        }
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
        found_any(key, meant)
    }

    /// Returns the findings of a cause in every workload.
    fn of_cause(&mut self, id: &str) -> Result<Vec<(WorkloadId, Taken)>, Failure> {
        let mut meant = Vec::new();
        for place in self.proposals.places() {
            if let Some(pending) = &self.entry(&place)?.pending {
                let facts = pending.of_cause(&place.1, id);
                let taken = (!facts.is_empty()).then_some(Taken::Facts(facts));
                meant.extend(taken.map(|taken| (place, taken)));
            }
        }
        found_any(id, meant)
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

/// Returns the findings that a key selects. A key without findings is wrong usage.
fn found_any(key: &str, meant: Vec<(WorkloadId, Taken)>) -> Result<Vec<(WorkloadId, Taken)>, Failure> {
    if meant.is_empty() {
        return Err(Failure::usage(format!(
            "no pending finding has the key `{key}`; nothing was changed\nhelp: `cargo sysguard pending` lists the keys"
        )));
    }
    Ok(meant)
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
mod tests;
