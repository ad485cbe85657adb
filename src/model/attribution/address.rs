//! The class of the address of a socket: how far a connection or a message can reach. Main type:
//! [`Classes`]; main function: [`classes`].
//!
//! The kernel reads an address by the socket's family. Most families refuse an address that claims
//! another family. Where one accepts it, a comment names the kernel source.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::borrow::Cow;

use super::object_kind::{ObjectClass, ObjectKind};
use super::values::table::FAMILY;
use super::values::value;
use crate::model::kernel::uapi::{VMADDR_CID_ANY, VMADDR_CID_HOST, VMADDR_CID_HYPERVISOR, VMADDR_CID_LOCAL};

/// Every class with its meaning, in the order in which several are shown.
pub(crate) const CLASSES: [(&str, &str); 16] = [
    ("loopback", "127.0.0.0/8, ::1, or the CID of the machine itself (vsock)"),
    ("unspecified", "0.0.0.0, :: or any CID: all own addresses for bind, the machine itself for connect"),
    ("private", "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7 or fec0::/10"),
    ("link-local", "169.254.0.0/16 or fe80::/10"),
    ("multicast", "224.0.0.0/4 or ff00::/8"),
    ("broadcast", "255.255.255.255"),
    ("global", "any other IPv4 or IPv6 address"),
    ("path", "a unix socket named by a path"),
    ("abstract", "a unix socket with an abstract name"),
    ("unnamed", "a unix socket without a name; bind chooses an abstract one"),
    ("kernel", "netlink: the kernel"),
    ("user", "netlink: a port of a process, or a multicast group"),
    ("host", "vsock: the host"),
    ("hypervisor", "vsock: the hypervisor"),
    ("guest", "vsock: a virtual machine"),
    ("disconnect", "connect with AF_UNSPEC: the socket forgets its peer"),
];

/// Returns whether this is the name of a class.
pub(crate) fn is_address_class(name: &str) -> bool {
    CLASSES.iter().any(|(class, _)| *class == name)
}

/// What a call does with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Connect,
    Bind,
    Send,
}

/// The classes of the addresses of one call; empty if it uses none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Classes(u32);

impl Classes {
    /// Returns one class. A name that is no class gives none.
    fn of(name: &str) -> Self {
        CLASSES.iter().position(|(class, _)| *class == name).map_or(Self(0), |at| Self(1 << at))
    }

    pub(super) fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns the names, joined by `|`; `None` without any.
    pub(super) fn text(self) -> Option<Cow<'static, str>> {
        let mut names = (0..CLASSES.len()).filter(|at| self.0 & 1 << at != 0).map(|at| CLASSES[at].0);
        let first = Cow::Borrowed(names.next()?);
        Some(names.fold(first, |text, name| Cow::Owned(format!("{text}|{name}"))))
    }
}

/// Returns the classes of an address for a socket of this kind, or for one of an unknown kind.
///
/// Addresses that are too short and addresses of other families have no class. For other families,
/// the object of the call shows what it reaches.
pub(super) fn classes(address: &[u8], purpose: Purpose, socket: Option<&ObjectKind>) -> Classes {
    let own = short(address).and_then(|family| value(&FAMILY, family.into())).map_or("", |family| family.name);
    let (family, kind) = match socket.map(ObjectKind::class) {
        Some(ObjectClass::Socket { family, kind }) => (family, kind.unwrap_or_default()),
        _ => (own, ""),
    };
    let has_classes = ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_VSOCK", "AF_UNSPEC"].contains(&family);
    let name = match (family, own, purpose) {
        // inet_dgram_connect() and inet_stream_connect(), net/ipv4/af_inet.c; unix_dgram_connect(),
        // netlink_connect() and vsock_dgram_connect() likewise.
        (_, "AF_UNSPEC", Purpose::Connect) if has_classes => Some("disconnect"),
        // udpv6_sendmsg(), net/ipv6/udp.c: the message goes where the socket is connected to.
        ("AF_INET6", "AF_UNSPEC", Purpose::Send) if kind == "SOCK_DGRAM" => None,
        // udpv6_sendmsg() and ip6_datagram_connect() take addresses of IPv4. Others refuse them.
        ("AF_INET", ..) | ("AF_INET6", "AF_INET", _) => ipv4(address),
        ("AF_INET6", ..) => ipv6(address),
        ("AF_UNIX", ..) => unix(address),
        ("AF_NETLINK", ..) => return netlink(address, purpose),
        ("AF_VSOCK", ..) => vsock(address),
        // smc_connect(), net/smc/af_smc.c, and rds_connect(), net/rds/af_rds.c
        ("AF_SMC" | "AF_RDS", "AF_INET", _) => ipv4(address),
        ("AF_SMC" | "AF_RDS", "AF_INET6", _) => ipv6(address),
        _ => None,
    };
    name.map_or(Classes::default(), Classes::of)
}

