//! Under which words reports file what was used: named and versioned. Main type: [`Taxonomy`].
//!
//! It renames and regroups for readers only: attribution, baselines and keys always speak of
//! [`Subsystem`]s.

mod guide;

use std::collections::BTreeMap;

use crate::model::attribution::Subsystem;

/// A way to file subsystems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxonomy {
    /// Its name and version, as reports tell it: `kernel/1`.
    name: String,
    base: Base,
    /// Words that take the base's place, by subsystem.
    groups: BTreeMap<Subsystem, String>,
    /// Words for single calls, whatever they reached.
    calls: BTreeMap<String, String>,
}

/// What a taxonomy begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Base {
    /// The subsystem that a call really reached, in sysguard's words.
    #[default]
    Kernel,
    /// The words of the kernel's guide *Discovering Linux kernel subsystems used by a workload*: by
    /// the name of the call alone.
    WorkloadTracing,
}

impl Base {
    /// Every base, the default first.
    pub const ALL: [Self; 2] = [Self::Kernel, Self::WorkloadTracing];

    /// The word of command lines and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::WorkloadTracing => "workload-tracing",
        }
    }

    /// The base of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|base| base.name() == name)
    }
}

/// A call as it is to be filed.
#[derive(Debug, Clone, Copy)]
pub struct Filed<'a> {
    /// Its name.
    pub call: &'a str,
    /// What its use reached.
    pub reached: Subsystem,
    /// What its entry point is.
    pub entry_point: Subsystem,
}

impl Default for Taxonomy {
    fn default() -> Self {
        Self::built_in(Base::default())
    }
}

impl Taxonomy {
    /// One of sysguard's own.
    pub fn built_in(base: Base) -> Self {
        Self { name: format!("{}/1", base.name()), base, groups: BTreeMap::new(), calls: BTreeMap::new() }
    }

    /// A user's: what it does not name is as in its base. Its name tells whose it is and what it
    /// begins with.
    pub fn of_user(
        name: &str,
        base: Base,
        groups: BTreeMap<Subsystem, String>,
        calls: BTreeMap<String, String>,
    ) -> Self {
        Self { name: format!("{name} (a file over {}/1)", base.name()), base, groups, calls }
    }

    /// Name and version.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is sysguard's own words and nothing else: then subsystems go by their slugs.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The word under which a use is filed.
    pub fn group(&self, filed: Filed<'_>) -> &str {
        if let Some(word) = self.calls.get(filed.call) {
            return word;
        }
        match self.base {
            Base::Kernel => self.groups.get(&filed.reached).map_or(filed.reached.title(), String::as_str),
            Base::WorkloadTracing => {
                let named = guide::of_call(filed.call);
                let word = named.unwrap_or_else(|| guide::of_subsystem(filed.entry_point));
                // Who renames a subsystem renames what the guide files under it.
                let own = self.groups.get(&filed.entry_point).filter(|_| named.is_none());
                let guides = || guide::subsystem(word).and_then(|subsystem| self.groups.get(&subsystem));
                own.or_else(guides).map_or(word, String::as_str)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::Subsystem as S;

    fn group(taxonomy: &Taxonomy, call: &str, reached: S, entry_point: S) -> String {
        taxonomy.group(Filed { call, reached, entry_point }).to_owned()
    }

    #[test]
    fn ours_goes_by_what_was_reached_and_the_guides_by_the_call() {
        let (ours, guide) = (Taxonomy::default(), Taxonomy::built_in(Base::WorkloadTracing));
        for (call, reached, entry_point, in_ours, in_guide) in [
            ("read", S::Network, S::Filesystem, "Network", "Filesystem"),
            ("wait4", S::Process, S::Process, "Process Mgmt", "Time"),
            ("uname", S::System, S::System, "System Info", "Process Mgmt."),
            ("epoll_wait", S::Poll, S::Poll, "Event Poll", "Filesystem"),
            ("mmap", S::Memory, S::Memory, "Memory Mgmt", "Memory Mgmt."),
            ("socketpair", S::Unix, S::Network, "Unix Sockets", "Network"),
            ("bpf", S::Bpf, S::Bpf, "BPF", "BPF"),
        ] {
            assert_eq!(group(&ours, call, reached, entry_point), in_ours, "{call}");
            assert_eq!(group(&guide, call, reached, entry_point), in_guide, "{call}");
        }
        assert_eq!((ours.name(), guide.name()), ("kernel/1", "workload-tracing/1"));
        assert!(ours.is_default() && !guide.is_default());
    }

    #[test]
    fn a_users_words_come_first_and_are_never_silent() {
        let groups = BTreeMap::from([(S::Filesystem, "Storage".to_owned()), (S::Block, "Storage".to_owned())]);
        let calls = BTreeMap::from([("wait4".to_owned(), "Waiting".to_owned())]);
        let own = Taxonomy::of_user("team", Base::Kernel, groups.clone(), calls);
        assert_eq!(own.name(), "team (a file over kernel/1)");
        assert_eq!(group(&own, "read", S::Filesystem, S::Filesystem), "Storage");
        assert_eq!(group(&own, "wait4", S::Process, S::Process), "Waiting");
        assert_eq!(group(&own, "futex", S::Futex, S::Futex), "Futex");
        let over = Taxonomy::of_user("team", Base::WorkloadTracing, groups, BTreeMap::new());
        assert_eq!(group(&over, "epoll_wait", S::Poll, S::Poll), "Storage", "the guide's Filesystem, renamed");
        assert_eq!(group(&over, "wait4", S::Process, S::Process), "Time");
    }
}
