//! Tests of what calls used: a row for every multiplexer, and for each rule that chooses between
//! argument, object and entry point.

use super::*;
use crate::model::attribution::{Answer, ArgumentAnswer, Memory};
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::O_PATH;

const OK: CallOutcome = CallOutcome::Returned(3);

fn call(abi: Abi, name: &str, args: &[u64]) -> Call {
    let args = std::array::from_fn(|at| args.get(at).copied().unwrap_or(0));
    Call { syscall: Syscall::from_name(abi, name).expect(name), args, instruction_pointer: 0 }
}

/// Formats a use as `SUBSYSTEM ARGUMENT OBJECT`, with `-` for none.
fn summary(used: &Use) -> String {
    let part = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let object = used.object.as_ref().map(ObjectKind::as_str);
    format!("{} {} {}", used.subsystem, part(used.argument.as_deref()), part(object))
}

fn with(object: Option<Object>, memory: &[u8]) -> Answers {
    Answers { object: object.map_or(Answer::None, Answer::Object), memory: Memory::new(memory), ..Answers::default() }
}

fn used(name: &str, args: &[u64], answers: &Answers) -> String {
    summary(&attribute(&call(Abi::X86_64, name, args), OK, answers))
}

#[test]
fn registers_give_the_argument_of_a_multiplexer() {
    for (name, args, expected) in [
        ("prctl", &[22][..], "seccomp PR_SET_SECCOMP -"),
        ("prctl", &[15], "process PR_SET_NAME -"),
        ("prctl", &[1], "signal PR_SET_PDEATHSIG -"),
        ("prctl", &[0x5361_6d65], "process 0x53616d65 -"),
        ("arch_prctl", &[0x1002], "arch ARCH_SET_FS -"),
        ("arch_prctl", &[0x3001], "arch 0x3001 -"),
        ("seccomp", &[1], "seccomp SECCOMP_SET_MODE_FILTER -"),
        ("bpf", &[5], "bpf BPF_PROG_LOAD -"),
        ("keyctl", &[11], "keys KEYCTL_READ -"),
        ("futex", &[0, 0x189], "futex FUTEX_WAIT_BITSET -"),
        ("futex", &[0, 0x81], "futex FUTEX_WAKE -"),
        ("madvise", &[0, 0, 4], "memory MADV_DONTNEED -"),
        ("clone", &[0x11], "process - -"),
        ("clone", &[0x4002_0011], "namespace CLONE_NEWNS|CLONE_NEWNET -"),
        // 0x80 is part of the exit signal here, not CLONE_NEWTIME.
        ("clone", &[0x80], "process - -"),
        ("unshare", &[0x80], "namespace CLONE_NEWTIME -"),
        ("unshare", &[0x400], "namespace - -"),
        ("clock_gettime", &[1], "time CLOCK_MONOTONIC -"),
        ("clock_gettime", &[0xffff_fff2], "time MAKE_PROCESS_CPUCLOCK -"),
        ("clock_gettime", &[0xffff_fff6], "time MAKE_THREAD_CPUCLOCK -"),
        ("clock_gettime", &[0xffff_ffe3], "device FD_TO_CLOCKID -"),
        ("mmap", &[0, 4096, 5, 0x22], "memory PROT_READ|PROT_EXEC|MAP_ANONYMOUS -"),
        ("mmap", &[0, 4096, 0x100_0004, 0x22], "memory PROT_EXEC|PROT_GROWSDOWN|MAP_ANONYMOUS -"),
        ("mmap", &[0, 4096, 5, 0x8022], "memory PROT_READ|PROT_EXEC|MAP_ANONYMOUS -"),
        ("mmap", &[0, 4096, 3, 0x22], "memory - -"),
        ("pkey_mprotect", &[0, 4096, 5], "memory PROT_READ|PROT_EXEC -"),
        ("shmat", &[7, 0, 0o110_000], "sysvipc SHM_EXEC -"),
        ("shmat", &[7, 0, 0o10_000], "sysvipc - -"),
        ("personality", &[0xffff_ffff], "process - -"),
        ("personality", &[u64::MAX], "process - -"),
        ("personality", &[0], "process PER_LINUX -"),
        ("personality", &[8], "process PER_LINUX32 -"),
        ("personality", &[0x4_0000], "process ADDR_NO_RANDOMIZE -"),
        ("personality", &[0x44_0008], "process PER_LINUX32|ADDR_NO_RANDOMIZE|READ_IMPLIES_EXEC -"),
        ("personality", &[0x40_0100], "process READ_IMPLIES_EXEC|0x100 -"),
        ("personality", &[0xfe], "process 0xfe -"),
        ("mprotect", &[0, 4096, 6], "memory PROT_WRITE|PROT_EXEC -"),
        ("mprotect", &[0, 4096, 0x100_0004], "memory PROT_EXEC|PROT_GROWSDOWN -"),
        ("socket", &[1, 1, 0], "unix AF_UNIX socket:AF_UNIX:SOCK_STREAM"),
        ("socket", &[2, 0x80802, 0], "network AF_INET socket:AF_INET:SOCK_DGRAM"),
        ("socket", &[16, 3, 9], "security AF_NETLINK socket:AF_NETLINK:SOCK_RAW"),
        ("socketpair", &[1, 5, 0], "unix AF_UNIX socket:AF_UNIX:SOCK_SEQPACKET"),
        ("pipe2", &[0x1000], "filesystem - pipe"),
        ("eventfd2", &[0], "poll - anon_inode:eventfd"),
        ("memfd_create", &[0x1000], "memory - memfd"),
        ("timerfd_create", &[1], "time CLOCK_MONOTONIC anon_inode:timerfd"),
        ("getpid", &[], "process - -"),
    ] {
        assert_eq!(used(name, args, &Answers::default()), expected, "{name} {args:x?}");
    }
}

