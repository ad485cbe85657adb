//! Programs that start to use something new: both engines find it and name its subsystem.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::project::{Project, Ran};

/// A name, the new code, and the findings that it must cause, whether or not the kernel permits
/// the calls.
struct Mutation(&'static str, &'static str, &'static [&'static str]);

const MUTATIONS: &[Mutation] = &[
    Mutation(
        "tcp",
        "TcpListener::bind(\"127.0.0.1:0\")",
        &["network", "network::socket", "network::bind", "network::listen"],
    ),
    Mutation("udp", "UdpSocket::bind(\"127.0.0.1:0\")", &["network", "network::socket", "network::bind"]),
    Mutation(
        "unix",
        "UnixListener::bind(\"socket\")",
        &["unix::bind", "unix::listen", "unix::socket::AF_UNIX,socket:AF_UNIX:SOCK_STREAM"],
    ),
    Mutation("netlink", "socket(libc::AF_NETLINK, libc::SOCK_RAW, 0)", &["network", "network::socket"]),
    Mutation("packet", "socket(libc::AF_PACKET, libc::SOCK_RAW, 0)", &["network", "network::socket"]),
    Mutation("exec", "Command::new(\"true\").status()", &["process::clone3", "process::wait4"]),
    Mutation("thread", "std::thread::spawn(|| {}).join()", &["process::clone3"]),
    Mutation(
        "map-code",
        "mmap(null_mut(), 4096, libc::PROT_WRITE | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)",
        &["memory::mmap::argument=PROT_WRITE|PROT_EXEC|MAP_ANONYMOUS"],
    ),
    Mutation("make-code", "libc::mprotect(page(), 4096, libc::PROT_READ | libc::PROT_EXEC)", &["memory::mprotect"]),
    Mutation(
        "pair",
        "option(pairs, libc::SO_TYPE)",
        &["unix::getsockopt::SOL_SOCKET/SO_TYPE,socket:AF_UNIX:SOCK_SEQPACKET"],
    ),
    Mutation("ioctl-mtu", "libc::ioctl(unix, libc::SIOCGIFMTU, zeros())", &["network", "network::ioctl"]),
    Mutation("ioctl-null", "libc::ioctl(0, libc::TCGETS, zeros())", &["device", "device::ioctl"]),
    Mutation(
        "io-uring",
        "libc::syscall(libc::SYS_io_uring_setup, 4, zeros())",
        &["io_uring", "io_uring::io_uring_setup"],
    ),
    Mutation("ptrace", "libc::ptrace(libc::PTRACE_ATTACH, 1, 0, 0)", &["tracing", "tracing::ptrace"]),
    Mutation("proc-status", "File::open(\"/proc/self/status\")", &["process::openat"]),
    Mutation("proc-net", "File::open(\"/proc/net/dev\")", &["network", "network::openat"]),
    Mutation(
        "sys",
        "File::open(\"/sys/kernel/mm/transparent_hugepage/enabled\")",
        &["memory::openat::object=file:sysfs"],
    ),
    Mutation("device", "File::open(\"/dev/urandom\")", &["random", "random::openat"]),
    Mutation("setuid", "libc::setuid(0)", &["credentials", "credentials::setuid"]),
    Mutation("user-namespace", "libc::unshare(libc::CLONE_NEWUSER)", &["namespace", "namespace::unshare"]),
    Mutation("bpf", "libc::syscall(libc::SYS_bpf, 0, zeros(), 128)", &["bpf", "bpf::bpf"]),
    Mutation("keyctl", "libc::syscall(libc::SYS_keyctl, 0, -3, 0)", &["keys", "keys::keyctl"]),
    Mutation("memfd", "libc::memfd_create(c\"a\".as_ptr(), 0)", &["memory::memfd_create"]),
    Mutation("seccomp", "libc::prctl(libc::PR_SET_SECCOMP, 77)", &["seccomp", "seccomp::prctl"]),
    Mutation(
        "mount",
        "libc::mount(c\"none\".as_ptr(), c\"/nowhere\".as_ptr(), c\"tmpfs\".as_ptr(), 0, null())",
        &["filesystem::mount"],
    ),
    Mutation(
        "perf",
        "libc::syscall(libc::SYS_perf_event_open, zeros(), 0, -1, -1, 0)",
        &["perf", "perf::perf_event_open"],
    ),
    Mutation("inotify", "libc::inotify_init1(0)", &["fsnotify", "fsnotify::inotify_init1"]),
    Mutation("userfaultfd", "libc::syscall(libc::SYS_userfaultfd, 1)", &["memory::userfaultfd"]),
    Mutation("kill", "libc::kill(libc::getpid(), 0)", &["signal::kill"]),
    Mutation("chmod", "libc::chmod(c\"/nowhere\".as_ptr(), 0)", &["filesystem::chmod"]),
    Mutation("affinity", "libc::sched_setaffinity(0, 8, zeros().cast())", &["scheduler::sched_setaffinity"]),
    // Without IPC_CREAT, no queue is left.
    Mutation("message-queue", "libc::msgget(0x7379, 0)", &["sysvipc", "sysvipc::msgget"]),
    Mutation("module", "libc::syscall(libc::SYS_init_module, zeros(), 0, zeros())", &["module", "module::init_module"]),
    Mutation(
        "landlock",
        "libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, 1)",
        &["security", "security::landlock_create_ruleset"],
    ),
    Mutation("unknown", "libc::syscall(999)", &["none", "none::syscall_0x3e7"]),
];

