//! The trials: a program, and the truth about it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::linux::TraceError;
use sysguard::model::syscall::Abi;
use sysguard::model::workload::{Exit, StopAfter};

use crate::seen::{Count, NATIVE, Seen, Watched};
use crate::{ends, examine, referee};

/// Every trial.
pub(crate) fn all() -> Vec<Trial> {
    let mut trials: Vec<Trial> = PROVOCATIONS.iter().map(|(name, trial)| provocation(name, *trial)).collect();
    trials.extend(examine::trials());
    trials.extend(ends::trials());
    trials.extend(REFEREED.iter().map(|(name, script)| refereed(name, script)));
    trials
}

type Check = fn() -> Result<(), Failed>;

/// Name and trial.
const PROVOCATIONS: &[(&str, Check)] = &[
    ("counts_200000_calls_to_the_last_one", counts_to_the_last_one),
    ("follows_200_threads", follows_threads),
    ("follows_1000_children", follows_children),
    ("keeps_unknown_numbers", keeps_unknown_numbers),
    ("follows_an_exec_from_another_thread", follows_exec_in_thread),
    ("counts_an_exit_from_another_thread", counts_exit_in_thread),
    ("isolates_a_workload", isolates),
    ("eight_at_a_time_never_mix", eight_at_a_time),
    ("a_timeout_leaves_nobody", timeout_leaves_nobody),
    ("a_grace_leaves_nobody", grace_leaves_nobody),
    ("a_stop_ends_a_server", stop_ends),
    ("tells_how_it_ended", tells_the_end),
    ("says_what_cannot_be_executed", says_what_cannot_be_executed),
];

fn provocation(name: &str, trial: Check) -> Trial {
    Trial::ignorable_test(name, move || match trial() {
        Ok(()) => Ok(Completion::Completed),
        Err(failed) => Err(failed),
    })
}

/// Fails with both sides.
macro_rules! ensure_eq {
    ($left:expr, $right:expr) => {
        let (left, right) = (&$left, &$right);
        if left != right {
            return Err(format!("{}: {left:?} is not {right:?}", stringify!($left)).into());
        }
    };
}

fn watch(watched: Watched) -> Result<Seen, Failed> {
    let seen = watched.watch()?;
    ensure_eq!(seen.outcome.lost_events, 0);
    ensure_eq!(seen.ended, seen.threads);
    Ok(seen)
}

fn counts_to_the_last_one() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("many_calls"))?;
    ensure_eq!(seen.calls("getppid"), 200_000);
    ensure_eq!((seen.processes, seen.threads), (1, 1));
    Ok(())
}

fn follows_threads() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("many_threads"))?;
    ensure_eq!(seen.calls("getppid"), 200 * 50);
    ensure_eq!((seen.processes, seen.threads), (1, 201));
    Ok(())
}

fn follows_children() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("many_children"))?;
    ensure_eq!(seen.calls("getppid"), 1000);
    ensure_eq!((seen.processes, seen.threads), (1001, 1001));
    Ok(())
}

fn keeps_unknown_numbers() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("unknown_numbers"))?;
    let once = Count { calls: 1, errors: 1, ..Count::default() };
    ensure_eq!(seen.count(NATIVE, "syscall_0x3e7"), once);
    ensure_eq!(seen.count(NATIVE, "syscall_-1"), once);
    Ok(())
}

fn follows_exec_in_thread() -> Result<(), Failed> {
    let seen = watch_dying_threads(Watched::tracee("exec_in_thread"))?;
    ensure_eq!(seen.outcome.exit, Exit::Exited(0));
    ensure_eq!((seen.processes, seen.threads), (1, 5));
    ensure_eq!(seen.count(NATIVE, "execve"), Count { calls: 2, ..Count::default() });
    Ok(())
}

/// The number of a thread that executes a program is never heard of again, so one end fewer than threads is seen.
fn watch_dying_threads(watched: Watched) -> Result<Seen, Failed> {
    let seen = watched.watch()?;
    ensure_eq!(seen.outcome.lost_events, 0);
    ensure_eq!(seen.ended, seen.threads - 1);
    Ok(seen)
}

fn counts_exit_in_thread() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("exit_in_thread"))?;
    ensure_eq!(seen.outcome.exit, Exit::Exited(42));
    ensure_eq!(seen.calls("exit_group"), 1);
    ensure_eq!(seen.calls("clock_nanosleep"), 1);
    Ok(())
}

fn isolates() -> Result<(), Failed> {
    ensure_eq!(watch(Watched::tracee("own_session"))?.outcome.exit, Exit::Exited(0));
    let seen = watch(Watched::shell(
        "umask; ulimit -Sc; ulimit -Ss; ulimit -Sn; exec grep -E '^Sig(Blk|Ign)' /proc/self/status",
    ))?;
    let none = "0000000000000000";
    ensure_eq!(seen.output, format!("0022\n0\n8192\n1024\nSigBlk:\t{none}\nSigIgn:\t{none}\n"));
    Ok(())
}

/// Each runs a loop of a length of its own; a stray event would show as a wrong count.
fn eight_at_a_time() -> Result<(), Failed> {
    let one = |length: u64| {
        move || {
            let script = format!("i=0; while [ $i -lt {length} ]; do i=$((i+1)); kill -0 $$; done; exit {length}");
            watch(Watched::shell(&script)).map(|seen| (seen.calls("kill"), seen.outcome.exit))
        }
    };
    let running: Vec<_> = (1..=8).map(|n| (n, std::thread::spawn(one(n * 20)))).collect();
    for (n, thread) in running {
        let length = n * 20;
        let seen = thread.join().map_err(|_| "a tracer panicked")??;
        ensure_eq!(seen, (length, Exit::Exited(length as i32)));
    }
    Ok(())
}

