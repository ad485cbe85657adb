//! Programs that reach files by unusual paths: the tracer must find the same file as the program.
//!
//! Every file that a path leads to is checked against the result of `fstat` once it is open.

use std::ffi::{CStr, CString};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::ExitCode;

use libc::{c_int, c_long};

use super::Tracee;
use super::kinds::NOT_HERE;
use super::objects::{BEGIN, END, between_marks, call, eventfd, fd, open, pipe, read};

/// Name and program.
pub(super) const TRACEES: &[(&str, Tracee)] = &[
    ("spells_a_path_in_many_ways", spellings),
    ("finds_nothing_by_a_path", nothing),
    ("names_fds_by_paths", fds),
    ("names_fds_in_a_thread", in_a_thread),
    ("looks_at_itself_in_a_pid_namespace", in_a_pid_namespace),
    ("resolves_paths_below_another_root", below_another_root),
    ("writes_to_a_file_of_another_mount_namespace", of_another_mount_namespace),
    ("opens_a_fifo_deeper_than_any_path", deep_fifo),
    ("changes_the_family_of_a_socket", changed_family),
];

/// `AT_FDCWD`
const HERE: c_int = libc::AT_FDCWD;

/// Calls newfstatat, the only call that is compared.
fn look(directory: c_int, path: &str, flags: c_int) -> c_long {
    let path = CString::new(path).expect("no zero");
    let mut status = [0_u64; 32];
    call!(libc::SYS_newfstatat, directory, path.as_ptr(), status.as_mut_ptr(), flags)
}

fn stats(path: &str) {
    assert_eq!(look(HERE, path, 0), 0, "{path}");
}

fn fails(path: &str) {
    assert_eq!(look(HERE, path, 0), -1, "{path}");
}

/// Makes a chain of links, the last one to `z`.
fn chain(name: &str, length: usize) {
    let next = |at| if at == length { "z".to_owned() } else { format!("{name}{}", at + 1) };
    (1..=length).for_each(|at| symlink(next(at), format!("{name}{at}")).expect("a link"));
}

fn prepare() {
    let link = |target: &str, name: &str| symlink(target, name).expect("a link");
    link("/dev/zero", "z");
    link("/proc/self/cwd", "here");
    link("/proc", "p");
    link("p/self", "me");
    link("nowhere", "dangling");
    link("loop", "loop");
    fs::create_dir("d").expect("a directory");
    // With `z` itself 40 links, the kernel's limit.
    chain("short", 39);
    chain("long", 40);
}

fn spellings() -> ExitCode {
    prepare();
    let procfs = open(c"/proc", libc::O_PATH);
    let link = open(c"z", libc::O_PATH | libc::O_NOFOLLOW);
    let zero = open(c"z", libc::O_RDONLY);
    let longest = "./".repeat(2047) + "z";
    let cwd = std::env::current_dir().expect("a directory");
    between_marks(|| {
        let from_root = format!("/proc/self/root{}/z", cwd.display());
        for path in [
            "/proc/self/cwd/z",
            "/proc//self/cwd/z",
            "//proc/self/cwd/z",
            "/proc/./self/cwd/z",
            "/proc/self/../self/cwd/z",
            "/proc/self/task/../cwd/z",
            "/proc/thread-self/cwd/z",
            "here/z",
            "p/self/cwd/z",
            "me/cwd/z",
            "d/../z",
            "z",
            "/dev/../dev/zero",
            "short1",
            &from_root,
            &longest,
        ] {
            stats(path);
        }
        look(procfs, "self/cwd/z", 0);
        look(procfs, "../dev/zero", 0);
        look(zero, "", libc::AT_EMPTY_PATH);
        for path in ["/proc//self/maps", "p/self/maps", "me/maps", "/proc/thread-self/maps"] {
            stats(path);
        }
        look(procfs, "self/maps", 0);
        for path in ["/proc/mounts", "/proc/self/mounts"] {
            stats(path);
        }
        stats("/proc/net/dev");
        // The links themselves.
        look(HERE, "z", libc::AT_SYMLINK_NOFOLLOW);
        look(HERE, "dangling", libc::AT_SYMLINK_NOFOLLOW);
        look(link, "", libc::AT_EMPTY_PATH);
        look(procfs, "self", libc::AT_SYMLINK_NOFOLLOW);
        look(HERE, "/proc/self/cwd", libc::AT_SYMLINK_NOFOLLOW);
        // With a trailing slash the last link is followed, too.
        look(HERE, "here/", libc::AT_SYMLINK_NOFOLLOW);
    })
}

