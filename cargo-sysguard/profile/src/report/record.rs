//! A profile as JSON: `sysguard.profile/1`. Main type: [`ProfileRecord`].
//!
//! Field names and their order are a public interface. `report` reads the records that
//! `profile --save` keeps.

use serde::{Deserialize, Serialize};

use super::Subject;
use super::stacks::{FunctionRecord, StackRecord, stacks};
use super::totals::TotalsRecord;
use crate::profile::Profile;
use crate::recording::{Clock, Missing};
use crate::shares::{Amount, Group, Origin, OriginShare, Shares, kernel_name};

/// The name and version of the format.
const SCHEMA: &str = "sysguard.profile/1";

/// What `cargo sysguard profile --format json` writes. Within version 1, fields may be added and
/// none changes its meaning. Shares are of all samples, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.profile/1"))]
pub struct ProfileRecord {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.profile/1")))]
    schema: String,
    pub(super) workload: WorkloadRecord,
    pub(super) platform: PlatformRecord,
    /// The untraced run that was sampled.
    pub(super) sampled: SampledRecord,
    /// The traced run that calls were counted in.
    pub(super) traced: Option<TracedRecord>,
    /// How the places of sampled kernel functions were found.
    pub(super) places: PlacesRecord,
    /// Data that could not be measured.
    #[cfg_attr(test, schemars(extend("items" = serde_json::json!({ "enum": MISSING.map(|(_, name)| name), "type": "string" }))))]
    pub(super) missing: Vec<String>,
    pub(super) totals: TotalsRecord,
    /// Share of samples in user mode.
    pub(super) user: f64,
    /// Share of samples in the kernel.
    pub(super) kernel: f64,
    /// Reasons for time in the kernel.
    pub(super) origins: Vec<OriginRecord>,
    /// The kernel's time by subsystem of the sampled function.
    pub(super) subsystems: Vec<GroupRecord>,
    /// The kernel's time by section of MAINTAINERS.
    pub(super) sections: Vec<GroupRecord>,
    /// User time by program or library.
    pub(super) modules: Vec<GroupRecord>,
    /// Each kernel function on a stack.
    pub(super) kernel_functions: Vec<FunctionShareRecord>,
    /// The functions that stacks refer to by index.
    pub(super) functions: Vec<FunctionRecord>,
    pub(super) stacks: Vec<StackRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct WorkloadRecord {
    pub(super) name: Option<String>,
    pub(super) command: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PlatformRecord {
    pub(super) arch: String,
    /// `uname -r`
    pub(super) kernel: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SampledRecord {
    /// Number of runs.
    pub(super) runs: u64,
    /// How the last run ended, as a shell shows it.
    pub(super) status: i32,
    /// The clock that takes the samples.
    #[cfg_attr(test, schemars(extend("enum" = ["cpu-clock", "cycles"])))]
    pub(super) clock: String,
    /// The requested number of samples per second.
    pub(super) frequency: u64,
    pub(super) samples: u64,
    /// Samples that the kernel could not store.
    pub(super) lost: u64,
    /// How often the kernel paused sampling because it took too much time.
    pub(super) throttled: u64,
    /// Processes that outlived the first one of a run and were killed.
    #[serde(default)]
    pub(super) stragglers: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct TracedRecord {
    pub(super) engine: String,
    /// How it ended, as a shell shows it.
    pub(super) status: i32,
    /// Seconds from start to end.
    pub(super) elapsed: f64,
    /// Whether it did as much work as the sampled run. This is false if it ended differently, or if
    /// the program stops after a fixed time and its calls are slower under a tracer.
    pub(super) comparable: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PlacesRecord {
    /// The kernel version of the index of functions.
    pub(super) index: Option<String>,
    /// Share of kernel samples with a source file found by the function's name alone.
    pub(super) name: f64,
    /// Share of kernel samples with a source file found by the functions next to it.
    pub(super) neighbours: f64,
    /// Share of kernel samples without a known source file.
    pub(super) unknown: f64,
}

/// A reason for time in the kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct OriginRecord {
    /// The syscall, or a reason in brackets. Several names if the stack fits several calls.
    pub(super) name: String,
    pub(super) abi: Option<String>,
    pub(super) share: f64,
    pub(super) samples: u64,
    /// CPU time of one run.
    pub(super) seconds: f64,
    /// Calls of the traced run.
    pub(super) calls: Option<u64>,
    /// Failed calls.
    pub(super) errors: Option<u64>,
    /// The subsystem of the entry point.
    pub(super) subsystem: Option<String>,
    /// The subsystems of the sampled functions.
    pub(super) work: Vec<PartRecord>,
}

/// A part of the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PartRecord {
    pub(super) name: String,
    pub(super) share: f64,
    pub(super) samples: u64,
}

/// Samples of a subsystem, section, program or library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct GroupRecord {
    pub(super) name: String,
    pub(super) share: f64,
    pub(super) samples: u64,
    /// The sampled functions.
    pub(super) functions: Vec<PartRecord>,
}

/// A kernel function with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct FunctionShareRecord {
    pub(super) name: String,
    /// Share of samples in the function itself.
    #[serde(rename = "self")]
    pub(super) own: f64,
    /// Share of samples in the function and in those that it called.
    pub(super) total: f64,
}

/// Names of missing data.
const MISSING: [(Missing, &str); 4] = [
    (Missing::KernelSamples, "kernel-samples"),
    (Missing::KernelNames, "kernel-names"),
    (Missing::HardwareCounters, "hardware-counters"),
    (Missing::CpuMigrations, "cpu-migrations"),
];

/// A saved profile cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is not a profile in JSON.
    #[error("not a saved profile: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version of sysguard wrote it.
    #[error("a profile of another version: {0}")]
    Version(String),
    /// A stack refers to a function that is missing.
    #[error("a stack refers to a function that is missing")]
    Index,
}

