//! Trials of workloads under filters, without a container.

use std::fs;

use enforce::policy::{Action, Denial, Options};
use enforce::trials::{Denied, Kind, Trials};
use enforce::{Calls, Policy};
use libtest_mimic::{Failed, Trial};
use sysguard::unstable::model::kernel::syscall::Syscall;
use sysguard::unstable::model::run::workload::Exit;

use super::workload::Blessed;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("unchanged_workload_passes", unchanged_workload_passes),
        Trial::test("denied_call_is_named_with_its_process", denied_call_is_named),
        Trial::test("denied_call_is_named_if_it_kills", denied_call_is_named_if_it_kills),
        Trial::test("refused_call_fails_with_eperm", refused_call_fails_with_eperm),
        Trial::test("wrong_end_alone_is_a_failure", wrong_end_alone_is_a_failure),
    ]
}

/// Makes a directory in a child of the shell. The first mkdir fails, so that the baseline holds the
/// calls of its error message.
const MKDIR: [&str; 3] = ["sh", "-c", "mkdir made/deep || mkdir made; test -d made"];

fn without(policy: &mut Policy, names: &[&str]) -> Result<(), Failed> {
    for name in names {
        let syscall = Syscall::from_name(policy.native, name).ok_or("no such call")?;
        policy.allowed.remove(&syscall);
    }
    Ok(())
}

/// Returns the denied call of the second mkdir.
fn of_mkdir(trials: &Trials) -> Result<&Denied, Failed> {
    let is_it =
        |denied: &&Denied| denied.syscall.name() == "mkdir" && denied.example.origin().ends_with("→ mkdir made");
    let denied = trials.denied.iter().find(is_it);
    denied.ok_or_else(|| format!("{:#?}", trials.denied).into())
}

fn unchanged_workload_passes() -> Result<(), Failed> {
    let blessed = Blessed::command(&["sh", "-c", "cat /etc/passwd | wc -l"], "")?;
    for action in [Action::Unimplemented, Action::Kill] {
        for arguments in [false, true] {
            let options = Options { action, arguments, ..Options::default() };
            let trials = blessed.tried(&blessed.policy(&options)?)?;
            assert!(trials.passed(), "{trials:#?}");
            assert_eq!((trials.traced, trials.untraced, trials.busy), (2, 2, 2));
            assert!(trials.programs.iter().any(|program| program.ends_with("wc")), "{:?}", trials.programs);
        }
    }
    Ok(())
}

fn denied_call_is_named() -> Result<(), Failed> {
    let blessed = Blessed::command(&MKDIR, "")?;
    let mut policy = blessed.policy(&Options::default())?;
    without(&mut policy, &["mkdir", "mkdirat"])?;
    let trials = blessed.tried(&policy)?;
    let Denied { denial, example, site, count, runs, .. } = of_mkdir(&trials)?;
    assert_eq!((*denial, *count, *runs), (Denial::NotAllowed, 2, 2));
    assert!(example.call.starts_with("mkdir(\"made\", 0777)"), "{}", example.call);
    assert_eq!(example.origin(), "sh -c … → mkdir made");
    assert!(site.as_ref().is_ok_and(|site| site.words.contains("mkdir")), "{site:?}");
    let ends: Vec<_> = trials.wrong_ends.iter().map(|end| (end.kind, end.exit, end.runs)).collect();
    assert_eq!(ends, [(Kind::Traced, Exit::Exited(1), 2), (Kind::Untraced, Exit::Exited(1), 2)]);
    assert!(trials.wrong_ends[1].output.contains("Function not implemented"), "{:?}", trials.wrong_ends);
    Ok(())
}

fn denied_call_is_named_if_it_kills() -> Result<(), Failed> {
    let blessed = Blessed::command(&["mkdir", "made"], "")?;
    let mut policy = blessed.policy(&Options { action: Action::Kill, ..Options::default() })?;
    without(&mut policy, &["mkdir", "mkdirat"])?;
    let trials = blessed.tried(&policy)?;
    assert_eq!(trials.denied.len(), 1, "{:#?}", trials.denied);
    assert!(trials.denied[0].example.call.starts_with("mkdir(\"made\""), "{:?}", trials.denied);
    const SIGSYS: i32 = 31;
    let ends: Vec<_> = trials.wrong_ends.iter().map(|end| (end.kind, end.exit)).collect();
    assert_eq!(ends, [(Kind::Traced, Exit::Signaled(SIGSYS)), (Kind::Untraced, Exit::Signaled(SIGSYS))]);
    Ok(())
}

fn refused_call_fails_with_eperm() -> Result<(), Failed> {
    let blessed = Blessed::command(&MKDIR, "")?;
    for action in [Action::Unimplemented, Action::Kill] {
        let mut policy = blessed.policy(&Options { action, ..Options::default() })?;
        let mkdir = Syscall::from_name(policy.native, "mkdir").ok_or("no such call")?;
        policy.refused.insert(mkdir, Calls::All);
        let trials = blessed.tried(&policy)?;
        assert_eq!(of_mkdir(&trials)?.denial, Denial::Refused);
        let end = trials.wrong_ends.last().ok_or("it ended well")?;
        assert!(end.output.contains("Operation not permitted"), "{action:?}: {end:?}");
    }
    Ok(())
}

fn wrong_end_alone_is_a_failure() -> Result<(), Failed> {
    let blessed = Blessed::command(&["sh", "-c", "exit $(cat status)"], "cwd: .\nexit: 3\n")?;
    let policy = blessed.policy(&Options::default())?;
    assert!(blessed.tried(&policy)?.passed());
    fs::write(blessed.folder().join("status"), "4")?;
    let trials = blessed.tried(&policy)?;
    assert_eq!(trials.denied, []);
    let ends: Vec<_> = trials.wrong_ends.iter().map(|end| (end.kind, end.exit, end.runs)).collect();
    assert_eq!(ends, [(Kind::Traced, Exit::Exited(4), 2), (Kind::Untraced, Exit::Exited(4), 2)]);
    Ok(())
}
