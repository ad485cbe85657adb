//! Walks a path component by component and follows symbolic links as the task would.
//!
//! Each step opens one name in one directory, which has the same result for every process. The
//! exceptions are replaced: `..` stops at the task's root, absolute links begin there, and `self`
//! of procfs is the task. Main type: [`Walk`].

use std::collections::VecDeque;
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use libc::RESOLVE_NO_MAGICLINKS;
use nix::fcntl::readlinkat;

use super::{Found, Names, Reached, Resolution, View, names, numbers, reached};
use crate::linux::mounts::Mounts;
use crate::linux::sys::{self, FileStatus};
use crate::linux::uapi::MAXSYMLINKS;

/// A walk under way from the first component to the last.
pub(super) struct Walk<'a> {
    view: View,
    follows: bool,
    mounts: &'a mut Mounts,
    root: Reached,
    at: Reached,
    rest: Rest,
    links: usize,
}

/// The result of a step.
enum Step {
    Continue,
    Done(Found),
}

impl<'a> Walk<'a> {
    pub(super) fn new(resolution: &'a mut Resolution<'_>) -> Option<Self> {
        let view = resolution.view;
        let root = || view.root().ok().and_then(reached);
        let at = match resolution.base.take() {
            Some(base) if !resolution.is_absolute => reached(base)?,
            _ => root()?,
        };
        let rest = Rest::new(resolution.text.as_bytes());
        Some(Self {
            view,
            follows: resolution.place.follows,
            mounts: resolution.mounts,
            root: root()?,
            at,
            rest,
            links: 0,
        })
    }

    /// Returns the result; `None` means unknown.
    pub(super) fn run(mut self) -> Option<Found> {
        loop {
            if let Step::Done(found) = self.step()? {
                return Some(found);
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        let Some(name) = self.rest.next() else {
            let at = std::mem::replace(&mut self.at, reached(self.root.file.try_clone().ok()?)?);
            return Some(Step::Done(Found::File(at)));
        };
        match &name[..] {
            b"." => self.stay(),
            b".." if is_same(&self.at.status, &self.root.status) => self.stay(),
            _ => self.enter(name),
        }
    }

    fn stay(&mut self) -> Option<Step> {
        let is_directory = self.at.status.mode & libc::S_IFMT == libc::S_IFDIR;
        Some(if is_directory { Step::Continue } else { Step::Done(Found::Nothing) })
    }

    fn enter(&mut self, name: Vec<u8>) -> Option<Step> {
        let here = names(self.view, &self.at.file, &self.at.status, self.mounts)?;
        let name = CString::new(name).ok()?;
        let next = match open(self.view, &self.at.file, &name, false, 0) {
            Ok(next) => reached(next)?,
            Err(libc::ENOENT | libc::ENOTDIR) if here == Names::Same => return Some(Step::Done(Found::Nothing)),
            Err(libc::ENOTDIR) if here == Names::Proc => return Some(Step::Done(Found::Nothing)),
            Err(libc::ENAMETOOLONG) => return Some(Step::Done(Found::Nothing)),
            Err(_) => return None,
        };
        let is_link = next.status.mode & libc::S_IFMT == libc::S_IFLNK;
        let is_followed = is_link && (self.follows || !self.rest.is_empty());
        if !is_followed {
            return self.arrive(next);
        }
        self.links += 1;
        if self.links > MAXSYMLINKS {
            return Some(Step::Done(Found::Nothing));
        }
        if here == Names::Proc {
            return self.follow_in_proc(&name, &next);
        }
        // apparmorfs also has links without a text target, and a file server may wait for the
        // stopped task.
        let linked = names(self.view, &next.file, &next.status, self.mounts)?;
        if linked == Names::Proc || linked == Names::PerProcess && self.view.cached_only {
            return None;
        }
        if linked == Names::PerProcess && open(self.view, &self.at.file, &name, true, RESOLVE_NO_MAGICLINKS).is_err() {
            return None;
        }
        self.expand(&target(&next.file)?)
    }

    fn arrive(&mut self, next: Reached) -> Option<Step> {
        let is_directory = next.status.mode & libc::S_IFMT == libc::S_IFDIR;
        self.at = next;
        // A trailing slash also requires a directory.
        if self.rest.is_empty() || is_directory { Some(Step::Continue) } else { Some(Step::Done(Found::Nothing)) }
    }

    /// Follows a link of procfs: to the task's own directory, a magic link without a text target,
    /// or an ordinary link.
    fn follow_in_proc(&mut self, name: &CString, link: &Reached) -> Option<Step> {
        if let Some(own) = numbers::own_link(self.at.status.inode, name) {
            let target = numbers::in_proc(self.view.task, &self.at, own)?;
            return self.expand(target.as_bytes());
        }
        match open(self.view, &self.at.file, name, true, RESOLVE_NO_MAGICLINKS) {
            Err(libc::ELOOP) => {
                let mut next = reached(open(self.view, &self.at.file, name, true, 0).ok()?)?;
                next.fd = numbers::fd_of_link(&self.at, name);
                self.arrive(next)
            }
            Ok(_) | Err(libc::ENOENT | libc::ENOTDIR | libc::EAGAIN) => self.expand(&target(&link.file)?),
            Err(_) => None,
        }
    }

    fn expand(&mut self, target: &[u8]) -> Option<Step> {
        if target.is_empty() {
            return Some(Step::Done(Found::Nothing));
        }
        if target.first() == Some(&b'/') {
            self.at = Reached { file: self.root.file.try_clone().ok()?, ..self.root };
        }
        self.rest.put_before(target);
        Some(Step::Continue)
    }
}

/// Opens one name in a directory.
fn open(view: View, directory: &OwnedFd, name: &CString, follows: bool, how: u64) -> Result<OwnedFd, i32> {
    let opened: io::Result<OwnedFd> = sys::open_place(Some(directory), name, follows, how | view.cached());
    opened.map_err(|error| error.raw_os_error().unwrap_or_default())
}

fn target(link: &OwnedFd) -> Option<Vec<u8>> {
    readlinkat(link, c"").ok().map(OsStringExt::into_vec)
}

/// Returns whether both are the same file on the same mount.
fn is_same(one: &FileStatus, other: &FileStatus) -> bool {
    (one.inode, one.filesystem, one.mount) == (other.inode, other.filesystem, other.mount)
}

/// The remaining components. A trailing slash becomes a `.`, since the last component must be a
/// directory.
#[derive(Debug)]
struct Rest(VecDeque<Vec<u8>>);

impl Rest {
    fn new(text: &[u8]) -> Self {
        let mut rest = Self(VecDeque::new());
        rest.put_before(text);
        rest
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        self.0.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put_before(&mut self, text: &[u8]) {
        let end = text.ends_with(b"/").then_some(&b"."[..]);
        let names = text.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        for name in names.chain(end).rev() {
            self.0.push_front(name.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_into_components() {
        for (text, parts) in [
            ("a", &["a"][..]),
            ("/", &["."]),
            ("//a///b", &["a", "b"]),
            ("a/", &["a", "."]),
            ("../x/./y", &["..", "x", ".", "y"]),
        ] {
            let rest = Rest::new(text.as_bytes());
            let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
            assert_eq!(Vec::from(rest.0), parts, "{text}");
        }
    }

    #[test]
    fn link_target_precedes_what_follows_the_link() {
        let mut rest = Rest::new(b"link/c/");
        rest.next();
        rest.put_before(b"/a/b");
        assert_eq!(Vec::from(rest.0), [b"a", b"b", b"c", b"."].map(|part| part.to_vec()));
    }
}
