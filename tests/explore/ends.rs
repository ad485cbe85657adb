//! What is left of a run that hangs, or that loses its tracer: no process and no file.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sysguard::unstable::model::explore::injection::Injection;
use sysguard::unstable::model::run::workload::Exit;

use crate::needs::slowness;
use crate::workload::{Workload, build, ensure_eq, error, lines, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("ends::hang_is_ended", &[], hang_is_ended),
        trial("ends::leaked_objects_are_removed", &[], leaked_objects_are_removed),
        trial("ends::daemon_is_killed_and_signals_reach_no_others", &[], escapes),
        trial("ends::killed_tracer_leaves_nothing", &[], || killed_tracer_leaves_nothing("--hang")),
        trial("ends::killed_debugging_leaves_nothing", &[], || killed_tracer_leaves_nothing("--debug")),
    ]
}

/// Every process of a trial has this environment variable, with a value that is unique to the
/// trial.
const MARK: &str = "EXPLORED_BY";

/// How long what was killed may take to end.
fn survival() -> Duration {
    Duration::from_secs(5) * slowness()
}

fn hang_is_ended() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    build("hangs.c", &[], &folder.path().join("program"))?;
    let mark = format!("hang-{}", std::process::id());
    let workload = Workload::in_folder(folder.path(), &[(MARK, &mark)])?;
    let explored = workload.explored()?;
    let call = *explored.calls("getppid").first().ok_or("no mark")?;
    let begun = Instant::now();
    let attempt = explored.attempt(call, error(libc::EAGAIN))?;
    ensure_eq!(begun.elapsed() < explored.limit + survival(), true);
    ensure_eq!((attempt.hung, attempt.result.exit), (true, Some(Exit::TimedOut)));
    ensure_eq!(attempt.result.files.keys().collect::<Vec<_>>(), ["$PWD/left"]);
    let home = lines(&attempt.result.stdout.start).into_iter().next().ok_or("no home")?;
    ensure_eq!((marked(&mark), Path::new(&home).exists()), (Vec::<PathBuf>::new(), false));
    Ok(())
}

fn escapes() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    build("escapes.c", &[], &folder.path().join("program"))?;
    let mark = format!("escapes-{}", std::process::id());
    let workload = Workload::in_folder(folder.path(), &[(MARK, &mark)])?;
    let explored = workload.explored()?;
    let attempt = explored.attempt(explored.calls("getppid").first().ok_or("no mark")?, error(libc::EAGAIN))?;
    let (tracer, all, own) = (format!("-1 {}", libc::EPERM), format!("-1 {}", libc::EPERM), "0 0".to_owned());
    ensure_eq!(lines(&attempt.result.stdout.start), [tracer, all, own]);
    ensure_eq!((attempt.is_refused, marked(&mark)), (true, Vec::<PathBuf>::new()));
    Ok(())
}

fn leaked_objects_are_removed() -> Result<(), Failed> {
    let workload = Workload::of("leaks.c", &[])?;
    let explored = workload.explored()?;
    let attempt = explored.attempt(explored.calls("getppid").first().ok_or("no mark")?, error(libc::EAGAIN))?;
    for result in [&explored.surveyed.survey.result, &attempt.result] {
        let printed = lines(&result.stdout.start);
        let [memory, semaphores, queue, file] = &printed[..] else { return Err(format!("{printed:?}").into()) };
        let lists = [("shm", memory), ("sem", semaphores), ("msg", queue)].map(|(list, id)| {
            let listed = std::fs::read_to_string(format!("/proc/sysvipc/{list}")).unwrap_or_default();
            listed.lines().any(|line| line.split_whitespace().nth(1) == Some(id))
        });
        ensure_eq!((lists, Path::new(&format!("/dev/shm{file}")).exists()), ([false; 3], false));
        ensure_eq!([memory, semaphores, queue].iter().all(|id| id.parse::<i32>().is_ok_and(|id| id >= 0)), true);
    }
    Ok(())
}

/// `explore --hang FOLDER`, `explore --debug FOLDER`: makes attempts that hang, or leaves a process
/// to a debugger, in a process that can be killed.
pub(crate) fn become_tool(mode: &str, folder: &Path) -> ExitCode {
    let hang = || -> Result<(), Failed> {
        let mark = std::env::var(MARK)?;
        let workload = Workload::in_folder(folder, &[(MARK, &mark)])?;
        let explored = workload.explored()?;
        let call = *explored.calls("getppid").first().ok_or("no mark")?;
        let injection = Injection { point: call.point, fault: error(libc::EAGAIN) };
        let ready = || std::fs::write(folder.join("ready"), "");
        if mode == "--debug" {
            explored.explorer.debug(&injection, &mut |process| {
                assert!(process.is_some() && ready().is_ok(), "no process was left");
            })?;
            return Ok(());
        }
        ready()?;
        explored.explorer.attempts(&[injection; 4], Duration::from_secs(300), 2, &|| true, &mut |_, _| {});
        Ok(())
    };
    hang().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn killed_tracer_leaves_nothing(mode: &str) -> Result<(), Failed> {
    for (time, signal) in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL, Signal::SIGKILL].into_iter().enumerate() {
        let folder = tempfile::tempdir()?;
        build("hangs.c", &[], &folder.path().join("program"))?;
        let scratch = folder.path().join("scratch");
        std::fs::create_dir(&scratch)?;
        let mark = format!("killed{mode}-{time}-{}", std::process::id());
        let mut tool = tool(mode, folder.path(), &scratch, &mark)?;
        until(|| folder.path().join("ready").exists())?;
        thread::sleep(Duration::from_millis(100 * time as u64));
        kill(Pid::from_raw(tool.id().cast_signed()), signal)?;
        tool.wait()?;
        until(|| marked(&mark).is_empty() && std::fs::read_dir(&scratch).is_ok_and(|mut left| left.next().is_none()))
            .map_err(|_| format!("left after {signal}: {:?}, {:?}", marked(&mark), std::fs::read_dir(&scratch)))?;
    }
    Ok(())
}

fn tool(mode: &str, folder: &Path, scratch: &Path, mark: &str) -> Result<Child, Failed> {
    // The tests may have inherited ignored signals, as background jobs of a shell do.
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(std::env::current_exe()?);
    command.arg(mode).arg(folder).env(MARK, mark).env("TMPDIR", scratch);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?)
}

/// Waits until something is so.
fn until(is_so: impl Fn() -> bool) -> Result<(), Failed> {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > survival() * 4 {
            return Err("it took too long".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Returns every process with this mark.
fn marked(mark: &str) -> Vec<PathBuf> {
    let variable = format!("{MARK}={mark}");
    let is_marked = |process: &PathBuf| {
        std::fs::read(process.join("environ"))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes()))
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    processes.filter(is_marked).collect()
}
