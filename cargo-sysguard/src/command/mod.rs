//! One file a command: its options and its exec.

pub(crate) mod accept;
pub(crate) mod bless;
pub(crate) mod clean_worktree;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod pending;
pub(crate) mod reject;
pub(crate) mod report;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod target_runner;
pub(crate) mod test;
pub(crate) mod trace;

use std::process::ExitCode;

use clap::ColorChoice;
use sysguard::settings::{Flags, Given, Settings, resolve};

use crate::cli::{Cli, Command};
use crate::exit_code::Failure;

/// Does what the command line says.
pub(crate) fn exec(cli: Cli) -> Result<ExitCode, Failure> {
    let given = Given::from_env();
    let colour = match cli.color {
        Some(ColorChoice::Always) => Some(true),
        Some(ColorChoice::Never) => Some(false),
        Some(ColorChoice::Auto) => None,
        None => given.colour(),
    };
    match colour {
        Some(true) => anstream::ColorChoice::Always.write_global(),
        Some(false) => anstream::ColorChoice::Never.write_global(),
        None => {}
    }
    let context = Context { given, colour };
    match cli.command {
        Command::Init(options) => options.exec(&context).map(ExitCode::from),
        Command::List(options) => options.exec(&context).map(ExitCode::from),
        Command::Test(options) => options.exec(&context).map(ExitCode::from),
        Command::Bless(options) => options.exec(&context).map(ExitCode::from),
        Command::Review(options) => options.exec(&context).map(ExitCode::from),
        Command::Pending(options) => options.exec(&context).map(ExitCode::from),
        Command::Accept(options) => options.exec(&context).map(ExitCode::from),
        Command::Reject(options) => options.exec(&context).map(ExitCode::from),
        Command::Diff(options) => options.exec(&context).map(ExitCode::from),
        Command::Explain(options) => options.exec(&context).map(ExitCode::from),
        Command::Report(options) => options.exec(&context).map(ExitCode::from),
        Command::Run(options) => options.exec(&context),
        Command::TargetRunner(options) => options.exec(&context),
        Command::CleanWorktree(options) => options.exec().map(ExitCode::from),
        Command::Trace(options) => Ok(options.exec()),
        Command::Doctor(options) => options.exec(&context).map(ExitCode::from),
    }
}

/// What every command knows of where it runs.
#[derive(Debug)]
pub(crate) struct Context {
    given: Given,
    /// Whether to colour; nothing where the terminal decides.
    colour: Option<bool>,
}

impl Context {
    /// The environment together with what the command line says.
    pub(crate) fn settings(&self, flags: Flags) -> Result<Settings, Failure> {
        let settings = resolve(&self.given, flags).map_err(Failure::usage)?;
        Ok(Settings { colour: self.colour, ..settings })
    }
}
