//! `bless`: the files that it writes, and those that it keeps.

use super::project::Project;

pub(crate) fn second_bless_changes_no_byte() {
    let project = Project::new("bless-twice")
        .expecting("own", "bin: bless-twice # mine")
        .expecting("shell", "command: [sh, -c, 'echo $HOME > file; cat file']")
        .expecting("reader", "command: [cat]\nstdin: text");
    let before = project.files();
    let ran = project.sysguard("bless").ends(0);
    assert_eq!(ran.stdout.lines().count(), 3, "{}", ran.stdout);
    let written = ["expectations/own.yaml", "expectations/reader.yaml", "expectations/shell.yaml"];
    assert_eq!(project.changed_since(&before), written);
    assert!(project.read("expectations/own.yaml").starts_with("version: 2\nbin: bless-twice # mine\n---\nplatform: "));

    let before = project.files();
    project.sysguard("bless").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("test").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0]);
}

pub(crate) fn failure_does_not_stop_other_workloads() {
    let project = Project::new("bless-failures")
        .expecting("good", "command: [true]")
        .expecting("malformed", "nonsense: true")
        .expecting("wrong-exit", "command: [sh, -c, 'echo the reason >&2; exit 3']");
    let before = project.files();
    let ran = project.sysguard("bless").ends(101);
    assert_eq!(project.changed_since(&before), ["expectations/good.yaml"]);
    assert!(ran.stderr.contains("the reason") && ran.stderr.contains("exit status 3"), "{}", ran.stderr);
    assert!(ran.stderr.contains("expectations/malformed.yaml:2:1: "), "{}", ran.stderr);
}

pub(crate) fn new_fact_only_adds_lines() {
    let project = Project::new("bless-added").expecting("own", "bin: bless-added");
    project.sysguard("bless").ends(0);
    let before = project.read("expectations/own.yaml");
    project.write("src/main.rs", "fn main() { let _ = std::net::TcpStream::connect((\"127.0.0.1\", 1)); }\n");
    project.sysguard("bless own").ends(0);
    let after = project.read("expectations/own.yaml");
    assert!(after.contains("\n  network:\n"), "{after}");
    let mut rest = after.lines();
    let kept = before.lines().all(|line| rest.any(|other| other == line));
    assert!(kept && before != after, "lines were changed, not added:\n{after}");
}

/// Workloads that notifications cannot cover, and those that record errors, fall back to ptrace
/// with a reason.
#[cfg(target_arch = "x86_64")]
pub(crate) fn notify_engine_records_the_same_bytes() {
    const STRICT: &str = "syscall(157, 22, 1, 0, 0, 0); syscall(60, 0)";
    let project = Project::new("bless-notified")
        .expecting("own", "bin: bless-notified")
        .expecting("shell", "command: [sh, -c, 'echo $HOME > file; cat file | wc -c']")
        .expecting("filters", &format!("command: [perl, -e, '{STRICT}']"))
        .expecting("errors", "command: [cat, /etc/passwd]\nlevel: error");
    let ran = project.sysguard("bless --engine notify").ends(0);
    let line =
        |name: &str| ran.stdout.lines().find(|line| line.starts_with(&format!("{name}: "))).expect(name).to_owned();
    assert!(line("own").contains(", by notifications"), "{}", ran.stdout);
    assert!(line("filters").contains("fallback to ptrace: it has a seccomp filter of its own"), "{}", ran.stdout);
    assert!(line("errors").contains("fallback to ptrace: its document records errnos"), "{}", ran.stdout);
    let before = project.files();
    project.sysguard("bless").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0]);
}
