//! An observation as JSON: `sysguard.observation/1`. Main type: [`ObservationRecord`].
//!
//! Field names and their order are a public interface. Lists are sorted, so that the same
//! observation gives the same bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::callers::{StackRecord, stacks};
use super::ends::EndsRecord;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::{ObjectKind, Subsystem, Use, entry_points, places};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::observe::observation::{Observation, ObservedRun, Tally};
use crate::model::run::workload::Exit;
use crate::report::exit;

/// Errnos by name with their counts.
pub(super) type Errors = BTreeMap<Cow<'static, str>, u64>;

/// What `cargo sysguard trace --format json` writes. Within version 1, fields may be added and none
/// changes its meaning.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.observation/1"))]
pub(in crate::report) struct ObservationRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.observation/1")))]
    schema: &'static str,
    workload: WorkloadRecord<'a>,
    platform: PlatformRecord<'a>,
    #[cfg_attr(test, schemars(extend("enum" = ["ptrace", "guard", "notify"])))]
    engine: &'static str,
    /// What the engine does not see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    unknown: Option<&'static str>,
    runs: u32,
    #[serde(serialize_with = "exit::serialize")]
    /// An exit status or a signal.
    #[cfg_attr(test, schemars(with = "exit::ExitRecord"))]
    exit: Exit,
    processes: u64,
    threads: u64,
    lost_events: u64,
    /// One for each ABI and number.
    pub(super) syscalls: Vec<SyscallRecord>,
    /// The union over all uses.
    pub(super) subsystems: Vec<SubsystemRecord>,
    blind_spots: Vec<&'static str>,
    /// How processes other than the first one ended; absent if all exited with 0 and no handler
    /// took a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "EndsRecord"))]
    pub(super) ends: Option<EndsRecord>,
    /// The groups of another taxonomy, if `--taxonomy` names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "TaxonomyRecord"))]
    pub(super) taxonomy: Option<TaxonomyRecord>,
    /// The phases that the program named, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<PhaseRecord<'a>>,
    /// The stacks of first calls, in the order of these calls; absent without -k.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stacks: Vec<StackRecord<'a>>,
}

/// A taxonomy other than the default, and its groups.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct TaxonomyRecord {
    pub(super) name: String,
    pub(super) groups: Vec<GroupRecord>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct GroupRecord {
    pub(super) name: String,
    pub(super) calls: u64,
    pub(super) syscalls: BTreeSet<String>,
}

/// What was used during a phase that the program named.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PhaseRecord<'a> {
    name: &'a str,
    subsystems: Vec<SubsystemRecord>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WorkloadRecord<'a> {
    name: Option<&'a str>,
    command: &'a [String],
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PlatformRecord<'a> {
    arch: &'a str,
    libc: Option<&'a str>,
    /// `uname -r`
    kernel: &'a str,
}

/// One pair of ABI and number.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SyscallRecord {
    pub(super) name: Cow<'static, str>,
    #[serde(serialize_with = "as_displayed")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) abi: Abi,
    pub(super) number: i64,
    pub(super) calls: u64,
    /// The wall time in these calls, summed over tasks; only with --time.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub(super) seconds: Option<Duration>,
    /// Errnos by name with their counts.
    pub(super) errors: Errors,
    /// The subsystem of the entry point; each use has its own.
    #[serde(serialize_with = "as_displayed")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) subsystem: Subsystem,
    pub(super) entry_point: Option<&'static str>,
    pub(super) source: Option<&'static str>,
    /// The section of MAINTAINERS of the entry point; each use has its own.
    pub(super) section: Option<&'static str>,
    /// The kinds of use of this syscall; their calls add up to its calls.
    pub(super) uses: Vec<UseRecord>,
}

/// One kind of use of a syscall.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct UseRecord {
    /// The subsystem that was reached.
    #[serde(serialize_with = "as_displayed")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) subsystem: Subsystem,
    pub(super) object: Option<String>,
    pub(super) argument: Option<Cow<'static, str>>,
    pub(super) calls: u64,
    /// The wall time in these calls, summed over tasks; only with --time.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_seconds")]
    #[cfg_attr(test, schemars(with = "f64"))]
    pub(super) seconds: Option<Duration>,
    /// Errnos by name with their counts.
    pub(super) errors: Errors,
    /// The source file or folder that was reached: that of the argument, or else of the object, or
    /// else of the entry point.
    pub(super) source: Option<&'static str>,
    /// The section of MAINTAINERS of that source.
    pub(super) section: Option<&'static str>,
    /// The options that must be enabled for it and for the entry point.
    pub(super) config: Option<String>,
}

/// The uses that reached one subsystem.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SubsystemRecord {
    #[serde(serialize_with = "as_displayed")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) name: Subsystem,
    pub(super) calls: u64,
    syscalls: BTreeSet<Cow<'static, str>>,
}

impl<'a> ObservationRecord<'a> {
    pub(super) fn of(recording: &'a ObservedRun) -> Self {
        let ObservedRun { workload, command, platform, kernel, engine, exit, observation, times, .. } = recording;
        let syscalls = syscalls(observation, times.as_ref());
        Self {
            schema: "sysguard.observation/1",
            workload: WorkloadRecord { name: workload.as_deref(), command },
            platform: PlatformRecord {
                arch: &platform.arch,
                libc: Some(platform.env.as_str()).filter(|env| !env.is_empty()),
                kernel,
            },
            engine: engine.name(),
            unknown: engine.unknown(),
            runs: observation.runs,
            exit: *exit,
            processes: observation.processes,
            threads: observation.threads,
            lost_events: observation.lost_events,
            subsystems: subsystems(&syscalls),
            syscalls,
            blind_spots: observation.blind_spots.iter().copied().map(BlindSpot::name).collect(),
            ends: EndsRecord::of(&observation.ends),
            taxonomy: None,
            phases: observation
                .phases
                .iter()
                .map(|(name, uses)| PhaseRecord { name, subsystems: of_phase(uses) })
                .collect(),
            stacks: stacks(observation),
        }
    }
}

