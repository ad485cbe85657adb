//! What each program of `tracees/paths.rs` uses between its marks, as in [`truths`](super::truths).

use crate::needs::Need;

/// Program, what it needs, and what it uses.
pub(crate) const TRUTHS: &[(&str, &[Need], &str)] = &[
    (
        "spells_a_path_in_many_ways",
        &[],
        "
         filesystem newfstatat - char:zero 19
         filesystem newfstatat - file:proc 10
         filesystem newfstatat - dir 1
         filesystem newfstatat - file 3
        ",
    ),
    ("finds_nothing_by_a_path", &[], "filesystem newfstatat - - 12"),
    (
        "names_fds_by_paths",
        &[],
        "
         filesystem newfstatat - char:zero 3
         filesystem newfstatat - socket:AF_INET:SOCK_DGRAM 3
         filesystem newfstatat - socket:AF_UNIX:SOCK_STREAM 3
         filesystem newfstatat - pipe 4
         filesystem newfstatat - anon_inode:eventfd 3
         filesystem newfstatat - - 1
        ",
    ),
    (
        "names_fds_in_a_thread",
        &[],
        "
         filesystem newfstatat - char:zero 6
         filesystem newfstatat - char:full 1
        ",
    ),
    (
        "looks_at_itself_in_a_pid_namespace",
        &[],
        "
         filesystem newfstatat - char:zero 5
         filesystem newfstatat - file:proc 3
         filesystem newfstatat - socket:AF_INET:SOCK_DGRAM 1
         memory openat - file:proc 1
         memory read - file:proc 1
         filesystem mount proc - 1
         process clone - - 1
         process wait4 - - 1
        ",
    ),
    (
        "resolves_paths_below_another_root",
        &[],
        "
         filesystem newfstatat - fifo 11
         filesystem newfstatat - - 5
         filesystem chdir - dir 1
        ",
    ),
    (
        "writes_to_a_file_of_another_mount_namespace",
        &[],
        "
         filesystem read - file 2
         filesystem openat - file 1
         memory read - file:proc 1
         filesystem newfstatat - file:proc 1
        ",
    ),
    (
        "opens_a_fifo_deeper_than_any_path",
        &[],
        "
         filesystem read - fifo 1
         filesystem newfstatat - fifo 1
        ",
    ),
    (
        "changes_the_family_of_a_socket",
        &[],
        "
         network read - socket:AF_INET6:SOCK_DGRAM 2
         network setsockopt SOL_IPV6/IPV6_ADDRFORM socket:AF_INET6:SOCK_DGRAM 1
         network read - socket:AF_INET:SOCK_DGRAM 2
        ",
    ),
];
