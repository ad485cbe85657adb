//! Storage filesystems are one object in an expectation: which one a machine has is not the
//! workload's doing.
//!
//! It must not touch observations: they always keep the exact name.

use std::borrow::Cow;

/// Filesystem and the reason why it is storage, ordered by name. What is not here (`proc`, `sysfs`,
/// `cgroup2`, `tracefs`, …) is an interface of the kernel and keeps its name.
const STORAGE: &[(&str, &str)] = &[
    ("9p", "a host's directory in a guest"),
    ("afs", "network"),
    ("bcachefs", "disk"),
    ("btrfs", "disk"),
    ("ceph", "network"),
    ("cifs", "network"),
    ("cramfs", "read-only image"),
    ("devtmpfs", "the directory /dev, which is tmpfs in a container"),
    ("ecryptfs", "encryption over a disk"),
    ("erofs", "read-only image"),
    ("exfat", "disk"),
    ("ext2", "disk"),
    ("ext3", "disk"),
    ("ext4", "disk"),
    ("f2fs", "disk"),
    ("fuse", "fuse-overlayfs, sshfs, a host's directory in a container"),
    ("fuseblk", "disk, served by a process (ntfs-3g)"),
    ("gfs2", "cluster"),
    ("hfs", "disk"),
    ("hfsplus", "disk"),
    ("hostfs", "a host's directory in a guest"),
    ("iso9660", "disk"),
    ("jffs2", "flash"),
    ("jfs", "disk"),
    ("minix", "disk"),
    ("msdos", "disk"),
    ("nfs", "network"),
    ("nfs4", "network"),
    ("nilfs2", "disk"),
    ("ntfs", "disk"),
    ("ntfs3", "disk"),
    ("ocfs2", "cluster"),
    ("overlay", "layers over disks: containers, live systems"),
    ("pvfs2", "network"),
    ("ramfs", "memory in place of a disk"),
    ("reiserfs", "disk"),
    ("rootfs", "the first root, in memory"),
    ("smb3", "network"),
    ("squashfs", "read-only image: snaps, live systems"),
    ("tmpfs", "memory in place of a disk: /tmp on many systems"),
    ("ubifs", "flash"),
    ("udf", "disk"),
    ("ufs", "disk"),
    ("vboxsf", "a host's directory in a guest"),
    ("vfat", "disk"),
    ("virtiofs", "a host's directory in a guest"),
    ("xfs", "disk"),
    ("zfs", "disk"),
    ("zonefs", "disk"),
];

/// The object as an expectation holds it: `file:ext4` → `file`, `dir:overlay` → `dir`, any other as
/// it is.
pub fn written_object(object: &str) -> Cow<'_, str> {
    match object.split_once(':') {
        Some((kind @ ("file" | "dir"), filesystem)) if is_storage(filesystem) => Cow::Borrowed(kind),
        _ => Cow::Borrowed(object),
    }
}

/// Also `fuse.sshfs`, as /proc/self/mountinfo writes it.
fn is_storage(filesystem: &str) -> bool {
    reason(filesystem).is_some()
}

/// Why a filesystem is storage, if it is.
pub fn reason(filesystem: &str) -> Option<&'static str> {
    let name = if filesystem.starts_with("fuse.") { "fuse" } else { filesystem };
    STORAGE.binary_search_by_key(&name, |&(known, _)| known).ok().map(|at| STORAGE[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ordered_and_explained() {
        assert!(STORAGE.is_sorted_by(|a, b| a.0 < b.0));
        assert!(STORAGE.iter().all(|(_, reason)| !reason.is_empty()));
    }

    #[test]
    fn storage_is_one_object_and_interfaces_keep_their_names() {
        for (object, written) in [
            ("file:ext4", "file"),
            ("dir:overlay", "dir"),
            ("file:fuse.sshfs", "file"),
            ("file:proc", "file:proc"),
            ("dir:sysfs", "dir:sysfs"),
            ("file:cgroup2", "file:cgroup2"),
            ("file:unheard-of", "file:unheard-of"),
            ("socket:AF_INET:SOCK_STREAM", "socket:AF_INET:SOCK_STREAM"),
            ("block:xfs", "block:xfs"),
            ("pipe", "pipe"),
            ("file", "file"),
        ] {
            assert_eq!(written_object(object), written);
        }
    }
}
