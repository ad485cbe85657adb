//! Cleanup after workloads and after killed commands: everything of theirs is removed, and nothing
//! else.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::diff::git;
use super::ends::{SCRATCH, left, no_process_survives, processes, project, until_asleep, wait_until_nothing_is_left};
use super::project::{BINARY, Project, Ran, mounting, run, tracing};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![left:
        tracing deep_tree_is_removed,
        tracing own_folders_without_permissions_are_removed,
        mounting mounts_are_unmounted_and_their_content_stays,
        mounting recursive_bind_mount_takes_nothing_along,
        mounting mount_that_stays_is_reported_once,
        mounting immutable_file_is_reported_once,
        tracing ended_bless_leaves_nothing,
        tracing ended_test_leaves_nothing,
        tracing ended_harness_leaves_nothing,
        tracing ended_run_leaves_nothing,
        tracing ended_diff_leaves_nothing,
        tracing ended_group_leaves_no_deep_tree,
        mounting ended_command_leaves_no_mount,
    ]
}

const SIGNALS: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL];

/// Creates more levels than a process may have fds. In C, because a shell takes minutes.
const DEEP: &str = r#"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv) {
	for (int i = 0; i < atoi(argv[1]); i++)
		if (mkdir("d", 0700) || chdir("d"))
			return 1;
	if (argc > 2) {
		close(open(argv[2], O_CREAT | O_WRONLY, 0600));
		execlp("sleep", "sleep", "60", (char *)0);
	}
	return 0;
}
"#;

fn deep_program(project: &Project) -> PathBuf {
    let (source, program) = (project.path("deep.c"), project.path("deep"));
    fs::write(&source, DEEP).expect("a file");
    run(Command::new("cc").arg(&source).arg("-o").arg(&program)).ends(0);
    program
}

fn in_scratch(project: &Project, command: &mut Command) -> Ran {
    run(command.env("TMPDIR", project.path(SCRATCH)))
}

fn deep_tree_is_removed() {
    let project = project("left-deep");
    let program = deep_program(&project);
    let project = project
        .expecting("deep", &format!("command: [{}, \"5000\"]", program.display()))
        .expecting("other", "command: ['true']");
    // A soft limit below the default.
    let mut command = project.run_by("sh");
    command.args(["-c", &format!("ulimit -Sn 256; exec {BINARY} bless --runs 1")]);
    let blessed = in_scratch(&project, &mut command).ends(0);
    assert!(blessed.stdout.contains("deep: blessed") && blessed.stdout.contains("other: blessed"), "{blessed:?}");
    assert_eq!((left(&project), blessed.stderr.contains("warning")), (vec![], false), "{}", blessed.stderr);
}

fn own_folders_without_permissions_are_removed() {
    let script = "mkdir -p a/b c/d; touch a/b/f c/d/f; chmod 0 a/b/f a/b a c";
    let project = project("left-modes").expecting("modes", &format!("command: [sh, -c, '{script}']"));
    run(project.run_by("chmod").args(["-R", "a+rwX", "."])).ends(0);
    let blessed = in_scratch(&project, project.bound_command("bless --runs 1").stdin(Stdio::null())).ends(0);
    assert_eq!((left(&project), blessed.stderr.contains("warning")), (vec![], false), "{}", blessed.stderr);
}

/// Returns the project's folder `precious`, which workloads mount.
fn precious(project: &Project) -> PathBuf {
    let folder = project.path("precious").canonicalize().unwrap_or_else(|_| {
        project.write("precious/file", "data");
        project.write("precious/sub/file", "data");
        project.path("precious").canonicalize().expect("a folder")
    });
    assert!(folder.is_dir());
    folder
}

#[track_caller]
fn is_whole(project: &Project, what: &str) {
    for file in ["precious/file", "precious/sub/file"] {
        assert_eq!(fs::read_to_string(project.path(file)).ok().as_deref(), Some("data"), "{what}: {file}");
    }
}

