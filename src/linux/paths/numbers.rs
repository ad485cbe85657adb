//! Finds a task's own directory in a procfs: what `self` and `thread-self` mean to it there. Main
//! functions: [`own_link`] and [`in_proc`].
//!
//! A procfs numbers tasks as one PID namespace does. A task has a number in its own PID namespace
//! and in each ancestor of it.

use std::ffi::CStr;
use std::fs;
use std::os::unix::ffi::OsStringExt;

use nix::fcntl::readlinkat;

use super::Reached;
use crate::linux::status::field;
use crate::linux::sys;
use crate::model::kernel::call::Tid;

/// A link of procfs that leads each task to its own directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnLink {
    /// `self`
    Process,
    /// `thread-self`
    Thread,
}

/// Returns the link with this name in a directory of a procfs.
pub(super) fn own_link(directory: u64, name: &CStr) -> Option<OwnLink> {
    /// include/uapi/linux/fs.h: `PROCFS_ROOT_INO`
    const ROOT: u64 = 1;
    match name.to_bytes() {
        b"self" if directory == ROOT => Some(OwnLink::Process),
        b"thread-self" if directory == ROOT => Some(OwnLink::Thread),
        _ => None,
    }
}

/// Returns the target of such a link for the task, in the procfs with this root.
pub(super) fn in_proc(task: Tid, root: &Reached, link: OwnLink) -> Option<String> {
    let is_own_proc = is_own_proc(root);
    if is_own_proc && link == OwnLink::Process && sys::leads_thread_group(task) {
        return Some(task.to_string());
    }
    let status = fs::read_to_string(format!("/proc/{task}/status")).ok()?;
    let levels = levels(&status)?;
    let found = if is_own_proc { levels.first()? } else { identified(task, root, &levels)? };
    let (group, thread) = found;
    Some(match link {
        OwnLink::Process => group.to_string(),
        OwnLink::Thread => format!("{group}/task/{thread}"),
    })
}

/// Returns thread group and thread number in each PID namespace of the task, outermost first.
fn levels(status: &str) -> Option<Vec<(Tid, Tid)>> {
    let numbers = |key: &str| -> Option<Vec<Tid>> {
        field(status, key)?.split_whitespace().map(|number| number.parse().ok()).collect()
    };
    Some(numbers("NStgid:")?.into_iter().zip(numbers("NSpid:")?).collect())
}

/// Returns the numbers by which a procfs shows the task. A PID namespace uses a number once, so the
/// innermost namespace and the number there identify the task.
fn identified<'a>(task: Tid, root: &Reached, levels: &'a [(Tid, Tid)]) -> Option<&'a (Tid, Tid)> {
    let namespace = fs::read_link(format!("/proc/{task}/ns/pid")).ok()?.into_os_string();
    levels.iter().enumerate().find_map(|(at, numbers)| {
        let shown = format!("{}/{}/task/{}", root.place(), numbers.0, numbers.1);
        let same_namespace = fs::read_link(format!("{shown}/ns/pid")).ok()?.into_os_string() == namespace;
        let status = fs::read_to_string(format!("{shown}/status")).ok()?;
        (same_namespace && self::levels(&status)? == levels[at..]).then_some(numbers)
    })
}

/// Returns the task and the fd of a link in a directory of a procfs, if that procfs is the one of
/// this process.
pub(super) fn fd_of_link(directory: &Reached, name: &CStr) -> Option<(Tid, i32)> {
    let fd = name.to_str().ok()?.parse().ok()?;
    if !is_own_proc(directory) {
        return None;
    }
    let path = readlinkat(nix::fcntl::AT_FDCWD, directory.place().as_str()).ok()?.into_vec();
    let path = std::str::from_utf8(&path).ok()?.strip_suffix("/fd")?;
    Some((path.rsplit('/').next()?.parse().ok()?, fd))
}

/// Returns whether a file is in the procfs that this process uses, on any of its mounts.
fn is_own_proc(file: &Reached) -> bool {
    sys::file_status(&c"/proc".into(), true).is_ok_and(|own| own.filesystem == file.status.filesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_numbers_a_task_in_each_namespace() {
        let status = "Name:\tx\nTgid:\t70\nNStgid:\t70\t8\t1\nNSpid:\t72\t9\t2\nNSpgid:\t70\t8\t1\n";
        assert_eq!(levels(status), Some(vec![(70, 72), (8, 9), (1, 2)]));
        assert_eq!(levels("Name:\tx\n"), None);
    }

    #[test]
    fn only_root_links_lead_to_own_directory() {
        for (directory, name, link) in [
            (1, c"self", Some(OwnLink::Process)),
            (1, c"thread-self", Some(OwnLink::Thread)),
            (1, c"mounts", None),
            (7, c"self", None),
        ] {
            assert_eq!(own_link(directory, name), link, "{directory} {name:?}");
        }
    }
}
