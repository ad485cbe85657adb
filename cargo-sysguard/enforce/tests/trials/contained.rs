//! Trials of workloads in containers of the installed runc.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use enforce::Policy;
use enforce::policy::{Action, Calls, Options};
use enforce::runtimes::Runtime;
use enforce::trials::Kind;
use enforce::trials::container::Container;
use libtest_mimic::{Completion, Failed, Trial};
use serde_json::{Value, json};

use super::workload::{Blessed, RUNS, ignored};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::ignorable_test("container_works_with_the_calls_of_its_runtime", works_with_the_calls_of_its_runtime),
        Trial::ignorable_test("container_needs_the_calls_of_its_runtime", needs_the_calls_of_its_runtime),
        Trial::ignorable_test("container_without_runc_is_not_run", without_runc_is_not_run),
    ]
}

/// Returns a profile of the OCI runtime-spec, without tests of registers.
fn profile(policy: &Policy) -> Value {
    let names = policy.allowed.iter().filter(|(_, allowed)| allowed.calls == Calls::All);
    let names: Vec<String> = names.map(|(syscall, _)| syscall.name().into_owned()).collect();
    let mut profile = json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,
        "syscalls": [{ "names": names, "action": "SCMP_ACT_ALLOW" }],
    });
    if policy.otherwise == Action::Kill {
        profile["defaultAction"] = "SCMP_ACT_KILL_PROCESS".into();
        profile.as_object_mut().map(|fields| fields.remove("defaultErrnoRet"));
    }
    profile
}

/// Returns the installed runtime as `--runtime` takes it, or why no container can be run.
fn runtime() -> Result<&'static Runtime, String> {
    let container = Container::find(Value::Null).map_err(|reason| format!("runc: {reason}"))?;
    let minor: Vec<&str> = container.version.split('.').take(2).collect();
    let name = format!("runc@{}", minor.join("."));
    Runtime::named(&name).ok_or_else(|| format!("the calls of {name} are not known"))
}

fn works_with_the_calls_of_its_runtime() -> Result<Completion, Failed> {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(reason) => return ignored(&reason),
    };
    let blessed = Blessed::command(&["sh", "-c", "mkdir made; ls / | wc -l; exit 3"], "exit: 3\n")?;
    for action in [Action::Unimplemented, Action::Kill] {
        let options = Options { action, runtime: Some(runtime), ..Options::default() };
        let policy = blessed.policy(&options)?;
        let trials = blessed.tried_in(&policy, Container::find(profile(&policy)))?;
        match &trials.contained {
            Err(reason) => return ignored(reason),
            Ok(runs) => assert_eq!(*runs, RUNS.get().div_ceil(4)),
        }
        assert!(trials.passed(), "{action:?}: {trials:#?}");
    }
    Ok(Completion::Completed)
}

fn needs_the_calls_of_its_runtime() -> Result<Completion, Failed> {
    if let Err(reason) = runtime() {
        return ignored(&reason);
    }
    let blessed = Blessed::command(&["true"], "")?;
    let policy = blessed.policy(&Options::default())?;
    let trials = blessed.tried_in(&policy, Container::find(profile(&policy)))?;
    if let Err(reason) = &trials.contained {
        return ignored(reason);
    }
    let kinds: Vec<Kind> = trials.wrong_ends.iter().map(|end| end.kind).collect();
    assert_eq!(kinds, [Kind::Contained], "natively it passes: {trials:#?}");
    Ok(Completion::Completed)
}

/// In a process of its own, since it changes `PATH`.
fn without_runc_is_not_run() -> Result<Completion, Failed> {
    const WITHOUT: &str = "ENFORCE_TRIALS_WITHOUT_RUNC";
    if env::var_os(WITHOUT).is_some() {
        assert_eq!(Container::find(Value::Null), Err("not installed".to_owned()));
        return Ok(Completion::Completed);
    }
    let this = fs::read_link("/proc/self/exe")?;
    let name = "container_without_runc_is_not_run";
    let output =
        Command::new(this).args([name, "--exact"]).env(WITHOUT, "1").env("PATH", Path::new("/nowhere")).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() { Ok(Completion::Completed) } else { Err(text.into_owned().into()) }
}
