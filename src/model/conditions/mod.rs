//! Decides which conditions of rules a call meets. Main type: [`Conditions`].
//!
//! It selects the calls that must be read for addresses and paths. It must not touch a process: the
//! tracer reads them, and passes them on as [`Named`].

mod network;
mod path;

use core::net::SocketAddr;

pub use network::{Network, NotANetwork};
pub use path::{NamedPath, NotAGlob, PathGlob, PathTarget};

use crate::model::attribution::{Condition, Extent, Met, Undecided, names_path, takes_address};
use crate::model::decode::NamedFolders;
use crate::model::kernel::syscall::Syscall;

/// A condition with what limits it to some calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallCondition {
    /// The condition.
    pub condition: Condition,
    /// The only syscall that the rule is about, by its name.
    pub syscall: Option<String>,
    /// A `forbid:` rule, which must not miss a call that cannot be read.
    pub forbids: bool,
}

impl CallCondition {
    /// Returns whether calls of this number can meet the condition.
    pub fn may_concern(&self, syscall: Syscall) -> bool {
        let is_named = || self.syscall.as_ref().is_none_or(|name| *name == syscall.name());
        let Condition { address, path } = &self.condition;
        let has_parts = (address.is_none() || takes_address(syscall)) && (path.is_none() || names_path(syscall));
        has_parts && is_named()
    }
}

/// Addresses and paths that a call names, as far as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The internet addresses.
    pub addresses: Vec<SocketAddr>,
    /// The paths.
    pub paths: Vec<NamedPath>,
    /// Memory could not be read.
    pub is_unread: bool,
}

/// The conditions of a document, ready to be compared with calls.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    each: Vec<Compiled>,
    folders: NamedFolders,
}

#[derive(Debug, Clone)]
struct Compiled {
    of: CallCondition,
    network: Option<Network>,
    glob: Option<PathGlob>,
}

impl Conditions {
    /// Parses the conditions of a document. Globs may name these folders. An invalid condition is
    /// never met; reading a document refuses it.
    pub fn new(conditions: impl IntoIterator<Item = CallCondition>, folders: NamedFolders) -> Self {
        let compiled = |of: CallCondition| Compiled {
            network: of.condition.address.as_deref().and_then(|text| text.parse().ok()),
            glob: of.condition.path.as_deref().and_then(|text| text.parse().ok()),
            of,
        };
        Self { each: conditions.into_iter().map(compiled).collect(), folders }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// Returns whether calls of this number must have their addresses or paths read.
    pub fn may_concern(&self, syscall: Syscall) -> bool {
        self.each.iter().any(|compiled| compiled.of.may_concern(syscall))
    }

    /// Returns whether calls of this number must have their paths read.
    pub fn may_concern_paths(&self, syscall: Syscall) -> bool {
        self.each.iter().any(|compiled| compiled.glob.is_some() && compiled.of.may_concern(syscall))
    }

    /// Returns which conditions a call meets, and whether one that a rule forbids is undecided.
    pub fn judge(&self, syscall: Syscall, named: &Named) -> (Met, Undecided) {
        let concerned = || self.each.iter().filter(|compiled| compiled.of.may_concern(syscall));
        let met = concerned()
            .filter_map(|compiled| Some((compiled.of.condition.clone(), compiled.extent(named, &self.folders)?)));
        let is_open = |compiled: &Compiled| compiled.of.forbids && compiled.extent(named, &self.folders).is_none();
        let has_unknown = || named.paths.iter().any(|path| path.target == PathTarget::Unknown);
        let undecided = match () {
            () if named.is_unread && concerned().any(|compiled| compiled.of.forbids) => Undecided::Memory,
            () if has_unknown() && concerned().any(|compiled| compiled.glob.is_some() && is_open(compiled)) => {
                Undecided::Target
            }
            () => Undecided::No,
        };
        (Met::new(met), undecided)
    }
}

impl Compiled {
    fn extent(&self, named: &Named, folders: &NamedFolders) -> Option<Extent> {
        let by_address =
            self.network.map(|network| extent(named.addresses.iter().map(|address| network.contains(*address))));
        let by_path = self.glob.as_ref().map(|glob| glob.extent(&named.paths, folders));
        let least = by_address.into_iter().chain(by_path).min()??;
        Some(if named.is_unread { Extent::Some } else { least })
    }
}

/// Returns whether all, some or none of the addresses or paths of a call meet a condition.
fn extent(parts: impl Iterator<Item = bool>) -> Option<Extent> {
    let (mut any, mut all) = (false, true);
    for part in parts {
        any |= part;
        all &= part;
    }
    any.then_some(if all { Extent::All } else { Extent::Some })
}

#[cfg(test)]
mod tests;
