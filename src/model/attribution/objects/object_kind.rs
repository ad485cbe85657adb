//! The kind of an object, as reports and expectations write it. Main types: [`ObjectKind`], which
//! holds the text, and [`ObjectClass`], which holds its parts.
//!
//! Every text is a kind: a file of another version may hold kinds that this one does not make.

use std::fmt;
use std::sync::Arc;

/// The kind of an object, such as `file:ext4`. Kinds are ordered by their text, and a copy costs no
/// allocation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKind(Arc<str>);

impl ObjectKind {
    /// Returns the kind that this text names.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the parts of the text.
    pub fn class(&self) -> ObjectClass<'_> {
        ObjectClass::parse(&self.0)
    }
}

impl From<&str> for ObjectKind {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<ObjectClass<'_>> for ObjectKind {
    fn from(class: ObjectClass<'_>) -> Self {
        Self::new(class.to_string())
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The parts of a kind. [`ObjectClass::parse`] and `Display` are inverse to each other for each
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectClass<'a> {
    /// `file:proc`: a file with its filesystem. `file`: the file is on storage.
    File(Option<&'a str>),
    /// `dir:proc`: a directory with its filesystem. `dir`: the directory is on storage.
    Directory(Option<&'a str>),
    /// `pipe`: pipe(2)
    Pipe,
    /// `fifo`: a pipe that a path names
    Fifo,
    /// `socket:AF_INET:SOCK_STREAM`
    Socket {
        /// The address family.
        family: &'a str,
        /// The socket type; `None` if only the protocol is known.
        kind: Option<&'a str>,
    },
    /// `anon_inode:eventfd`
    Anonymous(&'a str),
    /// `char:null`: a character device
    Character(&'a str),
    /// `block:loop`: a block device with its driver
    Block(&'a str),
    /// `memfd`: memfd_create(2)
    Memfd,
    /// `ns:net`
    Namespace(&'a str),
    /// Any other kind: `secretmem`, `dmabuf`, or a text that this version does not make.
    Other(&'a str),
}

impl<'a> ObjectClass<'a> {
    /// Returns the parts of the text of a kind.
    pub fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            None => match text {
                "file" => Self::File(None),
                "dir" => Self::Directory(None),
                "pipe" => Self::Pipe,
                "fifo" => Self::Fifo,
                "memfd" => Self::Memfd,
                _ => Self::Other(text),
            },
            Some((class, rest)) => match class {
                "file" => Self::File(Some(rest)),
                "dir" => Self::Directory(Some(rest)),
                "socket" => match rest.split_once(':') {
                    Some((family, kind)) => Self::Socket { family, kind: Some(kind) },
                    None => Self::Socket { family: rest, kind: None },
                },
                "anon_inode" => Self::Anonymous(rest),
                "char" => Self::Character(rest),
                "block" => Self::Block(rest),
                "ns" => Self::Namespace(rest),
                _ => Self::Other(text),
            },
        }
    }

    /// Returns the filesystem of a file or a directory, unless it is storage without a name.
    pub fn filesystem(self) -> Option<&'a str> {
        match self {
            Self::File(filesystem) | Self::Directory(filesystem) => filesystem,
            _ => None,
        }
    }

    /// Returns whether it is a pipe, with or without a path.
    pub fn is_pipe(self) -> bool {
        matches!(self, Self::Pipe | Self::Fifo)
    }
}

impl fmt::Display for ObjectClass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, rest) = match *self {
            Self::File(filesystem) => ("file", filesystem),
            Self::Directory(filesystem) => ("dir", filesystem),
            Self::Socket { family, kind: Some(kind) } => return write!(f, "socket:{family}:{kind}"),
            Self::Socket { family, kind: None } => ("socket", Some(family)),
            Self::Anonymous(name) => ("anon_inode", Some(name)),
            Self::Character(device) => ("char", Some(device)),
            Self::Block(driver) => ("block", Some(driver)),
            Self::Namespace(kind) => ("ns", Some(kind)),
            Self::Pipe => ("pipe", None),
            Self::Fifo => ("fifo", None),
            Self::Memfd => ("memfd", None),
            Self::Other(text) => (text, None),
        };
        match rest {
            Some(rest) => write!(f, "{class}:{rest}"),
            None => f.write_str(class),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Object, kinds};
    use super::*;

    #[test]
    fn text_has_its_parts() {
        use ObjectClass as C;
        for (text, class) in [
            ("file", C::File(None)),
            ("file:", C::File(Some(""))),
            ("file:fuse.sshfs", C::File(Some("fuse.sshfs"))),
            ("dir", C::Directory(None)),
            ("dir:proc", C::Directory(Some("proc"))),
            ("pipe", C::Pipe),
            ("pipe:", C::Other("pipe:")),
            ("fifo", C::Fifo),
            ("memfd", C::Memfd),
            ("socket", C::Other("socket")),
            ("socket:AF_UNIX", C::Socket { family: "AF_UNIX", kind: None }),
            ("socket:AF_INET:SOCK_STREAM", C::Socket { family: "AF_INET", kind: Some("SOCK_STREAM") }),
            ("anon_inode:iio:event", C::Anonymous("iio:event")),
            ("char:net/tun", C::Character("net/tun")),
            ("block:loop", C::Block("loop")),
            ("ns:pid_for_children", C::Namespace("pid_for_children")),
            ("secretmem", C::Other("secretmem")),
            ("tape:st", C::Other("tape:st")),
            ("", C::Other("")),
        ] {
            assert_eq!(ObjectClass::parse(text), class, "{text}");
        }
    }

    #[test]
    fn objects_that_are_made_have_a_class() {
        let tables = kinds().iter().map(|kind| kind.name.to_owned());
        let made = [Object::socket(2, 1, 6), Object::namespace("net"), Object::file("ext4", true, None)];
        for text in tables.chain(made.map(|object| object.kind.to_string())) {
            let is_classified = !matches!(ObjectClass::parse(&text), ObjectClass::Other(_));
            let is_rare = ["block", "dmabuf", "secretmem"].contains(&text.as_str());
            assert!(is_classified || is_rare, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_survives_parsing(
            text in "(file|dir|pipe|fifo|memfd|socket|anon_inode|char|block|ns|[a-z]{0,3})?(:[a-zA-Z_.:]{0,6}){0,3}"
        ) {
            let kind = ObjectKind::from(text.as_str());
            prop_assert_eq!(kind.as_str(), &text);
            prop_assert_eq!(kind.to_string(), text.clone());
            prop_assert_eq!(kind.class().to_string(), text);
            prop_assert_eq!(ObjectKind::from(kind.class()), kind);
        }
    }
}
