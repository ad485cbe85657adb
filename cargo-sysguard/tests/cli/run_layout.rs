//! `layout`: tests move between shared and own files without a change of any verdict, also while
//! other processes write.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::project::{BINARY, Project, Ran, command, mounting, run, tracing};
use super::run_shared::{BINDS, recorded, source};

pub(crate) fn trials() -> Vec<Trial> {
    trials![layout:
        tracing test_is_not_moved_if_shared_rules_would_apply,
        tracing move_during_a_run_loses_nothing,
        tracing wait_for_another_process_is_reported,
        tracing diff_of_shared_file_shows_one_test,
        mounting read_only_package_passes_without_findings,
    ]
}

/// Starts a command; its output is read at its end.
fn start(project: &Project, line: &str) -> Child {
    let mut command = project.command(line);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
}

fn end(child: Child) -> Ran {
    child.wait_with_output().expect("it ends").into()
}

fn test_is_not_moved_if_shared_rules_would_apply() {
    let project = recorded("layout-rules", &[("one", ""), ("two", "")]);
    project.sysguard("layout test").ends(0);
    let (one, two) = ("expectations/run/layout-rules/it/one.yaml", "expectations/run/layout-rules/it/two.yaml");
    let (before, shared) = (project.read(two), "expectations/run/layout-rules/tests.it.yaml");
    let rules = "tolerate:\n  - {subsystem: network, why: may}\n";
    let first = format!("# mine\nversion: 2\ntests: layout-rules::it\n{rules}");
    project.write(shared, &first);
    project.write(one, &format!("version: 2\nrun: layout-rules::it::one\n{rules}"));
    let joined = project.sysguard("layout binary").ends(0);
    assert_eq!(joined.stdout, "nothing to move\n");
    let kept = format!("kept {two}: the first document of {shared} has rules that would apply to this test");
    assert!(joined.stderr.contains(&kept), "{}", joined.stderr);
    assert_eq!((project.read(two), project.read(shared)), (before, first));
    project.write("tests/it.rs", &source(&[("one", ""), ("two", BINDS)]));
    let found = project.sysguard("run --per-test -- test --test it two").ends(101);
    assert!(found.stderr.contains("new-subsystem network"), "{}", found.stderr);
}

/// A test waits until its file was moved. Its later calls are recorded in the new file.
fn move_during_a_run_loses_nothing() {
    let project = recorded("layout-during", &[("one", ""), ("two", "")]);
    let shared = "expectations/run/layout-during/tests.it.yaml";
    let own = "expectations/run/layout-during/it/one.yaml";
    for (layout, file) in [("test", own), ("binary", shared)] {
        let waits = format!(
            "std::fs::write(\"started-{layout}\", \"\").unwrap();\n\
             while !std::path::Path::new(\"go-{layout}\").exists() {{\n\
             std::thread::sleep(std::time::Duration::from_millis(10)); }}\n{}",
            if layout == "test" { BINDS } else { "std::os::unix::net::UnixDatagram::unbound().unwrap();" }
        );
        project.write("tests/it.rs", &source(&[("one", &waits), ("two", "")]));
        let child = start(&project, "run --per-test --confirm 0 --update always -- test --test it one");
        let begun = Instant::now();
        while !project.path(&format!("started-{layout}")).exists() {
            assert!(begun.elapsed() < Duration::from_secs(120), "the test starts");
            thread::sleep(Duration::from_millis(20));
        }
        let moved = project.sysguard(&format!("layout {layout}")).ends(0);
        assert!(moved.stdout.starts_with("moved 2 tests of layout-during::it "), "{}", moved.stdout);
        project.write(&format!("go-{layout}"), "");
        end(child).ends(0);
        let found = if layout == "test" { "  network:\n" } else { "  unix:\n" };
        assert!(project.read(file).contains(found), "{}", project.read(file));
        assert_eq!((project.path(own).exists(), project.path(shared).exists()), (file == own, file == shared));
        project.sysguard("run --per-test -- test --test it").ends(0);
    }
}

fn wait_for_another_process_is_reported() {
    let project = recorded("layout-wait", &[("one", "")]);
    let folder = project.path("");
    let lock = File::open(&folder).expect("the package");
    lock.lock().expect("the lock");
    let mut child = start(&project, "layout test");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let (send, lines) = channel();
    let reader = thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    let line = lines.recv_timeout(Duration::from_secs(60));
    lock.unlock().expect("it is released");
    assert!(line.expect("a line").starts_with("note: waiting for the lock on "));
    let ran = end(child).ends(0);
    assert!(ran.stdout.starts_with("moved 1 test of layout-wait::it "), "{}", ran.stdout);
    reader.join().expect("no panic").expect("all lines are received");
    assert_eq!(lines.try_iter().count(), 0, "one line is enough");
    let quick = project.sysguard("layout binary").ends(0);
    assert_eq!(quick.stderr, "", "a short wait is silent");
}

fn diff_of_shared_file_shows_one_test() {
    let project = recorded("layout-part", &[("one", ""), ("two", "")]);
    let shared = "expectations/run/layout-part/tests.it.yaml";
    let proposal = "expectations/run/layout-part/it/two.yaml.new";
    project.write("tests/it.rs", &source(&[("one", ""), ("two", BINDS)]));
    let found = project.sysguard("run --per-test --confirm 0 -- test --test it").ends(101).stderr;
    let review = project.sysguard("review").ends(101).stdout;
    for text in [found, review] {
        assert!(text.contains(&format!("--- {shared} (the part of this test)\n+++ {proposal}\n@@ … @@\n")), "{text}");
    }
    let text = project.read(proposal);
    let header = "# A test in run/layout-part/tests.it.yaml, where rules and comments for it belong.\nversion: 2\n";
    assert!(text.starts_with(&format!("{header}run: layout-part::it::two\n")), "{text}");
}

/// A passing test needs no writable package. A failed write is one error.
fn read_only_package_passes_without_findings() {
    let tests = [("one", ""), ("two", "")];
    let project = recorded("layout-fixed", &tests).expecting("first", "command: [true]");
    project.sysguard("bless --runs 1 first").ends(0);
    let fixed = |line: &str| {
        let script = "mount --make-rprivate / && mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && \
                      cd \"$0\" && exec \"$@\"";
        let mut inside = command("unshare");
        inside.args(["--mount", "sh", "-c", script]).arg(project.path("")).arg(BINARY);
        run(inside.args(line.split_whitespace()))
    };
    // An old proposal cannot be removed. It stays pending.
    project.write("expectations/first.yaml.new", &project.read("expectations/first.yaml").replace("process:", "poll:"));
    let before = project.files();
    let run_all = "run --per-test --confirm 0 -- test --test it";
    fixed("test").ends(0);
    fixed(run_all).ends(0);
    fixed("pending").ends(101);

    let read_only = "Read-only file system";
    project.write("tests/it.rs", &source(&[("one", ""), ("two", BINDS)]));
    let found = fixed(run_all).ends(101);
    assert!(found.stderr.contains(", but cannot create ") && found.stderr.contains(read_only), "{}", found.stderr);
    assert!(found.stderr.contains("new-subsystem network"), "{}", found.stderr);
    let moved = fixed("layout test").ends(101);
    assert_eq!(moved.stderr.matches(read_only).count(), 1, "{}", moved.stderr);
    fixed("run --per-test --confirm 0 --update no -- test --test it one").ends(0);
    project.write("tests/it.rs", &source(&tests));
    assert_eq!(project.changed_since(&before), [""; 0]);
}
