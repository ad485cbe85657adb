//! Finds the object of a tracee's fd or path. This module asks the system;
//! `model::attribution::objects` builds the names.
//!
//! It must not cache fds: that is the job of [`files`](super::files). A dead task has no object; a
//! refused question is [`Answer::Unanswerable`]. Main type: [`Objects`].

use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::memory;
use super::mounts::Mounts;
use super::paths::{self, Found, Reached, View};
use super::sys::{self, FileStatus};
use super::uapi::{UNIX98_PTY_MAJOR_COUNT, UNIX98_PTY_SLAVE_MAJOR};
use crate::model::attribution::objects::Reference;
use crate::model::attribution::{Answer, Failure, Object, ObjectClass, PathArgument, Query};
use crate::model::conditions::PathTarget;
use crate::model::guard::Access;
use crate::model::kernel::call::Tid;

/// Asks about objects and caches what does not change.
#[derive(Debug, Default)]
pub(super) struct Objects {
    mounts: Mounts,
    devices: HashMap<(u32, (u32, u32)), Option<Object>>,
    roots: Roots,
    /// See [`paths::own_root_has_same_names`]; `None` until it is asked.
    root_has_same_names: Option<bool>,
    /// A task of the tree serves files, and it cannot answer while it is stopped: only what the
    /// kernel has cached may be looked up.
    has_file_server: bool,
}

/// Returns the path of a file; `None` for one without a path.
fn path_of(reached: &Reached) -> Option<String> {
    let path = fs::read_link(reached.place()).ok()?.to_string_lossy().into_owned();
    path.starts_with('/').then_some(path)
}

/// Which root directory the tasks of a tree have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Roots {
    #[default]
    Unasked,
    /// The root of this process; no task has made a call that could change it.
    Ours,
    /// Roots may differ: ask for each task each time.
    Moved,
}

impl Objects {
    /// Returns what an fd of a task stands for.
    pub(super) fn of_fd(&mut self, task: Tid, fd: i32) -> Answer {
        if fd < 0 {
            return Answer::None;
        }
        answer(task, self.ask_link(task, Some(fd)))
    }

    /// Returns the program that a task executes.
    pub(super) fn program(&mut self, task: Tid) -> Answer {
        answer(task, self.ask_link(task, None))
    }

    /// Returns the object behind a link of proc: that of an fd, or of the program.
    fn ask_link(&mut self, task: Tid, fd: Option<i32>) -> io::Result<Option<Object>> {
        let path = fd.map_or_else(|| format!("/proc/{task}/exe"), |fd| format!("/proc/{task}/fd/{fd}"));
        let place = CString::new(path.as_str())?;
        let status = sys::file_status(&place, true)?;
        if let Some(fd) = fd.filter(|_| status.mode & libc::S_IFMT == libc::S_IFSOCK) {
            return socket(task, fd, &place);
        }
        self.of_link(task, &path, &place, &status)
    }

    /// Returns the object behind a link of proc that is not a socket.
    fn of_link(&mut self, task: Tid, path: &str, place: &CString, status: &FileStatus) -> io::Result<Option<Object>> {
        // The mount identifies most files, which saves reading the link.
        if let Some(object) = self.mounts.plain_file(task, status) {
            return Ok(Some(object));
        }
        let link = match fs::read_link(path) {
            Ok(link) => link.into_os_string().into_vec(),
            // The path is longer than PATH_MAX, so the file has a path.
            Err(error) if error.raw_os_error() == Some(libc::ENAMETOOLONG) => b"/".to_vec(),
            Err(error) => return Err(error),
        };
        let link = String::from_utf8_lossy(&link);
        Ok(match Reference::read(&link) {
            Reference::Path(link) => self.described(task, place, status, link),
            reference => reference.object(),
        })
    }