#[test]
fn memory_gives_the_other_arguments() {
    for (name, args, memory, expected) in [
        ("clone3", &[0x1000][..], &0x2_4000_0000_u64.to_le_bytes()[..], "namespace CLONE_NEWNET|CLONE_INTO_CGROUP -"),
        ("clone3", &[0x1000], &0x2_0000_0000_u64.to_le_bytes(), "cgroup CLONE_INTO_CGROUP -"),
        ("clone3", &[0x1000], &0x11_u64.to_le_bytes(), "process - -"),
        ("clone3", &[0x1000], &[], "process - -"),
        ("perf_event_open", &[0x1000], &2_u32.to_le_bytes(), "perf PERF_TYPE_TRACEPOINT anon_inode:perf_event"),
        ("perf_event_open", &[0x1000], &77_u32.to_le_bytes(), "perf 0x4d anon_inode:perf_event"),
        ("mount", &[1, 2, 0x1000], b"cgroup2\0", "cgroup cgroup2 -"),
        ("mount", &[1, 2, 0x1000], b"fuse.sshfs\0", "filesystem fuse.sshfs -"),
        ("mount", &[1, 2, 0x1000], b"a::b\n\0", "filesystem a??b? -"),
        ("fsopen", &[0x1000], b"tmpfs\0", "filesystem tmpfs anon_inode:fscontext"),
    ] {
        assert_eq!(used(name, args, &with(None, memory)), expected, "{name} {args:x?}");
    }
}

