//! Cost by size: one quantity grows by a factor of ten each time, everything else stays the same.
//!
//! It prints seconds, not ratios, so that a cost which grows faster than its load shows within a
//! column. An engine that would take too long is left out from there on.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{fs, iter};

use sysguard::unstable::settings;

use crate::engines::Engine;
use crate::loads;
use crate::options::Options;
use crate::watch;

/// The environment variable that names a package for this process to test instead of measuring.
pub(crate) const SUITE: &str = "SYSGUARD_BENCH_SUITE";

/// A load with a size that grows.
struct Series {
    what: &'static str,
    load: &'static str,
    sizes: &'static [usize],
}

const SERIES: [Series; 3] = [
    Series { what: "calls", load: "storm", sizes: &[1_000, 10_000, 100_000, 1_000_000, 10_000_000] },
    Series { what: "tasks at once, 200 calls each", load: "threads", sizes: &[1, 10, 100, 1_000] },
    Series { what: "distinct calls among 20,000", load: "distinct", sizes: &[1, 10, 100, 1_000] },
];

const SUITES: &[usize] = &[1, 10, 100, 1_000];
const FACTS: &[usize] = &[10, 100, 1_000, 10_000];

/// Measures every selected series and prints each size when it is known.
pub(crate) fn print(out: &mut dyn Write, options: &Options, engines: &[Engine]) -> io::Result<()> {
    // The next size takes ten times as long.
    let longest = if options.quick { 0.5 } else { 10.0 };
    for series in SERIES.iter().filter(|series| options.wants_workload(series.what)) {
        print_series(out, series, options.rounds.min(3), longest, engines)?;
    }
    let alone = |words: &[&str], rounds| median(rounds, || seconds(Command::new(words[0]).args(&words[1..])));
    if options.wants_workload("workloads") {
        writeln!(out, "\n| workloads in a suite | as many processes | the suite |\n|---|---|---|")?;
        let most = if options.quick { 100 } else { 1_000 };
        for size in SUITES.iter().filter(|size| **size <= most) {
            let package = suite(*size, &document())?;
            let native = alone(&["sh", "-c", &format!("for i in $(seq {size}); do /bin/true; done")], options.rounds)?;
            let tested = median(options.rounds, || tested(package.path()))?;
            writeln!(out, "| {size} | {} | {} |", shown(Some(native)), shown(Some(tested)))?;
        }
    }
    if options.wants_workload("facts") {
        writeln!(out, "\n| facts in a baseline | the baseline's test |\n|---|---|")?;
        for size in FACTS {
            let package = suite(1, &(document() + &baseline(*size)))?;
            writeln!(out, "| {size} | {} |", shown(Some(median(options.rounds, || tested(package.path()))?)))?;
        }
    }
    Ok(())
}

fn print_series(
    out: &mut dyn Write,
    series: &Series,
    rounds: usize,
    longest: f64,
    engines: &[Engine],
) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    if engines.contains(&Engine::Guard) {
        // Several tasks use syscalls that a single one does not.
        let few = loads::command(series.load, series.sizes[1]);
        watch::record(&few, folder.path())?;
    }
    write!(out, "\n| {} | native |", series.what)?;
    engines.iter().try_for_each(|engine| write!(out, " {} |", engine.command()))?;
    writeln!(out, "\n|{}", "---|".repeat(engines.len() + 2))?;
    let mut last = vec![0.0; engines.len()];
    for size in series.sizes {
        let words = loads::command(series.load, *size);
        write!(out, "| {size} | {} |", shown(Some(median(rounds, || seconds(&mut Engine::Native.around(&words)))?)))?;
        for (engine, last) in engines.iter().zip(&mut last) {
            let run = (*last <= longest).then(|| under(*engine, &words, folder.path(), rounds)).transpose()?;
            *last = run.map_or(f64::INFINITY, |(seconds, _)| seconds);
            let peak = run.and_then(|(_, peak)| peak).map_or_else(String::new, |mb| format!(", {mb:.1} MB"));
            write!(out, " {}{peak} |", shown(run.map(|(seconds, _)| seconds)))?;
            out.flush()?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Returns seconds, and the peak memory of a sysguard tracer.
fn under(engine: Engine, words: &[OsString], folder: &Path, rounds: usize) -> io::Result<(f64, Option<f64>)> {
    let file = folder.join("peak");
    let seconds = median(rounds, || seconds(engine.around(words).env(watch::PEAK, &file).current_dir(folder)))?;
    let peak = fs::read_to_string(&file).ok().and_then(|kib| kib.trim().parse::<f64>().ok());
    let _ = fs::remove_file(&file);
    Ok((seconds, peak.map(|kib| kib * 1024.0 / 1e6)))
}

/// Returns the time of the workloads of a package under a harness in its own process.
fn tested(package: &Path) -> io::Result<f64> {
    seconds(Command::new(std::env::current_exe()?).env(SUITE, package).env("CI", "1"))
}

fn seconds(command: &mut Command) -> io::Result<f64> {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let seconds = start.elapsed().as_secs_f64();
    match output.status.success() {
        true => Ok(seconds),
        false => {
            let output_text = [output.stdout, output.stderr].concat();
            Err(io::Error::other(format!("{command:?} failed: {}", String::from_utf8_lossy(&output_text))))
        }
    }
}

/// Returns the median of this many runs, after one to warm up.
fn median(rounds: usize, mut run: impl FnMut() -> io::Result<f64>) -> io::Result<f64> {
    run()?;
    let mut times = iter::repeat_with(run).take(rounds).collect::<io::Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn document() -> String {
    "version: 2\ncommand: [\"true\"]\n".to_owned()
}

/// Makes a package with this many workloads, each with its own baseline unless the document has
/// one.
fn suite(workloads: usize, document: &str) -> io::Result<tempfile::TempDir> {
    let package = tempfile::tempdir()?;
    let folder = package.path().join("expectations");
    fs::create_dir(&folder)?;
    fs::write(folder.join("w0.yaml"), document)?;
    let recorded = Command::new(std::env::current_exe()?)
        .env(SUITE, package.path())
        .envs([("SYSGUARD_UPDATE", "force"), ("SYSGUARD_ENGINE", "ptrace")])
        .output()?;
    if !recorded.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&recorded.stdout).into_owned()));
    }
    for workload in 1..workloads {
        fs::copy(folder.join("w0.yaml"), folder.join(format!("w{workload}.yaml")))?;
    }
    Ok(package)
}

/// Returns a baseline with this many facts that the workload does not need.
fn baseline(facts: usize) -> String {
    let mut text =
        format!("---\nplatform: {}\nsubsystems:\n  filesystem:\n    ioctl:\n      arguments:\n", settings::platform());
    for fact in 0..facts {
        let _ = writeln!(text, "        - {:#x}", 0x5347_0000 + fact);
    }
    text
}

fn shown(seconds: Option<f64>) -> String {
    match seconds {
        None => "–".to_owned(),
        Some(seconds) if seconds < 0.1 => format!("{:.1} ms", seconds * 1e3),
        Some(seconds) if seconds < 10.0 => format!("{seconds:.2} s"),
        Some(seconds) => format!("{seconds:.0} s"),
    }
}
