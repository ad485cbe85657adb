//! Ends from outside: no process of the tree outlives its workload, however that is ended.

use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::workload::Exit;

use crate::needs::{self, Need, slowness};
use crate::seen::{ENGINES, Watched};

/// A workload that does not end by itself.
struct Endless {
    name: &'static str,
    watched: fn() -> Watched,
    needs: &'static [Need],
    /// It ends when the grace period of the first process is over.
    outlives_the_first: bool,
}

const fn endless(name: &'static str, watched: fn() -> Watched) -> Endless {
    Endless { name, watched, needs: &[], outlives_the_first: false }
}

const WORKLOADS: &[Endless] = &[
    endless("sleeps", || Watched::shell("sleep 60")),
    endless("calls", || Watched::tracee("calls_without_end")),
    endless("flees", || Watched::tracee("flees_by_forking")),
    endless("is_stopped", || Watched::shell("kill -STOP $$")),
    endless("ignores_signals", || Watched::shell("trap '' HUP INT QUIT TERM TSTP; sleep 60; sleep 1")),
    endless("has_50_threads", || Watched::tracee("sleeps_in_threads")),
    endless("hides_a_child", || Watched::tracee("hides_a_child")),
    endless("has_sessions", || Watched::shell("setsid sleep 60 & setsid setsid sleep 60 & sleep 60")),
    Endless {
        needs: &[Need::UserNamespaces],
        ..endless("is_in_a_pid_namespace", || Watched::shell("unshare --user --pid --fork sh -c 'sleep 60 & sleep 60'"))
    },
    Endless { outlives_the_first: true, ..endless("is_a_daemon", || Watched::shell("(setsid sleep 60 &) & exit 3")) },
    Endless { outlives_the_first: true, ..endless("is_a_fleeing_daemon", || Watched::tracee("flees_as_a_daemon")) },
];

/// A way to end a workload, with its name.
type End = (&'static str, fn(&Endless) -> Result<(), Failed>);

const ENDS: &[End] = &[
    ("by_deadline", by_deadline),
    ("by_sigterm_to_the_tool", |endless| by_signal(endless, Signal::SIGTERM, 5)),
    ("by_sigkill_to_the_tool_at_50_moments", |endless| by_signal(endless, Signal::SIGKILL, 50)),
];

/// Returns a trial for each way to end each workload.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |end: &End, endless: &'static Endless| {
        let (name, run) = *end;
        Trial::ignorable_test(format!("ends::{name}::{}", endless.name), move || {
            needs::unmet(endless.needs).unwrap_or_else(|| run(endless).map(|()| Completion::Completed))
        })
    };
    ENDS.iter().flat_map(|end| WORKLOADS.iter().map(move |endless| trial(end, endless))).collect()
}

/// `tracer --trace NAME`: traces that workload in a process that can be killed.
pub(crate) fn become_tool(name: &str) -> ExitCode {
    let Some(endless) = WORKLOADS.iter().find(|endless| endless.name == name) else { return ExitCode::from(99) };
    let mut watched = (endless.watched)();
    watched.environment.extend(std::env::vars_os().filter(|(name, _)| name == MARK));
    match watched.watch() {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Every process of a trial has this environment variable, with a value that is unique to the
/// trial.
const MARK: &str = "SYSGUARD_TRIAL";

/// Returns how long a process may outlive its workload.
fn survival() -> Duration {
    Duration::from_secs(2) * slowness()
}

fn by_deadline(endless: &Endless) -> Result<(), Failed> {
    ENGINES.iter().try_for_each(|engine| {
        ends_by_deadline(endless, *engine).map_err(|failed| format!("{}: {failed:?}", engine.name()).into())
    })
}

fn ends_by_deadline(endless: &Endless, engine: Engine) -> Result<(), Failed> {
    const TIMEOUT: Duration = Duration::from_millis(400);
    let mark = format!("deadline-{}-{}-{}", engine.name(), endless.name, std::process::id());
    let mut watched = Watched { engine, ..(endless.watched)() };
    watched.environment.push((MARK.into(), mark.clone().into()));
    if endless.outlives_the_first {
        watched.limits.grace = TIMEOUT;
    } else {
        watched.limits.timeout = Some(TIMEOUT);
    }
    let begun = Instant::now();
    let seen = watched.watch()?;
    let lasted = begun.elapsed();
    if (seen.outcome.exit == Exit::TimedOut) == endless.outlives_the_first {
        return Err(format!("ended as {:?}", seen.outcome.exit).into());
    }
    if seen.outcome.lost_events != 0 || seen.ended != seen.threads {
        return Err(format!("lost {}; {} of {} ends", seen.outcome.lost_events, seen.ended, seen.threads).into());
    }
    if lasted > TIMEOUT + survival() {
        return Err(format!("lasted {lasted:?}").into());
    }
    no_survivors(&mark, Duration::ZERO)
}

fn by_signal(endless: &Endless, signal: Signal, times: u32) -> Result<(), Failed> {
    for time in 0..times {
        let mark = format!("{signal}-{}-{}-{time}", endless.name, std::process::id());
        let mut tool = Tool::start(endless.name, &mark)?;
        let moment = Duration::from_micros(chance(80_000));
        thread::sleep(moment);
        tool.end(signal)?;
        no_survivors(&mark, survival()).map_err(|failed| format!("{signal} after {moment:?}: {failed:?}"))?;
    }
    Ok(())
}

/// A tracer in its own process.
struct Tool(Child);

impl Tool {
    fn start(workload: &str, mark: &str) -> Result<Self, Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--trace", workload]).env(MARK, mark).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    fn end(&mut self, signal: Signal) -> Result<(), Failed> {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal)?;
        self.0.wait()?;
        Ok(())
    }
}

/// Returns a random number below `end`.
fn chance(end: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(()) % end
}

/// Fails if a process with this mark lives longer than `within`.
///
/// Time is counted in turns that this process gets, not by the clock: a killed process needs a turn
/// to exit, and on a starved machine both wait for theirs.
fn no_survivors(mark: &str, within: Duration) -> Result<(), Failed> {
    const TURN: Duration = Duration::from_millis(5);
    let begun = Instant::now();
    for turns in 0.. {
        let survivors = marked(mark);
        if survivors.is_empty() {
            break;
        }
        if TURN * turns > within {
            return Err(format!("alive after {within:?}, by the clock {:?}: {survivors:?}", begun.elapsed()).into());
        }
        thread::sleep(TURN);
    }
    Ok(())
}

/// Describes every process with this mark.
fn marked(mark: &str) -> Vec<String> {
    let variable = format!("{MARK}={mark}");
    let is_marked = |process: &Path| {
        std::fs::read(process.join("environ"))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes()))
    };
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    processes
        .filter(|process| is_marked(process))
        .map(|process| {
            let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            // Why it still lives: what it waits for, its tracer, and its pending signals.
            let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
            let fields = ["State", "PPid", "TracerPid", "SigPnd", "ShdPnd"];
            let status: Vec<&str> =
                status.lines().filter(|line| fields.iter().any(|field| line.starts_with(field))).collect();
            let waits = std::fs::read_to_string(process.join("wchan")).unwrap_or_default();
            format!("{}: {line} {status:?} {waits}", process.display())
        })
        .collect()
}
