//! `cargo sysguard reject`: drops what keys name from proposals, and remembers nothing. Nothing is
//! run.

use super::accept::told;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::proposals::{Decision, Taken, Where};

/// `reject`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// What `pending` prints; also a name and `workload::subsystem`, which take all that is below
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    proposals: Where,
}

const AFTER_HELP: &str = "\
A system call takes its arguments and objects along. A workload's name removes its proposal even where that fits no file any more. \
The next `cargo sysguard test` proposes anew what it still finds.";

impl Options {
    /// Looks all keys up, then writes.
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
            return told("nothing to reject");
        }
        for (place, rest) in &decided {
            proposals.leave(place, rest.as_deref())?;
            let done = if rest.is_some() { "wrote" } else { "removed" };
            told(&format!("{done} {}", proposals.proposal_file(place)))?;
        }
        Ok(Outcome::Expected)
    }
}
