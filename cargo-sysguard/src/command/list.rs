//! `cargo sysguard list`: the workloads, one a line. Nothing is run or built.

use std::io::Write;

use sysguard::runner::Case;
use sysguard::settings::Flags;

use super::Context;
use crate::cargo::CargoFlags;
use crate::exit_code::{Failure, Outcome};
use crate::suites;

/// `list`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only workloads whose name contains one of these
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    #[command(flatten)]
    cargo: CargoFlags,
}

impl Options {
    /// Prints the names, also of workloads whose file is malformed.
    pub(super) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let mut out = anstream::stdout();
        let packages = suites::open(&self.cargo, &settings)?;
        for package in &packages {
            for case in package.suite.cases().iter().filter(|case| self.names(case)) {
                writeln!(out, "{}", case.name).map_err(Failure::output)?;
            }
        }
        suites::faults(&packages)?;
        Ok(Outcome::Expected)
    }

    fn names(&self, case: &Case) -> bool {
        let matches = |filter: &String| case.name.contains(filter.as_str());
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && suites::runs_a_target(case, &self.cargo.targets)
    }
}
