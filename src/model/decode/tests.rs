//! Calls of each kind as lines, from registers and memory as a program has them.

use super::*;
use crate::model::attribution::ObjectKind;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Syscall;

/// A task with pieces of memory and these fds.
#[derive(Default)]
struct Fake {
    memory: Vec<(u64, Vec<u8>)>,
    fds: Vec<(i32, &'static str)>,
}

impl View for Fake {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let holds = |(begin, bytes): &&(u64, Vec<u8>)| (*begin..begin + bytes.len() as u64).contains(&address);
        let Some((begin, bytes)) = self.memory.iter().find(holds) else { return 0 };
        let rest = &bytes[(address - begin) as usize..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        length
    }

    fn fd(&self, fd: i32) -> Option<String> {
        self.fds.iter().find(|(known, _)| *known == fd).map(|(_, text)| (*text).to_owned())
    }

    fn object(&self, fd: i32) -> Option<ObjectKind> {
        self.fd(fd).filter(|text| text == "pipe").map(ObjectKind::new)
    }
}

fn task() -> Fake {
    Fake { memory: Vec::new(), fds: vec![(0, "/dev/null"), (1, "pipe"), (3, "/etc"), (5, "127.0.0.1:80")] }
}

impl Fake {
    fn with(mut self, address: u64, bytes: &[u8]) -> Self {
        self.memory.push((address, bytes.to_vec()));
        self
    }

    fn with_longs(self, address: u64, longs: &[u64]) -> Self {
        let bytes: Vec<u8> = longs.iter().flat_map(|long| long.to_le_bytes()).collect();
        self.with(address, &bytes)
    }

