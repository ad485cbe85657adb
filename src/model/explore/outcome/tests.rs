//! Tests of the outcomes.

use super::*;
use crate::model::explore::run::RunResult;
use crate::model::explore::samples::{attempt, injection, run};
use crate::model::explore::survey::Survey;
use crate::model::kernel::uapi::{SIGABRT, SIGKILL, SIGSEGV, SIGTERM};
use crate::model::observe::observation::Observation;

const PANIC: &str = "thread 'main' panicked at src/main.rs:3:5:\nexplicit panic\n";

fn killed(signal: i32, stdout: &str, stderr: &str) -> RunResult {
    RunResult { exit: Some(Exit::Signaled(signal)), ..run(0, stdout, stderr) }
}

fn outcomes(runs: &[RunResult]) -> Outcomes {
    let survey = |run: &RunResult| Survey { result: run.clone(), ..Survey::default() };
    Outcomes::of(&runs.iter().map(survey).collect::<Vec<_>>())
}

fn outcome(runs: &[RunResult], result: RunResult) -> RunOutcome {
    let outcomes = outcomes(runs);
    outcomes.ended(&attempt(injection("write", "ENOSPC"), result)).outcome
}

#[test]
fn outcome_follows_from_end_output_and_files() {
    let usual = run(0, "done\n", "warning\n").with_file("$PWD/out", "text");
    let same = |status, stdout, stderr| run(status, stdout, stderr).with_file("$PWD/out", "text");
    let rows = [
        (same(0, "done\n", "warning\n"), RunOutcome::Absorbed),
        (same(1, "done\n", "warning\n"), RunOutcome::Reported),
        (same(1, "", ""), RunOutcome::Reported),
        (same(0, "done\n", "warning\nfailed\n"), RunOutcome::Reported),
        (same(0, "", "warning\nfailed\n"), RunOutcome::Reported),
        (same(0, "done\n", "warning\nwarning\n"), RunOutcome::Reported),
        (same(0, "", "warning\n"), RunOutcome::Silent),
        (same(0, "done\n", ""), RunOutcome::Silent),
        (same(0, "done\n", "warning\n\n"), RunOutcome::Silent),
        (same(0, "done\n", "warning\n").with_file("$PWD/out", "te"), RunOutcome::Silent),
        (run(0, "done\n", "warning\n"), RunOutcome::Silent),
        (same(0, "done\n", "warning\n").with_file("$PWD/out.tmp", ""), RunOutcome::Silent),
        (run(0, "done\n", "warning\nfailed\n"), RunOutcome::Reported),
        (same(101, "", "warning\n"), RunOutcome::Panic),
        (same(101, "", PANIC), RunOutcome::Panic),
        (same(0, "done\n", &format!("warning\n{PANIC}")), RunOutcome::Panic),
        (same(0, "done\n", "thread 'worker' (4711) panicked at src/a.rs:1:2:\nx\n"), RunOutcome::Panic),
        (same(0, "done\n", "thread '<unnamed>' panicked at 'x', src/a.rs:1:2\n"), RunOutcome::Panic),
        (killed(SIGABRT, "", PANIC), RunOutcome::Panic),
        (killed(SIGABRT, "", ""), RunOutcome::Signal),
        (killed(SIGSEGV, "done\n", "warning\n"), RunOutcome::Signal),
        (killed(SIGPIPE, "", ""), RunOutcome::Signal),
        (RunResult { exit: Some(Exit::TimedOut), ..same(0, "", "") }, RunOutcome::Hang),
    ];
    for (result, expected) in rows {
        assert_eq!(outcome(&[usual.clone(), usual.clone()], result.clone()), expected, "{result:?}");
    }
}

#[test]
fn what_runs_without_an_injection_do_is_expected() {
    let stopped = killed(SIGTERM, "", "");
    assert_eq!(outcome(&[stopped.clone(), stopped.clone()], stopped.clone()), RunOutcome::Absorbed);
    assert_eq!(outcome(&[stopped.clone(), stopped], run(0, "", "")), RunOutcome::Reported);
    let panics = run(101, "", PANIC);
    assert_eq!(outcome(&[panics.clone(), panics.clone()], panics.clone()), RunOutcome::Absorbed);
    assert_eq!(outcome(&[panics.clone(), panics], run(101, "", &PANIC.repeat(2))), RunOutcome::Panic);
}

#[test]
fn hang_and_missed_call_come_before_other_outcomes() {
    let outcomes = outcomes(&[run(0, "", ""), run(0, "", "")]);
    let mut hung = attempt(injection("write", "ENOSPC"), killed(SIGKILL, "", PANIC));
    hung.hung = true;
    assert_eq!(outcomes.ended(&hung).outcome, RunOutcome::Hang);
    hung.reached = false;
    assert_eq!(outcomes.ended(&hung).outcome, RunOutcome::NotReached);
}

#[test]
fn sigpipe_after_epipe_is_a_report() {
    let outcomes = outcomes(&[run(0, "a\n", ""), run(0, "a\n", "")]);
    let ended = |fault| outcomes.ended(&attempt(injection("write", fault), killed(SIGPIPE, "", ""))).outcome;
    assert_eq!(ended("EPIPE"), RunOutcome::Reported);
    assert_eq!(ended("ENOSPC"), RunOutcome::Signal);
}

#[test]
fn crash_of_another_process_is_a_signal() {
    let seen = |signal| {
        let mut observation = Observation::new();
        observation.ends.signals.insert(SignalName(signal), 1);
        observation
    };
    let with = |known: &[i32], signal| {
        let survey = |observation| Survey { result: run(0, "", ""), observation, ..Survey::default() };
        let surveys: Vec<Survey> = known.iter().map(|signal| survey(seen(*signal))).collect();
        let mut attempt = attempt(injection("write", "ENOSPC"), run(0, "", ""));
        attempt.observation = seen(signal);
        Outcomes::of(&[&[survey(Observation::new())], &surveys[..]].concat()).ended(&attempt).outcome
    };
    assert_eq!(with(&[], SIGSEGV), RunOutcome::Signal);
    assert_eq!(with(&[SIGSEGV], SIGSEGV), RunOutcome::Absorbed);
    assert_eq!(with(&[], SIGTERM), RunOutcome::Absorbed);
}

#[test]
fn message_among_varying_ones_may_be_missed() {
    let varying = outcomes(&[run(0, "a\n", "x\n"), run(0, "a\n", "x\nretry\n")]);
    let ended = |stdout, stderr| varying.ended(&attempt(injection("write", "ENOSPC"), run(0, stdout, stderr))).outcome;
    assert_eq!(ended("a\n", "x\nfailed\n"), RunOutcome::Absorbed);
    assert_eq!(ended("", "x\nfailed\n"), RunOutcome::Silent);
    assert_eq!(varying.limits().len(), 2);
    assert!(varying.limits()[1].starts_with("new messages on standard error are not recognised"));
    assert_eq!(outcomes(&[run(0, "a\n", ""), run(0, "a\n", "")]).limits(), [""; 0]);
}

#[test]
fn masked_message_is_no_new_one() {
    let runs = [run(0, "", "pid 1: started\n"), run(0, "", "pid 2: started\n")];
    assert_eq!(outcome(&runs, run(0, "", "pid 3: started\n")), RunOutcome::Absorbed);
    assert_eq!(outcome(&runs, run(0, "", "pid 3: started\npid 3: failed\n")), RunOutcome::Reported);
    assert_eq!(outcome(&runs, run(0, "", "")), RunOutcome::Silent);
}
