//! `explore`: planted faults are found and replayed, and what is recorded is kept.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::project::{Project, Ran, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![explore:
        tracing planted_faults_are_found_and_replayed,
        tracing correct_program_has_no_findings,
        tracing two_explorations_give_the_same_report,
        tracing recorded_error_paths_pass_and_are_kept,
        tracing new_outcome_fails_once_something_is_recorded,
        tracing rules_forbid_and_except_outcomes,
        tracing hanging_runs_leave_nothing_behind,
        tracing runs_change_only_copies_of_the_working_directory,
        tracing absolute_path_to_the_package_is_protected,
        tracing error_filter_and_loader_decide_what_is_tried,
        tracing machine_formats_own_standard_output,
        tracing failures_have_their_exit_codes,
        untraced wrong_usage_is_2,
    ]
}

/// A read error is taken for "no file".
const LOST_COUNT: &str = r#"
fn main() -> std::io::Result<()> {
    std::fs::write("state.txt", "41\n")?;
    let old = std::fs::read_to_string("state.txt").unwrap_or_default();
    println!("{}", old.trim().parse().unwrap_or(0) + 1);
    Ok(())
}
"#;

/// An error of the flush in the destructor is lost.
const LOST_FLUSH: &str = r#"
use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create("out.txt")?);
    writeln!(out, "everything")
}
"#;

/// An interrupted read is unexpected.
const INTERRUPTED: &str = r#"
use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let (mut reader, mut writer) = std::io::pipe()?;
    writer.write_all(b"text")?;
    let length = reader.read(&mut [0; 16]).expect("a pipe with text can be read");
    println!("{length}");
    Ok(())
}
"#;

/// Without its thread, the program waits forever.
const WAITING: &str = r#"
fn main() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let other = sender.clone();
    let _ = std::thread::Builder::new().spawn(move || other.send("ready"));
    println!("{:?}", receiver.recv());
    drop(sender);
}
"#;

/// The number of written bytes is ignored.
const SHORT_WRITE: &str = r#"
use std::io::Write;

fn main() -> std::io::Result<()> {
    std::fs::File::create("out.txt")?.write(b"0123456789")?;
    Ok(())
}
"#;

/// Every error is handled.
const CORRECT: &str = r#"
use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut out = std::fs::File::create("out.txt")?;
    out.write_all(b"0123456789")?;
    out.sync_all()?;
    let text = std::fs::read_to_string("out.txt")?;
    writeln!(std::io::stdout(), "{}", text.len())
}
"#;

/// A binary with a planted fault, the call that shows it when it fails, and the outcome.
const FAULTS: [(&str, &str, &str, &str); 5] = [
    ("lost-count", LOST_COUNT, "read EIO", "silent"),
    ("lost-flush", LOST_FLUSH, "write ENOSPC", "silent"),
    ("interrupted", INTERRUPTED, "read EINTR", "panic"),
    ("waiting", WAITING, "EAGAIN", "hang"),
    ("short-write", SHORT_WRITE, "write short", "silent"),
];

/// Rust's runtime panics if it cannot prepare the main thread.
const RUNTIME: &str = "explore:\n  except:\n    - {syscall: mmap, error: ENOMEM, why: the runtime panics}\n    \
                       - {syscall: mprotect, error: ENOMEM, why: the runtime panics}";

/// Returns a package with binaries of these names, each with an expectation.
fn project(name: &str, binaries: &[(&str, &str)]) -> Project {
    let project = Project::new(name);
    binaries.iter().fold(project, |project, (binary, source)| {
        let project = project.file(&format!("src/bin/{name}-{binary}.rs"), source);
        project.expecting(binary, &format!("bin: {name}-{binary}\n{RUNTIME}"))
    })
}

/// Explores one workload and returns its record.
#[track_caller]
fn explored(project: &Project, workload: &str, flags: &str, code: i32) -> Value {
    let ran = project.sysguard(&format!("explore --exact {workload} --format json {flags}")).ends(code);
    let record: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ran.stdout));
    record["workloads"][0].clone()
}

/// Returns the finding with this outcome and a call that ends with this text.
#[track_caller]
fn finding<'a>(record: &'a Value, call: &str, outcome: &str) -> &'a Value {
    let is_it = |finding: &&Value| {
        finding["outcome"] == outcome && finding["call"].as_str().is_some_and(|text| text.ends_with(call))
    };
    let findings = record["findings"].as_array().expect("a list");
    findings.iter().find(is_it).unwrap_or_else(|| panic!("no {outcome} after {call}: {record:#}"))
}

