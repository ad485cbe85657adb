//! Runs small programs under the tracer, and checks which calls count.
//!
//! Where nothing can be traced, trials are ignored with the reason. They fail under
//! `SYSGUARD_REQUIRE=1`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{self, ExitCode};
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use reach::observe::{Observed, observe};
use sysguard::unstable::linux::{Command, Environment, Limits, Stream, TraceError};
use sysguard::unstable::model::run::workload::Exit;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A run treats all new children of this process as its own.
    arguments.test_threads = Some(1);
    let trial = Trial::ignorable_test("calls_of_other_programs_do_not_count", || {
        let program = Path::new("/bin/true");
        match run(program, &[], program) {
            Ok(_) => {
                calls_of_other_programs_do_not_count();
                Ok(Completion::Completed)
            }
            Err(error) => without(error.to_string()),
        }
    });
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

/// Returns the result of a trial that lacks something, for this reason.
fn without(reason: String) -> Result<Completion, Failed> {
    let required = std::env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1");
    if required { Err(reason.into()) } else { Ok(Completion::ignored_with(reason)) }
}

fn run(program: &Path, arguments: &[&str], counted: &Path) -> Result<Observed, TraceError> {
    let null =
        || Stream::Given(fs::OpenOptions::new().read(true).write(true).open("/dev/null").expect("a file").into());
    let words = [program.to_str().expect("text")].into_iter().chain(arguments.iter().copied());
    let command = Command {
        program: program.to_owned(),
        argv: words.map(OsString::from).collect(),
        environment: Environment::Exactly(vec![("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: None,
        scratch: None,
        stdio: [null(), null(), null()],
        isolated: true,
        filters: Vec::new(),
    };
    let limits = Limits { timeout: Some(Duration::from_secs(60)), stop: None, grace: Duration::from_secs(2) };
    observe(command, counted, &limits)
}

fn names(observed: &Observed) -> BTreeSet<String> {
    observed.calls.iter().map(|syscall| syscall.name().into_owned()).collect()
}

fn calls_of_other_programs_do_not_count() {
    let run = |program: &Path, arguments: &[&str], counted: &Path| run(program, arguments, counted).expect("a run");
    let folder = tempfile::tempdir().expect("a folder");
    let source = "#include <sys/socket.h>\nint main(void) { return socket(AF_INET, SOCK_DGRAM, 0) < 0; }\n";
    fs::write(folder.path().join("talk.c"), source).expect("a file");
    let compiled = process::Command::new("cc").args(["talk.c", "-o", "talk"]).current_dir(folder.path()).status();
    assert!(compiled.expect("cc starts").success());
    let talk = folder.path().join("talk");
    let shell = fs::canonicalize("/bin/sh").expect("a shell");
    let script = format!("{}; exit 3", talk.display());
    let of_shell = run(&shell, &["-c", &script], &shell);
    assert_eq!((of_shell.exit, of_shell.executed_others), (Exit::Exited(3), true));
    assert!(names(&of_shell).contains("execve") && !names(&of_shell).contains("socket"), "{of_shell:?}");
    assert!(of_shell.mapped.contains(&shell) && !of_shell.mapped.contains(&talk), "{of_shell:?}");
    let of_talk = run(&shell, &["-c", &script], &talk);
    assert!(names(&of_talk).contains("socket") && !names(&of_talk).contains("execve"), "{of_talk:?}");
    let alone = run(&talk, &[], &talk);
    assert_eq!((names(&alone), alone.executed_others), (names(&of_talk), false));
    assert!(!alone.generates_code);
}
