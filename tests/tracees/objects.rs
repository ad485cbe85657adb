//! Programs that each use one kind of object between two marks; what each call uses is stated in
//! the trial.

use std::ffi::CStr;
use std::process::ExitCode;

use libc::{c_int, c_long, c_void};

use super::{Tracee, multiplexers};

/// Makes a syscall with up to six arguments.
macro_rules! call {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        // SAFETY: each use passes what its man page asks for, with pointers to live values.
        unsafe { libc::syscall($number $(, $argument)*) }
    };
}
pub(super) use call;

/// Name and program.
pub(super) const TRACEES: &[(&str, Tracee)] = &[
    ("uses_made_objects", || between_marks(made_objects)),
    ("uses_sockets", || between_marks(sockets)),
    ("uses_files", || between_marks(files)),
    ("uses_arguments", || between_marks(multiplexers::arguments)),
    ("uses_flags", || between_marks(multiplexers::flags)),
    ("uses_ioctls", || between_marks(multiplexers::ioctls)),
    ("reuses_numbers", || between_marks(reused_numbers)),
    ("shares_files", || between_marks(shared_files)),
    ("fails_to_unshare", || between_marks(shared_after_all)),
    ("closes_by_ring", super::rings::closes_by_ring),
    ("receives_an_fd", || between_marks(received_fd)),
    ("inherits_over_exec", inherited),
    ("reads_what_it_inherited", || between_marks(read_inherited)),
    ("fails", || between_marks(failures)),
    #[cfg(target_arch = "x86_64")]
    ("calls_as_32_bits", || between_marks(super::int80::calls_of_32_bits)),
];

/// Numbers without a syscall, used as marks: only calls between them are compared.
pub(super) const BEGIN: c_long = 0x3e8;
pub(super) const END: c_long = 0x3e9;

pub(super) fn between_marks(uses: impl FnOnce()) -> ExitCode {
    call!(BEGIN);
    uses();
    call!(END);
    ExitCode::SUCCESS
}

pub(super) fn fd(returned: c_long) -> c_int {
    c_int::try_from(returned).expect("an fd")
}

/// Reads or writes eight bytes.
pub(super) fn read(fd: c_int) {
    let mut bytes = [0_u64; 64];
    call!(libc::SYS_read, fd, bytes.as_mut_ptr(), 8);
}

fn write(fd: c_int) {
    call!(libc::SYS_write, fd, (&raw const ONE).cast::<c_void>(), 8);
}

static ONE: u64 = 1;

pub(super) fn open(path: &CStr, flags: c_int) -> c_int {
    c_int::try_from(call!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o600)).unwrap_or(-1)
}

fn close(fd: c_int) {
    call!(libc::SYS_close, fd);
}

pub(super) fn pipe() -> [c_int; 2] {
    let mut ends = [0; 2];
    call!(libc::SYS_pipe2, ends.as_mut_ptr(), 0);
    ends
}

pub(super) fn eventfd() -> c_int {
    fd(call!(libc::SYS_eventfd2, 1, libc::EFD_NONBLOCK))
}

pub(super) fn pair(kind: c_int) -> [c_int; 2] {
    let mut ends = [0; 2];
    call!(libc::SYS_socketpair, libc::AF_UNIX, kind, 0, ends.as_mut_ptr());
    ends
}

fn made_objects() {
    write(pipe()[1]);
    read(eventfd());
    let poll = fd(call!(libc::SYS_epoll_create1, 0));
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    call!(libc::SYS_epoll_ctl, poll, libc::EPOLL_CTL_ADD, eventfd(), &raw mut event);
    call!(libc::SYS_epoll_pwait, poll, &raw mut event, 1, 0, 0, 8);
    read(fd(call!(libc::SYS_timerfd_create, libc::CLOCK_BOOTTIME, libc::TFD_NONBLOCK)));
    let mask = 0_u64;
    read(fd(call!(libc::SYS_signalfd4, -1, &raw const mask, 8, libc::SFD_NONBLOCK)));
    let watch = fd(call!(libc::SYS_inotify_init1, libc::IN_NONBLOCK));
    call!(libc::SYS_inotify_add_watch, watch, c"/".as_ptr(), libc::IN_CREATE);
    let memory = fd(call!(libc::SYS_memfd_create, c"x".as_ptr(), 0));
    write(memory);
    call!(libc::SYS_fcntl, memory, libc::F_ADD_SEALS, libc::F_SEAL_GROW);
    let own = fd(call!(libc::SYS_pidfd_open, std::process::id(), 0));
    call!(libc::SYS_pidfd_send_signal, own, 0, 0, 0);
}

fn sockets() {
    for (family, kind, protocol) in [
        (libc::AF_INET, libc::SOCK_DGRAM, 0),
        (libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE),
        (libc::AF_NETLINK, libc::SOCK_DGRAM, libc::NETLINK_KOBJECT_UEVENT),
    ] {
        read(fd(call!(libc::SYS_socket, family, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, protocol)));
    }
    for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET] {
        let [one, other] = pair(kind);
        write(one);
        read(other);
    }
    tcp();
}

