//! What an fd or a path of a tracee stands for: the system is asked, and names are `model::attribution::objects`'.
//!
//! It must not remember fds: that is [`files`](super::files)'. Whoever cannot be asked, dead or out of reach, gives no object. Main type: [`Objects`].

use std::collections::HashMap;
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::mounts::Mounts;
use super::sys::{self, FileStatus};
use crate::model::attribution::objects::Reference;
use crate::model::attribution::{Object, Place};
use crate::model::event::Tid;
use crate::model::guard::Access;

/// Whoever asks, with what was answered before.
#[derive(Debug, Default)]
pub(super) struct Objects {
    mounts: Mounts,
    devices: HashMap<(u32, (u32, u32)), Option<Object>>,
    roots: Roots,
    /// Somebody of the tree serves files, and who is stopped serves none: only what the kernel knows without asking may be looked up.
    somebody_serves: bool,
}

/// What `/` is to the tasks of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Roots {
    #[default]
    Unasked,
    /// Nobody has done anything that could change it.
    Ours,
    /// Each must be asked each time.
    Moved,
}

impl Objects {
    /// What an fd of a task stands for.
    pub(super) fn of_fd(&mut self, task: Tid, fd: i32) -> Option<Object> {
        if fd < 0 {
            return None;
        }
        let path = format!("/proc/{task}/fd/{fd}");
        let place = c_string(path.clone())?;
        let status = sys::file_status(&place, true).ok()?;
        if status.mode & libc::S_IFMT == libc::S_IFSOCK {
            return socket(task, fd, &place);
        }
        self.of_link(task, &path, &place, &status)
    }

    /// Which program a task executes.
    pub(super) fn program(&mut self, task: Tid) -> Option<Object> {
        let path = format!("/proc/{task}/exe");
        let place = c_string(path.clone())?;
        let status = sys::file_status(&place, true).ok()?;
        self.of_link(task, &path, &place, &status)
    }

    /// What a link of proc leads to.
    fn of_link(&mut self, task: Tid, path: &str, place: &CString, status: &FileStatus) -> Option<Object> {
        // Most files tell enough by their mount: the link is a question more.
        if let Some(object) = self.mounts.plain_file(task, status) {
            return Some(object);
        }
        let link = fs::read_link(path).ok()?.into_os_string().into_vec();
        let link = String::from_utf8_lossy(&link);
        match Reference::read(&link) {
            Reference::Socket => None,
            Reference::Pipe => Some(Object::named("pipe")),
            Reference::Anonymous(name) => Some(Object::anonymous(name)),
            Reference::Namespace(kind) => Some(Object::namespace(kind)),
            Reference::Path(link) => self.described(task, place, status, link),
        }
    }

    /// What a path of a task stands for; `text` is it, not empty. Not found is an error.
    pub(super) fn of_path(&mut self, task: Tid, place: &Place, text: &[u8]) -> io::Result<Option<Object>> {
        let is_absolute = text.first() == Some(&b'/');
        let text = if is_absolute { as_seen_by(task, text) } else { text.to_vec() };
        let base = match place.directory {
            _ if is_absolute => format!("/proc/{task}/root"),
            Some(fd) => format!("/proc/{task}/fd/{fd}"),
            None => format!("/proc/{task}/cwd"),
        };
        if self.somebody_serves || is_absolute && !self.is_our_root(&base) {
            let cached = if self.somebody_serves { RESOLVE_CACHED } else { 0 };
            let how = cached | if is_absolute { RESOLVE_IN_ROOT } else { 0 };
            let base = sys::open_place(None, &CString::new(base)?, true, 0)?;
            let kept = sys::open_place(Some(&base), &CString::new(text)?, place.follows, how)?;
            return self.led_to(task, &CString::new(format!("/proc/self/fd/{}", kept.as_raw_fd()))?, "");
        }
        let path = if is_absolute { text } else { [base.as_bytes(), b"/", &text].concat() };
        let status = sys::file_status(&CString::new(path.as_slice())?, false)?;
        if status.mode & libc::S_IFMT == libc::S_IFLNK && place.follows {
            return self.of_links(task, path);
        }
        let link = String::from_utf8_lossy(&path).into_owned();
        Ok(self.described(task, &CString::new(path)?, &status, &link))
    }

