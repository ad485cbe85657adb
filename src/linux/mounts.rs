//! Which filesystem a file is on: by its mount, since magic numbers are shared (ext2, ext3, ext4;
//! all of FUSE). Main type: [`Mounts`].

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Arc;
use std::{fs, io};

use nix::sys::statfs;

use super::sys::FileStatus;
use crate::model::attribution::Object;
use crate::model::attribution::objects::{filesystem_of_magic, is_told_by_path};
use crate::model::kernel::call::Tid;

/// The mounts that were seen so far. A number may be used again by a later mount, hardly ever with
/// the same device.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// `None`: one that is in no list.
    known: HashMap<Key, Option<Mount>>,
}

/// The number of a mount, and the device of its filesystem.
type Key = (u64, (u32, u32));

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    filesystem: Arc<str>,
    /// Where it is, below the root of its mount namespace.
    point: Arc<str>,
    /// The number of the mount that it is mounted on.
    parent: u64,
    /// The mount or one that it is mounted on, however far up, is a procfs.
    is_below_proc: bool,
    /// Its files and its directories, wherever below they are.
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
    /// Mounts have changed.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The type of the filesystem that a file is on, as mountinfo names it.
    pub(super) fn filesystem(&mut self, task: Tid, status: &FileStatus) -> Option<&str> {
        self.of(task, status).map(|mount| &*mount.filesystem)
    }

    /// Whether the mount of a file is a procfs, or is mounted below one, or is not known.
    pub(super) fn is_below_proc(&mut self, task: Tid, status: &FileStatus) -> bool {
        self.of(task, status).is_none_or(|mount| mount.is_below_proc)
    }

    /// The kind of a file whose filesystem is the whole answer: not whose a file of proc is, nor
    /// what a device does.
    pub(super) fn plain_file(&mut self, task: Tid, status: &FileStatus) -> Option<Object> {
        let object = match status.mode & libc::S_IFMT {
            libc::S_IFREG | libc::S_IFLNK => |mount: &Mount| mount.file.clone(),
            libc::S_IFDIR => |mount: &Mount| mount.directory.clone(),
            _ => return None,
        };
        let mount = self.of(task, status)?;
        (!is_told_by_path(&mount.filesystem)).then(|| object(mount))
    }

    /// The kind of a file that is neither device nor pipe; `link` is where it is.
    pub(super) fn file(&mut self, task: Tid, place: &CString, status: &FileStatus, link: &str) -> Option<Object> {
        let is_directory = status.mode & libc::S_IFMT == libc::S_IFDIR;
        if let Some(mount) = self.of(task, status) {
            let path = below(mount, link);
            return Some(Object::file(&mount.filesystem, is_directory, path));
        }
        // A mount of the kernel's own, or one that the task does not see.
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

    /// Reads the lists of the task and of this process. Unlike one mount, a device has the same
    /// filesystem in every mount namespace, so an fd from another namespace is known by its device.
    fn find(&mut self, task: Tid, key: Key) -> io::Result<Option<Mount>> {
        let theirs = fs::read_to_string(format!("/proc/{task}/mountinfo")).map(|text| (text, root_of(task)));
        let ours = fs::read_to_string("/proc/self/mountinfo").map(|text| (text, String::new()));
        let lists: Vec<Vec<(Key, Mount)>> =
            [&theirs, &ours].into_iter().flatten().map(|(text, root)| list(text, root)).collect();
        // The paths of this process' list are those that readlink(2) shows.
        self.known.extend(lists.iter().flatten().map(|(key, mount)| (*key, Some(mount.clone()))));
        let known = self.known.get(&key).cloned().flatten();
        let alike = || lists.iter().flatten().find(|((_, device), _)| *device == key.1);
        let alike = known.or_else(|| alike().map(|(_, mount)| Mount { is_below_proc: true, ..mount.clone() }));
        match (alike, theirs) {
            (None, Err(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }
}

/// The root of a task as a path of its mount namespace: mountinfo leaves it out of every path.
fn root_of(task: Tid) -> String {
    let root = fs::read_link(format!("/proc/{task}/root")).unwrap_or_default();
    root.to_string_lossy().trim_end_matches('/').to_owned()
}

/// The mounts of a list, their points below this root.
fn list(text: &str, root: &str) -> Vec<(Key, Mount)> {
    let mut mounts: Vec<(Key, Mount)> = text.lines().filter_map(|line| parse(line, root)).collect();
    let at: HashMap<u64, usize> = mounts.iter().enumerate().map(|(at, ((id, _), _))| (*id, at)).collect();
    for start in 0..mounts.len() {
        let mut next = Some(start);
        let mut lineage = std::iter::from_fn(|| {
            let mount = &mounts[next?].1;
            // The root of all is mounted on one that is not listed, or on itself.
            next = at.get(&mount.parent).copied().filter(|parent| Some(*parent) != next);
            Some(&mount.filesystem)
        });
        let is_below_proc = lineage.by_ref().take(text.len()).any(|filesystem| **filesystem == *"proc");
        mounts[start].1.is_below_proc = is_below_proc;
    }
    mounts
}

/// The path below the root of the filesystem. A bind mount shows a part of it only: then it says
/// nothing of proc and sysfs, whose parts are mounted rarely.
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
    fn a_line_of_mountinfo_is_a_mount() {
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
    fn a_path_is_told_below_its_mount() {
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
    fn mounts_of_another_root_are_below_it() {
        for (line, point) in
            [("21 1 0:19 / /proc rw - proc proc rw", "/jail/proc"), ("21 1 0:19 / / rw - tmpfs none rw", "/jail")]
        {
            assert_eq!(parse(line, "/jail").map(|(_, mount)| mount.point).as_deref(), Some(point));
        }
    }

    #[test]
    fn mounts_below_a_procfs_are_known() {
        let text = "20 1 8:1 / / rw - ext4 /dev/sda rw\n21 20 0:19 / /proc rw - proc proc rw\n\
                    22 21 0:20 / /proc/sys rw - tmpfs none rw\n23 20 0:21 / /tmp rw - tmpfs none rw\n\
                    24 24 0:22 / /x rw - tmpfs none rw\n25 26 0:2 / /a rw - tmpfs none rw\n26 25 0:3 / /b rw - tmpfs none rw";
        let below: Vec<bool> = list(text, "").into_iter().map(|(_, mount)| mount.is_below_proc).collect();
        assert_eq!(below, [false, true, true, false, false, false, false]);
    }
}
