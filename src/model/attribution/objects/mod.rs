//! The object behind an fd or a path: the name of its kind, and the subsystem that serves it. Main
//! type: [`Object`].
//!
//! It takes plain data that `linux` has read; it asks nothing itself. The rows in `table` are
//! generated.

mod device;
mod paths;
mod table;

use std::borrow::Cow;

use super::Subsystem;
use super::object_kind::{ObjectClass, ObjectKind};
use super::values::table::{FAMILY, NETLINK, SOCKET_TYPE};
use super::values::value;
use crate::model::kernel::uapi::SOCK_TYPE_MASK;
use crate::model::text::escape;

/// A kind of object that the kernel source makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The name of its objects: `file:ext4`, `anon_inode:eventfd`, `char:urandom`.
    pub name: &'static str,
    /// The subsystem of its source file.
    pub subsystem: Subsystem,
    /// The source file that makes it.
    pub source: &'static str,
    /// That file's section of MAINTAINERS, or `core:<file>` if only the catch-all section covers
    /// it.
    pub section: &'static str,
    /// The options that the file needs, and whether only experts are offered all of them; `None` if
    /// no Makefile says.
    pub options: Option<(Option<&'static str>, bool)>,
}

/// Returns the kind with this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    table::KINDS.binary_search_by_key(&name, |kind| kind.name).ok().map(|at| &table::KINDS[at])
}

/// Returns every kind that the kernel source makes, ordered by name.
pub(crate) fn kinds() -> &'static [Kind] {
    &table::KINDS
}

/// Returns the subsystem of a filesystem, or `None` if the kernel source has none of this name.
pub(super) fn filesystem(name: &str) -> Option<Subsystem> {
    kind(&format!("file:{name}")).map(|kind| kind.subsystem)
}

/// Returns whether the subsystem of a file depends on its path in this filesystem.
pub fn is_named_by_path(filesystem: &str) -> bool {
    matches!(filesystem, "proc" | "sysfs")
}

/// Returns the filesystem with this magic number (include/uapi/linux/magic.h), if no other one has
/// it. Used for mounts that are in no list.
pub fn filesystem_of_magic(magic: u64) -> Option<&'static str> {
    const MAGIC: [(u64, &str); 12] = [
        (0x9fa0, "proc"),
        (0x0102_1994, "tmpfs"),
        (0x1980_0202, "mqueue"),
        (0x5846_5342, "xfs"),
        (0x6265_6572, "sysfs"),
        (0x6462_6720, "debugfs"),
        (0x6367_7270, "cgroup2"),
        (0x7472_6163, "tracefs"),
        (0x794c_7630, "overlay"),
        (0x8584_58f6, "ramfs"),
        (0x9123_683e, "btrfs"),
        (0x9584_58f6, "hugetlbfs"),
    ];
    MAGIC.iter().find(|(known, _)| *known == magic & 0xffff_ffff).map(|&(_, filesystem)| filesystem)
}

/// One object. A copy costs no allocation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    /// `file:ext4`, `socket:AF_INET:SOCK_STREAM`, `anon_inode:eventfd`, …
    pub kind: ObjectKind,
    /// The subsystem that serves it; `None` if it is not known.
    pub subsystem: Option<Subsystem>,
}

