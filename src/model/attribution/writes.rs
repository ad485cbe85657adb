//! Which calls can change what they name. Main function: [`can_write`].
//!
//! A call that writes through an fd needs an fd that is open for writing, so the call that opened
//! it counts. Calls that need no such fd count themselves.

use super::values::flags::OPENING;
use crate::model::kernel::uapi::{O_CREAT, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY};

/// Calls that can change what they name, whatever their arguments are. Sorted.
const WRITING: &[&str] = &[
    // The kernel appends to the file from then on: acct(2).
    "acct",
    // Permissions and owners. An fd that is open for reading is enough.
    "chmod",
    "chown",
    "chown32",
    // "O_CREAT|O_WRONLY|O_TRUNC", creat(2)
    "creat",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchown32",
    "fchownat",
    "file_setattr",
    "fremovexattr",
    "fsetxattr",
    // Times.
    "futimesat",
    "lchown",
    "lchown32",
    // Names.
    "link",
    "linkat",
    "lremovexattr",
    "lsetxattr",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    // Calls that change the target of a path.
    "mount",
    "mount_setattr",
    "move_mount",
    "open_tree_attr",
    "pivot_root",
    "removexattr",
    "removexattrat",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "setxattr",
    "setxattrat",
    // Overwrites the pages of the file or device.
    "swapoff",
    "swapon",
    "symlink",
    "symlinkat",
    "truncate",
    "truncate64",
    "umount",
    "umount2",
    "unlink",
    "unlinkat",
    "utime",
    "utimensat",
    "utimensat_time64",
    "utimes",
];

/// Returns whether a call of this name with this argument can change what it names.
pub(crate) fn can_write(name: &str, argument: Option<&str>) -> bool {
    const BITS: u64 = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_TMPFILE;
    let is_writing = |flag: &str| OPENING.iter().any(|known| known.name == flag && known.number & BITS != 0);
    match name {
        "open" | "openat" | "openat2" | "open_by_handle_at" => {
            argument.is_some_and(|argument| argument.split('|').any(is_writing))
        }
        // bind(2) makes the file of a unix socket.
        "bind" => argument == Some("path"),
        "socketcall" => argument == Some("SYS_BIND/path"),
        _ => WRITING.binary_search(&name).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, table};

    #[test]
    fn names_are_sorted_and_exist() {
        assert!(WRITING.is_sorted_by(|a, b| a < b));
        let known: Vec<&str> = Abi::ALL.into_iter().flat_map(table::rows).map(|row| row.name).collect();
        for name in WRITING {
            assert!(known.contains(name), "{name}");
        }
    }

    #[test]
    fn writing_calls_of_every_abi_are_listed() {
        const PARTS: [&str; 12] = [
            "chmod",
            "chown",
            "link",
            "mkdir",
            "mknod",
            "mount",
            "rename",
            "rmdir",
            "setxattr",
            "removexattr",
            "truncate",
            "utime",
        ];
        // They read, or need an fd that is open for writing; mq_unlink names a queue, not a file.
        // The others make no name: fsmount(2) returns an fd, statmount(2) and listmount(2) only
        // query.
        const OTHERS: [&str; 8] =
            ["fsmount", "ftruncate", "ftruncate64", "listmount", "mq_unlink", "readlink", "readlinkat", "statmount"];
        for name in Abi::ALL.into_iter().flat_map(table::rows).map(|row| row.name) {
            let is_named = PARTS.iter().any(|part| name.contains(part)) && !OTHERS.contains(&name);
            assert!(!is_named || can_write(name, None), "{name}");
        }
    }

    #[test]
    fn opening_writes_by_its_flags() {
        for (name, argument, writes) in [
            ("openat", None, false),
            ("openat", Some("O_PATH"), false),
            ("openat", Some("O_WRONLY|O_CREAT"), true),
            ("open", Some("O_RDWR"), true),
            ("openat2", Some("O_TRUNC"), true),
            ("open_by_handle_at", Some("O_WRONLY"), true),
            ("openat", Some("O_WRONLY|O_TMPFILE"), true),
            ("creat", Some("O_WRONLY|O_CREAT"), true),
            ("bind", Some("path"), true),
            ("bind", Some("loopback"), false),
            ("socketcall", Some("SYS_BIND/path"), true),
            ("socketcall", Some("SYS_CONNECT/path"), false),
            ("unlinkat", None, true),
            ("write", None, false),
            ("stat", None, false),
        ] {
            assert_eq!(can_write(name, argument), writes, "{name} {argument:?}");
        }
    }
}
