//! Syscalls with several operations, selected by an argument.

use libc::c_int;

use super::objects::{call, eventfd, fd, open, pair, pipe};

pub(super) fn arguments() {
    let mut word = 0_u32;
    call!(libc::SYS_prctl, libc::PR_GET_DUMPABLE, 0, 0, 0, 0);
    call!(libc::SYS_prctl, libc::PR_GET_SECCOMP, 0, 0, 0, 0);
    call!(libc::SYS_prctl, libc::PR_CAPBSET_READ, 0, 0, 0, 0);
    call!(libc::SYS_prctl, libc::PR_SET_TIMERSLACK, 0, 0, 0, 0);
    call!(libc::SYS_prctl, 0x5361_6d65, 0, 0, 0, 0);
    call!(libc::SYS_seccomp, 2, 0, &raw const word);
    call!(libc::SYS_bpf, 0, 0, 0);
    call!(libc::SYS_keyctl, 0, -3, 0);
    call!(libc::SYS_futex, &raw mut word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
    call!(libc::SYS_futex, &raw mut word, libc::FUTEX_CMP_REQUEUE, 1, 0, &raw mut word, 0);
    let page = call!(libc::SYS_mmap, 0, 4096, libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
    call!(libc::SYS_madvise, page, 4096, libc::MADV_HUGEPAGE);
    call!(libc::SYS_madvise, page, 4096, 77);
    call!(libc::SYS_mprotect, page, 4096, libc::PROT_READ | libc::PROT_EXEC);
    let both = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    call!(libc::SYS_mmap, 0, 4096, both, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
    // A query and its result: it affects no other task.
    let persona = call!(libc::SYS_personality, 0xffff_ffff_u32);
    call!(libc::SYS_personality, persona | 0x4_0000);
    call!(libc::SYS_shmat, -1, 0, libc::SHM_EXEC);
    call!(libc::SYS_shmat, -1, 0, libc::SHM_RDONLY);
    let mut time = [0_i64; 2];
    for clock in [libc::CLOCK_TAI, 77, -6] {
        call!(libc::SYS_clock_getres, clock, time.as_mut_ptr());
    }
    // A clock that cannot be set, and one that does not exist.
    call!(libc::SYS_clock_gettime, libc::CLOCK_REALTIME_COARSE, [0_i64; 2].as_mut_ptr());
    call!(libc::SYS_clock_settime, libc::CLOCK_MONOTONIC, time.as_ptr());
    call!(libc::SYS_clock_adjtime, 77, [0_u64; 26].as_mut_ptr());
    let mut attributes = [0_u32; 32];
    (attributes[0], attributes[1]) = (1, 128);
    call!(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, 99, 0);
    let mut timer = 0_u32;
    call!(libc::SYS_timer_create, libc::CLOCK_MONOTONIC, 0, &raw mut timer);
    call!(libc::SYS_clock_nanosleep, libc::CLOCK_BOOTTIME, libc::TIMER_ABSTIME, time.as_ptr(), 0);
    let own = fd(call!(libc::SYS_pidfd_open, std::process::id(), 0));
    call!(libc::SYS_process_madvise, own, 0, 0, libc::MADV_COLD, 0);
    call!(libc::SYS_pkey_mprotect, page, 4096, libc::PROT_READ | libc::PROT_EXEC, -1);
    for descriptor in [pair(libc::SOCK_STREAM)[0], eventfd()] {
        call!(libc::SYS_fcntl, descriptor, libc::F_GETFL);
        call!(libc::SYS_fcntl, descriptor, libc::F_SETOWN, 0);
    }
    let socket = pair(libc::SOCK_DGRAM)[0];
    let mut length = 4_u32;
    call!(libc::SYS_getsockopt, socket, libc::SOL_SOCKET, libc::SO_TYPE, &raw mut word, &raw mut length);
    call!(libc::SYS_getsockopt, socket, 999, 7, &raw mut word, &raw mut length);
}

pub(super) fn flags() {
    // All of these are refused for every user: the flags exclude each other.
    const NOT_TOGETHER: c_int = libc::CLONE_NEWNS | libc::CLONE_FS;
    call!(libc::SYS_clone, NOT_TOGETHER | libc::CLONE_NEWNET | libc::SIGCHLD, 0, 0, 0, 0);
    let mut arguments = [0_u64; 11];
    arguments[0] = NOT_TOGETHER as u64 | 0x2_0000_0000;
    call!(libc::SYS_clone3, arguments.as_ptr(), 88);
    call!(libc::SYS_unshare, libc::CLONE_FILES);
    call!(libc::SYS_unshare, 0x1 | libc::CLONE_NEWPID);
    let namespace = open(c"/proc/self/ns/net", libc::O_RDONLY);
    call!(libc::SYS_setns, namespace, libc::CLONE_NEWUTS);
    call!(libc::SYS_mount, c"none".as_ptr(), c"/nowhere".as_ptr(), c"cgroup2".as_ptr(), 0, 0);
    call!(libc::SYS_mount, c"/nowhere".as_ptr(), c"/nowhere".as_ptr(), c"ignored".as_ptr(), libc::MS_BIND, 0);
    call!(libc::SYS_fsopen, c"no-filesystem".as_ptr(), 0);
}

pub(super) fn ioctls() {
    let mut answer = [0_u64; 8];
    let [stream, _] = pair(libc::SOCK_STREAM);
    let [out, _] = pipe();
    let internet = fd(call!(libc::SYS_socket, libc::AF_INET, libc::SOCK_DGRAM, 0));
    answer[0] = u64::from_ne_bytes(*b"lo\0\0\0\0\0\0");
    for (descriptor, command) in [
        (internet, libc::SIOCGIFMTU),
        (internet, libc::FIONREAD),
        (internet, libc::FIONBIO),
        (stream, libc::FIONREAD),
        (stream, libc::TIOCOUTQ),
        (out, libc::FIONREAD),
        (out, libc::TIOCGWINSZ),
        (out, 0xdead_beef),
        (open(c"/dev/ptmx", libc::O_RDWR | libc::O_NOCTTY), libc::TIOCOUTQ),
        (open(c"/dev/urandom", libc::O_RDONLY), 0x8004_5200),
        (open(c"/proc/self/ns/uts", libc::O_RDONLY), 0xb703),
        (open(c"/proc/self", libc::O_RDONLY), 0x8008_6601),
    ] {
        call!(libc::SYS_ioctl, descriptor, command, answer.as_mut_ptr());
    }
}
