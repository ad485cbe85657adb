//! Processes of a workload that signals end: at which level they fail, and by which rules.

use libtest_mimic::Trial;
use serde_json::Value;

use super::project::{Project, tracing};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![crashes:
        tracing crash_fails_at_every_level_and_others_do_not,
        tracing crash_is_found_and_accepted_by_its_key,
        tracing forbidden_crash_fails_in_every_file,
        tracing tolerated_signal_is_no_finding,
        tracing end_of_the_first_process_is_not_counted,
        tracing trace_reports_ends,
    ]
}

/// A shell, with a child that sends itself a signal (0: none). Both print the same calls.
const HELPER: &str = "command: [sh, -c, \"exec 2>/dev/null; sh -c 'kill -$SIGNAL $$'; echo done >&2; true\"]\n\
                      env: {SIGNAL: \"0\"}\n";

/// Returns a project with a blessed helper that does not crash.
fn blessed(keys: &str) -> Project {
    let project = Project::empty().expecting("helper", &format!("{HELPER}{keys}"));
    let project = project.file("Cargo.toml", "[package]\nname = \"crashes\"\nversion = \"0.1.0\"\n\n[workspace]\n");
    let project = project.file("src/main.rs", "fn main() {}\n");
    project.sysguard("bless").ends(0);
    project
}

/// Lets the helper end by a signal.
fn ends_by(project: &Project, signal: &str) {
    let text = project.read("expectations/helper.yaml");
    let changed = text.replace("SIGNAL: \"0\"", &format!("SIGNAL: {signal}"));
    assert_ne!(text, changed);
    project.write("expectations/helper.yaml", &changed);
}

/// Returns the findings of a test that ends with this code, by their kinds and keys.
fn findings(project: &Project, engine: &str, code: i32) -> Vec<(String, String)> {
    let ran = project.sysguard(&format!("test --update no --format json --engine {engine}")).ends(code);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let findings = report["verdicts"][0]["findings"].as_array().expect("findings");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    findings.iter().map(|finding| (text(&finding["kind"]), text(&finding["key"]))).collect()
}

fn crash_fails_at_every_level_and_others_do_not() {
    for level in ["", "level: subsystem\n"] {
        let project = blessed(level);
        ends_by(&project, "SEGV");
        let found = ("new-signal".to_owned(), "helper::signals::SIGSEGV".to_owned());
        for engine in ["guard", "ptrace"] {
            assert_eq!(findings(&project, engine, 101), std::slice::from_ref(&found), "{engine} {level}");
        }
        let text = project.read("expectations/helper.yaml").replace("SIGNAL: SEGV", "SIGNAL: TERM");
        project.write("expectations/helper.yaml", &text);
        assert_eq!(findings(&project, "guard", 0), []);
    }
}

fn crash_is_found_and_accepted_by_its_key() {
    let project = blessed("level: signal\n");
    ends_by(&project, "SEGV");
    let found = ("new-signal".to_owned(), "helper::signals::SIGSEGV".to_owned());
    for engine in ["guard", "ptrace"] {
        assert_eq!(findings(&project, engine, 101), std::slice::from_ref(&found), "{engine}");
    }
    let ran = project.sysguard("test").ends(101);
    ran.prints(&["helper: 1 new signal", "new-signal signals::SIGSEGV", "killed by SIGSEGV", " sh: 1 new\n"]);
    let proposal = project.read("expectations/helper.yaml.new");
    assert!(proposal.contains("\nsignals:\n  - SIGSEGV\n"), "{proposal}");
    assert!(proposal.contains("#     call: killed by SIGSEGV\n"), "{proposal}");
    project
        .sysguard("explain helper::signals::SIGSEGV")
        .ends(0)
        .prints(&["helper.yaml.new", "an invalid memory access"]);
    project.sysguard("accept helper::signals::SIGSEGV").ends(0);
    assert!(project.read("expectations/helper.yaml").ends_with("\nsignals:\n  - SIGSEGV\n"));
    assert_eq!(findings(&project, "ptrace", 0), []);
}

fn forbidden_crash_fails_in_every_file() {
    let project = blessed("forbid:\n  - {signal: SIGSEGV, why: a helper must not crash}\n");
    assert_eq!(findings(&project, "guard", 0), []);
    ends_by(&project, "SEGV");
    for engine in ["guard", "ptrace"] {
        assert_eq!(findings(&project, engine, 101).len(), 1, "{engine}");
    }
    project.sysguard("test").ends(101).prints(&["forbidden", "signals::SIGSEGV", "a helper must not crash"]);
}

fn tolerated_signal_is_no_finding() {
    let project = blessed("level: signal\ntolerate:\n  - {signal: SIGTERM}\n");
    ends_by(&project, "TERM");
    assert_eq!(findings(&project, "ptrace", 0), []);
}

fn end_of_the_first_process_is_not_counted() {
    let document = "command: [sh, -c, 'kill -SEGV $$']\nlevel: signal\n";
    let project = Project::empty().expecting("first", &format!("{document}exit: SIGSEGV\n"));
    let project = project.file("Cargo.toml", "[package]\nname = \"crashes\"\nversion = \"0.1.0\"\n\n[workspace]\n");
    let project = project.file("src/main.rs", "fn main() {}\n");
    project.sysguard("bless").ends(0);
    assert!(!project.read("expectations/first.yaml").contains("signals:"));
    assert_eq!(findings(&project, "ptrace", 0), []);
    let text = project.read("expectations/first.yaml").replace("exit: SIGSEGV", "exit: 0");
    project.write("expectations/first.yaml", &text);
    // Reported once, as the end of the workload.
    assert_eq!(findings(&project, "ptrace", 101), []);
    project.sysguard("test").ends(101).prints(&["SIGSEGV"]);
}

fn trace_reports_ends() {
    let project = Project::empty();
    let script = "exec 2>/dev/null; trap : USR1; kill -USR1 $$; sh -c 'kill -SEGV $$'; sh -c 'exit 3'; exit 0";
    for engine in ["ptrace", "notify"] {
        let mut command = project.command(&format!("trace --engine {engine} --format json --"));
        let ran = super::project::run(command.args(["sh", "-c", script])).ends(0);
        let report: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        let ends = &report["ends"];
        assert_eq!(ends["killed"], serde_json::json!({"SIGSEGV": 1}), "{engine}");
        assert_eq!(ends["statuses"], serde_json::json!({"3": 1}), "{engine}");
        assert_eq!(ends["handled"]["SIGUSR1"], 1, "{engine}: {ends}");
    }
}
