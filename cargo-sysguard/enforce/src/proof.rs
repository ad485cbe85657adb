//! What runs under a profile showed, as JSON: `sysguard.enforce/1`. Main type: [`ProofRecord`].
//!
//! Field names and their order are a public interface. There is no time of day: runs of the same
//! programs on the same machine give the same bytes, except for the counts of denied calls.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sysguard::unstable::model::facts::site::Site;
use sysguard::unstable::model::kernel::signal;
use sysguard::unstable::model::kernel::syscall::Syscall;
use sysguard::unstable::model::run::workload::Exit;

use crate::policy::{Denial, Policy, Reason};
use crate::trials::{Denied, Kind, Trials, WrongEnd};

/// What runs under a profile showed. Within version 1, fields may be added and none changes its
/// meaning.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.enforce/1"))]
pub struct ProofRecord {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.enforce/1")))]
    schema: &'static str,
    /// The version of sysguard.
    sysguard: &'static str,
    /// Whether no call was denied and every run ended as its workload's document says.
    proved: bool,
    profile: ProfileRecord,
    environment: EnvironmentRecord,
    /// The workloads, ordered by name.
    workloads: Vec<WorkloadRecord>,
    /// The calls that the profile allows although no baseline holds them as observed.
    additions: Vec<AdditionRecord>,
    /// The denied calls, ordered by workload and call.
    denials: Vec<DenialRecord>,
    /// The runs that did not end as their workload's document says.
    wrong_ends: Vec<WrongEndRecord>,
}

/// The profile that was proved.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProfileRecord {
    /// The SHA-256 of its file.
    pub sha256: String,
    /// Its format, as `--format` takes it.
    pub format: String,
    /// What happens to calls that it does not allow, as `--action` takes it.
    pub action: String,
    /// Whether arguments are narrowed.
    pub arguments: bool,
    /// The container runtime with its calls, as `--runtime` takes it; null if none.
    pub runtime: Option<String>,
}

/// Where the runs were made.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnvironmentRecord {
    /// The platform of the baselines.
    pub platform: String,
    /// The kernel's release.
    pub kernel: String,
    /// The C library; null if its version is not known.
    pub libc: Option<String>,
    /// How many CPUs the runs could use.
    pub cpus: usize,
}

