//! `cargo sysguard trace`: runs any command once and reports what it used. Main type: [`Options`].
//!
//! It exits with the status of the command. Its own failures use the exit codes of env(1) and
//! timeout(1).

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use sysguard::unstable::linux::{Limits, Machine, keep_terminal, leave_signals_to_workload};
use sysguard::unstable::model::observe::observation::{Engine, ObservedRun};
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::taxonomy::Taxonomy;
use sysguard::unstable::report::{self, Format, Palette};
use sysguard::unstable::runner::{DEFAULT_GRACE, observe, observe_logged, observe_notified, observe_with_callers};
use sysguard::unstable::settings;

use crate::command_line::{CommandLine, Failed, shell_status};
use crate::context::Context;
use crate::exit_code::Failure;
use crate::log::{Filter, Log};
use crate::only::{self, Only};
use crate::output::{self, ReportFile};
use crate::taxonomy;

/// `trace`'s options.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: the status of the command; 128+N if signal N ended it; 124 if --timeout ended it; 125 if tracing or \
                        reporting failed; 126 if the command cannot be executed; 127 if it is not found; 2 wrong usage."
)]
pub(crate) struct Options {
    /// Write the report in this format: table, markdown, json, yaml or csv
    #[arg(long, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Taxonomy used to name subsystems: kernel, workload-tracing, or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "kernel")]
    taxonomy: String,
    /// Write the report, or the log, to a file instead of standard error
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write one line per call, like strace, instead of the report
    ///
    /// A line has the form `[pid PID PROGRAM] CALL(ARGUMENTS) = RESULT` and is written when the
    /// call ends. A call that lasts longer than a second is also written as `<unfinished ...>`.
    /// Payload bytes and environment variables are never shown.
    #[arg(long, conflicts_with_all = ["format", "taxonomy", "callers"])]
    log: bool,
    /// Log only calls by these names (with commas between), of @SUBSYSTEM, or to path=GLOB
    ///
    /// With several filters, a call is logged that one of them selects. A glob is matched against
    /// path arguments and the paths of fds. A relative glob starts at the working directory. `*`
    /// does not match a slash; `**` does.
    #[arg(short = 'e', value_name = "FILTER", requires = "log")]
    filters: Vec<Filter>,
    /// Measure the wall time in calls: a column in the table, a field in JSON and YAML, times in
    /// the log
    ///
    /// Tracing stops each call twice, which inflates the times of short calls most.
    #[arg(long)]
    time: bool,
    /// Report the stack of the first call of each kind
    ///
    /// Calls with the same stack share one. Of a long run of functions of one library, the first
    /// and the last are shown. The stacks follow the table.
    #[arg(short = 'k', long)]
    callers: bool,
    /// Report only stacks of calls by this name or of this subsystem; may be repeated
    #[arg(long, value_name = "SUBSYSTEM|CALL", requires = "callers")]
    only: Vec<Only>,
    /// Trace with this engine: ptrace sees every result; notify is faster and sees only the results
    /// that show what a call used [default: ptrace]
    #[arg(long, value_name = "ENGINE", value_parser = Engine::to_record)]
    engine: Option<Engine>,
    /// End the command after this time, such as 90s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Kill processes that outlive the first one by this time [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    grace: Option<Duration>,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const NO_CALLERS: &str = "--callers reads the stacks of stopped tasks, but the notify engine stops few of them\n\
    help: use --engine ptrace";
const NO_LOG: &str = "--log and --time need the end of each call, but the notify engine sees few of them\n\
    help: use --engine ptrace";

impl Options {
    /// Runs the command.
    pub(crate) fn exec(self, context: &Context) -> ExitCode {
        match self.trace(context) {
            Ok(status) => ExitCode::from(status),
            Err(failed) => failed.exit(),
        }
    }

    fn trace(self, context: &Context) -> Result<u8, Failed> {
        let usage = |failure: Failure| Failed { code: Failed::USAGE, message: failure.message };
        let engine = context.engine(self.engine, "trace", &[Engine::Notify, Engine::Ptrace]).map_err(usage)?;
        self.check_engine(engine)?;
        let file = self.output.as_deref().filter(|_| !self.log);
        let file = file.map(ReportFile::prepare).transpose().map_err(Failed::ours)?;
        let taxonomy = taxonomy::find(&self.taxonomy).map_err(usage)?;
        let command = CommandLine::find(&self.command)?;
        let mut log = self.start_log()?;
        let terminal =
            keep_terminal().map_err(|error| Failed::ours(format!("cannot read the terminal modes: {error}")))?;
        leave_signals_to_workload()
            .map_err(|error| Failed::ours(format!("cannot leave signals to the command: {error}")))?;
        let limits = Limits { timeout: self.timeout, stop: None, grace: self.grace.unwrap_or(DEFAULT_GRACE) };
        let selected = only::selected(&self.only);
        let observe = |command| match (engine, &mut log) {
            (_, Some(log)) => observe_logged(command, &limits, log, self.callers.then_some(&selected)),
            (Engine::Notify, None) => observe_notified(command, &limits),
            (_, None) if self.callers => observe_with_callers(command, &limits, &selected),
            (_, None) => observe(command, &limits),
        };
        let (observation, outcome) = command.run(observe)?;
        if let Some(reason) = outcome.incomplete {
            terminal.restore();
            return Err(Failed::ours(format!(
                "the command was ended: notifications do not show all of its calls, since {reason}\nhelp: use --engine ptrace"
            )));
        }
        if outcome.exit == Exit::TimedOut || outcome.killed_stragglers > 0 {
            // A killed process could not restore them itself.
            terminal.restore();
        }
        let lost = observation.lost_events;
        let times = log.map(Log::finish).transpose();
        let times = times.map_err(|error| Failed::ours(format!("cannot write the log: {error}")))?.flatten();
        let recording = ObservedRun {
            workload: None,
            command: command.text(),
            platform: settings::platform(),
            kernel: Machine::kernel_release(),
            engine,
            exit: outcome.exit,
            killed_stragglers: outcome.killed_stragglers,
            times,
            observation,
        };
        if !self.log {
            write(&recording, self.format, &taxonomy, file)
                .map_err(|error| Failed::ours(format!("cannot write the report: {error}")))?;
        }
        if lost > 0 {
            return Err(Failed::ours(format!("{lost} events were lost, so the report is incomplete")));
        }
        Ok(shell_status(outcome.exit))
    }

    /// Refuses options that the engine does not support.
    fn check_engine(&self, engine: Engine) -> Result<(), Failed> {
        let refused = |message: &str| Err(Failed { code: Failed::USAGE, message: message.to_owned() });
        match engine {
            Engine::Notify if self.callers => refused(NO_CALLERS),
            Engine::Notify if self.log || self.time => refused(NO_LOG),
            _ => Ok(()),
        }
    }

    /// Starts the log, or the measurement of times, if either is wanted.
    fn start_log(&self) -> Result<Option<Log>, Failed> {
        if !self.log {
            return Ok(self.time.then(Log::of_times));
        }
        let file = self.output.as_deref().map(output::log_file).transpose().map_err(Failed::ours)?;
        Ok(Some(Log::new(self.filters.clone(), file, self.time)))
    }
}

fn write(recording: &ObservedRun, format: Format, taxonomy: &Taxonomy, file: Option<ReportFile<'_>>) -> io::Result<()> {
    let Some(mut file) = file else {
        let mut out = output::stderr();
        return report::observation(&mut out, recording, format, taxonomy, &Palette::coloured());
    };
    report::observation(&mut file, recording, format, taxonomy, &Palette::plain())?;
    file.finish()
}
