//! Ends from outside: whichever process is ended, and however, no process of a workload lives on,
//! and every file is whole.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::project::{Project, tracing};
use super::session::Session;

/// Every end.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        tracing("ends::bless_killed_at_50_moments", bless_killed_at_50_moments),
        tracing("ends::test_killed_at_50_moments", test_killed_at_50_moments),
        tracing("ends::whoever_of_them_is_killed_no_workload_lives", whoever_of_them_is_killed_no_workload_lives),
        tracing("ends::a_target_runner_ends_with_run", a_target_runner_ends_with_run),
        tracing("ends::ctrl_c_ends_all_on_a_terminal", ctrl_c_ends_all_on_a_terminal),
        tracing("ends::a_terminal_left_raw_is_restored", a_terminal_left_raw_is_restored),
    ]
}

/// No process of a workload may live longer than that.
const SURVIVAL: Duration = Duration::from_secs(2);

/// cargo's own processes finish what they are at; on a busy machine that takes a while.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const MOMENTS: u32 = 50;

/// Where all temporary files of a project's processes go: by that they are known, and so are its
/// workloads, which have their HOME in it.
pub(super) const SCRATCH: &str = "scratch";

pub(super) fn project(name: &str) -> Project {
    let project = Project::new(name).with_harness();
    std::fs::create_dir(project.path(SCRATCH)).expect("a folder");
    project
}

/// A process that knows the project's scratch folder.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: i32,
    /// It has its HOME there.
    pub(super) is_workload: bool,
    pub(super) line: String,
}

pub(super) fn processes(project: &Project) -> Vec<Process> {
    let scratch = project.path(SCRATCH).canonicalize().expect("a folder");
    let read = |process: &Path, name| std::fs::read(process.join(name)).unwrap_or_default();
    let known = |process: &Path| {
        let environment = String::from_utf8_lossy(&read(process, "environ")).into_owned();
        let pid = process.file_name()?.to_str()?.parse().ok()?;
        let is_workload = environment.contains(&format!("HOME={}/", scratch.display()));
        let line = String::from_utf8_lossy(&read(process, "cmdline")).replace('\0', " ");
        environment.contains(&*scratch.to_string_lossy()).then_some(Process { pid, is_workload, line })
    };
    let entries = std::fs::read_dir("/proc").expect("/proc");
    entries.flatten().filter_map(|entry| known(&entry.path())).collect()
}

/// Waits until there is no such process any more.
#[track_caller]
fn gone(project: &Project, within: Duration, what: &str, is_meant: fn(&Process) -> bool) {
    let begun = Instant::now();
    loop {
        let left: Vec<Process> = processes(project).into_iter().filter(is_meant).collect();
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < within, "{what}: alive after {within:?}: {left:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
pub(super) fn nobody_survives(project: &Project, what: &str) {
    gone(project, SURVIVAL, what, |process| process.is_workload);
    gone(project, PATIENCE, what, |_| true);
}

/// What processes of ours have in the folder for temporary files. Compilers have theirs there, too.
pub(super) fn left(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.path(SCRATCH)).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("sysguard-")).collect()
}

/// Waits until that is gone.
#[track_caller]
pub(super) fn nothing_is_left(project: &Project, what: &str) {
    let begun = Instant::now();
    while !left(project).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{what}: left: {:?}", left(project));
        thread::sleep(Duration::from_millis(10));
    }
}

/// Numbers that come again with the same seed.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let given = std::env::var("SYSGUARD_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        Self(given.unwrap_or_else(|| RandomState::new().hash_one(())))
    }

    /// splitmix64
    fn below(&mut self, end: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_micros((number ^ (number >> 31)) % end.as_micros().max(1) as u64)
    }
}

type Files = BTreeMap<String, Vec<u8>>;

/// All that is the user's.
fn files(project: &Project) -> Files {
    let mut files = project.files();
    files.retain(|name, _| !name.starts_with(SCRATCH));
    files
}

