//! Explorations as one versioned object, for JSON or YAML. Field names are a public interface.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{PackageExplorations, all, numbers};
#[cfg(test)]
use crate::model::facts::error_path::RunOutcome;
use crate::model::facts::fact::Detail;
use crate::model::facts::site::NoSite;
use crate::model::judge::exploration::difference::Difference;
use crate::model::judge::exploration::{
    ExplorationVerdict, FoundPath, NotTried, PathFinding, PathFindingKind, PathSummary,
};
use crate::model::judge::verdict::Status;
#[cfg(test)]
use crate::report::schema::FactKey;
use crate::report::verdict::{ChangeRecord, SiteRecord, StatusRecord};

/// What `cargo sysguard explore --format json` writes: what injected errors showed of every
/// selected workload. Within version 1, fields and kinds may be added and none changes its meaning.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.explore/1"))]
pub(in crate::report) struct ExplorationsRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.explore/1")))]
    schema: &'static str,
    summary: NumbersRecord,
    workloads: Vec<ExplorationRecord<'a>>,
}

/// The numbers of workloads by outcome.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NumbersRecord {
    /// Those that are not ignored.
    explored: u64,
    failed: u64,
    ignored: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExplorationRecord<'a> {
    /// The name of the package.
    package: &'a str,
    workload: &'a str,
    /// The expectation file, relative to its package.
    file: &'a str,
    /// The expectation file, relative to git's top level.
    path: String,
    /// The line in the expectation file, counted from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    line: Option<usize>,
    failed: bool,
    #[serde(with = "StatusRecord")]
    #[cfg_attr(test, schemars(with = "StatusRecord"))]
    status: Status,
    /// Whether error paths were recorded before.
    recorded: bool,
    /// How much was tried; null if it was not explored.
    explored: Option<SummaryRecord<'a>>,
    /// What fails.
    findings: Vec<PathFindingRecord<'a>>,
    /// What does not fail: facts while nothing is recorded, and members of known families.
    notes: Vec<PathFindingRecord<'a>>,
    /// What did not repeat; it does not fail.
    suspects: Vec<PathFindingRecord<'a>>,
    /// Recorded outcomes that did not occur, although the call was made to fail.
    gone: Vec<GoneRecord>,
    change: Option<ChangeRecord>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SummaryRecord<'a> {
    /// The time that there was.
    budget_seconds: f64,
    /// The number of injections that were tried.
    tried: u32,
    /// The number of injections that are possible in the runs that were made.
    reachable: u32,
    /// The number of runs by outcome.
    outcomes: BTreeMap<&'static str, u32>,
    /// The number of runs with a recorded outcome.
    recorded: u32,
    /// The number of runs with an outcome that an exception accepts.
    excepted: u32,
    untried: Vec<UntriedRecord<'a>>,
    /// What is not compared, and why: whole clauses.
    limits: &'a [String],
}

/// What was not tried.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UntriedRecord<'a> {
    /// Why, as a clause.
    reason: &'a str,
    /// How many injections; null if calls are left out: their number depends on threads.
    injections: Option<u64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct GoneRecord {
    #[cfg_attr(test, schemars(extend("enum" = RunOutcome::JUDGED.map(RunOutcome::name))))]
    outcome: &'static str,
    call: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PathFindingRecord<'a> {
    #[cfg_attr(test, schemars(with = "FactKey"))]
    key: String,
    /// An outcome, the kind of a new fact, or `forbidden`.
    rule: &'static str,
    /// The reason, if it is forbidden.
    forbidden: Option<&'a str>,
    /// The call that was made to fail; null if the finding is a fact.
    call: Option<String>,
    /// How the run ended; null if the finding is a fact.
    outcome: Option<&'static str>,
    /// The fact that is new on error paths; null if the finding is an outcome.
    fact: Option<String>,
    /// Arguments and objects of a new syscall.
    details: Vec<String>,
    /// The first injections that showed it.
    paths: Vec<PathRecord<'a>>,
    /// The ids of further injections, which were not repeated.
    more: &'a [String],
}

