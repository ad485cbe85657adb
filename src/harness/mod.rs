//! A test harness of which every workload is a test: the contract of libtest over libtest-mimic.
//!
//! ```no_run
//! // tests/sysguard.rs, with `harness = false` in its [[test]] entry
//! fn main() -> std::process::ExitCode {
//!     sysguard::harness::main(env!("CARGO_MANIFEST_DIR"))
//! }
//! ```
//!
//! It ends with 0 or 101 and nothing else; whoever wants to know more reads the verdicts that it
//! appends to the file that `SYSGUARD_VERDICTS` names. It must not judge, nor put verdicts into
//! words.

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

/// The exit status of a test that failed, as libtest has it.
const FAILED: u8 = 101;

/// Runs the workloads of the package in this folder as the command line of this process asks.
pub fn main(package: &str) -> ExitCode {
    Harness::new(package).main()
}
