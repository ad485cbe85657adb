//! Deterministic programs of the machine are counted as strace counts them.

use std::time::Duration;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::unstable::model::kernel::syscall::Abi;
use sysguard::unstable::model::run::workload::Exit;

use crate::needs::{self, Need};
use crate::referee;
use crate::seen::{NATIVE, Watched};
use crate::trials::{ensure_eq, watch};

/// Returns a trial for each program.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, script): &'static (&str, &str)| {
        let needs = [*name, "strace"].map(|program| Need::Program(program.to_owned()));
        Trial::ignorable_test(format!("programs::as_strace_counts::{name}"), move || {
            needs::unmet(&needs).unwrap_or_else(|| counts_as_strace_does(script).map(|()| Completion::Completed))
        })
    };
    REFEREED.iter().map(trial).collect()
}

/// Deterministic programs, with fixed input in a fresh directory.
const REFEREED: &[(&str, &str)] = &[
    ("ls", "ls -l"),
    ("git", "git status"),
    (
        "sqlite3",
        "sqlite3 data.db 'create table if not exists t(x); insert into t values(1); select count(*) from t; delete from t'",
    ),
    ("python3", "python3 -S -E -c 'import json; print(json.dumps([1, 2]))'"),
    ("sort", "sort words"),
    ("tar", "tar -cf archive.tar words"),
    ("gzip", "gzip -kfn words"),
    ("sh", "sort words; uniq words; wc words"),
];

fn counts_as_strace_does(script: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("words"), "stop\nevent\nstop\n")?;
    let prepare = ["git init -q . && git add words && git status", script];
    let watched = |script: &str| Watched { cwd: Some(folder.path().to_owned()), ..Watched::shell(script) };
    for script in prepare {
        watched(script).watch()?;
    }
    // git checks files again that are newer than its index.
    std::thread::sleep(Duration::from_millis(1100));
    watched(script).watch()?;

    let theirs = referee::strace(&watched(script))?;
    let seen = watch(watched(script))?;
    ensure_eq!(seen.outcome.exit, Exit::Exited(0));
    ensure_eq!(seen.counts.keys().all(|(abi, _)| *abi == NATIVE || *abi == Abi::X86_64), true);
    referee::agrees(&seen, &theirs, &[]).map_err(|differing| format!("{script}: {differing}").into())
}