    /// Returns the object at a path of a task; `text` is not empty. A missing file is an error;
    /// `None` means unknown.
    pub(super) fn of_path(&mut self, task: Tid, place: &PathArgument, text: &[u8]) -> io::Result<Option<Object>> {
        let view = self.view(task);
        match paths::resolve(view, place, text, &mut self.mounts) {
            Found::File(reached) => self.of_reached(task, &reached),
            Found::Nothing => Err(io::Error::from_raw_os_error(libc::ENOENT)),
            Found::Unknown => Ok(None),
        }
    }

    /// Returns what a path leads to, as a path without links; `text` is not empty. For a missing
    /// file it is the place where a call would make it.
    pub(super) fn target_of_path(&mut self, task: Tid, place: &PathArgument, text: &[u8]) -> PathTarget {
        let view = self.view(task);
        match paths::resolve(view, place, text, &mut self.mounts) {
            Found::File(reached) => path_of(&reached).map_or(PathTarget::Nothing, PathTarget::Path),
            Found::Unknown => PathTarget::Unknown,
            Found::Nothing => {
                let text = &text[..text.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1)];
                let at = text.iter().rposition(|byte| *byte == b'/');
                let (parent, name) = match at {
                    Some(0) => (&b"/"[..], &text[1..]),
                    Some(at) => (&text[..at], &text[at + 1..]),
                    None => (&b"."[..], text),
                };
                let place = PathArgument { follows: true, ..*place };
                match paths::resolve(view, &place, parent, &mut self.mounts) {
                    Found::File(reached) => path_of(&reached).map_or(PathTarget::Nothing, |parent| {
                        let name = String::from_utf8_lossy(name);
                        PathTarget::Path(format!("{}/{name}", parent.trim_end_matches('/')))
                    }),
                    Found::Nothing => PathTarget::Nothing,
                    Found::Unknown => PathTarget::Unknown,
                }
            }
        }
    }

    fn view(&mut self, task: Tid) -> View {
        let shares_root = self.is_our_root(task);
        let view = View { task, shares_root, root_has_same_names: false, cached_only: self.has_file_server };
        let mounts = &mut self.mounts;
        let has_same_names =
            *self.root_has_same_names.get_or_insert_with(|| paths::own_root_has_same_names(view, mounts));
        View { root_has_same_names: has_same_names, ..view }
    }

    fn of_reached(&mut self, task: Tid, reached: &Reached) -> io::Result<Option<Object>> {
        let path = reached.place();
        let place = CString::new(path.as_str())?;
        let is_socket = reached.status.mode & libc::S_IFMT == libc::S_IFSOCK;
        let asked = match reached.fd.filter(|_| is_socket) {
            Some((owner, fd)) => self.ask_link(owner, Some(fd)),
            None => self.of_link(task, &path, &place, &reached.status),
        };
        match asked {
            Ok(Some(object)) => Ok(Some(object)),
            _ if is_socket => socket_by_attribute(&place),
            asked => asked,
        }
    }

    /// Drops the mounts: they have changed, or a task has other ones than before.
    pub(super) fn forget_mounts(&mut self) {
        self.mounts.forget();
    }

    /// Notes that a task may get another root from here on, or that a root may be mounted anew.
    pub(super) fn move_roots(&mut self) {
        self.roots = Roots::Moved;
    }

    fn is_our_root(&mut self, task: Tid) -> bool {
        if self.roots == Roots::Ours {
            return true;
        }
        let is_ours = is_our_root(&format!("/proc/{task}/root"));
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
        self.has_file_server |= object.as_ref().is_some_and(serves);
        object
    }

    fn device(&mut self, status: &FileStatus, link: &str) -> Option<Object> {
        let kind = status.mode & libc::S_IFMT;
        let is_block = kind == libc::S_IFBLK;
        let ask = || if is_block { block_device(status.device) } else { character_device(status.device, link) };
        self.devices.entry((kind, status.device)).or_insert_with(ask).clone()
    }
}

