//! What runs showed, in every format: [`observation`].
//!
//! [`record`] is the data as machines read it; the other formats are views of it.

mod callers;
mod csv;
mod groups;
mod markdown;
mod record;
mod table;

use std::io;

use super::{Format, Palette};
use crate::model::observation::Recording;
use record::ObservationRecord;

/// Writes what a recording shows. Only [`Format::Table`] has colours.
pub fn observation(
    out: &mut dyn io::Write,
    recording: &Recording,
    format: Format,
    palette: &Palette,
) -> io::Result<()> {
    let record = ObservationRecord::of(recording);
    match format {
        Format::Table => {
            table::write(out, recording, &record, palette)?;
            callers::write(out, &recording.observation, palette)
        }
        Format::Markdown => markdown::write(out, recording, &record),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &record)?;
            writeln!(out)
        }
        Format::Yaml => serde_yaml::to_writer(out, &record).map_err(io::Error::other),
        Format::Csv => csv::write(out, &record),
    }
}

#[cfg(test)]
mod tests;
