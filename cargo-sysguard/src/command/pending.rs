//! `cargo sysguard pending`: lists pending findings, one key per line or as JSON. Main type:
//! [`Options`]. It runs no workload.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use sysguard::unstable::report::{self, Palette, PendingKeys};

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;
use crate::proposals::ProposalFlags;

/// `pending`'s options.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 if nothing is pending; 101 if anything is. `cargo sysguard accept KEY` and `reject KEY` decide on it; a KEY such as @1a2b3c4d is a cause."
)]
pub(crate) struct Options {
    /// Write the list in this format: text (one key per line; by cause on a
    /// terminal) or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: PendingFormat,
    /// List only workloads with one of these in their name; no match is an error
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    #[command(flatten)]
    proposals: ProposalFlags,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum PendingFormat {
    #[default]
    Text,
    Json,
}

impl Options {
    /// Prints the keys. Any pending finding makes the outcome a failure.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let proposals = self.proposals.open(context)?;
        let is_named =
            |name: &str| self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()));
        if !self.filters.is_empty()
            && !proposals.packages().any(|(_, store)| store.names().chain(store.pending()).any(is_named))
        {
            let filters = self.filters.join("`, `");
            return Err(Failure::usage(format!(
                "no workload matches `{filters}`\nhelp: `cargo sysguard list` lists all workloads"
            )));
        }
        let (mut found, faults) = proposals.all();
        found.retain(|((_, name), _)| is_named(name));
        let keys: Vec<PendingKeys> = found.iter().map(|(place, pending)| proposals.keys(place, pending)).collect();
        let mut out = output::stdout();
        match self.format {
            PendingFormat::Json => report::pending(&mut out, &keys),
            PendingFormat::Text if io::stdout().is_terminal() => {
                report::pending_groups(&mut out, &keys, &Palette::coloured())
            }
            PendingFormat::Text => keys.iter().flat_map(|of| &of.keys).try_for_each(|key| writeln!(out, "{key}")),
        }
        .map_err(Failure::output)?;
        for fault in &faults {
            // Ignore a closed standard error: the exit code remains.
            let _ = writeln!(anstream::stderr(), "{}", message::error(&fault.to_string()));
        }
        Ok(if keys.is_empty() && faults.is_empty() { Outcome::Expected } else { Outcome::Failed })
    }
}
