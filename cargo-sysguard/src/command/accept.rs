//! `cargo sysguard accept`: moves pending findings from proposals into their files. Main type:
//! [`Options`]. It runs no workload.

use std::collections::BTreeSet;
use std::io::Write;

use sysguard::unstable::model::facts::fact::Fact;

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::output;
use crate::proposals::{Decision, ProposalFlags, Taken, WorkloadId, takes_reason};

/// `accept`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Keys that `pending` prints; a name or `workload::subsystem` selects all findings below it,
    /// and an id such as @1a2b3c4d all findings of one cause, in every workload
    #[arg(value_name = "KEY", required_unless_present = "all")]
    keys: Vec<String>,
    /// Append this reason to the `why:` of each accepted system call
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    why: Option<String>,
    #[command(flatten)]
    proposals: ProposalFlags,
}

const AFTER_HELP: &str = "\
`--all` without a KEY accepts everything that is pending in the workspace. \
A name, or its beginning up to a `::`, selects every workload below it; a test's name may omit `run::`. Accepting a system call also accepts its arguments and objects; \
accepting an argument or object also accepts its system call. All keys are resolved before any file is written.";

impl Options {
    /// Resolves all keys, then writes each file before its proposal.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let proposals = self.proposals.open(context)?;
        // Without keys, `--all` was given, which also selects all packages.
        let taken = match &self.keys[..] {
            [] => proposals.everything()?,
            keys => proposals.resolve(keys, Decision::Accept)?,
        };
        let why = self.why.as_deref();
        let mut decided: Vec<(WorkloadId, BTreeSet<Fact>)> = Vec::new();
        for (place, taken) in taken {
            let Taken::Facts(facts) = taken else { continue };
            if why.is_some() && !takes_reason(&facts) {
                let workload = &place.1;
                return Err(Failure::usage(format!(
                    "cannot add a reason to {workload}: only an accepted system call has a `why:`\nhelp: leave out --why"
                )));
            }
            decided.push((place, facts));
        }
        if decided.is_empty() {
            return print_line("nothing to accept: the files already contain it");
        }
        for (place, facts) in &decided {
            // Another process may have settled it meanwhile.
            if proposals.decide(place, |pending| pending.accept(facts, why))?.is_some() {
                print_line(&format!("wrote {}", proposals.file(place)))?;
            }
        }
        Ok(Outcome::Expected)
    }
}

/// Prints a line to standard output.
pub(super) fn print_line(line: &str) -> Result<Outcome, Failure> {
    writeln!(output::stdout(), "{line}").map_err(Failure::output)?;
    Ok(Outcome::Expected)
}
