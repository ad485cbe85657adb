//! Tests of injected faults with real processes: what each program sees of a fault, how calls are
//! found again in other runs, and what is left of runs that hang.
//!
//! The programs are in `programs/`. `explore --measure PROGRAM…` prints how many calls repeat, and
//! how many attempts a second can be made. A trial with missing needs is ignored with its reason,
//! and fails under `SYSGUARD_REQUIRE=1`.

#[cfg(target_os = "linux")]
mod debugger;
#[cfg(not(target_os = "linux"))]
#[path = "../tracer/elsewhere.rs"]
mod elsewhere;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
#[path = "../tracer/needs.rs"]
#[expect(dead_code, reason = "the tracer's trials need more")]
mod needs;
#[cfg(target_os = "linux")]
mod points;
#[cfg(target_os = "linux")]
mod workload;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use sysguard::unstable::runner::serve_if_guardian;
    use sysguard::unstable::settings::RawSettings;
    if serve_if_guardian(&RawSettings::from_env()) {
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--measure", ref programs @ ..] => measure::main(programs),
        [mode @ ("--hang" | "--debug"), folder] => ends::become_tool(mode, folder.as_ref()),
        _ => {
            let trials = [faults::trials(), points::trials(), debugger::trials(), ends::trials()];
            let trials = trials.into_iter().flatten().collect();
            libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit_code()
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    elsewhere::main("explore")
}
