//! The flags that control verdicts in `test` and `run`, and how they reach the harness. Main type:
//! [`JudgingFlags`].

use std::path::{Path, PathBuf};
use std::process::Command;

use sysguard::unstable::model::judge::decide::UpdateMode;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::recording::CONFIRMING_RUNS;
use sysguard::unstable::settings::{Flags, Settings};

use crate::exit_code::Failure;

/// The flags that control verdicts.
#[derive(Debug, clap::Args)]
pub(crate) struct JudgingFlags {
    /// Choose what to write when a workload differs from its baseline: auto, new, always, unseen,
    /// no or force [default: auto]
    ///
    /// auto writes proposals, but nothing in CI; new writes proposals, in CI too; always writes the
    /// expectation; unseen writes the expectation if it has no baseline, and proposals otherwise;
    /// no writes nothing; force writes the expectation even if nothing differs.
    #[arg(long, value_name = "MODE")]
    update: Option<UpdateMode>,
    /// Re-run a workload N times to confirm a finding (0: fail on first sight)
    #[arg(long, value_name = "N", help = confirm_help())]
    confirm: Option<u32>,
    /// Fail if a workload cannot be traced or its program is missing
    #[arg(long)]
    require: bool,
    /// Write proposals to this directory instead of beside the expectations, in CI too
    #[arg(long, value_name = "DIRECTORY")]
    pending_dir: Option<PathBuf>,
}

/// Returns the help of `--confirm`, with its default.
fn confirm_help() -> String {
    format!("Re-run a workload N times to confirm a finding (0: fail on first sight) [default: {CONFIRMING_RUNS}]")
}

/// Returns the directory of `--pending-dir` as an absolute path.
pub(crate) fn absolute(pending_dir: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    pending_dir.map(std::path::absolute).transpose().map_err(Failure::usage)
}

impl JudgingFlags {
    /// Returns the flags with this engine. Paths become absolute, because the harness runs in
    /// another directory.
    pub(crate) fn with(&self, engine: Option<Engine>) -> Result<Flags, Failure> {
        let pending_dir = absolute(self.pending_dir.as_deref())?;
        Ok(Flags { update: self.update, confirm: self.confirm, require: self.require, pending_dir, engine })
    }
}

/// Returns the value of cargo's `--color`.
pub(crate) fn colour_word(colour: bool) -> &'static str {
    if colour { "always" } else { "never" }
}

/// Passes the settings to a child process through environment variables.
pub(crate) fn pass_settings(command: &mut Command, settings: &Settings) {
    command.env("SYSGUARD_UPDATE", settings.update.name());
    command.env("SYSGUARD_CONFIRM", settings.confirm.to_string());
    command.env("SYSGUARD_ENGINE", settings.engine.name());
    command.env("SYSGUARD_REQUIRE", if settings.require { "1" } else { "0" });
    if let Some(folder) = &settings.pending_dir {
        command.env("SYSGUARD_PENDING_DIR", folder);
    }
    if let Some(colour) = settings.colour {
        command.env("CARGO_TERM_COLOR", colour_word(colour));
    }
}
