//! Every kind of fd that a process can have: what making one and reading from it uses.
//!
//! The programs are in `tracees/kinds.rs`. A kind that this kernel or this user cannot make is
//! ignored.

use libtest_mimic::Trial;

use crate::objects::check;

/// Returns a trial for each kind.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |&(kind, truth): &(&'static str, &'static str)| {
        Trial::ignorable_test(format!("kinds::{kind}"), move || check(&format!("kind_{kind}"), truth))
    };
    TRUTHS.iter().map(trial).collect()
}

/// Kind and uses.
const TRUTHS: &[(&str, &str)] = &[
    ("fanotify", "fsnotify fanotify_init - anon_inode:fanotify 1\n fsnotify read - anon_inode:fanotify 1"),
    ("io_uring", "io_uring io_uring_setup - anon_inode:io_uring 1\n io_uring read - anon_inode:io_uring 1"),
    (
        "perf_event",
        "perf perf_event_open PERF_TYPE_SOFTWARE anon_inode:perf_event 1\n perf read - anon_inode:perf_event 1",
    ),
    ("userfaultfd", "memory userfaultfd - anon_inode:userfaultfd 1\n memory read - anon_inode:userfaultfd 1"),
    ("fscontext", "filesystem fsopen tmpfs anon_inode:fscontext 1\n filesystem read - anon_inode:fscontext 1"),
    (
        "landlock_ruleset",
        "security landlock_create_ruleset - anon_inode:landlock-ruleset 1\n security read - anon_inode:landlock-ruleset 1",
    ),
    ("bpf_map", "bpf bpf BPF_MAP_CREATE - 1\n bpf read - anon_inode:bpf-map 1"),
    ("bpf_prog", "bpf bpf BPF_PROG_LOAD - 1\n bpf read - anon_inode:bpf-prog 1"),
    ("btf", "bpf bpf BPF_BTF_LOAD - 1\n bpf read - anon_inode:btf 1"),
    ("bpf_link", "bpf bpf BPF_PROG_LOAD - 1\n bpf bpf BPF_RAW_TRACEPOINT_OPEN - 1\n bpf read - anon_inode:bpf_link 1"),
    ("bpf_stats", "bpf bpf BPF_ENABLE_STATS - 1\n bpf read - anon_inode:bpf-stats 1"),
    (
        "seccomp_notify",
        "credentials prctl PR_SET_NO_NEW_PRIVS - 1\n seccomp seccomp SECCOMP_SET_MODE_FILTER - 1\n seccomp read - anon_inode:seccomp notify 1",
    ),
    ("kvm_vm", "kvm openat O_RDWR char:kvm 1\n kvm ioctl KVM_CREATE_VM char:kvm 1\n kvm read - anon_inode:kvm-vm 1"),
    (
        "kvm_vcpu",
        "kvm openat O_RDWR char:kvm 1\n kvm ioctl KVM_CREATE_VM char:kvm 1\n kvm ioctl KVM_CREATE_VCPU anon_inode:kvm-vm 1
         kvm read - anon_inode:kvm-vcpu 1",
    ),
    ("huge_memfd", "memory memfd_create - memfd 1\n memory read - memfd 1"),
    (
        "namespaces",
        "namespace openat - dir:proc 1\n namespace openat - ns:cgroup 1\n namespace openat - ns:ipc 1
         namespace openat - ns:mnt 1\n namespace openat - ns:net 1\n namespace openat - ns:pid 1
         namespace openat - ns:time 1\n namespace openat - ns:user 1\n namespace openat - ns:uts 1
         namespace read - ns:uts 1",
    ),
    ("secretmem", "memory memfd_secret - secretmem 1\n memory read - secretmem 1"),
    ("mqueue", "mqueue mq_open - file:mqueue 1\n mqueue mq_unlink - - 1\n mqueue read - file:mqueue 1"),
    ("fuse", "filesystem openat O_RDWR char:fuse 1\n filesystem read - char:fuse 1"),
    ("tun", "network openat O_RDWR char:net/tun 1\n network read - char:net/tun 1"),
    ("block", "block openat - block:loop 1\n block read - block:loop 1"),
    (
        "pts",
        "device openat O_RDWR char:ptmx 1\n device ioctl TIOCSPTLCK char:ptmx 1\n device ioctl TIOCGPTPEER char:ptmx 1\n device read - char:pts 1",
    ),
    ("cgroup2", "cgroup openat - file:cgroup2 1\n cgroup read - file:cgroup2 1"),
    ("tracefs", "tracing openat - file:tracefs 1\n tracing read - file:tracefs 1"),
    ("shared_memory", "filesystem openat O_RDWR|O_TMPFILE file 1\n filesystem read - file 1"),
    ("directory", "filesystem openat - dir 1\n filesystem read - dir 1"),
    (
        "socket_inet6",
        "network socket AF_INET6 socket:AF_INET6:SOCK_DGRAM 1\n network read - socket:AF_INET6:SOCK_DGRAM 1",
    ),
    ("socket_raw", "network socket AF_INET socket:AF_INET:SOCK_RAW 1\n network read - socket:AF_INET:SOCK_RAW 1"),
    (
        "socket_mptcp",
        "network socket AF_INET socket:AF_INET:SOCK_STREAM 1\n network read - socket:AF_INET:SOCK_STREAM 1",
    ),
    (
        "socket_packet",
        "network socket AF_PACKET socket:AF_PACKET:SOCK_DGRAM 1\n network read - socket:AF_PACKET:SOCK_DGRAM 1",
    ),
    (
        "socket_alg",
        "crypto socket AF_ALG socket:AF_ALG:SOCK_SEQPACKET 1\n crypto read - socket:AF_ALG:SOCK_SEQPACKET 1",
    ),
    (
        "socket_vsock",
        "network socket AF_VSOCK socket:AF_VSOCK:SOCK_STREAM 1\n network read - socket:AF_VSOCK:SOCK_STREAM 1",
    ),
    (
        "socket_audit",
        "security socket AF_NETLINK socket:AF_NETLINK:SOCK_RAW 1\n security read - socket:AF_NETLINK:SOCK_RAW 1",
    ),
    (
        "taken_from_another",
        "process pidfd_open - anon_inode:pidfd 1\n filesystem pipe2 - pipe 1\n filesystem fcntl F_SETFL pipe 1
         filesystem pidfd_getfd - pipe 1\n filesystem read - pipe 1",
    ),
];
