//! `trace --log` and `trace --time`: lines, filters, destinations and times.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::project::{Project, run};

/// Lines of a log without `[pid N PROGRAM] `, by process and program.
fn lines(log: &str) -> Vec<(&str, &str)> {
    let line = |line| {
        let whole: Option<(&str, &str)> = str::strip_prefix(line, "[pid ").and_then(|rest| rest.split_once("] "));
        whole.unwrap_or_else(|| panic!("{line}"))
    };
    log.lines().map(line).collect()
}

fn holds(log: &str, part: &str) -> bool {
    lines(log).iter().any(|(_, line)| line.contains(part))
}

pub(crate) fn lines_show_calls_results_and_ends() {
    let project = Project::empty();
    let script = "cat no-such-file; sh -c 'kill -9 $$'; exit 3";
    run(project.command("trace --log -o log -- sh -c").arg(script)).ends(3);
    let log = project.read("log");
    for part in [
        "execve(\"/",
        "[\"sh\", \"-c\", \"cat no-such-file; sh -c 'kill -9\"...], [",
        "openat(\"no-such-file\", O_RDONLY) = -1 ENOENT",
        "write(2, [",
        "[exited with 1]",
        "[killed by SIGKILL]",
        "--- SIGCHLD ---",
        "+++ killed by SIGKILL +++",
        "exit_group(3) = ?",
        "+++ exited with 3 +++",
    ] {
        let found = holds(&log, part) || part.starts_with("write") && holds(&log, "write(2<");
        assert!(found, "{part}:\n{log}");
    }
    let first = lines(&log)[0];
    assert!(first.1.starts_with("execve(") && first.1.ends_with(" = 0"), "{first:?}");
    assert!(lines(&log).iter().any(|(from, line)| from.ends_with(" cat") && line.contains("no-such-file")), "{log}");
    let ends = lines(&log).iter().filter(|(_, line)| line.starts_with("+++")).count();
    assert_eq!(ends, 3, "{log}");
}

pub(crate) fn payload_and_environment_are_never_shown() {
    let project = Project::empty();
    let script = "printf '%s\\n' \"$SECRET\" | cat > copy; cat copy";
    let ran = run(project.command("trace --log -o log -- sh -c").arg(script).env("SECRET", "hush-hush")).ends(0);
    assert_eq!(ran.stdout, "hush-hush\n");
    let log = project.read("log");
    assert!(!log.contains("hush"), "{log}");
    assert!(holds(&log, "[10 bytes]) = 10") && holds(&log, " variables]) = 0"), "{log}");
}

/// The same calls with the same results, by name and errno.
pub(crate) fn log_agrees_with_strace() {
    const SCRIPT: &str =
        "cat no-such-file; ls -l / > /dev/null; (exit 4); kill -0 $$; mkdir /proc/x; exec readlink -m /a/b";
    let project = Project::empty();
    run(project.command("trace --log -o ours -- sh -c").arg(SCRIPT)).ends(0);
    run(project.run_by("strace").args(["-f", "-o", "theirs", "--", "sh", "-c", SCRIPT])).ends(0);
    let ours = project.read("ours");
    let ours = counted(lines(&ours).into_iter().map(|(_, line)| line));
    let theirs = project.read("theirs");
    // `1234  openat(…) = 3`
    let theirs = counted(theirs.lines().filter_map(|line| line.split_once(' ')).map(|(_, line)| line.trim_start()));
    assert_eq!(ours, theirs);
    assert!(ours.len() > 20, "{ours:?}");
}

