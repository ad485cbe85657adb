//! Every path that a call names, whatever it does with it. Main function: [`named_paths`].
//!
//! At most one path leads to the object of a call. A rule on paths applies to all of them.

use super::answers::{PathArgument, place};
use super::calls::{Flags, Subject};
use super::decode::{DecodedCall, decode};
use super::memory::Memory;
use super::named::program;
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::kernel::uapi::{AT_FDCWD, MS_BIND, MS_MOVE, O_CREAT, O_EXCL, O_NOFOLLOW};

/// Paths beside that of the object: the call, the register of a directory, the register of the
/// path, and whether a link at its end is followed.
const OTHERS: [(&str, Option<usize>, usize, bool); 13] = [
    ("fspick", Some(0), 1, true),
    ("inotify_add_watch", None, 1, true),
    ("link", None, 1, false),
    ("linkat", Some(2), 3, false),
    ("mount", None, 1, true),
    ("move_mount", Some(2), 3, true),
    ("pivot_root", None, 0, true),
    ("pivot_root", None, 1, true),
    ("rename", None, 1, false),
    ("renameat", Some(2), 3, false),
    ("renameat2", Some(2), 3, false),
    ("uselib", None, 0, true),
    ("acct", None, 0, true),
];

/// Calls that change the file behind an fd, which need not be open for writing.
const BY_FD: [&str; 5] = ["fchmod", "fchown", "fchown32", "fremovexattr", "fsetxattr"];

/// Returns the paths that a call names. The memory that the call points to must be known. A path at
/// address 0 stands for the fd of its directory.
pub fn named_paths(call: &Call, memory: &Memory) -> Vec<PathArgument> {
    let Some(decoded) = decode(call, memory) else { return Vec::new() };
    let of_object = decoded.shape.and_then(|shape| match shape.subject {
        Subject::PathBefore(path) | Subject::PathAfter(path) => Some(place(&decoded, path)),
        Subject::Opened(flags) => opened(&decoded, flags, memory),
        Subject::Program => Some(program(&decoded)),
        _ => None,
    });
    let mut paths: Vec<PathArgument> = of_object.into_iter().collect();
    let others = OTHERS.iter().filter(|(name, ..)| *name == decoded.name);
    for other in others.map(|&(_, directory, at, follows)| beside(&decoded, directory, at, follows)) {
        paths.extend((!paths.contains(&other)).then_some(other));
    }
    match decoded.name {
        "mount" if decoded.args[3] & (MS_BIND | MS_MOVE) != 0 => paths.push(beside(&decoded, None, 0, true)),
        // The mask takes two registers of a 32-bit call: fanotify_mark(2).
        "fanotify_mark" if matches!(call.syscall.abi, Abi::I386 | Abi::Arm) => {
            paths.push(beside(&decoded, Some(4), 5, true));
        }
        "fanotify_mark" => paths.push(beside(&decoded, Some(3), 4, true)),
        name if BY_FD.contains(&name) => {
            paths.push(PathArgument { directory: Some(decoded.args[0] as i32), address: 0, follows: true });
        }
        _ => {}
    }
    paths
}

/// Returns whether calls of this number can name a path, or open a file by a handle.
pub fn names_path(syscall: Syscall) -> bool {
    let call = Call { syscall, args: [0; 6], instruction_pointer: 0 };
    let is_by_handle = syscall.row().is_some_and(|row| row.name == "open_by_handle_at");
    is_by_handle || !named_paths(&call, &Memory::default()).is_empty()
}

fn beside(decoded: &DecodedCall, directory: Option<usize>, at: usize, follows: bool) -> PathArgument {
    let directory = directory.map(|at| decoded.args[at] as i32).filter(|fd| *fd != AT_FDCWD);
    PathArgument { directory, address: decoded.args[at], follows }
}

/// Returns the path of an open. `O_CREAT | O_EXCL` does not follow a link: open(2).
fn opened(decoded: &DecodedCall, flags: Flags, memory: &Memory) -> Option<PathArgument> {
    let (flags, at) = match flags {
        _ if decoded.name == "open_by_handle_at" => return None,
        Flags::None => (0, 0),
        Flags::In(at) => (decoded.args[at], at.checked_sub(1)?),
        Flags::At(at) => (memory.long().unwrap_or(0), at.checked_sub(1)?),
    };
    let is_exclusive = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
    Some(beside(decoded, at.checked_sub(1), at, flags & O_NOFOLLOW == 0 && !is_exclusive))
}
