//! The cargo subcommand `cargo sysguard`: parse → exec → exit code.

mod cargo;
mod cli;
mod command;
mod command_line;
mod context;
mod exit_code;
#[cfg(target_os = "linux")]
mod explorations;
mod git;
mod judging;
mod kernel_tree;
mod log;
mod message;
mod nested;
mod only;
mod output;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod profiles;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "profiles/elsewhere.rs"]
mod profiles;
mod proposals;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod reachability;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[path = "reachability/elsewhere.rs"]
mod reachability;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod reaches;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[path = "reaches/elsewhere.rs"]
mod reaches;
mod recorded;
mod review;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod saved;
mod selection;
mod suites;
mod taxonomy;
mod tools;
mod traced;
mod unreferenced;
mod verdicts;

use std::env;
use std::io::Write;
use std::process::ExitCode;

use sysguard::unstable::report::{self, Palette};
use sysguard::unstable::runner::{left_behind, on_long_wait, serve_if_guardian};
use sysguard::unstable::settings::RawSettings;

use crate::exit_code::{Failure, Outcome};

#[cfg(target_os = "linux")]
sysguard::note_start!();

fn main() -> ExitCode {
    if serve_if_guardian(&RawSettings::from_env()) {
        return ExitCode::SUCCESS;
    }
    on_long_wait(|folder| {
        // Ignore a closed standard error: this is only a note.
        let _ = report::waiting(&mut anstream::stderr(), folder, &Palette::coloured());
    });
    let cli = match cli::parse(env::args_os()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let outcome = cli.exec();
    // Ignore a closed standard error: the exit code remains.
    let _ = report::left_behind(&mut anstream::stderr(), &left_behind(), &Palette::coloured());
    match outcome {
        Ok(status) => status,
        Err(failure) => {
            let Failure { outcome, message: text } = failure;
            // Ignore a closed standard error: the exit code remains.
            let _ = writeln!(anstream::stderr(), "{}", message::error(&text));
            outcome.into()
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}
