//! `cargo sysguard review`: decides on what is pending, finding by finding on a terminal. Nothing is run.

use std::io::{self, IsTerminal, Write};

use sysguard::model::expectation::Pending;
use sysguard::model::verdict::Change;
use sysguard::report::{self, Palette};

use super::Context;
use super::accept::told;
use crate::cli;
use crate::exit_code::{Failure, Outcome};
use crate::proposals::{Place, Proposals, Where};
use crate::review::Review;

/// `review`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    proposals: Where,
}

impl Options {
    /// Reviews on a terminal; elsewhere shows what there is to decide and what to type.
    pub(super) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let proposals = self.proposals.open(context)?;
        let (found, faults) = proposals.all();
        for fault in &faults {
            // Where even standard error is gone, the exit code has to do.
            let _ = writeln!(anstream::stderr(), "{}", cli::error(&fault.to_string()));
        }
        if found.is_empty() && faults.is_empty() {
            return told("nothing is pending");
        }
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            Review::new(&proposals, &found).run()?;
        } else {
            for (place, pending) in &found {
                show(&proposals, place, pending).map_err(Failure::output)?;
            }
        }
        let (rest, faults) = proposals.all();
        Ok(if rest.is_empty() && faults.is_empty() { Outcome::Expected } else { Outcome::Failed })
    }
}

/// What accepting all of it makes of the file, and the commands.
fn show(proposals: &Proposals, place: &Place, pending: &Pending) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    let file = proposals.file(place);
    let written = Some(proposals.proposal_file(place));
    let change = Change { before: pending.file().text(), after: pending.accept(pending.all(), None).file, written };
    report::change(&mut out, &file, &change, &Palette::coloured())?;
    writeln!(out)?;
    for key in pending.keys(&place.1) {
        writeln!(out, "cargo sysguard accept '{key}'")?;
    }
    writeln!(out, "cargo sysguard reject '{}'   # or one of these keys\n", place.1)
}