#[test]
fn flags_give_the_argument_of_an_open() {
    for (name, args, memory, expected) in [
        ("open", &[0x1000, 0][..], 0_u64, "filesystem - -"),
        ("open", &[0x1000, 0o200_0000], 0, "filesystem - -"),
        ("open", &[0x1000, 1], 0, "filesystem O_WRONLY -"),
        ("open", &[0x1000, 3], 0, "filesystem O_WRONLY|O_RDWR -"),
        ("open", &[0x1000, 0o1101], 0, "filesystem O_WRONLY|O_CREAT -"),
        ("open", &[0x1000, 0o1000], 0, "filesystem O_TRUNC -"),
        ("openat", &[0, 0x1000, 0o102], 0, "filesystem O_RDWR|O_CREAT -"),
        ("openat", &[0, 0x1000, 0o20_200_002], 0, "filesystem O_RDWR|O_TMPFILE -"),
        ("openat", &[0, 0x1000, O_PATH | 0o101], 0, "filesystem O_PATH -"),
        ("openat", &[0, 0x1000, 0xffff_ffff_0000_0001], 0, "filesystem O_WRONLY -"),
        ("open_by_handle_at", &[3, 0x1000, 2], 0, "filesystem O_RDWR -"),
        ("creat", &[0x1000, 0o644], 0, "filesystem O_WRONLY|O_CREAT -"),
        ("openat2", &[0, 0x1000, 0x2000, 24], 0o101, "filesystem O_WRONLY|O_CREAT -"),
        ("openat2", &[0, 0x1000, 0x2000, 24], 0, "filesystem - -"),
    ] {
        assert_eq!(used(name, args, &with(None, &memory.to_le_bytes())), expected, "{name} {args:x?}");
    }
}

#[test]
fn argument_in_memory_comes_from_the_answer() {
    let answers = |argument, object: Object| Answers { argument, ..with(Some(object), &[]) };
    let loopback = || answers(ArgumentAnswer::Text("loopback".into()), Object::socket(2, 1, 6));
    let curl = answers(ArgumentAnswer::Text("curl".into()), Object::file("ext4", false, None));
    let unread = answers(ArgumentAnswer::Unanswerable, Object::socket(2, 1, 6));
    for (name, answers, expected) in [
        ("connect", loopback(), "network loopback socket:AF_INET:SOCK_STREAM"),
        ("sendmmsg", loopback(), "network loopback socket:AF_INET:SOCK_STREAM"),
        ("connect", unread, "network - socket:AF_INET:SOCK_STREAM"),
        ("execve", curl, "process curl file:ext4"),
    ] {
        assert_eq!(used(name, &[3, 0x1000, 16], &answers), expected, "{name}");
    }
    let carried = [3_u32, 0x1000, 16, 0, 0, 0].map(u32::to_le_bytes).concat();
    let answers = Answers { memory: Memory::new(&carried), ..loopback() };
    let by_socketcall = attribute(&call(Abi::I386, "socketcall", &[3, 0x1000]), OK, &answers);
    assert_eq!(summary(&by_socketcall), "network SYS_CONNECT/loopback socket:AF_INET:SOCK_STREAM");
}

#[test]
fn version_1_holds_fewer_arguments() {
    let argument = |abi, name: &str, argument: &'static str| {
        let used = Use { argument: Some(argument.into()), ..attribute(&call(abi, name, &[]), OK, &Answers::default()) };
        let of = |known: KnownArguments| known.of(&used).unwrap_or("-").to_owned();
        (of(KnownArguments::Version1), of(KnownArguments::All))
    };
    for (abi, name, text, of_version_1) in [
        (Abi::X86_64, "openat", "O_RDWR", "-"),
        (Abi::X86_64, "creat", "O_WRONLY|O_CREAT", "-"),
        (Abi::X86_64, "execve", "curl", "-"),
        (Abi::X86_64, "sendmsg", "global", "-"),
        (Abi::I386, "connect", "loopback", "-"),
        (Abi::I386, "socketcall", "SYS_CONNECT/loopback", "SYS_CONNECT"),
        (Abi::I386, "socketcall", "SYS_ACCEPT", "SYS_ACCEPT"),
        (Abi::I386, "socketcall", "SOL_TCP/TCP_NODELAY", "SOL_TCP/TCP_NODELAY"),
        (Abi::X86_64, "fcntl", "F_SETFL", "F_SETFL"),
        (Abi::X86_64, "mmap", "PROT_READ|PROT_EXEC", "PROT_READ|PROT_EXEC"),
    ] {
        assert_eq!(argument(abi, name, text), (of_version_1.to_owned(), text.to_owned()), "{name} {text}");
    }
}