fn nothing() -> ExitCode {
    prepare();
    let name = "x".repeat(256);
    between_marks(|| {
        for path in ["nowhere", "dangling", "loop", "long1", "z/", "z/x", "here/nowhere", "/dev/nowhere", &name] {
            fails(path);
        }
        fails("/proc/self/nowhere");
        look(HERE, "", 0);
        look(77, "z", 0);
    })
}

fn fds() -> ExitCode {
    prepare();
    let zero = open(c"z", libc::O_RDONLY);
    let udp = fd(call!(libc::SYS_socket, libc::AF_INET, libc::SOCK_DGRAM, 0));
    let unix = super::objects::pair(libc::SOCK_STREAM)[0];
    call!(libc::SYS_dup2, pipe()[0], 0);
    let event = eventfd();
    between_marks(|| {
        for fd in [zero, udp, unix, 0, event] {
            stats(&format!("/proc/self/fd/{fd}"));
            stats(&format!("me/fd/{fd}"));
            stats(&format!("/dev/fd/{fd}"));
        }
        stats("/dev/stdin");
        fails("/dev/fd/77");
    })
}

/// `/proc/self` has the fds of the thread group's leader.
fn in_a_thread() -> ExitCode {
    let (zero, full) = (open(c"/dev/zero", libc::O_RDONLY), open(c"/dev/full", libc::O_RDONLY));
    let looks = move || {
        call!(libc::SYS_unshare, libc::CLONE_FILES);
        call!(libc::SYS_dup2, full, zero);
        // The leader waits for this thread and makes no call that would be counted.
        while !fs::read_to_string("/proc/self/stat").is_ok_and(|stat| stat.contains(") S ")) {
            std::thread::yield_now();
        }
        call!(BEGIN);
        for _ in 0..3 {
            stats(&format!("/proc/self/fd/{zero}"));
            stats(&format!("/dev/fd/{zero}"));
        }
        stats(&format!("/proc/thread-self/fd/{zero}"));
        call!(END);
    };
    std::thread::spawn(looks).join().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// Unshares namespaces, with a user namespace where that takes no root; returns whether it worked.
fn unshares(flags: c_int) -> bool {
    call!(libc::SYS_unshare, flags) == 0 || call!(libc::SYS_unshare, libc::CLONE_NEWUSER | flags) == 0
}

fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: u64) -> bool {
    call!(libc::SYS_mount, source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, 0) == 0
}

/// Exits from a child.
fn leave(code: u8) -> ! {
    call!(libc::SYS_exit_group, c_int::from(code));
    unreachable!("it has left")
}

/// Forks; what the child does and how it ends is between the marks.
fn in_a_child(child: impl FnOnce() -> u8) -> ExitCode {
    let mut status: c_int = 0;
    call!(BEGIN);
    match call!(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) {
        0 => leave(child()),
        number => call!(libc::SYS_wait4, number, &raw mut status, 0, 0),
    };
    call!(END);
    ExitCode::from(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(98))
}

