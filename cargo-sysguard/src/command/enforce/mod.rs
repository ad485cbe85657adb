//! `cargo sysguard enforce`: makes a seccomp profile from the baselines of workloads. Main type:
//! [`Options`].

mod check;
mod profiles;
mod prove;

use std::io::{self, IsTerminal, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use enforce::format::{Format, Proven};
use enforce::proof::ProofRecord;
use enforce::runtimes::{RUNTIMES, Runtime};
use enforce::{Action, Refusal, Source};
use sysguard::unstable::harness::ProgressDisplay;
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::runner::{Case, Suite};
use sysguard::unstable::settings::{self, Flags, Settings};

use crate::cargo::BuildFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output::{self, ReportFile};
use crate::suites::{self, Package};
use profiles::{Profiles, path_of};
use prove::Proving;

/// `enforce`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Allow what these workloads use: the name of a workload, or else a part of names
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Match names against the whole name only
    #[arg(long)]
    exact: bool,
    /// Write the profile in this format: oci, systemd, seccompiler, libseccomp, bpf or rust
    #[arg(long, value_name = "FORMAT", value_parser = format, required_unless_present = "check")]
    format: Option<Format>,
    /// Also allow what this container runtime calls under the profile, such as runc@1.3
    #[arg(long, value_name = "RUNTIME", value_parser = runtime, conflicts_with = "per_phase")]
    runtime: Option<&'static Runtime>,
    /// Allow only the recorded arguments, where registers hold them
    #[arg(long)]
    arguments: bool,
    /// What happens to all other calls: enosys, kill, log or trap
    #[arg(long, value_name = "ACTION", default_value = "enosys", value_parser = action)]
    action: Action,
    /// Write the profile to a file instead of standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "check")]
    output: Option<PathBuf>,
    /// Write one profile for each phase of the program, to FILE with the phase before the extension
    ///
    /// A profile allows the calls of its phase and of all later ones. It assumes that no earlier
    /// phase, and no code outside all phases, runs again. A baseline does not hold the order of
    /// several phases: give it, as in --per-phase=startup,serving.
    #[arg(long, value_name = "PHASE,...", num_args = 0.., require_equals = true, value_delimiter = ',')]
    per_phase: Option<Vec<String>>,
    /// Compare this profile with the one that would be written, call by call
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Run each workload N times under the profile first, and write FILE.proof.json beside it
    ///
    /// Half of the runs are traced, so that a denied call is named with its process, call site and
    /// arguments, and half have busy CPUs. An OCI profile with the calls of runc (--runtime) is
    /// also tried in a container, where runc is installed.
    #[arg(long, value_name = "N", conflicts_with_all = ["check", "per_phase"], value_parser = runs)]
    prove: Option<NonZeroU32>,
    #[command(flatten)]
    cargo: BuildFlags,
}

const AFTER_HELP: &str = "\
A profile allows what the baselines hold, what `explore` recorded of error paths, what any program may call, and \
calls that another C library or kernel uses instead; each with its reason. Calls that a `forbid:` rule names fail with \
EPERM. Without --prove, nothing is run.\n\n\
Exit codes: 0; 101 if a baseline cannot be enforced, the format cannot express it, --check finds a difference, or a \
run of --prove has a denied call or ends otherwise than its file says; 2 wrong usage, or a name that matches nothing; \
3 a workload could not be built or started.";

fn format(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| unknown(name, "format", Format::ALL.map(Format::name).into_iter()))
}

fn action(name: &str) -> Result<Action, String> {
    let found = Action::ALL.into_iter().find(|action| action.name() == name);
    found.ok_or_else(|| unknown(name, "action", Action::ALL.map(Action::name).into_iter()))
}

fn runtime(name: &str) -> Result<&'static Runtime, String> {
    Runtime::named(name).ok_or_else(|| unknown(name, "runtime", RUNTIMES.iter().map(|runtime| runtime.name)))
}

fn runs(number: &str) -> Result<NonZeroU32, String> {
    let runs = number.parse().map_err(|_| "not a number of runs".to_owned())?;
    NonZeroU32::new(runs)
        .filter(|runs| runs.get() >= 2)
        .ok_or_else(|| "at least 2 runs: half of them are traced".to_owned())
}

