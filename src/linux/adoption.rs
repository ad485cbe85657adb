//! Finds and kills what a command leaves behind. Main type: [`Adoption`].
//!
//! Processes that lose their parent become children of this process (PR_SET_CHILD_SUBREAPER,
//! prctl(2)), so every process of the command stays a descendant of it.
//!
//! No other process is killed. The kernel uses the number of a process again once its parent has
//! reaped it (`release_task()`, kernel/exit.c), so a number is used in two ways only:
//!
//! - A child of this process keeps its number, since this process reaps it after the signal. Until
//!   then, an ended child also keeps the number of its group: `__change_pid()`, kernel/pid.c.
//! - Any other descendant gets the signal through a pidfd. Its ancestors are read afterwards. The
//!   signal fails if the process was reaped meanwhile.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use nix::sys::prctl::{get_child_subreaper, set_child_subreaper};
use nix::unistd::{Pid, getsid};

use super::strays::{self, Descendant};
use super::sys;
use crate::model::kernel::call::Tid;

/// Interval at which the end of adopted processes is checked.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// Makes this process the parent of the command's orphans.
pub(super) struct Adoption {
    /// Descendants that this process had before. They and their children are not the command's.
    known: BTreeSet<Tid>,
    was_subreaper: bool,
}

impl Adoption {
    /// Begins a run. The descendants that this process has already must start no process that
    /// becomes an orphan meanwhile: it would count as the command's.
    pub(super) fn begin() -> io::Result<Self> {
        let was_subreaper = get_child_subreaper()?;
        set_child_subreaper(true)?;
        let known = strays::descendants(own()).into_iter().map(|known| known.process).collect();
        Ok(Self { known, was_subreaper })
    }

    /// Returns the processes of the command that live, and reaps those that have ended.
    pub(super) fn living(&self) -> Vec<Tid> {
        living(&self.known, |_| {})
    }

    /// Kills and reaps every process of the command. Returns the number of those that this process
    /// has no right to kill.
    pub(super) fn kill_all(&self) -> u64 {
        kill_all(&self.known)
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        self.kill_all();
        let _ = set_child_subreaper(self.was_subreaper);
    }
}

fn own() -> Tid {
    std::process::id() as Tid
}

/// Returns the descendants of this process that live, without the known ones and those below them.
/// Reaps the children that have ended, each after a call of `ended`.
///
/// `/proc` is not read at one moment: a process that replaces itself by a child meanwhile is
/// missed. So the result is empty only if there are no children at all, or if nothing happens for a
/// while.
fn living(known: &BTreeSet<Tid>, mut ended: impl FnMut(Tid)) -> Vec<Tid> {
    /// The most rounds without a sight of the children that there are: proc may hide those of other
    /// users (`hidepid`, proc(5)).
    const ROUNDS: u32 = 20;
    let most = if known.is_empty() { ROUNDS } else { 2 };
    let mut quiet = 0;
    loop {
        let found = seen(known);
        if !found.is_empty() {
            let _ = reap_all(&mut ended);
            return found;
        }
        match reap_all(&mut ended) {
            Err(_) => return found,
            Ok(true) => quiet = 0,
            Ok(false) => quiet += 1,
        }
        if quiet >= most {
            return found;
        }
    }
}

/// Returns what `/proc` shows of them.
fn seen(known: &BTreeSet<Tid>) -> Vec<Tid> {
    let mut skipped = known.clone();
    let mut found = Vec::new();
    for Descendant { process, parent, has_ended } in strays::descendants(own()) {
        if skipped.contains(&process) || skipped.contains(&parent) {
            skipped.insert(process);
        } else if !has_ended {
            found.push(process);
        }
    }
    found
}

/// Reaps the children that have ended, each after a call of `ended`. Returns whether there were
/// any.
///
/// # Errors
///
/// ECHILD without children.
fn reap_all(mut ended: impl FnMut(Tid)) -> io::Result<bool> {
    let mut any = false;
    while let Some(child) = sys::ended_child()? {
        ended(child);
        sys::reap_ended(child);
        any = true;
    }
    Ok(any)
}

/// Kills and reaps the descendants of this process, without the known ones and those below them.
/// Returns the number of those that this process has no right to kill.
pub(super) fn kill_all(known: &BTreeSet<Tid>) -> u64 {
    let mut killed = BTreeSet::new();
    let mut skipped = known.clone();
    loop {
        // A process that replaces itself by a child again and again lives too short to be found
        // among all processes. But each of its generations becomes a child of this process.
        loop {
            for child in strays::own_children() {
                kill(child, &mut skipped);
            }
            if !reap_all(|child| kill_group_of(child, known)).is_ok_and(|any| any) {
                break;
            }
        }
        let living = living(&skipped, |child| kill_group_of(child, known));
        if living.is_empty() {
            return (skipped.len() - known.len()) as u64;
        }
        let is_new = living.into_iter().fold(false, |any, process| {
            kill(process, &mut skipped);
            any | killed.insert(process)
        });
        if !is_new {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Kills a descendant, if it is none of those to skip and not below one. Without the right to kill
/// it, it is one of them from now on: a program with set-user-ID may have become another user's.
fn kill(process: Tid, skipped: &mut BTreeSet<Tid>) {
    let is_child = || strays::parent(process) == Some(own());
    let sent = if skipped.contains(&process) {
        Ok(())
    } else if is_child() {
        sys::try_kill(process, libc::SIGKILL)
    } else {
        // Without a handle, it is killed as a child of this process once its ancestors are.
        let handle = sys::process_handle(process).ok().filter(|_| is_below(process, skipped));
        handle.map_or(Ok(()), |handle| sys::signal_process(&handle, libc::SIGKILL))
    };
    if sent.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
        skipped.insert(process);
    }
}

/// Returns whether a process is a descendant of this one, and not below one of those to skip.
///
/// An orphan gets an older process as its parent (`find_new_reaper()`, kernel/exit.c). So if the
/// same parent is read before and after, its number was not used again in between.
fn is_below(process: Tid, skipped: &BTreeSet<Tid>) -> bool {
    let mut path = vec![process];
    let mut at = process;
    while at != own() {
        match strays::parent(at) {
            Some(parent @ 1..) if !skipped.contains(&parent) => at = parent,
            _ => return false,
        }
        path.push(at);
    }
    path.windows(2).rev().all(|pair| strays::parent(pair[0]) == Some(pair[1]))
}

/// Kills the process group of an ended child, if the command has made the session. No other process
/// can be in such a group (setpgid(2)), and no member can escape by forking (`copy_process()`,
/// kernel/fork.c).
fn kill_group_of(child: Tid, known: &BTreeSet<Tid>) {
    let Some((group @ 2.., session)) = strays::group_and_session(child) else { return };
    if !known.contains(&child) && getsid(None).is_ok_and(|own| Pid::from_raw(session) != own) {
        sys::kill(-group, libc::SIGKILL);
    }
}