/// Returns the keys of all findings.
fn keys(record: &Value) -> Vec<&str> {
    let findings = record["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["key"].as_str().expect("a key")).collect()
}

fn planted_faults_are_found_and_replayed() {
    let binaries = FAULTS.map(|(name, source, ..)| (name, source));
    let project = project("explore-faults", &binaries);
    for (name, _, call, outcome) in FAULTS {
        let record = explored(&project, name, "", 101);
        // The default budget is enough.
        assert_eq!(record["explored"]["tried"], record["explored"]["reachable"], "{record:#}");
        let finding = finding(&record, call, outcome);
        let path = &finding["paths"][0];
        assert_eq!((&path["same"], &path["runs"]), (&3.into(), &3.into()), "{name}: {path:#}");
        let site = path["site"]["text"].as_str().unwrap_or_else(|| panic!("{name} has no call site: {path:#}"));
        assert!(site.contains(&format!("src/bin/explore-faults-{name}.rs:")), "{name}: {site}");
        let example = path["example"].as_str().expect("a call");
        let syscall = path["call"].as_str().and_then(|call| call.split(' ').next()).expect("a syscall");
        assert!(example.starts_with(syscall), "{name}: {example}");
        let replay = path["replay"].as_str().and_then(|replay| replay.strip_prefix("cargo sysguard "));
        let replay = replay.expect("a command of this program");
        let ran = project.sysguard(replay).ends(101);
        ran.prints(&[&format!("{outcome}: {name} "), path["call"].as_str().expect("a call"), "stack:", syscall]);
    }
}

fn correct_program_has_no_findings() {
    let project = project("explore-correct", &[("correct", CORRECT)]);
    let record = explored(&project, "correct", "", 0);
    assert_eq!(keys(&record), [""; 0]);
    let (tried, reachable) = (&record["explored"]["tried"], &record["explored"]["reachable"]);
    assert!(tried == reachable && tried.as_u64() > Some(10), "{record:#}");
    let reported = record["explored"]["outcomes"]["reported"].as_u64();
    assert!(reported > Some(3), "{record:#}");
}

fn two_explorations_give_the_same_report() {
    let project = project("explore-twice", &[("lost-flush", LOST_FLUSH), ("waiting", WAITING)]);
    for format in ["json", "table"] {
        let line = format!("explore --format {format} -o report");
        let report = |_| {
            project.sysguard(&line).ends(101);
            project.read("report")
        };
        let [first, second] = [0, 1].map(report);
        assert_eq!(first, second);
    }
}

fn recorded_error_paths_pass_and_are_kept() {
    let project = project("explore-recorded", &[("lost-flush", LOST_FLUSH)]);
    let ran = project.sysguard("explore --bless").ends(101);
    assert!(ran.stdout.contains("cargo sysguard bless lost-flush"), "{}", ran.stdout);
    project.sysguard("bless").ends(0);
    let baseline = project.read("expectations/lost-flush.yaml");
    project.sysguard("explore --bless").ends(0).prints(&["blessed, ", "written: expectations/lost-flush.yaml"]);
    let recorded = project.read("expectations/lost-flush.yaml");
    let errors = recorded.strip_prefix(&baseline).expect("only `errors:` is added");
    assert!(errors.starts_with("errors:\n  budget: 1m\n  tried: "), "{errors}");
    assert!(errors.contains("    silent:\n      - ") && errors.contains("      - write ENOSPC\n"), "{errors}");

    let record = explored(&project, "lost-flush", "", 0);
    assert_eq!((keys(&record), &record["recorded"]), (vec![], &true.into()));
    for line in ["explore --bless", "test", "test --engine ptrace", "bless", "list"] {
        project.sysguard(line).ends(0);
        assert_eq!(project.read("expectations/lost-flush.yaml"), recorded, "{line}");
    }
    // A new fact changes the baseline above `errors:` only.
    let source = LOST_FLUSH.replace(
        "fn main() -> std::io::Result<()> {",
        "fn main() -> std::io::Result<()> {\n    std::fs::create_dir(\"new\")?;",
    );
    project.write("src/bin/explore-recorded-lost-flush.rs", &source);
    project.sysguard("bless").ends(0);
    let changed = project.read("expectations/lost-flush.yaml");
    assert!(changed.contains("    mkdir:\n") && changed.ends_with(errors), "{changed}");
    let ran = project.sysguard("report").ends(0);
    ran.prints(&["## Error paths", "Outcome silent after: ", "`write ENOSPC`"]);
}

fn new_outcome_fails_once_something_is_recorded() {
    let project = project("explore-new", &[("saved", CORRECT)]);
    project.sysguard("bless").ends(0);
    project.sysguard("explore --bless").ends(0);
    // An error of the write is ignored, and another file is removed then.
    let source = CORRECT.replace(
        "    out.write_all(b\"0123456789\")?;",
        "    if out.write_all(b\"0123456789\").is_err() { let _ = std::fs::remove_file(\"other.txt\"); }",
    );
    project.write("src/bin/explore-new-saved.rs", &source);
    let record = explored(&project, "saved", "--errno ENOSPC", 101);
    let keys = keys(&record);
    assert!(keys.contains(&"saved::errors::silent::write ENOSPC"), "{record:#}");
    assert!(keys.contains(&"saved::errors::filesystem::unlink"), "{record:#}");
    assert!(keys.iter().all(|key| key.ends_with("ENOSPC") || key.ends_with("unlink")), "{keys:?}");
    let before = project.read("expectations/saved.yaml");
    project.sysguard("explore --errno ENOSPC --bless").ends(0);
    let after = project.read("expectations/saved.yaml");
    assert!(after.contains("      unlink:\n") && after.contains("      - write ENOSPC\n"), "{after}");
    assert_ne!(before, after);
    explored(&project, "saved", "--errno ENOSPC", 0);
}

fn rules_forbid_and_except_outcomes() {
    let project = project("explore-rules", &[("lost-flush", LOST_FLUSH)]);
    project.sysguard("bless").ends(0);
    project.sysguard("explore --bless").ends(0);
    let recorded = project.read("expectations/lost-flush.yaml");
    let with = |rules: &str| {
        project.write("expectations/lost-flush.yaml", &recorded.replace(RUNTIME, &format!("explore: {rules}")));
    };
    with("{forbid: [silent]}");
    let record = explored(&project, "lost-flush", "--errno ENOSPC", 101);
    assert_eq!(finding(&record, "write ENOSPC", "silent")["rule"], "forbidden");
    let before = project.read("expectations/lost-flush.yaml");
    project.sysguard("explore --bless").ends(101);
    assert_eq!(project.read("expectations/lost-flush.yaml"), before, "a forbidden outcome is not written");
    with("{forbid: [silent], except: [{syscall: write, outcome: silent, why: a log}]}");
    let record = explored(&project, "lost-flush", "--errno ENOSPC", 0);
    assert_eq!(record["explored"]["excepted"], 1, "{record:#}");
}

fn hanging_runs_leave_nothing_behind() {
    let project = project("explore-left", &[("waiting", WAITING), ("lost-flush", LOST_FLUSH)]);
    let (scratch, before) = (tempfile::tempdir().expect("a folder"), project.files());
    let mut command = project.command("explore");
    command.env("TMPDIR", scratch.path());
    let ran: Ran = run(&mut command);
    assert_eq!(ran.code, 101, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("  hang  "), "{}", ran.stdout);
    let left: Vec<_> = fs::read_dir(scratch.path()).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(project.changed_since(&before), [""; 0]);
    assert_eq!(processes("explore-left-"), [""; 0]);
}

/// A workload that changes its working directory, and loses the change if a write fails.
const IN_FOLDER: &str =
    "command: [sh, -c, '(echo new > state.txt) 2>/dev/null; rm -f old.txt; mv -T folder moved; cat moved/file']
cwd: data";

fn runs_change_only_copies_of_the_working_directory() {
    let project = Project::new("explore-folder").expecting("in-folder", IN_FOLDER);
    for (file, text) in [("state.txt", "old"), ("old.txt", "old"), ("folder/file", "text\n")] {
        project.write(&format!("data/{file}"), text);
    }
    std::os::unix::fs::symlink("../Cargo.toml", project.path("data/link")).expect("a link");
    let before = project.files();
    let record = explored(&project, "in-folder", "--errno ENOSPC --errno EIO", 101);
    assert_eq!(project.changed_since(&before), [""; 0]);
    let finding = finding(&record, "write ENOSPC", "silent");
    let differences = &finding["paths"][0]["differences"][0];
    assert_eq!((&differences["part"], &differences["lines"][0]), (&"$PWD/state.txt".into(), &"-new".into()));
}

fn absolute_path_to_the_package_is_protected() {
    let project = Project::new("explore-protected");
    let file = project.path("data/file");
    project.write("data/file", "text");
    let script = format!("rm -f file || echo lost > {}", file.display());
    let project = project.expecting("error-path", &format!("command: [sh, -c, '{script}']\ncwd: data"));
    let script = format!("echo lost > {}", file.display());
    let project = project.expecting("always", &format!("command: [sh, -c, '{script}; true']\ncwd: data"));
    let before = project.files();
    let ran = project.sysguard("explore error-path --errno EACCES");
    ran.prints(&[
        "calls that would change files of the package or signal every process were not made, and failed with EROFS",
    ]);
    let ran = project.sysguard("explore always").ends(0);
    ran.prints(&[
        "always: ignored, it makes a call that no run may make: openat ",
        "help: Make it change only files in",
    ]);
    assert_eq!(project.changed_since(&before), [""; 0]);
}

/// Returns the programs of this name that are running.
fn processes(name: &str) -> Vec<String> {
    let programs = fs::read_dir("/proc").expect("/proc").filter_map(|entry| {
        let program = fs::read_link(entry.ok()?.path().join("exe")).ok()?;
        Some(program.to_string_lossy().into_owned())
    });
    let file =
        |program: &String| Path::new(program).file_name().is_some_and(|file| file.to_string_lossy().starts_with(name));
    programs.filter(file).collect()
}

fn error_filter_and_loader_decide_what_is_tried() {
    let project = project("explore-filter", &[("correct", CORRECT)]);
    let number = |record: &Value, field: &str| record["explored"][field].as_u64().expect("a number");
    let all = explored(&project, "correct", "", 0);
    let some = explored(&project, "correct", "--errno EIO --errno short", 0);
    assert_eq!(number(&all, "reachable"), number(&some, "reachable"));
    assert!(number(&some, "tried") > 0 && number(&some, "tried") < number(&all, "tried"), "{some:#}");
    let reasons = |record: &Value| record["explored"]["untried"].to_string();
    assert!(reasons(&some).contains("other errors were asked for"), "{some:#}");
    assert!(reasons(&all).contains("the dynamic loader makes the call"), "{all:#}");
    let ran = project.sysguard("explore --loader --errno ENOMEM --format json");
    let with_loader: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let with_loader = &with_loader["workloads"][0];
    assert!(number(with_loader, "reachable") > number(&all, "reachable"), "{with_loader:#}");
    assert!(!reasons(with_loader).contains("the dynamic loader makes the call"), "{with_loader:#}");
    let short = explored(&project, "correct", "--budget 1ms", 0);
    assert!(reasons(&short).contains("the budget was used up"), "{short:#}");
}

fn machine_formats_own_standard_output() {
    let project = project("explore-formats", &[("short-write", SHORT_WRITE)]);
    for format in ["json", "yaml", "csv", "markdown", "junit", "sarif", "github", "gitlab"] {
        let ran = project.sysguard(&format!("explore --errno short --format {format}")).ends(101);
        assert!(ran.stdout.contains("write short"), "{format}: {}", ran.stdout);
        assert!(!ran.stdout.contains("next:") || format == "junit", "{format}: {}", ran.stdout);
        assert!(ran.stdout.contains("--replay write-short-"), "{format}: {}", ran.stdout);
        assert!(ran.stderr.contains("short-write: 1 silent difference; "), "{format}: {}", ran.stderr);
    }
}

fn failures_have_their_exit_codes() {
    let project = project("explore-failures", &[("correct", CORRECT)])
        .expecting("wrong-exit", "command: [sh, -c, 'echo the reason; exit 3']")
        .expecting("missing", "command: [no-such-program]")
        .expecting("broken", "command: [./no-such-file]")
        .expecting("malformed", "nonsense: true");
    project.sysguard("explore wrong-exit").ends(101).prints(&["the reason", "ended with exit status 3"]);
    project.sysguard("explore missing").ends(0).prints(&["missing: ignored, no-such-program is not installed"]);
    project.sysguard("explore missing --require").ends(3);
    project.sysguard("explore broken").ends(3);
    project.sysguard("explore malformed").ends(101).prints(&["expectations/malformed.yaml:2:1: "]);
    let ran = project.sysguard("explore correct --replay read-EIO-00000000").ends(2);
    assert!(ran.stderr.contains("error: `read-EIO-00000000` is no injection of correct"), "{}", ran.stderr);
}

fn wrong_usage_is_2() {
    let project = Project::new("explore-usage").expecting("one", "command: [true]").expecting("two", "command: [true]");
    project.refuses(&[
        ("explore nothing", "no workload matches `nothing`"),
        ("explore --budget 0s", "write a longer time"),
        ("explore --errno ENOSUCH", "unknown error `ENOSUCH`"),
        ("explore --replay read-EIO-1", "--replay needs one workload, but one, two match"),
        ("explore --stop one", "--replay"),
        ("explore --format xml", "`xml` is not a format"),
    ]);
}
