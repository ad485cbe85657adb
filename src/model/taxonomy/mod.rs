//! Named and versioned groups of subsystems for reports. Main type: [`Taxonomy`].
//!
//! It must not affect attribution, baselines and keys, which always use [`Subsystem`]s.

mod guide;

use std::collections::BTreeMap;

use crate::model::attribution::Subsystem;

/// A way to group uses by subsystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxonomy {
    /// Its name and version in reports: `kernel/1`.
    name: String,
    base: Base,
    /// Group names that replace those of the base, by subsystem.
    groups: BTreeMap<Subsystem, String>,
    /// Group names of single calls, independent of the subsystem that they reached.
    calls: BTreeMap<String, String>,
}

/// The base of a taxonomy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Base {
    /// By the subsystem that a call reached, with sysguard's titles.
    #[default]
    Kernel,
    /// By the name of the call alone, as in the kernel's guide *Discovering Linux kernel subsystems
    /// used by a workload*.
    WorkloadTracing,
}

impl Base {
    /// Every base, the default first.
    pub const ALL: [Self; 2] = [Self::Kernel, Self::WorkloadTracing];

    /// Returns the name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::WorkloadTracing => "workload-tracing",
        }
    }

    /// Returns the base of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|base| base.name() == name)
    }
}

/// A call to be grouped.
#[derive(Debug, Clone, Copy)]
pub struct Filed<'a> {
    /// Its name.
    pub call: &'a str,
    /// The subsystem that its use reached.
    pub reached: Subsystem,
    /// The subsystem of its entry point.
    pub entry_point: Subsystem,
}

impl Default for Taxonomy {
    fn default() -> Self {
        Self::built_in(Base::default())
    }
}

impl Taxonomy {
    /// Returns a built-in taxonomy.
    pub fn built_in(base: Base) -> Self {
        Self { name: format!("{}/1", base.name()), base, groups: BTreeMap::new(), calls: BTreeMap::new() }
    }

    /// Returns a user's taxonomy, which uses the base for everything that it does not name. Its
    /// name includes that of its base.
    pub fn of_user(
        name: &str,
        base: Base,
        groups: BTreeMap<Subsystem, String>,
        calls: BTreeMap<String, String>,
    ) -> Self {
        Self { name: format!("{name} (a file over {}/1)", base.name()), base, groups, calls }
    }

    /// Returns name and version.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether it is the default taxonomy, under which reports use the slugs of subsystems.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the group of a use.
    pub fn group(&self, filed: Filed<'_>) -> &str {
        if let Some(word) = self.calls.get(filed.call) {
            return word;
        }
        match self.base {
            Base::Kernel => self.groups.get(&filed.reached).map_or(filed.reached.title(), String::as_str),
            Base::WorkloadTracing => {
                let named = guide::of_call(filed.call);
                let word = named.unwrap_or_else(|| guide::of_subsystem(filed.entry_point));
                // A user's name for a subsystem also replaces the guide's group for it.
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
    fn kernel_groups_by_subsystem_guide_by_call() {
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
    fn user_groups_take_precedence_and_are_named() {
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
