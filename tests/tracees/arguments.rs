//! Calls with an address, a program or flags of an open as their argument; what each one uses is
//! stated in the trial.

use std::ffi::CStr;
use std::process::ExitCode;

use libc::c_int;

use super::Tracee;
use super::kinds::NOT_HERE;
use super::objects::{between_marks, call, fd, open};

/// Name and program.
pub(super) const TRACEES: &[(&str, Tracee)] = &[
    ("names_near_addresses", || between_marks(near_addresses)),
    ("names_far_addresses", far_addresses),
    ("names_addresses_in_messages", || between_marks(messages)),
    ("names_programs", || between_marks(programs)),
    ("opens_in_many_ways", || between_marks(opens)),
];

fn socket(family: c_int, kind: c_int) -> c_int {
    fd(call!(libc::SYS_socket, family, kind, 0))
}

/// An IPv4 address with the given family, and port 9.
fn inet(family: c_int, address: [u8; 4]) -> [u8; 16] {
    let [first, second, third, fourth] = address;
    [family as u8, 0, 0, 9, first, second, third, fourth, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// An IPv6 address with the given family, and port 9.
fn inet6(family: c_int, address: &str) -> [u8; 28] {
    let mut bytes = [0; 28];
    (bytes[0], bytes[3]) = (family as u8, 9);
    let address: std::net::Ipv6Addr = address.parse().expect("an address");
    bytes[8..24].copy_from_slice(&address.octets());
    bytes
}

fn connect(socket: c_int, address: &[u8]) {
    call!(libc::SYS_connect, socket, address.as_ptr(), address.len());
}

fn bind(socket: c_int, address: &[u8]) {
    call!(libc::SYS_bind, socket, address.as_ptr(), address.len());
}

fn send_to(socket: c_int, address: &[u8]) {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    call!(libc::SYS_sendto, socket, c"x".as_ptr(), 1, flags, address.as_ptr(), address.len());
}

fn near_addresses() {
    let (udp, udp6) = (socket(libc::AF_INET, libc::SOCK_DGRAM), socket(libc::AF_INET6, libc::SOCK_DGRAM));
    let loopback = inet(libc::AF_INET, [127, 0, 0, 1]);
    connect(udp, &loopback);
    call!(libc::SYS_sendto, udp, c"x".as_ptr(), 1, libc::MSG_DONTWAIT, 0, 0);
    // AF_UNSPEC ends the connection. In a message it stands for the socket's own family.
    connect(udp, &inet(libc::AF_UNSPEC, [8, 8, 8, 8]));
    send_to(udp, &inet(libc::AF_UNSPEC, [127, 0, 0, 1]));
    bind(udp, &inet(libc::AF_INET, [0, 0, 0, 0]));
    connect(udp6, &inet6(libc::AF_INET6, "::1"));
    connect(udp6, &inet6(libc::AF_INET6, "::ffff:127.0.0.1"));
    send_to(udp6, &inet(libc::AF_INET, [127, 0, 0, 1]));
    bind(udp6, &inet6(libc::AF_INET6, "::"));
    let (stream, datagram) = (socket(libc::AF_UNIX, libc::SOCK_STREAM), socket(libc::AF_UNIX, libc::SOCK_DGRAM));
    connect(stream, b"\x01\0/no/such/socket\0");
    bind(stream, b"\x01\0");
    connect(datagram, b"\x01\0\0no such name");
    connect(datagram, b"\0\0");
    send_to(datagram, b"\x01\0/no/such/socket");
    let netlink = fd(call!(libc::SYS_socket, libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE));
    bind(netlink, &[16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    send_to(netlink, &[16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // Neither a socket, nor an open fd, nor a whole address.
    connect(open(c"/dev/null", libc::O_RDONLY), &loopback);
    connect(-1, &loopback);
    connect(udp, &loopback[..4]);
}

/// Uses a network namespace of its own, in which no interface is up: nothing is sent.
fn far_addresses() -> ExitCode {
    if call!(libc::SYS_unshare, libc::CLONE_NEWNET) != 0 {
        return ExitCode::from(NOT_HERE);
    }
    between_marks(|| {
        let (udp, udp6) = (socket(libc::AF_INET, libc::SOCK_DGRAM), socket(libc::AF_INET6, libc::SOCK_DGRAM));
        for address in [[10, 0, 0, 53], [169, 254, 169, 254], [224, 0, 0, 251], [255, 255, 255, 255], [8, 8, 8, 8]] {
            connect(udp, &inet(libc::AF_INET, address));
        }
        for address in ["fd00::1", "fe80::1", "ff02::fb", "2001:db8::1", "::ffff:8.8.8.8"] {
            connect(udp6, &inet6(libc::AF_INET6, address));
        }
        // Addresses that claim another family.
        let raw = fd(call!(libc::SYS_socket, libc::AF_INET, libc::SOCK_RAW, 253));
        bind(raw, &inet(libc::AF_UNIX, [8, 8, 8, 8]));
        send_to(raw, &inet(libc::AF_UNSPEC, [8, 8, 8, 8]));
    })
}

fn messages() {
    let (udp, stream) = (socket(libc::AF_INET, libc::SOCK_DGRAM), socket(libc::AF_UNIX, libc::SOCK_STREAM));
    let (loopback, any) = (inet(libc::AF_INET, [127, 0, 0, 1]), inet(libc::AF_INET, [0, 0, 0, 0]));
    let mut buffer = libc::iovec { iov_base: c"x".as_ptr().cast_mut().cast(), iov_len: 1 };
    let buffer = &raw mut buffer;
    let to = |address: &[u8]| {
        // SAFETY: all fields may be zero; sendmsg(2).
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_name = address.as_ptr().cast_mut().cast();
        message.msg_namelen = address.len() as libc::socklen_t;
        message.msg_iov = buffer;
        message.msg_iovlen = 1;
        message
    };
    let without = libc::msghdr { msg_name: std::ptr::null_mut(), ..to(&loopback) };
    for (socket, message) in [(udp, to(&loopback)), (udp, to(&any)), (udp, without), (stream, to(&loopback))] {
        call!(libc::SYS_sendmsg, socket, &raw const message, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL);
    }
    let mut batch = [to(&any), to(&loopback), to(&any)].map(|msg_hdr| libc::mmsghdr { msg_hdr, msg_len: 0 });
    for count in [3, 1, 0] {
        call!(libc::SYS_sendmmsg, udp, batch.as_mut_ptr(), count, libc::MSG_DONTWAIT);
    }
}

/// Executes files that are not executable, so that the program continues.
fn programs() {
    let nothing = [std::ptr::null::<libc::c_char>()];
    let nothing = nothing.as_ptr();
    let execute = |path: &CStr| call!(libc::SYS_execve, path.as_ptr(), nothing, nothing);
    for path in [c"/no/such/curl", c"no/such/demo-0123456789abcdef", c"/dev/null", c"/no/such/\x1b[31m"] {
        execute(path);
    }
    let memory = fd(call!(libc::SYS_memfd_create, c"x".as_ptr(), 0));
    let folder = open(c"/dev", libc::O_RDONLY | libc::O_DIRECTORY);
    let null = open(c"/dev/null", libc::O_RDONLY);
    for (directory, path) in [(memory, c""), (null, c""), (folder, c"zero"), (libc::AT_FDCWD, c"no/such/sh"), (-1, c"")]
    {
        call!(libc::SYS_execveat, directory, path.as_ptr(), nothing, nothing, libc::AT_EMPTY_PATH);
    }
    call!(libc::SYS_dup3, memory, 77, 0);
    execute(c"/proc/self/fd/77");
    execute(c"/dev/fd/77");
}

fn opens() {
    const ABSOLUTE: [u8; 8] = [0; 8];
    for flags in [
        libc::O_RDONLY | libc::O_CLOEXEC,
        libc::O_WRONLY,
        libc::O_RDWR,
        libc::O_RDONLY | libc::O_TRUNC,
        libc::O_WRONLY | libc::O_TRUNC,
        libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL,
        libc::O_PATH | libc::O_RDWR | libc::O_CREAT,
    ] {
        open(c"/no/such/file", flags);
        #[cfg(target_arch = "x86_64")]
        call!(libc::SYS_open, c"/no/such/file".as_ptr(), flags, 0o600);
        let how = [flags as u64, 0, 0];
        call!(libc::SYS_openat2, libc::AT_FDCWD, c"/no/such/file".as_ptr(), how.as_ptr(), 24);
    }
    #[cfg(target_arch = "x86_64")]
    call!(libc::SYS_creat, c"/no/such/file".as_ptr(), 0o600);
    open(c"/no/such/folder", libc::O_TMPFILE | libc::O_WRONLY);
    call!(libc::SYS_open_by_handle_at, -1, ABSOLUTE.as_ptr(), libc::O_RDWR);
}