fn put_back(project: &Project, before: &Files) {
    let now = files(project);
    for name in now.keys().filter(|name| !before.contains_key(*name)) {
        std::fs::remove_file(project.path(name)).expect("a file");
    }
    for (name, bytes) in before.iter().filter(|(name, bytes)| now.get(*name) != Some(bytes)) {
        std::fs::write(project.path(name), bytes).expect("a file");
    }
}

/// Each file has the old bytes or the new ones, and what was on its way there has a name that
/// nobody reads.
#[track_caller]
fn are_whole(now: &Files, old: &Files, new: &Files, what: &str) {
    for (name, bytes) in now {
        let known = [old, new].iter().filter_map(|files| files.get(name)).collect::<Vec<_>>();
        let file = name.rsplit('/').next().unwrap_or(name);
        let is_temporary = file.starts_with('.') && !file.ends_with(".yaml") && !file.ends_with(".yaml.new");
        let is_whole = if known.is_empty() { is_temporary } else { known.contains(&bytes) };
        assert!(is_whole, "{what}: {name} is neither old nor new:\n{}", String::from_utf8_lossy(bytes));
    }
    let lost: Vec<&String> = old.keys().filter(|name| new.contains_key(*name) && !now.contains_key(*name)).collect();
    assert!(lost.is_empty(), "{what}: {lost:?} are lost");
}

