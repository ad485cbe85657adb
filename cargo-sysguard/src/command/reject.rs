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
    /// Keys that `pending` prints; a name or `workload::subsystem` selects all findings below it,
    /// and an id such as @1a2b3c4d all findings of one cause, in every workload
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    proposals: ProposalFlags,
}

const AFTER_HELP: &str = "\
Rejecting a system call also rejects its arguments and objects. A workload's name removes its proposal even if the proposal no longer fits its file. \
The next `cargo sysguard test` or `run` proposes again what it still finds.";

impl Options {
    /// Resolves all keys, then writes.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let proposals = self.proposals.open(context)?;
        let decided = proposals.resolve(&self.keys, Decision::Reject)?;
        if decided.is_empty() {
            return print_line("nothing to reject");
        }
        for (place, taken) in &decided {
            let mut is_removed = true;
            let is_done = if let Taken::Facts(facts) = taken {
                proposals
                    .decide(place, |pending| {
                        let settled = pending.reject(facts);
                        is_removed = settled.proposal.is_none();
                        settled
                    })?
                    .is_some()
            } else {
                proposals.remove(place)?
            };
            // Another process may have settled it meanwhile.
            if is_done {
                let done = if is_removed { "removed" } else { "wrote" };
                print_line(&format!("{done} {}", proposals.proposal_file(place)))?;
            }
        }
        Ok(Outcome::Expected)
    }
}