/// Whether anybody runs with this word on its command line.
fn anybody_with(word: &str) -> bool {
    std::fs::read_dir("/proc").expect("/proc").flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes()))
    })
}

fn timeout_leaves_nobody() -> Result<(), Failed> {
    let mut watched = Watched::shell("sleep 61.61 & (trap '' TERM HUP INT; setsid sleep 61.61) & sleep 61.61");
    watched.limits.timeout = Some(Duration::from_millis(500));
    let begun = Instant::now();
    let seen = watch(watched)?;
    ensure_eq!(seen.outcome.exit, Exit::TimedOut);
    ensure_eq!(begun.elapsed() < Duration::from_secs(30), true);
    ensure_eq!(anybody_with("61.61"), false);
    Ok(())
}

fn grace_leaves_nobody() -> Result<(), Failed> {
    let mut watched = Watched::shell("setsid sleep 62.62 & sleep 62.62 & exit 3");
    watched.limits.grace = Duration::from_millis(300);
    let seen = watch(watched)?;
    ensure_eq!((seen.outcome.exit, seen.outcome.killed_stragglers), (Exit::Exited(3), 2));
    ensure_eq!(anybody_with("62.62"), false);
    Ok(())
}

fn stop_ends() -> Result<(), Failed> {
    let mut watched = Watched::shell("trap 'exit 5' TERM; while :; do sleep 0.05; done");
    watched.limits.stop = Some(StopAfter { after: Duration::from_millis(400), signal: libc::SIGTERM });
    ensure_eq!(watch(watched)?.outcome.exit, Exit::Exited(5));
    Ok(())
}

fn tells_the_end() -> Result<(), Failed> {
    for (script, exit) in [
        ("exit 0", Exit::Exited(0)),
        ("exit 255", Exit::Exited(255)),
        ("kill -KILL $$", Exit::Signaled(9)),
        ("kill -SEGV $$", Exit::Signaled(11)),
        ("kill -34 $$", Exit::Signaled(34)),
        ("kill -64 $$", Exit::Signaled(64)),
        ("(sleep 0.2; kill -CONT $$) & kill -STOP $$; wait; exit 7", Exit::Exited(7)),
        ("trap 'exit 9' TRAP; kill -TRAP $$", Exit::Exited(9)),
    ] {
        let seen = watch(Watched::shell(script))?;
        if seen.outcome.exit != exit {
            return Err(format!("{script}: {:?} is not {exit:?}", seen.outcome.exit).into());
        }
    }
    Ok(())
}

fn says_what_cannot_be_executed() -> Result<(), Failed> {
    let text = tempfile::NamedTempFile::new()?;
    std::fs::set_permissions(text.path(), PermissionsExt::from_mode(0o755))?;
    for (program, errno) in [(Path::new("/nowhere"), libc::ENOENT), (Path::new("/"), libc::EACCES)] {
        match Watched::program(program, &[]).watch() {
            Err(TraceError::Exec { source, .. }) if source.raw_os_error() == Some(errno) => {}
            other => return Err(format!("{}: {other:?}", program.display()).into()),
        }
    }
    Ok(())
}

/// Programs of the machine that repeat exactly, with fixed input in a fresh directory.
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

fn refereed(name: &'static str, script: &'static str) -> Trial {
    Trial::ignorable_test(format!("counts_as_strace_does::{name}"), move || {
        for program in [name, "strace"] {
            if !is_installed(program) {
                return missing(program);
            }
        }
        counts_as_strace_does(script).map(|()| Completion::Completed)
    })
}

/// Ignored, unless everything is required.
fn missing(program: &str) -> Result<Completion, Failed> {
    let reason = format!("{program} is not installed");
    if std::env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1") {
        return Err(reason.into());
    }
    Ok(Completion::ignored_with(reason))
}

fn is_installed(program: &str) -> bool {
    ["/usr/local/bin", "/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
}

fn counts_as_strace_does(script: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("words"), "stop\nevent\nstop\n")?;
    let prepare = ["git init -q . && git add words && git status", script];
    let watched = |script: &str| Watched { cwd: Some(folder.path().to_owned()), ..Watched::shell(script) };
    for script in prepare {
        watched(script).watch()?;
    }
    // Files younger than git's index are looked at again.
    std::thread::sleep(Duration::from_millis(1100));
    watched(script).watch()?;

    let theirs = referee::strace(&watched(script))?;
    let seen = watch(watched(script))?;
    ensure_eq!(seen.outcome.exit, Exit::Exited(0));
    ensure_eq!(seen.counts.keys().all(|(abi, _)| *abi == NATIVE || *abi == Abi::X86_64), true);
    let exits = ["exit", "exit_group"];
    let ours: Vec<_> = seen
        .counts
        .iter()
        .map(|((_, name), count)| (name.clone(), *count))
        .filter(|(name, _)| !exits.contains(&&**name))
        .collect();
    let theirs: Vec<_> = theirs.into_iter().filter(|(name, _)| !exits.contains(&&**name)).collect();
    if ours != theirs {
        let differing: Vec<_> = ours
            .iter()
            .map(|row| ("ours", row))
            .filter(|(_, row)| !theirs.contains(row))
            .chain(theirs.iter().map(|row| ("strace", row)).filter(|(_, row)| !ours.contains(row)))
            .collect();
        return Err(format!("{script}: {differing:#?}").into());
    }
    Ok(())
}
