//! Which processes end when one of `profile` is killed, and when a command leaves some behind.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::ends::{SCRATCH, processes};
use super::profile_ends::{PATIENCE, Running, refused, state};
use super::project::{BINARY, Project, needing, run};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![profile_orphans:
        needing killing_any_process_ends_the_command,
        needing orphan_of_another_job_survives_a_killed_worker,
        needing process_that_replaces_itself_is_killed,
    ]
}

/// Starts a command with children in its own and in other sessions, and an orphan.
fn with_tree(project: &Project) -> Running {
    let scratch = project.path(SCRATCH);
    fs::create_dir_all(&scratch).expect("a folder");
    let scratch = scratch.canonicalize().expect("a folder");
    let script = "sleep 600 >/dev/null & setsid sleep 600 >/dev/null & (setsid sh -c 'sleep 600 & wait' >/dev/null &)
        sleep 0.2; echo ready; exec sleep 600 >/dev/null";
    let mut profile = project.command("profile --no-trace -o report -- sh -c");
    // The folder in their environment identifies them.
    Running::start(profile.arg(script).env("HOME", scratch.join("home")))
}

fn killing_any_process_ends_the_command() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let is_ours = |line: &str| line.contains("profile --no-trace");
    for what in ["supervisor", "worker", "group"] {
        let running = with_tree(&project);
        let ours: Vec<i32> = processes(&project)
            .into_iter()
            .filter(|process| is_ours(&process.line))
            .map(|process| process.pid)
            .collect();
        assert_eq!(ours.len(), 2, "{what}: {ours:?}");
        let supervisor = running.pid();
        let worker = Pid::from_raw(*ours.iter().find(|pid| **pid != supervisor.as_raw()).expect("a worker"));
        match what {
            "supervisor" => running.signal(Signal::SIGKILL),
            "worker" => kill(worker, Signal::SIGKILL).expect("it runs"),
            _ => running.signal_group(Signal::SIGKILL),
        }
        let killed = Instant::now();
        loop {
            let left = processes(&project);
            if left.is_empty() {
                break;
            }
            assert!(killed.elapsed() < Duration::from_secs(2), "{what}: {left:?}");
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(running.end(PATIENCE).signal(), Some(9), "{what}");
        assert!(!project.path("report").exists());
    }
    None
}

/// Waits until a file has a line, and returns it.
fn line_of(project: &Project, file: &str) -> String {
    let begun = Instant::now();
    loop {
        match fs::read_to_string(project.path(file)) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(begun.elapsed() < PATIENCE, "{file} is written"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A shell with a job executes `profile`. So the orphan of the job has an ancestor in common with
/// those of the command.
fn orphan_of_another_job_survives_a_killed_worker() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let scratch = project.path(SCRATCH);
    fs::create_dir_all(&scratch).expect("a folder");
    let home = scratch.canonicalize().expect("a folder").join("home");
    let job = "while ! test -e go; do sleep 0.01; done; sleep 600 >/dev/null 2>&1 & echo $! >orphan";
    let profile = format!("exec {BINARY} profile --no-trace -o report -- sh -c 'echo $$; exec sleep 600 >/dev/null'");
    let mut shell = project.run_by("sh");
    let running = Running::start(shell.args(["-c", &format!("({job}) & {profile}")]).env("HOME", home));
    project.write("go", "");
    let orphan = Pid::from_raw(line_of(&project, "orphan").parse().expect("a number"));
    let worker = processes(&project)
        .into_iter()
        .find(|process| process.line.contains("profile --no-trace") && process.pid != running.pid().as_raw());
    kill(Pid::from_raw(worker.expect("a worker").pid), Signal::SIGKILL).expect("it runs");
    let command = Pid::from_raw(running.line.parse().expect("a number"));
    running.end(PATIENCE);
    let survived = matches!(state(orphan), Some('S' | 'R'));
    let _ = kill(orphan, Signal::SIGKILL);
    assert!(survived, "the orphan is not the command's");
    assert!(matches!(state(command), None | Some('Z')), "the command has ended");
    None
}

/// Each process starts another one and ends. All end after 20 seconds, so that a failed trial
/// leaves none.
const REPLACES_ITSELF: &str = "#include <time.h>
#include <unistd.h>
int main(int argc, char **argv) {
	time_t begun = time(0);
	if (argc > 1 && fork()) return 0;
	if (argc > 1) setsid();
	while (time(0) - begun < 20)
		if (fork()) _exit(0);
	return 0;
}
";

fn process_that_replaces_itself_is_killed() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty().file("replaces.c", REPLACES_ITSELF);
    run(project.run_by("cc").args(["-o", "replaces", "replaces.c"])).ends(0);
    for words in [&["./replaces"][..], &["./replaces", "session"]] {
        let begun = Instant::now();
        let mut profile = project.command("profile --no-trace --grace 200ms -o report --");
        run(profile.args(words)).ends(0);
        assert!(begun.elapsed() < Duration::from_secs(15), "{words:?}: {:?}", begun.elapsed());
        assert!(project.read("report").contains("killed after the grace period"), "{words:?}");
    }
    None
}
