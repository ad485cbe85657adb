//! Tests of address classes: a row for each class, and for each family that an address may claim
//! against its socket.

use super::Purpose::{Bind, Connect, Send};
use super::*;

fn class(address: &[u8], purpose: Purpose, socket: &str) -> String {
    let socket = (!socket.is_empty()).then(|| ObjectKind::from(socket));
    classes(address, purpose, socket.as_ref()).text().unwrap_or("-".into()).into_owned()
}

fn inet(family: u16, address: &str) -> Vec<u8> {
    let address: Ipv4Addr = address.parse().expect(address);
    [&family.to_le_bytes()[..], &[0, 53], &address.octets(), &[0; 8]].concat()
}

fn inet6(family: u16, address: &str) -> Vec<u8> {
    let address: Ipv6Addr = address.parse().expect(address);
    [&family.to_le_bytes()[..], &[0, 53, 0, 0, 0, 0], &address.octets(), &[0; 4]].concat()
}

const UDP: &str = "socket:AF_INET:SOCK_DGRAM";
const UDP6: &str = "socket:AF_INET6:SOCK_DGRAM";

#[test]
fn each_range_of_ip_has_its_class() {
    for (address, expected) in [
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("10.0.0.53", "private"),
        ("172.16.0.1", "private"),
        ("172.32.0.1", "global"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("100.128.0.1", "global"),
        ("169.254.169.254", "link-local"),
        ("224.0.0.251", "multicast"),
        ("239.1.2.3", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("192.0.2.1", "global"),
        ("8.8.8.8", "global"),
    ] {
        assert_eq!(class(&inet(2, address), Connect, UDP), expected, "{address}");
        assert_eq!(class(&inet6(10, &format!("::ffff:{address}")), Send, UDP6), expected, "{address}");
    }
    for (address, expected) in [
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "private"),
        ("fd00::1", "private"),
        ("ff02::fb", "multicast"),
        ("2001:db8::1", "global"),
        ("::7f00:1", "global"),
    ] {
        assert_eq!(class(&inet6(10, address), Bind, UDP6), expected, "{address}");
    }
}

#[test]
fn other_families_have_their_classes() {
    let (unix, netlink, vsock) =
        ("socket:AF_UNIX:SOCK_DGRAM", "socket:AF_NETLINK:SOCK_RAW", "socket:AF_VSOCK:SOCK_STREAM");
    let port = |port: u8, group: u8| vec![16, 0, 0, 0, port, 0, 0, 0, group, 0, 0, 0];
    let machine = |cid: u32| [&[40, 0, 0, 0, 1, 0, 0, 0][..], &cid.to_le_bytes(), &[0; 4]].concat();
    for (address, purpose, socket, expected) in [
        (b"\x01\0/run/s\0".to_vec(), Connect, unix, "path"),
        (b"\x01\0relative".to_vec(), Bind, unix, "path"),
        (b"\x01\0\0name".to_vec(), Connect, unix, "abstract"),
        (b"\x01\0".to_vec(), Bind, unix, "unnamed"),
        (port(0, 0), Send, netlink, "kernel"),
        (port(0, 0), Bind, netlink, "user"),
        (port(7, 0), Connect, netlink, "user"),
        (port(0, 1), Send, netlink, "kernel|user"),
        (machine(0), Connect, vsock, "hypervisor"),
        (machine(1), Connect, vsock, "loopback"),
        (machine(2), Connect, vsock, "host"),
        (machine(3), Send, vsock, "guest"),
        (machine(u32::MAX), Bind, vsock, "unspecified"),
        (vec![17, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0], Bind, "socket:AF_PACKET:SOCK_RAW", "-"),
        (vec![38, 0, 0, 0], Bind, "socket:AF_ALG:SOCK_SEQPACKET", "-"),
    ] {
        assert_eq!(class(&address, purpose, socket), expected, "{socket} {purpose:?} {address:x?}");
    }
}

#[test]
fn family_of_the_socket_decides_how_an_address_is_read() {
    let global6 = inet6(10, "2001:db8::1");
    for (address, purpose, socket, expected) in [
        // Another family than the socket's: raw_bind() and raw_sendmsg() of older kernels ignore
        // it.
        (inet(1, "8.8.8.8"), Bind, "socket:AF_INET:SOCK_RAW", "global"),
        (inet(10, "8.8.8.8"), Send, UDP, "global"),
        (inet6(1, "2001:db8::1"), Send, "socket:AF_INET6:SOCK_RAW", "global"),
        // udp_sendmsg() and raw_sendmsg() take AF_UNSPEC, inet_bind() with 0.0.0.0.
        (inet(0, "8.8.8.8"), Send, UDP, "global"),
        (inet(0, "0.0.0.0"), Bind, UDP, "unspecified"),
        (inet6(0, "2001:db8::1"), Send, "socket:AF_INET6:SOCK_RAW", "global"),
        (inet6(0, "2001:db8::1"), Send, UDP6, "-"),
        (inet(2, "8.8.8.8"), Send, UDP6, "global"),
        (inet(0, "8.8.8.8"), Connect, UDP, "disconnect"),
        (global6.clone(), Connect, "socket:AF_INET6:SOCK_STREAM", "global"),
        (vec![0, 0], Connect, "socket:AF_UNIX:SOCK_DGRAM", "disconnect"),
        (vec![0, 0], Connect, "socket:AF_PACKET:SOCK_RAW", "-"),
        (inet(2, "8.8.8.8"), Connect, "socket:AF_SMC:SOCK_STREAM", "global"),
        // Of an unknown socket, only the address itself is known.
        (global6, Connect, "", "global"),
        (inet(2, "127.0.0.1"), Connect, "", "loopback"),
        (vec![0, 0], Connect, "", "disconnect"),
        // Too short for its family, so that the kernel refuses it.
        (vec![2, 0, 0, 53, 127], Connect, UDP, "-"),
        (inet(10, "8.8.8.8"), Connect, UDP6, "-"),
        (vec![16, 0, 0, 0], Connect, "socket:AF_NETLINK:SOCK_RAW", "-"),
        (vec![], Connect, UDP, "-"),
    ] {
        assert_eq!(class(&address, purpose, socket), expected, "{socket} {purpose:?} {address:x?}");
    }
}

#[test]
fn classes_are_shown_in_one_order() {
    let [global, loopback] = ["global", "loopback"].map(Classes::of);
    assert_eq!(global.with(loopback).with(global).text().as_deref(), Some("loopback|global"));
    assert_eq!(Classes::default().text(), None);
    assert!(CLASSES.iter().all(|(name, _)| Classes::of(name).text().as_deref() == Some(*name)));
}

#[test]
fn internet_address_is_read_by_socket_family() {
    let shown = |address: &[u8], purpose, socket: &str| {
        let socket = (!socket.is_empty()).then(|| ObjectKind::from(socket));
        internet(address, purpose, socket.as_ref()).map_or("-".to_owned(), |address| address.to_string())
    };
    for (address, socket, expected) in [
        (inet(2, "10.0.0.53"), UDP, "10.0.0.53:53"),
        (inet(2, "8.8.8.8"), "", "8.8.8.8:53"),
        // The family in the address is ignored.
        (inet(1, "8.8.8.8"), UDP, "8.8.8.8:53"),
        (inet(2, "8.8.8.8"), UDP6, "8.8.8.8:53"),
        (inet6(10, "fd00::1"), UDP6, "[fd00::1]:53"),
        (inet6(10, "::ffff:10.0.0.1"), UDP6, "[::ffff:10.0.0.1]:53"),
        (inet(2, "8.8.8.8"), "socket:AF_UNIX:SOCK_DGRAM", "-"),
        (vec![2, 0, 0], UDP, "-"),
    ] {
        assert_eq!(shown(&address, Send, socket), expected, "{address:?} {socket}");
    }
    assert_eq!(shown(&inet(0, "8.8.8.8"), Connect, UDP), "-");
}
