//! `cargo sysguard profile`: samples where a command or a workload spends its time. Main type:
//! [`Options`].
//!
//! Samples are evidence only: they are not compared with a baseline and never fail a test.

mod annotation;
mod command;
mod runs;
mod workloads;

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use profile::gates::Rights;
use profile::perf::CallGraph;
use profile::report::{Format, ProfileRecord};
use sysguard::unstable::linux::{Role, supervise};
use sysguard::unstable::model::trace::prerequisite::Prerequisite;
use sysguard::unstable::report::Palette;

use crate::cargo::BuildFlags;
use crate::command_line::Failed;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::output::{self, ReportFile};
use runs::Sampling;

/// `profile`'s options.
#[derive(Debug, clap::Args)]
// `-F` is the frequency, as it is for perf; cargo's `--features` keeps its long name.
#[command(override_usage = USAGE, mut_arg("features", |features| features.short(None)), after_help = EXIT_CODES)]
pub(crate) struct Options {
    /// Profile workloads with these names, or else with one of these words in their name
    #[arg(value_name = "WORKLOAD", required_unless_present = "command", conflicts_with = "command")]
    workloads: Vec<String>,
    /// Samples per second of each CPU
    #[arg(short = 'F', long, value_name = "HZ", default_value_t = profile::perf::Options::FREQUENCY)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    frequency: u64,
    /// Unwind user stacks by frame pointers (fp) or by unwind tables (dwarf)
    #[arg(long, value_name = "MODE", value_enum, default_value_t, hide_possible_values = true)]
    call_graph: CallGraphName,
    /// Sample N runs and show the spread of their totals
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroU32,
    /// Skip the extra run under a tracer that counts the calls
    #[arg(long)]
    no_trace: bool,
    /// Look up kernel functions in this kernel source tree instead of the built-in index
    #[arg(long, value_name = "DIR")]
    kernel_source: Option<PathBuf>,
    /// Write the profile in this format: table, markdown, json, folded, svg (a flame graph) or
    /// speedscope
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Write the instructions of a function, with their share of samples, instead of the profile
    #[arg(long, value_name = "FUNCTION", conflicts_with_all = ["format", "save"])]
    annotate: Option<String>,
    /// With --annotate: read kernel functions from this uncompressed kernel
    #[arg(long, value_name = "FILE", requires = "annotate")]
    vmlinux: Option<PathBuf>,
    /// Keep the profile of a workload for `report --format html`
    #[arg(long, conflicts_with = "command")]
    save: bool,
    /// Write the profile to a file instead of standard error (for a command) or standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End the command after this time, such as 90s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "workloads")]
    timeout: Option<Duration>,
    /// Kill processes that outlive the first one by this time [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "workloads")]
    grace: Option<Duration>,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    #[command(flatten)]
    cargo: BuildFlags,
}

const USAGE: &str =
    "cargo sysguard profile [OPTIONS] -- COMMAND...\n       cargo sysguard profile [OPTIONS] WORKLOAD...";

const EXIT_CODES: &str = "The command runs more than once: each sampled run is untraced, and another run is traced to count the calls.\n\n\
    Exit codes for a command: its status; 128+N if signal N ended it; 124 if --timeout ended it; 4 without the right to \
    sample; 125 if sampling or reporting failed; 126 if the command cannot be executed; 127 if it is not found; 2 wrong \
    usage. For workloads: 0; 101 sampling or reporting failed; 3 a workload could not be built or started; 4 without the right to \
    sample; 2 wrong usage.";

/// How user stacks are unwound, by name.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum CallGraphName {
    Fp,
    #[default]
    Dwarf,
}

/// Returns the rights that sampling needs.
pub(crate) fn rights() -> Vec<Prerequisite> {
    Rights::read().prerequisites()
}

/// The output.
#[derive(Debug)]
enum Content {
    Profile(Box<ProfileRecord>),
    Annotation(String),
}

impl Options {
    /// Profiles the command or the workloads.
    pub(crate) fn exec(self, context: &Context) -> Result<ExitCode, Failure> {
        match supervise() {
            Ok(Role::Worker) => {}
            Ok(Role::Supervisor(status)) => return Ok(ExitCode::from(status)),
            Err(error) if self.command.is_empty() => {
                return Err(Failure { outcome: Outcome::Untraceable, message: error.to_string() });
            }
            Err(error) => return Ok(Failed::from(error).exit()),
        }
        if self.command.is_empty() {
            return self.workloads(context).map(ExitCode::from);
        }
        Ok(match self.command() {
            Ok(status) => ExitCode::from(status),
            Err(failed) => failed.exit(),
        })
    }

    fn sampling(&self) -> Sampling<'_> {
        Sampling {
            frequency: self.frequency,
            call_graph: match self.call_graph {
                CallGraphName::Fp => CallGraph::FramePointers,
                CallGraphName::Dwarf => CallGraph::Dwarf,
            },
            runs: self.repeat.get(),
            kernel_source: self.kernel_source.as_deref(),
        }
    }

    /// Returns whether a traced run counts the calls.
    fn counts(&self) -> bool {
        !self.no_trace && self.annotate.is_none() && (self.save || self.format.has_counts())
    }

    fn file(&self) -> Result<Option<ReportFile<'_>>, output::NotWritable> {
        self.output.as_deref().map(ReportFile::prepare).transpose()
    }

    /// Writes to the file, or else to this stream.
    fn write(&self, contents: &[Content], file: Option<ReportFile<'_>>, stream: &mut dyn Write) -> io::Result<()> {
        let write = |out: &mut dyn Write, palette: &Palette| {
            contents.iter().enumerate().try_for_each(|(at, content)| {
                if at > 0 {
                    writeln!(out)?;
                }
                match content {
                    Content::Profile(record) => profile::report::write(out, record, self.format, palette),
                    Content::Annotation(text) => out.write_all(text.as_bytes()),
                }
            })
        };
        match file {
            Some(mut file) => {
                write(&mut file, &Palette::plain())?;
                file.finish()
            }
            None => write(stream, &Palette::coloured()),
        }
    }
}

/// The exit code without the right to sample, as for workloads.
const NOT_ALLOWED: u8 = 4;

impl From<runs::RunFailed> for Failed {
    fn from(failed: runs::RunFailed) -> Self {
        match failed {
            runs::RunFailed::Perf(profile::perf::Error::Launch(error)) => error.into(),
            runs::RunFailed::Perf(error @ profile::perf::Error::Failed(_)) => Self::ours(error),
            runs::RunFailed::Perf(error) => Self { code: NOT_ALLOWED, message: error.to_string() },
            runs::RunFailed::Usage(message) => Self { code: Self::USAGE, message },
        }
    }
}
