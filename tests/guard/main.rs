//! Compares the engines: guard, ptrace and notify must give the same verdict on each program, with
//! a complete baseline and with baselines that lack a fact, and must record the same facts.
//!
//! A trial with missing needs is ignored with its reason, and fails under `SYSGUARD_REQUIRE=1`.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(not(target_os = "linux"))]
#[path = "../tracer/elsewhere.rs"]
mod elsewhere;
#[cfg(target_os = "linux")]
mod examples;
#[cfg(target_os = "linux")]
#[path = "../tracer/needs.rs"]
#[expect(dead_code, reason = "the tracer's trials need more")]
mod needs;
#[cfg(target_os = "linux")]
mod rules;
#[cfg(target_os = "linux")]
mod runs;
#[cfg(target_os = "linux")]
mod verdicts;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
use libtest_mimic::{Completion, Trial};

/// Returns every trial.
#[cfg(target_os = "linux")]
fn trials() -> Vec<Trial> {
    use needs::Need;
    let need = |word: &&str| Need::from_word(word).unwrap_or_else(|| Need::Program((*word).to_owned()));
    let trial = |&(name, needs, run): &verdicts::Case| {
        let needs: Vec<Need> = needs.iter().map(need).collect();
        Trial::ignorable_test(name, move || {
            needs::unmet(&needs).unwrap_or_else(|| {
                run();
                Ok(Completion::Completed)
            })
        })
    };
    let in_namespace = Trial::ignorable_test("runs_in_a_pid_namespace", || {
        if !verdicts::can_make_pid_namespaces() {
            return needs::without("a PID namespace with its own proc cannot be made here".to_owned());
        }
        verdicts::runs_in_a_pid_namespace();
        Ok(Completion::Completed)
    });
    verdicts::CASES.iter().map(trial).chain([in_namespace]).collect()
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials()).exit_code()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    elsewhere::main("engines")
}
