//! `trace`: exit codes, streams and reports.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::project::{Project, Ran, command, run};

pub(crate) fn exit_code_is_that_of_the_command() {
    let project = Project::empty();
    for (arguments, code) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -TERM $$"], 128 + 15),
        (&["sh", "-c", "kill -KILL $$"], 128 + 9),
        (&["--timeout", "100ms", "--", "sleep", "600"], 124),
        (&["--grace", "100ms", "--", "sh", "-c", "sleep 600 & exit 5"], 5),
    ] {
        run(project.command("trace").args(arguments)).ends(code);
    }
}

pub(crate) fn own_failures_have_distinct_exit_codes() {
    let project = Project::empty().file("plain", "").file("script", "#!/no/such/interpreter\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(project.path("script"), executable).expect("a mode");
    let before = project.files();
    for (line, code) in [
        ("trace -- no-such-command", 127),
        ("trace -- ./no-such-command", 127),
        ("trace -- ./plain", 126),
        ("trace -- /", 126),
        ("trace -- ./plain/below", 126),
        (&format!("trace -- {}", "x".repeat(300)), 126),
        (&format!("trace -- ./{}", "x".repeat(300)), 126),
        ("trace --no-such-flag -- touch was-run", 2),
        ("trace --format json --no-such-flag -- touch was-run", 2),
        ("trace --grace 1s -x touch was-run", 2),
        ("trace -o no/such/folder/report -- touch was-run", 125),
        ("trace -o / -- touch was-run", 125),
        ("trace --timeout soon -- touch was-run", 2),
    ] {
        let ran = project.sysguard(line).ends(code);
        assert!(ran.stderr.starts_with("error: "), "{line}: {}", ran.stderr);
    }
    assert_eq!(project.changed_since(&before), [""; 0], "nothing was run");
}

/// env(1) and timeout(1) run such a script by execvp(3), even without a PATH.
pub(crate) fn script_without_interpreter_is_run_by_sh() {
    let project = Project::empty().file("bin/script", "echo \"$0\" \"$1\" $#\nexit 4\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(project.path("bin/script"), executable).expect("a mode");
    for name in ["bin/script", "script"] {
        let path = std::ffi::OsString::from(format!("{}:/bin:/usr/bin", project.path("bin").display()));
        let words = [name, "a b", "--c"];
        let expected = run(project.run_by("timeout").arg("60").args(words).env("PATH", &path)).ends(4);
        let traced = run(project.command("trace -o report --").args(words).env("PATH", &path)).ends(4);
        assert_eq!(traced.stdout, expected.stdout, "{name}");
        assert_eq!(traced.stderr, "");
    }
    run(project.command("trace -o report -- true").env_remove("PATH")).ends(0);
}

pub(crate) fn durations_beyond_the_clock_never_end() {
    let project = Project::empty();
    for line in [
        "trace --timeout 18446744073709551615s -- true",
        "trace --grace 18446744073709551615s -- true",
        "trace --timeout 500000000000y --grace 500000000000y --engine ptrace -- true",
    ] {
        let ran = project.sysguard(line).ends(0);
        assert!(!ran.stderr.contains("panicked"), "{line}: {}", ran.stderr);
    }
}

pub(crate) fn command_keeps_its_streams() {
    let project = Project::empty();
    let before = project.files();
    let ran = run(project
        .command("trace --format json")
        .args(["sh", "-c", "echo to stdout; echo $MARK"])
        .env("MARK", "kept"));
    let ran = ran.ends(0);
    assert_eq!(ran.stdout, "to stdout\nkept\n");
    let report: serde_json::Value = serde_json::from_str(&ran.stderr).expect("the report alone");
    assert_eq!(report["schema"], "sysguard.observation/1");

    let ran = project.sysguard("trace --format json -o report -- ls /").ends(0);
    assert_eq!(ran.stderr, "");
    let report: serde_json::Value = serde_json::from_str(&project.read("report")).expect("JSON");
    assert_eq!(report["workload"]["command"][1], "/");
    assert_eq!(project.changed_since(&before), ["report"]);
}

/// Facts that notifications cannot show are marked, refused beforehand, or end the run.
#[cfg(target_arch = "x86_64")]
pub(crate) fn engine_variable_is_obeyed_or_reported() {
    let project = Project::foreign("trace-engine");
    let traced = |engine: &str, line: &str| run(project.command(line).env("SYSGUARD_ENGINE", engine));
    let used = |ran: &Ran| {
        let report: serde_json::Value = serde_json::from_str(&project.read("report")).expect(&ran.stderr);
        report["engine"].as_str().map(str::to_owned)
    };
    let trace = "trace --format json -o report";
    let engines: &[&str] = if cfg!(target_arch = "x86_64") { &["ptrace", "notify"] } else { &["ptrace"] };
    for engine in engines {
        let ran = traced(engine, &format!("{trace} -- true")).ends(0);
        assert_eq!((used(&ran).as_deref(), ran.stderr.as_str()), (Some(*engine), ""));
    }
    let ran = traced("guard", &format!("{trace} -- true")).ends(0);
    assert_eq!(used(&ran).as_deref(), Some("ptrace"));
    assert_eq!(ran.stderr, "warning: SYSGUARD_ENGINE=guard has no effect on `trace`, which uses ptrace\n");
    let ran = traced("notify", &format!("{trace} --engine ptrace -- true")).ends(0);
    assert_eq!((used(&ran).as_deref(), ran.stderr.as_str()), (Some("ptrace"), ""), "a flag beats the variable");
    let ran = traced("bpf", &format!("{trace} -- true")).ends(2);
    assert!(
        ran.stderr.contains("SYSGUARD_ENGINE is `bpf`, but must be one of guard, notify, ptrace"),
        "{}",
        ran.stderr
    );
    let ran = traced("notify", "run --runs 1 --update unseen -- test --test it").ends(0);
    assert!(ran.stderr.contains("SYSGUARD_ENGINE=notify has no effect on `run`"), "{}", ran.stderr);
    let ran = traced("notify", "test").ends(2);
    assert!(ran.stderr.contains("must be guard or ptrace where workloads are compared"), "{}", ran.stderr);
    traced("notify", "list").ends(0);
}

pub(crate) fn notify_engine_shows_the_same_uses() {
    let project = Project::empty();
    let uses = |engine: &str| {
        let line = format!("trace --engine {engine} --format json -o report -- sh -c");
        run(project.command(&line).arg("ls /; cat no-such-file; exit 3")).ends(3);
        let report: serde_json::Value = serde_json::from_str(&project.read("report")).expect("JSON");
        assert_eq!((report["engine"].as_str(), report["lost_events"].as_u64()), (Some(engine), Some(0)));
        assert_eq!(report["unknown"].is_string(), engine == "notify");
        let mut syscalls = report["syscalls"].clone();
        // The errors of calls are unknown to the notify engine.
        for syscall in syscalls.as_array_mut().expect("a list") {
            syscall["errors"].take();
            syscall["uses"].as_array_mut().expect("a list").iter_mut().for_each(|used| drop(used["errors"].take()));
        }
        syscalls
    };
    assert_eq!(uses("notify"), uses("ptrace"));

    project.sysguard("trace -k --engine notify -- touch was-run").ends(2);
    project.sysguard("trace --engine guard -- touch was-run").ends(2);
    // prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)
    let mut filtering = project.command("trace --engine notify -- perl -e");
    let ran = run(filtering.arg("syscall(157, 22, 1, 0, 0, 0); open(F, '>', 'was-run')")).ends(125);
    assert!(
        ran.stderr.contains("a seccomp filter of its own") && ran.stderr.contains("--engine ptrace"),
        "{}",
        ran.stderr
    );
    assert!(!project.path("was-run").exists());
}

pub(crate) fn only_selects_stacks_by_call_and_subsystem() {
    let project = Project::empty();
    // Returns the calls of the report's stacks.
    let calls = |only: &str| -> Vec<String> {
        let ran = project.sysguard(&format!("trace -k {only} -- cat /etc/hostname")).ends(0);
        let stacks = ran.stderr.split_once("\nCall sites of first calls").map_or("", |(_, stacks)| stacks);
        let calls = stacks.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let calls: Vec<String> = calls.map(|line| line.trim().to_owned()).collect();
        assert!(calls.iter().all(|call| call.ends_with(" call") || call.ends_with(" calls")), "{stacks}");
        calls
    };
    let all = |calls: &[String], of: &[&str]| {
        !calls.is_empty() && calls.iter().all(|call| of.iter().any(|name| call.contains(name)))
    };
    let opened = calls("--only openat");
    assert!(all(&opened, &["::openat "]), "{opened:?}");
    let both = calls("--only openat --only memory");
    assert!(all(&both, &["::openat ", "memory::"]) && both.len() > opened.len(), "{both:?}");
    assert_eq!(calls("--only network"), [""; 0]);
    assert!(calls("").len() > both.len());
    project.refuses(&[
        ("trace -k --only opennat -- touch was-run", "unknown name `opennat`; did you mean openat?"),
        ("trace -k --only netwrok -- touch was-run", "unknown name `netwrok`; did you mean network?"),
        ("trace --only openat -- touch was-run", "--callers"),
    ]);
}

/// The loader opens libraries, but lists no directory and executes no program.
pub(crate) fn loader_calls_are_a_phase() {
    let ran = Project::empty().sysguard("trace --format json -- ls /").ends(0);
    let report: serde_json::Value = serde_json::from_str(&ran.stderr).expect("the report alone");
    let loader = &report["phases"][0];
    assert_eq!(loader["name"], "loader", "{loader}");
    let calls = loader["subsystems"].to_string();
    assert!(calls.contains("\"openat\"") && calls.contains("\"mmap\""), "{calls}");
    assert!(!calls.contains("\"getdents64\"") && !calls.contains("\"execve\""), "{calls}");
}

/// The command gets the signal with its default action. The tracer outlives it and reports.
pub(crate) fn ctrl_c_goes_to_the_command() {
    let project = Project::empty();
    let mut tracer = project.command("trace --format json -o report");
    tracer.args(["sh", "-c", "echo $$; exec sleep 600"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut tracer = tracer.spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(tracer.stdout.take().expect("a pipe")).read_line(&mut line).expect("a process id");
    let both = [line.trim().to_owned(), tracer.id().to_string()];
    run(command("kill").arg("-INT").args(both)).ends(0);
    assert_eq!(tracer.wait().expect("its end").code(), Some(128 + 2));
    assert!(project.read("report").contains("SIGINT"));
}

/// Checks the section and options of an interface's MTU, a file of /proc, and three kinds of
/// sockets.
pub(crate) fn sections_follow_the_reached_objects() {
    const SCRIPT: &str = "use Socket; socket(S, AF_INET, SOCK_DGRAM, 0) or die; ioctl(S, 0x8921, my $r = pack('a16x24', 'lo')) or die; \
        open(F, '<', '/proc/self/status') or die; <F>; socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die; syswrite(A, 'x') or die; \
        socket(L, AF_INET, SOCK_STREAM, 0) or die; setsockopt(L, 6, 1, 1) or die;";
    let project = Project::empty();
    run(project.command("trace --format json -o report -- perl -e").arg(SCRIPT)).ends(0);
    let report: serde_json::Value = serde_json::from_str(&project.read("report")).expect("JSON");
    let place = |call: &str, argument: Option<&str>, object: &str| {
        let syscalls = report["syscalls"].as_array().expect("a list").iter();
        let uses = syscalls.filter(|syscall| syscall["name"] == call).flat_map(|syscall| syscall["uses"].as_array());
        let is_meant = |used: &&serde_json::Value| {
            used["argument"].as_str() == argument && used["object"].as_str() == Some(object)
        };
        let used = uses.flatten().find(is_meant).unwrap_or_else(|| panic!("{call} {argument:?} {object}: {report}"));
        (used["section"].clone(), used["config"].clone())
    };
    for (call, argument, object, section, config) in [
        ("ioctl", Some("SIOCGIFMTU"), "socket:AF_INET:SOCK_DGRAM", "NETWORKING [GENERAL]", "CONFIG_NET"),
        ("read", None, "file:proc", "PROC FILESYSTEM", "CONFIG_PROC_FS"),
        ("write", None, "socket:AF_UNIX:SOCK_STREAM", "NETWORKING [UNIX SOCKETS]", "CONFIG_NET && CONFIG_UNIX"),
        ("socket", Some("AF_INET"), "socket:AF_INET:SOCK_STREAM", "NETWORKING [GENERAL]", "CONFIG_INET && CONFIG_NET"),
        (
            "setsockopt",
            Some("SOL_TCP/TCP_NODELAY"),
            "socket:AF_INET:SOCK_STREAM",
            "NETWORKING [TCP]",
            "CONFIG_INET && CONFIG_NET",
        ),
    ] {
        assert_eq!(place(call, argument, object), (section.into(), config.into()), "{call} {argument:?}");
    }
}
