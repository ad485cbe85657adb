//! One program for each kind of fd: it makes one and reads from it, so that the kind must be
//! queried and does not follow from the call that made it.
//!
//! Not every kernel or user can make each kind: such a program exits with [`NOT_HERE`].

use std::ffi::CStr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

use libc::{c_int, c_long};

use super::objects::{between_marks, call, open, pipe, read};

/// The exit status for "cannot run here", the same as automake's.
pub(crate) const NOT_HERE: u8 = 77;

/// Makes an fd of one kind; negative on failure.
type Make = fn() -> c_long;

/// Name of the program, and what makes the fd.
const KINDS: &[(&str, Make)] = &[
    ("kind_fanotify", || call!(libc::SYS_fanotify_init, libc::FAN_NONBLOCK, libc::O_RDONLY)),
    ("kind_io_uring", || call!(libc::SYS_io_uring_setup, 8, [0_u8; 120].as_mut_ptr())),
    ("kind_perf_event", || call!(libc::SYS_perf_event_open, perf_event().as_ptr(), 0, -1, -1, 0)),
    ("kind_userfaultfd", || call!(libc::SYS_userfaultfd, libc::O_NONBLOCK | 1)),
    ("kind_fscontext", || call!(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0)),
    ("kind_landlock_ruleset", || call!(libc::SYS_landlock_create_ruleset, [1_u64].as_ptr(), 8, 0)),
    ("kind_bpf_map", || bpf(0, &[2 | 4 << 32, 4 | 1 << 32])),
    ("kind_bpf_prog", bpf_program),
    ("kind_btf", btf),
    ("kind_bpf_link", bpf_link),
    ("kind_bpf_stats", || bpf(32, &[0])),
    ("kind_seccomp_notify", seccomp_listener),
    ("kind_kvm_vm", || call!(libc::SYS_ioctl, open(c"/dev/kvm", libc::O_RDWR), 0xae01, 0)),
    ("kind_kvm_vcpu", || {
        let machine = call!(libc::SYS_ioctl, open(c"/dev/kvm", libc::O_RDWR), 0xae01, 0);
        call!(libc::SYS_ioctl, machine, 0xae41, 0)
    }),
    ("kind_huge_memfd", || call!(libc::SYS_memfd_create, c"x".as_ptr(), libc::MFD_HUGETLB)),
    ("kind_namespaces", namespaces),
    ("kind_secretmem", || call!(libc::SYS_memfd_secret, 0)),
    ("kind_mqueue", message_queue),
    ("kind_fuse", || opened(c"/dev/fuse", libc::O_RDWR)),
    ("kind_tun", || opened(c"/dev/net/tun", libc::O_RDWR)),
    ("kind_block", || opened(c"/dev/loop0", libc::O_RDONLY)),
    ("kind_pts", pts),
    ("kind_cgroup2", || opened(CGROUP2.get().copied().expect("a place"), libc::O_RDONLY)),
    ("kind_tracefs", || opened(c"/sys/kernel/tracing/trace_clock", libc::O_RDONLY)),
    ("kind_shared_memory", || opened(c"/dev/shm", libc::O_RDWR | libc::O_TMPFILE)),
    ("kind_directory", || opened(c"/", libc::O_RDONLY)),
    ("kind_socket_inet6", || socket(libc::AF_INET6, libc::SOCK_DGRAM, 0)),
    ("kind_socket_raw", || socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)),
    ("kind_socket_mptcp", || socket(libc::AF_INET, libc::SOCK_STREAM, 262)),
    ("kind_socket_packet", || socket(libc::AF_PACKET, libc::SOCK_DGRAM, 0)),
    ("kind_socket_alg", || socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0)),
    ("kind_socket_vsock", || socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0)),
    ("kind_socket_audit", || socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_AUDIT)),
    ("kind_taken_from_another", taken),
];

/// Makes an fd of this kind and reads from it; `None` if there is no such program.
pub(super) fn make_and_read(name: &str) -> Option<ExitCode> {
    let (_, make) = KINDS.iter().find(|(known, _)| *known == name)?;
    let places = [c"/sys/fs/cgroup/cgroup.procs", c"/sys/fs/cgroup/unified/cgroup.procs"];
    let there = |place: &&CStr| place.to_str().is_ok_and(|place| Path::new(place).exists());
    let _ = CGROUP2.set(places.into_iter().find(there).unwrap_or(places[0]));
    let mut is_made = false;
    between_marks(|| {
        let made = make();
        is_made = made >= 0;
        read(c_int::try_from(made).unwrap_or(-1));
    });
    Some(ExitCode::from(if is_made { 0 } else { NOT_HERE }))
}