#[test]
fn rule_matches_one_of_several_classes() {
    let used = |argument: &'static str| Use {
        argument: Some(argument.into()),
        ..attribute(&call(Abi::X86_64, "sendmmsg", &[]), OK, &Answers::default())
    };
    for (argument, wanted, expected) in [
        ("loopback|global", "global", true),
        ("loopback|global", "loopback|global", true),
        ("loopback|global", "private", false),
        ("SYS_CONNECT/global", "global", true),
        ("PROT_READ|PROT_EXEC", "PROT_EXEC", false),
    ] {
        assert_eq!(used(argument).has_argument(wanted), expected, "{argument} {wanted}");
    }
}

#[test]
fn object_gives_the_subsystem_of_data_and_control() {
    let tcp = || Object::socket(2, 1, 6);
    let unix = || Object::socket(1, 1, 0);
    for (name, args, object, expected) in [
        ("read", &[3][..], tcp(), "network - socket:AF_INET:SOCK_STREAM"),
        ("read", &[3], Object::anonymous("[eventfd]"), "poll - anon_inode:eventfd"),
        ("read", &[3], Object::character("urandom"), "random - char:urandom"),
        ("read", &[3], Object::file("ext4", false, None), "filesystem - file:ext4"),
        ("openat", &[0], Object::file("proc", false, Some("self/maps")), "memory - file:proc"),
        ("connect", &[3], unix(), "unix - socket:AF_UNIX:SOCK_STREAM"),
        ("getsockopt", &[3, 1, 4], unix(), "unix SOL_SOCKET/SO_ERROR socket:AF_UNIX:SOCK_STREAM"),
        ("setsockopt", &[3, 6, 1], tcp(), "network SOL_TCP/TCP_NODELAY socket:AF_INET:SOCK_STREAM"),
        ("setsockopt", &[3, 999, 7], tcp(), "network 0x3e7/0x7 socket:AF_INET:SOCK_STREAM"),
        ("fcntl", &[3, 4], tcp(), "filesystem F_SETFL socket:AF_INET:SOCK_STREAM"),
        ("fcntl", &[3, 8], tcp(), "signal F_SETOWN socket:AF_INET:SOCK_STREAM"),
        ("close", &[3], tcp(), "filesystem - socket:AF_INET:SOCK_STREAM"),
        ("fstat", &[3], tcp(), "filesystem - socket:AF_INET:SOCK_STREAM"),
        ("newfstatat", &[3], Object::file("proc", false, Some("self/maps")), "filesystem - file:proc"),
        ("setns", &[3, 0], Object::namespace("net"), "namespace - ns:net"),
        ("setns", &[3, 0x4000_0000], Object::namespace("net"), "namespace CLONE_NEWNET ns:net"),
        ("mmap", &[0, 4096, 5, 2, 3], Object::file("ext4", false, None), "memory PROT_READ|PROT_EXEC file:ext4"),
        ("execve", &[0x1000], Object::file("ext4", false, None), "process - file:ext4"),
        ("process_madvise", &[3, 0x1000, 1, 20], Object::anonymous("[pidfd]"), "memory MADV_COLD anon_inode:pidfd"),
        ("pidfd_send_signal", &[3], Object::anonymous("[pidfd]"), "signal - anon_inode:pidfd"),
    ] {
        assert_eq!(used(name, args, &with(Some(object), &[])), expected, "{name} {args:x?}");
    }
}

#[test]
fn file_opened_with_o_path_is_not_reached() {
    for (name, args, memory, expected) in [
        ("open", &[0x1000, O_PATH][..], 0, "filesystem O_PATH char:urandom"),
        ("openat", &[0, 0x1000, O_PATH | 2], 0, "filesystem O_PATH char:urandom"),
        ("openat", &[0, 0x1000, 2], O_PATH, "random O_RDWR char:urandom"),
        ("openat2", &[0, 0x1000, 0x2000, 24], O_PATH, "filesystem O_PATH char:urandom"),
        ("openat2", &[0, 0x1000, 0x2000, 24], 2, "random O_RDWR char:urandom"),
        ("open_tree", &[0, 0x1000, 0], 0, "filesystem - char:urandom"),
    ] {
        let answers = with(Some(Object::character("urandom")), &memory.to_le_bytes());
        assert_eq!(used(name, args, &answers), expected, "{name} {args:x?}");
    }
}