/// The link text of an fd in /proc, which is d_path() of its file: fs/d_path.c.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `socket:[4711]`
    Socket,
    /// `pipe:[4711]`
    Pipe,
    /// `anon_inode:[eventfd]`, `anon_inode:inotify`
    Anonymous(&'a str),
    /// `net:[4026531840]`
    Namespace(&'a str),
    /// `/usr/bin/env`, and also `/memfd:name (deleted)`
    Path(&'a str),
}

impl<'a> Reference<'a> {
    /// Parses the text of such a link.
    pub fn read(link: &'a str) -> Self {
        if link.starts_with('/') {
            return Self::Path(link);
        }
        match link.split_once(':') {
            Some(("anon_inode", name)) => Self::Anonymous(name),
            Some(("socket", _)) => Self::Socket,
            Some(("pipe", _)) => Self::Pipe,
            Some((kind, inode)) if inode.starts_with('[') => Self::Namespace(kind),
            _ => Self::Path(link),
        }
    }

    /// Returns the object if the link text determines it.
    pub fn object(self) -> Option<Object> {
        match self {
            Self::Pipe => Some(Object::named("pipe")),
            Self::Anonymous(name) => Some(Object::anonymous(name)),
            Self::Namespace(kind) => Some(Object::namespace(kind)),
            Self::Socket | Self::Path(_) => None,
        }
    }
}

impl Object {
    /// Returns the object of a kind that the name determines. As in all names made here, hidden
    /// characters are escaped: drivers and mounts may choose any name.
    pub fn named(name: &str) -> Self {
        let name = escape::name(name);
        let name = &*name;
        let is_pipe = ObjectClass::parse(name).is_pipe();
        let subsystem = kind(name).map(|kind| kind.subsystem).or(is_pipe.then_some(Subsystem::Filesystem));
        Self { kind: name.into(), subsystem }
    }

    /// Returns the object of an anonymous inode. Brackets and numbers are not part of its kind.
    pub fn anonymous(name: &str) -> Self {
        let name = name.trim_matches(['[', ']']);
        let kind = name.split_once(':').filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
        Self::named(&ObjectClass::Anonymous(kind.map_or(name, |(kind, _)| kind)).to_string())
    }

    /// Returns a namespace of this kind: `net`, `mnt`, …
    pub fn namespace(kind: &str) -> Self {
        Self { kind: ObjectClass::Namespace(&escape::name(kind)).into(), subsystem: Some(Subsystem::Namespace) }
    }

    /// Returns a socket by its domain, type and protocol.
    pub fn socket(domain: u32, kind: u32, protocol: u32) -> Self {
        let name = |table, number: u32| -> Cow<'static, str> {
            value(table, u64::from(number)).map_or_else(|| format!("{number:#x}").into(), |value| value.name.into())
        };
        let family = value(&FAMILY, u64::from(domain));
        let protocol = value(&NETLINK, u64::from(protocol)).filter(|_| family.is_some_and(|f| f.name == "AF_NETLINK"));
        let subsystem = protocol.or(family).and_then(|value| value.subsystem).unwrap_or(Subsystem::Network);
        let (family, kind) = (name(&FAMILY, domain), name(&SOCKET_TYPE, kind & SOCK_TYPE_MASK));
        let class = ObjectClass::Socket { family: &family, kind: Some(&kind) };
        Self { kind: class.into(), subsystem: Some(subsystem) }
    }

    /// Returns a socket of which only the attribute `system.sockprotoname` is known (`struct proto`
    /// of net/). The type is missing if the protocol has several.
    pub fn socket_of_protocol(protocol: &str) -> Option<Self> {
        let (family, kind) = match protocol {
            "TCP" | "MPTCP" => ("AF_INET", Some("SOCK_STREAM")),
            "TCPv6" | "MPTCPv6" => ("AF_INET6", Some("SOCK_STREAM")),
            "UDP" => ("AF_INET", Some("SOCK_DGRAM")),
            "UDPv6" => ("AF_INET6", Some("SOCK_DGRAM")),
            "RAW" => ("AF_INET", Some("SOCK_RAW")),
            "RAWv6" => ("AF_INET6", Some("SOCK_RAW")),
            "UNIX-STREAM" => ("AF_UNIX", Some("SOCK_STREAM")),
            "UNIX" => ("AF_UNIX", None),
            "NETLINK" => ("AF_NETLINK", None),
            "PACKET" => ("AF_PACKET", None),
            _ => return None,
        };
        let subsystem = if family == "AF_UNIX" { Subsystem::Unix } else { Subsystem::Network };
        Some(Self { kind: ObjectClass::Socket { family, kind }.into(), subsystem: Some(subsystem) })
    }

    /// Returns a file or directory of a filesystem of this type. `path` is its path below the
    /// filesystem's root, if known.
    pub fn file(filesystem: &str, is_directory: bool, path: Option<&str>) -> Self {
        let class = if is_directory { ObjectClass::Directory } else { ObjectClass::File };
        // fuse.sshfs is a FUSE filesystem.
        let family = filesystem.split('.').next().unwrap_or_default();
        let owner = path.and_then(|path| paths::owner(filesystem, path)).or_else(|| self::filesystem(family));
        let kind = class(Some(&escape::name(filesystem))).into();
        Self { kind, subsystem: Some(owner.unwrap_or(Subsystem::Filesystem)) }
    }

    /// Returns a character device by its name below /dev.
    pub fn character(device: &str) -> Self {
        let mut object = Self::named(&ObjectClass::Character(&device::without_number(device)).to_string());
        object.subsystem.get_or_insert(Subsystem::Device);
        object
    }

    /// Returns a block device by its driver.
    pub fn block(driver: &str) -> Self {
        Self { kind: ObjectClass::Block(&escape::name(driver)).into(), subsystem: Some(Subsystem::Block) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_sorted_and_have_a_source() {
        assert!(table::KINDS.is_sorted_by(|a, b| a.name < b.name));
        assert!(table::KINDS.iter().all(|kind| kind.source.ends_with(".c")));
    }

    #[test]
    fn link_text_is_parsed() {
        for (link, reference) in [
            ("socket:[4711]", Reference::Socket),
            ("pipe:[4711]", Reference::Pipe),
            ("anon_inode:[eventfd]", Reference::Anonymous("[eventfd]")),
            ("anon_inode:kvm-vcpu:3", Reference::Anonymous("kvm-vcpu:3")),
            ("net:[4026531840]", Reference::Namespace("net")),
            ("/tmp/socket:[1]", Reference::Path("/tmp/socket:[1]")),
            ("/memfd:x (deleted)", Reference::Path("/memfd:x (deleted)")),
            ("(unreachable)/x", Reference::Path("(unreachable)/x")),
        ] {
            assert_eq!(Reference::read(link), reference, "{link}");
        }
    }

    #[test]
    fn objects_have_name_and_subsystem() {
        use Subsystem as S;
        for (object, name, subsystem) in [
            (Object::named("pipe"), "pipe", Some(S::Filesystem)),
            (Object::named("memfd"), "memfd", Some(S::Memory)),
            (Object::anonymous("[eventfd]"), "anon_inode:eventfd", Some(S::Poll)),
            (Object::anonymous("inotify"), "anon_inode:inotify", Some(S::FsNotify)),
            (Object::anonymous("kvm-vcpu:12"), "anon_inode:kvm-vcpu", Some(S::Kvm)),
            (Object::anonymous("seccomp notify"), "anon_inode:seccomp notify", Some(S::Seccomp)),
            (Object::anonymous("iio:event"), "anon_inode:iio:event", Some(S::Device)),
            (Object::anonymous("unknown"), "anon_inode:unknown", None),
            (Object::anonymous("[pidfd]"), "anon_inode:pidfd", Some(S::Process)),
            (Object::namespace("net"), "ns:net", Some(S::Namespace)),
            (Object::socket(2, 1, 6), "socket:AF_INET:SOCK_STREAM", Some(S::Network)),
            (Object::socket(1, 5 | 0x80000, 0), "socket:AF_UNIX:SOCK_SEQPACKET", Some(S::Unix)),
            (Object::socket(16, 3, 0), "socket:AF_NETLINK:SOCK_RAW", Some(S::Network)),
            (Object::socket(16, 3, 9), "socket:AF_NETLINK:SOCK_RAW", Some(S::Security)),
            (Object::socket(38, 5, 0), "socket:AF_ALG:SOCK_SEQPACKET", Some(S::Crypto)),
            (Object::socket(99, 9, 0), "socket:0x63:0x9", Some(S::Network)),
            (Object::file("ext4", false, None), "file:ext4", Some(S::Filesystem)),
            (Object::file("unknown", true, None), "dir:unknown", Some(S::Filesystem)),
            (Object::file("fuse.sshfs", false, None), "file:fuse.sshfs", Some(S::Filesystem)),
            (Object::file("cgroup2", false, Some("cpu.max")), "file:cgroup2", Some(S::Cgroup)),
            (Object::file("tracefs", false, None), "file:tracefs", Some(S::Tracing)),
            (Object::file("mqueue", false, None), "file:mqueue", Some(S::Mqueue)),
            (Object::file("proc", false, Some("12/maps")), "file:proc", Some(S::Memory)),
            (Object::character("null"), "char:null", Some(S::Device)),
            (Object::character("urandom"), "char:urandom", Some(S::Random)),
            (Object::character("pts/3"), "char:pts", Some(S::Device)),
            (Object::character("net/tun"), "char:net/tun", Some(S::Network)),
            (Object::character("nvme0"), "char:nvme", Some(S::Block)),
            (Object::block("loop"), "block:loop", Some(S::Block)),
            (Object::character("e\u{1b}[31mvil\n::error::x"), "char:e\\x1b[31mvil\\x0a::error::x", Some(S::Device)),
            (Object::block("\u{202e}x"), "block:\\xe2\\x80\\xaex", Some(S::Block)),
            (Object::anonymous("[a\nb]"), "anon_inode:a\\x0ab", None),
            (Object::namespace("\u{9b}"), "ns:\\xc2\\x9b", Some(S::Namespace)),
            (Object::file("fuse.\u{1b}c", true, None), "dir:fuse.\\x1bc", Some(S::Filesystem)),
        ] {
            assert_eq!((object.kind.as_str(), object.subsystem), (name, subsystem));
        }
    }
}
