//! Signals and standard streams of `trace`: the workload gets the same as without a tracer.

use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Stdio;

use libtest_mimic::Trial;

use super::project::{BINARY, Project, Ran, command, needing, run, tracing};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    let streams = trials![streams:
        tracing closed_streams_stay_closed,
        tracing closed_streams_have_no_object,
    ];
    trials![signals:
        tracing group_signal_does_not_end_the_tracer,
        tracing group_signal_of_an_ended_child,
        needing group_signal_from_a_pid_namespace,
        tracing signal_from_outside_ends_both,
        tracing signal_dispositions_are_the_callers,
    ]
    .into_iter()
    .chain(streams)
    .collect()
}

/// The engines of `trace`.
const ENGINES: &[&str] = if cfg!(target_arch = "x86_64") { &["ptrace", "notify"] } else { &["ptrace"] };

/// Traces a shell script in its own process group. No event may be lost.
fn traced(project: &Project, engine: &str, script: &str) -> Ran {
    let _ = std::fs::remove_file(project.path("report"));
    let mut tracer = project.command(&format!("trace --engine {engine} --format json -o report -- sh -c"));
    let ran = run(tracer.arg(script).process_group(0));
    let report: serde_json::Value = serde_json::from_str(&project.read("report")).expect("a report");
    assert_eq!(report["lost_events"], 0);
    ran
}

/// Sends every signal that would end the tracer, including those with a core dump or a handler of
/// Rust's runtime.
fn group_signal_does_not_end_the_tracer() {
    let project = Project::empty();
    for engine in ENGINES {
        for signal in ["TERM", "HUP", "USR1", "USR2", "ALRM", "PIPE", "QUIT", "INT", "ABRT", "SEGV", "34", "64"] {
            let script = format!(
                "trap 'echo cleaned; exit 3' {signal}; trap : {signal}; kill -{signal} 0; kill -{signal} 0
                trap 'echo cleaned; exit 3' {signal}; kill -{signal} 0; exit 9"
            );
            let ran = traced(&project, engine, &script);
            assert_eq!((ran.code, &*ran.stdout), (3, "cleaned\n"), "SIG{signal}, {engine}: {}", ran.stderr);
        }
    }
}

/// The signal also ends its sender at once.
fn group_signal_of_an_ended_child() {
    let project = Project::empty();
    for engine in ENGINES {
        let script =
            "trap 'n=$((n+1))' TERM; n=0; for i in 1 2 3 4 5 6 7 8; do sh -c 'kill -TERM 0; exit 1'; done; echo $n";
        let ran = traced(&project, engine, script).ends(0);
        assert_eq!(ran.stdout, "8\n", "{engine}: {}", ran.stderr);
    }
}

/// The kernel reports the sender's PID in the sender's namespace.
fn group_signal_from_a_pid_namespace() -> Option<&'static str> {
    const UNSHARE: &str = "unshare --user --map-root-user --pid --fork";
    if run(command("sh").args(["-c", &format!("{UNSHARE} true && {BINARY} trace -o /dev/null true")])).code != 0 {
        return Some("requires user and PID namespaces, and tracing");
    }
    let project = Project::empty();
    for engine in ENGINES {
        let script =
            format!("trap 'echo cleaned; exit 3' TERM; {UNSHARE} sh -c 'true; sh -c \"kill -TERM 0\"; exit 1'; exit 9");
        let ran = traced(&project, engine, &script);
        assert_eq!((ran.code, &*ran.stdout), (3, "cleaned\n"), "{engine}: {}", ran.stderr);
    }
    None
}

fn signal_from_outside_ends_both() {
    let project = Project::empty();
    for signal in ["TERM", "HUP", "USR1", "ALRM", "34"] {
        let mut tracer = project.command("trace -o report -- sh -c");
        tracer.arg("echo $$; exec sleep 600").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut tracer = tracer.spawn().expect("it starts");
        let mut line = String::new();
        let mut output = BufReader::new(tracer.stdout.take().expect("a pipe"));
        output.read_line(&mut line).expect("a process id");
        run(command("kill").arg(format!("-{signal}")).arg(tracer.id().to_string())).ends(0);
        let ended = tracer.wait().expect("its end");
        assert!(ended.signal().is_some(), "SIG{signal}: {ended}");
        // The end of the pipe comes with the end of the workload.
        assert_eq!(output.read_line(&mut line).expect("an end"), 0, "SIG{signal}");
        assert!(!project.path("report").exists(), "SIG{signal}");
    }
}

/// Rust ignores SIGPIPE, and glibc handles internal signals. The caller may have ignored any
/// signal.
fn signal_dispositions_are_the_callers() {
    let project = Project::empty();
    for ignored in ["", "trap '' PIPE; ", "trap '' USR1 HUP; "] {
        let shown = |tracer: &str| {
            let script = format!("{ignored}exec {tracer} grep -E '^Sig(Ign|Blk)' /proc/self/status");
            run(project.run_by("sh").args(["-c", &script])).ends(0).stdout
        };
        let native = shown("");
        for engine in ENGINES {
            assert_eq!(shown(&format!("{BINARY} trace --engine {engine} -o report")), native, "{ignored}, {engine}");
        }
    }
}

/// Writes its open fds and the number of a new one into a file, and a line to standard error.
const SHOWS: &str = r#"perl -e 'opendir(D, "/proc/self/fd"); @fds = sort grep { !/^\./ } readdir D; closedir(D);
    open(F, ">", "out"); syswrite(F, "@fds, then " . fileno(F) . "\n"); syswrite(STDERR, "to standard error\n")'"#;

fn closed_streams_stay_closed() {
    let project = Project::empty();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-", ""] {
        let shown = |tracer: &str| {
            run(project.run_by("sh").args(["-c", &format!("{tracer} {SHOWS} {closed}")])).ends(0);
            project.read("out")
        };
        let native = shown("");
        for engine in ENGINES {
            for output in ["", "-o report", "-o /dev/null"] {
                let tracer = format!("{BINARY} trace --engine {engine} {output} --");
                assert_eq!(shown(&tracer), native, "{tracer}, {closed:?}");
                assert!(output != "-o report" || project.read("report").contains("openat"), "{tracer}, {closed:?}");
            }
        }
    }
}

/// Fds that were open there before execve(2) do not belong to the command.
fn closed_streams_have_no_object() {
    let project = Project::empty();
    for engine in ENGINES {
        let script = format!("{BINARY} trace --engine {engine} --format json -o report -- cat <&-");
        run(project.run_by("sh").args(["-c", &script])).ends(1);
        let report: serde_json::Value = serde_json::from_str(&project.read("report")).expect("a report");
        let text = report["syscalls"].to_string();
        assert!(!text.contains("char:null") && !text.contains("seccomp"), "{engine}: {text}");
    }
}
