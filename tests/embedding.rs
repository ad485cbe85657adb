//! `Tracer`, the builder for Rust code, against real programs.

use std::process::Command;
use std::time::Duration;

use sysguard::{Engine, Exit, Subsystem, Tracer};

/// Whether programs can be traced here; the tests pass without a look where they cannot, unless
/// `SYSGUARD_REQUIRE` is 1.
fn can_trace() -> bool {
    let can = Tracer::new("true").run().is_ok();
    let required = std::env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1");
    assert!(can || !required, "tracing is impossible here");
    can
}

fn null() -> std::fs::File {
    std::fs::File::create("/dev/null").expect("the device")
}

#[test]
fn observation_and_exit_are_returned() {
    if !can_trace() {
        return;
    }
    let traced = Tracer::new("sh").args(["-c", "cat /proc/self/status > $OUT; exit 7"]).env("OUT", "/dev/null");
    let traced = traced.run().expect("it runs");
    assert_eq!(traced.exit, Exit::Exited(7));
    assert_eq!(traced.observation.calls_of("execve"), 2);
    assert!(!traced.observation.uses(Subsystem::Network));
    assert_eq!(traced.observation.processes, 2);
}

#[test]
fn other_children_of_the_thread_are_left_alone() {
    if !can_trace() {
        return;
    }
    let mut child = Command::new("sh").args(["-c", "exit 5"]).spawn().expect("a child");
    Tracer::new("sleep").arg("0.2").run().expect("it runs");
    assert_eq!(child.wait().expect("still a child").code(), Some(5));
}

#[test]
fn tracers_run_side_by_side() {
    if !can_trace() {
        return;
    }
    let run = |calls: usize| {
        let script = format!("for i in $(seq {calls}); do ls / > /dev/null; done");
        Tracer::new("sh").args(["-c", &script]).run().expect("it runs").observation.calls_of("execve")
    };
    let counts = std::thread::scope(|scope| {
        let threads: Vec<_> = [3, 5, 7].into_iter().map(|calls| scope.spawn(move || run(calls))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    // The shell, `seq`, and each `ls`.
    assert_eq!(counts, [5, 7, 9]);
}

#[test]
fn engines_show_the_same_uses() {
    if !can_trace() {
        return;
    }
    let run = |engine| {
        Tracer::new("cat").arg("/proc/self/maps").stdout(null()).engine(engine).run().map(|traced| traced.observation)
    };
    let Ok(notified) = run(Engine::Notify) else { return };
    let traced = run(Engine::Ptrace).expect("it runs");
    assert!(notified.uses.keys().eq(traced.uses.keys()));
}

#[test]
fn a_timeout_ends_the_tree() {
    if !can_trace() {
        return;
    }
    let traced = Tracer::new("sleep").arg("60").timeout(Duration::from_millis(300)).run().expect("it runs");
    assert_eq!(traced.exit, Exit::TimedOut);
}

#[test]
fn a_missing_program_is_named() {
    let error = Tracer::new("no-such-program-is-there").run().expect_err("it is missing").to_string();
    assert!(error.starts_with("cannot execute no-such-program-is-there: "), "{error}");
    let error = Tracer::new("/etc/passwd").run().expect_err("it is no program").to_string();
    assert!(error.contains("/etc/passwd is not an executable file"), "{error}");
}