/// Connects to itself; the accepted socket is new, and no call names its kind.
fn tcp() {
    let listening = fd(call!(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0));
    let mut address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::to_be(0x7f00_0001) },
        sin_zero: [0; 8],
    };
    let mut length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    call!(libc::SYS_bind, listening, &raw const address, length);
    call!(libc::SYS_listen, listening, 1);
    call!(libc::SYS_getsockname, listening, &raw mut address, &raw mut length);
    let connecting = fd(call!(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0));
    call!(libc::SYS_connect, connecting, &raw const address, length);
    let accepted = fd(call!(libc::SYS_accept4, listening, 0, 0, 0));
    write(connecting);
    read(accepted);
    let on = 1_i32;
    call!(libc::SYS_setsockopt, connecting, libc::IPPROTO_TCP, libc::TCP_NODELAY, &raw const on, 4);
}

fn files() {
    for path in [
        c"/dev/urandom",
        c"/dev/zero",
        c"/dev/ptmx",
        c"/proc/self/maps",
        c"/proc/self/status",
        c"/proc/self/net/dev",
        c"/proc/meminfo",
        c"/sys/class/net/lo/mtu",
        c"/proc/self/ns/uts",
    ] {
        read(open(path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY));
    }
    let directory = open(c"/proc/self/fd", libc::O_RDONLY | libc::O_DIRECTORY);
    let mut entries = [0_u64; 64];
    call!(libc::SYS_getdents64, directory, entries.as_mut_ptr(), 512);
    let mut status = [0_u64; 32];
    let status = status.as_mut_ptr();
    call!(libc::SYS_newfstatat, libc::AT_FDCWD, c"/dev/null".as_ptr(), status, 0);
    call!(libc::SYS_newfstatat, directory, c"".as_ptr(), status, libc::AT_EMPTY_PATH);
    call!(libc::SYS_newfstatat, directory, c"0".as_ptr(), status, 0);
    call!(libc::SYS_newfstatat, directory, c"0".as_ptr(), status, libc::AT_SYMLINK_NOFOLLOW);
    // By a link, as logs lead to standard output, and directly; a tracer has no such fds.
    let [pipe, memory] = [pipe()[1], fd(call!(libc::SYS_memfd_create, c"x".as_ptr(), 0))];
    call!(libc::SYS_dup3, pipe, 200, 0);
    call!(libc::SYS_dup3, memory, 201, 0);
    call!(libc::SYS_symlinkat, c"/proc/self/fd/200".as_ptr(), libc::AT_FDCWD, c"log".as_ptr());
    call!(libc::SYS_newfstatat, libc::AT_FDCWD, c"log".as_ptr(), status, 0);
    call!(libc::SYS_newfstatat, libc::AT_FDCWD, c"/proc/self/fd/201".as_ptr(), status, 0);
    open(c"log", libc::O_WRONLY);
    open(c"/proc/self/fd/201", libc::O_RDWR);
    call!(libc::SYS_mkdirat, libc::AT_FDCWD, c"folder".as_ptr(), 0o700);
    call!(libc::SYS_mknodat, libc::AT_FDCWD, c"folder/fifo".as_ptr(), libc::S_IFIFO | 0o600, 0);
    write(open(c"folder/fifo", libc::O_RDWR | libc::O_NONBLOCK));
    let file = open(c"folder/file", libc::O_RDWR | libc::O_CREAT);
    write(file);
    call!(libc::SYS_mmap, 0, 4096, libc::PROT_READ, libc::MAP_PRIVATE, file, 0);
    call!(libc::SYS_sendfile, file, open(c"/dev/zero", libc::O_RDONLY), 0, 8);
    call!(libc::SYS_splice, file, 0, pipe, 0, 8, 0);
    // O_PATH opens the location only; and the times of an fd.
    open(c"/dev/urandom", libc::O_PATH);
    call!(libc::SYS_openat2, libc::AT_FDCWD, c"/dev/urandom".as_ptr(), [libc::O_PATH as u64, 0, 0].as_ptr(), 24);
    call!(libc::SYS_utimensat, file, 0, 0, 0);
    // What does not exist afterwards, and what means something else.
    call!(libc::SYS_chdir, c"folder".as_ptr());
    call!(libc::SYS_unlinkat, libc::AT_FDCWD, c"fifo".as_ptr(), 0);
    call!(libc::SYS_unlinkat, libc::AT_FDCWD, c"file".as_ptr(), 0);
    call!(libc::SYS_lseek, file, 0, libc::SEEK_SET);
}

