//! Unmounts what a workload left mounted below a folder: [`unmount_below`].
//!
//! Errors are not reported here: the later removal finds a mount that stays, and does not cross it.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// Unmounts everything mounted on a folder or below it, the deepest mount first. `folder` must not
/// contain a symbolic link.
pub(super) fn unmount_below(folder: &Path) {
    let mut before = usize::MAX;
    loop {
        let points = mounted_below(folder);
        // Mounts may be stacked: each round removes at least one.
        if points.is_empty() || points.len() >= before {
            return;
        }
        before = points.len();
        // An unmount propagates to the peers of the mount that holds the mount point. A recursive
        // bind mount of `/` is such a peer of `/`: unmounting its `/proc` would also unmount the
        // real one. mount_namespaces(7)
        for point in &points {
            let _ = make_private(point);
        }
        for point in &points {
            let _ = umount2(point, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW);
        }
    }
}

/// Unmounts the mount that has an open file or directory as its root.
pub(super) fn unmount_root_of(place: &impl AsFd) -> nix::Result<()> {
    // A path in `/proc/self/fd` means exactly this place, however long its own path is.
    let path = PathBuf::from(format!("/proc/self/fd/{}", place.as_fd().as_raw_fd()));
    let _ = make_private(&path);
    umount2(&path, MntFlags::MNT_DETACH)
}

fn make_private(point: &Path) -> nix::Result<()> {
    let nothing = None::<&str>;
    mount(nothing, point, nothing, MsFlags::MS_PRIVATE | MsFlags::MS_REC, nothing)
}

/// Returns the mount points on a folder and below, the deepest and latest first.
fn mounted_below(folder: &Path) -> Vec<PathBuf> {
    let text = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mut points: Vec<PathBuf> = text.split(|byte| *byte == b'\n').filter_map(mount_point).collect();
    points.retain(|point| point.starts_with(folder));
    points.reverse();
    points.sort_by_key(|point| std::cmp::Reverse(point.components().count()));
    points
}

/// Returns the fifth field of a line of proc_pid_mountinfo(5).
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    let field = line.split(|byte| *byte == b' ').nth(4)?;
    Some(PathBuf::from(OsStr::from_bytes(&unescaped(field))))
}

/// Decodes a field: space, tab, newline and backslash are written as `\` and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|digits| byte == b'\\' && digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        let value = octal.map(|digits| digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0')));
        match value.and_then(|value| u8::try_from(value).ok()) {
            Some(value) => {
                plain.push(value);
                rest = &after[3..];
            }
            None => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_unescaped() {
        for (line, point) in [
            ("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", Some("/mnt2")),
            ("36 35 98:0 / /a\\040b\\011c\\012d\\134e rw - tmpfs none rw", Some("/a b\tc\nd\\e")),
            ("36 35 98:0 / /a\\04 rw - tmpfs none rw", Some("/a\\04")),
            ("36 35 98:0 / /a\\777\\ rw - tmpfs none rw", Some("/a\\777\\")),
            ("", None),
            ("36 35 98:0", None),
        ] {
            assert_eq!(mount_point(line.as_bytes()), point.map(PathBuf::from), "{line}");
        }
    }

    #[test]
    fn only_mounts_on_or_below_the_folder_are_found() {
        assert!(mounted_below(Path::new("/proc")).contains(&PathBuf::from("/proc")));
        assert_eq!(mounted_below(Path::new("/pro")), Vec::<PathBuf>::new());
    }
}
