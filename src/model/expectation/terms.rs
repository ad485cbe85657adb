//! The content of an expectation file, without its syntax. Main type: [`Expectation`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::attribution::{ObjectKind, Subsystem};
use crate::model::conditions::CallCondition;
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::error_path::{FailedCall, FaultName, RunOutcome};
use crate::model::facts::fact::{Detail, Fact, Pair};
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::signal_name::SignalName;
use crate::model::facts::version::Version;
use crate::model::kernel::syscall::Abi;
use crate::model::run::platform::Platform;
use crate::model::run::workload::Workload;

/// One expectation file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The author's document.
    pub document: Document,
    /// The recorded baselines, at most one per platform, in the file's order.
    pub baselines: Vec<Baseline>,
}

impl Expectation {
    /// Returns the baseline of a platform.
    pub fn baseline(&self, platform: &Platform) -> Option<&Baseline> {
        self.baselines.iter().find(|baseline| baseline.platform == *platform)
    }
}

/// The author's document: what to run, and how it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What to run.
    pub workload: Workload,
    /// The finest detail at which a new fact fails.
    pub level: Level,
    /// Why the workload runs only with `--ignored` or `--include-ignored`.
    pub ignore: Option<String>,
    /// Rules for calls that are never a finding.
    pub tolerate: Vec<Rule>,
    /// Rules for calls that always fail, even if the baseline holds them.
    pub forbid: Vec<Rule>,
    /// Whether ambient calls are judged like other calls (`ambient: strict`).
    pub ambient_strict: bool,
    /// Whether a new member of a known family is judged like any other new call (`families:
    /// strict`).
    pub families_strict: bool,
    /// How its error paths are explored.
    pub explore: ExploreSettings,
}

impl Document {
    /// Returns what its rules require of single calls.
    pub fn call_conditions(&self) -> Vec<CallCondition> {
        let rules = self.tolerate.iter().map(|rule| (rule, false)).chain(self.forbid.iter().map(|rule| (rule, true)));
        let condition = |(rule, forbids): (&Rule, bool)| {
            Some(CallCondition { condition: rule.condition()?, syscall: rule.syscall.clone(), forbids })
        };
        rules.filter_map(condition).collect()
    }

    /// Returns whether signals that end processes are facts of baselines of this version. Version 1
    /// was recorded without them. Rules by `signal:` hold in any case.
    pub(in crate::model) fn judges_signals(&self, version: Version) -> bool {
        version >= Version::Two || self.level >= Level::Signal
    }

    /// Returns whether errors are judged: by the level, or by a `forbid:` rule.
    pub(crate) fn judges_errors(&self) -> bool {
        self.level >= Level::Error || self.forbid.iter().any(|rule| rule.error.is_some())
    }
}

#[cfg(test)]
impl Document {
    /// Returns a minimal document.
    pub(crate) fn for_tests() -> Self {
        use crate::model::run::workload::{DEFAULT_TIMEOUT, Exit, Program, Stdin};
        let workload = Workload {
            program: Program::Command(vec!["true".to_owned()]),
            args: Vec::new(),
            env: BTreeMap::new(),
            with: BTreeMap::new(),
            stdin: Stdin::Null,
            cwd: None,
            timeout: DEFAULT_TIMEOUT,
            requires: Vec::new(),
            stop: None,
            exit: Exit::Exited(0),
        };
        Self {
            workload,
            level: Level::default(),
            ignore: None,
            tolerate: Vec::new(),
            forbid: Vec::new(),
            ambient_strict: false,
            families_strict: false,
            explore: ExploreSettings::default(),
        }
    }
}

/// The finest detail that a verdict judges; each level includes those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Subsystems only.
    Subsystem,
    /// … and syscalls.
    Syscall,
    /// … and arguments.
    Argument,
    /// … and objects.
    #[default]
    Object,
    /// … and errors.
    Error,
    /// … and every signal that ends a process. Signals of crashes fail at every level.
    Signal,
}

