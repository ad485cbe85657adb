//! The table of all trials and what each asserts, `CASES.md`: made from the trials themselves, and
//! a failure where it is stale.

use std::fmt::Write as _;
use std::path::Path;

use libtest_mimic::Failed;
use sysguard::model::kernel::syscall::Abi;

use crate::seen::NATIVE;
use crate::{examine, trials};

/// The trials that are no cases in C: how their names begin, and what each of them asserts.
const GROUPS: &[(&str, &str)] = &[
    (
        "ends::by_deadline::",
        "A workload that does not end by itself: when its time is over, all of its tree is killed at once, every end is told, nothing is lost.",
    ),
    (
        "ends::by_sigterm_to_the_tool::",
        "The same workloads: SIGTERM to the tracing process at five moments; no process of the tree lives 2 s later.",
    ),
    (
        "ends::by_sigkill_to_the_tool_at_50_moments::",
        "The same workloads: SIGKILL at fifty moments; no process of the tree lives 2 s later.",
    ),
    (
        "fidelity::10_mb_each_way",
        "10 MB through standard input come back unchanged through standard output and standard error.",
    ),
    (
        "fidelity::closed_pipes_end_writers",
        "Whoever writes into a pipe that nobody reads dies of SIGPIPE, as untraced.",
    ),
    ("fidelity::the_caller's_streams_are_inherited", "Inherited streams are the very files of the caller."),
    (
        "launches::isolated_from_its_caller",
        "A workload leads a session, with umask 022, default limits, and no signal blocked or ignored.",
    ),
    (
        "launches::what_cannot_be_executed_is_told",
        "A missing file and a folder are told as such, with the error of execve.",
    ),
    (
        "launches::how_it_ended_is_told",
        "Exit statuses, real-time and other signals, a stop and a continuation on the way.",
    ),
    ("launches::a_server_is_asked_to_stop", "`stop:` sends its signal after its time, once."),
    (
        "launches::stragglers_are_counted",
        "Processes that outlive the first one are killed after the grace, and counted.",
    ),
    (
        "callers::of_a_rust_thread",
        "The stack of a call: through libc and std down to it, closures and inlined functions by their names, files and lines.",
    ),
    ("loads::200000_calls", "200,000 calls, counted to the last one."),
    ("loads::200_threads", "200 threads of 50 calls each: 10,000 calls, 200 births, 200 ends."),
    ("loads::1000_children", "1,000 short-lived children, each with a call of its own."),
    ("loads::eight_trees_side_by_side", "Eight trees traced by eight threads never mix."),
    (
        "objects::",
        "What an fd or a path stands for, asked at the right moment: a program that does this, and the uses it must have.",
    ),
    ("kinds::", "A process that comes by this kind of fd: the uses that making one and reading from it must have."),
    (
        "programs::as_strace_counts::",
        "A program of the machine that repeats exactly: every call and every error as often as `strace -f -c` counts them.",
    ),
    (
        "programs::under_load::",
        "A program under load works, no event is lost, every task ends; calls that no chance decides are as many as strace counts.",
    ),
];

/// The file.
fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tracer/CASES.md")
}

/// The table as it must be.
pub(crate) fn text() -> String {
    let cases = examine::rows();
    let names: Vec<String> = trials::of_the_tracer().iter().map(|trial| trial.name().to_owned()).collect();
    let mut text = format!(
        "# What the tracer's tests assert\n\n\
         {} trials: {} tiny programs, each run untraced, traced and, where it can be a referee, under strace; and {} others. Made by\n\
         `cargo test --test tracer -- --table > tests/tracer/CASES.md`; a test fails when it is stale.\n\n\
         ## Tiny programs, one provocation each\n\n\
         Below `tests/tracees`. What must be seen is 1 process that leaves with 0, no output and no blind spot, unless it says otherwise.\n\n\
         | case | what happens | what must be seen |\n|---|---|---|\n",
        names.len(),
        cases.len(),
        names.len() - cases.len(),
    );
    for [name, says, truth] in &cases {
        let _ = writeln!(text, "| {name} | {says} | {truth} |");
    }
    text += "\n## Other trials\n\n| trial | what it asserts |\n|---|---|\n";
    for (group, says) in GROUPS {
        let members: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(group)).collect();
        let members =
            if members == [""] { String::new() } else { format!(" {} of them: {}", members.len(), members.join(", ")) };
        let _ = writeln!(text, "| `{group}`{members} | {says} |");
    }
    text
}

/// The file is what the trials make of it, and no trial is missing from it.
pub(crate) fn is_current() -> Result<(), Failed> {
    let cases: Vec<String> = examine::rows().into_iter().map(|[name, ..]| name.trim_matches('`').to_owned()).collect();
    for trial in trials::of_the_tracer() {
        let groups = GROUPS.iter().filter(|(group, _)| trial.name().starts_with(group)).count();
        if groups + usize::from(cases.iter().any(|case| case == trial.name())) != 1 {
            return Err(
                format!("{} is told {groups} times by the table: see tests/tracer/table.rs", trial.name()).into()
            );
        }
    }
    // Some counts are those of x86_64.
    if NATIVE != Abi::X86_64 || std::fs::read_to_string(file())? == text() {
        return Ok(());
    }
    Err("tests/tracer/CASES.md is stale; make it anew: cargo test --test tracer -- --table > tests/tracer/CASES.md"
        .into())
}
