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

pub use arguments::Arguments;
pub use closures::Harness;
pub use each::{Each, run_each};
pub use handshake::is_harness;
pub use lifeline::{Lifeline, follow_lifeline};
pub use progress::Spinners;
pub use session::{Console, Session, Summary};

/// The exit status of a failed test, as in libtest.
const FAILED: u8 = 101;

/// Runs the workloads of the package in this folder, as the command line asks.
pub fn main(package: &str) -> ExitCode {
    Harness::new(package).main()
}
