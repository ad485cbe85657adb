//! A test harness of which every workload is a test: the contract of libtest over libtest-mimic.
//!
//! ```no_run
//! // tests/sysguard.rs, with `harness = false` in its [[test]] entry
//! fn main() -> std::process::ExitCode {
//!     sysguard::harness::main(env!("CARGO_MANIFEST_DIR"))
//! }
//! ```
//!
//! It ends with 0 or 101 and nothing else; whoever wants to know more reads the verdicts that it appends to the file that
//! `SYSGUARD_VERDICTS` names. It must not judge, nor put verdicts into words.

mod arguments;
mod each;
mod lifeline;
mod progress;
mod relay;
mod session;

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use crate::runner::Suite;
use crate::settings::{self, Flags, Given};

pub use arguments::Arguments;
pub use each::{Each, run_each};
pub use progress::Spinners;
pub use session::{Console, Session, Summary};

/// The exit status of a test that failed, as libtest has it.
const FAILED: u8 = 101;

/// Runs the workloads of the package in this folder as the command line of this process asks.
pub fn main(package: &str) -> ExitCode {
    let arguments = match Arguments::parse(env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Where even standard error is gone, the exit status has to do.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    match run(Path::new(package), arguments) {
        Ok(summary) if !summary.failed => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(FAILED),
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "error: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(package: &Path, arguments: Arguments) -> Result<Summary, Box<dyn std::error::Error>> {
    let settings = settings::resolve(&Given::from_env(), Flags::default())?;
    if let Some(file) = &settings.lifeline {
        lifeline::follow(file.clone());
    }
    let workspace = settings.workspace_root.clone();
    let suite = Suite::open(package, workspace.as_deref(), settings::platform(), settings)?;
    Ok(Session { suite, arguments, console: Console::Stdout }.run()?)
}
