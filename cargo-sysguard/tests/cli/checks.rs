//! Checks of a harness with a timeout, variables or a reason to ignore them.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::project::{Project, Ran, nextest, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![checks:
        tracing timeout_ends_and_fails_a_check,
        tracing variables_are_set_for_the_closure_only,
        tracing ignored_check_runs_on_request,
        tracing fail_fast_starts_no_further_check,
        tracing blind_spot_of_a_check_is_a_warning,
        tracing assertions_by_path_compare_each_call,
        untraced shuffle_covers_checks,
        untraced invalid_variable_name_is_refused,
        nextest nextest_skips_ignored_checks,
    ]
}

/// Returns a project with these checks: a name, the closure's body, and calls on the check.
fn with_checks(name: &str, checks: &[(&str, &str, &str)]) -> Project {
    let checks: String = checks
        .iter()
        .map(|(name, body, options)| {
            format!("        .check_with(Check::new(\"{name}\", || {{ {body} }}, |_| in_harness()){options})\n")
        })
        .collect();
    let harness = format!(
        "use std::time::Duration;\nuse sysguard::{{Check, Harness}};\n\n\
         fn in_harness() {{ assert!(std::env::var_os(\"ANSWER\").is_none(), \"the harness has it\") }}\n\n\
         fn main() -> std::process::ExitCode {{\n    Harness::new(env!(\"CARGO_MANIFEST_DIR\"))\n{checks}        \
         .main()\n}}\n"
    );
    Project::new(name).with_harness().file("tests/sysguard.rs", &harness)
}

fn cargo_test(project: &Project, arguments: &str) -> Ran {
    let mut cargo = project.run_by(env!("CARGO"));
    run(cargo.args(["test", "--test", "sysguard", "--"]).args(arguments.split_whitespace()))
}

fn timeout_ends_and_fails_a_check() {
    let body = "println!(\"started\"); std::thread::sleep(Duration::from_secs(600));";
    let project = with_checks("checks-timeout", &[("slow", body, ".timeout(Duration::from_millis(300))")]);
    cargo_test(&project, "--list").ends(0);
    let begun = Instant::now();
    let ran = cargo_test(&project, "").ends(101);
    assert!(begun.elapsed() < Duration::from_secs(60), "it was ended");
    ran.prints(&[
        "slow: timed out, expected exit status 0\n",
        "  | started\n",
        "\nhelp: a run may take 300ms; set another limit with `Check::timeout`\n",
    ]);
    for foreign in ["expectations/", "cargo sysguard"] {
        assert!(!ran.stdout.contains(foreign), "a check has no {foreign}\n{}", ran.stdout);
    }
}

fn variables_are_set_for_the_closure_only() {
    let has = "assert_eq!(std::env::var(\"ANSWER\").as_deref(), Ok(\"42\"))";
    let overrides = "assert_eq!(std::env::var(\"TZ\").as_deref(), Ok(\"Asia/Tokyo\"))";
    let project = with_checks(
        "checks-env",
        &[
            ("has", has, ".env(\"ANSWER\", \"42\")"),
            ("has_not", "in_harness()", ""),
            ("overrides", overrides, ".env(\"TZ\", \"Asia/Tokyo\")"),
        ],
    );
    let ran = cargo_test(&project, "").ends(0);
    assert!(ran.stdout.contains("test result: ok. 3 passed; 0 failed;"), "{}", ran.stdout);
}

const IGNORED: [(&str, &str, &str); 2] =
    [("by_hand", "panic!(\"it ran\")", ".ignore(\"requires a mirror\")"), ("plain", "", "")];

fn ignored_check_runs_on_request() {
    let project = with_checks("checks-ignore", &IGNORED);
    for (line, listed) in [
        ("--list --format terse", "by_hand: test\nplain: test\n"),
        ("--list --format terse --ignored", "by_hand: test\n"),
    ] {
        assert_eq!(cargo_test(&project, line).ends(0).stdout, listed, "{line}");
    }
    let ran = cargo_test(&project, "").ends(0);
    assert!(ran.stdout.contains("test by_hand ... ignored, requires a mirror\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 passed; 0 failed; 1 ignored;"), "{}", ran.stdout);
    for (line, counts) in
        [("--ignored", "0 passed; 1 failed; 0 ignored; 0 measured; 1"), ("--include-ignored", "1 passed; 1 failed;")]
    {
        let ran = cargo_test(&project, line).ends(101);
        assert!(ran.stdout.contains(counts) && ran.stdout.contains("it ran"), "{line}\n{}", ran.stdout);
    }
}

