//! `cargo sysguard enforce`: makes a seccomp profile from the baselines of workloads. Main type:
//! [`Options`].

mod check;
mod profiles;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use enforce::format::Format;
use enforce::runtimes::{RUNTIMES, Runtime};
use enforce::{Action, Refusal, Source};
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::runner::Case;
use sysguard::unstable::settings::Flags;

use crate::cargo::BuildFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::output::{self, ReportFile};
use crate::suites::{self, Package};
use profiles::{Profiles, path_of};

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
    #[command(flatten)]
    cargo: BuildFlags,
}

const AFTER_HELP: &str = "\
A profile allows what the baselines hold, what `explore` recorded of error paths, what any program may call, and \
calls that another C library or kernel uses instead; each with its reason. Calls that a `forbid:` rule names fail with \
EPERM. Nothing is run.\n\n\
Exit codes: 0; 101 if a baseline cannot be enforced, the format cannot express it, or --check finds a difference; 2 \
wrong usage, or a name that matches nothing.";

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
        let packages = suites::open_all(&self.cargo.packages, platform.clone(), &settings)?;
        let cases = self.select(&packages)?;
        let sources = cases.iter().map(|case| source(case, &platform)).collect::<Result<Vec<_>, Failure>>()?;
        let profiles = Profiles::of(&self, &sources, &platform, format)?;
        match &self.check {
            Some(file) => check::check(&profiles, file),
            None => self.write(&profiles),
        }
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
        if !format.is_text() && self.check.is_none() && self.output.is_none() && io::stdout().is_terminal() {
            return Err(Failure::usage("a BPF program is no text\nhelp: write it to a file by -o FILE"));
        }
        Ok(())
    }

    /// Returns the workloads that the names select.
    fn select<'p>(&self, packages: &'p [Package]) -> Result<Vec<&'p Case>, Failure> {
        let cases: Vec<&Case> = packages.iter().flat_map(|package| package.suite.cases()).collect();
        let mut selected = vec![false; cases.len()];
        for name in &self.names {
            let is_whole = self.exact || cases.iter().any(|case| case.name == *name);
            let matches = |case: &Case| if is_whole { case.name == *name } else { case.name.contains(name.as_str()) };
            if !cases.iter().any(|case| matches(case)) {
                return Err(no_match(name, suites::tests(packages, |case| matches(case)).len()));
            }
            cases.iter().zip(&mut selected).for_each(|(case, selected)| *selected |= matches(case));
        }
        Ok(cases.into_iter().zip(selected).filter(|(_, selected)| *selected).map(|(case, _)| case).collect())
    }

    fn write(&self, profiles: &Profiles<'_>) -> Result<Outcome, Failure> {
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
        for (mut file, (_, content)) in files.into_iter().zip(&contents) {
            let written = file.write_all(content).and_then(|()| file.finish());
            written.map_err(|error| Failure::failed(format!("cannot write the profile: {error}")))?;
        }
        Ok(Outcome::Expected)
    }
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
