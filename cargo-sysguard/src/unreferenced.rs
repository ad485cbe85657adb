//! Orphans, which are proposals without their file, and what `--unreferenced` does about them. Main type: [`Unreferenced`].

use std::io::Write;

use clap::ValueEnum;

use crate::cli;
use crate::exit_code::{Failure, Outcome};
use crate::proposals::{Place, Proposals};

/// What becomes of orphans, as insta's `--unreferenced`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unreferenced {
    /// They are not looked for.
    #[default]
    Ignore,
    /// They are named.
    Warn,
    /// They fail the run.
    Reject,
    /// They are removed.
    Delete,
    /// `reject` in CI, else `delete`.
    Auto,
}

impl Unreferenced {
    /// Whether there is anything to do.
    pub(crate) fn looks(self) -> bool {
        self != Self::Ignore
    }

    /// Does it, and says so on standard error.
    pub(crate) fn exec(self, proposals: &Proposals, ci: bool) -> Result<Outcome, Failure> {
        let meant = match self {
            Self::Auto if ci => Self::Reject,
            Self::Auto => Self::Delete,
            other => other,
        };
        let orphans: Vec<Place> = proposals.places().into_iter().filter(|place| is_orphan(proposals, place)).collect();
        for place in &orphans {
            let file = proposals.proposal_file(place);
            let line = match meant {
                Self::Ignore | Self::Auto => continue,
                Self::Warn => cli::warning(&format!("{file} is a proposal for no file")).to_string(),
                Self::Reject => {
                    let command = format!("`cargo sysguard reject {}` removes it", place.1);
                    cli::error(&format!("{file} is a proposal for no file: {command}")).to_string()
                }
                Self::Delete => {
                    proposals.store(place).remove_proposal(&place.1).map_err(Failure::failed)?;
                    cli::warning(&format!("removed {file}, a proposal for no file")).to_string()
                }
            };
            // Where even standard error is gone, the exit code has to do.
            let _ = writeln!(anstream::stderr(), "{line}");
        }
        let fails = meant == Self::Reject && !orphans.is_empty();
        Ok(if fails { Outcome::Failed } else { Outcome::Expected })
    }
}

fn is_orphan(proposals: &Proposals, place: &Place) -> bool {
    !proposals.store(place).names().any(|name| name == place.1)
}
