//! The workloads of the selected packages, and the targets that cargo must build for them. Main
//! type: [`Package`].

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use sysguard::unstable::artifacts::{self, Artifacts, Build, Target, TargetKind};
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::runner::{Case, Suite};
use sysguard::unstable::settings::{self, Settings};

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
    /// Returns the test target named `sysguard`, if there is one. The name decides, because cargo's
    /// metadata does not contain the harness of a target.
    pub(crate) fn harness(&self) -> Option<Target> {
        let named = |target: &&cargo_metadata::Target| target.is_test() && target.name == "sysguard";
        let target = self.metadata.targets.iter().find(named)?;
        Some(Target { kind: TargetKind::Test, name: target.name.clone() })
    }
}

/// Removes the packages that have neither workloads nor a harness.
pub(crate) fn retain_runnable(packages: &mut Vec<Package>) {
    packages.retain(|package| {
        !package.suite.cases().is_empty() || package.suite.fault().is_some() || package.harness().is_some()
    });
}

/// Returns the names of the tests that cargo runs and the filter selects.
pub(crate) fn tests(packages: &[Package], selected: impl Fn(&Case) -> bool) -> Vec<&str> {
    let tests = packages.iter().flat_map(|package| package.suite.tests());
    tests.filter(|case| selected(case)).map(|case| case.name.as_str()).collect()
}

/// Opens the suites of all selected packages.
pub(crate) fn open_all(flags: &PackageFlags, platform: Platform, settings: &Settings) -> Result<Vec<Package>, Failure> {
    let Selected { root, packages, .. } = flags.select(&settings.cargo)?;
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

/// Returns whether the target flags select this workload. A malformed one is selected only if no
/// flag is given.
pub(crate) fn runs_a_target(case: &Case, flags: &TargetFlags) -> bool {
    case.document().map_or(!flags.given(), |document| flags.select(&document.workload.program))
}

/// Returns the platform to build for: that of `--target`, or else of this process.
pub(crate) fn platform(flags: &BuildFlags) -> Result<Platform, Failure> {
    let Some(triple) = flags.target() else { return Ok(settings::platform()) };
    Platform::from_triple(triple).ok_or_else(|| Failure::usage(format!("`{triple}` is not a target triple")))
}

/// Builds the targets of the selected workloads and of `more` with one call of cargo.
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

/// Returns cargo's `--color` flag, which overrides its environment, or nothing if no colour was
/// chosen.
pub(crate) fn colour_flags(colour: Option<bool>) -> Vec<OsString> {
    let flags = colour.map(|colour| ["--color", colour_word(colour)].map(OsString::from));
    flags.into_iter().flatten().collect()
}

/// Returns the faults in the names of files as one failure. They do not affect other workloads.
pub(crate) fn faults(packages: &[Package]) -> Result<(), Failure> {
    let faults = packages.iter().filter_map(|package| Some(package.suite.fault()?.content.err()?.message));
    match faults.collect::<Vec<_>>() {
        none if none.is_empty() => Ok(()),
        some => Err(Failure::failed(some.join("\n"))),
    }
}

/// The warning if no workload was found.
pub(crate) const NOTHING_FOUND: &str = "no workloads found: the selected packages have no expectations/\n\
     help: `cargo sysguard init` writes expectations, and `cargo sysguard run -- test` traces the tests";
