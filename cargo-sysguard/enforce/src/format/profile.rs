//! What a file of any format allows, so that two of them can be compared. Main type: [`Profile`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sysguard::unstable::model::attribution::RegisterTest;
use sysguard::unstable::model::kernel::call::Errno as ErrnoNumber;

use crate::policy::Action;
use crate::uapi::ENOSYS;

/// What a file says about each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What happens to calls that it does not name.
    pub otherwise: Effect,
    /// The calls that it names.
    pub calls: BTreeMap<String, BTreeSet<NamedRule>>,
    /// Other settings by name, such as the architectures.
    pub settings: BTreeMap<String, String>,
}

/// One rule of a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedRule {
    /// What happens.
    pub effect: Effect,
    /// The tests of registers, of which all hold; none: the rule is for every call of the name.
    pub tests: Vec<String>,
}

/// What a filter does with a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The call is made.
    Allow,
    /// It fails with this errno.
    Errno(u32),
    /// The process is killed.
    Kill,
    /// The call is made and logged.
    Log,
    /// The thread gets SIGSYS.
    Trap,
    /// Another action, by its name.
    Other(String),
}

/// A difference between two profiles. `Display` writes it as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Only the new profile names the call.
    Added {
        /// The call.
        call: String,
        /// Why the policy allows it, or what happens instead.
        why: String,
    },
    /// Only the old profile names the call.
    Removed(String),
    /// Both name it, with other arguments or another effect.
    Changed {
        /// The call.
        call: String,
        /// What changed.
        what: String,
    },
    /// A setting, or what happens to other calls.
    Setting {
        /// Its name.
        name: String,
        /// Its old value.
        old: Option<String>,
        /// Its new value.
        new: Option<String>,
    },
}

impl Profile {
    /// Returns a profile without rules.
    pub(super) fn new(otherwise: Effect) -> Self {
        Self { otherwise, calls: BTreeMap::new(), settings: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, call: &str, effect: Effect, tests: Vec<String>) {
        self.calls.entry(call.to_owned()).or_default().insert(NamedRule { effect, tests });
    }

    /// Returns what a new profile changes, ordered by call. `why` returns the reason for which a
    /// call is allowed.
    pub fn differences(&self, new: &Self, why: impl Fn(&str) -> Option<String>) -> Vec<Difference> {
        let setting = |name: &str, old: Option<String>, new: Option<String>| {
            (old != new).then(|| Difference::Setting { name: name.to_owned(), old, new })
        };
        let otherwise = setting("other calls", Some(self.otherwise.to_string()), Some(new.otherwise.to_string()));
        let calls: BTreeSet<&String> = self.calls.keys().chain(new.calls.keys()).collect();
        let calls = calls.into_iter().filter_map(|call| {
            let difference = match (self.calls.get(call), new.calls.get(call)) {
                (Some(old), Some(new)) if old == new => return None,
                (Some(old), Some(new)) => Difference::Changed { call: call.clone(), what: changed(old, new) },
                (Some(_), None) => Difference::Removed(call.clone()),
                (None, new) => Difference::Added { call: call.clone(), why: added(new, why(call)) },
            };
            Some(difference)
        });
        let names: BTreeSet<&String> = self.settings.keys().chain(new.settings.keys()).collect();
        let settings = names
            .into_iter()
            .filter_map(|name| setting(name, self.settings.get(name).cloned(), new.settings.get(name).cloned()));
        otherwise.into_iter().chain(calls).chain(settings).collect()
    }
}

fn added(rules: Option<&BTreeSet<NamedRule>>, why: Option<String>) -> String {
    let allows = rules.into_iter().flatten().any(|rule| rule.effect == Effect::Allow);
    match why.filter(|_| allows) {
        Some(why) => why,
        None => effects(rules.into_iter().flatten()),
    }
}

fn changed(old: &BTreeSet<NamedRule>, new: &BTreeSet<NamedRule>) -> String {
    let (before, after) = (effects(old.iter()), effects(new.iter()));
    if before == after { "arguments".to_owned() } else { format!("{before} → {after}") }
}

fn effects<'a>(rules: impl Iterator<Item = &'a NamedRule>) -> String {
    let effects: BTreeSet<String> = rules.map(|rule| rule.effect.to_string()).collect();
    effects.into_iter().collect::<Vec<_>>().join(" or ")
}

/// Returns the text of tests of registers, in the order of the registers.
pub(super) fn tests(tests: &[RegisterTest]) -> Vec<String> {
    let mut tests = tests.to_vec();
    tests.sort_unstable();
    tests.iter().map(|RegisterTest { arg, mask, value }| masked(*arg, *mask, *value)).collect()
}

/// Returns the text of a test of a register.
pub(super) fn masked(arg: usize, mask: u64, value: u64) -> String {
    format!("argument {arg} & {mask:#x} is {value:#x}")
}

impl From<Action> for Effect {
    fn from(action: Action) -> Self {
        match action {
            Action::Unimplemented => Self::Errno(ENOSYS),
            Action::Kill => Self::Kill,
            Action::Log => Self::Log,
            Action::Trap => Self::Trap,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allowed"),
            Self::Errno(number) => f.write_str(&ErrnoNumber(*number as i32).name()),
            Self::Kill => f.write_str("killed by SIGSYS"),
            Self::Log => f.write_str("allowed and logged"),
            Self::Trap => f.write_str("SIGSYS"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { call, why } => write!(f, "+ {call} ({why})"),
            Self::Removed(call) => write!(f, "- {call}"),
            Self::Changed { call, what } => write!(f, "~ {call}: {what}"),
            Self::Setting { name, old: None, new } => write!(f, "+ {name}: {}", new.as_deref().unwrap_or_default()),
            Self::Setting { name, new: None, .. } => write!(f, "- {name}"),
            Self::Setting { name, old: Some(old), new: Some(new) } => write!(f, "~ {name}: {old} → {new}"),
        }
    }
}
