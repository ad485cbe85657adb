//! Which filesystem a file is on: by its mount, since magic numbers are shared (ext2, ext3, ext4; all of FUSE). Main type: [`Mounts`].

use std::collections::HashMap;
use std::ffi::CString;
use std::fs;
use std::sync::Arc;

use nix::sys::statfs;

use super::sys::FileStatus;
use crate::model::attribution::Object;
use crate::model::attribution::objects::{filesystem_of_magic, is_told_by_path};
use crate::model::event::Tid;

/// The mounts that were seen so far. A number may be used again by a later mount, hardly ever with the same device.
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
    /// Where it is, as the task that was asked sees it.
    point: Arc<str>,
    /// Its files and its directories, wherever below they are.
    file: Object,
    directory: Object,
}

impl Mount {
    fn new(filesystem: &str, point: &str) -> Self {
        let object = |is_directory| Object::file(filesystem, is_directory, None);
        Self { filesystem: filesystem.into(), point: point.into(), file: object(false), directory: object(true) }
    }
}

impl Mounts {
    /// Mounts have changed.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The kind of a file whose filesystem is the whole answer: not whose a file of proc is, nor what a device does.
    pub(super) fn plain_file(&mut self, task: Tid, status: &FileStatus) -> Option<Object> {
        let object = match status.mode & libc::S_IFMT {
            libc::S_IFREG => |mount: &Mount| mount.file.clone(),
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
            let text = fs::read_to_string(format!("/proc/{task}/mountinfo")).ok()?;
            self.known.extend(text.lines().filter_map(parse).map(|(key, mount)| (key, Some(mount))));
        }
        self.known.entry(key).or_default().as_ref()
    }
}

/// The path below the root of the filesystem. A bind mount shows a part of it only: then it says nothing of proc and sysfs, whose parts are mounted rarely.
fn below<'a>(mount: &Mount, link: &'a str) -> Option<&'a str> {
    link.strip_prefix(&*mount.point).filter(|rest| rest.is_empty() || rest.starts_with('/') || &*mount.point == "/")
}

/// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", proc_pid_mountinfo(5)
fn parse(line: &str) -> Option<(Key, Mount)> {
    let (left, right) = line.split_once(" - ")?;
    let mut fields = left.split(' ');
    let id = fields.next()?.parse().ok()?;
    let (major, minor) = fields.nth(1)?.split_once(':')?;
    let point = fields.nth(1)?;
    let filesystem = right.split(' ').next()?;
    let device = (major.parse().ok()?, minor.parse().ok()?);
    Some(((id, device), Mount::new(filesystem, point)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_a_mount() {
        for (line, parsed) in [
            (
                "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
                Some(((36, (98, 0)), Mount::new("ext3", "/mnt2"))),
            ),
            ("21 1 0:19 / /proc rw - proc proc rw", Some(((21, (0, 19)), Mount::new("proc", "/proc")))),
            (
                "50 1 0:44 / /home/x rw shared:7 - fuse.sshfs host:/ rw",
                Some(((50, (0, 44)), Mount::new("fuse.sshfs", "/home/x"))),
            ),
            ("", None),
        ] {
            assert_eq!(parse(line), parsed, "{line}");
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
            assert_eq!(below(&Mount::new("proc", point), link), path, "{point} {link}");
        }
    }
}
