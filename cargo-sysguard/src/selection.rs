//! Selects workloads by name for the commands that run each of them: `bless` and `explore`. Main
//! type: [`Selection`].

use sysguard::unstable::runner::{Case, Suite};
use sysguard::unstable::settings::Settings;

use crate::cargo::{BuildFlags, TargetFlags};
use crate::suites::{self, Package};

/// The flags that select workloads.
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// Run only workloads with one of these in their name; no match is an error
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Match filters against the whole name
    #[arg(long)]
    exact: bool,
    /// Include workloads with an `ignore:`
    #[arg(long)]
    pub(crate) include_ignored: bool,
}

/// Filters that match no workload.
#[derive(Debug)]
pub(crate) struct NoMatch {
    /// The filters, for a message in backticks.
    pub(crate) filters: String,
    /// How many tests that cargo runs they match.
    pub(crate) tests: usize,
}

impl Selection {
    /// Returns whether a filter is exactly this name.
    pub(crate) fn is_exactly(&self, name: &str) -> bool {
        self.filters.iter().any(|filter| filter == name)
    }

    /// Returns whether filters and target flags select a workload, ignored or not.
    pub(crate) fn names(&self, case: &Case, targets: &TargetFlags) -> bool {
        let matches =
            |filter: &String| if self.exact { case.name == *filter } else { case.name.contains(filter.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(matches)) && suites::runs_a_target(case, targets)
    }

    /// Checks that there is a match if there are filters.
    pub(crate) fn check(&self, packages: &[Package], targets: &TargetFlags) -> Result<(), NoMatch> {
        let is_named = |package: &Package| package.suite.cases().iter().any(|case| self.names(case, targets));
        if self.filters.is_empty() || packages.iter().any(is_named) {
            return Ok(());
        }
        let tests = suites::tests(packages, |case| self.names(case, targets)).len();
        Err(NoMatch { filters: self.filters.join("`, `"), tests })
    }

    /// Builds what the selected workloads run.
    pub(crate) fn build(
        &self,
        packages: &mut Vec<Package>,
        targets: &TargetFlags,
        settings: &Settings,
        flags: &BuildFlags,
    ) {
        suites::retain_runnable(packages);
        let is_run = |case: &Case| self.names(case, targets) && (self.include_ignored || case.ignored().is_none());
        let built = suites::build(packages, is_run, |_| None, &settings.cargo, &flags.build_flags());
        for package in packages {
            package.suite.add_artifacts(built.clone());
        }
    }

    /// Returns the selected workloads, those that are ignored included.
    pub(crate) fn cases<'a>(&self, packages: &'a [Package], targets: &TargetFlags) -> Vec<(&'a Suite, &'a Case)> {
        let all =
            packages.iter().flat_map(|package| package.suite.cases().iter().map(move |case| (&package.suite, case)));
        all.filter(|(_, case)| self.names(case, targets)).collect()
    }
}