    /// What a link of the file system leads to, and what that does, if it is one.
    fn of_links(&mut self, task: Tid, path: Vec<u8>) -> io::Result<Option<Object>> {
        let path = led_to_itself(task, &path).unwrap_or(path);
        if let Some(fd) = own_fd(task, &path) {
            return Ok(self.of_fd(task, fd));
        }
        let link = String::from_utf8_lossy(&path).into_owned();
        self.led_to(task, &CString::new(path)?, &link)
    }

    /// What there is at the end of all links.
    fn led_to(&mut self, task: Tid, place: &CString, link: &str) -> io::Result<Option<Object>> {
        let status = sys::file_status(place, true)?;
        Ok(self.described(task, place, &status, link))
    }

    /// Mounts have changed, or a task has others than before.
    pub(super) fn forget_mounts(&mut self) {
        self.mounts.forget();
    }

    /// Somebody may have another root from here on, or one that was mounted anew.
    pub(super) fn move_roots(&mut self) {
        self.roots = Roots::Moved;
    }

    fn is_our_root(&mut self, root: &str) -> bool {
        if self.roots == Roots::Ours {
            return true;
        }
        let is_ours = is_our_root(root);
        if self.roots == Roots::Unasked {
            self.roots = if is_ours { Roots::Ours } else { Roots::Moved };
        }
        is_ours
    }

    fn described(&mut self, task: Tid, place: &CString, status: &FileStatus, link: &str) -> Option<Object> {
        let object = match status.mode & libc::S_IFMT {
            libc::S_IFCHR | libc::S_IFBLK => self.device(status, link),
            libc::S_IFIFO => Some(Object::named("fifo")),
            _ => self.mounts.file(task, place, status, link),
        };
        self.somebody_serves |= object.as_ref().is_some_and(serves);
        object
    }

    fn device(&mut self, status: &FileStatus, link: &str) -> Option<Object> {
        let kind = status.mode & libc::S_IFMT;
        let is_block = kind == libc::S_IFBLK;
        let ask = || if is_block { block_device(status.device) } else { character_device(status.device, link) };
        self.devices.entry((kind, status.device)).or_insert_with(ask).clone()
    }
}

/// How an fd of a task was opened, by the permissions of its link: tid_fd_update_inode(), fs/proc/fd.c. Whoever cannot be asked may do both.
pub(super) fn access(task: Tid, fd: i32) -> Access {
    let status = c_string(format!("/proc/{task}/fd/{fd}")).and_then(|link| sys::file_status(&link, false).ok());
    status.map_or(Access::BOTH, |status| Access {
        reads: status.mode & libc::S_IRUSR != 0,
        writes: status.mode & libc::S_IWUSR != 0,
    })
}

/// include/uapi/linux/openat2.h: "Treat all symlinks […] as relative to dirfd", and "only complete if resolution can be completed through cached lookup".
const RESOLVE_IN_ROOT: u64 = 0x10;
const RESOLVE_CACHED: u64 = 0x20;

/// Devices through which a process serves files to others.
fn serves(object: &Object) -> bool {
    matches!(&*object.name, "char:fuse" | "char:cuse" | "char:autofs" | "char:cachefiles")
}

/// `/proc/self` is whoever looks.
fn as_seen_by(task: Tid, path: &[u8]) -> Vec<u8> {
    let path = match path {
        b"/dev/stdin" => b"/proc/self/fd/0",
        b"/dev/stdout" => b"/proc/self/fd/1",
        b"/dev/stderr" => b"/proc/self/fd/2",
        other => other,
    };
    for (own, place) in [("/proc/self", ""), ("/proc/thread-self", ""), ("/dev/fd", "/fd")] {
        if let Some(rest) = path.strip_prefix(own.as_bytes()).filter(|rest| rest.first() == Some(&b'/')) {
            return [format!("/proc/{task}{place}").as_bytes(), rest].concat();
        }
    }
    path.to_vec()
}

