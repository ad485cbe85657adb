//! Compares the reach of programs with what they do: each call that a run makes must be reachable,
//! or an unresolved call site must have been announced.
//!
//! ```text
//! cargo run --release -p sysguard-reach --example soundness < COMMANDS
//! ```
//!
//! Each line is a command: words without quotes. It runs in an empty scratch folder, without input.
//! A line for each program goes to standard output, and the sums at the end. Exits 1 if a call was
//! missed.
#![cfg_attr(
    all(target_os = "linux", target_arch = "x86_64"),
    expect(clippy::print_stdout, reason = "a table is what this program is for")
)]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    compare::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod compare {
    use std::ffi::OsString;
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::process::ExitCode;
    use std::time::{Duration, Instant};

    use reach::observe::observe;
    use reach::survey::Survey;
    use sysguard::unstable::linux::{Command, Environment, Limits, Stream};

    /// What the comparison of a program showed.
    struct Row {
        observed: usize,
        reachable: usize,
        missed: Vec<String>,
        unresolved: usize,
        files: usize,
        seconds: f64,
    }

    pub(super) fn main() -> ExitCode {
        let mut rows = Vec::new();
        println!("| command | observed | reachable | missed | unresolved | files | seconds |");
        println!("|---|--:|--:|---|--:|--:|--:|");
        for line in io::stdin().lines().map_while(Result::ok) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some(program) = words.first().and_then(|name| find(name)) else { continue };
            match compare(&program, &words) {
                Ok(row) => {
                    let Row { observed, reachable, unresolved, files, seconds, .. } = row;
                    let missed = row.missed.join(" ");
                    println!(
                        "| {line} | {observed} | {reachable} | {missed} | {unresolved} | {files} | {seconds:.2} |"
                    );
                    rows.push(row);
                }
                Err(reason) => println!("| {line} | {reason} | | | | | |"),
            }
        }
        let mean = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / rows.len().max(1) as f64;
        let missing = rows.iter().filter(|row| !row.missed.is_empty()).count();
        let silent = rows.iter().filter(|row| !row.missed.is_empty() && row.unresolved == 0).count();
        println!(
            "\n{} programs: {:.1} observed, {:.1} reachable, {:.2} s on average ({:.2} s at most); {} without unresolved sites. \
             Calls were missed in {missing}, in {silent} of them without an announcement.",
            rows.len(),
            mean(|row| row.observed as f64),
            mean(|row| row.reachable as f64),
            mean(|row| row.seconds),
            rows.iter().map(|row| row.seconds).fold(0.0, f64::max),
            rows.iter().filter(|row| row.unresolved == 0).count(),
        );
        if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Returns the program of this path or name.
    fn find(name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name));
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    }

    fn compare(program: &Path, words: &[&str]) -> Result<Row, String> {
        let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
        let null = || -> Result<Stream, String> {
            let file = File::options().read(true).write(true).open("/dev/null").map_err(|error| error.to_string())?;
            Ok(Stream::Given(file.into()))
        };
        let command = Command {
            program: program.to_owned(),
            argv: words.iter().map(OsString::from).collect(),
            environment: Environment::Inherited,
            cwd: Some(scratch.path().to_owned()),
            scratch: None,
            stdio: [null()?, null()?, null()?],
            isolated: true,
            filters: Vec::new(),
        };
        let limits = Limits { timeout: Some(Duration::from_secs(10)), stop: None, grace: Duration::from_secs(1) };
        let observed = observe(command, program, &limits).map_err(|error| error.to_string())?;
        let calls = observed.calls.clone();
        let start = Instant::now();
        let survey = Survey::of(program, &[], Some(observed), None).map_err(|error| error.to_string())?;
        let reach = &survey.reach;
        let missed = calls.iter().filter(|syscall| !reach.calls.contains_key(syscall));
        Ok(Row {
            observed: calls.len(),
            reachable: reach.calls.len(),
            missed: missed.map(ToString::to_string).collect(),
            unresolved: reach.unresolved.len(),
            files: reach.modules.len(),
            seconds: start.elapsed().as_secs_f64(),
        })
    }
}
