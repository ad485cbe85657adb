//! Orphans, which are proposals without their file and files of tests that are no more, and what
//! `--unreferenced` does about them. Main type: [`Unreferenced`].

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use sysguard::settings::Settings;
use sysguard::store::{Store, proposals_below};

use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::nested::Plan;
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

    fn meant(self, ci: bool) -> Self {
        match self {
            Self::Auto if ci => Self::Reject,
            Self::Auto => Self::Delete,
            other => other,
        }
    }

    /// Does it to the files of tests that a complete run of these packages did not show, and says
    /// so on standard error.
    pub(crate) fn tests(
        self,
        folders: &[PathBuf],
        seen: &BTreeSet<String>,
        settings: &Settings,
        plan: &Plan,
    ) -> Result<Outcome, Failure> {
        let meant = self.meant(settings.ci);
        let mut outcome = Outcome::Expected;
        for folder in folders {
            let below =
                settings.pending_dir.as_deref().map(|pending| proposals_below(pending, &plan.workspace, folder));
            let store = Store::open(folder, below.as_deref()).map_err(Failure::failed)?;
            let is_gone = |name: &&str| plan.misses(folder, name, seen);
            for name in store.names().chain(store.pending()).filter(is_gone).collect::<BTreeSet<_>>() {
                let file = folder.join(store.file(name)).display().to_string();
                // Of a shared file it is only a part.
                let part = if store.is_shared(name) { format!("{name} in {file}") } else { file };
                let line = match meant {
                    Self::Ignore | Self::Auto => continue,
                    Self::Warn => message::warning(&format!("{part} is of a test that is no more")).to_string(),
                    Self::Reject => {
                        outcome = Outcome::Failed;
                        message::error(&format!(
                            "{part} is of a test that is no more: remove it, or --unreferenced=delete does"
                        ))
                        .to_string()
                    }
                    Self::Delete => {
                        store.remove(name).map_err(Failure::failed)?;
                        message::warning(&format!("removed {part}, of a test that is no more")).to_string()
                    }
                };
                // Where even standard error is gone, the exit code has to do.
                let _ = writeln!(anstream::stderr(), "{line}");
            }
        }
        Ok(outcome)
    }

    /// Does it, and says so on standard error.
    pub(crate) fn exec(self, proposals: &Proposals, ci: bool) -> Result<Outcome, Failure> {
        let meant = self.meant(ci);
        let orphans: Vec<Place> = proposals.places().into_iter().filter(|place| is_orphan(proposals, place)).collect();
        for place in &orphans {
            let file = proposals.proposal_file(place);
            let line = match meant {
                Self::Ignore | Self::Auto => continue,
                Self::Warn => message::warning(&format!("{file} is a proposal for no file")).to_string(),
                Self::Reject => {
                    let command = format!("`cargo sysguard reject {}` removes it", place.1);
                    message::error(&format!("{file} is a proposal for no file: {command}")).to_string()
                }
                Self::Delete => {
                    proposals.store(place).remove_proposal(&place.1).map_err(Failure::failed)?;
                    message::warning(&format!("removed {file}, a proposal for no file")).to_string()
                }
            };
            // Where even standard error is gone, the exit code has to do.
            let _ = writeln!(anstream::stderr(), "{line}");
        }
        let fails = meant == Self::Reject && !orphans.is_empty();
        Ok(if fails { Outcome::Failed } else { Outcome::Expected })
    }
}

/// A test needs no file before what it uses is accepted.
fn is_orphan(proposals: &Proposals, place: &Place) -> bool {
    let store = proposals.store(place);
    let needs_no_file = || {
        store.proposal(&place.1).is_ok_and(|proposal| {
            proposal.is_some_and(|proposal| proposal.expectation.document.workload.program.needs_no_file())
        })
    };
    !store.names().any(|name| name == place.1) && !needs_no_file()
}
