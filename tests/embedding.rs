//! `Tracer`, the builder for Rust code, against real programs.

#[cfg(target_os = "linux")]
#[path = "tracer/needs.rs"]
#[expect(dead_code, reason = "the tracer's trials need more")]
mod needs;

use std::process::{Command, ExitCode};
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Trial};
use sysguard::{Engine, Exit, Rule, Subsystem, Tracer};

/// Returns a trial that is ignored with its reason where programs cannot be traced by this engine.
fn trial(name: &str, engine: Engine, run: fn()) -> Trial {
    Trial::ignorable_test(name, move || match Tracer::new("true").engine(engine).run() {
        Ok(_) => {
            run();
            Ok(Completion::Completed)
        }
        #[cfg(target_os = "linux")]
        Err(reason) => needs::without(reason.to_string()),
        #[cfg(not(target_os = "linux"))]
        Err(reason) => Ok(Completion::ignored_with(reason.to_string())),
    })
}

fn main() -> ExitCode {
    let trials = vec![
        trial("observation_and_exit_are_returned", Engine::Ptrace, observation_and_exit_are_returned),
        trial(
            "other_children_of_the_thread_are_left_alone",
            Engine::Ptrace,
            other_children_of_the_thread_are_left_alone,
        ),
        trial("tracers_run_side_by_side", Engine::Ptrace, tracers_run_side_by_side),
        trial("engines_show_the_same_uses", Engine::Notify, engines_show_the_same_uses),
        trial("rules_by_path_and_range_match_single_calls", Engine::Notify, rules_by_path_and_range_match_single_calls),
        trial("a_timeout_ends_the_tree", Engine::Ptrace, a_timeout_ends_the_tree),
        trial("a_missing_program_is_named", Engine::Ptrace, a_missing_program_is_named),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn null() -> std::fs::File {
    std::fs::File::create("/dev/null").expect("the device")
}

fn observation_and_exit_are_returned() {
    let traced = Tracer::new("sh").args(["-c", "cat /proc/self/status > $OUT; exit 7"]).env("OUT", "/dev/null");
    let traced = traced.run().expect("it runs");
    assert_eq!(traced.exit, Exit::Exited(7));
    assert_eq!(traced.observation.calls_of("execve"), 2);
    assert!(!traced.observation.uses(Subsystem::Network));
    assert_eq!(traced.observation.processes, 2);
}

fn other_children_of_the_thread_are_left_alone() {
    let mut child = Command::new("sh").args(["-c", "exit 5"]).spawn().expect("a child");
    Tracer::new("sleep").arg("0.2").run().expect("it runs");
    assert_eq!(child.wait().expect("still a child").code(), Some(5));
}

fn tracers_run_side_by_side() {
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

fn engines_show_the_same_uses() {
    let run = |engine| {
        Tracer::new("cat").arg("/proc/self/maps").stdout(null()).engine(engine).run().map(|traced| traced.observation)
    };
    let [notified, traced] = [Engine::Notify, Engine::Ptrace].map(|engine| run(engine).expect("it runs"));
    assert!(notified.uses.keys().eq(traced.uses.keys()));
}

fn rules_by_path_and_range_match_single_calls() {
    let script = "cat < /proc/sys/kernel/ostype > /dev/null; cat $HOME/notes; exec 3<>/dev/tcp/127.0.0.1/9";
    let range = Rule::from("connect").address("127.0.0.0/30:9");
    let other = Rule::default().address("10.0.0.0/8");
    let (path, home) = (Rule::from("openat").path("/proc/sys/kernel/os*"), Rule::default().path("~/notes"));
    for engine in [Engine::Ptrace, Engine::Notify] {
        let bash = Tracer::new("bash").args(["-c", script]).env("HOME", "/nowhere").engine(engine);
        let rules = [range.clone(), other.clone(), path.clone(), home.clone()];
        let seen = bash.rules(rules).run().expect("it runs").observation;
        seen.forbid(other.clone());
        for (rule, calls) in [(&range, 1), (&path, 1), (&home, 1)] {
            assert_eq!(seen.calls_of(rule.clone()), calls, "{engine:?}: {rule:?}");
        }
        seen.forbid(path.clone().writes());
    }
}

fn a_timeout_ends_the_tree() {
    let traced = Tracer::new("sleep").arg("60").timeout(Duration::from_millis(300)).run().expect("it runs");
    assert_eq!(traced.exit, Exit::TimedOut);
}

fn a_missing_program_is_named() {
    let error = Tracer::new("no-such-program-is-there").run().expect_err("it is missing").to_string();
    assert!(error.starts_with("cannot execute no-such-program-is-there: "), "{error}");
    let error = Tracer::new("/etc/passwd").run().expect_err("it is no program").to_string();
    assert!(error.contains("/etc/passwd is not an executable file"), "{error}");
}
