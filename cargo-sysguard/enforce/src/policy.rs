//! Which calls a profile allows, and why. Main type: [`Policy`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sysguard::unstable::model::attribution::{RegisterTest, entry_points, registers};
use sysguard::unstable::model::expectation::{Baseline, Entry, Rule};
use sysguard::unstable::model::facts::version::Version;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall, table};

use crate::additions;
use crate::runtimes::Runtime;
use crate::source::{Source, described};
use crate::uapi::{O_CREAT, O_TRUNC, O_WRONLY, PR_SET_NO_NEW_PRIVS, SECCOMP_SET_MODE_FILTER};

/// What a profile allows, refuses, and does with all other calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The ABI of the workloads' platform.
    pub native: Abi,
    /// The workloads, in the order of their names.
    pub workloads: BTreeSet<String>,
    /// What happens to calls that are neither allowed nor refused.
    pub otherwise: Action,
    /// The allowed calls.
    pub allowed: BTreeMap<Syscall, Allowed>,
    /// The calls that `forbid:` rules name. They fail with EPERM, even if they are allowed.
    pub refused: BTreeMap<Syscall, Calls>,
    /// Rules that registers cannot tell, as text. A profile does not enforce them.
    pub unenforced: BTreeSet<String>,
}

/// What happens to a call that is not allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// It fails with ENOSYS, so that a C library falls back to an older call.
    #[default]
    Unimplemented,
    /// The process is killed by SIGSYS.
    Kill,
    /// It is made, and logged by the kernel.
    Log,
    /// The thread gets SIGSYS, which it may handle.
    Trap,
}

/// An allowed syscall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Which calls of it.
    pub calls: Calls,
    /// Why, at least one reason.
    pub why: BTreeSet<Reason>,
}

/// Which calls of a syscall are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calls {
    /// All.
    All,
    /// Those for which every test of one of these lists holds.
    Some(BTreeSet<Vec<RegisterTest>>),
}

/// Why a syscall is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The baseline of this workload holds it.
    Observed {
        /// The workload's name.
        workload: String,
    },
    /// `explore` saw this workload make it on an error path.
    ErrorPath {
        /// The workload's name.
        workload: String,
    },
    /// A `tolerate:` rule names it, so that the baseline of this workload does not hold it.
    Tolerated {
        /// The workload's name.
        workload: String,
    },
    /// Every program may need it.
    Ambient {
        /// What for.
        what: &'static str,
    },
    /// Another C library or kernel may use it instead of an allowed one.
    Instead {
        /// The allowed one.
        of: String,
        /// When.
        what: &'static str,
    },
    /// Another C library makes it beside an allowed one.
    Beside {
        /// The allowed one.
        of: String,
        /// What for.
        what: &'static str,
    },
    /// The program makes it between its phases.
    Phases {
        /// What for.
        what: &'static str,
    },
    /// The program that starts the workload under the profile makes it.
    Launcher {
        /// The launcher.
        launcher: String,
        /// What for.
        what: &'static str,
    },
}

/// How a policy is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What happens to calls that are not allowed.
    pub action: Action,
    /// Whether arguments are narrowed to those of the baselines.
    pub arguments: bool,
    /// The container runtime that starts the workload under the profile.
    pub runtime: Option<&'static Runtime>,
    /// Whether the program installs a profile of a later phase under this one.
    pub tightens: bool,
    /// Whether the program is executed under the profile. Then no rule refuses execve(2).
    pub starts: bool,
}

