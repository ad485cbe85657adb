//! `cargo sysguard reject`: removes pending findings from their proposals, without a record. Main
//! type: [`Options`]. It runs no workload.

use super::accept::print_line;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::proposals::{Decision, ProposalFlags, Taken};

/// `reject`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Keys that `pending` prints; a name or `workload::subsystem` selects all findings below it
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    proposals: ProposalFlags,
}

const AFTER_HELP: &str = "\
Rejecting a system call also rejects its arguments and objects. A workload's name removes its proposal even if the proposal no longer fits its file. \
The next `cargo sysguard test` proposes again what it still finds.";

impl Options {
    /// Resolves all keys, then writes.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let proposals = self.proposals.open(context)?;
        let mut decided = Vec::new();
        for (place, taken) in proposals.resolve(&self.keys, Decision::Reject)? {
            let settled = match (&taken, proposals.pending(&place)) {
                (Taken::Facts(facts), Ok(Some(pending))) => pending.reject(facts).proposal,
                (Taken::Facts(_), Err(error)) => return Err(Failure::failed(error)),
                _ => None,
            };
            decided.push((place, settled));
        }
        if decided.is_empty() {
            return print_line("nothing to reject");
        }
        for (place, rest) in &decided {
            proposals.leave(place, rest.as_deref())?;
            let done = if rest.is_some() { "wrote" } else { "removed" };
            print_line(&format!("{done} {}", proposals.proposal_file(place)))?;
        }
        Ok(Outcome::Expected)
    }
}
