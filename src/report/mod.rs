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
mod exploration;
#[cfg(feature = "unstable")]
mod format;
#[cfg(feature = "unstable")]
mod gates;
mod list;
#[cfg(feature = "unstable")]
mod log;
#[cfg(feature = "unstable")]
pub mod markup;
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
#[cfg(feature = "unstable")]
mod way;
mod words;

pub use list::no_workloads;
pub use remains::left_behind;
pub use style::Palette;
pub use verdict::{ShownGroups, fast_mode_note, older_baselines_note, verdict_with_diff, write_json_line};
pub use waiting::waiting;
#[cfg(feature = "unstable")]
pub use {
    exploration::{
        PackageExplorations, closing as closing_of_explorations, exploration, exploration_step_summary,
        exploration_summary, explorations, replay,
    },
    format::{Format, NotAFormat, VerdictFormat, named as format_named},
    gates::{Gates, gates},
    list::{Listed, list},
    log::log_line,
    observation::observation,
    pending::{PendingKeys, finding, pending, pending_causes, pending_groups, without_stack},
    verdict::{
        Closing, NotAVerdict, PackageVerdicts, change, closing, pending_dir_flag, read_json_line, shared_causes,
        step_summary, summary, verdict, verdicts,
    },
};