fn nextest_skips_ignored_checks() {
    let project = with_checks("checks-nextest", &IGNORED);
    let nextest = |line: &str| {
        let mut cargo = project.run_by(env!("CARGO"));
        run(cargo.args(["nextest", "run", "--test", "sysguard"]).args(line.split_whitespace()))
    };
    let ran = nextest("").ends(0);
    assert!(ran.stderr.contains("1 test run: 1 passed, 1 skipped"), "{}", ran.stderr);
    let ran = nextest("--run-ignored only").ends(100);
    assert!(ran.stderr.contains("1 test run: 0 passed, 1 failed, 1 skipped"), "{}", ran.stderr);
}

fn fail_fast_starts_no_further_check() {
    let project = with_checks("checks-fail-fast", &[("one", "panic!()", ""), ("two", "panic!()", "")]);
    let ran = cargo_test(&project, "--fail-fast --test-threads 1").ends(101);
    assert!(ran.stdout.contains("ignored, not started after a failure (--fail-fast)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("0 passed; 1 failed; 1 ignored;"), "{}", ran.stdout);
}

fn blind_spot_of_a_check_is_a_warning() {
    let project = with_checks("checks-blind", &[("blind", "sysguard::phase(\"loader\")", ""), ("seeing", "", "")]);
    let ran = cargo_test(&project, "").ends(0);
    let warnings: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("calls may have been missed")).collect();
    assert_eq!(warnings.len(), 1, "{}", ran.stderr);
    assert!(warnings[0].starts_with("warning: blind: calls may have been missed: reserved_phase: "), "{}", warnings[0]);
}

fn shuffle_covers_checks() {
    let names = ["a", "b", "c", "d", "e"];
    let project = with_checks("checks-shuffle", &names.map(|name| (name, "", "")));
    let order =
        |seed: u32| cargo_test(&project, &format!("--list --format terse --shuffle-seed {seed}")).ends(0).stdout;
    let plain = cargo_test(&project, "--list --format terse").ends(0).stdout;
    assert_eq!(order(7), order(7));
    assert!((0..5).any(|seed| order(seed) != plain), "{plain}");
}

fn invalid_variable_name_is_refused() {
    let project = with_checks("checks-names", &[("one", "", ".env(\"A=B\", \"\")")]);
    let ran = cargo_test(&project, "").ends(101);
    let expected = "error: check `one`: invalid variable name `A=B`: it must be non-empty and hold no `=`\n";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}

/// Only the second call reads below the folder; both tests make the same calls by name.
fn assertions_by_path_compare_each_call() {
    let harness = r#"use sysguard::{Check, Harness, Rule};

fn reads(file: &'static str) -> impl Fn() + 'static {
    move || {
        let home = std::path::PathBuf::from(std::env::var_os("HOME").expect("HOME"));
        std::fs::create_dir(home.join("keys")).expect("a folder");
        assert!(std::fs::read(home.join(file)).is_err(), "it is not there");
    }
}

fn main() -> std::process::ExitCode {
    let keys = Rule::default().path("~/keys/**");
    let check = |name, file| {
        let mut forbidden = keys.clone();
        forbidden.syscall = Some("openat".to_owned());
        Check::new(name, reads(file), move |seen| seen.forbid(forbidden.clone())).rules([keys.clone()])
    };
    Harness::new(env!("CARGO_MANIFEST_DIR"))
        .check_with(check("beside", "other"))
        .check_with(check("below", "keys/private"))
        .main()
}
"#;
    let project = Project::new("checks-rules").with_harness().file("tests/sysguard.rs", harness);
    let ran = cargo_test(&project, "").ends(101);
    assert!(ran.stdout.contains("test result: FAILED. 1 passed; 1 failed;"), "{}", ran.stdout);
    ran.prints(&["test beside ... ok\n", "---- below ----\n"]);
}
