//! The benchmark as a tracer: it executes itself for sysguard's engines, so that a whole run in its
//! own process is measured.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use sysguard::unstable::linux::{Command as Traced, Environment, Limits, Outcome, Stream, inherited};
use sysguard::unstable::model::expectation::{Baseline, Document, Version, format, project};
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::guard::Guard;
use sysguard::unstable::model::observe::observation::Observation;
use sysguard::unstable::runner::{Lookup, find_command, observe, observe_guarded, observe_notified};
use sysguard::unstable::settings;

use crate::floor;

const WORD: &str = "--watch";
/// How many runs a baseline is made of.
const RUNS: usize = 3;

/// Returns the path of the baseline of a workload that runs in this folder: beside it, so that the
/// workload does not see it.
fn baseline_of(folder: &Path) -> PathBuf {
    folder.with_extension("baseline")
}

/// Returns the command that runs this benchmark as the tracer of a command.
pub(crate) fn command(engine: &str, words: &[OsString]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe")));
    command.args([WORD, engine, "--"]).args(words);
    command
}

/// Records the baseline of a command in this folder.
pub(crate) fn record(words: &[OsString], folder: &Path) -> io::Result<()> {
    let mut command = command("record", words);
    command.current_dir(folder).stdin(Stdio::null()).env_remove("LD_LIBRARY_PATH");
    command.output().map(drop)
}

/// Runs the tracer if this process was started for it.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let [word, engine, _, words @ ..] = arguments else { return None };
    if word != WORD {
        return None;
    }
    let result = watch(&engine.to_string_lossy(), words);
    tell_peak();
    match result {
        Ok(status) => Some(ExitCode::from(status)),
        Err(message) => {
            let _ = writeln!(io::stderr(), "error: {message}");
            Some(ExitCode::from(125))
        }
    }
}

const LIMITS: Limits = Limits { timeout: None, stop: None, grace: Duration::from_secs(2) };

/// The environment variable with the file in which the tracer writes its peak memory, in KiB.
pub(crate) const PEAK: &str = "SYSGUARD_BENCH_PEAK";

fn tell_peak() {
    let Some(file) = std::env::var_os(PEAK) else { return };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let _ = std::fs::write(file, peak.trim().trim_end_matches(" kB"));
}

fn watch(engine: &str, words: &[OsString]) -> Result<u8, String> {
    let folder = std::env::current_dir().map_err(|error| error.to_string())?;
    let (_, outcome) = match engine {
        "filter" => return floor::filter(words).map_err(|error| error.to_string()),
        "births" => return floor::births(words).map_err(|error| error.to_string()),
        "guard" => {
            let command = traced(words)?;
            let baseline = read(&baseline_of(&folder))?;
            let guard = Guard::new(&document()?, &baseline, &settings::platform(), &inherited(&command));
            let guard = guard.map_err(|error| error.to_string())?;
            observe_guarded(command, &LIMITS, &guard).map_err(|error| error.to_string())?
        }
        "record" => {
            let mut all = seen(words)?;
            for _ in 1..RUNS {
                let _ = std::fs::remove_dir_all("target");
                all.0.merge(seen(words)?.0);
            }
            std::fs::write(baseline_of(&folder), lines(&all.0)?).map_err(|error| error.to_string())?;
            all
        }
        "notify" => observe_notified(traced(words)?, &LIMITS).map_err(|error| error.to_string())?,
        _ => seen(words)?,
    };
    match outcome.incomplete {
        Some(incomplete) => Err(incomplete.to_string()),
        None => Ok(u8::try_from(outcome.exit.shell_status()).unwrap_or(u8::MAX)),
    }
}

fn seen(words: &[OsString]) -> Result<(Observation, Outcome), String> {
    observe(traced(words)?, &LIMITS).map_err(|error| error.to_string())
}

fn traced(words: &[OsString]) -> Result<Traced, String> {
    let name = words.first().map(OsString::as_os_str).unwrap_or(OsStr::new(""));
    let Lookup::Found(program) = find_command(name) else { return Err(format!("{} was not found", name.display())) };
    Ok(Traced {
        program,
        argv: words.to_vec(),
        environment: Environment::Inherited,
        cwd: None,
        scratch: None,
        stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
        isolated: false,
        filters: Vec::new(),
    })
}

fn document() -> Result<Document, String> {
    let parsed = format::read(b"version: 2\ncommand: [\"true\"]\n").map_err(|error| error.to_string())?;
    Ok(parsed.expectation.document)
}

/// Returns one fact per line. The loader has its own set only if a file names it.
fn lines(observation: &Observation) -> Result<String, String> {
    let facts = project(observation, &document()?, &settings::platform(), Version::LATEST).facts;
    let facts = facts.keys().filter(|fact| !matches!(fact, Fact::Phase { .. }));
    Ok(facts.fold(String::new(), |mut lines, fact| {
        let _ = writeln!(lines, "{fact}");
        lines
    }))
}

fn read(file: &Path) -> Result<Baseline, String> {
    let mut baseline = Baseline::new(settings::platform());
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    for line in text.lines() {
        baseline.insert(&line.parse().map_err(|error| format!("{error}"))?);
    }
    Ok(baseline)
}
