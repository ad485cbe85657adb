//! What each program of `tracees/arguments.rs` uses between its marks, as in
//! [`truths`](super::truths).

use crate::needs::Need;

/// Program, what it needs, and what it uses.
pub(crate) const TRUTHS: &[(&str, &[Need], &str)] = &[
    (
        "names_near_addresses",
        &[],
        "
         network socket AF_INET socket:AF_INET:SOCK_DGRAM 1
         network socket AF_INET6 socket:AF_INET6:SOCK_DGRAM 1
         network connect loopback socket:AF_INET:SOCK_DGRAM 1
         network sendto - socket:AF_INET:SOCK_DGRAM 1
         network connect disconnect socket:AF_INET:SOCK_DGRAM 1
         network sendto loopback socket:AF_INET:SOCK_DGRAM 1
         network bind unspecified socket:AF_INET:SOCK_DGRAM 1
         network connect loopback socket:AF_INET6:SOCK_DGRAM 2
         network sendto loopback socket:AF_INET6:SOCK_DGRAM 1
         network bind unspecified socket:AF_INET6:SOCK_DGRAM 1
         unix socket AF_UNIX socket:AF_UNIX:SOCK_STREAM 1
         unix socket AF_UNIX socket:AF_UNIX:SOCK_DGRAM 1
         unix connect path socket:AF_UNIX:SOCK_STREAM 1
         unix bind unnamed socket:AF_UNIX:SOCK_STREAM 1
         unix connect abstract socket:AF_UNIX:SOCK_DGRAM 1
         unix connect disconnect socket:AF_UNIX:SOCK_DGRAM 1
         unix sendto path socket:AF_UNIX:SOCK_DGRAM 1
         network socket AF_NETLINK socket:AF_NETLINK:SOCK_RAW 1
         network bind user socket:AF_NETLINK:SOCK_RAW 1
         network sendto kernel socket:AF_NETLINK:SOCK_RAW 1
         device openat - char:null 1
         device connect - char:null 1
         network connect - - 1
         network connect - socket:AF_INET:SOCK_DGRAM 1
        ",
    ),
    (
        "names_far_addresses",
        &[Need::Root],
        "
         network socket AF_INET socket:AF_INET:SOCK_DGRAM 1
         network socket AF_INET6 socket:AF_INET6:SOCK_DGRAM 1
         network connect private socket:AF_INET:SOCK_DGRAM 1
         network connect link-local socket:AF_INET:SOCK_DGRAM 1
         network connect multicast socket:AF_INET:SOCK_DGRAM 1
         network connect broadcast socket:AF_INET:SOCK_DGRAM 1
         network connect global socket:AF_INET:SOCK_DGRAM 1
         network connect private socket:AF_INET6:SOCK_DGRAM 1
         network connect link-local socket:AF_INET6:SOCK_DGRAM 1
         network connect multicast socket:AF_INET6:SOCK_DGRAM 1
         network connect global socket:AF_INET6:SOCK_DGRAM 2
         network socket AF_INET socket:AF_INET:SOCK_RAW 1
         network bind global socket:AF_INET:SOCK_RAW 1
         network sendto global socket:AF_INET:SOCK_RAW 1
        ",
    ),
    (
        "names_addresses_in_messages",
        &[],
        "
         network socket AF_INET socket:AF_INET:SOCK_DGRAM 1
         unix socket AF_UNIX socket:AF_UNIX:SOCK_STREAM 1
         network sendmsg loopback socket:AF_INET:SOCK_DGRAM 1
         network sendmsg unspecified socket:AF_INET:SOCK_DGRAM 1
         network sendmsg - socket:AF_INET:SOCK_DGRAM 1
         unix sendmsg - socket:AF_UNIX:SOCK_STREAM 1
         network sendmmsg loopback|unspecified socket:AF_INET:SOCK_DGRAM 1
         network sendmmsg unspecified socket:AF_INET:SOCK_DGRAM 1
         network sendmmsg - socket:AF_INET:SOCK_DGRAM 1
        ",
    ),
    (
        "names_programs",
        &[],
        r"
         process execve curl - 1
         process execve demo - 1
         process execve null - 1
         process execve \x1b[31m - 1
         process execve memfd - 2
         memory memfd_create - memfd 1
         filesystem openat - dir 1
         device openat - char:null 1
         process execveat memfd - 1
         process execveat null - 1
         process execveat zero - 1
         process execveat sh - 1
         process execveat - - 1
         filesystem dup3 - memfd 1
        ",
    ),
    (
        "opens_in_many_ways",
        &[],
        if cfg!(target_arch = "x86_64") {
            "
         filesystem open - - 1
         filesystem open O_WRONLY - 2
         filesystem open O_RDWR - 1
         filesystem open O_TRUNC - 1
         filesystem open O_WRONLY|O_CREAT - 1
         filesystem open O_PATH - 1
         filesystem creat O_WRONLY|O_CREAT - 1
         filesystem openat - - 1
         filesystem openat O_WRONLY - 2
         filesystem openat O_RDWR - 1
         filesystem openat O_TRUNC - 1
         filesystem openat O_WRONLY|O_CREAT - 1
         filesystem openat O_PATH - 1
         filesystem openat O_WRONLY|O_TMPFILE - 1
         filesystem openat2 - - 1
         filesystem openat2 O_WRONLY - 2
         filesystem openat2 O_RDWR - 1
         filesystem openat2 O_TRUNC - 1
         filesystem openat2 O_WRONLY|O_CREAT - 1
         filesystem openat2 O_PATH - 1
         filesystem open_by_handle_at O_RDWR - 1
        "
        } else {
            "
         filesystem openat - - 1
         filesystem openat O_WRONLY - 2
         filesystem openat O_RDWR - 1
         filesystem openat O_TRUNC - 1
         filesystem openat O_WRONLY|O_CREAT - 1
         filesystem openat O_PATH - 1
         filesystem openat O_WRONLY|O_TMPFILE - 1
         filesystem openat2 - - 1
         filesystem openat2 O_WRONLY - 2
         filesystem openat2 O_RDWR - 1
         filesystem openat2 O_TRUNC - 1
         filesystem openat2 O_WRONLY|O_CREAT - 1
         filesystem openat2 O_PATH - 1
         filesystem open_by_handle_at O_RDWR - 1
        "
        },
    ),
];
