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

mod arguments;
mod check;
mod closure_body;
mod closures;
mod custom_test;
mod handshake;
mod lifeline;
mod package_folder;
mod progress;
mod progress_log;
mod relay;
mod session;
#[cfg(feature = "unstable")]
mod spinners;
#[cfg(not(feature = "unstable"))]
#[path = "spinners/left_out.rs"]
mod spinners;

use std::process::ExitCode;

pub use check::Check;
pub use closures::Harness;

// Without a stability promise: `cargo-sysguard` uses them.
#[doc(hidden)]
pub use arguments::Arguments;
#[doc(hidden)]
pub use custom_test::{CustomTest, run_custom_tests};
#[doc(hidden)]
pub use handshake::is_harness;
#[doc(hidden)]
pub use lifeline::{Lifeline, follow_lifeline};
#[doc(hidden)]
pub use progress::ProgressDisplay;
#[doc(hidden)]
pub use session::{Console, Session, Summary};

/// The exit status of a failed test, as in libtest.
const FAILED: u8 = 101;

/// Runs the workloads of the package in this folder, as the command line asks.
pub fn main(package: &str) -> ExitCode {
    Harness::new(package).main()
}
