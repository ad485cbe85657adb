//! How `profile` ends: signals to it and to its group, and what commands leave behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::ends::SCRATCH;
use super::project::{BINARY, Project, command, needing, run};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![profile_ends:
        needing signal_from_outside_ends_the_command,
        needing graceful_end_is_no_reason_for_another_run,
        needing signal_in_the_grace_period_ends_the_rest,
        needing group_signal_of_the_command_is_ignored,
        needing killed_workload_leaves_nothing,
        needing stopped_job_continues,
        needing command_inherits_what_the_caller_has,
        needing process_of_another_user_is_reported,
        needing foreign_proc_is_refused,
        needing killed_run_leaves_no_file,
        needing repeated_runs_need_few_fds,
    ]
}

/// How long anything may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Returns why nothing can be sampled here.
pub(super) fn refused() -> Option<&'static str> {
    let ran = run(command(BINARY).args(["profile", "--no-trace", "--", "true"]));
    (ran.code == 4).then_some("requires the right to sample")
}

/// A running `profile` in a process group of its own, with the first line of its command.
pub(super) struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    pub(super) line: String,
}

impl Running {
    pub(super) fn start(profile: &mut Command) -> Self {
        let profile = profile.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = profile.spawn().expect("it starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        Self { child, output, line: line.trim().to_owned() }
    }

    pub(super) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it runs");
    }

    pub(super) fn signal_group(&self, signal: Signal) {
        killpg(self.pid(), signal).expect("it runs");
    }

    /// Waits for the end of it and of everything that has its output.
    #[track_caller]
    pub(super) fn end(mut self, within: Duration) -> ExitStatus {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            if begun.elapsed() > within {
                self.signal_group(Signal::SIGKILL);
                panic!("it runs after {within:?}");
            }
            thread::sleep(Duration::from_millis(5));
        };
        while self.output.read_line(&mut self.line).expect("an end") > 0 {}
        assert!(begun.elapsed() < within, "something has its output after {within:?}");
        status
    }
}

fn signal_from_outside_ends_the_command() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let project = Project::empty();
        let mut profile = project.command("profile -o report -- sh -c");
        let running = Running::start(profile.arg("echo $$; exec sleep 600"));
        running.signal(signal);
        let begun = Instant::now();
        let status = running.end(PATIENCE);
        assert_eq!(status.code(), Some(128 + signal as i32), "{signal}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{signal}: {:?}", begun.elapsed());
        let report = project.read("report");
        assert!(report.contains(&format!("; it ended with exit status {}\n", 128 + signal as i32)), "{report}");
        assert!(report.contains("calls and errors: not counted\n"), "{report}");
        // A signal that neither is for the command ends both.
        let mut profile = project.command("profile -o other -- sh -c");
        let running = Running::start(profile.arg("echo $$; exec sleep 600"));
        running.signal(Signal::SIGUSR1);
        assert_eq!(running.end(PATIENCE).signal(), Some(Signal::SIGUSR1 as i32));
        assert!(!project.path("other").exists());
    }
    None
}

/// The command ends with status 0: without the signal, it would run again.
fn graceful_end_is_no_reason_for_another_run() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let script = "trap 'exit 0' TERM INT HUP; echo run >> log; echo ready; while :; do sleep 0.01; done";
    for (signal, is_for_group) in [(Signal::SIGTERM, false), (Signal::SIGTERM, true), (Signal::SIGINT, true)] {
        let project = Project::empty();
        let mut profile = project.command("profile --repeat 3 -o report -- sh -c");
        let running = Running::start(profile.arg(script));
        if is_for_group {
            running.signal_group(signal)
        } else {
            running.signal(signal)
        }
        assert_eq!(running.end(PATIENCE).code(), Some(0), "{signal}");
        assert_eq!(project.read("log"), "run\n", "{signal}");
        assert!(project.read("report").contains("of an untraced run"), "{signal}");
    }
    None
}

fn signal_in_the_grace_period_ends_the_rest() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let mut profile = project.command("profile --no-trace --grace 1h -o report -- sh -c");
    // It keeps no output open.
    let running = Running::start(profile.arg("sleep 600 >/dev/null & echo $!; exit 5"));
    thread::sleep(Duration::from_secs(1));
    running.signal(Signal::SIGTERM);
    let sleep = running.line.clone();
    assert_eq!(running.end(PATIENCE).code(), Some(5));
    assert!(!Path::new("/proc").join(sleep).exists());
    assert!(project.read("report").contains("\n1 straggler killed after the grace period\n"));
    None
}

