//! Addresses of sockets, as a line shows them. Main function: [`socket_address`].

use core::net::{Ipv6Addr, SocketAddrV4, SocketAddrV6};

use super::names;
use super::text::{NamedFolders, PATH};
use crate::model::attribution::values::table as values;

/// The most bytes of an address: `struct sockaddr_storage`.
pub(super) const LONGEST: usize = 128;

/// Returns a socket address: `127.0.0.1:53`, `"/run/socket"`, `@"abstract"`, `netlink:kernel`.
/// Returns the family and the length if it is too short for its family, or its family is unknown.
pub(super) fn socket_address(bytes: &[u8], places: &NamedFolders) -> String {
    let Some(family) = short(bytes, 0) else { return "unnamed".to_owned() };
    let family = names::value(&values::FAMILY, family.into());
    let known = match family.as_str() {
        "AF_UNSPEC" => Some(family.clone()),
        "AF_UNIX" => Some(unix(&bytes[2..], places)),
        "AF_INET" => inet(bytes),
        "AF_INET6" => inet6(bytes),
        "AF_NETLINK" => netlink(bytes),
        "AF_PACKET" => int(bytes, 4).map(|interface| format!("packet:interface {interface}")),
        "AF_VSOCK" => vsock(bytes),
        _ => None,
    };
    known.unwrap_or_else(|| format!("{family}[{} bytes]", bytes.len()))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn int(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Ports are in network byte order.
fn port(bytes: &[u8]) -> Option<u16> {
    short(bytes, 2).map(u16::swap_bytes)
}

fn inet(bytes: &[u8]) -> Option<String> {
    let address: [u8; 4] = *bytes.get(4..)?.first_chunk()?;
    Some(SocketAddrV4::new(address.into(), port(bytes)?).to_string())
}

fn inet6(bytes: &[u8]) -> Option<String> {
    let address: [u8; 16] = *bytes.get(8..)?.first_chunk()?;
    let scope = int(bytes, 24).unwrap_or(0);
    Some(SocketAddrV6::new(Ipv6Addr::from(address), port(bytes)?, 0, scope).to_string())
}

/// unix(7): an abstract name begins with a zero byte and may hold others; a path ends with one.
fn unix(name: &[u8], places: &NamedFolders) -> String {
    match name {
        [] => "unnamed".to_owned(),
        [0, rest @ ..] => format!("@{}", places.quoted(rest, PATH, true)),
        path => {
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            places.quoted(&path[..end], PATH, true)
        }
    }
}

/// netlink(7): port 0 is the kernel.
fn netlink(bytes: &[u8]) -> Option<String> {
    let (port, groups) = (int(bytes, 4)?, int(bytes, 8)?);
    let port = if port == 0 { "kernel".to_owned() } else { port.to_string() };
    let groups = if groups == 0 { String::new() } else { format!(" groups {groups:#x}") };
    Some(format!("netlink:{port}{groups}"))
}

/// vsock(7)
fn vsock(bytes: &[u8]) -> Option<String> {
    const ANY: u32 = u32::MAX;
    let (port, cid) = (int(bytes, 4)?, int(bytes, 8)?);
    let name = |number: u32| if number == ANY { "any".to_owned() } else { number.to_string() };
    Some(format!("vsock:{}:{}", name(cid), name(port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_each_family_are_shown() {
        let mut inet6 = vec![10, 0, 0x11, 0x51, 0, 0, 0, 0];
        inet6.extend([0; 15]);
        inet6.extend([1, 0, 0, 0, 0]);
        let mut scoped = inet6.clone();
        scoped[8] = 0xfe;
        scoped[9] = 0x80;
        scoped[24] = 3;
        for (bytes, text) in [
            (vec![2, 0, 0x11, 0x51, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "127.0.0.1:4433"),
            (vec![2, 0, 0, 53, 10, 0, 0, 53], "10.0.0.53:53"),
            (inet6, "[::1]:4433"),
            (scoped, "[fe80::1%3]:4433"),
            ([&[1, 0], &b"/run/s\0rest"[..]].concat(), "\"/run/s\""),
            ([&[1, 0], &b"/run/whole"[..]].concat(), "\"/run/whole\""),
            ([&[1, 0, 0], &b"a\0b"[..]].concat(), "@\"a\\u{0}b\""),
            (vec![1, 0], "unnamed"),
            (vec![], "unnamed"),
            (vec![16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "netlink:kernel"),
            (vec![16, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0], "netlink:7 groups 0x1"),
            (vec![40, 0, 0, 0, 0xd2, 4, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], "vsock:2:1234"),
            (vec![40, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255], "vsock:any:any"),
            (vec![17, 0, 8, 0, 2, 0, 0, 0], "packet:interface 2"),
            (vec![0, 0], "AF_UNSPEC"),
            (vec![2, 0, 0], "AF_INET[3 bytes]"),
            (vec![38, 0, 1, 2], "AF_ALG[4 bytes]"),
            (vec![0xee, 0xee], "0xeeee[2 bytes]"),
        ] {
            assert_eq!(socket_address(&bytes, &NamedFolders::default()), text);
        }
    }
}
