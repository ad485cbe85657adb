//! Decides which conditions of rules a call meets. Main type: [`Conditions`].
//!
//! It says which calls must be asked for what they name. It must not touch a process: the tracer
//! asks, and passes the answers on as [`Named`].

mod network;

use std::net::SocketAddr;

pub use network::{Network, NotANetwork};

use crate::model::attribution::{Condition, Extent, Met, Undecided, takes_address};
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
        self.condition.address.is_some() && takes_address(syscall) && is_named()
    }
}

/// What a call names, as far as it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The internet addresses.
    pub addresses: Vec<SocketAddr>,
    /// Memory could not be read.
    pub is_unread: bool,
}

/// The conditions of a document, ready to be compared with calls.
#[derive(Debug, Clone, Default)]
pub struct Conditions(Vec<Compiled>);

#[derive(Debug, Clone)]
struct Compiled {
    of: CallCondition,
    network: Option<Network>,
}

impl Conditions {
    /// Takes the conditions of a document. One that cannot be parsed meets nothing; reading a
    /// document refuses it.
    pub fn new(conditions: impl IntoIterator<Item = CallCondition>) -> Self {
        let compiled = |of: CallCondition| Compiled {
            network: of.condition.address.as_deref().and_then(|text| text.parse().ok()),
            of,
        };
        Self(conditions.into_iter().map(compiled).collect())
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether calls of this number must be asked for what they name.
    pub fn may_concern(&self, syscall: Syscall) -> bool {
        self.0.iter().any(|compiled| compiled.of.may_concern(syscall))
    }

    /// Returns which conditions a call meets, and whether one that a rule forbids is undecided.
    pub fn judge(&self, syscall: Syscall, named: &Named) -> (Met, Undecided) {
        let concerned = || self.0.iter().filter(|compiled| compiled.of.may_concern(syscall));
        let met = concerned().filter_map(|compiled| Some((compiled.of.condition.clone(), compiled.extent(named)?)));
        let undecided = named.is_unread && concerned().any(|compiled| compiled.of.forbids);
        (Met::new(met), if undecided { Undecided::Memory } else { Undecided::No })
    }
}

impl Compiled {
    fn extent(&self, named: &Named) -> Option<Extent> {
        let network = self.network?;
        extent(named.addresses.iter().map(|address| network.contains(*address)), named.is_unread)
    }
}

/// Returns to what extent a call meets a condition, by what each of its parts does. A part that
/// could not be read meets none.
fn extent(parts: impl Iterator<Item = bool>, is_unread: bool) -> Option<Extent> {
    let (mut any, mut all) = (false, !is_unread);
    for part in parts {
        any |= part;
        all &= part;
    }
    any.then_some(if all { Extent::All } else { Extent::Some })
}

#[cfg(test)]
mod tests;
