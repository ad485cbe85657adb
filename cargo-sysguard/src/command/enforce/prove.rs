//! `--prove N`: runs the workloads under the profile before it is written. Main type: [`Proving`].

use std::fs;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use enforce::Policy;
use enforce::format::Format;
use enforce::proof::{self, EnvironmentRecord, ExecutableRecord, ProfileRecord, ProofRecord, WorkloadFiles};
use enforce::runtimes::Runtime;
use enforce::trials::container::Container;
use enforce::trials::{Denied, Subject, Trials, WrongEnd};
use sysguard::unstable::harness::ProgressDisplay;
use sysguard::unstable::linux::Machine;
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::model::text::escape;
use sysguard::unstable::runner::{Case, Suite};

use crate::exit_code::{Failure, Outcome};
use crate::message;

/// What is proved, and how.
pub(super) struct Proving<'a> {
    pub(super) policy: &'a Policy,
    /// How often each workload is run.
    pub(super) runs: NonZeroU32,
    /// The content of the profile's file.
    pub(super) profile: &'a [u8],
    pub(super) format: Format,
    pub(super) arguments: bool,
    pub(super) runtime: Option<&'static Runtime>,
    /// The platform of the baselines.
    pub(super) platform: &'a Platform,
}

/// Returns the file of a proof: that of the profile with `.proof.json` after its name.
pub(super) fn file_of(profile: &Path) -> PathBuf {
    let mut name = profile.as_os_str().to_owned();
    name.push(".proof.json");
    name.into()
}

impl Proving<'_> {
    /// Runs the workloads of the policy and returns the proof. Denied calls, and runs that end
    /// otherwise than the document of their workload says, are reported to standard error.
    ///
    /// # Errors
    ///
    /// [`Outcome::Failed`] if the profile is not proved; [`Outcome::NotStarted`] if a workload
    /// cannot be run.
    pub(super) fn prove(
        &self,
        workloads: &[(&Suite, &Case)],
        progress: &ProgressDisplay,
    ) -> Result<ProofRecord, Failure> {
        let subject = Subject::new(self.policy, self.runs, self.container())
            .map_err(|reason| Failure::failed(format!("the profile cannot be proved: {reason}")))?;
        let mut all = Vec::new();
        for (suite, case) in workloads {
            let trials = subject.run(suite, case, progress).map_err(|reason| Failure {
                outcome: Outcome::NotStarted,
                message: format!("cannot run {} under the profile: {}", case.name, reason.0),
            })?;
            let files = files(suite, case, &trials).map_err(Failure::failed)?;
            // Ignore a closed standard error: the exit code says the same.
            let _ = progress.suspended(|| report(&mut anstream::stderr(), self.policy, &trials));
            all.push((trials, files));
        }
        let failed: Vec<&str> =
            all.iter().filter(|(trials, _)| !trials.passed()).map(|(trials, _)| trials.workload.as_str()).collect();
        if !failed.is_empty() {
            return Err(Failure::failed(format!(
                "the profile is not proved for {}; nothing was written",
                failed.join(", ")
            )));
        }
        let environment = workloads.first().map(|(suite, _)| environment(suite, self.platform));
        let environment = environment.ok_or_else(|| Failure::failed("no workload to prove"))?;
        let profile = ProfileRecord {
            sha256: proof::sha256(self.profile),
            format: self.format.name().to_owned(),
            action: self.policy.otherwise.name().to_owned(),
            arguments: self.arguments,
            runtime: self.runtime.map(|runtime| runtime.name.to_owned()),
        };
        Ok(ProofRecord::new(self.policy, profile, environment, &all))
    }

    /// Returns the container that a profile for one is tried in, or why there is none.
    fn container(&self) -> Result<Container, String> {
        let not = |reason: &str| format!("not run under runc: {reason}");
        match (self.format, self.runtime) {
            (Format::Systemd, _) => Err("not run under systemd-run: no unit is started".to_owned()),
            (Format::Oci, Some(runtime)) if runtime.name.starts_with("runc@") => {
                let profile = serde_json::from_slice(self.profile).map_err(|error| not(&error.to_string()))?;
                Container::find(profile).map_err(|reason| not(&reason))
            }
            (Format::Oci, Some(runtime)) => Err(not(&format!("the profile is for {}", runtime.name))),
            (Format::Oci, None) => Err(not("the profile has no calls of a runtime (`--runtime`)")),
            (format, _) => Err(not(&format!("the format is {}", format.name()))),
        }
    }
}