/// Returns a command that runs a shell script in a private mount namespace.
fn unshared(project: &Project, script: &str) -> Command {
    let mut command = project.run_by("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script]).arg(BINARY);
    command.env("TMPDIR", project.path(SCRATCH));
    command
}

/// Scripts that mount `$P` at or below their working directory.
const MOUNTS: [(&str, &str); 8] = [
    ("folder", "mkdir d; mount --bind $P d"),
    ("file", "touch f; mount --bind $P/file f"),
    ("blank", "mkdir \"a b\"; mount --bind $P \"a b\""),
    ("stacked", "mkdir d; mount --bind $P d; mount -t tmpfs none d; mkdir d/e; mount --bind $P d/e; mount --bind $P d"),
    ("home", "mount --bind $P $HOME"),
    ("root", "cd ..; mount --bind $P ."),
    ("moved", "mkdir d e; mount -t tmpfs none d; mount --bind $P e; mkdir d/f; mount --move e d/f"),
    ("removed", "mkdir d; mount --bind $P d; cd /; kill -9 $$"),
];

fn mounts_are_unmounted_and_their_content_stays() {
    let project = project("left-mounts");
    let folder = precious(&project);
    let mut project = project;
    for (name, script) in MOUNTS {
        let exit = if name == "removed" { "\nexit: SIGKILL" } else { "" };
        let script = script.replace("$P", &folder.display().to_string());
        project = project.expecting(name, &format!("command: [sh, -c, '{script}']{exit}"));
    }
    for words in ["bless --runs 1", "test --no-fail-fast"] {
        // The verdicts do not matter here.
        let script = format!("$0 {words}; cat /proc/self/mountinfo");
        let seen = run(&mut unshared(&project, &script)).ends(0);
        let is_judged = |name: &str| seen.stdout.contains(&format!("{name}: blessed")) || words != "bless --runs 1";
        assert!(MOUNTS.iter().all(|(name, _)| is_judged(name)), "{words}: {seen:?}");
        assert!(words == "bless --runs 1" || seen.stdout.contains("running 8 tests"), "{words}: {seen:?}");
        is_whole(&project, words);
        assert_eq!(left(&project), [""; 0], "{words}: {}", seen.stderr);
        assert!(!seen.stdout.contains(SCRATCH) && seen.stdout.contains(" /proc "), "{words}: {}", seen.stdout);
        assert!(!seen.stderr.contains("warning"), "{words}: {}", seen.stderr);
    }
}

/// The mounts are peers of the real ones, so unmounting them could unmount those too
/// (mount_namespaces(7)).
fn recursive_bind_mount_takes_nothing_along() {
    let project = project("left-recursive");
    precious(&project);
    let project = project.expecting("all", "command: [sh, -c, 'mkdir d; mount --rbind / d']");
    let script = "mount --make-rshared /; cat /proc/self/mountinfo >before; $0 bless --runs 1; s=$?; \
                  cat /proc/self/mountinfo >after; exit $s";
    run(&mut unshared(&project, script)).ends(0);
    is_whole(&project, "a recursive bind mount");
    assert_eq!(left(&project), [""; 0]);
    assert_eq!(project.read("before"), project.read("after"));
}

fn mount_that_stays_is_reported_once() {
    let wait = "mkdir d; touch made; while ! test -e go; do sleep 0.05; done";
    let project = project("left-stays").expecting("waits", &format!("command: [sh, -c, '{wait}']"));
    let folder = precious(&project);
    // Without CAP_SYS_ADMIN, sysguard cannot unmount what another process mounts meanwhile.
    let script = format!(
        "setpriv --inh-caps=-all --bounding-set=-sys_admin $0 bless --runs 1 & \
         while kill -0 $! 2>/dev/null; do for w in $TMPDIR/sysguard-*/work; do \
         if test -e $w/made && ! test -e $w/go; then mount --bind {} $w/d; touch $w/go; fi; done; sleep 0.05; done; \
         wait $!",
        folder.display()
    );
    let seen = run(&mut unshared(&project, &script)).ends(0);
    is_whole(&project, "a mount that stays");
    assert_eq!(seen.stderr.matches("warning: cannot remove all of").count(), 1, "{}", seen.stderr);
    assert!(seen.stderr.contains("/work/d: is a mount point and cannot be unmounted: "), "{}", seen.stderr);
    assert!(left(&project).iter().all(|name| name.starts_with("sysguard-")), "{:?}", left(&project));
}

fn immutable_file_is_reported_once() {
    let project = project("left-immutable");
    let can = run(project.run_by("sh").args(["-c", "touch f && chattr +i f && chattr -i f"])).code == 0;
    let script = if can { "mkdir d; touch d/f d/g; chattr +i d/f" } else { "true" };
    let project = project.expecting("keeps", &format!("command: [sh, -c, '{script}']"));
    let blessed = in_scratch(&project, &mut project.command("bless --runs 1"));
    let kept = left(&project);
    run(project.run_by("sh").args(["-c", &format!("chattr -R -i {SCRATCH}; true")])).ends(0);
    assert_eq!(blessed.stderr.matches("warning: cannot remove all of").count(), usize::from(can), "{}", blessed.stderr);
    assert_eq!(blessed.stderr.contains("/work/d/f: Operation not permitted"), can, "{}", blessed.stderr);
    assert_eq!((blessed.code, !kept.is_empty()), (0, can), "{kept:?}");
}

/// Ends the command while its workload sleeps, and waits for the cleanup.
#[track_caller]
fn ended(
    project: &Project,
    command: &mut Command,
    asleep: usize,
    end: impl FnOnce(&Child),
) -> std::process::ExitStatus {
    command.env("TMPDIR", project.path(SCRATCH));
    let mut running =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    until_asleep(project, asleep);
    assert!(!left(project).is_empty(), "there is something to leave");
    end(&running);
    let status = running.wait().expect("it is our child");
    no_process_survives(project, "an end");
    wait_until_nothing_is_left(project, "an end");
    status
}

/// Sends each signal, and checks that the command ends by it.
fn ended_by_each_signal(project: &Project, line: &str, asleep: usize) {
    for signal in SIGNALS {
        let end = |running: &Child| kill(Pid::from_raw(running.id() as i32), signal).expect("it is there");
        let status = ended(project, &mut project.command(line), asleep, end);
        assert_eq!(status.signal(), Some(signal as i32), "{line}: {signal}: {status}");
    }
}

const SLEEPS: &str = "command: [sh, -c, 'mkdir -p a/b; touch a/b/c; sleep 60 & setsid sleep 60 & sleep 60']";

fn ended_bless_leaves_nothing() {
    let project = project("left-bless").expecting("sleeper", SLEEPS);
    ended_by_each_signal(&project, "bless", 3);
}

fn ended_test_leaves_nothing() {
    let with_harness = project("left-test").expecting("sleeper", SLEEPS);
    with_harness.sysguard("test --no-run").ends(0);
    ended_by_each_signal(&with_harness, "test", 3);
    let without = Project::new("left-test-without").expecting("sleeper", SLEEPS);
    fs::create_dir(without.path(SCRATCH)).expect("a folder");
    ended_by_each_signal(&without, "test", 3);
}

/// `cargo test` and nextest end a harness like this.
fn ended_harness_leaves_nothing() {
    let project = project("left-harness").expecting("sleeper", SLEEPS);
    let cargo = || {
        let mut command = project.run_by(env!("CARGO"));
        command.args(["test", "--quiet", "--test", "sysguard"]);
        command
    };
    run(cargo().arg("--no-run")).ends(0);
    for signal in SIGNALS {
        ended(&project, &mut cargo(), 3, |_| {
            let is_harness = |process: &super::ends::Process| {
                !process.is_workload
                    && process.line.split(' ').next().is_some_and(|word| word.contains("deps/sysguard-"))
            };
            let harness = processes(&project).into_iter().find(is_harness).expect("it is there");
            kill(Pid::from_raw(harness.pid), signal).expect("it is there");
        });
    }
}

fn ended_run_leaves_nothing() {
    const TEST: &str =
        "#[test]\nfn sleeps() { std::process::Command::new(\"sleep\").arg(\"60\").status().unwrap(); }\n";
    let project = Project::foreign("left-run").file("tests/it.rs", TEST);
    fs::create_dir(project.path(SCRATCH)).expect("a folder");
    ended_by_each_signal(&project, "run -- test --test it", 1);
}

fn ended_diff_leaves_nothing() {
    let project = project("left-diff").expecting("sleeper", SLEEPS).file(".gitignore", "/scratch\n/target\n");
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "before"]);
    ended_by_each_signal(&project, "diff --trace --runs 1", 3);
}

