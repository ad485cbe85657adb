//! Compares the table with the section ERRORS of the manual: Debian's manpages-dev.

use std::collections::BTreeSet;
use std::process::Command;

use super::rows::ROWS;

/// Pages beside that of the call: its own page refers to them, or the call has none.
const RELATED: &[(&str, &[&str])] = &[
    ("accept accept4 bind connect socket", &["7 unix", "7 ip"]),
    ("clone3", &["2 clone"]),
    ("execveat", &["2 execve"]),
    ("fchmodat2", &["2 chmod"]),
    ("file_getattr file_setattr", &["2 stat"]),
    ("fsconfig fsmount fsopen fspick move_mount open_tree open_tree_attr", &["2 mount"]),
    ("futimesat", &["2 utimensat"]),
    ("getxattrat", &["2 getxattr"]),
    ("io_pgetevents", &["2 io_getevents"]),
    ("ioctl", &["2 ioctl_ficlone", "2 ioctl_fideduperange"]),
    ("listxattrat", &["2 listxattr"]),
    ("open_by_handle_at openat openat2", &["2 open"]),
    ("pread64 preadv preadv2 readv", &["2 read"]),
    ("process_mrelease", &["2 process_madvise"]),
    ("pwrite64 pwritev pwritev2 writev", &["2 write"]),
    ("quotactl_fd", &["2 quotactl"]),
    ("read readv recvfrom recvmmsg recvmsg", &["2 recv", "7 tcp", "7 udp", "7 unix"]),
    ("removexattrat", &["2 removexattr"]),
    ("sendmmsg sendmsg sendto write writev", &["2 send", "7 tcp", "7 udp", "7 unix"]),
    ("set_mempolicy_home_node", &["2 set_mempolicy"]),
    ("setxattrat", &["2 setxattr"]),
    ("vfork", &["2 fork"]),
    ("wait4", &["2 waitid"]),
];

/// Errors that no page names, and the reason why they are plausible nevertheless.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("clone3", "ENOSYS", "seccomp filters of containers answer so, because they cannot read its arguments"),
    ("getdents getdents64 readdir", "EIO", "a directory is read from storage: iterate_dir(), fs/readdir.c"),
    ("io_uring_enter", "EAGAIN EBUSY EINTR", "io_uring_enter(2) of liburing"),
    ("io_uring_register", "ENOMEM", "io_uring_register(2) of liburing"),
    ("io_uring_setup", "EMFILE ENOMEM ENOSYS EPERM", "io_uring_setup(2) of liburing, and CONFIG_IO_URING"),
    ("ioctl", "EIO", "a terminal was hung up: hung_up_tty_ioctl(), drivers/tty/tty_io.c"),
    ("ioctl", "ENODEV", "a network interface is gone: dev_ifsioc(), net/core/dev_ioctl.c"),
    (
        "lstat newfstatat open openat openat2 stat statx",
        "EIO",
        "an inode is read from storage: __ext4_iget(), fs/ext4/inode.c",
    ),
    ("msync", "EIO", "pages are written to storage: vfs_fsync_range(), called by mm/msync.c"),
    ("recvfrom recvmmsg recvmsg", "ENOBUFS", "netlink(7) says that recvmsg(2) returns it"),
    (
        "read readv recvfrom recvmmsg recvmsg write writev",
        "ECONNRESET",
        "the peer reset the connection: tcp_reset(), net/ipv4/tcp_input.c",
    ),
    ("sendmmsg sendmsg sendto", "ENETUNREACH", "there is no route: ip_route_output_flow(), called by udp_sendmsg()"),
];

/// Returns the text of a page, or `None` if this release of the man-pages has none.
fn page(section: &str, name: &str) -> Option<String> {
    let path = format!("/usr/share/man/man{section}/{name}.{section}.gz");
    let output = Command::new("zcat").args(["-f", &path]).output().expect("zcat");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match text.strip_prefix(".so man").and_then(|link| link.trim().rsplit_once('/')) {
        Some((section, target)) => page(section, target.split('.').next().unwrap_or(target)),
        None => Some(text).filter(|_| output.status.success()),
    }
}

/// Returns the errnos that the section ERRORS of a page names.
fn errors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_inside = false;
    for line in text.lines().filter(|line| !line.starts_with(".\\\"")) {
        if line.starts_with(".SH") {
            is_inside = line.contains("ERRORS");
        } else if is_inside {
            let words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
            found.extend(words.filter(|word| word.starts_with('E')).map(str::to_owned));
        }
    }
    for (alias, name) in [("ENOTSUP", "EOPNOTSUPP"), ("EWOULDBLOCK", "EAGAIN")] {
        if found.contains(alias) {
            found.insert(name.to_owned());
        }
    }
    found
}

fn has(names: &str, name: &str) -> bool {
    names.split(' ').any(|one| one == name)
}

#[test]
#[ignore = "needs the man-pages (Debian: manpages-dev)"]
fn manual_names_each_error_of_the_table() {
    let read = page("2", "read").expect("read(2): install manpages-dev");
    assert!(errors(&read).contains("EIO") && !errors(&read).contains("ENOSPC"), "this is not the section ERRORS");
    let mut wrong = BTreeSet::new();
    let mut used = BTreeSet::new();
    for row in ROWS {
        for call in row.calls() {
            let related = RELATED.iter().filter(|(names, _)| has(names, call)).flat_map(|(_, pages)| *pages);
            let pages = related.filter_map(|page| page.split_once(' ')).chain([("2", call)]);
            let known: BTreeSet<String> =
                pages.filter_map(|(section, name)| page(section, name)).flat_map(|text| errors(&text)).collect();
            for error in row.words().filter(|word| *word != "short" && !known.contains(*word)) {
                let is_excepted = |(names, errors, _): &&(&str, &str, &str)| has(names, call) && has(errors, error);
                match EXCEPTIONS.iter().position(|exception| is_excepted(&exception)) {
                    Some(at) => used.insert(at),
                    None => wrong.insert(format!("{call} {error}")),
                };
            }
        }
    }
    assert!(wrong.is_empty(), "no page names {wrong:?}");
    assert!(!used.is_empty());
}

#[test]
fn section_of_errors_is_read() {
    let text = ".SH DESCRIPTION\n.B EPERM\n.SH ERRORS\n.\\\" EFAULT\n.BR EAGAIN \" or \" EWOULDBLOCK\n.B ENOTSUP\n.SH NOTES\n.B EIO\n";
    let expected = ["EAGAIN", "ENOTSUP", "EOPNOTSUPP", "EWOULDBLOCK"].map(str::to_owned);
    assert_eq!(errors(text), BTreeSet::from(expected));
}