impl Level {
    /// Every level, the coarsest first.
    pub const ALL: [Self; 6] =
        [Self::Subsystem, Self::Syscall, Self::Argument, Self::Object, Self::Error, Self::Signal];

    /// Returns the name used in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subsystem => "subsystem",
            Self::Syscall => "syscall",
            Self::Argument => "argument",
            Self::Object => "object",
            Self::Error => "error",
            Self::Signal => "signal",
        }
    }

    /// Returns the level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Which calls an assertion, or a `tolerate:` or `forbid:` rule, is about: every given part must
/// match. A rule may also be about a signal.
///
/// A [`Subsystem`] and the name of a syscall are rules, too. Other rules start from one of them, or
/// from `Rule::default()`, which matches every call:
///
/// ```
/// use sysguard::{Rule, Subsystem};
///
/// let reads_of_proc = Rule::from("openat").object("file:proc");
/// let raw_sockets = Rule::from(Subsystem::Network).argument("AF_PACKET");
/// let refused = Rule::default().error("EPERM");
/// let downloads = Rule::default().program("curl");
/// # assert_eq!(refused.error.as_deref(), Some("EPERM"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The phase; `None`: any phase, and outside all phases.
    pub phase: Option<String>,
    /// The subsystem reached.
    pub subsystem: Option<Subsystem>,
    /// The syscall's name.
    pub syscall: Option<String>,
    /// The argument.
    pub argument: Option<String>,
    /// The object.
    pub object: Option<String>,
    /// The errno's name.
    pub error: Option<String>,
    /// A glob for the name of an executed program, as it was invoked.
    pub program: Option<String>,
    /// The class of the address that a call names, or a range of addresses with an optional port.
    pub address: Option<String>,
    /// A glob for a path that a call names.
    pub path: Option<String>,
    /// The call can change what it names: see [`writes`](Self::writes).
    pub writes: bool,
    /// The name of a signal that ended a process other than the first one. A rule with a signal
    /// matches no call.
    pub signal: Option<String>,
    /// The reason.
    pub why: Option<String>,
}

impl Rule {
    /// Returns the given parts by their keys in a document, without the reason.
    #[doc(hidden)]
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [
            ("phase", self.phase.as_deref()),
            ("subsystem", self.subsystem.map(Subsystem::slug)),
            ("syscall", self.syscall.as_deref()),
            ("argument", self.argument.as_deref()),
            ("object", self.object.as_deref()),
            ("error", self.error.as_deref()),
            ("program", self.program.as_deref()),
            ("address", self.address.as_deref()),
            ("path", self.path.as_deref()),
            ("writes", self.writes.then_some("true")),
            ("signal", self.signal.as_deref()),
        ];
        parts.into_iter().filter_map(|(part, value)| Some((part, value?)))
    }
}

/// The expected uses of a workload on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The platform.
    pub platform: Platform,
    /// The version of the format that decides which facts it can hold.
    pub version: Version,
    /// The machine and build when a fact last changed.
    pub fingerprint: Fingerprint,
    /// Whether new facts still appeared at the end of that recording (`quiet: never`).
    pub never_quiet: bool,
    /// How many runs that recording had (`runs: 3`), if they were fewer than
    /// [`FEWEST_RUNS`](crate::model::run::recording::FEWEST_RUNS).
    pub few_runs: Option<u32>,
    /// The entries, by subsystem and syscall name.
    pub subsystems: BTreeMap<Subsystem, BTreeMap<String, Entry>>,
    /// The syscalls of each phase that the program named, by phase and subsystem.
    pub phases: BTreeMap<String, BTreeMap<Subsystem, BTreeSet<String>>>,
    /// Blind spots: uses that may have been missed.
    pub blind_spots: BTreeSet<RecordedBlindSpot>,
    /// The signals that ended processes other than the first one.
    pub signals: BTreeSet<SignalName>,
    /// What an exploration recorded of error paths; `None`: nothing. No other field grows by it.
    pub errors: Option<ErrorPaths>,
}

