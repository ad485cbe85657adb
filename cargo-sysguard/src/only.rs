//! `trace --only`: selects the calls with a stack. Main type: [`Only`].

use std::str::FromStr;

use sysguard::unstable::model::attribution::Subsystem;
use sysguard::unstable::model::observe::selected::Selected;
use sysguard::unstable::model::text::escape;
use sysguard::unstable::model::text::near::near;

use crate::log::call_names;
use crate::message;

/// The name of a call, of a subsystem, or of both (`bpf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Only(String);

/// The word names neither a call nor a subsystem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unknown(String);

impl FromStr for Only {
    type Err = Unknown;

    fn from_str(word: &str) -> Result<Self, Unknown> {
        // `-e` of the log marks subsystems.
        let name = word.strip_prefix('@').unwrap_or(word);
        let known = || Subsystem::ALL.into_iter().map(Subsystem::slug).chain(call_names());
        if known().any(|known| known == name) {
            return Ok(Self(name.to_owned()));
        }
        const MOST: usize = 3;
        let near: Vec<String> = near(name, known()).into_iter().take(MOST).map(str::to_owned).collect();
        let hint = message::did_you_mean(&near).unwrap_or_else(|| "; use a subsystem or a system call".to_owned());
        Err(Unknown(format!("unknown name `{}`{hint}", escape::line(name))))
    }
}

/// Returns what these names select; without names, every call.
pub(crate) fn selected(names: &[Only]) -> Selected {
    let names = || names.iter().map(|Only(name)| name.as_str());
    Selected {
        subsystems: names().filter_map(Subsystem::from_slug).collect(),
        syscalls: names().filter(|name| call_names().any(|call| call == *name)).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_name_error_suggests_near_names() {
        for (word, message) in [
            ("conect", "unknown name `conect`; did you mean connect?"),
            ("netwrk", "unknown name `netwrk`; did you mean network?"),
            ("?", "unknown name `?`; use a subsystem or a system call"),
        ] {
            assert_eq!(word.parse::<Only>().expect_err(word).to_string(), message);
        }
    }

    #[test]
    fn name_selects_a_call_or_a_subsystem_or_both() {
        let selected = |words: &[&str]| {
            let names: Vec<Only> = words.iter().map(|word| word.parse().expect(word)).collect();
            let Selected { subsystems, syscalls } = selected(&names);
            (subsystems.into_iter().map(Subsystem::slug).collect::<Vec<_>>(), syscalls.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(selected(&[]), (vec![], vec![]));
        assert_eq!(selected(&["openat", "@network"]), (vec!["network"], vec!["openat".to_owned()]));
        assert_eq!(selected(&["bpf"]), (vec!["bpf"], vec!["bpf".to_owned()]));
    }
}
