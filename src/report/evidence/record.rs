//! The evidence as JSON: `sysguard.report/1`. Main type: [`EvidenceRecord`].
//!
//! Field names and their order are a public interface. Lists are sorted, so that the same
//! expectations give the same bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Evidence;
use super::error_paths::ErrorPathsRecord;
use super::named::{SignalRecord, SpotRecord, blind_spots, signals};
use super::static_reach::StaticReachRecord;
use crate::model::attribution::places::{self, Reached};
use crate::model::attribution::{ObjectKind, Subsystem, entry_points};
use crate::model::expectation::{Baseline, Document, Entry, Rule};
use crate::model::explain::{Call, Kernel};
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::{Detail, Pair};
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::signal;
use crate::model::kernel::syscall::Abi;
use crate::model::taxonomy::{Filed, Taxonomy};

/// What `cargo sysguard report --format json` writes: what a repository's expectations say about
/// its workloads' use of the kernel. Within version 1, fields may be added and none changes its
/// meaning.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.report/1"))]
pub(in crate::report) struct EvidenceRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.report/1")))]
    schema: &'static str,
    /// The version of sysguard.
    pub(super) sysguard: &'static str,
    /// The taxonomy that names the groups.
    pub(super) taxonomy: &'a str,
    /// The kernels that sections, sources and options were read from; the newest one defines the
    /// calls.
    pub(super) tables: TablesRecord<'a>,
    pub(super) summary: SummaryRecord,
    pub(super) workloads: Vec<WorkloadRecord<'a>>,
    /// The number of system calls in each group, by workload.
    pub(super) matrix: Vec<MatrixRecord<'a>>,
    /// Section of MAINTAINERS; core:FILE if only THE REST covers the file.
    pub(super) sections: Vec<ReachedRecord<'a>>,
    /// Kernel options; without one of them the calls, or what they reach, are missing.
    pub(super) configs: Vec<ReachedRecord<'a>>,
    pub(super) blind_spots: Vec<SpotRecord<'a>>,
    /// The signals that end processes other than the first one.
    pub(super) signals: Vec<SignalRecord<'a>>,
}

/// The kernels that the tables were made from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct TablesRecord<'a> {
    pub(super) kernel: &'a str,
    pub(super) releases: &'a [String],
}

#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SummaryRecord {
    pub(super) workloads: u64,
    pub(super) without_baseline: u64,
    pub(super) groups: u64,
    pub(super) syscalls: u64,
    pub(super) entries: u64,
    pub(super) entries_with_why: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct WorkloadRecord<'a> {
    pub(super) name: &'a str,
    pub(super) file: &'a str,
    /// bin:, example:, test: and bench: name targets of the package; run: names one of its tests.
    pub(super) command: Vec<String>,
    pub(super) level: &'static str,
    #[cfg_attr(test, schemars(extend("enum" = ["set apart", "strict"])))]
    pub(super) ambient: &'static str,
    pub(super) ignored: Option<&'a str>,
    pub(super) forbid: Vec<RuleRecord<'a>>,
    pub(super) tolerate: Vec<RuleRecord<'a>>,
    pub(super) baselines: Vec<BaselineRecord<'a>>,
    /// Missing unless `reach --save` kept a result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "StaticReachRecord<'static>"))]
    pub(super) reach: Option<StaticReachRecord<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RuleRecord<'a> {
    pub(super) rule: String,
    pub(super) why: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct BaselineRecord<'a> {
    pub(super) platform: String,
    /// The environment around the workload when a fact last changed.
    pub(super) fingerprint: BTreeMap<&'static str, &'a str>,
    /// Whether recording ended because no run showed anything new.
    pub(super) quiet: bool,
    /// The number of recorded runs, if they were fewer than a complete recording has, else null.
    pub(super) few_runs: Option<u32>,
    pub(super) groups: Vec<GroupRecord<'a>>,
    pub(super) blind_spots: Vec<&'a str>,
    /// The signals that end processes other than the first one.
    pub(super) signals: Vec<Cow<'static, str>>,
    /// What was recorded of error paths; null if nothing was.
    pub(super) error_paths: Option<ErrorPathsRecord<'a>>,
}