impl ProfileRecord {
    /// Reads a record that [`Format::Json`](super::Format::Json) wrote.
    ///
    /// # Errors
    ///
    /// [`Malformed`], if it is not such a record.
    pub fn read(json: &[u8]) -> Result<Self, Malformed> {
        let record: Self = serde_json::from_slice(json)?;
        if record.schema != SCHEMA {
            return Err(Malformed::Version(record.schema));
        }
        let has = |stack: &StackRecord| stack.frames.iter().all(|&at| at < record.functions.len());
        if record.stacks.iter().all(has) { Ok(record) } else { Err(Malformed::Index) }
    }

    pub(super) fn of(subject: &Subject, profile: &Profile, shares: &Shares) -> Self {
        let all = shares.all;
        let (functions, stacks) = stacks(profile);
        let of_kernel = |amount: Amount| amount.share(shares.kernel);
        let totals = TotalsRecord::of(if subject.totals.is_empty() {
            std::slice::from_ref(&profile.totals)
        } else {
            &subject.totals
        });
        let runs = subject.totals.len().max(1) as u64;
        let second = totals.seconds_per_tick(profile, runs);
        let missing = profile.missing.iter().filter_map(|missing| {
            let (_, name) = MISSING.iter().find(|(known, _)| known == missing)?;
            Some((*name).to_owned())
        });
        Self {
            schema: SCHEMA.to_owned(),
            workload: WorkloadRecord { name: subject.workload.clone(), command: subject.command.clone() },
            platform: PlatformRecord { arch: subject.arch.clone(), kernel: subject.kernel.clone() },
            sampled: SampledRecord {
                runs,
                status: subject.status,
                clock: match profile.clock {
                    Clock::CpuClock => "cpu-clock",
                    Clock::Cycles => "cycles",
                }
                .to_owned(),
                frequency: profile.frequency,
                samples: all.samples,
                lost: profile.lost,
                throttled: profile.throttled,
                stragglers: subject.killed_stragglers,
            },
            traced: subject.traced.as_ref().map(|traced| TracedRecord {
                engine: traced.engine.to_owned(),
                status: traced.status,
                elapsed: traced.elapsed.as_secs_f64(),
                comparable: traced.status == subject.status && traced.did_the_same(profile.totals.elapsed),
            }),
            places: PlacesRecord {
                index: subject.index.clone(),
                name: of_kernel(shares.known.name),
                neighbours: of_kernel(shares.known.neighbours),
                unknown: of_kernel(shares.known.nothing),
            },
            missing: missing.collect(),
            totals,
            user: shares.user.share(all),
            kernel: shares.kernel.share(all),
            origins: shares.origins.iter().map(|origin| OriginRecord::of(origin, all, second)).collect(),
            subsystems: shares.subsystems.iter().map(|group| GroupRecord::of(group, all)).collect(),
            sections: shares.sections.iter().map(|group| GroupRecord::of(group, all)).collect(),
            modules: shares.modules.iter().map(|group| GroupRecord::of(group, all)).collect(),
            kernel_functions: shares
                .functions
                .iter()
                .map(|share| FunctionShareRecord {
                    name: kernel_name(&share.function),
                    own: share.own.share(all),
                    total: share.total.share(all),
                })
                .collect(),
            functions,
            stacks,
        }
    }

    /// Returns whether this could not be measured.
    pub(super) fn lacks(&self, missing: Missing) -> bool {
        let name = MISSING.iter().find(|(known, _)| *known == missing).map(|(_, name)| *name);
        self.missing.iter().any(|it| Some(it.as_str()) == name)
    }

    /// Returns the functions of a stack, outermost first.
    pub(super) fn frames<'a>(&'a self, stack: &'a StackRecord) -> impl Iterator<Item = &'a FunctionRecord> {
        stack.frames.iter().map(|&at| &self.functions[at])
    }
}

impl OriginRecord {
    fn of(share: &OriginShare, all: Amount, second: f64) -> Self {
        let abi = match &share.origin {
            Origin::Syscall { abi, .. } => Some(abi.name().to_owned()),
            _ => None,
        };
        Self {
            name: share.origin.label(),
            abi,
            share: share.amount.share(all),
            samples: share.amount.samples,
            seconds: share.amount.ticks as f64 * second,
            calls: share.count.map(|count| count.calls),
            errors: share.count.map(|count| count.errors),
            subsystem: share.entry.map(str::to_owned),
            work: share.work.iter().map(|(name, amount)| PartRecord::of(name, *amount, all)).collect(),
        }
    }
}

impl PartRecord {
    fn of(name: &str, amount: Amount, all: Amount) -> Self {
        Self { name: name.to_owned(), share: amount.share(all), samples: amount.samples }
    }
}

impl GroupRecord {
    fn of(group: &Group, all: Amount) -> Self {
        let Group { name, amount, functions } = group;
        let functions = functions.iter().map(|(name, amount)| PartRecord::of(name, *amount, all)).collect();
        Self { name: name.to_string(), share: amount.share(all), samples: amount.samples, functions }
    }
}
