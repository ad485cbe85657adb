//! Finds and kills what a command leaves behind. Main type: [`Adoption`].
//!
//! Processes that lose their parent become children of this process (PR_SET_CHILD_SUBREAPER,
//! prctl(2)), so every process of the command stays a descendant of it.

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
    pub(super) fn begin() -> io::Result<Self> {
        let was_subreaper = get_child_subreaper()?;
        set_child_subreaper(true)?;
        let known = strays::descendants(own()).into_iter().map(|known| known.process).collect();
        Ok(Self { known, was_subreaper })
    }

    /// Returns the processes of the command that live, and reaps those that have ended.
    pub(super) fn living(&self) -> Vec<Tid> {
        living(&self.known)
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
/// Reaps children that have ended.
///
/// `/proc` is not read at one moment: a process that replaces itself by a child meanwhile is
/// missed. So the result is empty only if there are no children at all, or if nothing happens for a
/// while.
fn living(known: &BTreeSet<Tid>) -> Vec<Tid> {
    /// The most rounds without a sight of the children that there are: proc may hide those of other
    /// users (`hidepid`, proc(5)).
    const ROUNDS: u32 = 20;
    let mut quiet = 0;
    loop {
        let found = seen(known);
        if !found.is_empty() {
            return found;
        }
        match sys::reap_any() {
            Err(_) => return found,
            Ok(Some(_)) => quiet = 0,
            Ok(None) => quiet += 1,
        }
        if quiet >= if known.is_empty() { ROUNDS } else { 2 } {
            return found;
        }
    }
}

/// Returns what `/proc` shows of them.
fn seen(known: &BTreeSet<Tid>) -> Vec<Tid> {
    let own = own();
    let mut skipped = known.clone();
    let mut found = Vec::new();
    for Descendant { process, parent, has_ended, .. } in strays::descendants(own) {
        if skipped.contains(&process) || skipped.contains(&parent) {
            skipped.insert(process);
        } else if has_ended {
            // Others wait for their own parents.
            let _ = parent == own && sys::reap_ended(process);
        } else {
            found.push(process);
        }
    }
    found
}

/// Returns the process groups in sessions that the command has made. No other process can be in
/// them: setpgid(2).
fn own_groups(known: &BTreeSet<Tid>) -> BTreeSet<Tid> {
    let session = getsid(None).map_or(0, Pid::as_raw);
    let mut skipped = known.clone();
    let mut groups = BTreeSet::new();
    for Descendant { process, parent, group, .. } in strays::descendants(own()) {
        if skipped.contains(&process) || skipped.contains(&parent) {
            skipped.insert(process);
        } else if let Some((group @ 2.., its)) = group
            && its != session
        {
            groups.insert(group);
        }
    }
    groups
}

/// How far the number of a child may be from that of its parent, on a busy machine.
const NEAR: Tid = 8;

/// Kills and reaps the descendants of this process, without the known ones and those below them.
/// Returns the number of those that this process has no right to kill.
pub(super) fn kill_all(known: &BTreeSet<Tid>) -> u64 {
    let mut killed = BTreeSet::new();
    let mut skipped = known.clone();
    // Returns whether the process is a new one.
    let mut kill = |process, skipped: &mut BTreeSet<Tid>| {
        // A program with set-user-ID may have become another user's.
        let refused = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        if sys::try_kill(process, libc::SIGKILL).is_err_and(refused) {
            skipped.insert(process);
        }
        killed.insert(process)
    };
    loop {
        // Members of a group cannot escape by forking: copy_process(), kernel/fork.c.
        own_groups(&skipped).into_iter().for_each(|group| sys::kill(-group, libc::SIGKILL));
        // A process that replaces itself by a child again and again lives too short to be found
        // among all processes. But each of its generations ends as a child of this process, and
        // the kernel assigns numbers in order: alloc_pid(), kernel/pid.c.
        while let Ok(Some(ended)) = sys::reap_any() {
            let next = (1..=NEAR).filter_map(|step| ended.checked_add(step));
            for process in next.filter(|process| strays::parent(*process) == Some(own())) {
                if !skipped.contains(&process) {
                    kill(process, &mut skipped);
                }
            }
        }
        let living = living(&skipped);
        if living.is_empty() {
            return (skipped.len() - known.len()) as u64;
        }
        let is_new = living.into_iter().fold(false, |any, process| any | kill(process, &mut skipped));
        if !is_new {
            std::thread::sleep(PAUSE);
        }
    }
}