impl SyscallRecord {
    /// Returns a syscall with no calls.
    fn new(syscall: Syscall) -> Self {
        let facts = entry_points::facts(syscall);
        Self {
            name: syscall.name(),
            abi: syscall.abi,
            number: syscall.number,
            calls: 0,
            seconds: None,
            errors: Errors::new(),
            subsystem: entry_points::subsystem(syscall),
            entry_point: facts.map(|entry_point| entry_point.name),
            source: facts.map(|entry_point| entry_point.source),
            section: facts.map(|entry_point| entry_point.section),
            uses: Vec::new(),
        }
    }

    fn add(&mut self, tally: &Tally, time: Option<Duration>) {
        self.calls += tally.calls;
        self.seconds = sum(self.seconds, time);
        add_errors(&mut self.errors, tally);
    }
}

impl UseRecord {
    /// Returns a use with no calls.
    fn new(used: &Use) -> Self {
        let entry = entry_points::facts(used.syscall);
        let object = used.object.as_ref();
        let reached =
            places::reached(entry, &used.syscall.name(), used.argument.as_deref(), object.map(ObjectKind::class));
        let (source, section) = (reached.as_ref().map(|at| at.source), reached.as_ref().map(|at| at.section));
        Self {
            subsystem: used.subsystem,
            object: object.map(ToString::to_string),
            argument: used.argument.clone(),
            calls: 0,
            seconds: None,
            errors: Errors::new(),
            source,
            section,
            config: reached.and_then(|at| at.config),
        }
    }

    fn add(&mut self, tally: &Tally, time: Option<Duration>) {
        self.calls += tally.calls;
        self.seconds = sum(self.seconds, time);
        add_errors(&mut self.errors, tally);
    }
}

/// The uses of one syscall by subsystem, argument and object. Whether a use is ambient matters only
/// to verdicts.
type Uses<'a> = BTreeMap<(Subsystem, Option<&'a str>, Option<&'a ObjectKind>), UseRecord>;

/// Returns all syscalls, sorted by subsystem, name, ABI and number, with their uses sorted by
/// subsystem, argument and object.
fn syscalls(observation: &Observation, times: Option<&BTreeMap<Use, Duration>>) -> Vec<SyscallRecord> {
    let mut records: BTreeMap<Syscall, (SyscallRecord, Uses<'_>)> = BTreeMap::new();
    for (used, tally) in &observation.uses {
        let new = || (SyscallRecord::new(used.syscall), Uses::new());
        let (record, uses) = records.entry(used.syscall).or_insert_with(new);
        let time = times.map(|times| times.get(used).copied().unwrap_or_default());
        record.add(tally, time);
        let key = (used.subsystem, used.argument.as_deref(), used.object.as_ref());
        uses.entry(key).or_insert_with(|| UseRecord::new(used)).add(tally, time);
    }
    let whole =
        |(record, uses): (SyscallRecord, Uses<'_>)| SyscallRecord { uses: uses.into_values().collect(), ..record };
    let mut records: Vec<SyscallRecord> = records.into_values().map(whole).collect();
    records.sort_by(|a, b| (a.subsystem, &a.name, a.abi, a.number).cmp(&(b.subsystem, &b.name, b.abi, b.number)));
    records
}

/// Returns the subsystems of all uses.
fn subsystems(syscalls: &[SyscallRecord]) -> Vec<SubsystemRecord> {
    let mut records: BTreeMap<Subsystem, SubsystemRecord> = BTreeMap::new();
    for syscall in syscalls {
        for used in &syscall.uses {
            let record = records.entry(used.subsystem).or_insert_with(|| SubsystemRecord {
                name: used.subsystem,
                calls: 0,
                syscalls: BTreeSet::new(),
            });
            record.calls += used.calls;
            record.syscalls.insert(syscall.name.clone());
        }
    }
    records.into_values().collect()
}

fn of_phase(uses: &BTreeMap<Use, Tally>) -> Vec<SubsystemRecord> {
    let mut records: BTreeMap<Subsystem, SubsystemRecord> = BTreeMap::new();
    for (used, tally) in uses {
        let name = used.subsystem;
        let record =
            records.entry(name).or_insert_with(|| SubsystemRecord { name, calls: 0, syscalls: BTreeSet::new() });
        record.calls += tally.calls;
        record.syscalls.insert(used.syscall.name());
    }
    records.into_values().collect()
}

fn add_errors(errors: &mut Errors, tally: &Tally) {
    for (errno, count) in &tally.errors {
        *errors.entry(errno.name()).or_default() += count;
    }
}

/// Adds two times, as far as they were measured.
pub(super) fn sum(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

fn as_seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

fn as_displayed<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Returns errors in the format of text reports: `EACCES:1 ENOENT:3`.
pub(super) fn format_errors(errors: &Errors) -> String {
    errors.iter().map(|(name, count)| format!("{name}:{count}")).collect::<Vec<_>>().join(" ")
}
