//! A test harness in which every workload is a test: libtest's contract, with libtest-mimic.
//!
//! ```no_run
//! // tests/sysguard.rs, with `harness = false` in its [[test]] entry
//! fn main() -> std::process::ExitCode {
//!     sysguard::harness::main(env!("CARGO_MANIFEST_DIR"))
//! }
//! ```
//!
//! Its exit status is 0 or 101 and nothing else. Details are in the verdicts, which it appends to
//! the file named by `SYSGUARD_VERDICTS`. It must not judge or format verdicts.

pub(crate) mod arguments;
mod check;
mod closure_body;
mod closures;
pub(crate) mod custom_test;
pub(crate) mod handshake;
pub(crate) mod lifeline;
mod package_folder;
pub(crate) mod progress;
mod progress_log;
mod relay;
pub(crate) mod session;
#[cfg(feature = "unstable")]
mod spinners;
#[cfg(not(feature = "unstable"))]
#[path = "spinners/left_out.rs"]
mod spinners;

use std::process::ExitCode;

pub use check::Check;
pub use closures::Harness;

/// The exit status of a failed test, as in libtest.
const FAILED: u8 = 101;

/// Runs the workloads of the package in this folder, as the command line asks.
pub fn main(package: &str) -> ExitCode {
    Harness::new(package).main()
}