/// Returns the mount of cgroup version 2: alone, or beside version 1. It is found before the marks.
static CGROUP2: OnceLock<&CStr> = OnceLock::new();

fn opened(path: &CStr, flags: c_int) -> c_long {
    open(path, flags | libc::O_NONBLOCK).into()
}

fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_long {
    call!(libc::SYS_socket, family, kind | libc::SOCK_NONBLOCK, protocol)
}

/// `struct perf_event_attr`: PERF_TYPE_SOFTWARE, its size, PERF_COUNT_SW_TASK_CLOCK, kernel
/// excluded.
fn perf_event() -> [u64; 16] {
    let mut attributes = [0; 16];
    (attributes[0], attributes[1], attributes[5]) = (1 | 128 << 32, 1, 1 << 5);
    attributes
}

/// Calls bpf(2) with a `union bpf_attr` of zeroes after this beginning.
fn bpf(command: c_int, beginning: &[u64]) -> c_long {
    let mut attributes = [0_u64; 16];
    attributes[..beginning.len()].copy_from_slice(beginning);
    call!(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(&attributes))
}

/// A socket filter that drops everything: `r0 = 0; exit`.
fn bpf_program() -> c_long {
    let instructions = [0xb7_u64, 0x95];
    bpf(5, &[1 | 2 << 32, instructions.as_ptr() as u64, c"GPL".as_ptr() as u64])
}

/// Attaches a program that does nothing to every syscall of the machine while its link is open.
fn bpf_link() -> c_long {
    const RAW_TRACEPOINT: u64 = 17;
    let instructions = [0xb7_u64, 0x95];
    let program = bpf(5, &[RAW_TRACEPOINT | 2 << 32, instructions.as_ptr() as u64, c"GPL".as_ptr() as u64]);
    if program < 0 { program } else { bpf(17, &[c"sys_enter".as_ptr() as u64, program as u64]) }
}

/// Opens one of each; the last one is read.
fn namespaces() -> c_long {
    let kinds = [c"cgroup", c"ipc", c"mnt", c"net", c"pid", c"time", c"user", c"uts"];
    let folder = open(c"/proc/self/ns", libc::O_RDONLY);
    let opened = kinds.map(|kind| call!(libc::SYS_openat, folder, kind.as_ptr(), libc::O_RDONLY, 0));
    opened.into_iter().min().filter(|&least| least >= 0).map_or(-1, |_| opened[7])
}

/// A header, one type (a signed int of 32 bits called `i`), and the names.
fn btf() -> c_long {
    let words = [0x0001_eb9f_u32, 24, 0, 16, 16, 3, 1, 1 << 24, 4, 0x0100_0020];
    let mut text: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    text.extend(*b"\0i\0");
    bpf(18, &[text.as_ptr() as u64, 0, text.len() as u64])
}

/// Installs a filter that allows every call and sends no notification.
fn seccomp_listener() -> c_long {
    call!(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    let allow = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW };
    let filter = libc::sock_fprog { len: 1, filter: (&raw const allow).cast_mut() };
    call!(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER, &raw const filter)
}

fn message_queue() -> c_long {
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_NONBLOCK;
    let made = call!(libc::SYS_mq_open, c"sysguard-test".as_ptr(), flags, 0o600, 0);
    call!(libc::SYS_mq_unlink, c"sysguard-test".as_ptr());
    made
}

/// Opens the other side of a pseudo-terminal by its master, without a path.
fn pts() -> c_long {
    const TIOCGPTPEER: c_long = 0x5441;
    let master = open(c"/dev/ptmx", libc::O_RDWR | libc::O_NOCTTY);
    call!(libc::SYS_ioctl, master, libc::TIOCSPTLCK, [0].as_ptr());
    call!(libc::SYS_ioctl, master, TIOCGPTPEER, libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK)
}

/// Takes an fd out of a process, which is this one.
fn taken() -> c_long {
    let process = call!(libc::SYS_pidfd_open, std::process::id(), 0);
    let fds = pipe();
    call!(libc::SYS_fcntl, fds[0], libc::F_SETFL, libc::O_NONBLOCK);
    call!(libc::SYS_pidfd_getfd, process, fds[0], 0)
}
