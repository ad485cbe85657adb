//! The explorations of a run by package, in the order of their workloads. Main type:
//! [`ExplorationsByPackage`].

use std::path::{Path, PathBuf};

use sysguard::unstable::artifacts;
use sysguard::unstable::model::judge::exploration::ExplorationVerdict;
use sysguard::unstable::report::PackageExplorations;

use crate::suites::Package;
use crate::verdicts::{below_git, sources_of};

/// The explorations so far, by the folder of their package.
#[derive(Debug)]
pub(crate) struct ExplorationsByPackage {
    packages: Vec<(PathBuf, PackageExplorations)>,
}

impl ExplorationsByPackage {
    /// Returns an empty list for these packages, explored by a command.
    pub(crate) fn of(packages: &[Package], command: &str) -> Self {
        let nothing = |package: &Package| {
            let folder = artifacts::root(&package.metadata);
            let explorations = PackageExplorations {
                name: package.metadata.name.to_string(),
                folder: below_git(&folder),
                command: command.to_owned(),
                ..PackageExplorations::default()
            };
            (folder, explorations)
        };
        Self { packages: packages.iter().map(nothing).collect() }
    }

    /// Adds a verdict on a workload of the package in this folder, which must be one of them.
    pub(crate) fn add(&mut self, folder: &Path, verdict: ExplorationVerdict) {
        if let Some((_, package)) = self.packages.iter_mut().find(|(known, _)| known == folder) {
            package.verdicts.push(verdict);
        }
    }

    /// Returns the packages with explorations, and the source files of their call sites.
    pub(crate) fn into_packages(self) -> Vec<PackageExplorations> {
        let with_sources = |(folder, package): (PathBuf, PackageExplorations)| {
            let findings = package.verdicts.iter().flat_map(ExplorationVerdict::all);
            let paths = findings.flat_map(|(_, finding)| &finding.paths);
            let files = paths.filter_map(|path| path.site.as_ref()?.location.as_ref()?.file.as_deref());
            let sources = sources_of(&folder, files);
            PackageExplorations { sources, ..package }
        };
        let mut packages: Vec<PackageExplorations> = self.packages.into_iter().map(with_sources).collect();
        packages.retain(|package| !package.verdicts.is_empty());
        packages
    }
}
