//! Finds the filesystem of a file by its mount, since filesystems share magic numbers (ext2, ext3,
//! ext4; all of FUSE). Main type: [`Mounts`].

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Arc;
use std::{fs, io};

use nix::sys::statfs;

use super::sys::FileStatus;
use crate::model::attribution::Object;
use crate::model::attribution::objects::{filesystem_of_magic, is_named_by_path};
use crate::model::kernel::call::Tid;

/// The mounts seen so far. A later mount may reuse a number, but hardly ever with the same device.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// `None`: a mount that no list contains.
    known: HashMap<Key, Option<Mount>>,
}

/// The ID of a mount, and the device of its filesystem.
type Key = (u64, (u32, u32));

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    filesystem: Arc<str>,
    /// The mount point, as a path from the root of its mount namespace.
    point: Arc<str>,
    /// The ID of the parent mount.
    parent: u64,
    /// The mount or one of its ancestors is a procfs.
    is_below_proc: bool,
    /// The objects of its files and its directories, independent of their path.
    file: Object,
    directory: Object,
}

impl Mount {
    fn new(filesystem: &str, point: &str, parent: u64) -> Self {
        let object = |is_directory| Object::file(filesystem, is_directory, None);
        Self {
            filesystem: filesystem.into(),
            point: point.into(),
            parent,
            is_below_proc: true,
            file: object(false),
            directory: object(true),
        }
    }
}

impl Mounts {
    /// Drops all mounts, after mounts have changed.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Returns the type of a file's filesystem, as mountinfo names it.
    pub(super) fn filesystem(&mut self, task: Tid, status: &FileStatus) -> Option<&str> {
        self.of(task, status).map(|mount| &*mount.filesystem)
    }

    /// Returns whether the mount of a file is a procfs, below one, or unknown.
    pub(super) fn is_below_proc(&mut self, task: Tid, status: &FileStatus) -> bool {
        self.of(task, status).is_none_or(|mount| mount.is_below_proc)
    }

    /// Returns the object of a file that its filesystem alone determines. That excludes devices,
    /// and files named by their path, as in proc.
    pub(super) fn plain_file(&mut self, task: Tid, status: &FileStatus) -> Option<Object> {
        let object = match status.mode & libc::S_IFMT {
            libc::S_IFREG | libc::S_IFLNK => |mount: &Mount| mount.file.clone(),
            libc::S_IFDIR => |mount: &Mount| mount.directory.clone(),
            _ => return None,
        };
        let mount = self.of(task, status)?;
        (!is_named_by_path(&mount.filesystem)).then(|| object(mount))
    }

    /// Returns the object of a file that is neither device nor pipe; `link` is its path.
    pub(super) fn file(&mut self, task: Tid, place: &CString, status: &FileStatus, link: &str) -> Option<Object> {
        let is_directory = status.mode & libc::S_IFMT == libc::S_IFDIR;
        if let Some(mount) = self.of(task, status) {
            let path = below(mount, link);
            return Some(Object::file(&mount.filesystem, is_directory, path));
        }
        // An internal mount of the kernel, or a mount that the task does not see.
        let name = link.split([':', ' ']).next().unwrap_or_default();
        match name {
            "/memfd" => return Some(Object::named("memfd")),
            "/secretmem" => return Some(Object::named("secretmem")),
            "/dmabuf" => return Some(Object::named("dmabuf")),
            _ => {}
        }
        let magic = statfs::statfs(place.as_c_str()).ok()?.filesystem_type();
        filesystem_of_magic(magic.0 as u64).map(|filesystem| Object::file(filesystem, is_directory, None))
    }

    fn of(&mut self, task: Tid, status: &FileStatus) -> Option<&Mount> {
        let key = (status.mount, status.filesystem);
        if !self.known.contains_key(&key) {
            let found = self.find(task, key).ok()?;
            self.known.insert(key, found);
        }
        self.known.get(&key)?.as_ref()
    }

