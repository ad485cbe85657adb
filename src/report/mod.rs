//! Formats the results of sysguard for people and for programs. Main type: [`Palette`].
//!
//! Everything here writes to a given writer and decides nothing. It must not know exit statuses,
//! files or terminals. Colours are a [`Palette`] of meanings that the caller chooses.

#[cfg(feature = "unstable")]
pub mod evidence;
mod exit;
#[cfg(feature = "unstable")]
pub mod explain;
#[cfg(feature = "unstable")]
mod format;
#[cfg(feature = "unstable")]
mod gates;
mod list;
#[cfg(feature = "unstable")]
mod log;
#[cfg(feature = "unstable")]
mod markup;
#[cfg(feature = "unstable")]
mod observation;
#[cfg(feature = "unstable")]
mod pending;
mod remains;
#[cfg(feature = "unstable")]
pub mod revisions;
#[cfg(test)]
mod schema;
mod style;
mod verdict;
mod waiting;
mod words;

#[cfg(feature = "unstable")]
pub use format::{Format, NotAFormat, VerdictFormat};
#[cfg(feature = "unstable")]
pub use gates::gates;
pub use list::no_workloads;
#[cfg(feature = "unstable")]
pub use list::{Listed, list};
#[cfg(feature = "unstable")]
pub use log::log_line;
#[cfg(feature = "unstable")]
pub use observation::observation;
#[cfg(feature = "unstable")]
pub use pending::{PendingKeys, finding, pending};
pub use remains::left_behind;
pub use style::Palette;
#[cfg(feature = "unstable")]
pub use verdict::{
    Closing, NotAVerdict, PackageVerdicts, change, closing, pending_dir_flag, read_json_line, step_summary, summary,
    verdict, verdicts,
};
pub use verdict::{fast_mode_note, verdict_with_diff, write_json_line};
pub use waiting::waiting;
