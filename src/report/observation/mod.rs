//! Observations in every format. Main function: [`observation`].
//!
//! [`record`] is the data for machines; the other formats are views of it.

mod callers;
mod csv;
mod ends;
mod groups;
mod markdown;
mod record;
mod table;

use std::io;

use super::{Format, Palette};
use crate::model::observe::observation::ObservedRun;
use crate::model::taxonomy::Taxonomy;
pub(super) use record::ObservationRecord;

/// Writes an observation, with subsystems named by a taxonomy. Only [`Format::Table`] has colours.
pub fn observation(
    out: &mut dyn io::Write,
    recording: &ObservedRun,
    format: Format,
    taxonomy: &Taxonomy,
    palette: &Palette,
) -> io::Result<()> {
    let mut record = ObservationRecord::of(recording);
    groups::add_taxonomy(&mut record, taxonomy);
    match format {
        Format::Table => {
            table::write(out, recording, &record, taxonomy, palette)?;
            callers::write(out, &recording.observation, palette)
        }
        Format::Markdown => markdown::write(out, recording, &record, taxonomy),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &record)?;
            writeln!(out)
        }
        Format::Yaml => serde_yaml::to_writer(out, &record).map_err(io::Error::other),
        Format::Csv => csv::write(out, &record, taxonomy),
    }
}

#[cfg(test)]
mod tests;