impl Baseline {
    /// Returns an empty baseline of the latest version.
    pub fn new(platform: Platform) -> Self {
        Self {
            platform,
            version: Version::LATEST,
            fingerprint: Fingerprint::default(),
            never_quiet: false,
            few_runs: None,
            subsystems: BTreeMap::new(),
            phases: BTreeMap::new(),
            blind_spots: BTreeSet::new(),
            signals: BTreeSet::new(),
            errors: None,
        }
    }

    /// Returns the entry of the fact's syscall.
    pub(in crate::model) fn entry(&self, fact: &Fact) -> Option<&Entry> {
        let Fact::Use { subsystem, syscall: Some(syscall), .. } = fact else { return None };
        self.subsystems.get(subsystem)?.get(syscall)
    }
}

impl Entry {
    /// Returns why a fact of this entry is needed: the reason of its use, else that of the entry.
    pub(in crate::model) fn why_of(&self, fact: &Fact) -> Option<&str> {
        let of_use = fact.detail().and_then(|detail| self.reasons.get(detail));
        of_use.or(self.why.as_ref()).map(String::as_str)
    }
}

/// The entry of one syscall within one subsystem.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The arguments seen; in version 2 only those of calls without an object.
    pub arguments: BTreeSet<String>,
    /// The objects seen; storage filesystems are one object (`file`, `dir`). In version 2 only
    /// those of calls without an argument.
    pub objects: BTreeSet<ObjectKind>,
    /// Each argument with an object that it was used on; empty in version 1.
    pub pairs: BTreeSet<Pair>,
    /// The errors seen, recorded only at [`Level::Error`].
    pub errors: BTreeSet<ErrnoName>,
    /// The ABIs seen, other than the platform's own.
    pub abis: BTreeSet<Abi>,
    /// Whether some recorded run did not show it (`seen: sometimes`).
    pub sometimes: bool,
    /// Why the workload needs it, written by a reviewer.
    pub why: Option<String>,
    /// Why it needs single uses, by their details.
    pub reasons: BTreeMap<Detail, String>,
    /// The person or team responsible for it.
    pub owner: Option<String>,
}

/// How a workload is explored, and which outcomes are accepted (`explore:`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExploreSettings {
    /// How long it is explored; `None`: the default.
    pub budget: Option<Duration>,
    /// Outcomes that always fail, even if they are recorded.
    pub forbid: BTreeSet<RunOutcome>,
    /// Outcomes that are no finding and are not recorded.
    pub except: Vec<OutcomeRule>,
}

/// Which outcomes an exception is about: every given part must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeRule {
    /// The name of the syscall.
    pub syscall: Option<String>,
    /// Its argument.
    pub argument: Option<String>,
    /// The injected error.
    pub error: Option<FaultName>,
    /// The outcome.
    pub outcome: Option<RunOutcome>,
    /// The reason.
    pub why: Option<String>,
}

/// What an exploration recorded on one platform (`errors:`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorPaths {
    /// How much was explored, if the file says so.
    pub explored: Option<Explored>,
    /// What only error paths use, like [`Baseline::subsystems`].
    pub uses: BTreeMap<Subsystem, BTreeMap<String, Entry>>,
    /// Blind spots of error paths.
    pub blind_spots: BTreeSet<RecordedBlindSpot>,
    /// Signals that ended processes other than the first one on error paths.
    pub signals: BTreeSet<SignalName>,
    /// The calls that had a judged outcome when they failed.
    pub outcomes: BTreeMap<RunOutcome, BTreeSet<FailedCall>>,
}

/// How much an exploration has tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// The time that it had.
    pub budget: Duration,
    /// The number of injections that were tried.
    pub tried: u32,
    /// The number of injections that were possible in its runs.
    pub reachable: u32,
}
