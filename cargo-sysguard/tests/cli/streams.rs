//! Readers that close early, and the choice of colours.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use super::pending::proposing;
use super::project::{Project, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![streams:
        untraced closed_output_is_not_a_failure,
        tracing closed_output_changes_no_verdict,
        tracing color_flag_beats_every_variable,
    ]
}

/// Returns the exit code and standard error of a command with a closed standard output.
fn without_reader(command: &mut Command) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut child =
        command.stdin(Stdio::null()).stdout(OwnedFd::from(writer)).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    (child.wait().expect("its end").code(), stderr)
}

fn closed_output_is_not_a_failure() {
    let project = proposing("streams-closed");
    for (line, code) in [
        ("--help", 0),
        ("list", 0),
        ("list --format json", 0),
        ("pending", 101),
        ("review", 101),
        ("explain openat", 0),
        ("report", 0),
        ("report --format json", 0),
        ("doctor", 0),
        ("doctor --format json", 0),
        // cargo writes its build messages to standard error.
        ("init --no-run", 0),
        ("accept net::talk::network::connect", 0),
        ("reject net::talk", 0),
    ] {
        assert_eq!(without_reader(&mut project.command(line)), (Some(code), String::new()), "{line}");
    }
}

fn closed_output_changes_no_verdict() {
    let project =
        Project::new("streams-verdicts").expecting("first", "command: [true]").expecting("second", "command: [false]");
    let (code, stderr) = without_reader(&mut project.command("bless first --runs 1"));
    assert_eq!((code, stderr.contains("Broken pipe")), (Some(0), false), "{stderr}");
    for line in ["test first", "test first --format json", "bless first --runs 1 --format json"] {
        let (code, stderr) = without_reader(&mut project.command(line));
        assert_eq!((code, stderr.contains("Broken pipe")), (Some(0), false), "{line}: {stderr}");
    }
    for line in ["test", "test --format junit"] {
        let (code, stderr) = without_reader(&mut project.command(line));
        assert_eq!((code, stderr.contains("Broken pipe")), (Some(101), false), "{line}: {stderr}");
    }
    // The report goes to a closed standard error.
    let mut trace = project.command("trace sh -c");
    trace.arg("exit 7");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = trace.stderr(OwnedFd::from(writer)).status().expect("it starts");
    assert_eq!(status.code(), Some(7));
}

fn color_flag_beats_every_variable() {
    let project = Project::new("streams-colour").with_harness().expecting("first", "command: [true]");
    project.sysguard("bless --runs 1").ends(0);
    let colourful = |line: &str| {
        let mut command = project.command(line);
        command.env("CARGO_TERM_COLOR", "always").env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR");
        let ran = run(&mut command);
        (ran.stdout + &ran.stderr).contains('\u{1b}')
    };
    for line in
        ["--help", "test --no-such-flag", "test", "bless", "bless nobody", "doctor", "explain openat", "trace true"]
    {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        assert!(!colourful(&format!("--color never {first} {rest}")), "{line}");
        assert!(colourful(line), "{line} has colours");
    }
}
