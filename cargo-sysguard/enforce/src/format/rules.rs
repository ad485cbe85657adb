//! The rules of a policy by the name of the call, as formats without numbers have them. Main
//! function: [`rules`].

use std::collections::BTreeMap;

use sysguard::unstable::model::kernel::syscall::Syscall;

use super::NotWritten;
use crate::policy::{Calls, Policy, Reason};

/// The rules of a policy by name. They hold for every ABI of the profile.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    /// The allowed calls by reason and name. No refused call is among them.
    pub(super) allowed: BTreeMap<&'a Reason, BTreeMap<String, Calls>>,
    /// The refused calls.
    pub(super) refused: BTreeMap<String, Calls>,
}

/// Returns the rules of a policy.
///
/// # Errors
///
/// [`NotWritten::Unnamed`].
pub(super) fn rules(policy: &Policy) -> Result<Rules<'_>, NotWritten> {
    let mut refused: BTreeMap<String, Calls> = BTreeMap::new();
    for (syscall, calls) in &policy.refused {
        refused.insert(name(*syscall)?, calls.clone());
    }
    let mut by_name: BTreeMap<String, (Calls, &Reason)> = BTreeMap::new();
    for (syscall, allowed) in &policy.allowed {
        let reason = allowed.why.first().expect("a reason");
        match by_name.entry(name(*syscall)?) {
            std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert((allowed.calls.clone(), reason))),
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let (calls, known) = entry.get_mut();
                calls.add(allowed.calls.clone());
                *known = reason.min(known);
            }
        }
    }
    let mut allowed: BTreeMap<&Reason, BTreeMap<String, Calls>> = BTreeMap::new();
    for (name, (calls, reason)) in by_name {
        let left = match refused.get(&name) {
            Some(refused) => calls.without(refused),
            None => Some(calls),
        };
        if let Some(left) = left {
            allowed.entry(reason).or_default().insert(name, left);
        }
    }
    Ok(Rules { allowed, refused })
}

fn name(syscall: Syscall) -> Result<String, NotWritten> {
    match syscall.row() {
        Some(row) => Ok(row.name.to_owned()),
        None => Err(NotWritten::Unnamed(syscall.name().into_owned())),
    }
}
