//! `cargo sysguard explain`: shows what a name means to the kernel, and which workloads of the
//! repository use it. Main type: [`Options`]. It runs no workload.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use sysguard::unstable::model::explain::{Explanation, Kernel, Meaning, Recorded, Unknown, What, explain};
use sysguard::unstable::model::run::test_name;
use sysguard::unstable::report::explain::Ways;
use sysguard::unstable::report::{Palette, explain as words};
use sysguard::unstable::settings::Flags;

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::kernel_tree::KernelTree;
use crate::message;
use crate::output;
use crate::proposals::Proposals;
use crate::reachability::reachability;
use crate::recorded::{self, Workload};

/// `explain`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// A system call (openat, x86_64:257), an argument (AF_INET), an object (file:proc), a
    /// subsystem (network), or the key of a recorded or pending finding
    name: String,
    /// Write the explanation in this format: text, markdown or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: ExplainFormat,
    /// Read an unpacked kernel source tree instead of the built-in tables
    #[arg(long, value_name = "DIR")]
    kernel_source: Option<PathBuf>,
    /// Also say whether the code of this program could make the call, or calls of the subsystem
    ///
    /// PROGRAM is a path, a name on PATH, or bin:NAME for a binary of the package.
    #[arg(long, value_name = "PROGRAM")]
    reach: Option<OsString>,
    #[command(flatten)]
    cargo: PackageFlags,
}

const AFTER_HELP: &str = "\
A name with several meanings is explained in all of them. The key of a test may omit `run::`. Exit codes: 0 if the name is known; 2 if it is unknown (similar names are suggested).";

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
        let meant = |kernel: &Kernel| {
            explain(&self.name, kernel, &recorded).map_err(|unknown| self.unknown(&unknown, &workloads))
        };
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
        let ways = self.reach.as_deref().map(|program| self.ways(program, &explained, context)).transpose()?;
        self.write(&explained, &kernel, ways.as_ref()).map_err(Failure::output)?;
        Ok(Outcome::Expected)
    }

    fn write(&self, explained: &Explanation, kernel: &Kernel, ways: Option<&Ways>) -> std::io::Result<()> {
        let mut out = output::stdout();
        match self.format {
            ExplainFormat::Text => words::text(&mut out, explained, kernel, ways, &Palette::coloured()),
            ExplainFormat::Markdown => words::markdown(&mut out, explained, kernel, ways),
            ExplainFormat::Json => words::json(&mut out, explained, kernel, ways),
        }
    }

    /// Returns the ways to the calls that the name stands for.
    fn ways(&self, program: &OsStr, explained: &Explanation, context: &Context) -> Result<Ways, Failure> {
        let calls = |meaning: &Meaning| match &meaning.what {
            What::Call(call) => vec![call.name.clone()],
            What::Subsystem(subsystem) => subsystem.calls.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let calls: BTreeSet<String> = explained.meanings.iter().flat_map(calls).collect();
        if calls.is_empty() {
            let name = &self.name;
            return Err(Failure::usage(format!(
                "`{name}` is neither a syscall nor a subsystem: --reach finds syscalls, not their arguments"
            )));
        }
        reachability(program, &self.cargo, context).map(|reachability| reachability.ways(program, &calls))
    }

    /// Returns the workloads of the selected packages, or none outside a project.
    fn workloads(&self, context: &Context) -> Result<Vec<Workload>, Failure> {
        let settings = context.settings(Flags::default())?;
        if !self.cargo.is_in_a_project() {
            return Ok(Vec::new());
        }
        let (workloads, faults) = recorded::all_with_pending(&Proposals::open(&self.cargo, &settings)?);
        for fault in faults {
            // Ignore a closed standard error: the explanation is still written.
            let _ = writeln!(anstream::stderr(), "{}", message::warning(&fault.to_string()));
        }
        Ok(workloads)
    }

    fn unknown(&self, Unknown { near }: &Unknown, workloads: &[Workload]) -> Failure {
        let name = &self.name;
        if let Some(Workload { name: of, .. }) = workloads.iter().find(|workload| names_workload(&workload.name, name))
        {
            let what = if of.ends_with(name.as_str()) { "a workload" } else { "the beginning of a workload's name" };
            let key = near.iter().find(|near| near.contains("::")).cloned();
            let key = key.unwrap_or_else(|| format!("{of}::process::execve"));
            return Failure::usage(format!(
                "`{name}` is {what}, not a key\nhelp: give a key such as {key}, or run `cargo sysguard report {name}` \
                 to see what it uses"
            ));
        }
        let hint = message::did_you_mean(near)
            .unwrap_or_else(|| "\nhelp: give a system call, argument, object, subsystem or key".to_owned());
        Failure::usage(format!("unknown name `{name}`{hint}"))
    }
}

/// Returns whether the workload is at or below this name, which may omit `run::`.
fn names_workload(workload: &str, name: &str) -> bool {
    let matches = |workload: &str| test_name::is_at_or_below(workload, name);
    matches(workload) || test_name::short(workload).is_some_and(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_named_with_and_without_run() {
        for (workload, name, is_named) in [
            ("net::talk", "net::talk", true),
            ("net::talk", "net", true),
            ("net::talk", "ne", false),
            ("net::talk", "talk", false),
            ("run::fd::it::a", "fd::it", true),
            ("run::fd::it::a", "run::fd::it::a", true),
        ] {
            assert_eq!(names_workload(workload, name), is_named, "{name} of {workload}");
        }
    }
}
