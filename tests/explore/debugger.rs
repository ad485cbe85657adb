//! A process that is left to a debugger: stopped right after its injected call, without a tracer.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sysguard::unstable::model::explore::injection::Injection;
use sysguard::unstable::model::run::workload::Exit;

use crate::needs::{self, Need};
use crate::workload::{Workload, ensure_eq, error, lines, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("debugger::process_is_stopped_and_goes_on", &[], goes_on),
        trial("debugger::thread_leaves_its_whole_process", &[], whole_process),
        trial("debugger::child_is_not_left", &[], child_is_not_left),
        Trial::ignorable_test("debugger::gdb_finds_the_failed_call", || {
            let needs = [Need::X86, Need::Program("cc".to_owned()), Need::Program("gdb".to_owned())];
            needs::unmet(&needs).unwrap_or_else(|| gdb_finds_the_call().map(|()| Completion::Completed))
        }),
    ]
}

/// Makes a run for a debugger, which is a function here. Returns the lines of the output.
fn debug(
    workload: &Workload,
    (name, at): (&str, usize),
    debugger: &mut dyn FnMut(Option<i32>),
) -> Result<Vec<String>, Failed> {
    let explored = workload.explored()?;
    let call = *explored.calls(name).get(at).ok_or("no such call")?;
    let injection = Injection { point: call.point, fault: error(libc::EREMOTEIO) };
    let replay = explored.explorer.debug(&injection, debugger)?;
    ensure_eq!((replay.attempt.reached, replay.attempt.hung), (true, false));
    Ok(lines(&replay.attempt.result.stdout.start))
}

/// Returns the states of the threads of a process, and their tracers.
fn threads(process: i32) -> Vec<(String, String)> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let thread = |folder: fs::DirEntry| {
        let status = fs::read_to_string(folder.path().join("status")).unwrap_or_default();
        let field = |key| status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned();
        (field("State:"), field("TracerPid:"))
    };
    tasks.map(thread).collect()
}

/// Waits until all threads of a process are stopped without a tracer, and returns their number.
fn until_stopped(process: i32) -> usize {
    let begun = Instant::now();
    loop {
        let threads = threads(process);
        if threads.iter().all(|(state, tracer)| state.starts_with('T') && tracer == "0") {
            return threads.len();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{threads:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn goes_on() -> Result<(), Failed> {
    let mut stopped = Vec::new();
    let seen = debug(&Workload::of("calls.c", &[])?, ("openat", 0), &mut |process| {
        let process = process.expect("the first process");
        stopped.push(until_stopped(process));
        kill(Pid::from_raw(process), Signal::SIGCONT).expect("a process");
    })?;
    ensure_eq!((stopped, seen.first().cloned()), (vec![1], Some(format!("openat -{}", libc::EREMOTEIO))));
    Ok(())
}

fn whole_process() -> Result<(), Failed> {
    let mut stopped = Vec::new();
    debug(&Workload::of("threads.c", &[])?, ("getppid", 0), &mut |process| {
        let process = process.expect("the first process");
        stopped.push(until_stopped(process));
        kill(Pid::from_raw(process), Signal::SIGKILL).expect("a process");
    })?;
    ensure_eq!(stopped, [5]);
    Ok(())
}

fn child_is_not_left() -> Result<(), Failed> {
    let mut processes = Vec::new();
    let seen = debug(&Workload::of("children.c", &[])?, ("execve", 0), &mut |process| processes.push(process))?;
    ensure_eq!((processes, seen[2].clone()), (vec![None], format!("vfork {}", libc::EREMOTEIO)));
    Ok(())
}

fn gdb_finds_the_call() -> Result<(), Failed> {
    let mut shown = String::new();
    let workload = Workload::of("calls.c", &[])?;
    let seen = debug(&workload, ("openat", 0), &mut |process| {
        let process = process.expect("the first process").to_string();
        let mut gdb = Command::new("gdb");
        gdb.args(["-nx", "-batch", "-p", &process, "-ex", "printf \"%d\\n\", (int)$rax", "-ex", "backtrace"]);
        let output = gdb.output().expect("gdb runs");
        shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let _ = kill(Pid::from_raw(process.parse().expect("a number")), Signal::SIGCONT);
    })?;
    let found = [format!("-{}\n", libc::EREMOTEIO), "raw (".to_owned(), "files (".to_owned()];
    if let Some(missing) = found.iter().find(|text| !shown.contains(*text)) {
        return Err(format!("gdb does not show {missing:?}: {shown}").into());
    }
    ensure_eq!(seen.first().cloned(), Some(format!("openat -{}", libc::EREMOTEIO)));
    ensure_eq!(workload.explored()?.surveyed.survey.result.exit, Some(Exit::Exited(0)));
    Ok(())
}
