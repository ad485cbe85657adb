//! The flags that control verdicts in `test` and `run`, and how they reach the harness. Main type:
//! [`JudgingFlags`].

use std::path::PathBuf;
use std::process::Command;

use sysguard::unstable::model::judge::decide::UpdateMode;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::recording::CONFIRMING_RUNS;
use sysguard::unstable::settings::{Flags, Settings};

use crate::exit_code::Failure;

/// The flags that control verdicts.
#[derive(Debug, clap::Args)]
pub(crate) struct JudgingFlags {
    /// Choose what to write when a workload differs: auto, new, always, unseen, no or force
    #[arg(long, value_name = "MODE")]
    update: Option<UpdateMode>,
    /// Re-run a workload N times to confirm a finding (0: fail on first sight)
    #[arg(long, value_name = "N", help = confirm_help())]
    confirm: Option<u32>,
    /// Fail if a workload cannot be traced or its program is missing
    #[arg(long)]
    require: bool,
    #[command(flatten)]
    pending_dir: PendingDir,
}

/// Returns the help of `--confirm`, with its default.
fn confirm_help() -> String {
    format!("Re-run a workload N times to confirm a finding (0: fail on first sight) [default: {CONFIRMING_RUNS}]")
}

/// The flag that moves proposals to another directory.
#[derive(Debug, clap::Args)]
pub(crate) struct PendingDir {
    /// Write proposals to this directory instead of beside the expectations, in CI too
    #[arg(long = "pending-dir", value_name = "DIRECTORY")]
    given: Option<PathBuf>,
}

impl PendingDir {
    /// Returns the directory as an absolute path.
    pub(crate) fn absolute(&self) -> Result<Option<PathBuf>, Failure> {
        self.given.as_deref().map(std::path::absolute).transpose().map_err(Failure::usage)
    }
}

impl JudgingFlags {
    /// Returns the flags with this engine. Paths become absolute, because the harness runs in
    /// another directory.
    pub(crate) fn with(&self, engine: Option<Engine>) -> Result<Flags, Failure> {
        let pending_dir = self.pending_dir.absolute()?;
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
