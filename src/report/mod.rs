//! Words and colours: what sysguard found, put for people and for programs.
//!
//! Everything here takes a writer and decides nothing: no exit status, no file, no terminal is its business. Colours are a
//! [`Palette`] of meanings that the caller chooses.

mod exit;
mod format;
mod observation;
mod style;
mod verdict;
mod words;

pub use format::{Format, NotAFormat, VerdictFormat};
pub use observation::observation;
pub use style::Palette;
pub use verdict::{
    NotAVerdict, PackageVerdicts, read_json_line, step_summary, summary, verdict, verdicts, write_json_line,
};
