//! `cargo sysguard list`: lists the workloads, one per line or as JSON. Main type: [`Options`]. It
//! builds and runs nothing.

use std::io::Write;

use clap::ValueEnum;
use sysguard::model::run::workload::Program;
use sysguard::report::{self, Listed};
use sysguard::runner::Case;
use sysguard::settings::{self, Flags};

use crate::cargo::{PackageFlags, TargetFlags};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::output;
use crate::suites::{self, Package};

/// `list`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Write the list in this format: text (one name per line) or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: ListFormat,
    /// List only workloads with one of these in their name
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    #[command(flatten)]
    cargo: PackageFlags,
    #[command(flatten)]
    targets: TargetFlags,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ListFormat {
    #[default]
    Text,
    Json,
}

impl Options {
    /// Prints the names, including workloads with a malformed file.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let packages = suites::open_all(&self.cargo, settings::platform(), &settings)?;
        let listed: Vec<Listed> = packages
            .iter()
            .flat_map(|package| ordered(package).into_iter().map(move |case| (package, case)))
            .filter(|(_, case)| self.names(case))
            .map(|(package, case)| listed(package, case))
            .collect();
        let mut out = output::stdout();
        match self.format {
            ListFormat::Text => listed.iter().try_for_each(|workload| writeln!(out, "{}", workload.name)),
            ListFormat::Json => report::list(&mut out, &listed),
        }
        .map_err(Failure::output)?;
        suites::faults(&packages)?;
        Ok(Outcome::Expected)
    }

    fn names(&self, case: &Case) -> bool {
        let matches = |filter: &String| case.name.contains(filter.as_str());
        (self.filters.is_empty() || self.filters.iter().any(matches)) && suites::runs_a_target(case, &self.targets)
    }
}

/// Returns workloads and tests that cargo runs, sorted by name.
fn ordered(package: &Package) -> Vec<&Case> {
    let mut cases: Vec<&Case> = package.suite.cases().iter().chain(package.suite.tests()).collect();
    cases.sort_by_key(|case| &case.name);
    cases
}

fn listed(package: &Package, case: &Case) -> Listed {
    let program = case.document().map(|document| match &document.workload.program {
        Program::Command(_) => "command",
        Program::Bin(_) => "bin",
        Program::Example(_) => "example",
        Program::Test(_) => "test",
        Program::Bench(_) => "bench",
        Program::Closure(_) => "closure",
        Program::Run(_) => "run",
    });
    let baselines = case.content.iter().flat_map(|parsed| &parsed.expectation.baselines);
    Listed {
        name: case.name.clone(),
        package: package.metadata.name.to_string(),
        file: case.file.clone(),
        program,
        ignored: case.ignored().map(str::to_owned),
        baselines: baselines.map(|baseline| baseline.platform.to_string()).collect(),
        malformed: case.content.as_ref().err().map(|fault| fault.message.clone()),
    }
}
