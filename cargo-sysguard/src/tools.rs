//! Looks for tools and for programs that workloads need. Main function: [`find`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::{Command, Stdio};

use sysguard::unstable::model::run::tools::{MissingProgram, Tool, Tools, VERSIONED, package_of, version_in};
use sysguard::unstable::model::run::workload::Program;
use sysguard::unstable::runner::{Case, Lookup, find_command};
use sysguard::unstable::settings::{self, Flags};

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::suites;

/// Returns the versions of tools, and the missing programs of workloads in this folder's packages.
pub(crate) fn find(context: &Context) -> Tools {
    let tools = VERSIONED.iter().map(|(name, command)| Tool { name, version: version(command) });
    Tools { tools: tools.collect(), missing: missing(context) }
}

/// Returns the version that a command prints. It also looks in `sbin`, which is often not on
/// `PATH`.
fn version(command: &[&str]) -> Option<String> {
    let (name, arguments) = command.split_first()?;
    let folders = ["/usr/sbin", "/sbin"].map(|folder| format!("{folder}/{name}"));
    let candidates = [(*name).to_owned()].into_iter().chain(folders);
    let program = candidates.into_iter().find_map(|name| match find_command(OsStr::new(&name)) {
        Lookup::Found(program) => Some(program),
        Lookup::NotExecutable(_) | Lookup::Missing => None,
    })?;
    let ran = Command::new(program).args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    let text = |bytes: &[u8]| version_in(&String::from_utf8_lossy(bytes)).map(str::to_owned);
    text(&ran.stdout).or_else(|| text(&ran.stderr))
}

/// Returns the programs that workloads need and that are not on `PATH`. Empty without a package in
/// this folder.
fn missing(context: &Context) -> Vec<MissingProgram> {
    let settings = context.settings(Flags::default());
    let packages =
        settings.and_then(|settings| suites::open_all(&PackageFlags::default(), settings::platform(), &settings));
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages.iter().flatten() {
        for case in package.suite.cases() {
            for program in needed(case).filter(|program| is_missing(program)) {
                users.entry(program.to_owned()).or_default().push(case.name.clone());
            }
        }
    }
    let missing = |(program, mut workloads): (String, Vec<String>)| {
        workloads.dedup();
        let package = package_of(&program).map(str::to_owned).or_else(|| package_named(&program));
        MissingProgram { program, workloads, package }
    };
    users.into_iter().map(missing).collect()
}

/// Returns the programs of the system that a workload needs.
fn needed(case: &Case) -> impl Iterator<Item = &str> {
    let workload = case.document().map(|document| &document.workload);
    let command = workload.and_then(|workload| match &workload.program {
        Program::Command(words) => words.first(),
        _ => None,
    });
    let required = workload.into_iter().flat_map(|workload| &workload.requires);
    required.chain(command).map(String::as_str).filter(|program| !program.contains('/'))
}

fn is_missing(program: &str) -> bool {
    matches!(find_command(OsStr::new(program)), Lookup::Missing)
}

/// Returns the package of the same name, if apt knows it.
fn package_named(program: &str) -> Option<String> {
    let ran = Command::new("apt-cache").args(["show", "--", program]).stdin(Stdio::null()).output().ok()?;
    let is_known = ran.status.success() && !ran.stdout.is_empty();
    is_known.then(|| program.to_owned())
}
