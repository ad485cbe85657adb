//! The only wiring: from a workload to its [`Verdict`].
//!
//! A [`Suite`] holds the workloads of one package. It runs them, compares, decides and writes
//! files. It must not format text or print. One suite may be used from many threads.
//!
//! [`Verdict`]: crate::model::judge::verdict::Verdict

mod check;
mod child;
mod cpu_load;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod denials;
mod dependency_moves;
mod diff_tool;
mod environment;
mod executables;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod explore;
mod fingerprint;
mod folder;
pub mod git;
mod guardian;
mod manifests;
mod observe;
mod output;
mod progress;
mod repeat;
mod run;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod run_by;
mod runnable;
mod scratch;
mod suite;
mod test;
mod traced_run;
mod verdicts;
mod waiting;
mod watch;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub use check::CheckOptions;
pub use child::output_of;
#[cfg(feature = "unstable")]
pub use cpu_load::CpuLoad;
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use denials::{DeniedCall, FilteredRun};
pub use diff_tool::{DiffTool, DiffToolError};
pub use environment::Lookup;
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use explore::{ExploreOptions, Explorer, NotExplored, NotReplayed, Replay, Surveyed, limit};
pub use folder::{TemporaryFolder, left_behind};
pub use guardian::{remove_abandoned, serve_if_guardian};
pub use observe::{
    observe, observe_compared, observe_guarded, observe_logged, observe_notified, observe_notified_with_examples,
    observe_with_callers, observe_with_examples,
};
pub use output::Echo;
pub use progress::{Progress, Silent};
pub use run::DEFAULT_GRACE;
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use run_by::{NotRun, RunBy};
pub use suite::{Case, Suite, Unreadable};
pub use test::{Schedule, Test, TestResult};

/// Sets the function that is called with a package's folder after two seconds of waiting for its
/// lock.
pub fn on_long_wait(report: fn(&Path)) {
    crate::store::on_long_wait(report);
}

/// Finds a program as a shell does: a name on this process's `PATH`, a path as it is.
pub fn find_command(name: &OsStr) -> Lookup {
    if name.as_encoded_bytes().contains(&b'/') {
        return environment::look_at(PathBuf::from(name));
    }
    // confstr(3), _CS_PATH: the path of execvp(3) if `PATH` is not set.
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    environment::find_on_path(&path, name, Path::new(""))
}