/// Uses the same number for one kind after another.
fn reused_numbers() {
    let first = eventfd();
    read(first);
    close(first);
    let second = pipe();
    assert_eq!(second[0], first, "the lowest number is taken");
    call!(libc::SYS_fcntl, first, libc::F_GETFL);
    // Replaced without being closed.
    let memory = fd(call!(libc::SYS_memfd_create, c"x".as_ptr(), 0));
    call!(libc::SYS_dup3, memory, first, libc::O_CLOEXEC);
    read(first);
    call!(libc::SYS_close_range, first, first, 0);
    let socket = fd(call!(libc::SYS_socket, libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 0));
    assert_eq!(socket, first, "the lowest number is taken");
    read(first);
    // Only marked, not closed.
    call!(libc::SYS_close_range, first, first, libc::CLOSE_RANGE_CLOEXEC);
    read(first);
    close(first);
    read(first);
}

/// One process closes an fd for both; then each has its own table.
fn shared_files() {
    let shared = eventfd();
    read(shared);
    in_child(libc::CLONE_FILES, || {
        close(shared);
        let replaced = fd(call!(libc::SYS_memfd_create, c"x".as_ptr(), 0));
        assert_eq!(replaced, shared, "the lowest number is taken");
    });
    read(shared);
    in_child(0, || {
        close(shared);
        pipe();
        write(shared);
    });
    read(shared);
    // One that leaves the shared table.
    in_child(libc::CLONE_FILES, || {
        call!(libc::SYS_unshare, libc::CLONE_FILES);
        close(shared);
        open(c"/dev/zero", libc::O_RDONLY);
        read(shared);
    });
    read(shared);
}

/// Runs a closure in a process made with these flags, and waits for it.
fn in_child(flags: c_int, child: impl FnOnce()) {
    match call!(libc::SYS_clone, flags | libc::SIGCHLD, 0, 0, 0, 0) {
        0 => {
            child();
            call!(libc::SYS_exit_group, 0);
        }
        pid => _ = call!(libc::SYS_wait4, pid, 0, 0, 0),
    }
}

/// Two tasks still share their table after one failed to leave it: an fd closed by one is closed
/// for both.
fn shared_after_all() {
    let shared = eventfd();
    let ([unshared, reports], [proceeds, answers]) = (pipe(), pipe());
    let child = call!(libc::SYS_clone, libc::CLONE_FILES | libc::SIGCHLD, 0, 0, 0, 0);
    if child == 0 {
        call!(libc::SYS_unshare, libc::CLONE_FILES | 0x1);
        read(shared);
        write(reports);
        read(proceeds);
        read(shared);
        call!(libc::SYS_exit_group, 0);
    }
    read(unshared);
    close(shared);
    let replaced = fd(call!(libc::SYS_memfd_create, c"x".as_ptr(), 0));
    assert_eq!(replaced, shared, "the lowest number is taken");
    write(answers);
    call!(libc::SYS_wait4, child, 0, 0, 0);
}

/// Receives an fd in a message.
fn received_fd() {
    let [to, from] = pair(libc::SOCK_STREAM);
    let sent = fd(call!(libc::SYS_timerfd_create, libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK));
    let mut byte = 0_u8;
    let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // `struct cmsghdr` (length, level, type) and one number.
    let mut control = [20_u64, libc::SOL_SOCKET as u64 | (libc::SCM_RIGHTS as u64) << 32, sent as u64];
    // SAFETY: a msghdr of zeroes is a valid one.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = 24 as _;
    call!(libc::SYS_sendmsg, to, &raw const message, 0);
    close(sent);
    let taken = eventfd();
    assert_eq!(taken, sent, "the lowest number is taken");
    read(taken);
    control = [0; 3];
    message.msg_controllen = 24 as _;
    call!(libc::SYS_recvmsg, from, &raw mut message, 0);
    read(control[2] as c_int);
}

/// Executes another program with one fd open and one that is closed on exec.
fn inherited() -> ExitCode {
    let kept = eventfd();
    call!(libc::SYS_dup3, kept, 100, 0);
    call!(libc::SYS_dup3, kept, 101, libc::O_CLOEXEC);
    read(100);
    read(101);
    let program = c"/proc/self/exe";
    let arguments = [program, c"--tracee", c"reads_what_it_inherited"].map(CStr::as_ptr);
    let arguments = [arguments[0], arguments[1], arguments[2], std::ptr::null()];
    call!(libc::SYS_execve, program.as_ptr(), arguments.as_ptr(), arguments[3..].as_ptr());
    ExitCode::FAILURE
}

fn read_inherited() {
    read(0);
    write(100);
    read(101);
}

/// Makes calls that fail: they make no object, but were tried on one.
fn failures() {
    open(c"/nowhere", libc::O_RDONLY);
    read(99);
    close(99);
    call!(libc::SYS_socket, libc::AF_UNIX, 99, 0);
    call!(libc::SYS_socket, 99, libc::SOCK_STREAM, 0);
    call!(libc::SYS_read, eventfd(), 1, 1);
    call!(libc::SYS_newfstatat, libc::AT_FDCWD, 1, 0, 0);
}
