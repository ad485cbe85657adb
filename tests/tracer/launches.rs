//! How a program is started, and how it ends by itself.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Failed;
use sysguard::unstable::linux::TraceError;
use sysguard::unstable::model::run::workload::{Exit, StopAfter};

use crate::seen::Watched;
use crate::trials::{Plain, ensure_eq, watch};

/// Trial names and functions.
pub(crate) const TRIALS: &[Plain] = &[
    ("launches::isolated_from_its_caller", isolates),
    ("launches::exec_errors_are_reported", reports_exec_errors),
    ("launches::the_end_is_reported", reports_the_end),
    ("launches::the_stop_signal_is_sent_once", sends_the_stop_signal),
    ("launches::stragglers_are_counted", counts_stragglers),
];

fn isolates() -> Result<(), Failed> {
    ensure_eq!(watch(Watched::tracee("own_session"))?.outcome.exit, Exit::Exited(0));
    let seen = watch(Watched::shell(
        "umask; ulimit -Sc; ulimit -Ss; ulimit -Sn; exec grep -E '^Sig(Blk|Ign)' /proc/self/status",
    ))?;
    let none = "0000000000000000";
    ensure_eq!(seen.output, format!("0022\n0\n8192\n1024\nSigBlk:\t{none}\nSigIgn:\t{none}\n"));
    Ok(())
}

fn reports_exec_errors() -> Result<(), Failed> {
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

fn reports_the_end() -> Result<(), Failed> {
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
            return Err(format!("{script}: {:?}, expected {exit:?}", seen.outcome.exit).into());
        }
    }
    Ok(())
}

fn sends_the_stop_signal() -> Result<(), Failed> {
    let mut watched = Watched::shell("trap 'exit 5' TERM; while :; do sleep 0.05; done");
    watched.limits.stop = Some(StopAfter { after: Duration::from_millis(400), signal: libc::SIGTERM });
    ensure_eq!(watch(watched)?.outcome.exit, Exit::Exited(5));
    Ok(())
}

fn counts_stragglers() -> Result<(), Failed> {
    let mut watched = Watched::shell("setsid sleep 60 & sleep 60 & exit 3");
    watched.limits.grace = Duration::from_millis(300);
    let seen = watch(watched)?;
    ensure_eq!((seen.outcome.exit, seen.outcome.killed_stragglers), (Exit::Exited(3), 2));
    Ok(())
}
