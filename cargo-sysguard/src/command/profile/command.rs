//! `profile -- COMMAND`: exits with the status of the command.

use std::io::Write;

use profile::perf;
use profile::report::Traced;
use sysguard::unstable::linux::{Limits, keep_terminal, leave_signals_to_workload};
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::runner::{DEFAULT_GRACE, observe};

use super::runs::{KernelNames, RunFailed, Sampled, traced};
use super::{Content, Options};
use crate::command_line::{CommandLine, Failed, shell_status};
use crate::message;
use crate::output;

impl Options {
    /// Samples the command, counts its calls, and writes the profile.
    pub(super) fn command(&self) -> Result<u8, Failed> {
        let file = self.file().map_err(Failed::ours)?;
        let sampling = self.sampling();
        let names = KernelNames::read(&sampling)?;
        let command = CommandLine::find(&self.command)?;
        let terminal =
            keep_terminal().map_err(|error| Failed::ours(format!("cannot read the terminal modes: {error}")))?;
        leave_signals_to_workload()
            .map_err(|error| Failed::ours(format!("cannot leave signals to the command: {error}")))?;
        let limits = Limits { timeout: self.timeout, stop: None, grace: self.grace.unwrap_or(DEFAULT_GRACE) };
        let options = perf::Options { frequency: sampling.frequency, call_graph: sampling.call_graph, limits };
        let sampled = Sampled::collect(&sampling, || {
            let recorded = command.run(|command| perf::record(command, &options)).map_err(RunFailed::from)?;
            if recorded.exit == Exit::TimedOut || recorded.killed_stragglers > 0 {
                // A killed process could not restore them itself.
                terminal.restore();
            }
            Ok::<_, Failed>(recorded)
        })?;
        let content = match &self.annotate {
            Some(function) => Content::Annotation(self.annotation(function, &sampled, &names)?),
            None => {
                // A run that a signal or the timeout ended makes other calls than a whole one.
                let traced = if self.counts() && sampled.ended_alone() { self.count(&command, &limits) } else { None };
                terminal.restore();
                Content::Profile(Box::new(sampled.record(None, command.text(), traced, &names)))
            }
        };
        let written = self.write(&[content], file, &mut output::stderr());
        written.map_err(|error| Failed::ours(format!("cannot write the profile: {error}")))?;
        Ok(shell_status(sampled.exit))
    }

    /// Returns the counts of a traced run. A failure is only a warning: the samples are still
    /// reported.
    fn count(&self, command: &CommandLine<'_>, limits: &Limits) -> Option<Traced> {
        let observed = || command.run(|command| observe(command, limits));
        match traced(|| observed().map(|(observation, outcome)| (observation, outcome.exit))) {
            Ok(traced) => Some(traced),
            Err(error) => {
                let text = format!("calls are not counted: {error}");
                // Ignore a closed standard error: this is only a warning.
                let _ = writeln!(anstream::stderr(), "{}", message::warning(&text));
                None
            }
        }
    }
}
