//! `cargo sysguard report`: reports what the expectations of the repository say. Main type:
//! [`Options`]. It runs no workload.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use sysguard::unstable::artifacts;
use sysguard::unstable::model::explain::Kernel;
use sysguard::unstable::report::evidence::{Evidence, EvidenceFormat, StaticReach, evidence};
use sysguard::unstable::settings::{Flags, Settings};

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output::{self, ReportFile};
use crate::profiles::SavedProfiles;
use crate::proposals::Proposals;
use crate::reaches::SavedReaches;
use crate::recorded::{self, Workload};
use crate::taxonomy;

/// `report`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Report only workloads with one of these in their name
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Write the report in this format: markdown, json or html
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: ReportFormat,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Taxonomy used to name subsystems: kernel, workload-tracing, or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "kernel")]
    taxonomy: String,
    #[command(flatten)]
    cargo: PackageFlags,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ReportFormat {
    #[default]
    Markdown,
    Json,
    Html,
}

impl Options {
    /// Writes the report. An unreadable file is an error, because the report would be incomplete.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let taxonomy = taxonomy::find(&self.taxonomy)?;
        let file = self.output.as_deref().map(ReportFile::prepare).transpose().map_err(Failure::failed)?;
        let (mut workloads, faults) = recorded::all(&Proposals::open(&self.cargo, &settings)?);
        let named = |name: &str| self.filters.iter().any(|filter| name.contains(filter.as_str()));
        workloads.retain(|workload| self.filters.is_empty() || named(&workload.name));
        if workloads.is_empty() && !self.filters.is_empty() {
            return Err(Failure::usage(format!("no workload matches `{}`", self.filters.join("`, `"))));
        }
        let saved = self.saved(&workloads, &settings)?;
        let evidences: Vec<Evidence<'_>> = workloads
            .iter()
            .zip(&saved)
            .map(|(workload, (profile, reach))| Evidence {
                workload: &workload.name,
                file: &workload.file,
                expectation: &workload.expectation,
                profile: profile.as_deref(),
                reach: reach.as_ref(),
            })
            .collect();
        let mut text = Vec::new();
        evidence(&mut text, &evidences, &Kernel::of_tables(), &taxonomy, self.format.into())
            .map_err(Failure::output)?;
        match file {
            Some(mut file) => {
                file.write_all(&text)
                    .and_then(|()| file.finish())
                    .map_err(|error| Failure::failed(format!("cannot write the report: {error}")))?;
            }
            None => output::plain_stdout().write_all(&text).map_err(Failure::output)?,
        }
        for fault in &faults {
            // Ignore a closed standard error: the exit code remains.
            let _ = writeln!(anstream::stderr(), "{}", message::error(&fault.to_string()));
        }
        Ok(if faults.is_empty() { Outcome::Expected } else { Outcome::Failed })
    }
}

/// What `profile --save` and `reach --save` kept of a workload: the profile as markup.
type Saved = (Option<String>, Option<StaticReach>);

impl Options {
    /// Returns what was saved of each workload. The profile is left out of formats that do not show
    /// it.
    fn saved(&self, workloads: &[Workload], settings: &Settings) -> Result<Vec<Saved>, Failure> {
        let selected = self.cargo.select(&settings.cargo)?;
        let (profiles, reaches) = (SavedProfiles::below(&selected.target), SavedReaches::below(&selected.target));
        let has_profiles = matches!(self.format, ReportFormat::Html);
        let saved = |workload: &Workload| {
            let package = selected.packages.iter().find(|package| artifacts::root(package) == workload.package);
            let Some(package) = package.map(|package| package.name.as_str()) else { return Ok((None, None)) };
            let profile = if has_profiles { profiles.markup(package, &workload.name)? } else { None };
            Ok((profile, reaches.evidence(package, &workload.name)?))
        };
        workloads.iter().map(saved).collect()
    }
}

impl From<ReportFormat> for EvidenceFormat {
    fn from(format: ReportFormat) -> Self {
        match format {
            ReportFormat::Markdown => Self::Markdown,
            ReportFormat::Json => Self::Json,
            ReportFormat::Html => Self::Html,
        }
    }
}
