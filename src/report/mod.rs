//! Formats the results of sysguard for people and for programs. Main type: [`Palette`].
//!
//! Everything here writes to a given writer and decides nothing. It must not know exit statuses,
//! files or terminals. Colours are a [`Palette`] of meanings that the caller chooses.

pub mod evidence;
mod exit;
pub mod explain;
mod format;
mod gates;
mod list;
mod log;
mod markup;
mod observation;
mod pending;
mod remains;
pub mod revisions;
#[cfg(test)]
mod schema;
mod style;
mod verdict;
mod waiting;
mod words;

pub use format::{Format, NotAFormat, VerdictFormat};
pub use gates::gates;
pub use list::{Listed, list, no_workloads};
pub use log::log_line;
pub use observation::observation;
pub use pending::{PendingKeys, finding, pending};
pub use remains::left_behind;
pub use style::Palette;
pub use verdict::{
    Closing, NotAVerdict, PackageVerdicts, change, closing, fast_mode_note, pending_dir_flag, read_json_line,
    step_summary, summary, verdict, verdict_with_diff, verdicts, write_json_line,
};
pub use waiting::waiting;
