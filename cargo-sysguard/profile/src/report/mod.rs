//! A profile in every format. Main function: [`write()`].
//!
//! [`ProfileRecord`] is the data for machines; the other formats are views of it. It writes to a
//! given writer and decides nothing.

mod flame;
mod folded;
mod html;
mod markdown;
mod record;
mod speedscope;
mod stacks;
mod table;
mod tables;
mod totals;
mod words;

use std::io;
use std::str::FromStr;
use std::time::Duration;

use sysguard::unstable::report::{NotAFormat, Palette, format_named};

use crate::profile::Profile;
use crate::recording::Totals;
use crate::shares::{Counts, Shares};
pub use record::{Malformed, ProfileRecord};

/// The formats of a profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a terminal.
    #[default]
    Table,
    /// Tables for a page.
    Markdown,
    /// One versioned object with everything.
    Json,
    /// One line per stack, as flamegraph.pl and inferno read it.
    Folded,
    /// A flame graph.
    Svg,
    /// The file format of <https://www.speedscope.app>.
    Speedscope,
}

impl Format {
    /// Every format, the default first.
    pub const ALL: [Self; 6] = [Self::Table, Self::Markdown, Self::Json, Self::Folded, Self::Svg, Self::Speedscope];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Folded => "folded",
            Self::Svg => "svg",
            Self::Speedscope => "speedscope",
        }
    }

    /// Returns whether a file of this format can hold several profiles.
    pub fn has_several(self) -> bool {
        matches!(self, Self::Table | Self::Markdown)
    }

    /// Returns whether the format shows counts of calls, which need a traced run.
    pub fn has_counts(self) -> bool {
        matches!(self, Self::Table | Self::Markdown | Self::Json)
    }
}

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        format_named(text, &Self::ALL, Self::name)
    }
}

/// The runs behind a profile.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The workload; `None` for a command.
    pub workload: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The processor's architecture.
    pub arch: String,
    /// The release of the kernel.
    pub kernel: String,
    /// The version of the kernel that the names of functions were looked up in.
    pub index: Option<String>,
    /// How the sampled run ended, as a shell shows it.
    pub status: i32,
    /// Number of processes that outlived the first one of a sampled run and were killed.
    pub killed_stragglers: u64,
    /// The totals of each sampled run.
    pub totals: Vec<Totals>,
    /// The run that calls were counted in.
    pub traced: Option<Traced>,
}

/// The run that calls were counted in.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The engine that traced it.
    pub engine: &'static str,
    /// How it ended, as a shell shows it.
    pub status: i32,
    /// Time from its start to its end.
    pub elapsed: Duration,
    /// Its calls.
    pub counts: Counts,
}

/// The least time that tracing adds to a call.
const SLOWER: Duration = Duration::from_micros(2);

impl Traced {
    /// Returns whether the run did as much work as an untraced run of this length. A tracer slows
    /// each call, so a run that is not longer did less: the program stops after a fixed time.
    fn did_the_same(&self, elapsed: Duration) -> bool {
        let calls: u64 = self.counts.0.values().map(|count| count.calls).sum();
        let slower = SLOWER.as_secs_f64() * calls as f64;
        let elapsed = elapsed.as_secs_f64();
        // Less than 1 % is within the spread of a run's length.
        slower < elapsed / 100.0 || self.elapsed.as_secs_f64() > elapsed + slower
    }
}

impl ProfileRecord {
    /// Returns the record of a profile.
    pub fn new(subject: &Subject, profile: &Profile) -> Self {
        let counts = subject.traced.as_ref().map(|traced| &traced.counts);
        Self::of(subject, profile, &Shares::of(profile, counts))
    }
}

/// Writes a profile. Only [`Format::Table`] has colours.
pub fn write(out: &mut dyn io::Write, record: &ProfileRecord, format: Format, palette: &Palette) -> io::Result<()> {
    match format {
        Format::Table => table::write(out, record, palette),
        Format::Markdown => markdown::write(out, record),
        Format::Json => {
            serde_json::to_writer(&mut *out, record)?;
            writeln!(out)
        }
        Format::Folded => folded::write(out, record),
        Format::Svg => flame::write(out, record, flame::Place::File),
        Format::Speedscope => speedscope::write(out, record),
    }
}

/// Writes a profile as a part of a page in HTML: its shares and its flame graph, without scripts.
pub fn write_section(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    html::write(out, record)?;
    flame::write(out, record, flame::Place::Page)
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