/// Returns an address of IPv4 or IPv6 with its port, as a socket of this kind reads it.
pub(super) fn internet(address: &[u8], purpose: Purpose, socket: Option<&ObjectKind>) -> Option<SocketAddr> {
    const IP: [&str; 7] = ["loopback", "unspecified", "private", "link-local", "multicast", "broadcast", "global"];
    let found = classes(address, purpose, socket);
    let is_ip = IP.iter().any(|class| Classes::of(class) == found);
    let own = short(address).and_then(|family| value(&FAMILY, family.into())).map_or("", |family| family.name);
    let family = match socket.map(ObjectKind::class) {
        Some(ObjectClass::Socket { family, .. }) => family,
        _ => own,
    };
    if !is_ip || family == "AF_VSOCK" {
        return None;
    }
    let port = u16::from_be_bytes(*address.get(2..)?.first_chunk()?);
    // classes() reads other families only if the address itself claims IPv4 or IPv6.
    let ip: IpAddr = if family == "AF_INET" || own == "AF_INET" {
        IpAddr::from(*address.get(4..)?.first_chunk::<4>()?)
    } else {
        IpAddr::from(*address.get(8..)?.first_chunk::<16>()?)
    };
    Some(SocketAddr::new(ip, port))
}

fn short(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn int(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// `struct sockaddr_in`
fn ipv4(bytes: &[u8]) -> Option<&'static str> {
    let octets: [u8; 4] = *bytes.get(4..)?.first_chunk()?;
    Some(class_of_ipv4(octets.into()))
}

fn class_of_ipv4(address: Ipv4Addr) -> &'static str {
    let is_shared = |[a, b, ..]: [u8; 4]| a == 100 && (64..128).contains(&b);
    match address {
        _ if address.is_loopback() => "loopback",
        _ if address.is_unspecified() => "unspecified",
        _ if address.is_link_local() => "link-local",
        _ if address.is_multicast() => "multicast",
        _ if address.is_broadcast() => "broadcast",
        // RFC 6598: shared address space, which the Internet does not reach either.
        _ if address.is_private() || is_shared(address.octets()) => "private",
        _ => "global",
    }
}

/// `struct sockaddr_in6`
fn ipv6(bytes: &[u8]) -> Option<&'static str> {
    let octets: [u8; 16] = *bytes.get(8..)?.first_chunk()?;
    let address = Ipv6Addr::from(octets);
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(class_of_ipv4(mapped));
    }
    let first = address.segments()[0];
    Some(match address {
        _ if address.is_loopback() => "loopback",
        _ if address.is_unspecified() => "unspecified",
        _ if address.is_multicast() => "multicast",
        _ if first & 0xffc0 == 0xfe80 => "link-local",
        // Unique local addresses, RFC 4193, and site-local ones, RFC 3879.
        _ if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => "private",
        _ => "global",
    })
}

/// unix(7): an abstract name begins with a zero byte.
fn unix(bytes: &[u8]) -> Option<&'static str> {
    match bytes.get(2..)? {
        [] => Some("unnamed"),
        [0, ..] => Some("abstract"),
        _ => Some("path"),
    }
}

/// netlink(7): port 0 is the kernel's. A socket binds to a port of its own. A message to groups is
/// delivered to them and to the port: netlink_sendmsg(), net/netlink/af_netlink.c.
fn netlink(bytes: &[u8], purpose: Purpose) -> Classes {
    let (kernel, user) = (Classes::of("kernel"), Classes::of("user"));
    match (int(bytes, 4), int(bytes, 8)) {
        (Some(_), Some(_)) if purpose == Purpose::Bind => user,
        (Some(0), Some(0)) => kernel,
        (Some(0), Some(_)) => kernel.with(user),
        (Some(_), Some(_)) => user,
        _ => Classes::default(),
    }
}

/// vsock(7)
fn vsock(bytes: &[u8]) -> Option<&'static str> {
    Some(match int(bytes, 8)? {
        VMADDR_CID_HYPERVISOR => "hypervisor",
        VMADDR_CID_LOCAL => "loopback",
        VMADDR_CID_HOST => "host",
        VMADDR_CID_ANY => "unspecified",
        _ => "guest",
    })
}

#[cfg(test)]
mod tests;
