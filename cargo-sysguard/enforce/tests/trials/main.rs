//! Trials with real processes: workloads under the filters of policies, natively and in containers.
//!
//! A trial with missing needs is ignored with its reason, and fails under `SYSGUARD_REQUIRE=1`.

#[cfg(target_os = "linux")]
mod contained;
#[cfg(target_os = "linux")]
mod native;
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
    let trials = native::trials().into_iter().chain(contained::trials()).collect();
    // A run without a tracer takes every child of this process for its own.
    let arguments = libtest_mimic::Arguments { test_threads: Some(1), ..libtest_mimic::Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    let nothing = vec![libtest_mimic::Trial::ignorable_test("trials", || {
        Ok(libtest_mimic::Completion::ignored_with("seccomp needs Linux"))
    })];
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), nothing).exit_code()
}
