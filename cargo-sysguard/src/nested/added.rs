//! The variables that `cargo sysguard run` adds to cargo's environment, and their removal from a
//! test's environment. Main type: [`Added`].

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The added variables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Added(BTreeMap<String, Variable>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Variable {
    added: OsString,
    /// Its value before, or nothing if it was not set.
    before: Option<OsString>,
}

impl Added {
    /// Returns the variables that this command adds to the environment of this process.
    pub(crate) fn of(command: &Command) -> Self {
        let variable = |(name, value): (&OsStr, Option<&OsStr>)| {
            let added = value?.to_owned();
            Some((name.to_str()?.to_owned(), Variable { added, before: env::var_os(name) }))
        };
        Self(command.get_envs().filter_map(variable).collect())
    }

    /// Returns the environment without the added variables. A variable that cargo's configuration
    /// sets to another value keeps it.
    pub(crate) fn taken_from(&self, current: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let restored = |(name, value): (OsString, OsString)| match name.to_str().and_then(|name| self.0.get(name)) {
            Some(variable) if variable.added == value => Some((name, variable.before.clone()?)),
            _ => Some((name, value)),
        };
        current.filter_map(restored).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_values_are_restored() {
        let mut command = Command::new("true");
        command
            .env("PATH", "/ours")
            .env("SYSGUARD_TEST_ADDED", "1")
            .env("SYSGUARD_TEST_FORCED", "2")
            .env_remove("HOME");
        let added = Added::of(&command);
        let current =
            [("PATH", "/ours"), ("SYSGUARD_TEST_ADDED", "1"), ("SYSGUARD_TEST_FORCED", "by cargo"), ("OTHER", "x")];
        let restored = added.taken_from(current.map(|(name, value)| (name.into(), value.into())).into_iter());
        let path = env::var_os("PATH").expect("a PATH");
        let expected: [(OsString, OsString); 3] =
            [("PATH".into(), path), ("SYSGUARD_TEST_FORCED".into(), "by cargo".into()), ("OTHER".into(), "x".into())];
        assert_eq!(restored, expected);
    }
}