fn unknown<'a>(name: &str, what: &str, known: impl Iterator<Item = &'a str>) -> String {
    format!("`{name}` is no {what}: use one of {}", known.collect::<Vec<_>>().join(", "))
}

impl Options {
    /// Writes the profiles, or compares them with files.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let format = self.format()?;
        self.refuse_unusable(format)?;
        let settings = context.settings(Flags::default())?;
        let platform = suites::platform(&self.cargo)?;
        let mut packages = suites::open_all(&self.cargo.packages, platform.clone(), &settings)?;
        if self.prove.is_some() {
            self.build(&mut packages, &platform, &settings)?;
        }
        let selected = self.select(&packages)?;
        let cases: Vec<&Case> = selected.iter().map(|(_, case)| *case).collect();
        if cases.len() > self.names.len() {
            let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
            let line = format!("the profile joins {} workloads: {}", names.len(), names.join(", "));
            let _ = writeln!(anstream::stderr(), "{}", message::warning(&line));
        }
        if self.prove.is_some() {
            cases.iter().try_for_each(|case| can_be_tried(case))?;
        }
        let sources = cases.iter().map(|case| source(case, &platform)).collect::<Result<Vec<_>, Failure>>()?;
        let profiles = Profiles::of(&self, &sources, &platform, format)?;
        match &self.check {
            Some(file) => check::check(&profiles, file),
            None => {
                let display = ProgressDisplay::new(settings.progress, selected.len());
                self.write(&profiles, &platform, &|proving| proving.prove(&selected, &display))
            }
        }
    }

    /// Builds the targets of the selected workloads.
    fn build(&self, packages: &mut [Package], platform: &Platform, settings: &Settings) -> Result<(), Failure> {
        let here = settings::platform();
        if platform.arch != here.arch {
            return Err(Failure::usage(format!(
                "--prove runs the workloads, and {here} cannot run those of {platform}"
            )));
        }
        let names: Vec<String> = self.select(packages)?.into_iter().map(|(_, case)| case.name.clone()).collect();
        let is_selected = |case: &Case| names.contains(&case.name);
        let built = suites::build(packages, is_selected, |_| None, &settings.cargo, &self.cargo.build_flags());
        packages.iter_mut().for_each(|package| package.suite.add_artifacts(built.clone()));
        Ok(())
    }

    /// Returns what the heading of a profile says about its proof.
    fn proven(&self, workloads: usize) -> Option<Proven> {
        let file = prove::file_of(self.output.as_deref()?);
        let file = file.file_name()?.to_string_lossy().into_owned();
        Some(Proven { runs: self.prove?.get().saturating_mul(u32::try_from(workloads).unwrap_or(u32::MAX)), file })
    }

    /// Returns the format that is asked for, or else that of the file to check.
    fn format(&self) -> Result<Format, Failure> {
        match (self.format, &self.check, &self.per_phase) {
            (Some(format), ..) => Ok(format),
            (None, Some(file), None) => check::format_of(file),
            _ => Err(Failure::usage("--check of phases needs a format\nhelp: name it by --format")),
        }
    }

    /// Fails for options that cannot be meant together.
    fn refuse_unusable(&self, format: Format) -> Result<(), Failure> {
        if self.per_phase.is_some() && self.output.is_none() && self.check.is_none() {
            return Err(Failure::usage("--per-phase writes several files\nhelp: name them by -o FILE"));
        }
        if self.prove.is_some() && self.output.is_none() {
            return Err(Failure::usage(
                "--prove writes a proof beside the profile, and standard output has no place for it\nhelp: name the profile by -o FILE",
            ));
        }
        if !format.is_text() && self.check.is_none() && self.output.is_none() && io::stdout().is_terminal() {
            return Err(Failure::usage("a BPF program is no text\nhelp: write it to a file by -o FILE"));
        }
        Ok(())
    }

    /// Returns the workloads that the names select.
    fn select<'p>(&self, packages: &'p [Package]) -> Result<Vec<(&'p Suite, &'p Case)>, Failure> {
        let of_package = |package: &'p Package| package.suite.cases().iter().map(|case| (&package.suite, case));
        let cases: Vec<(&Suite, &Case)> = packages.iter().flat_map(of_package).collect();
        let mut selected = vec![false; cases.len()];
        for name in &self.names {
            let is_whole = self.exact || cases.iter().any(|(_, case)| case.name == *name);
            let matches = |case: &Case| if is_whole { case.name == *name } else { case.name.contains(name.as_str()) };
            if !cases.iter().any(|(_, case)| matches(case)) {
                return Err(no_match(name, suites::tests(packages, |case| matches(case)).len()));
            }
            cases.iter().zip(&mut selected).for_each(|((_, case), selected)| *selected |= matches(case));
        }
        Ok(cases.into_iter().zip(selected).filter(|(_, selected)| *selected).map(|(case, _)| case).collect())
    }

    /// Writes the profiles, after `prove` if that is asked for.
    fn write(
        &self,
        profiles: &Profiles<'_>,
        platform: &Platform,
        prove: &dyn Fn(Proving<'_>) -> Result<ProofRecord, Failure>,
    ) -> Result<Outcome, Failure> {
        let contents = profiles.written()?;
        let Some(file) = &self.output else {
            let mut out = output::plain_stdout();
            let written = contents.iter().try_for_each(|(_, content)| out.write_all(content));
            return written.and_then(|()| out.flush()).map(|()| Outcome::Expected).map_err(Failure::output);
        };
        let paths: Vec<PathBuf> = contents.iter().map(|(phase, _)| path_of(file, *phase)).collect();
        // All are checked before the first is replaced.
        let files = paths.iter().map(|path| ReportFile::prepare(path).map_err(Failure::failed));
        let files = files.collect::<Result<Vec<_>, Failure>>()?;
        let place = self.prove.is_some().then(|| prove::file_of(file));
        let place = place.as_deref().map(ReportFile::prepare).transpose().map_err(Failure::failed)?;
        if let (Some(runs), Some(mut place), [profile], [(_, content)]) =
            (self.prove, place, &profiles.profiles[..], &contents[..])
        {
            let (arguments, runtime) = (self.arguments, self.runtime);
            let policy = &profile.policy;
            let format = profiles.format;
            let proof = prove(Proving { policy, runs, profile: content, format, arguments, runtime, platform })?;
            let written = place.write_all(proof.text().as_bytes()).and_then(|()| place.finish());
            written.map_err(|error| Failure::failed(format!("cannot write the proof: {error}")))?;
        }
        let proof = prove::file_of(file);
        if self.prove.is_none() && proof.exists() {
            let line = format!(
                "{} proves the profile that is replaced\nhelp: remove it, or prove this one by --prove N",
                shown(&proof)
            );
            let _ = writeln!(anstream::stderr(), "{}", message::warning(&line));
        }
        for (mut file, (_, content)) in files.into_iter().zip(&contents) {
            let written = file.write_all(content).and_then(|()| file.finish());
            written.map_err(|error| Failure::failed(format!("cannot write the profile: {error}")))?;
        }
        Ok(Outcome::Expected)
    }
}

