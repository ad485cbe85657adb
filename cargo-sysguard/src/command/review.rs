//! `cargo sysguard review`: decides on what is pending, finding by finding on a terminal. Nothing
//! is run.

use std::io::{self, IsTerminal, Write};

use sysguard::linux::keep_terminal;
use sysguard::model::judge::pending::Pending;
use sysguard::model::judge::verdict::Change;
use sysguard::report;
use sysguard::runner::DiffTool;
use sysguard::settings::Flags;
use sysguard::store::StoreError;

use super::accept::told;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;
use crate::proposals::{Place, Proposals, Where};
use crate::review::{Review, write_change};

/// `review`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only workloads whose name contains one of these; that nothing is pending of any is wrong
    /// usage
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    #[command(flatten)]
    proposals: Where,
}

impl Options {
    /// Reviews on a terminal; elsewhere shows what there is to decide and what to type.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let diff_tool = DiffTool::of(&settings);
        let proposals = self.proposals.open(context)?;
        let (found, faults) = self.pending(&proposals);
        if found.is_empty() && faults.is_empty() && !self.filters.is_empty() {
            let filters = self.filters.join("`, `");
            return Err(Failure::usage(format!("nothing is pending of any workload named by `{filters}`")));
        }
        for fault in &faults {
            // Where even standard error is gone, the exit code has to do.
            let _ = writeln!(anstream::stderr(), "{}", message::error(&fault.to_string()));
        }
        if found.is_empty() && faults.is_empty() {
            return told("nothing is pending");
        }
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            keep_terminal().map_err(|error| Failure::failed(format!("cannot read the terminal's modes: {error}")))?;
            Review::new(&proposals, &found, diff_tool).run()?;
        } else {
            let folder = self.proposals.pending_dir.absolute()?;
            let flag = folder.map(|folder| report::pending_dir_flag(&folder.display().to_string())).unwrap_or_default();
            for (place, pending) in &found {
                show(&proposals, place, pending, &flag, diff_tool).map_err(Failure::output)?;
            }
        }
        let (rest, faults) = self.pending(&proposals);
        Ok(if rest.is_empty() && faults.is_empty() { Outcome::Expected } else { Outcome::Failed })
    }

    /// What is pending of the workloads that are meant, and what cannot be decided on, whosever it
    /// is.
    fn pending(&self, proposals: &Proposals) -> (Vec<(Place, Pending)>, Vec<StoreError>) {
        let (mut found, faults) = proposals.all();
        let is_named = |name: &str| self.filters.iter().any(|filter| name.contains(filter.as_str()));
        found.retain(|((_, name), _)| self.filters.is_empty() || is_named(name));
        (found, faults)
    }
}

/// What accepting all of it makes of the file, and the commands.
fn show(
    proposals: &Proposals,
    place: &Place,
    pending: &Pending,
    flag: &str,
    diff_tool: Option<DiffTool<'_>>,
) -> io::Result<()> {
    let mut out = output::stdout();
    let file = proposals.file(place);
    let written = Some(proposals.proposal_file(place));
    let change = Change {
        before: pending.file().text(),
        after: pending.accept(pending.all(), None).file,
        written,
        ..Change::default()
    };
    write_change(&mut out, &file, &change, diff_tool)?;
    writeln!(out)?;
    let keys = proposals.keys(place, pending);
    for key in &keys.keys {
        let remark = keys.remark(key).map(|remark| format!("   # {remark}"));
        writeln!(out, "cargo sysguard accept '{key}'{flag}{}", remark.unwrap_or_default())?;
    }
    writeln!(out, "cargo sysguard reject '{}'{flag}   # or one of these keys\n", place.1)
}