/// Counts calls by name and errno, and ends of tasks.
fn counted<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines.filter(|line| !line.ends_with("<unfinished ...>")) {
        let key = if line.starts_with("---") {
            line.split_whitespace().nth(1).unwrap_or_default().to_owned()
        } else if line.starts_with("+++") {
            line.to_owned()
        } else {
            let name = line.strip_prefix("<... ").unwrap_or(line);
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let result = line.rsplit_once(" = ").map_or("", |(_, result)| result);
            let errno = result.strip_prefix("-1 ").and_then(|errno| errno.split(' ').next()).unwrap_or("ok");
            format!("{name} {errno}")
        };
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// Threads, a child and a thread that executes a program.
pub(crate) fn threads_and_children_have_lines_of_their_own() {
    const SCRIPT: &str = "import os, subprocess, threading\n\
        threads = [threading.Thread(target=lambda: os.mkdir('t%d' % n)) for n in range(3)]\n\
        [t.start() for t in threads]; [t.join() for t in threads]\n\
        subprocess.run(['true'])\n\
        t = threading.Thread(target=lambda: os.execv('/bin/echo', ['echo', 'over'])); t.start(); t.join()";
    let project = Project::empty();
    let ran = run(project.command("trace --log -o log -- python3 -c").arg(SCRIPT)).ends(0);
    assert_eq!(ran.stdout, "over\n");
    let log = project.read("log");
    let makers = lines(&log).into_iter().filter(|(_, line)| line.starts_with("mkdir(")).map(|(from, _)| from);
    assert_eq!(makers.collect::<std::collections::BTreeSet<_>>().len(), 3, "{log}");
    assert!(holds(&log, "CLONE_VM|") && holds(&log, "|CLONE_THREAD|"), "{log}");
    assert!(holds(&log, "+++ superseded by execve in pid "), "{log}");
    assert!(lines(&log).iter().any(|(from, line)| from.ends_with(" echo") && line.starts_with("write(1")), "{log}");
}

pub(crate) fn filters_choose_lines() {
    const SCRIPT: &str = "cat /etc/hostname no-such-file; perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0)'";
    let project = Project::empty();
    let names = |filters: &[&str]| {
        let options: Vec<&str> = filters.iter().flat_map(|filter| ["-e", filter]).collect();
        run(project.command("trace --log -o log").args(options).args(["--", "sh", "-c", SCRIPT])).ends(0);
        let log = project.read("log");
        let calls = lines(&log).into_iter().map(|(_, line)| line).filter(|line| !line.starts_with(['-', '+']));
        calls.map(|line| line.split('(').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let only = |filters: &[&str], allowed: &[&str]| {
        let names = names(filters);
        assert!(!names.is_empty(), "{filters:?}");
        assert!(names.iter().all(|name| allowed.contains(&name.as_str())), "{filters:?}: {names:?}");
        names
    };
    only(&["execve"], &["execve"]);
    only(&["execve,close", "mmap"], &["execve", "close", "mmap"]);
    assert!(only(&["@network"], &["socket", "ioctl", "close"]).contains(&"socket".to_owned()));
    // Relative to the working directory, and through the fd.
    let absolute = format!("path={}/no-such-*", project.path("").display().to_string().trim_end_matches('/'));
    for path in [&absolute, "path=no-such-*"] {
        assert_eq!(only(&[path], &["openat", "open"]).len(), 1);
    }
    let by_fd = names(&["path=/etc/hostname"]);
    assert!(by_fd.contains(&"read".to_owned()) && !by_fd.contains(&"write".to_owned()), "{by_fd:?}");
}

pub(crate) fn wrong_filters_and_combinations_are_2() {
    Project::empty().refuses(&[
        ("trace --log -e opennat -- touch was-run", "did you mean openat"),
        ("trace --log -e @netwrok -- touch was-run", "did you mean @network?"),
        ("trace --log -e path=[ -- touch was-run", "path=["),
        ("trace -e openat -- touch was-run", "--log"),
        ("trace --log --format json -- touch was-run", "--format"),
        ("trace --log -k -- touch was-run", "--callers"),
        ("trace --log --engine notify -o log -- touch was-run", "--engine ptrace"),
        ("trace --time --engine notify -- touch was-run", "--engine ptrace"),
    ]);
}

pub(crate) fn unwritable_log_is_one_error() {
    let project = Project::empty();
    for (file, message) in [
        ("no/such/log", "error: cannot write no/such/log: No such file or directory (os error 2); nothing was run\n"),
        ("/dev/full", "error: cannot write the log: No space left on device (os error 28)\n"),
    ] {
        let ran = project.sysguard(&format!("trace --log -o {file} -- sh -c true")).ends(125);
        assert_eq!(ran.stderr, message);
    }
    // A missing program leaves an old log as it was.
    let project = project.file("log", "old");
    project.sysguard("trace --log -o log -- no-such-command").ends(127);
    assert_eq!(project.read("log"), "old");
}

/// As in `trace --log -- … 2>&1 | head -1`: the command still runs to its end.
pub(crate) fn log_ends_quietly_with_its_reader() {
    let project = Project::empty();
    let mut command = project.command("trace --log --");
    command.args(["sh", "-c", "exec 2>/dev/null; sleep 0.2; ls / >/dev/null; touch was-run; exit 3"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert!(line.contains("execve("), "{line}");
    assert_eq!(child.wait().expect("its end").code(), Some(3));
    assert!(project.path("was-run").exists());
}

pub(crate) fn hanging_call_is_shown_while_it_hangs() {
    let project = Project::empty();
    project.sysguard("trace --log --time -o log -- sleep 1.6").ends(0);
    let log = project.read("log");
    let begun = lines(&log).into_iter().find(|(_, line)| line.ends_with("<unfinished ...>")).expect("it hangs").1;
    assert!(begun.contains("clock_nanosleep(CLOCK_REALTIME, 0, 1.6"), "{begun}");
    let ended = lines(&log).into_iter().find(|(_, line)| line.contains("resumed>")).expect("it ends").1;
    assert!(ended.contains("<... clock_nanosleep resumed> clock_nanosleep(") && ended.contains(" = 0 <1.6"), "{ended}");
}

pub(crate) fn times_of_calls_are_a_column() {
    let project = Project::empty();
    project.sysguard("trace --time -o table -- sleep 0.3").ends(0);
    let table = project.read("table");
    let row = |name: &str| table.lines().find(|line| line.trim_start().starts_with(name)).expect(name).to_owned();
    assert!(row("System call").contains("Calls  ") && row("System call").contains("Seconds"), "{table}");
    let seconds = |line: String| line.split_whitespace().nth(2).and_then(|word| word.parse::<f64>().ok());
    let slept = seconds(row("clock_nanosleep")).expect("a time");
    assert!((0.3..3.0).contains(&slept), "{slept}");
    assert!(table.contains("inflated by tracing"), "{table}");

    project.sysguard("trace --time --format json -o json -- sleep 0.3").ends(0);
    let report: serde_json::Value = serde_json::from_str(&project.read("json")).expect("JSON");
    let syscalls = report["syscalls"].as_array().expect("a list");
    let of_uses = |syscall: &serde_json::Value| {
        let uses = syscall["uses"].as_array().expect("a list").iter();
        uses.map(|used| used["seconds"].as_f64().expect("a time")).sum::<f64>()
    };
    assert!(
        syscalls.iter().all(|syscall| (of_uses(syscall) - syscall["seconds"].as_f64().expect("a time")).abs() < 1e-6)
    );
    project.sysguard("trace --format json -o json -- sleep 0").ends(0);
    assert!(!project.read("json").contains("seconds"));
}
