//! `reach PROGRAM`: finds the program, and runs it if asked to.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use reach::observe::{Observed, observe};
use reach::report::Subject;
use sysguard::unstable::artifacts::{self, Build, Target, TargetKind};
use sysguard::unstable::linux::{Limits, TraceError, keep_terminal, leave_signals_to_workload};
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::text::escape;
use sysguard::unstable::model::text::near::near;
use sysguard::unstable::runner::{DEFAULT_GRACE, Lookup, find_command};
use sysguard::unstable::settings::{Flags, Settings};

use super::survey::{survey, traced};
use super::{Found, Options};
use crate::cargo::PackageFlags;
use crate::command_line::{CommandLine, Failed};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::suites;

/// The beginning of the name of a package's own binary.
const BINARY: &str = "bin:";

impl Options {
    /// Analyses the program, with what a run of it shows.
    pub(super) fn program(&self, context: &Context) -> Result<Found, Failure> {
        let name = self.program.as_deref().unwrap_or_default();
        let path = find(name, &self.cargo.packages, &self.cargo.build_flags(), context)?;
        let is_run = self.run || !self.arguments.is_empty();
        let observed = if is_run { Some(self.observe(&path)?) } else { None };
        let words = [name].into_iter().chain(self.arguments.iter().map(OsString::as_os_str));
        let command = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let found = survey(&path, &self.with, observed)?;
        let record = found.record(&Subject { workload: None, command }, &self.why);
        let asked = self.asked(&record);
        Ok(Found { record, asked, was_run: is_run })
    }

    /// Runs the program once, with the caller's streams and environment.
    fn observe(&self, path: &Path) -> Result<Observed, Failure> {
        // A path without a slash would be looked for on PATH.
        let path = std::path::absolute(path).map_err(Failure::failed)?;
        let words: Vec<OsString> = [path.clone().into_os_string()].into_iter().chain(self.arguments.clone()).collect();
        let not_started = |failed: Failed| Failure { outcome: Outcome::NotStarted, message: failed.message };
        let command = CommandLine::find(&words).map_err(not_started)?;
        let terminal = keep_terminal().map_err(|error| Failure::failed(format!("cannot read the terminal modes: {error}")))?;
        leave_signals_to_workload()
            .map_err(|error| Failure::failed(format!("cannot leave signals to the program: {error}")))?;
        let limits = Limits { timeout: self.timeout, stop: None, grace: self.grace.unwrap_or(DEFAULT_GRACE) };
        let observed = command.run(|command| observe(command, &path, &limits)).map_err(|error: TraceError| traced(&error))?;
        if observed.exit == Exit::TimedOut || observed.killed_stragglers > 0 {
            // A killed process could not restore them itself.
            terminal.restore();
        }
        super::survey::checked(observed)
    }
}

/// Finds a program: `bin:NAME` is built, a path is taken as it is, and another name is looked for on
/// PATH.
pub(super) fn find(
    name: &OsStr,
    packages: &PackageFlags,
    flags: &[OsString],
    context: &Context,
) -> Result<PathBuf, Failure> {
    if let Some(binary) = name.to_str().and_then(|name| name.strip_prefix(BINARY)) {
        return build(binary, packages, flags, &context.settings(Flags::default())?);
    }
    if name.as_encoded_bytes().contains(&b'/') {
        return Ok(PathBuf::from(name));
    }
    match find_command(name) {
        Lookup::Found(path) | Lookup::NotExecutable(path) => Ok(path),
        Lookup::Missing => {
            let name = escape::line(&name.to_string_lossy()).into_owned();
            let message = format!("cannot find {name} on PATH\nhelp: for a file in this folder, write ./{name}");
            Err(Failure { outcome: Outcome::NotStarted, message })
        }
    }
}

/// Builds a binary of the selected packages.
fn build(name: &str, packages: &PackageFlags, flags: &[OsString], settings: &Settings) -> Result<PathBuf, Failure> {
    let packages = packages.select(&settings.cargo)?.packages;
    let binaries = || packages.iter().flat_map(|package| package.targets.iter().filter(|target| target.is_bin()));
    let has_it = |package: &&cargo_metadata::Package| {
        package.targets.iter().any(|target| target.is_bin() && target.name == name)
    };
    let Some(package) = packages.iter().find(has_it) else {
        const MOST: usize = 3;
        let near = near(name, binaries().map(|target| target.name.as_str()));
        let near: Vec<String> = near.into_iter().take(MOST).map(str::to_owned).collect();
        let hint = message::did_you_mean(&near).unwrap_or_default();
        return Err(Failure::usage(format!("no selected package has a binary `{}`{hint}", escape::line(name))));
    };
    let target = Target { kind: TargetKind::Bin, name: name.to_owned() };
    let colour = suites::colour_flags(settings.colour);
    let arguments: Vec<OsString> = flags.iter().cloned().chain(colour).collect();
    let build =
        Build { cargo: &settings.cargo, flags: &arguments, shown: true, stdin: std::process::Stdio::null(), without: &[] };
    let built = build.run(&[(package, [target.clone()].into())]);
    let not_built = |reason: String| Failure { outcome: Outcome::NotStarted, message: reason };
    match built.get(&artifacts::root(package), &target) {
        Some(Ok(executable)) => Ok(executable.to_owned()),
        Some(Err(reason)) => Err(not_built(reason.to_string())),
        None => Err(not_built(format!("cargo did not build the binary `{}`", escape::line(name)))),
    }
}