    fn with_ints(self, address: u64, ints: &[u32]) -> Self {
        let bytes: Vec<u8> = ints.iter().flat_map(|int| int.to_le_bytes()).collect();
        self.with(address, &bytes)
    }
}

fn call(abi: Abi, name: &str, args: &[u64]) -> Call {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    Call { syscall: Syscall::from_name(abi, name).expect(name), args: all, instruction_pointer: 0 }
}

fn returned(name: &str, args: &[u64], value: i64, task: &Fake) -> String {
    line(&call(Abi::X86_64, name, args), CallOutcome::Returned(value), task, &NamedFolders::default())
}

fn failed(name: &str, args: &[u64], errno: i32, task: &Fake) -> String {
    line(&call(Abi::X86_64, name, args), CallOutcome::Failed(Errno(errno)), task, &NamedFolders::default())
}

const HERE: u64 = -100_i64 as u64;
const P: u64 = 0x1000;
const Q: u64 = 0x2000;
const R: u64 = 0x3000;
const INET: &[u8] = &[2, 0, 0x11, 0x51, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn paths_and_flags_of_opens_are_named() {
    let task = task().with(P, b"/proc/self/maps\0").with(Q, b"passwd\0");
    for (name, args, value, text) in [
        ("openat", &[HERE, P, 0, 0][..], 3, r#"openat("/proc/self/maps", O_RDONLY) = 3"#),
        ("openat", &[3, Q, 0o2_000_000], 4, r#"openat(3</etc>, "passwd", O_RDONLY|O_CLOEXEC) = 4"#),
        ("openat", &[HERE, P, 0o1101, 0o644], 3, r#"openat("/proc/self/maps", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3"#),
        ("open", &[P, 0o20_200_002, 0o600], 3, r#"open("/proc/self/maps", O_RDWR|O_TMPFILE, 0600) = 3"#),
        ("creat", &[P, 0o600], 3, r#"creat("/proc/self/maps", 0600) = 3"#),
        (
            "renameat2",
            &[HERE, P, 3, Q, 1],
            0,
            r#"renameat2("/proc/self/maps", 3</etc>, "passwd", RENAME_NOREPLACE) = 0"#,
        ),
        ("unlinkat", &[HERE, P, 0x200], 0, r#"unlinkat("/proc/self/maps", AT_REMOVEDIR) = 0"#),
        ("access", &[P, 0], 0, r#"access("/proc/self/maps", F_OK) = 0"#),
        ("lseek", &[0, -1_i64 as u64, 1], 0, "lseek(0</dev/null>, -1, SEEK_CUR) = 0"),
        ("dup3", &[0, 7, 0o2_000_000], 7, "dup3(0</dev/null>, 7, O_CLOEXEC) = 7"),
        ("umask", &[0o22], 0o77, "umask(022) = 077"),
    ] {
        assert_eq!(returned(name, args, value, &task), text);
    }
    assert_eq!(failed("openat", &[HERE, P, 0], 2, &task), r#"openat("/proc/self/maps", O_RDONLY) = -1 ENOENT"#);
    assert_eq!(failed("openat", &[HERE, 0xdead, 0], 14, &task), "openat(0xdead, O_RDONLY) = -1 EFAULT");
    assert_eq!(failed("openat", &[HERE, 0, 0], 14, &task), "openat(NULL, O_RDONLY) = -1 EFAULT");
    let how = task.with_longs(R, &[0o2_000_000, 0, 8]);
    let text = r#"openat2("/proc/self/maps", {O_RDONLY|O_CLOEXEC, RESOLVE_BENEATH}, 24) = 3"#;
    assert_eq!(returned("openat2", &[HERE, P, R, 24], 3, &how), text);
}

#[test]
fn payload_is_counted_and_never_shown() {
    let vectors = task().with_longs(P, &[Q, 30, R, 12]);
    for (name, args, value, text) in [
        ("write", &[1, P, 42][..], 42, "write(1<pipe>, [42 bytes]) = 42"),
        ("read", &[0, P, 4096], 1, "read(0</dev/null>, [1 byte], 4096) = 1"),
        ("writev", &[1, P, 2], 42, "writev(1<pipe>, [42 bytes]) = 42"),
        ("readv", &[0, P, 2], 5, "readv(0</dev/null>, [5 bytes]) = 5"),
        ("pwrite64", &[0, P, 9, 100], 9, "pwrite64(0</dev/null>, [9 bytes], 100) = 9"),
        ("preadv2", &[0, P, 2, 7, 0, 8], 5, "preadv2(0</dev/null>, [5 bytes], 7, RWF_NOWAIT) = 5"),
        ("getrandom", &[P, 16, 1], 16, "getrandom([16 bytes], 16, GRND_NONBLOCK) = 16"),
    ] {
        assert_eq!(returned(name, args, value, &vectors), text);
    }
    assert_eq!(failed("read", &[1, P, 8], 11, &vectors), "read(1<pipe>, 0x1000, 8) = -1 EAGAIN");
}

#[test]
fn socket_addresses_are_shown_in_both_directions() {
    let task = task().with(P, INET).with_ints(Q, &[16]);
    for (name, args, value, text) in [
        (
            "socket",
            &[2, 0o2_004_001, 6][..],
            3,
            "socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, IPPROTO_TCP) = 3",
        ),
        ("socket", &[16, 3, 0], 3, "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 3"),
        ("socket", &[1, 1, 0], 3, "socket(AF_UNIX, SOCK_STREAM, 0) = 3"),
        ("connect", &[4, P, 16], 0, "connect(4, 127.0.0.1:4433) = 0"),
        ("bind", &[4, P, 16], 0, "bind(4, 127.0.0.1:4433) = 0"),
        ("accept4", &[4, P, Q, 0o2_000_000], 6, "accept4(4, 127.0.0.1:4433, SOCK_CLOEXEC) = 6"),
        ("accept", &[4, 0, 0], 6, "accept(4) = 6"),
        ("getsockname", &[4, P, Q], 0, "getsockname(4, 127.0.0.1:4433) = 0"),
        ("sendto", &[5, R, 42, 0x4000, 0, 0], 42, "sendto(5<127.0.0.1:80>, [42 bytes], MSG_NOSIGNAL) = 42"),
        ("sendto", &[4, R, 42, 0, P, 16], 42, "sendto(4, [42 bytes], 127.0.0.1:4433) = 42"),
        ("recvfrom", &[4, R, 99, 0, P, Q], 7, "recvfrom(4, [7 bytes], 99, 127.0.0.1:4433) = 7"),
        ("setsockopt", &[4, 1, 2, Q, 4], 0, "setsockopt(4, SOL_SOCKET, SO_REUSEADDR, [16]) = 0"),
        ("setsockopt", &[4, 6, 1, Q, 4], 0, "setsockopt(4, SOL_TCP, TCP_NODELAY, [16]) = 0"),
        ("shutdown", &[4, 1], 0, "shutdown(4, SHUT_WR) = 0"),
    ] {
        assert_eq!(returned(name, args, value, &task), text);
    }
    assert_eq!(failed("accept", &[4, P, Q], 11, &task), "accept(4, 0x1000) = -1 EAGAIN");
    let message = task.with_longs(R, &[P, 16, 0x4000, 1, 0, 20, 0]).with_longs(0x4000, &[0x5000, 42]);
    for (name, value, text) in [
        ("sendmsg", 42, "sendmsg(4, {127.0.0.1:4433, [42 bytes], control [20 bytes]}) = 42"),
        ("recvmsg", 5, "recvmsg(4, {127.0.0.1:4433, [5 bytes], control [20 bytes]}) = 5"),
    ] {
        assert_eq!(returned(name, &[4, R, 0], value, &message), text);
    }
}

#[test]
fn programs_show_arguments_but_no_environment() {
    let task = task()
        .with(P, b"/usr/bin/curl\0")
        .with_longs(Q, &[P, 0x5000, 0])
        .with_longs(R, &[P, P, 0])
        .with(0x5000, b"-H\x1b[31m\0");
    let text = r#"execve("/usr/bin/curl", ["/usr/bin/curl", "-H\u{1b}[31m"], [2 variables]) = 0"#;
    assert_eq!(returned("execve", &[P, Q, R], 0, &task), text);
    let many: Vec<u64> = std::iter::repeat_n(0x5000, 40).chain([0]).collect();
    let text = returned("execve", &[P, 0x6000, 0], 0, &task.with_longs(0x6000, &many));
    assert!(text.ends_with(r#"[31m", ...], NULL) = 0"#) && text.matches("-H").count() == 32, "{text}");
}

#[test]
fn commands_and_options_are_named() {
    let task = task().with(P, b"worker\0").with_ints(Q, &[0]).with(R, &[1, 0, 0, 0]);
    for (name, args, value, text) in [
        ("ioctl", &[0, 0x5401, P][..], 0, "ioctl(0</dev/null>, TCGETS) = 0"),
        ("ioctl", &[1, 0x541b, P], 0, "ioctl(1<pipe>, FIONREAD) = 0"),
        ("ioctl", &[0, 0xdead_beef, P], 0, "ioctl(0</dev/null>, 0xdeadbeef) = 0"),
        ("fcntl", &[0, 1, 99], 1, "fcntl(0</dev/null>, F_GETFD) = 1 (FD_CLOEXEC)"),
        ("fcntl", &[0, 2, 1], 0, "fcntl(0</dev/null>, F_SETFD, FD_CLOEXEC) = 0"),
        ("fcntl", &[0, 3, 0], 0o100_002, "fcntl(0</dev/null>, F_GETFL) = 0x8002 (O_RDWR|O_LARGEFILE)"),
        ("fcntl", &[0, 4, 0o4000], 0, "fcntl(0</dev/null>, F_SETFL, O_RDONLY|O_NONBLOCK) = 0"),
        ("fcntl", &[0, 6, R], 0, "fcntl(0</dev/null>, F_SETLK, {F_WRLCK}) = 0"),
        ("prctl", &[15, P], 0, r#"prctl(PR_SET_NAME, "worker") = 0"#),
        ("prctl", &[4, 1], 0, "prctl(PR_SET_DUMPABLE, 1) = 0"),
        ("futex", &[P, 0x80, 2, 0], 0, "futex(0x1000, FUTEX_WAIT_PRIVATE, 2, NULL) = 0"),
        ("futex", &[P, 0x81, 1, 77], 1, "futex(0x1000, FUTEX_WAKE_PRIVATE, 1) = 1"),
        ("futex", &[P, 0x189, 1, 0], 1, "futex(0x1000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 1, NULL) = 1"),
        (
            "mmap",
            &[0, 4096, 3, 0x22, u64::MAX, 0],
            0x7f00_0000_0000,
            "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000",
        ),
        ("mprotect", &[P, 4096, 0], 0, "mprotect(0x1000, 4096, PROT_NONE) = 0"),
        ("mount", &[P, P, 0, 0x1000, 0], 0, r#"mount("worker", "worker", NULL, MS_BIND, NULL) = 0"#),
        ("unshare", &[0x1002_0000], 0, "unshare(CLONE_NEWNS|CLONE_NEWUSER) = 0"),
        ("setns", &[3, 0x4000_0000], 0, "setns(3</etc>, CLONE_NEWNET) = 0"),
        ("clone", &[0x4111, 0], 9, "clone(CLONE_VM|CLONE_VFORK|SIGCHLD) = 9"),
        ("epoll_ctl", &[3, 1, 5, Q], 0, "epoll_ctl(3</etc>, EPOLL_CTL_ADD, 5<127.0.0.1:80>, 0) = 0"),
    ] {
        assert_eq!(returned(name, args, value, &task), text);
    }
    let clone = task.with_longs(0x7000, &[0x4100, 0, 0, 0, 17, 0, 0, 0]);
    assert_eq!(returned("clone3", &[0x7000, 64], 9, &clone), "clone3({CLONE_VM|CLONE_VFORK|SIGCHLD}, 64) = 9");
}

#[test]
fn signals_and_children_are_named() {
    let task =
        task().with_longs(P, &[1 << 16, 0, 0]).with_longs(Q, &[1, 0x0400_0000, 0x4000, 0]).with_ints(R, &[0x0700]);
    for (name, args, value, text) in [
        ("kill", &[12, 15][..], 0, "kill(12, SIGTERM) = 0"),
        ("tgkill", &[12, 13, 0], 0, "tgkill(12, 13, 0) = 0"),
        ("rt_sigprocmask", &[0, P, 0, 8], 0, "rt_sigprocmask(SIG_BLOCK, [CHLD], NULL, 8) = 0"),
        ("rt_sigaction", &[13, Q, 0, 8], 0, "rt_sigaction(SIGPIPE, {SIG_IGN, [], SA_RESTORER}, NULL, 8) = 0"),
        ("wait4", &[-1_i64 as u64, R, 1, 0], 9, "wait4(-1, [exited with 7], WNOHANG, NULL) = 9"),
        ("wait4", &[-1_i64 as u64, R, 1, 0], 0, "wait4(-1, 0x3000, WNOHANG, NULL) = 0"),
        ("waitid", &[1, 9, 0, 0x4, 0], 0, "waitid(P_PID, 9, NULL, WEXITED, NULL) = 0"),
        ("exit_group", &[1], 0, "exit_group(1) = 0"),
    ] {
        assert_eq!(returned(name, args, value, &task), text);
    }
    let ended =
        line(&call(Abi::X86_64, "exit_group", &[3]), CallOutcome::NeverReturned, &task, &NamedFolders::default());
    assert_eq!(ended, "exit_group(3) = ?");
    for (status, text) in
        [(9, "killed by SIGKILL"), (0x8b, "killed by SIGSEGV (core dumped)"), (0x137f, "stopped by SIGSTOP")]
    {
        let child = Fake::default().with_ints(R, &[status]);
        assert_eq!(returned("wait4", &[9, R, 0, 0], 9, &child), format!("wait4(9, [{text}], 0, NULL) = 9"));
    }
}

#[test]
fn durations_and_waits_are_readable() {
    let task = task().with_longs(P, &[1, 500_000_000]).with_ints(Q, &[1, 0x4, 1]).with(R, &[0b1000]);
    for (name, args, value, text) in [
        ("nanosleep", &[P, 0][..], 0, "nanosleep(1.5s) = 0"),
        ("clock_nanosleep", &[1, 1, P, 0], 0, "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, 1.5s) = 0"),
        ("poll", &[Q, 1, 250], 0, "poll([{1<pipe>, POLLOUT}], 1, 250ms) = 0 (timeout)"),
        ("poll", &[Q, 1, u64::from(u32::MAX)], 1, "poll([{1<pipe>, POLLOUT}], 1, -1) = 1"),
        ("select", &[4, R, 0, 0, P], 1, "select(4, [3</etc>], NULL, NULL, {1, 500000000000}) = 1"),
        ("epoll_wait", &[3, Q, 1, 0], 1, "epoll_wait(3</etc>, [EPOLLIN], 1, 0s) = 1"),
        ("clock_gettime", &[0, P], 0, "clock_gettime(CLOCK_REALTIME, 1.5s) = 0"),
        ("pipe2", &[Q, 0o2_000_000], 0, "pipe2([1, 4], O_CLOEXEC) = 0"),
    ] {
        assert_eq!(returned(name, args, value, &task), text);
    }
}

#[test]
fn layouts_of_32_bit_abis_are_read() {
    let task = task()
        .with_ints(P, &[1, 500_000_000])
        .with_ints(Q, &[R as u32, 0x5000, 0])
        .with(R, b"/bin/sh\0")
        .with(0x5000, INET)
        .with_ints(0x6000, &[4, 0x5000, 16, 0, 0, 0])
        .with_ints(0x7000, &[0x5000, 16, 0x8000, 1, 0, 0, 0])
        .with_ints(0x8000, &[0x9000, 42]);
    for (abi, name, args, text) in [
        (Abi::I386, "nanosleep", &[P, 0][..], "nanosleep(1.5s)"),
        (Abi::I386, "execve", &[R, Q, 0], r#"execve("/bin/sh", ["/bin/sh", "\u{2}"], NULL)"#),
        (Abi::I386, "socketcall", &[3, 0x6000], "connect(4, 127.0.0.1:4433)"),
        (Abi::I386, "sendmsg", &[4, 0x7000, 0], "sendmsg(4, {127.0.0.1:4433, [42 bytes]})"),
        (Abi::X32, "sendmsg", &[4, 0x7000, 0], "sendmsg(4, {127.0.0.1:4433, [42 bytes]})"),
        (Abi::I386, "pread64", &[0, P, 10, 1, 1], "pread64(0</dev/null>, 0x1000, 10, 4294967297)"),
        (Abi::I386, "mmap2", &[0, 4096, 1, 2, 0, 2], "mmap2(NULL, 4096, PROT_READ, MAP_PRIVATE, 0</dev/null>, 0x2000)"),
        (Abi::I386, "openat", &[0xffff_ff9c, R, 0], r#"openat("/bin/sh", O_RDONLY)"#),
        (Abi::Aarch64, "openat", &[HERE, R, 0o40_000], r#"openat("/bin/sh", O_RDONLY|O_DIRECTORY)"#),
        (Abi::Riscv64, "openat", &[HERE, R, 0o200_000], r#"openat("/bin/sh", O_RDONLY|O_DIRECTORY)"#),
    ] {
        assert_eq!(line(&call(abi, name, args), CallOutcome::Unknown, &task, &NamedFolders::default()), text, "{abi}");
    }
    let long = Fake::default().with_longs(P, &[1, 0]);
    let text = line(
        &call(Abi::I386, "clock_nanosleep_time64", &[1, 0, P]),
        CallOutcome::Unknown,
        &long,
        &NamedFolders::default(),
    );
    assert_eq!(text, "clock_nanosleep_time64(CLOCK_MONOTONIC, 0, 1s)");
}

#[test]
fn scratch_folders_and_unknown_calls_are_shown() {
    let places = NamedFolders::new([("/tmp/s/home".to_owned(), "$HOME")]);
    let task = Fake { fds: vec![(3, "/tmp/s/home/x")], ..Fake::default() }.with(P, b"/tmp/s/home/.config\0");
    let openat = call(Abi::X86_64, "openat", &[3, P, 0]);
    let text = r#"openat(3<$HOME/x>, "$HOME/.config", O_RDONLY)"#;
    assert_eq!(line(&openat, CallOutcome::Unknown, &task, &places), text);
    let unknown = Call {
        syscall: Syscall { abi: Abi::X86_64, number: 0x3e7 },
        args: [1, 16, 0, 0, 0, 0],
        instruction_pointer: 0,
    };
    let text = "syscall_0x3e7(1, 0x10, 0, 0, 0, 0) = -1 ENOSYS";
    assert_eq!(line(&unknown, CallOutcome::Failed(Errno(38)), &task, &places), text);
}

#[test]
fn memory_is_decoded_at_the_entry_for_inputs() {
    let (before, after) = (task().with(P, b"/before\0"), task().with(P, b"/after\0"));
    let entered = EnteredCall::new(&call(Abi::X86_64, "readlink", &[P, Q, 64]), &before, &NamedFolders::default());
    let after = after.with(Q, b"target-and-rest");
    let text = entered.call(CallOutcome::Returned(6), &after, &NamedFolders::default());
    assert_eq!(text, r#"readlink("/before", "target", 64)"#);
}

#[test]
fn places_are_the_paths_and_fds_of_a_call() {
    let task = task().with(P, b"passwd\0").with(Q, b"/tmp/x\0");
    let fd = |fd| FileArgument { directory: Some(fd), path: None };
    let path = |directory, path: &[u8]| FileArgument { directory, path: Some(path.to_vec()) };
    for (name, args, found) in [
        ("openat", &[3, P, 0][..], vec![path(Some(3), b"passwd")]),
        ("openat", &[HERE, P, 0], vec![path(None, b"passwd")]),
        ("renameat", &[HERE, P, 3, Q], vec![path(None, b"passwd"), path(Some(3), b"/tmp/x")]),
        ("read", &[3, P, 1], vec![fd(3)]),
        ("mmap", &[0, 1, 1, 2, 3, 0], vec![fd(3)]),
        ("getpid", &[], vec![]),
    ] {
        assert_eq!(places(&call(Abi::X86_64, name, args), &task), found, "{name}");
    }
}

/// Any registers and any memory give a line without hidden characters.
#[test]
fn no_registers_or_memory_break_a_line() {
    let noise: Vec<u8> = (0..=255).cycle().skip(7).step_by(3).take(4096).collect();
    let task = task().with(P, &noise).with(0x7fff_0000, &[0xff; 64]);
    let values = [0, 1, 3, P, P + 5, 0x7fff_0000, 0x7fff_003f, u64::MAX, i64::MIN as u64, 1 << 31, 4096];
    for abi in Abi::ALL {
        for row in crate::model::kernel::syscall::table::rows(abi) {
            for turn in 0..values.len() {
                let args = std::array::from_fn(|at| values[(turn + at * 3) % values.len()]);
                let call = Call { syscall: Syscall { abi, number: row.number.into() }, args, instruction_pointer: 0 };
                for outcome in [
                    CallOutcome::Returned(5),
                    CallOutcome::Returned(-1),
                    CallOutcome::Returned(i64::MAX),
                    CallOutcome::Unknown,
                ] {
                    let text = line(&call, outcome, &task, &NamedFolders::default());
                    assert!(!text.contains(crate::model::text::escape::is_hidden), "{text:?}");
                    assert!(text.len() < 40_000, "{} is {} bytes long", row.name, text.len());
                }
            }
        }
    }
}
