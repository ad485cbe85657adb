//! Killed commands: no process of a workload survives, and every file is complete.

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

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![ends:
        tracing bless_killed_at_50_moments,
        tracing test_killed_at_50_moments,
        tracing test_killed_at_its_first_folder,
        tracing killing_any_process_ends_the_workload,
        tracing target_runner_ends_with_run,
        tracing ctrl_c_ends_all_processes,
        tracing raw_terminal_is_restored,
    ]
}

/// The longest time that a process of a workload may survive.
const SURVIVAL: Duration = Duration::from_secs(2);

/// The longest time that cargo's processes may take to finish on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const MOMENTS: u32 = 50;

/// The folder for temporary files of a project's processes. It identifies them, and its workloads
/// too, because they have their HOME in it.
pub(super) const SCRATCH: &str = "scratch";

pub(super) fn project(name: &str) -> Project {
    let project = Project::new(name).with_harness();
    std::fs::create_dir(project.path(SCRATCH)).expect("a folder");
    project
}

/// A process with the project's scratch folder in its environment.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: i32,
    /// Whether its HOME is there.
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

/// Waits until no such process exists.
#[track_caller]
fn wait_until_gone(project: &Project, within: Duration, what: &str, is_meant: fn(&Process) -> bool) {
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
pub(super) fn no_process_survives(project: &Project, what: &str) {
    wait_until_gone(project, SURVIVAL, what, |process| process.is_workload);
    wait_until_gone(project, PATIENCE, what, |_| true);
}

/// Returns sysguard's files in the folder for temporary files. Compilers use it too.
pub(super) fn left(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.path(SCRATCH)).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("sysguard-")).collect()
}

/// Waits until no file of sysguard is left.
#[track_caller]
pub(super) fn wait_until_nothing_is_left(project: &Project, what: &str) {
    let begun = Instant::now();
    while !left(project).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{what}: left: {:?}", left(project));
        thread::sleep(Duration::from_millis(10));
    }
}

/// Random numbers that are the same for the same seed.
struct Random(u64);

