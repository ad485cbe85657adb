//! A differential fuzzer: guard and notify must find everything new in a list of operations that
//! ptrace finds.
//!
//! `cargo test --test attacks -- --fuzz [--pairs N] [--seed N] [--jobs N] [--replay SEED:N]
//! [--no-minimise] [--ordinary-user]`. It uses the loopback interface only, and makes no file
//! outside its temporary folder.

mod list;
mod pair;

use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use libtest_mimic::{Completion, Failed};
use sysguard::unstable::settings;

use crate::engines::{Bench, fresh_folder};
use crate::needs::{self, Need};
use pair::{Judge, Judged};

/// What the trial of the suite judges, always the same.
const IN_SUITE: Options =
    Options { pairs: 400, seed: 1, jobs: 2, first: 0, tries: 1, minimises: false, by_ordinary_user: false };

/// Files of the machine that the interpreter opens: root could change them.
const OUTSIDE: &[&str] = &[
    "/etc/passwd",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/dev/random",
    "/dev/full",
    "/dev/ptmx",
    "/proc/meminfo",
    "/proc/sys/kernel/ostype",
    "/sys/devices/system/cpu/online",
    "/sys/kernel/mm",
];

/// A path, and mode, user, group and size of its file.
type State = (&'static str, Option<(u32, u32, u32, u64)>);

fn outside() -> Vec<State> {
    let state = |path: &&'static str| {
        let data = std::fs::metadata(path).ok();
        (*path, data.map(|data| (data.mode(), data.uid(), data.gid(), data.len())))
    };
    OUTSIDE.iter().map(state).collect()
}

/// The options of a run.
#[derive(Debug, Clone, Copy)]
struct Options {
    pairs: u64,
    seed: u64,
    jobs: u64,
    first: u64,
    /// How often a pair is judged: a race is not missed each time.
    tries: u32,
    minimises: bool,
    by_ordinary_user: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { pairs: 1000, minimises: true, ..IN_SUITE };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is not a number"));
            match word.as_str() {
                "--pairs" => options.pairs = number(value()?)?,
                "--seed" => options.seed = number(value()?)?,
                "--jobs" => options.jobs = number(value()?)?,
                "--no-minimise" => options.minimises = false,
                "--ordinary-user" => options.by_ordinary_user = true,
                "--replay" => {
                    let text = value()?;
                    let (seed, first) = text.split_once(':').ok_or_else(|| format!("`{text}` is not SEED:N"))?;
                    (options.seed, options.first, options.pairs) = (number(seed)?, number(first)?, 1);
                    options.tries = 20;
                }
                _ => return Err(format!("unknown option {word}")),
            }
        }
        Ok(options)
    }
}

/// How many pairs had each result.
#[derive(Debug, Default)]
struct Counts {
    judged: AtomicU64,
    new: AtomicU64,
    unfit: AtomicU64,
    missed: AtomicU64,
}

/// Runs the fuzzer from the command line.
pub(crate) fn main(arguments: &[String]) -> ExitCode {
    let done = Options::read(arguments).and_then(|options| match options.by_ordinary_user && needs::is_root() {
        true => {
            let others: Vec<String> = arguments.iter().filter(|word| *word != "--ordinary-user").cloned().collect();
            let words: Vec<String> = ["--fuzz".to_owned()].into_iter().chain(others).collect();
            crate::trials::become_ordinary(&words).map(|()| true).map_err(|error| error.to_string())
        }
        false => fuzz(&options, &Mutex::new(&mut io::stdout())),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {error}"));
            ExitCode::from(2)
        }
    }
}

/// The trial of the suite.
pub(crate) fn trial() -> Result<Completion, Failed> {
    if let Some(unmet) = needs::unmet(&[Need::X86, Need::Program("cc".to_owned())]) {
        return unmet;
    }
    let mut output: Vec<u8> = Vec::new();
    let is_right = fuzz(&IN_SUITE, &Mutex::new(&mut output))?;
    if is_right { Ok(Completion::Completed) } else { Err(String::from_utf8_lossy(&output).into_owned().into()) }
}

