//! Differences between an expectation and an observation. Main types: [`Comparison`] and
//! [`Finding`].
//!
//! Plain data: it must not compare or decide.

use crate::model::attribution::Subsystem;
use crate::model::engine::UsedEngine;
use crate::model::facts::example::Example;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::fingerprint::FingerprintChange;
use crate::model::facts::site::{NoSite, Site};
use crate::model::facts::version::Version;

/// The result of comparing an observation with a baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// New facts that fail: forbidden ones first, then by kind, then by key.
    pub findings: Vec<Finding>,
    /// New facts that do not fail: finer than the level, or of a known family; in the same order.
    pub notes: Vec<Finding>,
    /// New facts that some confirming run did not show; in the same order.
    pub suspects: Vec<Suspect>,
    /// Facts of the baseline that no run showed; only the outermost ones.
    pub gone: Vec<Fact>,
    /// Parts of the fingerprint that changed since the baseline was recorded.
    pub drift: Vec<FingerprintChange>,
    /// The engine of the first run.
    pub used: UsedEngine,
    /// The version of the baseline, which decides what was compared.
    pub version: Version,
}

impl Comparison {
    /// Sets the line of each finding to the line of its subsystem in the expectation file.
    pub fn locate(&mut self, line: impl Fn(Option<Subsystem>) -> Option<usize>) {
        for finding in self.new_mut() {
            finding.line = line(finding.fact.subsystem());
        }
    }

    /// Returns whether a `forbid:` rule is broken; the workload then fails with any baseline.
    pub fn is_forbidden(&self) -> bool {
        self.findings.iter().any(|finding| finding.forbidden.is_some())
    }

    /// Returns whether anything was seen that the baseline does not hold.
    pub fn has_new_facts(&self) -> bool {
        !(self.findings.is_empty() && self.notes.is_empty() && self.suspects.is_empty())
    }

    /// Returns whether a passing workload has something to report. A guarded run alone does not
    /// count: the summary reports it once for all workloads.
    pub fn is_remarkable(&self) -> bool {
        self.has_new_facts() || !self.gone.is_empty() || self.used.fallback.is_some()
    }

    /// Returns findings, notes and suspects.
    pub(in crate::model) fn new_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        let suspects = self.suspects.iter_mut().map(|suspect| &mut suspect.finding);
        self.findings.iter_mut().chain(&mut self.notes).chain(suspects)
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of difference. For a forbidden fact it is the kind of the fact, even if not new.
    pub kind: FindingKind,
    /// The fact that is new.
    pub fact: Fact,
    /// Arguments and objects of a new syscall, which are accepted with it.
    pub details: Vec<Detail>,
    /// The number of calls.
    pub calls: u64,
    /// The reason of the broken `forbid:` rule, or the rule itself.
    pub forbidden: Option<String>,
    /// The related line of the expectation file, counted from 1, once the file was read.
    pub line: Option<usize>,
    /// The member of its family that the baseline holds, which makes it a note.
    pub related: Option<RelatedSyscall>,
    /// A known cause other than a change of the workload.
    pub cause: Option<String>,
    /// The call site of the first call, if it was recorded.
    pub site: Option<Site>,
    /// The reason for a missing call site, if only the run shows it.
    pub no_site: Option<NoSite>,
    /// The first call, if it was kept.
    pub example: Option<Example>,
}

/// A related syscall that the baseline holds, such as `openat` for a new `openat2`: the C library,
/// the architecture or the kernel may have exchanged them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedSyscall {
    /// The family's name.
    pub family: String,
    /// The member that the baseline holds in the same subsystem, with the same detail if the new
    /// fact is a detail.
    pub beside: String,
}

impl Finding {
    /// Returns a finding for a new fact.
    pub fn new(fact: Fact, calls: u64) -> Self {
        let kind = FindingKind::of(&fact);
        Self {
            kind,
            fact,
            details: Vec::new(),
            calls,
            forbidden: None,
            line: None,
            related: None,
            cause: None,
            site: None,
            no_site: None,
            example: None,
        }
    }

