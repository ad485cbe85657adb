//! The words of an expectation file, without its syntax. Main type: [`Expectation`].

use std::collections::{BTreeMap, BTreeSet};

use crate::model::attribution::Subsystem;
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::run::platform::Platform;
use crate::model::run::workload::Workload;

/// One expectation file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// What its author wrote.
    pub document: Document,
    /// What `bless` recorded, at most one a platform, in the file's order.
    pub baselines: Vec<Baseline>,
}

impl Expectation {
    /// The baseline of a platform.
    pub fn baseline(&self, platform: &Platform) -> Option<&Baseline> {
        self.baselines.iter().find(|baseline| baseline.platform == *platform)
    }
}

/// The author's document: what to run, and what is judged how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What to run.
    pub workload: Workload,
    /// Down to which depth a new thing fails.
    pub level: Level,
    /// Why the workload runs only with `--ignored` or `--include-ignored`.
    pub ignore: Option<String>,
    /// Never a finding.
    pub tolerate: Vec<Rule>,
    /// Fails at once, whatever the baseline holds.
    pub forbid: Vec<Rule>,
    /// Whether ambient calls are judged like any other (`ambient: strict`).
    pub ambient_strict: bool,
    /// Whether a new member of a known family is judged like any other new call (`families:
    /// strict`).
    pub families_strict: bool,
}

#[cfg(test)]
impl Document {
    /// A document that says no more than it must.
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
        }
    }
}

/// How deep a verdict looks; each level includes all before it.
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
}

impl Level {
    /// Every level, the coarsest first.
    pub const ALL: [Self; 5] = [Self::Subsystem, Self::Syscall, Self::Argument, Self::Object, Self::Error];

    /// The word used in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subsystem => "subsystem",
            Self::Syscall => "syscall",
            Self::Argument => "argument",
            Self::Object => "object",
            Self::Error => "error",
        }
    }

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// What a `tolerate:` or `forbid:` line matches: every part that is given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// In which phase; `None`: in any, and outside all.
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
    /// Why.
    pub why: Option<String>,
}

impl Rule {
    /// What it says, by the keys of a document; its reason is none of it.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [
            ("phase", self.phase.as_deref()),
            ("subsystem", self.subsystem.map(Subsystem::slug)),
            ("syscall", self.syscall.as_deref()),
            ("argument", self.argument.as_deref()),
            ("object", self.object.as_deref()),
            ("error", self.error.as_deref()),
        ];
        parts.into_iter().filter_map(|(part, value)| Some((part, value?)))
    }
}

/// What a workload is expected to use on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// Which platform.
    pub platform: Platform,
    /// What was around the workload when a fact last changed.
    pub fingerprint: Fingerprint,
    /// That recording then never became quiet (`quiet: never`): more may show.
    pub restless: bool,
    /// What it uses, by subsystem and syscall name.
    pub subsystems: BTreeMap<Subsystem, BTreeMap<String, Entry>>,
    /// What each phase uses that the program named: by phase and subsystem the names of syscalls.
    pub phases: BTreeMap<String, BTreeMap<Subsystem, BTreeSet<String>>>,
    /// What may have stayed unseen.
    pub blind_spots: BTreeSet<String>,
}

impl Baseline {
    /// A baseline that holds nothing yet.
    pub fn new(platform: Platform) -> Self {
        Self {
            platform,
            fingerprint: Fingerprint::default(),
            restless: false,
            subsystems: BTreeMap::new(),
            phases: BTreeMap::new(),
            blind_spots: BTreeSet::new(),
        }
    }
}

/// What a baseline holds of one syscall within one subsystem.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The arguments seen.
    pub arguments: BTreeSet<String>,
    /// The objects seen, storage filesystems as one (`file`, `dir`).
    pub objects: BTreeSet<String>,
    /// The errors seen, recorded at [`Level::Error`] only.
    pub errors: BTreeSet<String>,
    /// The ABIs seen other than the platform's own.
    pub abis: BTreeSet<String>,
    /// Not in every recorded run (`seen: sometimes`).
    pub sometimes: bool,
    /// Why the workload needs it: the reviewer's words.
    pub why: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
}