    /// Reads the mount lists of the task and of this process. Unlike a mount, a device has the same
    /// filesystem in every mount namespace, so an fd from another namespace is identified by its
    /// device.
    fn find(&mut self, task: Tid, key: Key) -> io::Result<Option<Mount>> {
        let theirs = fs::read_to_string(format!("/proc/{task}/mountinfo")).map(|text| (text, root_of(task)));
        let ours = fs::read_to_string("/proc/self/mountinfo").map(|text| (text, String::new()));
        let lists: Vec<Vec<(Key, Mount)>> =
            [&theirs, &ours].into_iter().flatten().map(|(text, root)| list(text, root)).collect();
        // readlink(2) shows the paths of this process's list.
        self.known.extend(lists.iter().flatten().map(|(key, mount)| (*key, Some(mount.clone()))));
        let known = self.known.get(&key).cloned().flatten();
        let by_device = || lists.iter().flatten().find(|((_, device), _)| *device == key.1);
        let found = known.or_else(|| by_device().map(|(_, mount)| Mount { is_below_proc: true, ..mount.clone() }));
        match (found, theirs) {
            (None, Err(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }
}

/// Returns the root of a task as a path in its mount namespace; mountinfo leaves it out of every
/// path.
fn root_of(task: Tid) -> String {
    let root = fs::read_link(format!("/proc/{task}/root")).unwrap_or_default();
    root.to_string_lossy().trim_end_matches('/').to_owned()
}

/// Parses a mount list; mount points are relative to this root.
fn list(text: &str, root: &str) -> Vec<(Key, Mount)> {
    let mut mounts: Vec<(Key, Mount)> = text.lines().filter_map(|line| parse(line, root)).collect();
    let at: HashMap<u64, usize> = mounts.iter().enumerate().map(|(at, ((id, _), _))| (*id, at)).collect();
    for start in 0..mounts.len() {
        let mut next = Some(start);
        let mut lineage = std::iter::from_fn(|| {
            let mount = &mounts[next?].1;
            // The parent of the topmost mount is not listed, or is the mount itself.
            next = at.get(&mount.parent).copied().filter(|parent| Some(*parent) != next);
            Some(&mount.filesystem)
        });
        let is_below_proc = lineage.by_ref().take(text.len()).any(|filesystem| **filesystem == *"proc");
        mounts[start].1.is_below_proc = is_below_proc;
    }
    mounts
}

/// Returns the path below the mount point, which is the path in the filesystem unless a bind mount
/// shows a part of it. Bind mounts of parts of proc and sysfs are rare.
fn below<'a>(mount: &Mount, link: &'a str) -> Option<&'a str> {
    link.strip_prefix(&*mount.point).filter(|rest| rest.is_empty() || rest.starts_with('/') || &*mount.point == "/")
}

/// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
/// proc_pid_mountinfo(5)
fn parse(line: &str, root: &str) -> Option<(Key, Mount)> {
    let (left, right) = line.split_once(" - ")?;
    let mut fields = left.split(' ');
    let id = fields.next()?.parse().ok()?;
    let parent = fields.next()?.parse().ok()?;
    let (major, minor) = fields.next()?.split_once(':')?;
    let point = fields.nth(1)?;
    let filesystem = right.split(' ').next()?;
    let device = (major.parse().ok()?, minor.parse().ok()?);
    let point = match (root, point) {
        ("", point) => point.to_owned(),
        (root, "/") => root.to_owned(),
        (root, point) => format!("{root}{point}"),
    };
    Some(((id, device), Mount::new(filesystem, &point, parent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mountinfo_lines_are_parsed() {
        for (line, parsed) in [
            (
                "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
                Some(((36, (98, 0)), Mount::new("ext3", "/mnt2", 35))),
            ),
            ("21 1 0:19 / /proc rw - proc proc rw", Some(((21, (0, 19)), Mount::new("proc", "/proc", 1)))),
            (
                "50 1 0:44 / /home/x rw shared:7 - fuse.sshfs host:/ rw",
                Some(((50, (0, 44)), Mount::new("fuse.sshfs", "/home/x", 1))),
            ),
            ("", None),
        ] {
            assert_eq!(parse(line, ""), parsed, "{line}");
        }
    }

    #[test]
    fn path_is_relative_to_its_mount() {
        for (point, link, path) in [
            ("/proc", "/proc/12/maps", Some("/12/maps")),
            ("/proc", "/proc", Some("")),
            ("/proc", "/process", None),
            ("/", "/12/maps", Some("12/maps")),
            ("/proc", "/elsewhere/12/maps", None),
        ] {
            assert_eq!(below(&Mount::new("proc", point, 1), link), path, "{point} {link}");
        }
    }

    #[test]
    fn mount_points_are_relative_to_the_root() {
        for (line, point) in
            [("21 1 0:19 / /proc rw - proc proc rw", "/jail/proc"), ("21 1 0:19 / / rw - tmpfs none rw", "/jail")]
        {
            assert_eq!(parse(line, "/jail").map(|(_, mount)| mount.point).as_deref(), Some(point));
        }
    }

    #[test]
    fn mounts_below_a_procfs_are_found() {
        let text = "20 1 8:1 / / rw - ext4 /dev/sda rw\n21 20 0:19 / /proc rw - proc proc rw\n\
                    22 21 0:20 / /proc/sys rw - tmpfs none rw\n23 20 0:21 / /tmp rw - tmpfs none rw\n\
                    24 24 0:22 / /x rw - tmpfs none rw\n25 26 0:2 / /a rw - tmpfs none rw\n26 25 0:3 / /b rw - tmpfs none rw";
        let below: Vec<bool> = list(text, "").into_iter().map(|(_, mount)| mount.is_below_proc).collect();
        assert_eq!(below, [false, true, true, false, false, false, false]);
    }
}
