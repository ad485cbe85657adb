//! Stable verdicts: findings are confirmed by further runs, unconfirmed ones are suspects, and a
//! recording continues until no run adds anything.

use std::path::PathBuf;

use super::project::{BINARY, Project, command, run};

/// A workload that counts its runs in a file, and makes other calls in some of them.
struct Counting {
    project: Project,
}

impl Counting {
    /// Returns a blessed workload that now runs `script`, with the number of the run in `$n`.
    fn new(name: &str, document: &str, script: &str) -> Self {
        let counting = Self { project: Project::new(name) };
        let script_file = counting.project.path("script.sh");
        counting.project.write(
            "expectations/flaky.yaml",
            &format!("version: 2\ncommand: [sh, {}]\n{document}", script_file.display()),
        );
        counting.does(":");
        counting.project.sysguard("bless flaky").ends(0);
        counting.does(script);
        counting
    }

    /// Sets the script and resets the number of the next run to 1.
    fn does(&self, script: &str) {
        let counter = self.counter();
        let counted = format!("n=$(($(cat {0}) + 1)); echo $n > {0}", counter.display());
        self.project.write("script.sh", &format!("#!/bin/sh\n{counted}\n{script}\n:\n"));
        self.next_is(1);
    }

    fn counter(&self) -> PathBuf {
        self.project.path("runs")
    }

    /// Sets the number of the next run.
    fn next_is(&self, number: u32) {
        self.project.write("runs", &format!("{}\n", number - 1));
    }

    /// Returns the number of the last run.
    fn runs(&self) -> String {
        self.project.read("runs").trim().to_owned()
    }

    fn expectation(&self) -> String {
        self.project.read("expectations/flaky.yaml")
    }
}

pub(crate) fn unconfirmed_finding_is_a_suspect() {
    let flaky = Counting::new("stable-flaky", "", "if [ $((n % 3)) = 1 ]; then ln -s nowhere link; fi");
    let before = flaky.project.files();
    let ran = flaky.project.sysguard("test").ends(0);
    assert_eq!(flaky.runs(), "2", "after the second run nothing can be confirmed");
    assert!(ran.stderr.contains("as expected") && ran.stderr.contains(" suspect"), "{}", ran.stderr);
    assert!(ran.stderr.contains("filesystem::symlinkat  in 1 of 2 runs"), "{}", ran.stderr);
    assert_eq!(flaky.project.changed_since(&before), ["runs"], "a suspect is not proposed");

    flaky.next_is(2);
    let ran = flaky.project.sysguard("test").ends(0);
    assert!(!ran.stderr.contains("suspect"), "{}", ran.stderr);
    assert_eq!(flaky.runs(), "2", "nothing is new, nothing is confirmed");

    flaky.next_is(1);
    let ran = flaky.project.sysguard("test --confirm 0").ends(101);
    assert!(ran.stdout.contains("new-syscall filesystem::symlinkat"), "{}", ran.stdout);
    assert_eq!(flaky.runs(), "1");
}

pub(crate) fn only_confirmed_findings_fail_and_are_proposed() {
    let script = "ln -s nowhere link; if [ $n = 2 ]; then mkdir folder; fi";
    let constant = Counting::new("stable-constant", "", script);
    let ran = constant.project.sysguard("test").ends(101);
    assert_eq!(constant.runs(), "5", "one run and four that confirm it");
    assert!(ran.stdout.contains("new-syscall filesystem::symlinkat"), "{}", ran.stdout);
    assert!(ran.stdout.contains("filesystem::mkdir  in 1 of 5 runs"), "{}", ran.stdout);
    let proposed = constant.project.read("expectations/flaky.yaml.new");
    assert!(proposed.contains("symlinkat:") && !proposed.contains("mkdir"), "{proposed}");
    assert!(!proposed.contains("sometimes"), "a mark of a test:\n{proposed}");

    constant.next_is(1);
    constant.project.sysguard("test --confirm 2").ends(101);
    assert_eq!(constant.runs(), "3");
    constant.next_is(1);
    run(constant.project.command("test").env("SYSGUARD_CONFIRM", "1")).ends(101);
    assert_eq!(constant.runs(), "2");
}

pub(crate) fn harness_confirms_as_configured() {
    let constant = Counting::new("stable-harness", "", "ln -s nowhere link");
    let project = constant.project.with_harness();
    let constant = Counting { project };
    let verdicts = constant.project.path("verdicts");
    constant.project.sysguard("test --confirm 1").ends(101);
    assert_eq!(constant.runs(), "2");
    constant.does("if [ $n = 1 ]; then ln -s nowhere link; fi");
    let mut cargo = command(env!("CARGO"));
    cargo.args(["test", "--test", "sysguard"]).current_dir(constant.project.path(""));
    run(cargo.env("SYSGUARD_VERDICTS", &verdicts)).ends(0);
    let line: serde_json::Value = serde_json::from_str(&constant.project.read("verdicts")).expect("JSON");
    let suspects = line["verdict"]["suspects"].as_array().expect("a list");
    let found = suspects.iter().find(|suspect| suspect["key"] == "flaky::filesystem::symlinkat").expect("a suspect");
    assert_eq!((&found["seen"], &found["runs"]), (&1.into(), &2.into()));
}

