//! How `test` and `run` judge what differs, and how both hand that on to the harness that judges.
//! Main type: [`JudgingFlags`].

use std::path::PathBuf;
use std::process::Command;

use sysguard::model::judge::decide::UpdateMode;
use sysguard::model::observe::observation::Engine;
use sysguard::settings::{Flags, Settings};

use crate::exit_code::Failure;

/// What becomes of a workload that differs.
#[derive(Debug, clap::Args)]
pub(crate) struct JudgingFlags {
    /// What to write where a workload differs: auto, new, always, unseen, no or force
    #[arg(long, value_name = "MODE")]
    update: Option<UpdateMode>,
    /// How many further runs of a workload must show what is new; 0 believes the first
    #[arg(long, value_name = "N")]
    confirm: Option<u32>,
    /// Fail where a workload cannot be traced or lacks its program
    #[arg(long)]
    require: bool,
    #[command(flatten)]
    pending_dir: PendingDir,
}

/// Where proposals lie.
#[derive(Debug, clap::Args)]
pub(crate) struct PendingDir {
    /// Proposals lie in this folder instead of beside the expectations, and are written in CI too
    #[arg(long = "pending-dir", value_name = "DIRECTORY")]
    given: Option<PathBuf>,
}

impl PendingDir {
    /// The folder, as seen from anywhere.
    pub(crate) fn absolute(&self) -> Result<Option<PathBuf>, Failure> {
        self.given.as_deref().map(std::path::absolute).transpose().map_err(Failure::usage)
    }
}

impl JudgingFlags {
    /// With the engine that shall watch. Paths are made absolute: who judges runs elsewhere.
    pub(crate) fn with(&self, engine: Option<Engine>) -> Result<Flags, Failure> {
        let pending_dir = self.pending_dir.absolute()?;
        Ok(Flags { update: self.update, confirm: self.confirm, require: self.require, pending_dir, engine })
    }
}

/// The word by which cargo is asked for colours.
pub(crate) fn colour_word(colour: bool) -> &'static str {
    if colour { "always" } else { "never" }
}

/// Hands on what is meant to a process that reads it from its environment.
pub(crate) fn hand_on(command: &mut Command, settings: &Settings) {
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
