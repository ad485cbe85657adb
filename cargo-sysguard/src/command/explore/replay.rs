//! `explore WORKLOAD --replay ID`: one run with one injection.

use std::io::Write;

use sysguard::unstable::model::facts::error_path::RunOutcome;
use sysguard::unstable::model::kernel::call::Tid;
use sysguard::unstable::report::{self, Palette};
use sysguard::unstable::runner::{Case, NotExplored, NotReplayed, Suite};

use super::Options;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;

impl Options {
    /// Replays an injection of the one workload that the filters select.
    pub(super) fn replayed(&self, id: &str, jobs: &[(&Suite, &Case)]) -> Result<Outcome, Failure> {
        let exact: Vec<&(&Suite, &Case)> =
            jobs.iter().filter(|(_, case)| self.selection.is_exactly(&case.name)).collect();
        let (suite, case) = match (&exact[..], jobs) {
            ([one], _) => one,
            ([], [one]) => one,
            _ => {
                let names: Vec<&str> = jobs.iter().map(|(_, case)| case.name.as_str()).collect();
                let names = if names.is_empty() { "no workload".to_owned() } else { names.join(", ") };
                return Err(Failure::usage(format!(
                    "--replay needs one workload, but {names} match\nhelp: `cargo sysguard explore WORKLOAD --replay {id}`"
                )));
            }
        };
        let mut stopped = |process: Option<Tid>| {
            // Ignore a closed standard error: the process waits for a signal in any case.
            let _ = writeln!(anstream::stderr(), "{}", stopped_words(process));
        };
        let stopped: Option<&mut dyn FnMut(Option<Tid>)> = if self.stop { Some(&mut stopped) } else { None };
        let replayed = suite.replay(case, id, stopped).map_err(|error| failure(&case.name, &error))?;
        report::replay(&mut output::stdout(), &replayed, &Palette::coloured()).map_err(Failure::output)?;
        let fails = |outcome: RunOutcome| {
            outcome == RunOutcome::NotReached || outcome.is_judged() && replayed.accepted.is_none()
        };
        Ok(if replayed.outcome.is_some_and(fails) { Outcome::Failed } else { Outcome::Expected })
    }
}

/// Returns what to do with a stopped process.
fn stopped_words(process: Option<Tid>) -> String {
    match process {
        Some(process) => format!(
            "process {process} is stopped after the call has failed, and is not traced\n\
             debug:  gdb -p {process}  (as root if kernel.yama.ptrace_scope is not 0)\n\
             go on:  kill -CONT {process}\n\
             end:    kill -KILL {process}, or Ctrl-C here"
        ),
        None => message::warning(
            "the call is not made by the first process of the workload, so its process cannot be left to a debugger: \
             the run goes on",
        ),
    }
}

fn failure(workload: &str, error: &NotReplayed) -> Failure {
    match error {
        NotReplayed::UnknownId(id) => Failure::usage(format!(
            "`{id}` is no injection of {workload}: its program, or how it was built, may have changed\n\
             help: `cargo sysguard explore {workload}` lists what it finds, with the commands to replay it"
        )),
        NotReplayed::NotExplored(error) => {
            let help = match error {
                NotExplored::Refused { help, .. } => format!("\nhelp: {help}"),
                _ => String::new(),
            };
            let outcome = match error {
                NotExplored::Refused { .. } => Outcome::Usage,
                NotExplored::Absent(_) | NotExplored::NotStarted(_) => Outcome::NotStarted,
                NotExplored::Untraceable(_) => Outcome::Untraceable,
                _ => Outcome::Failed,
            };
            Failure { outcome, message: format!("cannot explore {workload}: {error}{help}") }
        }
    }
}
