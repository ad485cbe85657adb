//! Measures how often unchanged programs fail: blesses programs of many kinds once, and then tests
//! them repeatedly.
//!
//! `cargo bench -p cargo-sysguard --bench stability -- [--rounds N] [--in FOLDER] [--engine NAME]
//! [PROGRAM]…`. Every second round is harder, with load on all CPUs or on a single CPU. Failures
//! and suspects are those of `cargo sysguard test`. Any failure is a bug of sysguard.

mod condition;
mod tally;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use condition::Condition;
use serde_json::Value;
use tally::Tally;
use tempfile::TempDir;

/// Bless programs of many kinds once, test each repeatedly, and count the failures.
#[derive(Parser)]
struct Options {
    /// Test each program N times
    #[arg(long, value_name = "N", default_value_t = 100)]
    rounds: usize,
    /// Bless and test in this folder, keeping baselines that exist there [default: a temporary
    /// folder]
    #[arg(long, value_name = "FOLDER")]
    r#in: Option<PathBuf>,
    /// Trace with this engine: guard or ptrace [default: that of `cargo sysguard test`]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// Test only programs with one of these in their name
    #[arg(value_name = "PROGRAM")]
    filters: Vec<String>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match series(&Options::parse()) {
        Ok(tally) if tally.failures() == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn series(options: &Options) -> io::Result<Tally> {
    let temporary = TempDir::new()?;
    let folder = options.r#in.as_deref().unwrap_or(temporary.path());
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stability/programs");
    copy(&programs, folder, &path_with_cargo())?;
    bless(folder, options)?;

    let mut tally = Tally::default();
    let mut out = io::stdout().lock();
    for round in 0..options.rounds {
        let condition = Condition::of(round);
        for verdict in test(folder, options, condition)? {
            if let Some(failure) = tally.add(&verdict) {
                writeln!(out, "round {} ({condition}): {failure}", round + 1)?;
            }
        }
    }
    write!(out, "{tally}")?;
    Ok(tally)
}

/// Returns a PATH with the toolchain's programs, which need no HOME, unlike rustup's.
fn path_with_cargo() -> String {
    let cargo = Path::new(env!("CARGO")).parent().expect("cargo lies in a folder");
    format!("{}:/usr/local/bin:/usr/bin:/bin", cargo.display())
}

/// Copies the package without overwriting files.
fn copy(from: &Path, to: &Path, path: &str) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copied = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &copied, path)?;
        } else if !copied.exists() {
            fs::write(&copied, fs::read_to_string(entry.path())?.replace("@PATH@", path))?;
        }
    }
    Ok(())
}

/// Blesses programs without a baseline, and prints the number of runs for each.
fn bless(folder: &Path, options: &Options) -> io::Result<()> {
    for verdict in sysguard(&[], folder, options, &["test", "--update", "unseen"])? {
        if verdict["status"]["kind"] == "blessed" {
            let runs = verdict["growth"].as_array().map_or(0, Vec::len);
            writeln!(io::stderr(), "{}: blessed, {runs} runs", verdict["workload"].as_str().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Tests every program once.
fn test(folder: &Path, options: &Options, condition: Condition) -> io::Result<Vec<Value>> {
    let _load = condition.load();
    sysguard(condition.prefix(), folder, options, &["test", "--update", "no"])
}

/// Runs `cargo sysguard` with these arguments and returns its verdicts.
fn sysguard(prefix: &[&str], folder: &Path, options: &Options, words: &[&str]) -> io::Result<Vec<Value>> {
    let binary = env!("CARGO_BIN_EXE_cargo-sysguard");
    let mut words = prefix.iter().copied().chain([binary]).chain(words.iter().copied());
    let mut command = Command::new(words.next().expect("there are words"));
    command.args(words).args(["--format", "json"]).args(&options.filters);
    if let Some(engine) = &options.engine {
        command.args(["--engine", engine]);
    }
    command.env("CARGO_TARGET_DIR", folder.join("target")).current_dir(folder);
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
    let record: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))?;
    let Value::Array(verdicts) = &record["verdicts"] else { return Err(io::Error::other("no verdicts")) };
    Ok(verdicts.clone())
}