fn in_a_pid_namespace() -> ExitCode {
    prepare();
    if !unshares(libc::CLONE_NEWPID | libc::CLONE_NEWNS) {
        return ExitCode::from(NOT_HERE);
    }
    mount(c"none", c"/", c"none", libc::MS_REC | libc::MS_PRIVATE);
    let udp = fd(call!(libc::SYS_socket, libc::AF_INET, libc::SOCK_DGRAM, 0));
    in_a_child(|| {
        if !mount(c"proc", c"/proc", c"proc", 0) {
            return NOT_HERE;
        }
        for path in ["/proc/self/cwd/z", "/proc/thread-self/cwd/z", "here/z", "/proc/1/cwd/z", "me/cwd/z"] {
            stats(path);
        }
        for path in ["/proc/self/maps", "/proc/1/maps", "p/thread-self/maps"] {
            stats(path);
        }
        stats(&format!("/proc/self/fd/{udp}"));
        read(open(c"/proc/self/maps", libc::O_RDONLY));
        0
    })
}

fn below_another_root() -> ExitCode {
    let fifo = |name: &CStr| assert_eq!(call!(libc::SYS_mknodat, HERE, name.as_ptr(), libc::S_IFIFO | 0o600, 0), 0);
    fs::create_dir_all("jail/d").expect("directories");
    fifo(c"jail/x");
    fifo(c"y");
    symlink("/x", "jail/link").expect("a link");
    symlink("/x", "link").expect("a link");
    symlink("/d/../../../x", "jail/up").expect("a link");
    if call!(libc::SYS_chroot, c"jail".as_ptr()) != 0
        && (!unshares(libc::CLONE_NEWNS) || call!(libc::SYS_chroot, c"jail".as_ptr()) != 0)
    {
        return ExitCode::from(NOT_HERE);
    }
    between_marks(|| {
        // The working directory is above the root.
        for path in ["/x", "/link", "/up", "/../x", "link", "jail/link", "jail/up", "y"] {
            stats(path);
        }
        for path in ["/y", "/jail/x", "/proc/self/maps", "jail/../y"] {
            fails(path);
        }
        call!(libc::SYS_chdir, c"/d".as_ptr());
        for path in ["../x", "../../../x", "../link"] {
            stats(path);
        }
        fails("../../y");
    })
}

fn of_another_mount_namespace() -> ExitCode {
    let file = open(c"file", libc::O_RDWR | libc::O_CREAT);
    let maps = open(c"/proc/self/maps", libc::O_RDONLY);
    if !unshares(libc::CLONE_NEWNS) || !mount(c"none", c"/", c"none", libc::MS_REC | libc::MS_PRIVATE) {
        return ExitCode::from(NOT_HERE);
    }
    // Fds that were never queried, on mounts that this namespace does not have.
    let [file, maps] = [file, maps].map(|inherited| fd(call!(libc::SYS_dup, inherited)));
    between_marks(|| {
        read(file);
        read(maps);
        read(open(c"file", libc::O_RDONLY));
        stats("/proc/self/maps");
    })
}

fn deep_fifo() -> ExitCode {
    let name = CString::new("d".repeat(250)).expect("no zero");
    for _ in 0..20 {
        call!(libc::SYS_mkdirat, HERE, name.as_ptr(), 0o700);
        call!(libc::SYS_chdir, name.as_ptr());
    }
    call!(libc::SYS_mknodat, HERE, c"fifo".as_ptr(), libc::S_IFIFO | 0o600, 0);
    let fifo = open(c"fifo", libc::O_RDWR | libc::O_NONBLOCK);
    between_marks(|| {
        read(fifo);
        stats("fifo");
    })
}

fn changed_family() -> ExitCode {
    let socket = fd(call!(libc::SYS_socket, libc::AF_INET6, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 0));
    let copy = fd(call!(libc::SYS_dup, socket));
    // struct sockaddr_in6: ::ffff:127.0.0.1, port 9
    let mut address = [0_u8; 28];
    address[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
    address[3] = 9;
    address[18..24].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]);
    if call!(libc::SYS_connect, socket, address.as_ptr(), address.len()) != 0 {
        return ExitCode::from(NOT_HERE);
    }
    let family = libc::AF_INET;
    between_marks(|| {
        read(socket);
        read(copy);
        call!(libc::SYS_setsockopt, socket, libc::IPPROTO_IPV6, 1, &raw const family, 4);
        read(socket);
        read(copy);
    })
}