    /// Sets the call site of the first call, or why there is none, as far as one was recorded.
    pub(in crate::model) fn set_site(&mut self, recorded: Option<Result<Site, NoSite>>) {
        (self.site, self.no_site) = match recorded {
            Some(Ok(site)) => (Some(site), None),
            Some(Err(reason)) => (None, Some(reason)),
            None => (None, None),
        };
    }

    /// Returns why no call site, or no function in it, is known; `None` if one is.
    pub fn site_reason(&self) -> Option<NoSite> {
        let is_named = |site: &Site| site.location.as_ref().is_none_or(|location| location.function.is_some());
        match &self.site {
            Some(site) => (!is_named(site)).then_some(NoSite::NoSymbols),
            None if matches!(self.fact, Fact::Signal(_) | Fact::BlindSpot(_)) => Some(NoSite::NotACall),
            None => Some(self.no_site.unwrap_or(NoSite::NotRecorded)),
        }
    }

    /// Returns the rule name used in reports: the name of its kind, or `forbidden`.
    pub fn rule(&self) -> &'static str {
        if self.forbidden.is_some() { "forbidden" } else { self.kind.name() }
    }

    /// Returns whether this finding reports the fact as one of its details. A note must not include
    /// a fact that fails.
    pub(in crate::model) fn includes(&self, fact: &Fact, related: Option<&RelatedSyscall>) -> bool {
        fact.detail().is_some_and(Detail::is_use)
            && fact.parent().as_ref() == Some(&self.fact)
            && (self.related.is_none() || related.is_some())
    }
}

/// The kind of a finding, most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A subsystem that the baseline does not hold.
    NewSubsystem,
    /// A signal that ended a process and that the baseline does not hold.
    NewSignal,
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
    /// A known argument on a known object that the baseline does not hold together.
    NewUse,
    /// An error that the baseline does not hold for its syscall.
    NewError,
}

impl FindingKind {
    /// Every kind, most severe first.
    pub const ALL: [Self; 9] = [
        Self::NewSubsystem,
        Self::NewSignal,
        Self::NewBlindSpot,
        Self::NewAbi,
        Self::NewSyscall,
        Self::NewArgument,
        Self::NewObject,
        Self::NewUse,
        Self::NewError,
    ];

    /// Returns the name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewSubsystem => "new-subsystem",
            Self::NewSignal => "new-signal",
            Self::NewBlindSpot => "new-blind-spot",
            Self::NewAbi => "new-abi",
            Self::NewSyscall => "new-syscall",
            Self::NewArgument => "new-argument",
            Self::NewObject => "new-object",
            Self::NewUse => "new-use",
            Self::NewError => "new-error",
        }
    }

    /// Returns the kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the kind of finding for this fact. For a pair this is `new-use`; whether a part of
    /// it is new as well depends on the baseline.
    pub fn of(fact: &Fact) -> Self {
        match fact {
            Fact::BlindSpot(_) => Self::NewBlindSpot,
            Fact::Signal(_) => Self::NewSignal,
            Fact::Phase { .. } => Self::NewSyscall,
            Fact::Use { syscall: None, .. } => Self::NewSubsystem,
            Fact::Use { detail: None, .. } => Self::NewSyscall,
            Fact::Use { detail: Some(Detail::Argument(_)), .. } => Self::NewArgument,
            Fact::Use { detail: Some(Detail::Object(_)), .. } => Self::NewObject,
            Fact::Use { detail: Some(Detail::Pair(_)), .. } => Self::NewUse,
            Fact::Use { detail: Some(Detail::Error(_)), .. } => Self::NewError,
            Fact::Use { detail: Some(Detail::Abi(_)), .. } => Self::NewAbi,
        }
    }
}

/// A finding that some run did not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The unconfirmed finding.
    pub finding: Finding,
    /// How many runs showed it.
    pub seen: u32,
    /// How many runs there were.
    pub runs: u32,
}