impl<'a> BaselineRecord<'a> {
    /// Returns what was recorded of error paths.
    pub(super) fn error_paths(&self) -> Option<&ErrorPathsRecord<'a>> {
        self.error_paths.as_ref()
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct GroupRecord<'a> {
    pub(super) name: &'a str,
    pub(super) syscalls: Vec<UseRecord<'a>>,
}

/// The uses of a call that reached one subsystem.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct UseRecord<'a> {
    pub(super) name: &'a str,
    /// The slug of the subsystem that was reached, whatever the taxonomy.
    pub(super) subsystem: &'static str,
    pub(super) entry_point: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) section: Option<&'a str>,
    pub(super) config: Option<&'a str>,
    pub(super) expert: bool,
    /// The places that its arguments and objects reached; source, section, config and expert above
    /// describe the entry point.
    pub(super) reached: Vec<PlaceRecord>,
    pub(super) arguments: BTreeSet<&'a str>,
    pub(super) objects: BTreeSet<&'a str>,
    /// Each argument with an object that it was used on; empty for a baseline of version 1.
    pub(super) pairs: Vec<PairRecord<'a>>,
    pub(super) errors: Vec<Cow<'static, str>>,
    pub(super) abis: Vec<&'static str>,
    /// Whether some recorded runs did not show it.
    pub(super) sometimes: bool,
    pub(super) why: Option<&'a str>,
    /// Why single uses are needed.
    pub(super) reasons: Vec<ReasonRecord<'a>>,
    pub(super) owner: Option<&'a str>,
}

/// Why one use is needed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReasonRecord<'a> {
    pub(super) argument: Option<&'a str>,
    pub(super) object: Option<&'a str>,
    pub(super) why: &'a str,
}

impl<'a> From<(&'a Detail, &'a String)> for ReasonRecord<'a> {
    fn from((used, why): (&'a Detail, &'a String)) -> Self {
        Self { argument: used.argument(), object: used.object().map(ObjectKind::as_str), why }
    }
}

/// An argument and the object that it was used on.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PairRecord<'a> {
    pub(super) argument: &'a str,
    pub(super) object: &'a str,
}

impl<'a> From<&'a Pair> for PairRecord<'a> {
    fn from(Pair { argument, object }: &'a Pair) -> Self {
        Self { argument, object: object.as_str() }
    }
}

/// A place that a call reached.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PlaceRecord {
    pub(super) source: &'static str,
    pub(super) section: &'static str,
    pub(super) config: Option<String>,
    pub(super) expert: bool,
}

impl From<Reached> for PlaceRecord {
    fn from(Reached { source, section, config, expert }: Reached) -> Self {
        Self { source, section, config, expert }
    }
}

/// A group, and the number of calls in it for each workload.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct MatrixRecord<'a> {
    pub(super) group: &'a str,
    pub(super) syscalls: BTreeMap<&'a str, u64>,
}

/// A section of MAINTAINERS or an option of the kernel, and the calls and workloads that reach it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReachedRecord<'a> {
    pub(super) name: String,
    /// For an option: whether it is offered to experts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "bool"))]
    pub(super) expert: Option<bool>,
    pub(super) syscalls: BTreeSet<&'a str>,
    pub(super) workloads: BTreeSet<&'a str>,
}

