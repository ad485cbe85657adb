//! Judges the error paths of a workload. Main types: [`ExplorationVerdict`] and [`Tried`].
//!
//! Facts of error paths are compared with the baseline, with what runs without an injection use,
//! and with what was recorded of error paths. It must not plan or make runs.

pub mod confirm;
pub mod difference;
pub mod facts;
pub mod judge;
pub mod recording;
pub mod stable;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::difference::Difference;
use crate::model::facts::error_path::{FailedCall, RunOutcome};
use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::{Comparison, Finding};
use crate::model::facts::site::{NoSite, Site};
use crate::model::judge::verdict::{Change, Status};

/// One run with an injection: how it ended, and what it used.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The id of the injection.
    pub id: String,
    /// The call that was made to fail.
    pub call: FailedCall,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// How its end, output and files differ from those of a run without an injection.
    pub differences: Vec<Difference>,
    /// What it used that neither the baseline nor a run without an injection did.
    pub beyond: BTreeSet<Fact>,
    /// What of that was not recorded, and which `forbid:` rules it broke.
    pub comparison: Comparison,
}

/// Further runs with the same injection.
#[derive(Debug, Clone, Default)]
pub struct Repeated {
    /// How many of them had the same outcome.
    pub same: u32,
    /// How many there were.
    pub runs: u32,
    /// What all of them used that the first one used beyond the baseline.
    pub facts: BTreeSet<Fact>,
    /// The failing call as text, and its process.
    pub example: Option<Example>,
    /// The call site, or why there is none.
    pub site: Option<Result<Site, NoSite>>,
}

/// An injection and what it showed.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The id.
    pub id: String,
    /// The workload.
    pub workload: String,
    /// The call that was made to fail.
    pub call: FailedCall,
    /// How the run ended; `None` if it was left to a debugger.
    pub outcome: Option<RunOutcome>,
    /// The call as text, and its process; `None` if it was not made.
    pub example: Option<Example>,
    /// The stack of the call, innermost first; empty if it is not known.
    pub stack: Vec<String>,
    /// Why there is no stack.
    pub no_stack: Option<&'static str>,
    /// Whether the expectation accepts the outcome: `recorded`, or the reason of an exception.
    pub accepted: Option<String>,
    /// What differs from a run without an injection.
    pub differences: Vec<Difference>,
}

/// An injection in a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPath {
    /// The id, by which it is replayed.
    pub id: String,
    /// The call that was made to fail.
    pub call: FailedCall,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// The failing call as text, and its process.
    pub example: Option<Example>,
    /// The call site.
    pub site: Option<Site>,
    /// Why there is no call site.
    pub no_site: Option<NoSite>,
    /// How the end, output and files differ from those of a run without an injection.
    pub differences: Vec<Difference>,
    /// How many further runs with it showed the same.
    pub same: u32,
    /// How many further runs there were.
    pub runs: u32,
}

impl FoundPath {
    /// Returns whether every further run showed the same.
    pub fn is_confirmed(&self) -> bool {
        self.runs > 0 && self.same == self.runs
    }
}

/// What an injection showed that is not expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFinding {
    /// The kind of finding.
    pub kind: PathFindingKind,
    /// Why it is forbidden, if it is.
    pub forbidden: Option<String>,
    /// Injections that showed it, the first ones; never empty.
    pub paths: Vec<FoundPath>,
    /// The ids of the others, which were not repeated.
    pub more: Vec<String>,
}

/// The kind of a finding on error paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathFindingKind {
    /// The failure of this call has a judged outcome.
    Outcome(FailedCall, RunOutcome),
    /// Error paths use something new.
    Fact(Box<Finding>),
}

impl PathFinding {
    /// Returns its key, which is the same in every format: `demo::errors::panic::write ENOSPC`,
    /// `demo::errors::filesystem::unlink`.
    pub fn key(&self, workload: &str) -> String {
        match &self.kind {
            PathFindingKind::Outcome(call, outcome) => format!("{workload}::errors::{outcome}::{call}"),
            PathFindingKind::Fact(finding) => format!("{workload}::errors::{}", finding.fact),
        }
    }

    /// Returns the rule name used in reports: the outcome, the kind of the fact, or `forbidden`.
    pub fn rule(&self) -> &'static str {
        match &self.kind {
            _ if self.forbidden.is_some() => "forbidden",
            PathFindingKind::Outcome(_, outcome) => outcome.name(),
            PathFindingKind::Fact(finding) => finding.rule(),
        }
    }

    /// Returns what it is about, without its kind.
    pub fn subject(&self) -> String {
        match &self.kind {
            PathFindingKind::Outcome(call, _) => call.to_string(),
            PathFindingKind::Fact(finding) => finding.fact.to_string(),
        }
    }
}

/// How much of a workload's error paths was tried, and how the runs ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathSummary {
    /// The time that there was.
    pub budget: Duration,
    /// The number of injections that were tried.
    pub tried: u32,
    /// The number of injections that are possible in the runs that were made.
    pub reachable: u32,
    /// The number of runs by outcome.
    pub outcomes: BTreeMap<RunOutcome, u32>,
    /// The number of runs with a recorded outcome.
    pub recorded: u32,
    /// The number of runs with an outcome that an exception accepts.
    pub excepted: u32,
    /// What was not tried.
    pub untried: Vec<NotTried>,
    /// What is not compared, and why: whole clauses.
    pub limits: Vec<String>,
}

/// Injections, or calls without one, that were not tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTried {
    /// Why, as a clause.
    pub reason: String,
    /// How many injections; `None` if calls are left out. Their number depends on threads.
    pub injections: Option<u64>,
}

/// The verdict on the error paths of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplorationVerdict {
    /// The workload's name.
    pub workload: String,
    /// Its expectation file, relative to the package.
    pub file: String,
    /// The line of the platform's baseline, or of the syntax error, counted from 1.
    pub line: Option<usize>,
    /// The outcome.
    pub status: Status,
    /// Whether error paths were recorded before.
    pub is_recorded: bool,
    /// What fails.
    pub findings: Vec<PathFinding>,
    /// What does not fail: facts while nothing is recorded, and members of known families.
    pub notes: Vec<PathFinding>,
    /// What did not repeat.
    pub suspects: Vec<PathFinding>,
    /// Recorded outcomes that did not occur, although the call was made to fail.
    pub gone: Vec<(RunOutcome, FailedCall)>,
    /// How much was tried; `None` if it was not explored.
    pub summary: Option<PathSummary>,
    /// The change of the file, if it was written.
    pub change: Option<Change>,
}

impl ExplorationVerdict {
    /// Returns the verdict on a workload that was not explored.
    pub fn unexplored(workload: &str, file: &str, line: Option<usize>, status: Status) -> Self {
        Self {
            workload: workload.to_owned(),
            file: file.to_owned(),
            line,
            status,
            is_recorded: false,
            findings: Vec::new(),
            notes: Vec::new(),
            suspects: Vec::new(),
            gone: Vec::new(),
            summary: None,
            change: None,
        }
    }

    /// Returns the findings, notes and suspects with the name of their list.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &PathFinding)> {
        let findings = self.findings.iter().map(|finding| ("finding", finding));
        let notes = self.notes.iter().map(|note| ("note", note));
        findings.chain(notes).chain(self.suspects.iter().map(|suspect| ("suspect", suspect)))
    }
}