fn environment(suite: &Suite, platform: &Platform) -> EnvironmentRecord {
    EnvironmentRecord {
        platform: platform.to_string(),
        kernel: Machine::kernel_release(),
        libc: suite.c_library(),
        cpus: Machine::cpus(),
    }
}

/// Returns the digests of a workload's files.
fn files(suite: &Suite, case: &Case, trials: &Trials) -> io::Result<WorkloadFiles> {
    let file = suite.package().join(&case.file);
    let name = |error: io::Error| io::Error::new(error.kind(), format!("cannot read {}: {error}", file.display()));
    let baseline = fs::read(&file).map_err(name)?;
    let executable = |path: &PathBuf| {
        let sha256 = proof::sha256_of_file(path).ok()?;
        Some(ExecutableRecord { path: path.display().to_string(), sha256 })
    };
    Ok(WorkloadFiles {
        baseline: proof::sha256(&baseline),
        executables: trials.programs.iter().filter_map(executable).collect(),
    })
}

/// Writes what the runs of a workload showed.
fn report(out: &mut dyn Write, policy: &Policy, trials: &Trials) -> io::Result<()> {
    let Trials { workload, traced, untraced, busy, contained, denied, wrong_ends, .. } = trials;
    let more = match contained {
        Ok(runs) => format!("{runs} under runc"),
        Err(reason) => reason.clone(),
    };
    let kinds = format!("{traced} traced and {untraced} untraced runs, {busy} of them busy; {more}");
    if trials.passed() {
        return writeln!(out, "{}: no denied call in {}", escape::line(workload), escape::line(&kinds));
    }
    writeln!(out, "{}: {}", escape::line(workload), escape::line(&kinds))?;
    for call in denied {
        write_denied(out, policy, trials, call)?;
    }
    for end in wrong_ends {
        write_end(out, trials, end)?;
    }
    Ok(())
}

fn write_denied(out: &mut dyn Write, policy: &Policy, trials: &Trials, denied: &Denied) -> io::Result<()> {
    let Denied { syscall, denial, example, site, count, runs } = denied;
    let call = proof::call(policy, *syscall);
    let why = match denial {
        enforce::policy::Denial::Refused => "a `forbid:` rule names it",
        enforce::policy::Denial::NotAllowed if policy.allowed.contains_key(syscall) => {
            "it is not allowed with these arguments"
        }
        enforce::policy::Denial::NotAllowed => "it is not allowed",
    };
    let calls = if *count == 1 { "1 call".to_owned() } else { format!("{count} calls") };
    let text = format!("{call} is denied: {calls} in {runs} of {} traced runs, {why}", trials.traced);
    writeln!(out, "{}", message::error(&text))?;
    writeln!(out, "    {}", escape::line(&example.call))?;
    if !example.process.is_empty() {
        writeln!(out, "    in: {}", escape::line(&example.origin()))?;
    }
    if let Ok(site) = site {
        writeln!(out, "    by {}", escape::line(&site.words))?;
    }
    writeln!(
        out,
        "help: record the call with `cargo sysguard bless {}`, or remove the code that makes it",
        trials.workload
    )
}

fn write_end(out: &mut dyn Write, trials: &Trials, end: &WrongEnd) -> io::Result<()> {
    let WrongEnd { kind, exit, runs, output } = end;
    let text = format!(
        "{} ended by {} in {runs} of the {} runs, but its expectation says otherwise{}",
        trials.workload,
        proof::ending(*exit),
        kind.name(),
        if output.trim().is_empty() { "; it had no output" } else { "; the end of its output:" },
    );
    writeln!(out, "{}", message::error(&text))?;
    output.trim_end().lines().try_for_each(|line| writeln!(out, "    {}", escape::line(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_is_beside_the_profile() {
        for (profile, proof) in [("a.json", "a.json.proof.json"), ("out/x", "out/x.proof.json")] {
            assert_eq!(file_of(Path::new(profile)), Path::new(proof));
        }
    }
}