impl<'a> EvidenceRecord<'a> {
    pub(super) fn of(workloads: &[Evidence<'a>], kernel: &'a Kernel, taxonomy: &'a Taxonomy) -> Self {
        let mut workloads: Vec<WorkloadRecord<'a>> =
            workloads.iter().map(|evidence| workload(evidence, kernel, taxonomy)).collect();
        workloads.sort_by_key(|workload| (workload.name, workload.file));
        Self {
            schema: "sysguard.report/1",
            sysguard: env!("CARGO_PKG_VERSION"),
            taxonomy: taxonomy.name(),
            tables: TablesRecord { kernel: kernel.newest(), releases: &kernel.releases },
            summary: summary(&workloads),
            matrix: matrix(&workloads),
            sections: reached(&workloads, |place| Some((place.section, None))),
            configs: reached(&workloads, |place| place.config.as_deref().map(|config| (config, Some(place.expert)))),
            blind_spots: blind_spots(named(&workloads, |baseline| &baseline.blind_spots)),
            signals: signals(named(&workloads, |baseline| &baseline.signals)),
            workloads,
        }
    }
}

fn workload<'a>(evidence: &Evidence<'a>, kernel: &'a Kernel, taxonomy: &'a Taxonomy) -> WorkloadRecord<'a> {
    let Document { workload, level, ignore, tolerate, forbid, ambient_strict, .. } = &evidence.expectation.document;
    let baselines = evidence.expectation.baselines.iter();
    WorkloadRecord {
        name: evidence.workload,
        file: evidence.file,
        command: workload.words(),
        level: level.name(),
        ambient: if *ambient_strict { "strict" } else { "set apart" },
        ignored: ignore.as_deref(),
        forbid: forbid.iter().map(rule).collect(),
        tolerate: tolerate.iter().map(rule).collect(),
        baselines: baselines.map(|recorded| baseline(recorded, kernel, taxonomy)).collect(),
        reach: evidence.reach.map(StaticReachRecord::from),
    }
}

fn rule(rule: &Rule) -> RuleRecord<'_> {
    let parts: Vec<String> = rule.parts().map(|(part, value)| format!("{part} {value}")).collect();
    RuleRecord { rule: parts.join(", "), why: rule.why.as_deref() }
}

fn baseline<'a>(recorded: &'a Baseline, kernel: &'a Kernel, taxonomy: &'a Taxonomy) -> BaselineRecord<'a> {
    let mut groups: BTreeMap<&str, Vec<UseRecord<'a>>> = BTreeMap::new();
    for (&subsystem, syscalls) in &recorded.subsystems {
        for (name, entry) in syscalls {
            let (used, entry_point) = used(subsystem, name, entry, kernel, recorded.platform.abi());
            let group = taxonomy.group(Filed { call: name, reached: subsystem, entry_point });
            groups.entry(group).or_default().push(used);
        }
    }
    let group = |(name, mut syscalls): (&'a str, Vec<UseRecord<'a>>)| {
        syscalls.sort_by_key(|used| (used.name, used.subsystem));
        GroupRecord { name, syscalls }
    };
    let parts = recorded.fingerprint.parts();
    BaselineRecord {
        platform: recorded.platform.to_string(),
        fingerprint: parts.into_iter().filter_map(|(part, value)| Some((part, value?))).collect(),
        quiet: !recorded.never_quiet,
        few_runs: recorded.few_runs,
        groups: groups.into_iter().map(group).collect(),
        blind_spots: recorded.blind_spots.iter().map(RecordedBlindSpot::name).collect(),
        signals: recorded.signals.iter().map(|SignalName(number)| signal::name(*number)).collect(),
        error_paths: recorded.errors.as_ref().map(ErrorPathsRecord::from),
    }
}

/// Returns a use and the subsystem of its entry point.
fn used<'a>(
    subsystem: Subsystem,
    name: &'a str,
    entry: &'a Entry,
    kernel: &'a Kernel,
    abi: Option<Abi>,
) -> (UseRecord<'a>, Subsystem) {
    let own = entry.abis.first().copied().or(abi);
    let is_same = |call: &&Call| call.name == name && Some(call.syscall.abi) == own;
    let call = kernel.calls.iter().find(is_same);
    let facts = call.and_then(|call| call.entry_point.as_ref());
    let (arguments, objects) = (entry.all_arguments(), entry.all_objects().map(ObjectKind::class));
    let entry_point = call.and_then(|call| entry_points::facts(call.syscall));
    let reached = places::all_reached(entry_point, name, arguments, objects);
    let record = UseRecord {
        name,
        subsystem: subsystem.slug(),
        entry_point: facts.map(|facts| &*facts.name),
        source: facts.map(|facts| &*facts.source),
        section: facts.map(|facts| &*facts.section),
        config: facts.and_then(|facts| facts.config.as_deref()),
        expert: facts.is_some_and(|facts| facts.expert),
        reached: reached.into_iter().map(PlaceRecord::from).collect(),
        arguments: entry.all_arguments().collect(),
        objects: entry.all_objects().map(ObjectKind::as_str).collect(),
        pairs: entry.pairs.iter().map(PairRecord::from).collect(),
        errors: entry.errors.iter().map(|ErrnoName(errno)| errno.name()).collect(),
        abis: entry.abis.iter().map(|abi| abi.name()).collect(),
        sometimes: entry.sometimes,
        why: entry.why.as_deref(),
        reasons: entry.reasons.iter().map(ReasonRecord::from).collect(),
        owner: entry.owner.as_deref(),
    };
    (record, facts.map_or(Subsystem::None, |facts| facts.subsystem))
}