/// The same as the trials of `trace`, but without a tracer that knows every task.
fn group_signal_of_the_command_is_ignored() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let profiled = |script: &str| {
        let mut profile = project.command("profile --no-trace -o /dev/null -- sh -c");
        run(profile.arg(script).process_group(0))
    };
    for signal in ["TERM", "HUP", "USR1", "USR2", "ALRM", "QUIT", "INT", "ABRT", "SEGV", "34", "64"] {
        let script = format!(
            "trap 'n=$((n+1))' {signal}; n=0; kill -{signal} 0; kill -{signal} 0
            sh -c 'trap : {signal}; kill -{signal} 0; sleep 0.2'; echo $n; exit 3"
        );
        let ran = profiled(&script);
        assert_eq!((ran.code, &*ran.stdout), (3, "3\n"), "SIG{signal}: {}", ran.stderr);
    }
    // A sender that the signal ends too.
    let ran = profiled("trap : USR1; for i in 1 2 3 4 5 6 7 8; do sh -c 'kill -USR1 0; exit 1'; done; exit 4");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    None
}

fn killed_workload_leaves_nothing() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let script = "touch '$READY'; sleep 600 & (setsid sleep 600 &) ; sleep 600";
    let project = super::ends::project("profile-killed");
    let ready = project.path("ready");
    let script = script.replace("$READY", &ready.display().to_string());
    let project = project.expecting("tree", &format!("command: [sh, -c, \"{script}\"]"));
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let _ = fs::remove_file(&ready);
        let mut profile = project.command("profile --no-trace tree");
        profile.env("TMPDIR", project.path(SCRATCH).canonicalize().expect("a folder"));
        let mut profile = profile.stdout(Stdio::null()).spawn().expect("it starts");
        let begun = Instant::now();
        while !ready.exists() {
            assert!(begun.elapsed() < PATIENCE && profile.try_wait().expect("a child").is_none(), "it runs");
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(200));
        kill(Pid::from_raw(profile.id() as i32), signal).expect("it runs");
        super::ends::no_process_survives(&project, signal.as_str());
        super::ends::wait_until_nothing_is_left(&project, signal.as_str());
        assert_eq!(profile.wait().expect("its end").signal(), Some(signal as i32));
    }
    None
}

/// Returns the state of a process: proc_pid_status(5).
pub(super) fn state(pid: Pid) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("State:"))?.trim().chars().next()
}

/// As Ctrl-Z and `fg`.
fn stopped_job_continues() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let mut profile = project.command("profile --no-trace -o report -- sh -c");
    let running = Running::start(profile.arg("echo $$; while ! test -e go; do sleep 0.01; done; exit 6"));
    let shell = Pid::from_raw(running.line.parse().expect("a number"));
    running.signal_group(Signal::SIGSTOP);
    thread::sleep(Duration::from_millis(300));
    project.write("go", "");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(state(running.pid()), Some('T'));
    // While its child is stopped in vfork(2), the shell waits: D.
    assert!(matches!(state(shell), Some('T' | 'D')));
    running.signal_group(Signal::SIGCONT);
    assert_eq!(running.end(PATIENCE).code(), Some(6));
    None
}

/// Signals, process group, session and fds are those that the command has without sysguard.
fn command_inherits_what_the_caller_has() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let shows =
        "sh -c 'grep -E ^Sig\\(Ign\\|Blk\\) /proc/self/status; ls /proc/self/fd; cut -d\" \" -f5,6 /proc/self/stat'";
    for before in ["", "trap '' PIPE; ", "trap '' USR1 HUP; ", "exec env --ignore-signal=CHLD ", "exec 0<&-; "] {
        let shown = |profile: &str| {
            let mut shell = project.run_by("sh");
            let words = if before.starts_with("exec env") { String::new() } else { "exec ".to_owned() };
            // In a group of its own, so that groups can be compared.
            run(shell.args(["-c", &format!("{before}{words}{profile} {shows}")]).process_group(0)).ends(0).stdout
        };
        let native = shown("");
        let profiled = shown(&format!("{BINARY} profile --no-trace -o report --"));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (mut native, mut profiled) = (lines(&native), lines(&profiled));
        let groups = [native.pop(), profiled.pop()].map(|line| line.expect("a line"));
        assert_eq!(profiled, native, "{before}");
        let session = |line: &str| line.split(' ').nth(1).map(str::to_owned);
        assert_eq!(session(&groups[0]), session(&groups[1]), "{before}");
        assert!(project.read("report").contains("Totals of"), "{before}");
    }
    None
}