impl Policy {
    /// Makes the policy of these workloads, which have one platform.
    ///
    /// # Panics
    ///
    /// Without a source.
    pub fn of(sources: &[Source<'_>], options: &Options) -> Self {
        let mut policy = Self {
            native: sources.first().expect("at least one workload").native,
            workloads: sources.iter().map(|source| source.name.to_owned()).collect(),
            otherwise: options.action,
            allowed: BTreeMap::new(),
            refused: BTreeMap::new(),
            unenforced: BTreeSet::new(),
        };
        for source in sources {
            policy.add_baseline(source, options.arguments);
            source.document.forbid.iter().for_each(|rule| policy.refuse(rule, options.starts));
        }
        policy.add_ambient(options.arguments);
        let names_phases = sources.iter().any(|source| !source.baseline.phases.is_empty());
        policy.add_phases(names_phases, options.tightens);
        policy.add_beside();
        if options.arguments {
            sources.iter().for_each(|source| policy.widen_alternatives(source.baseline));
        }
        policy.add_alternatives();
        if let Some(runtime) = options.runtime {
            for (name, what) in runtime.calls.iter().copied().flatten() {
                let reason = Reason::Launcher { launcher: runtime.name.to_owned(), what };
                policy.allow_name(name, Calls::All, &reason);
            }
        }
        policy
    }

    /// Returns what the profile does with a call: `None` allows it.
    pub fn denial(&self, syscall: Syscall, args: &[u64; 6]) -> Option<Denial> {
        if self.refused.get(&syscall).is_some_and(|calls| calls.contain(args)) {
            return Some(Denial::Refused);
        }
        let is_allowed = self.allowed.get(&syscall).is_some_and(|allowed| allowed.calls.contain(args));
        (!is_allowed).then_some(Denial::NotAllowed)
    }

    /// Returns the ABIs of allowed calls, the native one first.
    pub fn abis(&self) -> Vec<Abi> {
        let others: BTreeSet<Abi> = self.allowed.keys().map(|syscall| syscall.abi).collect();
        [self.native].into_iter().chain(others.into_iter().filter(|abi| *abi != self.native)).collect()
    }

    fn add_baseline(&mut self, source: &Source<'_>, narrows: bool) {
        let Source { name, baseline, .. } = *source;
        let observed = Reason::Observed { workload: name.to_owned() };
        let error_path = Reason::ErrorPath { workload: name.to_owned() };
        for syscall in source.document.tolerate.iter().filter_map(|rule| rule.syscall.as_ref()) {
            self.allow_name(syscall, Calls::All, &Reason::Tolerated { workload: name.to_owned() });
        }
        let errors = baseline.errors.iter().flat_map(|errors| errors.uses.values());
        let entries = baseline.subsystems.values().map(|entries| (entries, &observed));
        for (entries, reason) in entries.chain(errors.map(|entries| (entries, &error_path))) {
            for (syscall, entry) in entries {
                let calls = if narrows { narrowed(syscall, entry, baseline) } else { Calls::All };
                self.allow_name(syscall, calls, reason);
                for syscall in entry.abis.iter().filter_map(|abi| named(*abi, syscall)) {
                    self.allow(syscall, Calls::All, reason.clone());
                }
            }
        }
    }

    fn add_ambient(&mut self, narrows: bool) {
        for (name, what) in additions::ambient() {
            for abi in self.abis() {
                let Some(syscall) = Syscall::from_name(abi, name) else { continue };
                let calls = match name {
                    // Baselines hold the other calls of these, with code or a file.
                    "mmap" | "mmap2" | "mprotect" if narrows && abi == self.native => {
                        registers(name, None).map_or(Calls::All, |tests| Calls::Some(tests.into_iter().collect()))
                    }
                    _ => Calls::All,
                };
                self.allow(syscall, calls, Reason::Ambient { what });
            }
        }
    }

    /// Allows the calls between phases. Markers are no part of a baseline.
    fn add_phases(&mut self, has_markers: bool, tightens: bool) {
        let calls = [
            (has_markers, "prctl", sysguard_phase::OPTION, "the marker that begins a phase, which the kernel refuses"),
            (tightens, "prctl", PR_SET_NO_NEW_PRIVS, "the profile of a later phase is installed"),
            (tightens, "seccomp", SECCOMP_SET_MODE_FILTER, "the profile of a later phase is installed"),
        ];
        for (_, name, value, what) in calls.into_iter().filter(|(is_needed, ..)| *is_needed) {
            // Both have an int first: prctl(2), seccomp(2).
            let test = RegisterTest { arg: 0, mask: 0xffff_ffff, value };
            self.allow_name(name, Calls::Some([vec![test]].into()), &Reason::Phases { what });
        }
    }

    /// Allows what another C library or kernel may use instead. An alternative is never narrowed:
    /// its arguments have another form.
    fn add_alternatives(&mut self) {
        let known: Vec<Syscall> = self.allowed.keys().copied().collect();
        for syscall in known {
            // Of a forbidden call, an alternative would do what a rule forbids.
            if self.refused.contains_key(&syscall) {
                continue;
            }
            let name = syscall.name().into_owned();
            for (alternative, what) in additions::alternatives(&name) {
                if alternative == "creat" && !self.creates_files(syscall) {
                    continue;
                }
                let Some(alternative) = Syscall::from_name(syscall.abi, alternative) else { continue };
                if !self.allowed.contains_key(&alternative) {
                    self.allow(alternative, Calls::All, Reason::Instead { of: name.clone(), what });
                }
            }
        }
    }

    /// Returns whether calls of open(2) or openat(2) are allowed that do what creat(2) does.
    fn creates_files(&self, syscall: Syscall) -> bool {
        // "O_CREAT|O_WRONLY|O_TRUNC", creat(2)
        const FLAGS: u64 = O_CREAT | O_WRONLY | O_TRUNC;
        let args = match &*syscall.name() {
            "open" => [0, FLAGS, 0, 0, 0, 0],
            "openat" => [0, 0, FLAGS, 0, 0, 0],
            _ => return true,
        };
        self.allowed.get(&syscall).is_some_and(|allowed| allowed.calls.contain(&args))
    }

    pub(crate) fn allow_name(&mut self, name: &str, calls: Calls, reason: &Reason) {
        if let Some(syscall) = named(self.native, name) {
            self.allow(syscall, calls, reason.clone());
        }
    }

    fn allow(&mut self, syscall: Syscall, calls: Calls, reason: Reason) {
        match self.allowed.get_mut(&syscall) {
            Some(allowed) => {
                allowed.calls.add(calls);
                allowed.why.insert(reason);
            }
            None => {
                self.allowed.insert(syscall, Allowed { calls, why: [reason].into() });
            }
        }
    }

    /// Refuses the calls that a `forbid:` rule names by syscall, subsystem and argument.
    fn refuse(&mut self, rule: &Rule, starts: bool) {
        let is_enforceable = rule.parts().all(|(part, _)| matches!(part, "subsystem" | "syscall" | "argument"));
        let calls = match (&rule.syscall, &rule.argument) {
            (Some(syscall), Some(argument)) => {
                registers(syscall, Some(argument)).map(|tests| Calls::Some(tests.into_iter().collect()))
            }
            (_, None) => Some(Calls::All),
            (None, Some(_)) => None,
        };
        let Some(calls) = calls.filter(|_| is_enforceable) else {
            self.unenforced.insert(described("forbid", rule));
            return;
        };
        let is_meant = |syscall: &Syscall| {
            rule.syscall.as_ref().is_none_or(|name| *name == syscall.name())
                && rule.subsystem.is_none_or(|subsystem| subsystem == entry_points::subsystem(*syscall))
        };
        let rows = table::rows(self.native).iter();
        let syscalls = rows.map(|row| Syscall { abi: self.native, number: i64::from(row.number) });
        for syscall in syscalls.filter(is_meant) {
            if starts && syscall.is_execute() {
                let rule = described("forbid", rule);
                self.unenforced.insert(format!("{rule} for {syscall}, as the program is started under the profile"));
                continue;
            }
            match self.refused.get_mut(&syscall) {
                Some(known) => known.add(calls.clone()),
                None => drop(self.refused.insert(syscall, calls.clone())),
            }
        }
    }
}

/// Why a profile denies a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// A `forbid:` rule names it: EPERM.
    Refused,
    /// It is not allowed: the policy's action.
    NotAllowed,
}

