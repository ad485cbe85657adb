//! Tests of the tracer with real processes: each trial traces one small program and compares the
//! events with the truth written beside it.
//!
//! The programs are in `tracees/`. The Rust ones are in this binary: `tracer --tracee NAME` runs
//! that program. A trial with missing needs is ignored with its reason, and fails under
//! `SYSGUARD_REQUIRE=1`.

#[cfg(target_os = "linux")]
mod callers;
#[cfg(target_os = "linux")]
mod case;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
mod examine;
#[cfg(target_os = "linux")]
mod fidelity;
#[cfg(target_os = "linux")]
mod kinds;
#[cfg(target_os = "linux")]
mod launches;
#[cfg(target_os = "linux")]
mod loads;
#[cfg(target_os = "linux")]
mod log;
#[cfg(target_os = "linux")]
mod multiplexers;
#[cfg(target_os = "linux")]
mod needs;
#[cfg(target_os = "linux")]
mod objects;
#[cfg(target_os = "linux")]
mod programs;
#[cfg(target_os = "linux")]
mod referee;
#[cfg(target_os = "linux")]
mod seen;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
#[path = "../tracees/mod.rs"]
mod tracees;
#[cfg(target_os = "linux")]
mod trials;
#[cfg(target_os = "linux")]
mod under_load;

#[cfg(target_os = "linux")]
use std::io::Write;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--tracee", name, ..] => tracees::become_tracee(name),
        ["--plain", ref command @ ..] => tracees::become_plain(command),
        ["--trace", name] => ends::become_tool(name),
        ["--table"] => {
            std::io::stdout().write_all(table::text().as_bytes()).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        ["--build", compiler, folder] => match examine::build_all(compiler, Path::new(folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => {
                // Printed for the person that builds for another machine.
                let _ = writeln!(std::io::stderr(), "{}", failed.message().unwrap_or_default());
                ExitCode::FAILURE
            }
        },
        _ => libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials::all()).exit_code(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    elsewhere::main("tracing")
}
