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
mod closures;
mod each;
mod handshake;
mod lifeline;
mod lines;
mod place;
mod progress;
mod relay;
mod session;

use std::process::ExitCode;

pub use closures::Harness;

// Without a stability promise: `cargo-sysguard` uses them.
#[doc(hidden)]
pub use arguments::Arguments;
#[doc(hidden)]
pub use each::{Each, run_each};
#[doc(hidden)]
pub use handshake::is_harness;
#[doc(hidden)]
pub use lifeline::{Lifeline, follow_lifeline};
#[doc(hidden)]
pub use progress::Spinners;
#[doc(hidden)]
pub use session::{Console, Session, Summary};

/// The exit status of a failed test, as in libtest.
const FAILED: u8 = 101;

/// Runs the workloads of the package in this folder, as the command line asks.
pub fn main(package: &str) -> ExitCode {
    Harness::new(package).main()
}