/// One injection.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PathRecord<'a> {
    id: &'a str,
    /// The call that was made to fail.
    call: String,
    /// How the run ended.
    #[cfg_attr(test, schemars(extend("enum" = RunOutcome::ALL.map(RunOutcome::name))))]
    outcome: &'static str,
    /// The call as text; null if it was not decoded.
    example: Option<&'a str>,
    /// The commands from the workload down to the process that made the call.
    process: &'a [String],
    /// The call site; null if it is not known.
    site: Option<SiteRecord>,
    /// Why the call site is not known; null if it is, or if it was not asked for.
    #[cfg_attr(test, schemars(extend("enum" = NoSite::ALL.map(NoSite::name).map(Some).into_iter().chain([None]).collect::<Vec<_>>())))]
    site_reason: Option<&'static str>,
    /// How the end, output and files differ from those of a run without an injection.
    differences: Vec<DifferenceRecord<'a>>,
    /// How many further runs with it showed the same.
    same: u32,
    /// How many further runs there were.
    runs: u32,
    /// The command that replays it.
    replay: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DifferenceRecord<'a> {
    /// `end`, `standard output`, `standard error`, or the path of a file.
    part: &'a str,
    /// Lines that begin with `-` (without the injection) or `+` (with it).
    lines: &'a [String],
    /// The number of further lines.
    cut: usize,
}

impl<'a> ExplorationsRecord<'a> {
    pub(super) fn of(packages: &'a [PackageExplorations]) -> Self {
        let [explored, failed, ignored] = numbers(packages);
        Self {
            schema: "sysguard.explore/1",
            summary: NumbersRecord { explored, failed, ignored },
            workloads: all(packages).map(|(package, verdict)| ExplorationRecord::of(package, verdict)).collect(),
        }
    }
}

impl<'a> ExplorationRecord<'a> {
    fn of(package: &'a PackageExplorations, verdict: &'a ExplorationVerdict) -> Self {
        let list = |findings: &'a [PathFinding]| {
            findings.iter().map(|finding| PathFindingRecord::of(package, verdict, finding)).collect()
        };
        let gone =
            verdict.gone.iter().map(|(outcome, call)| GoneRecord { outcome: outcome.name(), call: call.to_string() });
        Self {
            package: &package.name,
            workload: &verdict.workload,
            file: &verdict.file,
            path: package.path(verdict),
            line: verdict.line,
            failed: verdict.status.is_failure(),
            status: verdict.status.clone(),
            recorded: verdict.is_recorded,
            explored: verdict.summary.as_ref().map(SummaryRecord::from),
            findings: list(&verdict.findings),
            notes: list(&verdict.notes),
            suspects: list(&verdict.suspects),
            gone: gone.collect(),
            change: verdict.change.clone().map(ChangeRecord::from),
        }
    }
}

impl<'a> From<&'a PathSummary> for SummaryRecord<'a> {
    fn from(summary: &'a PathSummary) -> Self {
        let PathSummary { budget, tried, reachable, outcomes, recorded, excepted, untried, limits } = summary;
        let outcomes = outcomes.iter().map(|(outcome, count)| (outcome.name(), *count)).collect();
        let untried = untried
            .iter()
            .map(|NotTried { reason, injections }| UntriedRecord { reason, injections: *injections })
            .collect();
        Self {
            budget_seconds: budget.as_secs_f64(),
            tried: *tried,
            reachable: *reachable,
            outcomes,
            recorded: *recorded,
            excepted: *excepted,
            untried,
            limits,
        }
    }
}

impl<'a> PathFindingRecord<'a> {
    fn of(package: &PackageExplorations, verdict: &ExplorationVerdict, finding: &'a PathFinding) -> Self {
        let (call, outcome, fact, details) = match &finding.kind {
            PathFindingKind::Outcome(call, outcome) => (Some(call.to_string()), Some(outcome.name()), None, Vec::new()),
            PathFindingKind::Fact(found) => {
                let details = found.details.iter().map(Detail::value).map(std::borrow::Cow::into_owned);
                (None, None, Some(found.fact.to_string()), details.collect())
            }
        };
        Self {
            key: finding.key(&verdict.workload),
            rule: finding.rule(),
            forbidden: finding.forbidden.as_deref(),
            call,
            outcome,
            fact,
            details,
            paths: finding.paths.iter().map(|path| PathRecord::of(package, verdict, path)).collect(),
            more: &finding.more,
        }
    }
}

impl<'a> PathRecord<'a> {
    fn of(package: &PackageExplorations, verdict: &ExplorationVerdict, path: &'a FoundPath) -> Self {
        let example = path.example.as_ref();
        let differences =
            path.differences.iter().map(|Difference { part, lines, cut }| DifferenceRecord { part, lines, cut: *cut });
        Self {
            id: &path.id,
            call: path.call.to_string(),
            outcome: path.outcome.name(),
            example: example.map(|example| example.call.as_str()),
            process: example.map_or(&[], |example| &example.process),
            site: path.site.clone().map(SiteRecord::from),
            site_reason: path.no_site.map(NoSite::name),
            differences: differences.collect(),
            same: path.same,
            runs: path.runs,
            replay: package.replay(verdict, &path.id),
        }
    }
}