/// Returns true if every engine found everything new.
fn fuzz<W: Write + Send>(options: &Options, out: &Mutex<&mut W>) -> Result<bool, String> {
    let before = outside();
    let folder = fresh_folder(&std::env::temp_dir())?;
    let program = build(folder.path())?;
    let bench = Bench::new(settings::platform())?;
    let (counts, next, start) = (Counts::default(), AtomicU64::new(options.first), Instant::now());
    let judged: Vec<Result<(), String>> = thread::scope(|scope| {
        let work = || -> Result<(), String> {
            let own = fresh_folder(folder.path())?;
            let judge = Judge { bench: &bench, program: &program, folder: own.path().to_owned() };
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= options.first + options.pairs {
                    return Ok(());
                }
                let mut judged = judge.judge(options.seed, number);
                for _ in 1..options.tries {
                    if !matches!(judged, Judged::Missed(_)) {
                        judged = judge.judge(options.seed, number);
                    }
                }
                say(&judge, options, number, judged, &counts, out)?;
            }
        };
        let workers: Vec<_> = (0..options.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".to_owned())))
            .collect()
    });
    judged.into_iter().collect::<Result<(), _>>()?;
    let after = outside();
    if let Some((was, is)) = before.iter().zip(&after).find(|(was, is)| was != is) {
        return Err(format!("a file outside the temporary folder was changed: {was:?} is now {is:?}"));
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (pairs, new, unfit) = (count(&counts.judged), count(&counts.new), count(&counts.unfit));
    let (missed, seconds) = (count(&counts.missed), start.elapsed().as_secs());
    let summary = format!("{pairs} pairs, {new} with something new, {unfit} unfit, {missed} missed, {seconds} s");
    write_line(out, &summary)?;
    Ok(missed == 0)
}

fn say<W: Write + Send>(
    judge: &Judge<'_>,
    options: &Options,
    number: u64,
    judged: Judged,
    counts: &Counts,
    out: &Mutex<&mut W>,
) -> Result<(), String> {
    let add = |counter: &AtomicU64| _ = counter.fetch_add(1, Ordering::Relaxed);
    add(&counts.judged);
    match judged {
        Judged::NothingNew => {}
        Judged::Found => add(&counts.new),
        Judged::Unfit(reason) => {
            add(&counts.unfit);
            write_line(out, &format!("{}:{number}: unfit: {reason}", options.seed))?;
        }
        Judged::Missed(misses) => {
            add(&counts.new);
            add(&counts.missed);
            for miss in misses {
                let miss = if options.minimises { judge.minimise(miss) } else { miss };
                write_line(out, &format!("{}:{number}: {miss}", options.seed))?;
            }
        }
    }
    Ok(())
}

fn write_line<W: Write + Send>(out: &Mutex<&mut W>, line: &str) -> Result<(), String> {
    let mut out = out.lock().map_err(|_| "a worker panicked".to_owned())?;
    writeln!(out, "{line}").map_err(|error| format!("cannot write: {error}"))
}

/// Builds the interpreter, statically linked if the C library allows it.
fn build(folder: &Path) -> Result<PathBuf, String> {
    let (source, program) = (folder.join("interpreter.c"), folder.join("interpreter"));
    std::fs::write(&source, include_str!("../interpreter.c")).map_err(|error| format!("cannot write: {error}"))?;
    let cc = |flags: &[&str]| {
        let mut cc = Command::new("cc");
        cc.args(flags).args(["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]).arg(&program).arg(&source);
        cc.stdin(Stdio::null()).output().map_err(|error| format!("cannot run cc: {error}"))
    };
    let built = match cc(&["-static"])? {
        output if output.status.success() => output,
        _ => cc(&[])?,
    };
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned());
    }
    copy_unreadable(&program).map_err(|error| format!("cannot copy the interpreter: {error}"))?;
    Ok(program)
}

/// Makes a copy of the interpreter that may be executed but not read.
fn copy_unreadable(program: &Path) -> io::Result<()> {
    let copy = program.with_file_name("unreadable");
    std::fs::copy(program, &copy)?;
    std::fs::set_permissions(copy, std::fs::Permissions::from_mode(0o111))
}
