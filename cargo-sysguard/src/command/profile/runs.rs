//! The sampled runs of a command or workload, and the names of their functions. Main types:
//! [`Sampling`] and [`Sampled`].

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use profile::kernel::{Kernel, Unavailable};
use profile::naming;
use profile::perf::{self, CallGraph};
use profile::profile::Profile;
use profile::recording::{Files, Missing, Recording};
use profile::report::{ProfileRecord, Subject, Traced};
use profile::shares::Counts;
use profile::user::Programs;
use sysguard::unstable::linux::{Machine, SymbolFiles};
use sysguard::unstable::model::observe::observation::{Engine, Observation};
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::settings;

use crate::command_line::RunError;
use crate::message;

/// How runs are sampled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampling<'a> {
    pub(super) frequency: u64,
    pub(super) call_graph: CallGraph,
    pub(super) runs: u32,
    pub(super) kernel_source: Option<&'a Path>,
}

/// The reason for a missing profile.
#[derive(Debug)]
pub(super) enum RunFailed {
    /// The run could not be sampled.
    Perf(perf::Error),
    /// An option is wrong.
    Usage(String),
}

impl From<perf::Error> for RunFailed {
    fn from(error: perf::Error) -> Self {
        match error {
            perf::Error::Frequency { .. } => Self::Usage(error.to_string()),
            other => Self::Perf(other),
        }
    }
}

impl RunError for perf::Error {
    fn launch(&self) -> Option<&sysguard::unstable::linux::TraceError> {
        match self {
            Self::Launch(error) => Some(error),
            _ => None,
        }
    }
}

/// The sampled runs.
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) recordings: Vec<Recording>,
    /// How the last one ended.
    pub(super) exit: Exit,
    /// A signal asked this process to end.
    interrupted: bool,
    killed_stragglers: u64,
}

/// The functions of the running kernel.
pub(super) struct KernelNames {
    pub(super) kernel: Option<Kernel>,
}

impl KernelNames {
    /// Reads them before the first run, so that a wrong source tree is reported at once.
    pub(super) fn read(sampling: &Sampling<'_>) -> Result<Self, RunFailed> {
        match Kernel::running(sampling.kernel_source) {
            Ok(kernel) => Ok(Self { kernel: Some(kernel) }),
            Err(Unavailable::Source(reason)) => Err(RunFailed::Usage(reason)),
            Err(Unavailable::Names | Unavailable::Unreadable(_)) => Ok(Self { kernel: None }),
        }
    }
}

impl Sampled {
    /// Samples the requested number of runs. Stops early if a run was killed, or if a signal asked
    /// this process to end.
    pub(super) fn collect<E>(
        sampling: &Sampling<'_>,
        mut run: impl FnMut() -> Result<perf::Recorded, E>,
    ) -> Result<Self, E> {
        let (mut recordings, mut killed_stragglers) = (Vec::<Recording>::new(), 0);
        loop {
            let mut recorded = run()?;
            if let Some(first) = recordings.first() {
                share_files(&first.files, &mut recorded.recording.files);
            }
            recordings.push(recorded.recording);
            killed_stragglers += recorded.killed_stragglers;
            warn_of_living(recorded.left_alive);
            let sampled =
                Self { recordings, exit: recorded.exit, interrupted: recorded.interrupted, killed_stragglers };
            if sampled.recordings.len() as u64 >= u64::from(sampling.runs) || !sampled.ended_alone() {
                return Ok(sampled);
            }
            recordings = sampled.recordings;
        }
    }

    /// Returns whether the last run ended by itself, so that another one would do the same.
    pub(super) fn ended_alone(&self) -> bool {
        !self.interrupted && matches!(self.exit, Exit::Exited(_))
    }

    /// Returns one profile of all runs.
    pub(super) fn profile(&self, names: &KernelNames) -> Profile {
        let mut all: Option<Profile> = None;
        for recording in &self.recordings {
            let files = SymbolFiles::with_debug_packages();
            let profile = naming::name(recording, names.kernel.as_ref(), &Programs::new(recording, &files));
            match &mut all {
                None => all = Some(profile),
                Some(all) => {
                    all.stacks.extend(profile.stacks);
                    all.lost += profile.lost;
                    all.throttled += profile.throttled;
                }
            }
        }
        let mut all = all.unwrap_or_default();
        let has_addresses = self.recordings.iter().flat_map(|run| &run.samples).any(|sample| !sample.kernel.is_empty());
        if names.kernel.is_none() && has_addresses && !all.missing.contains(&Missing::KernelNames) {
            all.missing.push(Missing::KernelNames);
        }
        all
    }

    /// Returns the record of all runs.
    pub(super) fn record(
        &self,
        workload: Option<&str>,
        command: Vec<String>,
        traced: Option<Traced>,
        names: &KernelNames,
    ) -> ProfileRecord {
        let platform = settings::platform();
        let subject = Subject {
            workload: workload.map(str::to_owned),
            command,
            arch: platform.arch.to_string(),
            kernel: Machine::kernel_release(),
            index: names.kernel.as_ref().map(|kernel| kernel.index_version().to_owned()),
            status: self.exit.shell_status(),
            killed_stragglers: self.killed_stragglers,
            totals: self.recordings.iter().map(|recording| recording.totals.clone()).collect(),
            traced,
        };
        ProfileRecord::new(&subject, &self.profile(names))
    }
}

/// Replaces files by the same ones of an earlier run, so that many runs do not need many fds.
fn share_files(earlier: &Files, files: &mut Files) {
    for (id, file) in files {
        if let (Some(file), Some(Some(same))) = (file, earlier.get(id)) {
            *file = same.clone();
        }
    }
}

/// Warns of processes that a run left.
fn warn_of_living(left: u64) {
    if left > 0 {
        let processes = if left == 1 { "1 process is".to_owned() } else { format!("{left} processes are") };
        let text = format!("{processes} still running: this user has no right to kill another user's processes");
        // Ignore a closed standard error: this is only a warning.
        let _ = writeln!(anstream::stderr(), "{}", message::warning(&text));
    }
}

/// Traces a run, and returns its counts.
pub(super) fn traced<E>(run: impl FnOnce() -> Result<(Observation, Exit), E>) -> Result<Traced, E> {
    let started = Instant::now();
    let (observation, exit) = run()?;
    Ok(Traced {
        engine: Engine::Ptrace.name(),
        status: exit.shell_status(),
        elapsed: started.elapsed(),
        counts: Counts::of(&observation),
    })
}