/// Returns every use with its workload and its group.
fn uses<'r, 'a>(workloads: &'r [WorkloadRecord<'a>]) -> impl Iterator<Item = (&'a str, &'a str, &'r UseRecord<'a>)> {
    workloads.iter().flat_map(|workload| {
        let groups = workload.baselines.iter().flat_map(|baseline| &baseline.groups);
        groups.flat_map(move |group| group.syscalls.iter().map(move |used| (workload.name, group.name, used)))
    })
}

fn summary(workloads: &[WorkloadRecord<'_>]) -> SummaryRecord {
    let groups: BTreeSet<&str> = uses(workloads).map(|(_, group, _)| group).collect();
    let syscalls: BTreeSet<&str> = uses(workloads).map(|(_, _, used)| used.name).collect();
    SummaryRecord {
        workloads: workloads.len() as u64,
        without_baseline: workloads.iter().filter(|workload| workload.baselines.is_empty()).count() as u64,
        groups: groups.len() as u64,
        syscalls: syscalls.len() as u64,
        entries: uses(workloads).count() as u64,
        entries_with_why: uses(workloads).filter(|(_, _, used)| used.why.is_some()).count() as u64,
    }
}

fn matrix<'a>(workloads: &[WorkloadRecord<'a>]) -> Vec<MatrixRecord<'a>> {
    let mut cells: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (workload, group, used) in uses(workloads) {
        cells.entry(group).or_default().entry(workload).or_default().insert(used.name);
    }
    let row = |(group, row): (&'a str, BTreeMap<&'a str, BTreeSet<&str>>)| MatrixRecord {
        group,
        syscalls: row.into_iter().map(|(workload, calls)| (workload, calls.len() as u64)).collect(),
    };
    cells.into_iter().map(row).collect()
}

/// Returns which calls of which workloads reach each place. `name` returns the name of a place, and
/// whether it is offered to experts only.
fn reached<'a>(
    workloads: &[WorkloadRecord<'a>],
    name: impl Fn(&PlaceRecord) -> Option<(&str, Option<bool>)>,
) -> Vec<ReachedRecord<'a>> {
    let mut reached: BTreeMap<String, ReachedRecord<'a>> = BTreeMap::new();
    for (workload, _, used) in uses(workloads) {
        for (name, expert) in used.reached.iter().filter_map(&name) {
            let (syscalls, of) = (BTreeSet::new(), BTreeSet::new());
            let record = ReachedRecord { name: name.to_owned(), expert, syscalls, workloads: of };
            let record = reached.entry(name.to_owned()).or_insert(record);
            record.syscalls.insert(used.name);
            record.workloads.insert(workload);
        }
    }
    reached.into_values().collect()
}

/// Returns each name in the baselines of all workloads, with its workload.
fn named<'r, 'a, N: Clone>(
    workloads: &'r [WorkloadRecord<'a>],
    names: for<'b> fn(&'b BaselineRecord<'a>) -> &'b [N],
) -> impl Iterator<Item = (N, &'a str)> + use<'r, 'a, N> {
    workloads.iter().flat_map(move |workload| {
        let names = workload.baselines.iter().flat_map(move |baseline| names(baseline).to_vec());
        names.map(|name| (name, workload.name))
    })
}
