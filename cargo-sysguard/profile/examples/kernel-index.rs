//! Writes the index of kernel functions from unpacked kernel sources.
//!
//! Unpack the trees that `examples/kernel-tables` names, from the oldest to the newest, and pass
//! them all:
//!
//! ```text
//! cargo run --release -p sysguard-profile --example kernel-index -- \
//!     --source /tmp/linux-6.12.94 --source /tmp/linux-6.18.15 --source /tmp/linux-7.1.8
//! ```
//!
//! With `--check` it writes nothing and exits with 1 if the index would change.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use kernel_source::{Result, Tree};

/// Where the index is in this crate.
const INDEX: &str = "src/kernel/index.bin";

/// Write the index of kernel functions from kernel source trees
#[derive(Parser)]
struct Options {
    /// An unpacked kernel source tree; repeat it for older and newer ones
    #[arg(long = "source", value_name = "DIR", required = true)]
    sources: Vec<PathBuf>,
    /// Write nothing; exit with 1 if the index would change
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse(), &mut io::stdout().lock()) {
        Ok(code) => code,
        Err(message) => {
            // A closed stderr cannot be reported.
            let _ = writeln!(io::stderr(), "error: cannot {message}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options, out: &mut impl Write) -> Result<ExitCode> {
    let mut trees = options.sources.iter().map(|root| Tree::open(root)).collect::<Result<Vec<_>>>()?;
    trees.sort_by_key(Tree::version);
    let functions = trees.iter().map(kernel_source::functions).collect::<Result<Vec<_>>>()?;
    let index = profile::kernel::encode(&functions);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(INDEX);
    let is_stale = fs::read(&path).unwrap_or_default() != index;
    let what = match (is_stale, options.check) {
        (false, _) => "is up to date",
        (true, true) => "is stale: run it without --check",
        (true, false) => {
            fs::write(&path, &index).map_err(|cause| format!("write `{}`: {cause}", path.display()))?;
            "is written"
        }
    };
    writeln!(out, "the index of {} bytes {what}", index.len()).map_err(|cause| format!("write the report: {cause}"))?;
    Ok(if is_stale && options.check { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
