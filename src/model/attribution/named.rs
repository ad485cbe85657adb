//! Arguments in memory that are named at the entry of a call: the classes of the addresses of
//! sockets, and the executed program. Main type: [`ArgumentQuestion`]; main function:
//! [`question`].
//!
//! It decides what to read; a closure of the tracer reads it. It must not touch a process.

use core::net::SocketAddr;

use super::address::{Classes, Purpose, classes, internet};
use super::answers::{Answer, ArgumentAnswer, PathArgument};
use super::calls::{Addressing, Selector};
use super::decode::{DecodedCall, decode};
use super::memory::Memory;
use super::object_kind::{ObjectClass, ObjectKind};
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::{AT_FDCWD, SOCKADDR_SIZE, UIO_MAXIOV};

/// What must be read to name the argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentQuestion {
    /// Addresses of sockets.
    Addresses(AddressQuestion),
    /// The path of a program. If the text is empty and a directory is given, its fd is the program:
    /// AT_EMPTY_PATH of execveat(2).
    Program(PathArgument),
}

/// Where the addresses of a call are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressQuestion {
    place: Place,
    purpose: Purpose,
    /// The size of a pointer.
    word: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An address with its length.
    Address(u64, usize),
    /// A `struct msghdr`.
    Message(u64),
    /// This many `struct mmsghdr`.
    Messages(u64, usize),
}

/// Returns the question about an argument in memory. The memory that the call points to and the
/// object of its fd must be known.
pub fn question(call: &Call, memory: &Memory, object: &Answer) -> Option<ArgumentQuestion> {
    let decoded = decode(call, memory)?;
    match decoded.shape?.selector {
        Selector::Program => Some(ArgumentQuestion::Program(program(&decoded))),
        Selector::Address(addressing) if takes_addresses(addressing, object) => {
            addresses(&decoded, addressing, call.syscall.abi).map(ArgumentQuestion::Addresses)
        }
        _ => None,
    }
}

/// Returns whether the kernel looks at an address. Without a socket the call fails before that. A
/// unix socket with a connection has only one peer: unix_stream_sendmsg() refuses an address, and
/// unix_seqpacket_sendmsg() drops it, net/unix/af_unix.c.
fn takes_addresses(addressing: Addressing, object: &Answer) -> bool {
    let is_sent = !matches!(addressing, Addressing::Connect | Addressing::Bind);
    match object {
        Answer::None => false,
        Answer::Unanswerable => true,
        Answer::Object(object) => match object.kind.class() {
            ObjectClass::Socket { family: "AF_UNIX", kind: Some("SOCK_STREAM" | "SOCK_SEQPACKET") } => !is_sent,
            ObjectClass::Socket { .. } => true,
            _ => false,
        },
    }
}

/// Returns the path of the executed program.
pub(super) fn program(decoded: &DecodedCall) -> PathArgument {
    if decoded.name != "execveat" {
        return PathArgument { directory: None, address: decoded.args[0], follows: true };
    }
    let [directory, address, ..] = decoded.args;
    PathArgument { directory: Some(directory as i32).filter(|fd| *fd != AT_FDCWD), address, follows: true }
}

fn addresses(decoded: &DecodedCall, addressing: Addressing, abi: Abi) -> Option<AddressQuestion> {
    let args = &decoded.args;
    // "addrlen is negative", or the address is too long: EINVAL of move_addr_to_kernel(),
    // net/socket.c.
    let address = |at: usize, length: usize| {
        let length = usize::try_from(args[length] as i32).ok().filter(|length| (1..=SOCKADDR_SIZE).contains(length))?;
        Some(Place::Address(args[at], length))
    };
    let place = match addressing {
        Addressing::Connect | Addressing::Bind => address(1, 2)?,
        Addressing::Send if args[4] == 0 => return None,
        Addressing::Send => address(4, 5)?,
        Addressing::Message => Place::Message(args[1]),
        // "vlen = UIO_MAXIOV", __sys_sendmmsg() in net/socket.c
        Addressing::Messages => match u64::from(args[2] as u32).min(UIO_MAXIOV) as usize {
            0 => return None,
            count => Place::Messages(args[1], count),
        },
    };
    let purpose = match addressing {
        Addressing::Connect => Purpose::Connect,
        Addressing::Bind => Purpose::Bind,
        _ => Purpose::Send,
    };
    let word = if matches!(abi, Abi::I386 | Abi::X32 | Abi::Arm) { 4 } else { 8 };
    Some(AddressQuestion { place, purpose, word })
}

/// The addresses of a call, as its socket reads them.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    classes: Classes,
    /// Those of IPv4 and IPv6.
    pub internet: Vec<SocketAddr>,
}

impl Addresses {
    /// Returns the argument: their classes.
    pub fn argument(&self) -> ArgumentAnswer {
        self.classes.text().into()
    }
}

impl AddressQuestion {
    /// Reads the addresses for a socket of this kind. Each message counts, including those that the
    /// kernel does not reach. `read` fills a buffer as a whole, or fails.
    ///
    /// # Errors
    ///
    /// The address that could not be read.
    pub fn addresses(
        &self,
        socket: Option<&ObjectKind>,
        mut read: impl FnMut(u64, &mut [u8]) -> bool,
    ) -> Result<Addresses, u64> {
        let mut whole = |at: u64, length: usize| {
            let mut bytes = vec![0; length];
            if at != 0 && read(at, &mut bytes) { Ok(bytes) } else { Err(at) }
        };
        let named = match self.place {
            Place::Address(at, length) => vec![(at, length)],
            Place::Message(at) => self.name_of(&whole(at, self.header())?).into_iter().collect(),
            Place::Messages(at, count) => {
                // Each header is followed by the number of bytes that were sent.
                let step = 8 * self.word;
                let mut names: Vec<_> =
                    whole(at, count * step)?.chunks(step).filter_map(|message| self.name_of(message)).collect();
                // A batch mostly goes to one address.
                names.sort_unstable();
                names.dedup();
                names
            }
        };
        let mut all = Addresses::default();
        for (at, length) in named {
            let address = whole(at, length)?;
            all.classes = all.classes.with(classes(&address, self.purpose, socket));
            all.internet.extend(internet(&address, self.purpose, socket));
        }
        Ok(all)
    }

    /// The size of a `struct msghdr`: seven words.
    fn header(&self) -> usize {
        7 * self.word
    }

    /// Returns the address that a message names, and its length. The kernel cuts a longer one:
    /// __copy_msghdr(), net/socket.c.
    fn name_of(&self, header: &[u8]) -> Option<(u64, usize)> {
        let number = |at: usize, size: usize| {
            header[at..at + size].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let (name, length) = (number(0, self.word), number(self.word, 4) as i32);
        let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
        (name != 0).then_some((name, length.min(SOCKADDR_SIZE)))
    }
}

#[cfg(test)]
mod tests;
