//! `--unreferenced`: what to do with orphans, which are proposals without an expectation file and
//! files of deleted tests. Main type: [`Unreferenced`].

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use sysguard::unstable::settings::Settings;
use sysguard::unstable::store::{Store, proposals_below};

use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::nested::Plan;
use crate::proposals::{Proposals, WorkloadId};

/// The action on orphans, as insta's `--unreferenced`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unreferenced {
    /// Do not look for them.
    #[default]
    Ignore,
    /// Print a warning for each.
    Warn,
    /// Fail the run.
    Reject,
    /// Remove them.
    Delete,
    /// `reject` in CI, else `delete`.
    Auto,
}

impl Unreferenced {
    /// Returns whether orphans are looked for at all.
    pub(crate) fn is_enabled(self) -> bool {
        self != Self::Ignore
    }

    fn resolved(self, ci: bool) -> Self {
        match self {
            Self::Auto if ci => Self::Reject,
            Self::Auto => Self::Delete,
            other => other,
        }
    }

    /// Handles the files of tests that a complete run of these packages did not show, with a line
    /// on standard error for each.
    pub(crate) fn tests(
        self,
        folders: &[PathBuf],
        seen: &BTreeSet<String>,
        settings: &Settings,
        plan: &Plan,
    ) -> Result<Outcome, Failure> {
        let resolved = self.resolved(settings.ci);
        let mut outcome = Outcome::Expected;
        for folder in folders {
            let below =
                settings.pending_dir.as_deref().map(|pending| proposals_below(pending, &plan.workspace, folder));
            let store = Store::open(folder, below.as_deref()).map_err(Failure::failed)?;
            let is_gone = |name: &&str| plan.is_deleted(folder, name, seen);
            for name in store.names().chain(store.pending()).filter(is_gone).collect::<BTreeSet<_>>() {
                let file = folder.join(store.file(name)).display().to_string();
                // A shared file also holds other tests.
                let part = if store.is_shared(name) { format!("{name} in {file}") } else { file };
                let line = match resolved {
                    Self::Ignore | Self::Auto => continue,
                    Self::Warn => {
                        message::warning(&format!("{part} belongs to a test that no longer exists")).to_string()
                    }
                    Self::Reject => {
                        outcome = Outcome::Failed;
                        message::error(&format!(
                            "{part} belongs to a test that no longer exists\nhelp: remove it, or run with --unreferenced=delete"
                        ))
                        .to_string()
                    }
                    Self::Delete => {
                        store.remove(name).map_err(Failure::failed)?;
                        message::warning(&format!("removed {part}: its test no longer exists")).to_string()
                    }
                };
                // Ignore a closed standard error: the exit code remains.
                let _ = writeln!(anstream::stderr(), "{line}");
            }
        }
        Ok(outcome)
    }

    /// Handles proposals without an expectation file, with a line on standard error for each.
    pub(crate) fn exec(self, proposals: &Proposals, ci: bool) -> Result<Outcome, Failure> {
        let resolved = self.resolved(ci);
        let orphans: Vec<WorkloadId> =
            proposals.places().into_iter().filter(|place| is_orphan(proposals, place)).collect();
        for place in &orphans {
            let file = proposals.proposal_file(place);
            let line = match resolved {
                Self::Ignore | Self::Auto => continue,
                Self::Warn => {
                    message::warning(&format!("{file} is a proposal without an expectation file")).to_string()
                }
                Self::Reject => {
                    let help = format!("help: `cargo sysguard reject {}` removes it", place.1);
                    message::error(&format!("{file} is a proposal without an expectation file\n{help}")).to_string()
                }
                Self::Delete => {
                    proposals.store(place).remove_proposal(&place.1).map_err(Failure::failed)?;
                    message::warning(&format!("removed {file}, a proposal without an expectation file")).to_string()
                }
            };
            // Ignore a closed standard error: the exit code remains.
            let _ = writeln!(anstream::stderr(), "{line}");
        }
        let fails = resolved == Self::Reject && !orphans.is_empty();
        Ok(if fails { Outcome::Failed } else { Outcome::Expected })
    }
}

/// Returns whether a proposal lacks its file. A test of cargo needs none before its first accepted
/// finding.
fn is_orphan(proposals: &Proposals, place: &WorkloadId) -> bool {
    let store = proposals.store(place);
    let needs_no_file = || {
        store.proposal(&place.1).is_ok_and(|proposal| {
            proposal.is_some_and(|proposal| proposal.expectation.document.workload.program.needs_no_file())
        })
    };
    !store.names().any(|name| name == place.1) && !needs_no_file()
}