#[test]
fn ring_is_an_fd_or_an_index() {
    let pipe = with(Some(Object::named("pipe")), &[]);
    for (name, args, expected) in [
        ("io_uring_enter", &[0, 1, 0, 0x11][..], "io_uring - anon_inode:io_uring"),
        ("io_uring_enter", &[0, 1, 0, 1], "filesystem - pipe"),
        ("io_uring_register", &[0, 0x8000_0002], "io_uring - anon_inode:io_uring"),
        ("io_uring_register", &[0, 2], "filesystem - pipe"),
    ] {
        assert_eq!(used(name, args, &pipe), expected, "{name} {args:x?}");
    }
}

#[test]
fn ioctl_is_attributed_by_command_or_object() {
    let tcp = || Some(Object::socket(2, 1, 6));
    for (command, object, expected) in [
        (0x8921, tcp(), "network SIOCGIFMTU socket:AF_INET:SOCK_STREAM"),
        (0x8921, Some(Object::socket(1, 1, 0)), "network SIOCGIFMTU socket:AF_UNIX:SOCK_STREAM"),
        (0x5401, Some(Object::named("pipe")), "device TCGETS pipe"),
        (0x541b, tcp(), "network SIOCINQ socket:AF_INET:SOCK_STREAM"),
        (0x541b, Some(Object::socket(1, 1, 0)), "unix SIOCINQ socket:AF_UNIX:SOCK_STREAM"),
        (0x89e0, Some(Object::socket(1, 1, 0)), "unix SIOCUNIXFILE socket:AF_UNIX:SOCK_STREAM"),
        (0x541b, Some(Object::named("pipe")), "filesystem FIONREAD pipe"),
        (0x541b, Some(Object::anonymous("inotify")), "fsnotify FIONREAD anon_inode:inotify"),
        (0x5421, tcp(), "network FIONBIO socket:AF_INET:SOCK_STREAM"),
        (0x8008_6601, Some(Object::file("ext4", false, None)), "filesystem FS_IOC_GETFLAGS file:ext4"),
        (0xae80, Some(Object::anonymous("kvm-vcpu:0")), "kvm KVM_RUN anon_inode:kvm-vcpu"),
        (0xdead_beef, Some(Object::character("null")), "device 0xdeadbeef char:null"),
        (0xdead_beef, None, "filesystem 0xdeadbeef -"),
        // A command has only 32 bits.
        (0xffff_ffff_0000_8921, tcp(), "network SIOCGIFMTU socket:AF_INET:SOCK_STREAM"),
    ] {
        assert_eq!(used("ioctl", &[3, command], &with(object, &[])), expected, "{command:#x}");
    }
}

#[test]
fn failed_call_has_no_new_object() {
    let failed = CallOutcome::Failed(Errno(13));
    let file = || Object::file("ext4", false, None);
    for (name, args, outcome, expected) in [
        ("openat", &[0][..], failed, "filesystem - -"),
        ("socket", &[1, 1], failed, "unix AF_UNIX -"),
        ("pipe2", &[0], failed, "filesystem - -"),
        ("stat", &[0x1000], failed, "filesystem - -"),
        ("read", &[3], failed, "filesystem - file:ext4"),
        ("read", &[3], CallOutcome::Restarting, "filesystem - file:ext4"),
        ("read", &[3], CallOutcome::NeverReturned, "filesystem - file:ext4"),
        ("execve", &[0x1000], CallOutcome::NeverReturned, "process - -"),
    ] {
        let used = attribute(&call(Abi::X86_64, name, args), outcome, &with(Some(file()), &[]));
        assert_eq!(summary(&used), expected, "{name} {outcome:?}");
    }
}

