//! A stopped task as the decoder sees it. Main type: [`StoppedTask`].

use std::fs;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::rc::Rc;

use super::super::{memory, sys};
use crate::model::attribution::objects::Reference;
use crate::model::attribution::{Object, ObjectKind};
use crate::model::decode::{self, FileArgument, View};
use crate::model::kernel::call::{Call, Tid};

/// A stopped task. A running one is allowed as long as no memory is read.
pub(in crate::linux) struct StoppedTask(pub(in crate::linux) Tid);

/// Returns the program that a task runs, as the kernel names it: proc_pid_comm(5).
pub(super) fn program(task: Tid) -> Rc<str> {
    let name = fs::read(format!("/proc/{task}/comm")).unwrap_or_default();
    let name = String::from_utf8_lossy(&name);
    Rc::from(name.strip_suffix('\n').unwrap_or(&name))
}

impl View for StoppedTask {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        if buffer.is_empty() { 0 } else { memory::read(self.0, address, buffer).unwrap_or(0) }
    }

    fn fd(&self, fd: i32) -> Option<String> {
        let link = self.link(&format!("fd/{fd}"))?;
        match Reference::read(&link) {
            Reference::Socket => self.socket(fd),
            Reference::Pipe => Some("pipe".to_owned()),
            Reference::Anonymous(_) | Reference::Namespace(_) | Reference::Path(_) => Some(link),
        }
    }

    /// Derived from the link text alone, which does not contain the family of a socket.
    fn object(&self, fd: i32) -> Option<ObjectKind> {
        let link = self.link(&format!("fd/{fd}"))?;
        match Reference::read(&link) {
            Reference::Socket => Some(ObjectKind::new("socket:")),
            Reference::Path(path) => path.strip_prefix("/dev/").map(|device| Object::character(device).kind),
            reference => reference.object().map(|object| object.kind),
        }
    }

    fn directory(&self, fd: Option<i32>) -> Option<String> {
        self.link(&fd.map_or_else(|| "cwd".to_owned(), |fd| format!("fd/{fd}")))
    }
}

impl StoppedTask {
    fn link(&self, name: &str) -> Option<String> {
        let link = fs::read_link(format!("/proc/{}/{name}", self.0)).ok()?;
        Some(link.to_string_lossy().into_owned())
    }

    /// Returns the address of a socket's peer, or where it listens. `None` for a socket without
    /// either, and where sockets may not be inspected.
    fn socket(&self, fd: i32) -> Option<String> {
        let socket = sys::copy_fd(self.0, fd).ok()?;
        let option = |option| sys::socket_option(&socket, option).ok();
        let listens = option(libc::SO_ACCEPTCONN)? == 1;
        match option(libc::SO_DOMAIN)? as i32 {
            libc::AF_INET | libc::AF_INET6 => internet(socket, listens),
            libc::AF_UNIX => unix(socket, listens),
            _ => None,
        }
    }

    /// Returns the paths of a call as absolute paths, and what its fds stand for. Links are not
    /// resolved.
    pub(super) fn places_of(&self, call: &Call) -> Vec<String> {
        let place = |FileArgument { directory, path }: FileArgument| match path {
            None => self.fd(directory?),
            Some(path) => {
                let path = String::from_utf8_lossy(&path).into_owned();
                if path.starts_with('/') {
                    return Some(normal(&path));
                }
                Some(normal(&format!("{}/{path}", self.directory(directory)?)))
            }
        };
        decode::places(call, self).into_iter().filter_map(place).collect()
    }
}

/// Returns an absolute path without `.`, `..` and repeated slashes.
pub(in crate::linux) fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn internet(socket: OwnedFd, listens: bool) -> Option<String> {
    // Only addresses are read, which works for every type of socket.
    let socket = TcpStream::from(socket);
    if listens {
        return socket.local_addr().ok().map(|address| format!("listening on {address}"));
    }
    socket.peer_addr().ok().map(|address| address.to_string())
}

fn unix(socket: OwnedFd, listens: bool) -> Option<String> {
    let socket = UnixStream::from(socket);
    if listens {
        return socket.local_addr().ok().map(|address| format!("listening on {}", unix_address(&address)));
    }
    socket.peer_addr().ok().map(|address| unix_address(&address))
}

fn unix_address(address: &SocketAddr) -> String {
    let abstract_name = || address.as_abstract_name().map(|name| format!("@{}", String::from_utf8_lossy(name)));
    let path = address.as_pathname().map(Path::to_string_lossy).map(std::borrow::Cow::into_owned);
    path.or_else(abstract_name).unwrap_or_else(|| "unix".to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::AsRawFd;

    use super::*;

    fn own() -> StoppedTask {
        StoppedTask(sys::gettid())
    }

    #[test]
    fn fds_stand_for_files_pipes_and_peers() {
        let null = fs::File::open("/dev/null").expect("a device");
        assert_eq!(own().fd(null.as_raw_fd()).as_deref(), Some("/dev/null"));
        assert_eq!(own().object(null.as_raw_fd()), Some(ObjectKind::new("char:null")));
        let (reader, _writer) = std::io::pipe().expect("a pipe");
        assert_eq!(own().fd(reader.as_raw_fd()).as_deref(), Some("pipe"));
        let (one, _other) = UnixStream::pair().expect("sockets");
        assert_eq!(own().fd(one.as_raw_fd()).as_deref(), Some("unix"));
        assert_eq!(own().object(one.as_raw_fd()), Some(ObjectKind::new("socket:")));

        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = listener.local_addr().expect("its address");
        assert_eq!(own().fd(listener.as_raw_fd()), Some(format!("listening on {address}")));
        let client = TcpStream::connect(address).expect("a connection");
        assert_eq!(own().fd(client.as_raw_fd()), Some(address.to_string()));
        let unconnected = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        assert_eq!(own().fd(unconnected.as_raw_fd()), None);
        assert_eq!(own().fd(-1), None);
    }

    #[test]
    fn paths_are_normal_without_links() {
        for (path, normal_path) in [("/a//b/./c/../d", "/a/b/d"), ("/", "/"), ("/../x/", "/x")] {
            assert_eq!(normal(path), normal_path);
        }
    }
}
