//! The workloads of the selected packages, and what cargo must build for them. Main type:
//! [`Package`].

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use sysguard::artifacts::{self, Artifacts, Build, Target, TargetKind};
use sysguard::model::run::platform::Platform;
use sysguard::runner::{Case, Suite};
use sysguard::settings::{self, Settings};

use crate::cargo::{BuildFlags, PackageFlags, Selected, TargetFlags};
use crate::exit_code::Failure;
use crate::judging::colour_word;

/// A selected package that has workloads, or a harness for them.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) metadata: cargo_metadata::Package,
    pub(crate) suite: Suite,
}

impl Package {
    /// Its test target named `sysguard`, where it has one: cargo's metadata does not tell which
    /// harness a target has.
    pub(crate) fn harness(&self) -> Option<Target> {
        let named = |target: &&cargo_metadata::Target| target.is_test() && target.name == "sysguard";
        let target = self.metadata.targets.iter().find(named)?;
        Some(Target { kind: TargetKind::Test, name: target.name.clone() })
    }
}

/// Passes over what has neither workloads nor a harness.
pub(crate) fn leave_runnable(packages: &mut Vec<Package>) {
    packages.retain(|package| {
        !package.suite.cases().is_empty() || package.suite.fault().is_some() || package.harness().is_some()
    });
}

/// The names of tests that cargo runs, as far as the filter takes them.
pub(crate) fn tests(packages: &[Package], selected: impl Fn(&Case) -> bool) -> Vec<&str> {
    let tests = packages.iter().flat_map(|package| package.suite.tests());
    tests.filter(|case| selected(case)).map(|case| case.name.as_str()).collect()
}

/// Opens the suites of all selected packages.
pub(crate) fn open_all(flags: &PackageFlags, platform: Platform, settings: &Settings) -> Result<Vec<Package>, Failure> {
    let Selected { root, packages } = flags.select(&settings.cargo)?;
    let workspace = settings.workspace_root.clone().unwrap_or(root);
    let settings = Settings { workspace_root: Some(workspace.clone()), ..settings.clone() };
    let mut opened = Vec::new();
    for metadata in packages {
        let folder = artifacts::root(&metadata);
        let suite =
            Suite::open(&folder, Some(&workspace), platform.clone(), settings.clone()).map_err(Failure::failed)?;
        opened.push(Package { metadata, suite });
    }
    Ok(opened)
}

/// Whether the target flags mean this workload; a malformed one only where there are none.
pub(crate) fn runs_a_target(case: &Case, flags: &TargetFlags) -> bool {
    case.document().map_or(!flags.given(), |document| flags.select(&document.workload.program))
}

/// The platform of what is built: `--target`, else our own.
pub(crate) fn platform(flags: &BuildFlags) -> Result<Platform, Failure> {
    let Some(triple) = flags.target() else { return Ok(settings::platform()) };
    Platform::from_triple(triple).ok_or_else(|| Failure::usage(format!("`{triple}` is not a target triple")))
}

/// Builds, with one call of cargo, what the selected workloads run and what `more` asks for.
pub(crate) fn build(
    packages: &[Package],
    selected: impl Fn(&Case) -> bool,
    more: impl Fn(&Package) -> Option<Target>,
    cargo: &Path,
    flags: &[OsString],
) -> Artifacts {
    let wanted: Vec<(&cargo_metadata::Package, BTreeSet<Target>)> = packages
        .iter()
        .map(|package| {
            let mut targets = package.suite.targets(&selected);
            targets.extend(more(package));
            (&package.metadata, targets)
        })
        .collect();
    let colour = packages.first().and_then(|package| package.suite.settings().colour);
    let flags: Vec<OsString> = flags.iter().cloned().chain(colour_flags(colour)).collect();
    Build { cargo, flags: &flags, shown: true, stdin: Stdio::null(), without: &[] }.run(&wanted)
}

/// A flag for cargo, which beats its environment as ours does; none where nothing was asked for.
pub(crate) fn colour_flags(colour: Option<bool>) -> Vec<OsString> {
    let flags = colour.map(|colour| ["--color", colour_word(colour)].map(OsString::from));
    flags.into_iter().flatten().collect()
}

/// What is wrong with the names of files, package by package; the other workloads are not touched
/// by it.
pub(crate) fn faults(packages: &[Package]) -> Result<(), Failure> {
    let faults = packages.iter().filter_map(|package| Some(package.suite.fault()?.content.err()?.message));
    match faults.collect::<Vec<_>>() {
        none if none.is_empty() => Ok(()),
        some => Err(Failure::failed(some.join("\n"))),
    }
}

/// What to say where nothing was found.
pub(crate) const NOTHING_FOUND: &str = "no workloads found: the selected packages have no expectations/; `cargo sysguard init` writes some, and \
     `cargo sysguard run -- test` traces the tests";
