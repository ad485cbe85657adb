//! `cargo sysguard review`: asks for a decision on each pending finding on a terminal. Main type:
//! [`Options`]. It runs no workload.

use std::io::{self, IsTerminal, Write};

use sysguard::unstable::linux::keep_terminal;
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::model::judge::verdict::Change;
use sysguard::unstable::report::{self, PendingKeys};
use sysguard::unstable::runner::DiffTool;
use sysguard::unstable::settings::Flags;
use sysguard::unstable::store::StoreError;

use super::accept::print_line;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;
use crate::proposals::{ProposalFlags, Proposals, WorkloadId};
use crate::review::{Review, write_change};

/// `review`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Review only workloads with one of these in their name; no match is an error
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    #[command(flatten)]
    proposals: ProposalFlags,
}

const AFTER_HELP: &str = "\
On a terminal, shows one finding at a time and waits for a key: a accepts, e accepts with a reason, r rejects, s skips, u undoes the last decision, o opens $VISUAL or \
$EDITOR at the source line or the expectation, ? explains the keys, q quits; a capital letter decides on all findings from here on of the workload, g accepts and x \
rejects all findings of the cause in every workload. Each decision is written at once. Elsewhere, prints the changes and the commands that decide on them. Exit codes: 0 if nothing is pending \
afterwards; 101 otherwise.";

impl Options {
    /// Reviews on a terminal. Otherwise prints the pending changes and the commands that decide on
    /// them.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let diff_tool = DiffTool::of(&settings);
        let proposals = self.proposals.open(context)?;
        let (found, faults) = self.pending(&proposals);
        if found.is_empty() && faults.is_empty() && !self.filters.is_empty() {
            let filters = self.filters.join("`, `");
            return Err(Failure::usage(format!("no workload that matches `{filters}` has pending findings")));
        }
        for fault in &faults {
            // Ignore a closed standard error: the exit code remains.
            let _ = writeln!(anstream::stderr(), "{}", message::error(&fault.to_string()));
        }
        if found.is_empty() && faults.is_empty() {
            return print_line("nothing is pending");
        }
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            keep_terminal().map_err(|error| Failure::failed(format!("cannot read the terminal modes: {error}")))?;
            Review::new(&proposals, &found, diff_tool, settings.editor.as_deref()).run()?;
        } else {
            let folder = self.proposals.folder()?;
            let flag = folder.map(|folder| report::pending_dir_flag(&folder.display().to_string())).unwrap_or_default();
            for (place, pending) in &found {
                show(&proposals, place, pending, &flag, diff_tool).map_err(Failure::output)?;
            }
            let keys: Vec<PendingKeys> = found.iter().map(|(place, pending)| proposals.keys(place, pending)).collect();
            report::pending_causes(&mut output::stdout(), &keys, &flag).map_err(Failure::output)?;
        }
        let (rest, faults) = self.pending(&proposals);
        Ok(if rest.is_empty() && faults.is_empty() { Outcome::Expected } else { Outcome::Failed })
    }

    /// Returns the pending findings of the selected workloads, and the unreadable files of all.
    fn pending(&self, proposals: &Proposals) -> (Vec<(WorkloadId, Pending)>, Vec<StoreError>) {
        let (mut found, faults) = proposals.all();
        let is_named = |name: &str| self.filters.iter().any(|filter| name.contains(filter.as_str()));
        found.retain(|((_, name), _)| self.filters.is_empty() || is_named(name));
        (found, faults)
    }
}

/// Prints how accepting all findings changes the file, and the commands to decide on them.
fn show(
    proposals: &Proposals,
    place: &WorkloadId,
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
    writeln!(out, "cargo sysguard reject '{}'{flag}   # or one of the keys above\n", place.1)
}
