//! Reads the paths that a call names, and finds what they lead to. Main function: [`of_call`].
//!
//! `model::attribution` locates the paths, and `model::conditions` compares them.

use std::fs;
use std::io;

use super::log::task::normal;
use super::memory;
use super::objects::Objects;
use crate::model::attribution::{Failure, Memory, PathArgument, Query, named_paths};
use crate::model::conditions::{Named, NamedPath, PathTarget};
use crate::model::kernel::call::{Call, Tid};

/// Adds the paths of a call that a task is about to make.
pub(super) fn of_call(objects: &mut Objects, task: Tid, call: &Call, memory: &Memory, named: &mut Named) {
    for place in named_paths(call, memory) {
        match path(objects, task, &place) {
            Ok(path) => named.paths.extend(path),
            Err(Failure::Refused) => named.is_unread = true,
            // The call fails in the same way.
            Err(Failure::Absent | Failure::Alike) => {}
        }
    }
}

/// Replaces what the path of an open leads to by the file that it opened. Another thread may have
/// changed the path after it was read.
pub(super) fn opened(task: Tid, fd: i32, named: &mut Named) {
    let Ok(Some(file)) = link(task, Some(fd)) else { return };
    let target = PathTarget::Path(file.clone());
    match named.paths.first_mut() {
        Some(path) => {
            path.has_moved = path.target != target;
            path.target = target;
        }
        // open_by_handle_at(2) names no path.
        None => named.paths.push(NamedPath { named: file, target, has_moved: false }),
    }
}

fn path(objects: &mut Objects, task: Tid, place: &PathArgument) -> Result<Option<NamedPath>, Failure> {
    let mut buffer = [0; memory::MAX_PATH];
    let text = match place.address {
        // A null path means the fd itself.
        0 => b"",
        address => memory::read_path(task, address, &mut buffer)?,
    };
    if text.is_empty() {
        let is_nothing = place.address == 0 && place.directory.is_none();
        let file = if is_nothing { None } else { link(task, place.directory)? };
        return Ok(file.map(|file| NamedPath {
            target: PathTarget::Path(file.clone()),
            named: file,
            has_moved: false,
        }));
    }
    let shown = String::from_utf8_lossy(text);
    let named = match shown.starts_with('/') {
        true => normal(&shown),
        false => match link(task, place.directory)? {
            Some(base) => normal(&format!("{base}/{shown}")),
            None => return Ok(None),
        },
    };
    let target = objects.target_of_path(task, place, text);
    Ok(Some(NamedPath { named, target, has_moved: false }))
}

/// Returns the path behind an fd, or of the working directory. `None` for an fd without a path, and
/// for a bad one, which makes the call fail.
fn link(task: Tid, fd: Option<i32>) -> Result<Option<String>, Failure> {
    let link = fd.map_or_else(|| format!("/proc/{task}/cwd"), |fd| format!("/proc/{task}/fd/{fd}"));
    match fs::read_link(link).map_err(|error: io::Error| memory::failure(Query::Link, &error)) {
        Ok(path) => Ok(Some(path.to_string_lossy().into_owned()).filter(|path| path.starts_with('/'))),
        Err(Failure::Absent | Failure::Alike) => Ok(None),
        Err(Failure::Refused) => Err(Failure::Refused),
    }
}