/// Fails for a workload that must not run under a profile.
fn can_be_tried(case: &Case) -> Result<(), Failure> {
    let name = &case.name;
    if let Some(reason) = case.ignored() {
        let help = "remove `ignore:` to run it";
        return Err(Failure::failed(format!("{name} is ignored, so it has no proof: {reason}\nhelp: {help}")));
    }
    if case.document().is_some_and(|document| document.workload.cwd.is_some()) {
        let help = "remove `cwd:`, so that it runs in a scratch directory";
        return Err(Failure::failed(format!(
            "{name} has no proof: a denied call could leave files in its `cwd:` half written\nhelp: {help}"
        )));
    }
    Ok(())
}

/// Returns the baseline of a workload, if it can be enforced.
fn source<'c>(case: &'c Case, platform: &Platform) -> Result<Source<'c>, Failure> {
    let parsed = case.content.as_ref().map_err(|fault| Failure::failed(&fault.message))?;
    let refused = |refusal: Refusal| Failure::failed(format!("{refusal}\nhelp: {}", refusal.help()));
    Source::of(&case.name, &parsed.expectation, platform).map_err(refused)
}

fn no_match(name: &str, tests: usize) -> Failure {
    Failure::usage(match tests {
        0 => format!("no workload matches `{name}`\nhelp: `cargo sysguard list` lists all workloads"),
        _ => format!(
            "`{name}` matches only tests that cargo runs ({tests})\nhelp: add a workload that runs the program, with `cargo sysguard init`"
        ),
    })
}

/// Returns a path for a message.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
