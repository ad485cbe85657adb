//! Runs each case: builds the program, runs it untraced, traced and under strace, and compares each
//! run with the truth.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::unstable::linux::Incomplete;
use sysguard::unstable::model::kernel::signal;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::workload::Exit;

use crate::callers;
use crate::case::{Amount, Case, Referee, Stack, Truth};
use crate::log;
use crate::needs::{self, Need};
use crate::referee;
use crate::seen::{ENGINES, Seen, Watched, read_from_start};

/// Returns a trial for each case.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, case): (String, Result<Case, String>)| {
        Trial::ignorable_test(name, move || {
            let case = case?;
            let compiler: &[Need] = if prebuilt().is_some() { &[] } else { &[Need::Program("cc".to_owned())] };
            match needs::unmet(compiler).or_else(|| needs::unmet(&case.needs)) {
                Some(unmet) => unmet,
                None => examine(&case).map(|()| Completion::Completed),
            }
        })
    };
    Case::all().into_iter().map(trial).collect()
}

/// Returns a row for each case: name, what happens, what must be observed.
pub(crate) fn rows() -> Vec<[String; 3]> {
    let row = |(name, case): (String, Result<Case, String>)| {
        let (summary, truth) =
            case.map_or_else(|fault| (fault, String::new()), |case| (case.summary, case.truth.to_string()));
        [format!("`{name}`"), summary, truth]
    };
    Case::all().into_iter().map(row).collect()
}

fn examine(case: &Case) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = match prebuilt() {
        Some(folder) => folder.join(&case.name),
        None => folder.path().join("tracee"),
    };
    if prebuilt().is_none() {
        build(case, "cc", &program)?;
    }
    // Each run has its own directory, so that it does not find files of another run.
    let watched = |run: &str| -> Result<Watched, Failed> {
        let cwd = folder.path().join(run);
        std::fs::create_dir(&cwd)?;
        Ok(Watched { cwd: Some(cwd), ..Watched::program(&program, &[]) })
    };
    let truth = &case.truth;
    check_untraced(truth, &watched("untraced")?)?;
    let seen = match &truth.stack {
        None => watched("traced")?.watch()?,
        Some(stack) => callers::watch(watched("traced")?, stack, &case.source)?,
    };
    check(truth, &seen, "traced")?;
    check(truth, &log::watch(watched("logged")?)?, "logged")?;
    if ENGINES.contains(&Engine::Notify) {
        check_notified(case, &watched("notified")?.notified().watch()?)?;
    }
    match &truth.referee {
        Referee::AllBut(varying) if needs::is_installed("strace") => {
            referee::agrees(&seen, &referee::strace(&watched("strace")?)?, varying)?;
        }
        Referee::AllBut(_) | Referee::No(_) => {}
    }
    Ok(())
}

/// Returns the folder of prebuilt programs, for a machine without a compiler.
fn prebuilt() -> Option<PathBuf> {
    std::env::var_os("SYSGUARD_TRACEES").map(PathBuf::from)
}

/// Builds the programs for another machine of this architecture, except those that need more than a
/// C compiler.
pub(crate) fn build_all(compiler: &str, folder: &Path) -> Result<(), Failed> {
    let cases = Case::all().into_iter().map(|(_, case)| case).collect::<Result<Vec<_>, _>>()?;
    let builds = |case: &&Case| case.build.is_empty() && !case.needs.contains(&Need::X86);
    cases.iter().filter(builds).try_for_each(|case| build(case, compiler, &folder.join(&case.name)))
}

fn build(case: &Case, compiler: &str, program: &Path) -> Result<(), Failed> {
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    let flags = ["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"];
    let built = command.args(words).args(flags).args(&case.build).arg(&case.source).arg("-o").arg(program).output()?;
    if built.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&built.stderr).into_owned().into()) }
}

fn check_untraced(truth: &Truth, watched: &Watched) -> Result<(), Failed> {
    let mut output = tempfile::tempfile()?;
    let status = watched.plain(&[])?.stdout(output.try_clone()?).status()?;
    let exit = status.signal().map_or_else(|| Exit::Exited(status.code().unwrap_or(-1)), Exit::Signaled);
    let mut differing = Differing::default();
    let output = read_from_start(&mut output)?;
    differing.unless(output == truth.output, "output", &output, &truth.output);
    differing.unless(exit == truth.untraced.unwrap_or(truth.exit), "exit", &exit, &truth.exit);
    differing.fail("untraced")
}

