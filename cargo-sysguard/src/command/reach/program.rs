//! `reach PROGRAM`: runs the program if asked to, and analyses it.

use std::ffi::OsString;
use std::path::Path;

use reach::observe::{Observed, observe};
use reach::report::Subject;
use sysguard::unstable::linux::{Limits, TraceError, keep_terminal, leave_signals_to_workload};
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::runner::DEFAULT_GRACE;

use super::{Found, Options};
use crate::command_line::{CommandLine, Failed};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::reachability::{check, checked, find, survey, traced};

impl Options {
    /// Analyses the program, with what a run of it shows.
    pub(super) fn program(&self, context: &Context) -> Result<Found, Failure> {
        let name = self.program.as_deref().unwrap_or_default();
        let path = find(name, &self.cargo.packages, &self.cargo.build_flags(), context)?;
        let is_run = self.run || !self.arguments.is_empty();
        // Checked first, so that a program that cannot be analysed is not run.
        check(&path)?;
        let observed = if is_run { Some(self.observe(&path)?) } else { None };
        let words = [name].into_iter().chain(self.arguments.iter().map(OsString::as_os_str));
        let command = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let found = survey(&path, &self.with, observed)?;
        let record = found.record(&Subject { workload: None, command }, &self.lined());
        let asked = self.asked(&record);
        Ok(Found { record, asked, was_run: is_run })
    }

    /// Runs the program once, with the caller's streams and environment.
    fn observe(&self, path: &Path) -> Result<Observed, Failure> {
        // A path without a slash would be looked for on PATH.
        let path = std::path::absolute(path).map_err(Failure::failed)?;
        let words: Vec<OsString> = [path.clone().into_os_string()].into_iter().chain(self.arguments.clone()).collect();
        let not_started = |failed: Failed| Failure { outcome: Outcome::NotStarted, message: failed.message };
        let command = CommandLine::find(&words).map_err(not_started)?;
        let terminal =
            keep_terminal().map_err(|error| Failure::failed(format!("cannot read the terminal modes: {error}")))?;
        leave_signals_to_workload()
            .map_err(|error| Failure::failed(format!("cannot leave signals to the program: {error}")))?;
        let limits = Limits { timeout: self.timeout, stop: None, grace: self.grace.unwrap_or(DEFAULT_GRACE) };
        let observed =
            command.run(|command| observe(command, &path, &limits)).map_err(|error: TraceError| traced(&error))?;
        if observed.exit == Exit::TimedOut || observed.killed_stragglers > 0 {
            // A killed process could not restore them itself.
            terminal.restore();
        }
        checked(observed)
    }
}