#[test]
fn other_architectures_are_attributed_alike() {
    let unix = || with(Some(Object::socket(1, 1, 0)), &[3_u32, 0, 0, 0, 0, 0].map(u32::to_le_bytes).concat());
    for (abi, name, args, answers, expected) in [
        (Abi::I386, "socketcall", &[3, 0x1000][..], unix(), "unix SYS_CONNECT socket:AF_UNIX:SOCK_STREAM"),
        (
            Abi::I386,
            "socketcall",
            &[1, 0x1000],
            with(None, &[2_u32, 1, 0, 0, 0, 0].map(u32::to_le_bytes).concat()),
            "network AF_INET socket:AF_INET:SOCK_STREAM",
        ),
        (
            Abi::I386,
            "mmap",
            &[0x1000],
            with(None, &[0_u32, 4096, 7, 0x22, 0, 0].map(u32::to_le_bytes).concat()),
            "memory PROT_READ|PROT_WRITE|PROT_EXEC|MAP_ANONYMOUS -",
        ),
        (Abi::I386, "mmap2", &[0, 4096, 5, 0x22], Answers::default(), "memory PROT_READ|PROT_EXEC|MAP_ANONYMOUS -"),
        (Abi::I386, "ipc", &[21, 7, 0o100_000], Answers::default(), "sysvipc SHM_EXEC -"),
        (Abi::I386, "ipc", &[21, 7, 0o10_000], Answers::default(), "sysvipc SHMAT -"),
        (Abi::I386, "ipc", &[23, 7, 0o100_000], Answers::default(), "sysvipc SHMGET -"),
        (Abi::I386, "ipc", &[0x1_0017], Answers::default(), "sysvipc SHMGET -"),
        (Abi::I386, "fcntl64", &[3, 13], Answers::default(), "filesystem F_SETLK64 -"),
        (Abi::I386, "ioctl", &[3, 0x8004_6601], Answers::default(), "filesystem FS_IOC32_GETFLAGS -"),
        (Abi::X32, "ioctl", &[3, 0x8921], Answers::default(), "network SIOCGIFMTU -"),
        (Abi::Aarch64, "mprotect", &[0, 4096, 0x14], Answers::default(), "memory PROT_EXEC|PROT_BTI -"),
        (Abi::Aarch64, "ioctl", &[3, 0x5413], Answers::default(), "device TIOCGWINSZ -"),
        (Abi::Riscv64, "clone", &[0x2000_0011], Answers::default(), "namespace CLONE_NEWPID -"),
    ] {
        assert_eq!(summary(&attribute(&call(abi, name, args), OK, &answers)), expected, "{abi} {name} {args:x?}");
    }
}

#[test]
fn mappings_are_ambient_only_without_file_or_code() {
    let is_ambient = |abi, name, args: &[u64], memory: &[u32]| {
        let memory: Vec<u8> = memory.iter().flat_map(|word| word.to_le_bytes()).collect();
        attribute(&call(abi, name, args), OK, &with(None, &memory)).ambient
    };
    for (abi, name, args, memory, ambient) in [
        (Abi::X86_64, "mmap", &[0, 4096, 3, 0x22][..], &[][..], true),
        (Abi::X86_64, "mmap", &[0, 4096, 7, 0x22], &[], false),
        (Abi::X86_64, "mmap", &[0, 4096, 3, 2, 3], &[], false),
        (Abi::I386, "mmap", &[0x1000], &[0, 4096, 3, 0x22, 0, 0], true),
        (Abi::I386, "mmap", &[0x1000], &[0, 4096, 3, 2, 3, 0], false),
        (Abi::X86_64, "mprotect", &[0, 4096, 1], &[], true),
        (Abi::X86_64, "futex", &[], &[], true),
        (Abi::X86_64, "kill", &[], &[], false),
    ] {
        assert_eq!(is_ambient(abi, name, args, memory), ambient, "{abi} {name} {args:x?}");
    }
}

#[test]
fn signal_is_ambient_only_within_its_own_thread_group() {
    for (name, to_own_thread, ambient) in [
        ("tgkill", true, true),
        ("tgkill", false, false),
        ("tkill", true, true),
        ("tkill", false, false),
        ("kill", true, false),
        ("rt_tgsigqueueinfo", true, false),
    ] {
        let answers = Answers { to_own_thread, ..Answers::default() };
        assert_eq!(attribute(&call(Abi::X86_64, name, &[]), OK, &answers).ambient, ambient, "{name} {to_own_thread}");
    }
}
