//! Names with control characters or GitHub workflow commands: neither reaches the output.

use std::os::unix::ffi::OsStrExt;

use libtest_mimic::Trial;

use super::project::{BINARY, Project, command, needing, run, untraced};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![names:
        untraced proposals_are_shown_escaped,
        untraced names_in_messages_are_escaped,
        needing device_names_are_escaped_in_every_format,
    ]
}

const BASELINE: &str =
    "version: 1\ncommand: [demo]\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  filesystem:\n    close:\n";
const OBJECT: &str = "      objects:\n        - \"char:e\\e[31mvil\\n::error::dev\\u202E\"\n";

#[track_caller]
fn is_harmless(text: &str, what: &str) {
    let is_obeyed = |c: char| (c.is_control() && !"\n\t".contains(c)) || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(is_obeyed), "{what}: {text:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::error::dev")), "{what}: {text}");
}

/// An attacker may write a proposal that a reviewer reads.
fn proposals_are_shown_escaped() {
    let project = Project::new("names-proposal")
        .file("expectations/w.yaml", BASELINE)
        .file("expectations/w.yaml.new", &format!("{BASELINE}{OBJECT}"));
    for line in ["pending", "pending --format json", "review"] {
        let ran = project.sysguard(line).ends(101);
        is_harmless(&ran.stdout, line);
        assert!(ran.stdout.contains("vil"), "{line}: {}", ran.stdout);
    }
    let keys = project.sysguard("pending").ends(101).stdout;
    assert_eq!(keys.lines().count(), 1, "{keys}");
    run(project.command("accept").arg(keys.trim_end())).ends(0);
    let file = project.read("expectations/w.yaml");
    is_harmless(&file, "the file");
    assert!(file.contains("char:e\\x1b[31mvil\\x0a::error::dev\\xe2\\x80\\xae"), "{file}");
    project.sysguard("pending").ends(0);
}

fn names_in_messages_are_escaped() {
    const NAME: &str = "no\u{1b}[31m\n::error::dev\u{202e}";
    let project = Project::new("names-messages").file(&format!("expectations/{NAME}.yaml"), "version: 1\nbin: x\n");
    let ran = run(project.command("trace --").arg(NAME)).ends(127);
    is_harmless(&ran.stderr, "trace");
    let ran = run(project.command("trace -o").arg(format!("{NAME}/x")).args(["--", "true"])).ends(125);
    is_harmless(&ran.stderr, "trace -o");
    for arguments in [&["list"][..], &["diff", "--base", NAME], &["accept", NAME], &["pending"]] {
        let ran = run(project.command("").args(arguments));
        is_harmless(&(ran.stderr + &ran.stdout), &format!("{arguments:?}"));
    }
}

/// A device without an entry in sysfs is named by its path, which its creator chooses.
fn device_names_are_escaped_in_every_format() -> Option<&'static str> {
    let project = Project::empty();
    let script = format!(
        "mount -t tmpfs none /dev/shm && mknod \"$1\" c 245 77 || exit 77\n\
         for format in table markdown json yaml csv; do {BINARY} trace --format $format -o $format stat \"$1\" || exit; done"
    );
    let name = std::ffi::OsStr::from_bytes(b"/dev/shm/e\x1b[31mvil\n::error::dev\xe2\x80\xae");
    let mut unshare = command("unshare");
    unshare.args(["--mount", "sh", "-c", &script, "sh"]).arg(name).current_dir(project.path(""));
    let ran = run(&mut unshare);
    if ran.code != 0 {
        return Some("requires the right to mount, to make devices and to trace");
    }
    for format in ["table", "markdown", "json", "yaml", "csv"] {
        let report = project.read(format);
        // The arguments of the command are plain data in machine formats.
        let lines: Vec<&str> = report.lines().filter(|line| !line.contains("/dev/shm/")).collect();
        is_harmless(&lines.join("\n"), format);
    }
    assert!(project.read("table").contains("char:shm/e\\x1b[31mvil\\x0a::error::dev\\xe2\\x80\\xae"));
    None
}
