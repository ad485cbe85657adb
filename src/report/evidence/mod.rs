//! The evidence: what a repository's expectations say about its workloads' use of the kernel, for
//! audits. Main function: [`evidence`].
//!
//! `record` is the data for machines, `sysguard.report/1`; Markdown and HTML are views of it.
//! Nothing is traced and no clock is read: the same expectations give the same bytes.

mod error_path_words;
mod error_paths;
mod html;
mod markdown;
mod named;
mod record;
mod static_reach;
mod wording;

use std::io;

use crate::model::expectation::Expectation;
use crate::model::explain::Kernel;
use crate::model::taxonomy::Taxonomy;
pub(super) use record::EvidenceRecord;
pub use static_reach::StaticReach;

/// One workload and its file.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Its name.
    pub workload: &'a str,
    /// Its file, relative to the root of the workspace.
    pub file: &'a str,
    /// The content of the file.
    pub expectation: &'a Expectation,
    /// Its profile as markup for [`EvidenceFormat::Html`]. Other formats leave it out.
    pub profile: Option<&'a str>,
    /// What its program could call, if that was analysed and saved.
    pub reach: Option<&'a StaticReach>,
}

/// The formats of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceFormat {
    /// A page to keep beside the code.
    Markdown,
    /// One object.
    Json,
    /// A single file without scripts or external resources.
    Html,
}

/// Writes the evidence, with subsystems named by a taxonomy.
pub fn evidence(
    out: &mut dyn io::Write,
    workloads: &[Evidence<'_>],
    kernel: &Kernel,
    taxonomy: &Taxonomy,
    format: EvidenceFormat,
) -> io::Result<()> {
    let record = EvidenceRecord::of(workloads, kernel, taxonomy);
    match format {
        EvidenceFormat::Markdown => markdown::write(out, &record),
        EvidenceFormat::Html => html::write(out, &record, &profiles(workloads)),
        EvidenceFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &record)?;
            writeln!(out)
        }
    }
}

/// Returns the profiles by the files and names of their workloads.
fn profiles<'a>(workloads: &[Evidence<'a>]) -> html::Profiles<'a> {
    workloads.iter().filter_map(|one| Some(((one.file, one.workload), one.profile?))).collect()
}

/// How baselines are made, in the words of both pages.
const METHOD: &str = "A baseline holds what the runs of a workload did under a tracer, in a fixed environment and repeated until \
                      nothing new appeared, and what a reviewer accepted later. Runs show what was executed: this proves what was \
                      used, not that nothing else can be used. Calls that the scheduler, allocator, loader or vDSO decide on are \
                      left out unless a workload says `ambient: strict`.";

#[cfg(test)]
mod tests;
