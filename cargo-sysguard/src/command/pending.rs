//! `cargo sysguard pending`: what waits for a decision, one key a line, or as JSON. Nothing is run.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use sysguard::report::{self, PendingKeys};

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;
use crate::proposals::Where;

/// `pending`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How it is written: text (a key a line; on a terminal also whence it comes) or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: Format,
    /// Only workloads with one of these in their name; it is wrong usage if there is none
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    #[command(flatten)]
    proposals: Where,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

impl Options {
    /// Prints the keys; that there are any is a failure.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let proposals = self.proposals.open(context)?;
        let is_named =
            |name: &str| self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()));
        if !self.filters.is_empty()
            && !proposals.packages().any(|(_, store)| store.names().chain(store.pending()).any(is_named))
        {
            let filters = self.filters.join("`, `");
            return Err(Failure::usage(format!(
                "no workload is named by `{filters}`; `cargo sysguard list` names them all"
            )));
        }
        let (mut found, faults) = proposals.all();
        found.retain(|((_, name), _)| is_named(name));
        let keys: Vec<PendingKeys> = found.iter().map(|(place, pending)| proposals.keys(place, pending)).collect();
        let mut out = output::stdout();
        match self.format {
            Format::Json => report::pending(&mut out, &keys),
            Format::Text => keys.iter().try_for_each(|of| write_keys(&mut out, of, io::stdout().is_terminal())),
        }
        .map_err(Failure::output)?;
        for fault in &faults {
            // Where even standard error is gone, the exit code has to do.
            let _ = writeln!(anstream::stderr(), "{}", message::error(&fault.to_string()));
        }
        Ok(if keys.is_empty() && faults.is_empty() { Outcome::Expected } else { Outcome::Failed })
    }
}

/// One key a line; for people, what is known of it below.
fn write_keys(out: &mut dyn Write, of: &PendingKeys, remarks: bool) -> io::Result<()> {
    for key in &of.keys {
        writeln!(out, "{key}")?;
        if let Some(remark) = of.remark(key).filter(|_| remarks) {
            writeln!(out, "  {remark}")?;
        }
    }
    Ok(())
}
