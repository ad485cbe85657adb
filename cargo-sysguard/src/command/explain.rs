//! `cargo sysguard explain`: shows what a name means to the kernel, and which workloads of the
//! repository use it. Main type: [`Options`]. It runs no workload.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use sysguard::unstable::model::explain::{Explanation, Kernel, Recorded, Unknown, explain};
use sysguard::unstable::report::{Palette, explain as words};
use sysguard::unstable::settings::Flags;

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::kernel_tree::KernelTree;
use crate::message;
use crate::output;
use crate::proposals::Proposals;
use crate::recorded::{self, Workload};

/// `explain`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// A system call (openat, x86_64:257), an argument (AF_INET), an object (file:proc), a
    /// subsystem (network) or a key
    name: String,
    /// Write the explanation in this format: text, markdown or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: ExplainFormat,
    /// Read an unpacked kernel source tree instead of the built-in tables
    #[arg(long, value_name = "DIR")]
    kernel_source: Option<PathBuf>,
    #[command(flatten)]
    cargo: PackageFlags,
}

const AFTER_HELP: &str = "\
A name with several meanings is explained in all of them. Exit codes: 0 if the name is known; 2 if it is unknown (similar names are suggested).";

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ExplainFormat {
    #[default]
    #[value(alias = "table")]
    Text,
    Markdown,
    Json,
}

impl Options {
    /// Explains the name.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let workloads = self.workloads(context)?;
        let recorded: Vec<Recorded<'_>> = workloads.iter().map(Workload::recorded).collect();
        let meant = |kernel: &Kernel| explain(&self.name, kernel, &recorded).map_err(|unknown| self.unknown(&unknown));
        let (explained, kernel) = match &self.kernel_source {
            None => {
                let kernel = Kernel::of_tables();
                (meant(&kernel)?, kernel)
            }
            Some(folder) => {
                let (tree, kernel) = KernelTree::open(folder)?.kernel()?;
                let mut explained = meant(&kernel)?;
                tree.locate(&mut explained)?;
                (explained, kernel)
            }
        };
        self.write(&explained, &kernel).map_err(Failure::output)?;
        Ok(Outcome::Expected)
    }

    fn write(&self, explained: &Explanation, kernel: &Kernel) -> std::io::Result<()> {
        let mut out = output::stdout();
        match self.format {
            ExplainFormat::Text => words::text(&mut out, explained, kernel, &Palette::coloured()),
            ExplainFormat::Markdown => words::markdown(&mut out, explained, kernel),
            ExplainFormat::Json => words::json(&mut out, explained, kernel),
        }
    }

    /// Returns the workloads of the selected packages, or none outside a project.
    fn workloads(&self, context: &Context) -> Result<Vec<Workload>, Failure> {
        let settings = context.settings(Flags::default())?;
        if !self.cargo.is_in_a_project() {
            return Ok(Vec::new());
        }
        let (workloads, faults) = recorded::all(&Proposals::open(&self.cargo, &settings)?);
        for fault in faults {
            // Ignore a closed standard error: the explanation is still written.
            let _ = writeln!(anstream::stderr(), "{}", message::warning(&fault.to_string()));
        }
        Ok(workloads)
    }

    fn unknown(&self, Unknown { near }: &Unknown) -> Failure {
        let hint = match &near[..] {
            [] => "\nhelp: give a system call, argument, object, subsystem or key".to_owned(),
            [one] => format!("; did you mean {one}?"),
            [some @ .., last] => format!("; did you mean {} or {last}?", some.join(", ")),
        };
        Failure::usage(format!("unknown name `{}`{hint}", self.name))
    }
}