/// Classifies the result of a question about a link of proc. An exiting task has no fds, and its
/// links belong to root: task_dump_owner(), fs/proc/base.c.
fn answer(task: Tid, asked: io::Result<Option<Object>>) -> Answer {
    match asked.map_err(|error| memory::failure(Query::Link, &error)) {
        Ok(found) => found.into(),
        Err(Failure::Absent) if !is_hidden(task) => Answer::None,
        Err(Failure::Refused) if is_leaving(task) => Answer::None,
        Err(_) => Answer::Unanswerable,
    }
}

/// Returns the access mode of an fd, from the permissions of its link: tid_fd_update_inode(),
/// fs/proc/fd.c. An fd that cannot be inspected counts as open for both.
pub(super) fn access(task: Tid, fd: i32) -> Access {
    let status = c_string(format!("/proc/{task}/fd/{fd}")).and_then(|link| sys::file_status(&link, false).ok());
    status.map_or(Access::BOTH, |status| Access {
        reads: status.mode & libc::S_IRUSR != 0,
        writes: status.mode & libc::S_IWUSR != 0,
    })
}

/// Returns whether a living task is missing from proc, which may be mounted with `hidepid=`:
/// proc(5).
fn is_hidden(task: Tid) -> bool {
    !Path::new(&format!("/proc/{task}")).exists() && sys::is_alive(task)
}

/// Returns whether a task is exiting or gone.
pub(super) fn is_leaving(task: Tid) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/{task}/stat")) else { return !sys::is_alive(task) };
    // The name before it may contain any characters, parentheses and spaces included;
    // proc_pid_stat(5).
    let mut fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let is_dead = matches!(fields.next(), Some("Z" | "X"));
    let flags = fields.nth(5).and_then(|flags| flags.parse().ok()).unwrap_or(0_u64);
    is_dead || flags & libc::PF_EXITING as u64 != 0
}

/// Returns whether an object is a device through which a process serves files to others.
fn serves(object: &Object) -> bool {
    matches!(object.kind.class(), ObjectClass::Character("fuse" | "cuse" | "autofs" | "cachefiles"))
}

/// Returns whether this directory is the root of this process.
fn is_our_root(directory: &str) -> bool {
    let place = |path: &str| {
        let status = sys::file_status(&c_string(path.to_owned())?, true).ok()?;
        Some((status.inode, status.filesystem, status.mount))
    };
    place(directory) == place("/")
}

/// Returns the object of a socket, from a copy of the fd. Where copying is forbidden, the socket's
/// extended attribute still names the protocol.
fn socket(task: Tid, fd: i32, place: &CString) -> io::Result<Option<Object>> {
    let copied = sys::copy_fd(task, fd).and_then(|socket| {
        let option = |option| sys::socket_option(&socket, option);
        Ok(Object::socket(option(libc::SO_DOMAIN)?, option(libc::SO_TYPE)?, option(libc::SO_PROTOCOL)?))
    });
    copied.map(Some).or_else(|_| socket_by_attribute(place))
}

fn socket_by_attribute(place: &CString) -> io::Result<Option<Object>> {
    let name = sys::short_attribute(place, c"system.sockprotoname")?;
    let name = String::from_utf8_lossy(&name);
    Ok(Object::socket_of_protocol(name.trim_end_matches('\0')))
}

/// Returns a character device by its name below /dev; sysfs has no names for the slaves of
/// pseudo-terminals.
fn character_device((major, minor): (u32, u32), link: &str) -> Option<Object> {
    const PTS: Range<u32> = UNIX98_PTY_SLAVE_MAJOR..UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
    if PTS.contains(&major) {
        return Some(Object::character("pts"));
    }
    let name = device_name(&format!("/sys/dev/char/{major}:{minor}"));
    let name = name.or_else(|| link.strip_prefix("/dev/").map(str::to_owned))?;
    Some(Object::character(&name))
}

/// Returns a block device by its driver, or that of its disk; else by its name below /dev up to the
/// number.
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