/// Returns the program, which always makes the same calls and then those of its mutation.
fn program() -> String {
    let mut arms = String::new();
    for Mutation(name, code, _) in MUTATIONS {
        let _ = writeln!(arms, "            Some({name:?}) => drop({code}),");
    }
    format!(
        "#![allow(unused, dropping_copy_types, dropping_references)]
use std::fs::File;
use std::net::{{TcpListener, UdpSocket}};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::ptr::{{null, null_mut}};
use libc::{{mmap, socket}};

static ZEROS: [u64; 64] = [0; 64];

fn zeros() -> *mut u64 {{
    ZEROS.as_ptr().cast_mut()
}}

fn main() {{
    unsafe {{
        let unix = socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0);
        let page = || mmap(null_mut(), 4096, libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        libc::ioctl(unix, libc::FIONREAD, zeros());
        // Each option is known, and so is each socket, but not both together.
        let pairs = socket(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0);
        let option = |fd, name| {{
            let mut size = 4;
            libc::getsockopt(fd, libc::SOL_SOCKET, name, [0_u32; 1].as_mut_ptr().cast(), &mut size)
        }};
        option(unix, libc::SO_TYPE);
        option(pairs, libc::SO_ERROR);
        match std::env::args().nth(1).as_deref() {{
            None => {{}}
{arms}            Some(other) => panic!(\"{{other}}\"),
        }}
    }}
}}
"
    )
}

/// The findings of each workload by their keys without the workload, with their kinds.
type Findings = BTreeMap<String, BTreeMap<String, String>>;

/// Blesses a program, then runs it with the name of each mutation as its argument, under both
/// engines. `sysguard` runs a command line. Returns what both found.
fn found(name: &str, program: &str, names: &[&str], sysguard: fn(&Project, &str) -> Ran) -> Findings {
    let project = Project::new(name).expecting("before", &format!("bin: {name}"));
    let manifest = project.read("Cargo.toml").replace("[dev-dep", "[dependencies]\nlibc = \"0.2\"\n\n[dev-dep");
    project.write("Cargo.toml", &manifest);
    project.write("src/main.rs", program);
    sysguard(&project, "bless").ends(0);
    let blessed = project.read("expectations/before.yaml");
    for mutation in names {
        let file = blessed.replacen(&format!("bin: {name}\n"), &format!("bin: {name}\nargs: [{mutation}]\n"), 1);
        project.write(&format!("expectations/mutated/{mutation}.yaml"), &file);
    }
    let [guard, ptrace] = ["guard", "ptrace"].map(|engine| {
        let ran = sysguard(&project, &format!("test --update no --format json --engine {engine}")).ends(101);
        let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        findings(&report)
    });
    assert_eq!(guard, ptrace, "guard (left) and ptrace find the same");
    assert_eq!(guard.get("before"), Some(&BTreeMap::new()), "the unchanged program has no finding");
    guard
}

/// A name, the new code, and the only finding that it must cause, with its kind.
struct Sharper(&'static str, &'static str, &'static str, &'static str);

/// Mutations that change an argument, or how a child ends, and nothing else.
const SHARPER: &[Sharper] = &[
    Sharper("program", "execv(c\"/bin/true\")", "process::execve::true,file", "new-argument"),
    Sharper(
        "connect-global",
        "connect(udp(), [198, 51, 100, 7])",
        "network::connect::global,socket:AF_INET:SOCK_DGRAM",
        "new-argument",
    ),
    Sharper("bind-any", "bind(udp(), [0; 4])", "network::bind::unspecified,socket:AF_INET:SOCK_DGRAM", "new-argument"),
    Sharper(
        "send-global",
        "send(udp(), [198, 51, 100, 7])",
        "network::sendto::global,socket:AF_INET:SOCK_DGRAM",
        "new-argument",
    ),
    Sharper("write", "open(libc::O_WRONLY)", "filesystem::openat::O_WRONLY,file", "new-argument"),
    Sharper("read-write", "open(libc::O_RDWR)", "filesystem::openat::O_RDWR,file", "new-argument"),
    Sharper("crash", "child(|| std::ptr::null_mut::<u8>().write_volatile(0))", "signals::SIGSEGV", "new-signal"),
    Sharper("abort", "child(|| drop(libc::raise(libc::SIGABRT)))", "signals::SIGABRT", "new-signal"),
    Sharper("illegal", "child(|| drop(libc::raise(libc::SIGILL)))", "signals::SIGILL", "new-signal"),
];

/// Returns the program of [`SHARPER`], which makes each of its calls with another argument.
fn sharper_program() -> String {
    let arms: String = SHARPER
        .iter()
        .map(|Sharper(name, code, ..)| format!("            Some({name:?}) => drop({code}),\n"))
        .collect();
    format!(
        "#![allow(unused, dropping_copy_types)]
use std::mem::size_of_val;

unsafe fn udp() -> i32 {{
    libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
}}

fn address(of: [u8; 4], port: u16) -> libc::sockaddr_in {{
    let mut address: libc::sockaddr_in = unsafe {{ std::mem::zeroed() }};
    address.sin_family = libc::AF_INET as u16;
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = u32::from_ne_bytes(of);
    address
}}

unsafe fn connect(fd: i32, of: [u8; 4]) -> i32 {{
    let address = address(of, 9);
    libc::connect(fd, (&raw const address).cast(), size_of_val(&address) as u32)
}}

unsafe fn bind(fd: i32, of: [u8; 4]) -> i32 {{
    let address = address(of, 0);
    libc::bind(fd, (&raw const address).cast(), size_of_val(&address) as u32)
}}

unsafe fn send(fd: i32, of: [u8; 4]) -> isize {{
    let address = address(of, 9);
    libc::sendto(fd, [0_u8].as_ptr().cast(), 1, 0, (&raw const address).cast(), size_of_val(&address) as u32)
}}

unsafe fn open(flags: i32) -> i32 {{
    libc::open(c\"made\".as_ptr(), flags, 0o600)
}}

unsafe fn execv(program: &std::ffi::CStr) -> i32 {{
    libc::execv(program.as_ptr(), [program.as_ptr(), std::ptr::null()].as_ptr())
}}

/// Runs code in a child, and waits for its end.
unsafe fn child(code: impl FnOnce()) -> i32 {{
    match libc::fork() {{
        0 => {{
            code();
            libc::_exit(0)
        }}
        pid => libc::waitpid(pid, std::ptr::null_mut(), 0),
    }}
}}

fn main() {{
    unsafe {{
        open(libc::O_CREAT | libc::O_WRONLY);
        open(libc::O_RDONLY);
        connect(udp(), [127, 0, 0, 1]);
        bind(udp(), [127, 0, 0, 1]);
        send(udp(), [127, 0, 0, 1]);
        // raise() asks for the IDs of process and thread.
        child(|| drop(libc::raise(libc::SIGCHLD)));
        match std::env::args().nth(1).as_deref() {{
            None => {{}}
{arms}            Some(other) => panic!(\"{{other}}\"),
        }}
    }}
}}
"
    )
}

pub(crate) fn both_engines_find_each_argument_and_crash() {
    let names: Vec<&str> = SHARPER.iter().map(|Sharper(name, ..)| *name).collect();
    let all = found("sharper", &sharper_program(), &names, Project::sysguard_with_address);
    for Sharper(name, _, key, kind) in SHARPER {
        let found = &all[&format!("mutated::{name}")];
        assert_eq!(found.get(*key).map(String::as_str), Some(*kind), "{name}: {key}: {found:?}");
        let others: Vec<&String> = found.keys().filter(|other| !other.starts_with("process::execve")).collect();
        assert!(*name == "program" || others == [key], "{name}: {found:?}");
    }
}

pub(crate) fn both_engines_find_each_mutation() {
    let names: Vec<&str> = MUTATIONS.iter().map(|Mutation(name, ..)| *name).collect();
    let guard = found("mutations", &program(), &names, Project::sysguard);
    let pair = &guard["mutated::pair"];
    assert_eq!(pair.values().collect::<Vec<_>>(), ["new-use"], "{pair:?}");
    for Mutation(name, _, keys) in MUTATIONS {
        let found = &guard[&format!("mutated::{name}")];
        for key in *keys {
            assert!(found.contains_key(*key), "{name}: {key} is missing: {found:?}");
        }
        let new = |key: &str| found.get(key).is_some_and(|kind| kind == "new-subsystem");
        let expected: Vec<&str> = keys.iter().copied().filter(|key| !key.contains("::")).collect();
        let subsystems: Vec<&str> = found.keys().map(String::as_str).filter(|key| new(key)).collect();
        assert_eq!(subsystems, expected, "{name}: the new subsystems");
    }
}

/// Returns the kinds of each workload's findings by their keys without the workload. All are
/// confirmed, so each occurred in five of five runs.
fn findings(report: &Value) -> Findings {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let of_one = |verdict: &Value| {
        let workload = text(&verdict["workload"]);
        let key = |finding: &Value| text(&finding["key"])[workload.len() + 2..].to_owned();
        let findings = list(&verdict["findings"]);
        let findings = findings.iter().map(|finding| (key(finding), text(&finding["kind"]))).collect();
        (workload, findings)
    };
    list(&report["verdicts"]).iter().map(of_one).collect()
}