/// Becomes root for good, and sleeps: an ordinary user cannot kill it.
const ROOT: &str = "#include <unistd.h>\nint main(void) { if (setuid(0)) return 1; sleep(8); return 0; }\n";

fn process_of_another_user_is_reported() -> Option<&'static str> {
    let reason = refused();
    if reason.is_some() || !nix::unistd::geteuid().is_root() {
        return reason.or(Some("only root can make a set-user-ID program of root's"));
    }
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"];
    let project = Project::empty().file("root.c", ROOT);
    run(project.run_by("cc").args(["-o", "root", "root.c"])).ends(0);
    fs::copy(BINARY, project.path("sysguard")).expect("a copy");
    for (name, mode) in [("", 0o755), ("sysguard", 0o755), ("root", 0o4755)] {
        fs::set_permissions(project.path(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }
    let begun = Instant::now();
    let mut setpriv = project.run_by("setpriv");
    let words = ["./sysguard", "profile", "--no-trace", "--grace", "300ms", "--", "sh", "-c"];
    let ran = run(setpriv.args(user).args(words).arg("./root >/dev/null 2>&1 & sleep 0.2; exit 5"));
    if ran.code == 4 || begun.elapsed() < Duration::from_millis(400) {
        return Some("set-user-ID programs or sampling by ordinary users are impossible here");
    }
    let ran = ran.ends(5);
    let warning = "warning: 1 process is still running: this user has no right to kill another user's processes\n";
    assert!(ran.stderr.contains(warning) && !ran.stderr.contains("straggler"), "{}", ran.stderr);
    assert!(begun.elapsed() < Duration::from_secs(6), "it does not wait for that process");
    None
}

fn foreign_proc_is_refused() -> Option<&'static str> {
    if !nix::unistd::geteuid().is_root()
        || run(command("unshare").args(["--pid", "--mount", "--fork", "true"])).code != 0
    {
        return Some("requires root, for namespaces");
    }
    let project = Project::empty();
    let before = project.files();
    let hidden = ["--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$0\" \"$@\""];
    for (words, reason) in [
        (&["--pid", "--fork"][..], "/proc shows another PID namespace"),
        (&hidden, "no proc filesystem is mounted at /proc"),
    ] {
        let mut unshare = project.run_by("unshare");
        let ran = run(unshare.args(words).arg(BINARY).args(["profile", "--", "touch", "was-run"])).ends(125);
        let expected =
            format!("error: cannot find the processes of a command: {reason}\nhelp: mount -t proc proc /proc\n");
        assert_eq!(ran.stderr, expected);
    }
    assert_eq!(project.changed_since(&before), [""; 0], "nothing was run");
    None
}

/// The report is a file only once it is complete, also where it is the command's output.
fn killed_run_leaves_no_file() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let before = project.files();
    let running = Running::start(project.command("profile -o report -- sh -c").arg("echo $$; exec sleep 600"));
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end(PATIENCE).signal(), Some(9));
    assert_eq!(project.changed_since(&before), [""; 0]);
    let script = format!("{BINARY} profile --no-trace -o /dev/stdout -- echo first > out");
    run(project.run_by("sh").args(["-c", &script])).ends(0);
    let out = project.read("out");
    assert!(out.starts_with("first\nTotals of echo first\n"), "{out}");
    None
}

fn repeated_runs_need_few_fds() -> Option<&'static str> {
    if let Some(reason) = refused() {
        return Some(reason);
    }
    let project = Project::empty();
    let script = format!("ulimit -n 64; exec {BINARY} profile --no-trace --repeat 30 -o report -- true");
    run(project.run_by("sh").args(["-c", &script])).ends(0);
    assert!(project.read("report").contains("of 30 untraced runs"));
    // The limit is said, and is no missing right.
    let script = format!("ulimit -n 12; exec {BINARY} profile --no-trace -- true");
    let ran = run(project.run_by("sh").args(["-c", &script])).ends(125);
    let expected = "error: cannot sample: too many files are open\nhelp: raise the limit: ulimit -n 4096\n";
    assert_eq!(ran.stderr, expected);
    None
}