pub(crate) fn new_subsystems_and_forbidden_calls_fail_at_once() {
    let once = "if [ $n = 1 ]; then nice -n 1 true; fi";
    let subsystem = Counting::new("stable-subsystem", "", once);
    let ran = subsystem.project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("new-subsystem scheduler"), "{}", ran.stdout);

    let document = "forbid:\n  - {syscall: symlinkat, why: no links}\n";
    let forbidden = Counting::new("stable-forbidden", document, "if [ $n = 1 ]; then ln -s a b; fi");
    let ran = forbidden.project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("forbidden") && ran.stdout.contains("no links"), "{}", ran.stdout);
    assert!(!forbidden.project.path("expectations/flaky.yaml.new").exists());
}

pub(crate) fn wrong_exit_of_a_confirming_run_fails() {
    let script = "ln -s nowhere link; if [ $n = 3 ]; then exit 7; fi";
    let failing = Counting::new("stable-exit", "", script);
    let ran = failing.project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("ended with exit status 7, expected exit status 0"), "{}", ran.stdout);
    assert_eq!(failing.runs(), "3");
    assert!(!failing.project.path("expectations/flaky.yaml.new").exists());
}

pub(crate) fn recording_continues_until_no_run_adds_anything() {
    let flaky = Counting::new("stable-recording", "", "if [ $n = 5 ]; then ln -s nowhere link; fi");
    assert!(flaky.expectation().contains("\nfingerprint:\n  kernel: "), "{}", flaky.expectation());
    // Run 1 is a warm-up, so run 5 is the fourth that counts.
    let ran = flaky.project.sysguard("bless").ends(0);
    assert!(ran.stdout.contains("; 12 runs, nothing new since run 4"), "{}", ran.stdout);
    assert_eq!(flaky.runs(), "13");
    let blessed = flaky.expectation();
    assert!(blessed.contains("symlinkat:\n      uses:\n        - file\n      seen: sometimes\n"), "{blessed}");

    flaky.next_is(1);
    let ran = flaky.project.sysguard("bless --runs 3").ends(0);
    assert!(ran.stdout.contains("nothing changed") && ran.stdout.contains("; 3 runs, nothing new"), "{}", ran.stdout);
    assert_eq!(flaky.runs(), "4", "a warm-up, and three that count");
    assert_eq!(flaky.expectation(), blessed);

    flaky.project.sysguard("bless --prune --runs 2").ends(0);
    assert!(!flaky.expectation().contains("symlinkat"), "{}", flaky.expectation());
}

pub(crate) fn recording_that_never_settles_is_reported() {
    // Some runs make another call: links, folders, pipes, modes.
    let script = "case $n in 6) mkdir d;; 12) ln -s a l;; 18) mkfifo f;; 24) chmod 600 f;; 30) ln /bin/sh h;; esac";
    let restless = Counting::new("stable-restless", "", &format!("touch f; {script}"));
    let ran = restless.project.sysguard("bless").ends(0);
    assert!(ran.stdout.contains("; 30 runs, still not quiet: new facts in run 29"), "{}", ran.stdout);
    assert!(restless.expectation().contains("\nquiet: never\n"), "{}", restless.expectation());
}

pub(crate) fn one_cpu_is_too_few_to_record() {
    let project = Project::new("stable-cpus").expecting("true", "command: [true]");
    let before = project.files();
    for (line, stream) in [("bless", "stderr"), ("test", "stdout")] {
        let mut pinned = command("taskset");
        pinned.args(["-c", "0", BINARY]).args(line.split(' ')).current_dir(project.path(""));
        let ran = run(&mut pinned).ends(3);
        let output = if stream == "stderr" { &ran.stderr } else { &ran.stdout };
        assert!(output.contains("at least 2 CPUs") && output.contains("may use 1"), "{line}: {output}");
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
}

pub(crate) fn drift_is_reported_with_new_findings() {
    let constant = Counting::new("stable-drift", "", "ln -s nowhere link");
    let older = constant.expectation().replace("  kernel: ", "  kernel: \"4.4\" # was ");
    constant.project.write("expectations/flaky.yaml", &older);
    let ran = constant.project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("drift: since the baseline was recorded: kernel 4.4 → "), "{}", ran.stdout);
    constant.does(":");
    let quiet = constant.project.sysguard("test").ends(0);
    assert!(!quiet.stderr.contains("drift") && !quiet.stdout.contains("drift"), "{}{}", quiet.stdout, quiet.stderr);
    constant.project.sysguard("bless").ends(0);
    assert_eq!(constant.expectation(), older, "a fingerprint does not change alone");
}
