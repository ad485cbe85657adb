//! Attacks on the engines: each trial is a program that does something new in a way that is easy to
//! miss.
//!
//! Mode A is blessed by ptrace, mode B is judged by every engine. A trial with missing needs is
//! ignored with its reason, and fails under `SYSGUARD_REQUIRE=1`.
//!
//! `SYSGUARD_SHOW_RUNS=1` writes what each judged run found to standard error. `--fuzz` starts the
//! differential fuzzer ([`fuzz`]).

#[cfg(target_os = "linux")]
mod attack;
#[cfg(not(target_os = "linux"))]
#[path = "../tracer/elsewhere.rs"]
mod elsewhere;
#[cfg(target_os = "linux")]
mod engines;
#[cfg(target_os = "linux")]
mod fuzz;
#[cfg(target_os = "linux")]
mod judge;
#[cfg(target_os = "linux")]
#[path = "../tracer/needs.rs"]
#[expect(dead_code, reason = "the tracer's trials need more")]
mod needs;
#[cfg(target_os = "linux")]
mod trials;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Returns only on failure.
        ["--become", ..] => match trials::become_ordinary(&arguments[1..]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        ["--fuzz", ..] => fuzz::main(&arguments[1..]),
        ["--judge", name, program, folder] => trials::judge_text(name, program, folder),
        _ => libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials::all()).exit_code(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    elsewhere::main("attacks")
}
