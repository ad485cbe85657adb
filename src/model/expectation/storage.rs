//! Maps all storage filesystems to one object in an expectation, because the machine decides which
//! one a file is on.
//!
//! It must not change observations: they keep the exact name.

use crate::model::attribution::{ObjectClass, ObjectKind};

/// Storage filesystems with the kind of storage, ordered by name. Other filesystems (`proc`,
/// `sysfs`, `cgroup2`, `tracefs`, …) are kernel interfaces and keep their name.
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

/// Returns the object as an expectation names it: `file:ext4` → `file`, `dir:overlay` → `dir`, any
/// other unchanged.
pub fn written_object(object: &ObjectKind) -> ObjectKind {
    match object.class() {
        ObjectClass::File(Some(filesystem)) if is_storage(filesystem) => ObjectClass::File(None).into(),
        ObjectClass::Directory(Some(filesystem)) if is_storage(filesystem) => ObjectClass::Directory(None).into(),
        _ => object.clone(),
    }
}

/// Accepts `fuse.sshfs` too, as /proc/self/mountinfo writes it.
fn is_storage(filesystem: &str) -> bool {
    reason(filesystem).is_some()
}

/// Returns why a filesystem is storage, or `None` if it is not.
pub fn reason(filesystem: &str) -> Option<&'static str> {
    let name = if filesystem.starts_with("fuse.") { "fuse" } else { filesystem };
    STORAGE.binary_search_by_key(&name, |&(known, _)| known).ok().map(|at| STORAGE[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_ordered_and_explained() {
        assert!(STORAGE.is_sorted_by(|a, b| a.0 < b.0));
        assert!(STORAGE.iter().all(|(_, reason)| !reason.is_empty()));
    }

    #[test]
    fn storage_is_one_object_and_interfaces_are_not() {
        for (object, written) in [
            ("file:ext4", "file"),
            ("dir:overlay", "dir"),
            ("file:fuse.sshfs", "file"),
            ("file:proc", "file:proc"),
            ("dir:sysfs", "dir:sysfs"),
            ("file:cgroup2", "file:cgroup2"),
            ("file:unknown", "file:unknown"),
            ("socket:AF_INET:SOCK_STREAM", "socket:AF_INET:SOCK_STREAM"),
            ("block:xfs", "block:xfs"),
            ("pipe", "pipe"),
            ("file", "file"),
        ] {
            assert_eq!(written_object(&object.into()).as_str(), written);
        }
    }
}