/// Where links lead that go by `/proc/self`: whoever looks for a task would find itself there.
fn led_to_itself(task: Tid, path: &[u8]) -> Option<Vec<u8>> {
    /// `MAXSYMLINKS`, include/linux/namei.h
    const MOST_LINKS: usize = 40;
    let mut at = path.to_vec();
    for _ in 0..MOST_LINKS {
        let seen = as_seen_by(task, &at);
        if seen != at {
            return Some(seen);
        }
        let target = fs::read_link(OsStr::from_bytes(&at)).ok()?.into_os_string().into_vec();
        // An absolute one replaces the path.
        at = Path::new(OsStr::from_bytes(&at)).parent()?.join(OsString::from_vec(target)).into_os_string().into_vec();
    }
    None
}

/// The fd, if the path is an fd's own.
fn own_fd(task: Tid, path: &[u8]) -> Option<i32> {
    let path = std::str::from_utf8(path).ok()?;
    path.strip_prefix(&format!("/proc/{task}/fd/"))?.parse().ok()
}

/// Whether this directory is what we know as `/`.
fn is_our_root(directory: &str) -> bool {
    let place = |path: &str| {
        let status = sys::file_status(&c_string(path.to_owned())?, true).ok()?;
        Some((status.inode, status.filesystem, status.mount))
    };
    place(directory) == place("/")
}

/// A copy of the socket can be asked; where that is forbidden, its attribute still names the protocol.
fn socket(task: Tid, fd: i32, place: &CString) -> Option<Object> {
    let copied = sys::copy_fd(task, fd).and_then(|socket| {
        let option = |option| sys::socket_option(&socket, option);
        Ok(Object::socket(option(libc::SO_DOMAIN)?, option(libc::SO_TYPE)?, option(libc::SO_PROTOCOL)?))
    });
    copied.ok().or_else(|| {
        let name = sys::short_attribute(place, c"system.sockprotoname").ok()?;
        Object::socket_of_protocol(std::str::from_utf8(&name).ok()?.trim_end_matches('\0'))
    })
}

/// The name below /dev; the slaves of pseudo-terminals have none in sysfs.
fn character_device((major, minor): (u32, u32), link: &str) -> Option<Object> {
    /// Documentation/admin-guide/devices.txt: "UNIX98 PTY slaves"
    const PTS: std::ops::RangeInclusive<u32> = 136..=143;
    if PTS.contains(&major) {
        return Some(Object::character("pts"));
    }
    let name = device_name(&format!("/sys/dev/char/{major}:{minor}"));
    let name = name.or_else(|| link.strip_prefix("/dev/").map(str::to_owned))?;
    Some(Object::character(&name))
}

/// The driver of the device or of the disk that it is a part of, else the name below /dev up to its number.
fn block_device((major, minor): (u32, u32)) -> Option<Object> {
    let place = format!("/sys/dev/block/{major}:{minor}");
    let driver = ["device/driver", "../device/driver"].iter().find_map(|link| {
        let driver = fs::read_link(Path::new(&place).join(link)).ok()?;
        driver.file_name().and_then(OsStr::to_str).map(str::to_owned)
    });
    let name = || {
        let name = device_name(&place)?;
        name.split(|c: char| c == '-' || c.is_ascii_digit()).next().map(str::to_owned)
    };
    driver.or_else(name).map(|driver| Object::block(&driver))
}

fn device_name(place: &str) -> Option<String> {
    let text = fs::read_to_string(format!("{place}/uevent")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("DEVNAME=")).map(str::to_owned)
}

fn c_string(text: String) -> Option<CString> {
    CString::new(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_oneself_means_the_task() {
        for (path, seen) in [
            (&b"/proc/self/maps"[..], &b"/proc/7/maps"[..]),
            (b"/proc/selfish", b"/proc/selfish"),
            (b"/proc/self", b"/proc/self"),
            (b"/dev/stdout", b"/proc/7/fd/1"),
            (b"/dev/fd/63", b"/proc/7/fd/63"),
            (b"/etc/passwd", b"/etc/passwd"),
        ] {
            assert_eq!(String::from_utf8_lossy(&as_seen_by(7, path)), String::from_utf8_lossy(seen));
        }
    }
}