/// Checks a run by notifications: it shows the same except errors, or ends as incomplete.
fn check_notified(case: &Case, seen: &Seen) -> Result<(), Failed> {
    let has_own_filter = case.name.starts_with("filters::");
    let is_blind = |to: &str| case.truth.blind.iter().any(|spot| spot == to);
    let (loses_privileges, hides_a_child) = (is_blind("setuid_exec"), is_blind("untraced_child"));
    match seen.outcome.incomplete {
        Some(Incomplete::OwnFilter) if has_own_filter => Ok(()),
        Some(Incomplete::Privileges) if loses_privileges => Ok(()),
        Some(Incomplete::Untraced) if hides_a_child => Ok(()),
        None if !has_own_filter && !loses_privileges && !hides_a_child => {
            let mut truth = case.truth.clone();
            truth.calls.iter_mut().for_each(|expected| expected.errors = None);
            check(&truth, seen, "notified")
        }
        incomplete => Err(format!("notified: {incomplete:?}").into()),
    }
}

fn check(truth: &Truth, seen: &Seen, run: &str) -> Result<(), Failed> {
    let mut differing = Differing::default();
    differing.unless(seen.output == truth.output, "output", &seen.output, &truth.output);
    differing.unless(seen.outcome.exit == truth.exit, "exit", &seen.outcome.exit, &truth.exit);
    differing.unless(seen.outcome.lost_events == 0, "lost events", &seen.outcome.lost_events, &0);
    differing.unless(truth.processes.allows(seen.processes), "processes", &seen.processes, &truth.processes);
    let threads = truth.threads.unwrap_or(Amount::Exactly(seen.processes));
    differing.unless(threads.allows(seen.threads), "threads", &seen.threads, &threads);
    let vanished = seen.threads - seen.ended.min(seen.threads);
    differing.unless(truth.vanished.allows(vanished), "vanished", &vanished, &truth.vanished);
    differing.unless(seen.ended <= seen.threads, "ends", &seen.ended, &seen.threads);
    if let Some(killed) = &truth.killed {
        differing.unless(seen.ends.signals == *killed, "killed", &seen.ends.signals, killed);
    }
    let blind: Vec<String> = seen.blind.iter().map(|spot| spot.name().to_owned()).collect();
    differing.unless(blind == truth.blind, "blind spots", &blind, &truth.blind);
    for expected in &truth.calls {
        let count = seen.count(expected.abi, &expected.name);
        let is_right = count.calls == expected.calls && expected.errors.is_none_or(|errors| errors == count.errors);
        differing.unless(is_right, "calls", &count, expected);
    }
    differing.fail(run)
}

/// Collects all differences, so that one run shows them.
#[derive(Default)]
struct Differing(String);

impl Differing {
    fn unless(&mut self, is_right: bool, what: &str, seen: &dyn std::fmt::Debug, truth: &dyn std::fmt::Debug) {
        if !is_right {
            let _ = writeln!(self.0, "{what}: {seen:?}, expected {truth:?}");
        }
    }

    fn fail(self, run: &str) -> Result<(), Failed> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{run}:\n{}", self.0).into()) }
    }
}

impl std::fmt::Display for Truth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.exit {
            Exit::Exited(code) => write!(f, "exit {code}")?,
            Exit::Signaled(number) => write!(f, "{}", signal::name(number))?,
            Exit::TimedOut => write!(f, "timed out")?,
        }
        if let Amount::Exactly(processes) = self.processes {
            write!(f, ", {processes} processes")?;
        }
        if let Some(Amount::Exactly(threads)) = self.threads {
            write!(f, ", {threads} threads")?;
        }
        for (signal, count) in self.killed.iter().flatten() {
            write!(f, ", {count} killed by {signal}")?;
        }
        for expected in &self.calls {
            write!(f, ", {} {}", expected.name, expected.calls)?;
            if let Some(errors) = expected.errors {
                write!(f, " ({errors} fail)")?;
            }
        }
        self.blind.iter().try_for_each(|spot| write!(f, ", blind spot {spot}"))?;
        if let Some(Stack { call, functions }) = &self.stack {
            let functions: Vec<String> = functions.iter().map(|(name, line)| format!("{name} at {line}")).collect();
            write!(f, ", {call} called by {}", functions.join(", "))?;
        }
        match &self.referee {
            Referee::AllBut(varying) if varying.is_empty() => write!(f, "; strace agrees on every call"),
            Referee::AllBut(varying) => write!(f, "; strace agrees except for {}", varying.join(", ")),
            Referee::No(reason) => write!(f, "; not compared with strace: {reason}"),
        }
    }
}