impl Calls {
    /// Returns whether a call with these registers is meant.
    pub fn contain(&self, args: &[u64; 6]) -> bool {
        match self {
            Self::All => true,
            Self::Some(lists) => lists.iter().any(|tests| tests.iter().all(|test| test.holds(args))),
        }
    }

    pub(crate) fn add(&mut self, others: Self) {
        match (&mut *self, others) {
            (Self::Some(lists), Self::Some(others)) => lists.extend(others),
            _ => *self = Self::All,
        }
    }
}

/// Returns the syscall of a name as baselines have it, such as `read` or `syscall_0x3e7`.
fn named(abi: Abi, name: &str) -> Option<Syscall> {
    let unknown = || i64::from_str_radix(name.strip_prefix("syscall_0x")?, 16).ok();
    Syscall::from_name(abi, name).or_else(|| Some(Syscall { abi, number: unknown()? }))
}

/// Returns the calls of an entry, if registers tell all of its arguments. Baselines of version 1 do
/// not say whether some calls had none.
fn narrowed(syscall: &str, entry: &Entry, baseline: &Baseline) -> Calls {
    if baseline.version < Version::Two {
        return Calls::All;
    }
    let of_pairs = entry.pairs.iter().map(|pair| &pair.argument);
    let arguments: BTreeSet<Option<&str>> =
        entry.arguments.iter().chain(of_pairs).map(|argument| Some(argument.as_str())).collect();
    let has_none = arguments.is_empty() || !entry.objects.is_empty();
    let arguments = arguments.into_iter().chain(has_none.then_some(None));
    let tests: Option<Vec<_>> = arguments.map(|argument| registers(syscall, argument)).collect();
    tests.map_or(Calls::All, |tests| Calls::Some(tests.into_iter().flatten().collect()))
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Unimplemented, Self::Kill, Self::Log, Self::Trap];

    /// Returns the name used by `--action`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unimplemented => "enosys",
            Self::Kill => "kill",
            Self::Log => "log",
            Self::Trap => "trap",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observed { workload } => write!(f, "observed in {workload}"),
            Self::ErrorPath { workload } => write!(f, "on error paths of {workload}"),
            Self::Tolerated { workload } => write!(f, "tolerated in {workload}"),
            Self::Ambient { what } => write!(f, "any program: {what}"),
            Self::Instead { of, what } => write!(f, "instead of {of}: {what}"),
            Self::Beside { of, what } => write!(f, "beside {of}: {what}"),
            Self::Phases { what } => write!(f, "phases: {what}"),
            Self::Launcher { launcher, what } => write!(f, "{launcher}: {what}"),
        }
    }
}

mod libraries;
#[cfg(test)]
mod tests;
