//! `cargo sysguard accept`: moves what keys name from proposals into their files. Nothing is run.

use std::io::Write;

use sysguard::model::judge::pending::Settled;

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::output;
use crate::proposals::{Decision, Place, Taken, Where, takes_reason};

/// `accept`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// What `pending` prints; also a name and `workload::subsystem`, which take all that is below
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    /// The reason: becomes the `why:` of each system call, after the one that is there
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    why: Option<String>,
    #[command(flatten)]
    proposals: Where,
}

const AFTER_HELP: &str = "\
A name, or its beginning up to a `::`, takes every workload below it; a test's name may lack `run::`. A system call takes its arguments and objects along and nothing else; anything finer takes its system call along. \
All keys are looked up before anything is written.";

impl Options {
    /// Looks all keys up, then writes: each file before its proposal.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let proposals = self.proposals.open(context)?;
        let taken = proposals.resolve(&self.keys, Decision::Accept)?;
        let why = self.why.as_deref();
        let mut decided: Vec<(Place, Settled)> = Vec::new();
        for (place, taken) in taken {
            let Taken::Facts(facts) = taken else { continue };
            if why.is_some() && !takes_reason(&facts) {
                let workload = &place.1;
                return Err(Failure::usage(format!(
                    "what is accepted of {workload} has no place for a reason: leave --why out"
                )));
            }
            // It was there a moment ago.
            let Some(pending) = proposals.pending(&place).map_err(Failure::failed)? else { continue };
            decided.push((place, pending.accept(&facts, why)));
        }
        if decided.is_empty() {
            return told("nothing to accept: the files hold it already");
        }
        for (place, settled) in &decided {
            proposals.settle(place, settled)?;
            told(&format!("wrote {}", proposals.file(place)))?;
        }
        Ok(Outcome::Expected)
    }
}

pub(super) fn told(line: &str) -> Result<Outcome, Failure> {
    writeln!(output::stdout(), "{line}").map_err(Failure::output)?;
    Ok(Outcome::Expected)
}
