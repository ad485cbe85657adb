//! The evidence: what the expectations of a repository say that its workloads use of the kernel,
//! for who must know.
//!
//! `record` is the data as machines read it, `sysguard.report/1`; Markdown and HTML are views of
//! it. Nothing is traced, and no clock is read: the same expectations give the same bytes.

mod html;
mod markdown;
mod record;
mod wording;

use std::io;

use crate::model::expectation::Expectation;
use crate::model::explain::Kernel;
use crate::model::taxonomy::Taxonomy;
use record::EvidenceRecord;

/// One workload and its file.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Its name.
    pub workload: &'a str,
    /// Its file, as it is called from the workspace's folder.
    pub file: &'a str,
    /// What that says.
    pub expectation: &'a Expectation,
}

/// How the evidence is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceFormat {
    /// For a page beside the code.
    Markdown,
    /// One object.
    Json,
    /// One file that needs no other, and no script.
    Html,
}

/// Writes the evidence, filed under the words of a taxonomy.
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
        EvidenceFormat::Html => html::write(out, &record),
        EvidenceFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &record)?;
            writeln!(out)
        }
    }
}

/// How baselines come about, in words that both pages tell.
const METHOD: &str = "A baseline holds what runs of a workload showed under a ptrace tracer, in a built environment and repeated until nothing \
                      new showed, and what a reviewer accepted since. A run shows what it executed: this is evidence of what was used, not that nothing else can be. \
                      Calls that scheduler, allocator, loader and vDSO decide are set apart unless a workload says `ambient: strict`.";

#[cfg(test)]
mod tests;
