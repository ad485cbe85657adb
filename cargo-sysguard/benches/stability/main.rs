//! How often an unchanged program fails: programs of many kinds, blessed once and then tested again
//! and again.
//!
//! `cargo bench -p cargo-sysguard --bench stability -- [--rounds N] [--in FOLDER] [--engine NAME] [PROGRAM]…`. Every
//! second round is made hard, by load on all CPUs or by a single CPU. It judges nothing itself:
//! what fails and what is suspect is what `cargo sysguard test` says. Any failure of a test is a
//! fault of ours.

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

/// Blesses programs of many kinds once, tests each again and again, and counts what fails.
#[derive(Parser)]
struct Options {
    /// How often each is tested
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// Where they are blessed and tested: what is blessed there already stays as it is [default: a
    /// temporary folder]
    #[arg(long, value_name = "FOLDER")]
    r#in: Option<PathBuf>,
    /// Who watches: guard or ptrace [default: that of `cargo sysguard test`]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// Only programs whose name contains one of these
    #[arg(value_name = "PROGRAM")]
    filters: Vec<String>,
    /// Cargo's own word
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

/// The toolchain's own programs need no HOME, unlike rustup's.
fn path_with_cargo() -> String {
    let cargo = Path::new(env!("CARGO")).parent().expect("cargo lies in a folder");
    format!("{}:/usr/local/bin:/usr/bin:/bin", cargo.display())
}

/// Copies the package, but no file that is there already.
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

/// Blesses those that have no baseline, and says after how many runs each was quiet.
fn bless(folder: &Path, options: &Options) -> io::Result<()> {
    for verdict in sysguard(&[], folder, options, &["test", "--update", "unseen"])? {
        if verdict["status"]["kind"] == "blessed" {
            let runs = verdict["growth"].as_array().map_or(0, Vec::len);
            writeln!(io::stderr(), "{}: blessed, {runs} runs", verdict["workload"].as_str().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Tests all once.
fn test(folder: &Path, options: &Options, condition: Condition) -> io::Result<Vec<Value>> {
    let _load = condition.load();
    sysguard(condition.prefix(), folder, options, &["test", "--update", "no"])
}

/// The verdicts of `cargo sysguard` with these words.
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