/// The files of a workload.
#[derive(Debug, Clone)]
pub struct WorkloadFiles {
    /// The SHA-256 of its expectation file.
    pub baseline: String,
    /// The executables with their SHA-256, ordered by path.
    pub executables: Vec<ExecutableRecord>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WorkloadRecord {
    name: String,
    /// The SHA-256 of its expectation file.
    baseline_sha256: String,
    /// The files that its processes executed, without those that are gone after the run.
    executables: Vec<ExecutableRecord>,
    runs: RunsRecord,
    /// Why it was not run in a container; null if it was.
    not_contained: Option<String>,
}

/// An executable file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExecutableRecord {
    /// Its path.
    pub path: String,
    /// Its SHA-256.
    pub sha256: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RunsRecord {
    /// Runs under the filter and the ptrace tracer, which sees each denied call.
    traced: u32,
    /// Runs under the filter alone.
    untraced: u32,
    /// How many of both had busy CPUs.
    busy: u32,
    /// Runs in a container.
    contained: u32,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct AdditionRecord {
    call: String,
    /// Each reason to allow it.
    why: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DenialRecord {
    workload: String,
    call: String,
    /// Whether a `forbid:` rule names the call.
    forbidden: bool,
    /// The first call, decoded.
    example: String,
    /// The commands from the workload down to the process.
    process: Vec<String>,
    /// Where the call was made; null if that is not known.
    site: Option<String>,
    /// How many such calls were denied in all traced runs.
    count: u64,
    /// In how many traced runs.
    runs: u32,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WrongEndRecord {
    workload: String,
    #[cfg_attr(test, schemars(extend("enum" = ["traced", "untraced", "contained"])))]
    kind: &'static str,
    /// How they ended: an exit status, a signal or `timeout`.
    end: String,
    /// How many runs.
    runs: u32,
}

impl ProofRecord {
    /// Makes the record of the runs of a policy's workloads, each with its files.
    pub fn new(
        policy: &Policy,
        profile: ProfileRecord,
        environment: EnvironmentRecord,
        workloads: &[(Trials, WorkloadFiles)],
    ) -> Self {
        let trials = || workloads.iter().map(|(trials, _)| trials);
        let denials = trials()
            .flat_map(|trials| trials.denied.iter().map(|denied| DenialRecord::of(policy, &trials.workload, denied)));
        let ends =
            trials().flat_map(|trials| trials.wrong_ends.iter().map(|end| WrongEndRecord::of(&trials.workload, end)));
        Self {
            schema: "sysguard.enforce/1",
            sysguard: env!("CARGO_PKG_VERSION"),
            proved: trials().all(Trials::passed),
            profile,
            environment,
            workloads: workloads.iter().map(|(trials, files)| WorkloadRecord::of(trials, files)).collect(),
            additions: additions(policy),
            denials: denials.collect(),
            wrong_ends: ends.collect(),
        }
    }

    /// Returns the text of the file.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("texts and numbers are JSON");
        format!("{text}\n")
    }
}

impl WorkloadRecord {
    fn of(trials: &Trials, files: &WorkloadFiles) -> Self {
        let Trials { traced, untraced, busy, .. } = *trials;
        let contained = trials.contained.as_ref().copied().unwrap_or_default();
        Self {
            name: trials.workload.clone(),
            baseline_sha256: files.baseline.clone(),
            executables: files.executables.clone(),
            runs: RunsRecord { traced, untraced, busy, contained },
            not_contained: trials.contained.as_ref().err().cloned(),
        }
    }
}

impl DenialRecord {
    fn of(policy: &Policy, workload: &str, denied: &Denied) -> Self {
        Self {
            workload: workload.to_owned(),
            call: call(policy, denied.syscall),
            forbidden: denied.denial == Denial::Refused,
            example: denied.example.call.clone(),
            process: denied.example.process.clone(),
            site: denied.site.as_ref().ok().map(|Site { words, .. }| words.clone()),
            count: denied.count,
            runs: denied.runs,
        }
    }
}

impl WrongEndRecord {
    fn of(workload: &str, end: &WrongEnd) -> Self {
        Self { workload: workload.to_owned(), kind: end.kind.name(), end: ending(end.exit), runs: end.runs }
    }
}

impl Kind {
    /// Returns the word for runs of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traced => "traced",
            Self::Untraced => "untraced",
            Self::Contained => "contained",
        }
    }
}

/// Returns how a run ended in a word: `exit status 3`, `SIGSYS` or `timeout`.
pub fn ending(exit: Exit) -> String {
    match exit {
        Exit::Exited(status) => format!("exit status {status}"),
        Exit::Signaled(number) => signal::name(number).into_owned(),
        Exit::TimedOut => "timeout".to_owned(),
    }
}

/// Returns the name of a call, with its ABI unless that is the platform's.
pub fn call(policy: &Policy, syscall: Syscall) -> String {
    let name = syscall.name();
    if syscall.abi == policy.native { name.into_owned() } else { format!("{}:{name}", syscall.abi) }
}

fn additions(policy: &Policy) -> Vec<AdditionRecord> {
    let is_observed = |reason: &Reason| matches!(reason, Reason::Observed { .. });
    let added = policy.allowed.iter().filter(|(_, allowed)| !allowed.why.iter().any(is_observed));
    let record = |(syscall, allowed): (&Syscall, &crate::policy::Allowed)| AdditionRecord {
        call: call(policy, *syscall),
        why: allowed.why.iter().map(ToString::to_string).collect(),
    };
    let mut additions: Vec<_> = added.map(record).collect();
    additions.sort_by(|one, other| one.call.cmp(&other.call));
    additions
}

/// Returns the SHA-256 of bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Returns the SHA-256 of a file's content, in hexadecimal digits.
///
/// # Errors
///
/// The file cannot be read.
pub fn sha256_of_file(path: &Path) -> io::Result<String> {
    let (mut file, mut digest) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 64 << 10];
    while let length @ 1.. = file.read(&mut buffer)? {
        digest.update(&buffer[..length]);
    }
    Ok(hexadecimal(&digest.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
