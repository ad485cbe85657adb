//! `cargo sysguard reach`: finds which syscalls the code of a program and its libraries could make.
//! Main type: [`Options`].
//!
//! It is evidence beside baselines, and fails only if asked to (`--forbid`).

mod program;
mod workload;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use reach::report::{Format, ReachRecord, write, write_ways};
use sysguard::unstable::report::Palette;

use crate::cargo::BuildFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::only::{Only, selected};
use crate::output::{self, ReportFile};
use crate::reachability::selects;

/// `reach`'s options.
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The program: a path, a name on PATH, or bin:NAME for a binary of the package
    #[arg(value_name = "PROGRAM", required_unless_present = "workload", conflicts_with = "workload")]
    program: Option<OsString>,
    /// Analyse the program of this workload, and run the workload once under the tracer
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// Keep the result of the workload for `report`
    #[arg(long, requires = "workload", conflicts_with = "program")]
    save: bool,
    /// Run the program once under the tracer, also without arguments
    ///
    /// The calls that it makes are marked as observed, and files that it maps as code are analysed
    /// too. Arguments after `--` imply it.
    #[arg(long)]
    run: bool,
    /// Write a way to this call, or to each reachable call of this subsystem, instead of the
    /// tables; may be repeated
    #[arg(long, value_name = "SUBSYSTEM|CALL", conflicts_with = "save")]
    why: Vec<Only>,
    /// Fail if this call, or a call of this subsystem, is reachable or cannot be excluded; may be
    /// repeated
    #[arg(long, value_name = "SUBSYSTEM|CALL")]
    forbid: Vec<Only>,
    /// Analyse this file too: a library that is loaded at run time, or one that was not found; may
    /// be repeated
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// Write the result in this format: table, markdown or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Write the result to a file instead of standard output (standard error if the program is run)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End the run after this time, such as 90s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "workload")]
    timeout: Option<Duration>,
    /// Let other processes of the run outlive its first one for this long [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "workload")]
    grace: Option<Duration>,
    /// Run the program once with these arguments under the tracer
    #[arg(last = true, value_name = "ARG", conflicts_with = "workload")]
    arguments: Vec<OsString>,
    #[command(flatten)]
    cargo: BuildFlags,
}

const USAGE: &str =
    "cargo sysguard reach [OPTIONS] PROGRAM [-- ARG...]\n       cargo sysguard reach [OPTIONS] --workload NAME";

const AFTER_HELP: &str = "\
The analysis decodes the program, the libraries that it needs, and known plug-ins, and runs none of them. The reachable \
syscalls are an upper bound for these files only, and only if every call site is resolved: the report says what is not known. \
Programs that it executes are not included.\n\n\
Exit codes: 0; 101 if a forbidden call is reachable or cannot be excluded; 3 if the program or a file cannot be read, decoded, \
built or started; 4 if it is to be run and tracing is impossible here; 2 wrong usage. The exit status of the program is \
in the report.";

/// What is written, and where to without a file.
#[derive(Debug)]
struct Found {
    record: ReachRecord,
    /// The calls that `--why` selects.
    asked: Vec<String>,
    /// Whether standard output belongs to the program.
    was_run: bool,
}

impl Options {
    /// Analyses the program.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let file = self.output.as_deref().map(ReportFile::prepare).transpose().map_err(Failure::failed)?;
        let found = match &self.workload {
            Some(name) => self.workload(name, context)?,
            None => self.program(context)?,
        };
        self.write(&found, file).map_err(|error| Failure::failed(format!("cannot write the result: {error}")))?;
        self.judge(&found.record)
    }

    fn write(&self, found: &Found, file: Option<ReportFile<'_>>) -> io::Result<()> {
        let write = |out: &mut dyn Write, palette: &Palette| match self.format {
            Format::Json => write(out, &found.record, Format::Json, palette),
            format if self.why.is_empty() => write(out, &found.record, format, palette),
            format => write_ways(out, &found.record, &found.asked, format, palette),
        };
        match file {
            Some(mut file) => {
                write(&mut file, &Palette::plain())?;
                file.finish()
            }
            None if found.was_run => write(&mut output::stderr(), &Palette::coloured()),
            None => write(&mut output::stdout(), &Palette::coloured()),
        }
    }

    /// Fails if a forbidden call is reachable, or cannot be excluded.
    fn judge(&self, record: &ReachRecord) -> Result<Outcome, Failure> {
        if self.forbid.is_empty() {
            return Ok(Outcome::Expected);
        }
        let forbidden = selected(&self.forbid);
        let reachable = record.reachable_of(|subsystem, name| selects(&forbidden, subsystem, name));
        if !reachable.is_empty() {
            // Ignore a closed standard error: the exit code remains.
            let _ = write_ways(&mut output::stderr(), record, &reachable, Format::Table, &Palette::coloured());
            return Err(Failure::failed(format!("forbidden and reachable: {}", reachable.join(", "))));
        }
        let doubts = record.doubts();
        if doubts.is_empty() {
            return Ok(Outcome::Expected);
        }
        Err(Failure::failed(format!("the forbidden syscalls cannot be excluded\n{}", doubts.join("\n"))))
    }

    /// Returns the selected syscalls: only the ways to them have source lines.
    fn lined(&self) -> Vec<Only> {
        self.why.iter().chain(&self.forbid).cloned().collect()
    }

    /// Returns the calls that `--why` selects: those of a subsystem that are reachable, and those
    /// by name.
    fn asked(&self, record: &ReachRecord) -> Vec<String> {
        let asked = selected(&self.why);
        let mut calls: BTreeSet<String> = asked.syscalls.clone();
        calls.extend(record.reachable_of(|subsystem, name| selects(&asked, subsystem, name)));
        calls.into_iter().collect()
    }
}