impl Random {
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

/// Returns the files of the user.
fn files(project: &Project) -> Files {
    let mut files = project.files();
    files.retain(|name, _| !name.starts_with(SCRATCH));
    files.values_mut().for_each(|bytes| *bytes = without_numbers(bytes));
    files
}

/// Returns a file without the numbers in first calls: pids and addresses differ from run to run.
fn without_numbers(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let is_call = |line: &str| line.starts_with("#     call: ") || line.trim_start().starts_with("\"example\": ");
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if is_call(line) {
            kept.extend(line.chars().filter(|character| !character.is_ascii_hexdigit()));
        } else {
            kept.push_str(line);
        }
    }
    kept.into_bytes()
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

/// Checks that each file has the old or the new bytes, or a temporary name that is never read.
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

/// Kills the command at random moments of its run.
fn killed_at_random_moments(project: &Project, line: &str) {
    let command = || {
        let mut command = project.command(line);
        command.env("TMPDIR", project.path(SCRATCH)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let old = files(project);
    // The first run builds, and the second one is timed.
    command().status().expect("it starts");
    let new = files(project);
    assert_ne!(new, old);
    put_back(project, &old);
    let begun = Instant::now();
    command().status().expect("it starts");
    let lasts = begun.elapsed();
    assert_eq!(files(project), new, "an undisturbed run comes out the same");
    let mut random = Random::new();
    let seed = random.0;
    let _ = writeln!(std::io::stderr(), "{line}: SYSGUARD_TEST_SEED={seed}");
    for number in 0..MOMENTS {
        put_back(project, &old);
        let moment = random.below(lasts);
        let mut running = command().spawn().expect("it starts");
        thread::sleep(moment);
        running.kill().expect("it is our child");
        running.wait().expect("it is our child");
        let what = format!("{line}, seed {seed}, kill {number} after {moment:?} of {lasts:?}");
        no_process_survives(project, &what);
        wait_until_nothing_is_left(project, &what);
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
        // Sequential commands: a fork that SIGCHLD interrupts is restarted and counted twice.
        project.write(&file, &project.read(&file).replace("[ls, /]", "[sh, -c, 'ls -l /; sort /dev/null; true']"));
    }
    killed_at_random_moments(&project, "test --format json -o report");
}

/// The process that removes folders must exist before the first folder does.
fn test_killed_at_its_first_folder() {
    let project = project("ends-first").expecting("list", "command: [ls, /]");
    project.sysguard("test --no-run").ends(0);
    for round in 0..5 {
        let mut command = project.command("test --format json -o report");
        command.env("TMPDIR", project.path(SCRATCH));
        let mut running =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        while left(&project).is_empty() {
            assert!(running.try_wait().expect("it is our child").is_none(), "it ended without a folder");
        }
        running.kill().expect("it is our child");
        running.wait().expect("it is our child");
        let what = format!("kill {round} at the first folder");
        no_process_survives(&project, &what);
        wait_until_nothing_is_left(&project, &what);
    }
}

/// Ends the subcommand, cargo and the harness separately.
fn killing_any_process_ends_the_workload() {
    let script = "sleep 60 & setsid sleep 60 & sleep 60";
    let project = project("ends-whoever").expecting("sleeper", &format!("command: [sh, -c, '{script}']"));
    project.sysguard("test --no-run").ends(0);
    for (name, words) in [("cargo-sysguard", "cargo-sysguard"), ("cargo", "cargo"), ("the harness", "deps/sysguard-")] {
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
            let [process] = &meant[..] else { panic!("{name}: {meant:?} of {:?}", processes(&project)) };
            kill(Pid::from_raw(process.pid), signal).expect("it is there");
            no_process_survives(&project, &format!("{signal} for {name}"));
            wait_until_nothing_is_left(&project, &format!("{signal} for {name}"));
            running.wait().expect("it is our child");
        }
    }
}

/// Waits until this many processes of the workload sleep.
#[track_caller]
pub(super) fn until_asleep(project: &Project, count: usize) {
    let begun = Instant::now();
    while processes(project).iter().filter(|process| process.line.starts_with("sleep 60")).count() < count {
        assert!(begun.elapsed() < PATIENCE, "the workload does not start: {:?}", processes(project));
        thread::sleep(Duration::from_millis(10));
    }
}

/// `run` consists of two processes of sysguard with cargo between them. The tests have cargo's
/// environment, and therefore no HOME of their own.
fn target_runner_ends_with_run() {
    const SLEEPS: &str =
        "#[test]\nfn sleeps() { std::process::Command::new(\"sleep\").arg(\"60\").status().unwrap(); }\n";
    let project = Project::foreign("ends-run").file("tests/it.rs", SLEEPS);
    std::fs::create_dir(project.path(SCRATCH)).expect("a folder");
    for name in ["run -- test", "target-runner"] {
        let mut command = project.command("run -- test --test it");
        command.env("TMPDIR", project.path(SCRATCH));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = command.spawn().expect("it starts");
        until_asleep(&project, 1);
        let meant = |process: &&Process| process.line.contains("cargo-sysguard") && process.line.contains(name);
        let pid = processes(&project).iter().find(meant).expect("it is there").pid;
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is there");
        wait_until_gone(&project, SURVIVAL, name, |process| {
            process.line.starts_with("sleep") || process.line.contains("/deps/it-")
        });
        running.wait().expect("it is our child");
        wait_until_gone(&project, PATIENCE, name, |_| true);
        wait_until_nothing_is_left(&project, name);
    }
}

/// Starts a command on a terminal, as a login does.
fn on_a_terminal(project: &Project, words: &[&str]) -> Session {
    let scratch = project.path(SCRATCH);
    Session::start_with(project, words, &[("TMPDIR", scratch.as_os_str())])
}

/// The terminal signals its foreground process group. Workloads of `test` and `bless` have sessions
/// of their own.
fn ctrl_c_ends_all_processes() {
    let project = project("ends-ctrl-c").expecting("sleeper", "command: [sh, -c, 'sleep 60 & sleep 60']");
    project.sysguard("test --no-run").ends(0);
    for words in [&["test"][..], &["bless"], &["trace", "--", "sh", "-c", "sleep 60 & sleep 60"]] {
        let mut session = on_a_terminal(&project, words);
        until_asleep(&project, 2);
        session.ctrl_c();
        no_process_survives(&project, &format!("Ctrl-C for {words:?}"));
        wait_until_nothing_is_left(&project, &format!("Ctrl-C for {words:?}"));
        session.ends();
    }
}

/// The program changes the terminal and is killed before it can restore it.
fn raw_terminal_is_restored() {
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
        no_process_survives(&project, &format!("{signal:?}"));
        assert_eq!(session.ends(), signal.is_none().then_some(124));
    }
}