/// A terminal, timeout(1) or a supervisor may signal a whole group several times.
fn ended_group_leaves_no_deep_tree() {
    use std::os::unix::process::CommandExt;
    let project = project("left-group");
    let program = deep_program(&project);
    let project = project.expecting("deep", &format!("command: [{}, \"5000\", ready]", program.display()));
    for signal in SIGNALS {
        ended(&project, project.command("bless").process_group(0), 1, |running| {
            let group = Pid::from_raw(-(running.id() as i32));
            for _ in 0..3 {
                let _ = kill(group, signal);
            }
        });
    }
}

const PID_FILE: &str = "pid";

fn ended_command_leaves_no_mount() {
    let project = project("left-ended-mount");
    let folder = precious(&project);
    let script = format!("mkdir d; mount --bind {} d; mount -t tmpfs none $TMPDIR; sleep 60", folder.display());
    let project = project.expecting("mounts", &format!("command: [sh, -c, '{script}']"));
    for signal in ["INT", "TERM", "HUP", "KILL"] {
        // The shell waits for the cleanup, because the namespace ends with it.
        let script = format!(
            "env --default-signal $0 bless & echo $! >{pid}.new; mv {pid}.new {pid}; wait $!; \
             n=0; while test -n \"$(ls -d $TMPDIR/sysguard-* 2>/dev/null)\" && test $n -lt 600; do sleep 0.1; n=$((n+1)); done; \
             ! grep {SCRATCH} /proc/self/mountinfo",
            pid = PID_FILE
        );
        let mut command = unshared(&project, &script);
        let status = ended(&project, &mut command, 1, |_| {
            let pid = project.read(PID_FILE).trim().parse().expect("a number");
            fs::remove_file(project.path(PID_FILE)).expect("a file");
            let signal: Signal = format!("SIG{signal}").parse().expect("a signal");
            kill(Pid::from_raw(pid), signal).expect("it is there");
        });
        assert!(status.success(), "{signal}: {status}");
        is_whole(&project, signal);
    }
}
