//! Differences between what was expected and what was observed. Main types: [`Comparison`] and
//! [`Finding`].
//!
//! Plain data: it neither compares nor decides.

use crate::model::attribution::Subsystem;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::fingerprint::Drift;

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What fails: what is forbidden first, then by weight, then by key.
    pub findings: Vec<Finding>,
    /// New, but below the level that fails, or beside a member of its family; in the same order.
    pub notes: Vec<Finding>,
    /// New, but not in every run, where several were made to confirm it; in the same order.
    pub suspects: Vec<Suspect>,
    /// What the baseline holds and no run showed: the outermost facts, without what went with them.
    pub gone: Vec<Fact>,
    /// What changed around the workload since the baseline was recorded.
    pub drift: Vec<Drift>,
    /// How it was watched.
    pub watched: Watched,
}

/// How a workload was watched, as far as that says what a comparison cannot hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Watched {
    /// Every call was seen.
    #[default]
    EveryCall,
    /// Expected calls ran unwatched: nothing is known of their number, of their errors, or of what
    /// is gone.
    Guarded,
    /// Every call was seen before it was made: nothing is known of the errors of most.
    Notified,
    /// Every call was seen with its result, though another engine was asked for: it cannot watch
    /// this workload.
    Unguarded {
        /// Why not.
        reason: String,
    },
}

impl Comparison {
    /// Says of every finding where the expectation file speaks of its subsystem.
    pub fn locate(&mut self, line: impl Fn(Option<Subsystem>) -> Option<usize>) {
        for finding in self.new_mut() {
            finding.line = line(finding.fact.subsystem());
        }
    }

    /// Whether a `forbid:` rule is broken: then no baseline makes the workload pass.
    pub fn is_forbidden(&self) -> bool {
        self.findings.iter().any(|finding| finding.forbidden.is_some())
    }

    /// Whether anything was seen that the baseline does not hold.
    pub fn has_news(&self) -> bool {
        !(self.findings.is_empty() && self.notes.is_empty() && self.suspects.is_empty())
    }

    /// Whether it says something of a workload that passes. That it was guarded goes for most: it
    /// is told once for all.
    pub fn is_remarkable(&self) -> bool {
        self.has_news() || !self.gone.is_empty() || matches!(self.watched, Watched::Unguarded { .. })
    }

    /// Findings, notes and suspects.
    pub(in crate::model) fn new_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        let suspects = self.suspects.iter_mut().map(|suspect| &mut suspect.finding);
        self.findings.iter_mut().chain(&mut self.notes).chain(suspects)
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of difference. Of something forbidden it says how deep it lies, be it new or not.
    pub kind: FindingKind,
    /// The fact that is new.
    pub fact: Fact,
    /// Arguments and objects of a new syscall: as new as the syscall itself, and accepted with it.
    pub details: Vec<Detail>,
    /// How often it was called.
    pub calls: u64,
    /// The `forbid:` rule that it breaks, in its author's words.
    pub forbidden: Option<String>,
    /// The line of the expectation file that it concerns, counted from 1; known to who has read the
    /// file.
    pub line: Option<usize>,
    /// The member of its family that the baseline holds: then it is a note.
    pub kin: Option<Kin>,
    /// What is known to have brought it, other than a change of the workload.
    pub cause: Option<String>,
    /// Who made its first call, where that was asked.
    pub site: Option<String>,
}

/// `openat2` beside `openat`: C library, architecture or kernel may have swapped one for the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// The family's name.
    pub family: String,
    /// The member that the baseline holds in the same subsystem, with the same detail where it is
    /// one that is new.
    pub beside: String,
}

impl Finding {
    /// A fact that is new.
    pub fn new(fact: Fact, calls: u64) -> Self {
        let kind = FindingKind::of(&fact);
        Self { kind, fact, details: Vec::new(), calls, forbidden: None, line: None, kin: None, cause: None, site: None }
    }

    /// The name under which reports file it: that of its kind, or `forbidden`.
    pub fn rule(&self) -> &'static str {
        if self.forbidden.is_some() { "forbidden" } else { self.kind.name() }
    }

    /// Whether this finding tells of the fact too, so that it is none of its own. A note must not
    /// tell of what fails.
    pub(in crate::model) fn includes(&self, fact: &Fact, kin: Option<&Kin>) -> bool {
        matches!(FindingKind::of(fact), FindingKind::NewArgument | FindingKind::NewObject)
            && fact.parent().as_ref() == Some(&self.fact)
            && (self.kin.is_none() || kin.is_some())
    }
}

/// What kind of difference a finding is; the order is by weight, heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A subsystem that the baseline does not hold.
    NewSubsystem,
    /// A blind spot that the baseline does not hold.
    NewBlindSpot,
    /// A call under another ABI.
    NewAbi,
    /// A syscall that the baseline does not hold within its subsystem.
    NewSyscall,
    /// An argument that the baseline does not hold for its syscall.
    NewArgument,
    /// An object that the baseline does not hold for its syscall.
    NewObject,
    /// An error that the baseline does not hold for its syscall.
    NewError,
}

impl FindingKind {
    /// Every kind, heaviest first.
    pub const ALL: [Self; 7] = [
        Self::NewSubsystem,
        Self::NewBlindSpot,
        Self::NewAbi,
        Self::NewSyscall,
        Self::NewArgument,
        Self::NewObject,
        Self::NewError,
    ];

    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewSubsystem => "new-subsystem",
            Self::NewBlindSpot => "new-blind-spot",
            Self::NewAbi => "new-abi",
            Self::NewSyscall => "new-syscall",
            Self::NewArgument => "new-argument",
            Self::NewObject => "new-object",
            Self::NewError => "new-error",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it is when this fact is new.
    pub fn of(fact: &Fact) -> Self {
        match fact {
            Fact::BlindSpot(_) => Self::NewBlindSpot,
            Fact::Phase { .. } => Self::NewSyscall,
            Fact::Use { syscall: None, .. } => Self::NewSubsystem,
            Fact::Use { detail: None, .. } => Self::NewSyscall,
            Fact::Use { detail: Some(Detail::Argument(_)), .. } => Self::NewArgument,
            Fact::Use { detail: Some(Detail::Object(_)), .. } => Self::NewObject,
            Fact::Use { detail: Some(Detail::Error(_)), .. } => Self::NewError,
            Fact::Use { detail: Some(Detail::Abi(_)), .. } => Self::NewAbi,
        }
    }
}

/// A finding that not every run showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// What it would be if every run showed it.
    pub finding: Finding,
    /// How many runs showed it.
    pub seen: u32,
    /// Of how many.
    pub runs: u32,
}