/// Kills the command at moments of its run that chance chooses.
fn killed_at_random_moments(project: &Project, line: &str) {
    let command = || {
        let mut command = project.command(line);
        command.env("TMPDIR", project.path(SCRATCH)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let old = files(project);
    // The first run builds, the second tells how long one takes.
    command().status().expect("it starts");
    let new = files(project);
    assert_ne!(new, old);
    put_back(project, &old);
    let begun = Instant::now();
    command().status().expect("it starts");
    let lasts = begun.elapsed();
    assert_eq!(files(project), new, "an undisturbed run comes out the same");
    let mut chance = Chance::new();
    let seed = chance.0;
    let _ = writeln!(std::io::stderr(), "{line}: SYSGUARD_TEST_SEED={seed}");
    for number in 0..MOMENTS {
        put_back(project, &old);
        let moment = chance.below(lasts);
        let mut running = command().spawn().expect("it starts");
        thread::sleep(moment);
        running.kill().expect("it is our child");
        running.wait().expect("it is our child");
        let what = format!("{line}, seed {seed}, kill {number} after {moment:?} of {lasts:?}");
        nobody_survives(project, &what);
        nothing_is_left(project, &what);
        are_whole(&files(project), &old, &new, &what);
    }
}

const NAMES: [&str; 3] = ["one", "three", "two"];

fn three(name: &str) -> Project {
    NAMES.iter().fold(project(name), |project, name| project.expecting(name, "command: [ls, /]"))
}

fn bless_killed_at_50_moments() {
    killed_at_random_moments(&three("ends-bless"), "bless");
}

fn test_killed_at_50_moments() {
    let project = three("ends-test");
    project.sysguard("bless").ends(0);
    for name in NAMES {
        let file = format!("expectations/{name}.yaml");
        // One after the other: a fork that the end of another child interrupts is made again, which
        // counts.
        project.write(&file, &project.read(&file).replace("[ls, /]", "[sh, -c, 'ls -l /; sort /dev/null; true']"));
    }
    killed_at_random_moments(&project, "test --format json -o report");
}

/// The subcommand, cargo between, and the harness: each is ended alone.
fn whoever_of_them_is_killed_no_workload_lives() {
    let script = "sleep 60 & setsid sleep 60 & sleep 60";
    let project = project("ends-whoever").expecting("sleeper", &format!("command: [sh, -c, '{script}']"));
    project.sysguard("test --no-run").ends(0);
    for (who, words) in [("cargo-sysguard", "cargo-sysguard"), ("cargo", "cargo"), ("the harness", "deps/sysguard-")] {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
            let mut command = project.command("test");
            command.env("TMPDIR", project.path(SCRATCH));
            let mut running =
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
            until_asleep(&project, 3);
            let is_meant = |process: &Process| {
                !process.is_workload
                    && process.line.split(' ').next().is_some_and(|program| match words {
                        "cargo" => program.ends_with("/cargo"),
                        _ => program.contains(words),
                    })
            };
            let meant: Vec<Process> = processes(&project).into_iter().filter(is_meant).collect();
            let [process] = &meant[..] else { panic!("{who}: {meant:?} of {:?}", processes(&project)) };
            kill(Pid::from_raw(process.pid), signal).expect("it is there");
            nobody_survives(&project, &format!("{signal} for {who}"));
            nothing_is_left(&project, &format!("{signal} for {who}"));
            running.wait().expect("it is our child");
        }
    }
}

/// Waits until so many processes of the workload sleep.
#[track_caller]
pub(super) fn until_asleep(project: &Project, count: usize) {
    let begun = Instant::now();
    while processes(project).iter().filter(|process| process.line.starts_with("sleep 60")).count() < count {
        assert!(begun.elapsed() < PATIENCE, "the workload does not start: {:?}", processes(project));
        thread::sleep(Duration::from_millis(10));
    }
}

/// `run` is two processes of ours with cargo between them. The tests have cargo's environment, and
/// so no HOME of their own.
fn a_target_runner_ends_with_run() {
    const SLEEPS: &str =
        "#[test]\nfn sleeps() { std::process::Command::new(\"sleep\").arg(\"60\").status().unwrap(); }\n";
    let project = Project::foreign("ends-run").file("tests/it.rs", SLEEPS);
    std::fs::create_dir(project.path(SCRATCH)).expect("a folder");
    for who in ["run -- test", "target-runner"] {
        let mut command = project.command("run -- test --test it");
        command.env("TMPDIR", project.path(SCRATCH));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = command.spawn().expect("it starts");
        until_asleep(&project, 1);
        let meant = |process: &&Process| process.line.contains("cargo-sysguard") && process.line.contains(who);
        let pid = processes(&project).iter().find(meant).expect("it is there").pid;
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is there");
        gone(&project, SURVIVAL, who, |process| {
            process.line.starts_with("sleep") || process.line.contains("/deps/it-")
        });
        running.wait().expect("it is our child");
        gone(&project, PATIENCE, who, |_| true);
        nothing_is_left(&project, who);
    }
}

/// Started on a terminal as by a login.
fn on_a_terminal(project: &Project, words: &[&str]) -> Session {
    let scratch = project.path(SCRATCH);
    Session::start_with(project, words, &[("TMPDIR", scratch.as_os_str())])
}

/// The terminal tells all of the foreground; workloads of `test` and `bless` have sessions of their
/// own.
fn ctrl_c_ends_all_on_a_terminal() {
    let project = project("ends-ctrl-c").expecting("sleeper", "command: [sh, -c, 'sleep 60 & sleep 60']");
    project.sysguard("test --no-run").ends(0);
    for words in [&["test"][..], &["bless"], &["trace", "--", "sh", "-c", "sleep 60 & sleep 60"]] {
        let mut session = on_a_terminal(&project, words);
        until_asleep(&project, 2);
        session.ctrl_c();
        nobody_survives(&project, &format!("Ctrl-C for {words:?}"));
        nothing_is_left(&project, &format!("Ctrl-C for {words:?}"));
        session.ends();
    }
}

/// A program that changes the terminal and is ended before it can change it back.
fn a_terminal_left_raw_is_restored() {
    let project = project("ends-raw");
    let raw = "stty raw -echo; echo ready; sleep 60";
    for signal in [Some(Signal::SIGTERM), Some(Signal::SIGHUP), None] {
        let timeout = if signal.is_some() { "60s" } else { "2s" };
        let mut session = on_a_terminal(&project, &["trace", "--timeout", timeout, "--", "sh", "-c", raw]);
        session.until("ready");
        session.until_raw();
        match signal {
            Some(signal) => session.signal(signal),
            // The deadline.
            None => drop(session.until("; timeout")),
        }
        nobody_survives(&project, &format!("{signal:?}"));
        assert_eq!(session.ends(), signal.is_none().then_some(124));
    }
}
