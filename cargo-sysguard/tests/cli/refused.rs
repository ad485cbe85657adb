//! Refused queries about a workload: there is a fallback, a blind spot, or a reason not to trace.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::project::{BINARY, Project, Ran, command, run};

/// Builds a program of this folder into the project.
pub(crate) fn build(project: &Project, name: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(format!("{name}.c"));
    run(command("cc").arg(source).arg("-o").arg(project.path(name))).ends(0);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Parses the report that a trace wrote to standard error.
fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr))
}

/// Returns subsystem, syscall and object of every use with an object.
fn uses(report: &Value) -> BTreeSet<String> {
    let syscalls = report["syscalls"].as_array().expect("syscalls");
    let uses = |syscall: &Value| -> Vec<String> {
        let used = syscall["uses"].as_array().expect("uses").iter().filter(|used| !used["object"].is_null());
        used.map(|used| format!("{} {} {}", used["subsystem"], syscall["name"], used["object"])).collect()
    };
    syscalls.iter().flat_map(uses).collect()
}

pub(crate) fn objects_are_the_same_under_a_filter() {
    let project = Project::empty();
    build(&project, "refuse");
    build(&project, "asked");
    let trace = |prefix: &[&str]| {
        let words = ["trace", "--format", "json", "--"];
        let mut command = project.run_by("env");
        report(&run(command.args(prefix).arg(BINARY).args(words).arg(project.path("asked"))).ends(0))
    };
    let expected = uses(&trace(&[]));
    assert!(expected.iter().any(|used| used.contains("socket:AF_INET:SOCK_STREAM")), "{expected:?}");
    let refuse = project.path("refuse").display().to_string();
    for calls in ["statx", "process_vm_readv", "pidfd_open,pidfd_getfd", "statx,process_vm_readv,pidfd_getfd"] {
        // EPERM and ENOSYS
        for errno in ["1", "38"] {
            let seen = trace(&[&refuse, errno, calls]);
            assert_eq!(seen["blind_spots"].as_array().map(Vec::len), Some(0), "{calls} {errno}");
            assert_eq!(uses(&seen), expected, "{calls} {errno}");
        }
    }
}

/// Checks a process that is not dumpable, and a program that may be executed but not read.
pub(crate) fn undumpable_process_is_queried_without_privileges() -> Option<&'static str> {
    let project = Project::empty();
    build(&project, "asked");
    fs::copy(project.path("asked"), project.path("unreadable")).expect("a copy");
    fs::copy(BINARY, project.path("sysguard")).expect("a copy");
    for (name, bits) in [("", 0o755), ("asked", 0o755), ("sysguard", 0o755), ("unreadable", 0o111)] {
        mode(&project.path(name), bits);
    }
    let is_root = nix::unistd::geteuid().is_root();
    let user: &[&str] = if is_root {
        &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]
    } else {
        &[]
    };
    if is_root && run(project.run_by("env").args(user).arg("true")).code != 0 {
        return Some("setpriv cannot make root an ordinary user here");
    }
    let engines: &[&str] = if cfg!(target_arch = "x86_64") { &["ptrace", "notify"] } else { &["ptrace"] };
    for engine in engines {
        let mut expected = None;
        for words in [["./asked", "plain"], ["./asked", "hidden"], ["./unreadable", "plain"]] {
            let mut command = project.run_by("env");
            command
                .args(user)
                .arg("./sysguard")
                .args(["trace", "--engine", engine, "--format", "json", "--"])
                .args(words);
            let seen = report(&run(&mut command).ends(0));
            assert_eq!(seen["blind_spots"], serde_json::json!([]), "{engine} {words:?}");
            assert_eq!(&uses(&seen), expected.get_or_insert_with(|| uses(&seen)), "{engine} {words:?}");
        }
    }
    None
}

/// Checks a process of root that changes its IDs and changes them back. It is not dumpable then,
/// and a tracer of root without CAP_SYS_PTRACE, as in a container, cannot query it.
pub(crate) fn process_with_restored_ids_is_queried() -> Option<&'static str> {
    if !nix::unistd::geteuid().is_root() {
        return Some("only root may change its IDs");
    }
    let project = Project::empty();
    build(&project, "asked");
    let without = ["--inh-caps=-sys_ptrace", "--bounding-set=-sys_ptrace"];
    if run(project.run_by("setpriv").args(without).arg("true")).code != 0 {
        return Some("setpriv cannot drop a capability here");
    }
    let engines: &[&str] = if cfg!(target_arch = "x86_64") { &["ptrace", "notify"] } else { &["ptrace"] };
    for engine in engines {
        let trace = |kind| {
            let mut command = project.run_by("setpriv");
            let words = ["trace", "--engine", engine, "--format", "json", "--", "./asked", kind];
            report(&run(command.args(without).arg(BINARY).args(words)).ends(0))
        };
        let [plain, ids] = ["plain", "ids"].map(trace);
        assert_eq!(ids["blind_spots"], serde_json::json!([]), "{engine}");
        assert_eq!(uses(&ids), uses(&plain), "{engine}");
    }
    None
}

pub(crate) fn new_blind_spot_fails_under_both_engines() -> Option<&'static str> {
    let project = Project::new("refused-questions");
    build(&project, "asked");
    if run(project.run_by("./asked").arg("secret")).code == 77 {
        return Some("memfd_secret is not in this kernel");
    }
    let project = project.expecting("asks", "command: [./asked]\nargs: [plain]");
    project.sysguard("bless --runs 2").ends(0);
    project.write("expectations/asks.yaml", &project.read("expectations/asks.yaml").replace("[plain]", "[secret]"));
    for engine in ["ptrace", "guard"] {
        let ran = project.sysguard(&format!("test --engine {engine} --update no --confirm 0")).ends(101);
        assert!(ran.stdout.contains("unanswerable"), "{engine}: {}", ran.stdout);
    }
    None
}

/// `/proc` shows the processes of another namespace, or is not mounted.
pub(crate) fn foreign_proc_is_refused_with_the_reason() -> Option<&'static str> {
    let project = Project::new("foreign-proc").expecting("runs", "command: [true]");
    let root: &[&str] = if nix::unistd::geteuid().is_root() { &[] } else { &["--user", "--map-root-user"] };
    let unshared = |words: &[&str]| {
        let mut command: Command = project.run_by("unshare");
        command.args(root).args(words);
        command
    };
    if run(unshared(&["--pid", "--mount", "--fork"]).arg("true")).code != 0 {
        return Some("PID and mount namespaces cannot be made here");
    }
    let foreign = || unshared(&["--pid", "--fork"]);
    let without = || unshared(&["--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$0\" \"$@\""]);
    for (mut command, reason) in [(foreign(), "another PID namespace"), (without(), "no proc filesystem is mounted")] {
        let ran = run(command.arg(BINARY).args(["trace", "--", "true"])).ends(125);
        assert!(ran.stderr.starts_with("error: cannot trace: ") && ran.stderr.contains(reason), "{}", ran.stderr);
    }
    for mut command in [foreign(), without()] {
        let ran = run(command.arg(BINARY).args(["doctor", "--format", "json"])).ends(4);
        let gates: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let proc = gates["gates"].as_array().and_then(|gates| gates.iter().find(|gate| gate["name"] == "/proc"));
        assert_ne!(proc.expect("a gate")["state"], "open");
    }
    let ran = run(foreign().arg(BINARY).args(["test"])).ends(0);
    assert!(ran.stdout.contains("another PID namespace"), "{}", ran.stdout);
    run(foreign().arg(BINARY).args(["test"]).env("SYSGUARD_REQUIRE", "1")).ends(4);
    None
}
