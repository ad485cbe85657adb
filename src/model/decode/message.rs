//! Messages of sendmsg(2) and its relatives: where they go, and how long they are. Main function:
//! [`message`].

use super::address::{LONGEST, socket_address};
use super::context::{Context, list};
use crate::model::kernel::uapi::UIO_MAXIOV;

/// The most messages that are shown.
const MOST_SHOWN: u64 = 4;

/// Returns the bytes in all buffers: `[42 bytes]`.
pub(super) fn buffers(context: &Context<'_>, at: u64, count: u64) -> Option<String> {
    total(context, at, count).map(bytes)
}

/// Returns the text that replaces this many bytes of payload: `[42 bytes]`.
pub(super) fn bytes(count: u64) -> String {
    format!("[{count} {}]", if count == 1 { "byte" } else { "bytes" })
}

fn total(context: &Context<'_>, at: u64, count: u64) -> Option<u64> {
    if count > UIO_MAXIOV {
        return None;
    }
    // Each is a `struct iovec`: an address and a length. All are read at once.
    let word = context.reader.word as usize;
    let bytes = context.reader.bytes(at, count as usize * 2 * word)?;
    let lengths = bytes.chunks(2 * word).map(|buffer| number(&buffer[word..]));
    Some(lengths.fold(0, u64::saturating_add))
}

/// Returns the number in these bytes, of which there are at most eight.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Returns the address of a socket with this length.
pub(super) fn address_at(context: &Context<'_>, at: u64, length: u64) -> Option<String> {
    let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST)?;
    if at == 0 {
        return None;
    }
    let bytes = context.reader.bytes(at, length)?;
    Some(socket_address(&bytes, context.places))
}

/// Reads `struct msghdr`: `{10.0.0.53:53, [42 bytes], control [24 bytes]}`. `received` replaces
/// the size of its buffers.
pub(super) fn message(context: &Context<'_>, at: u64, received: Option<u64>) -> Option<String> {
    let reader = &context.reader;
    let (name, length) = (reader.word(at, 0)?, reader.int(at.wrapping_add(reader.word))?);
    let control = reader.word(at, 5)?;
    let content = match received {
        Some(count) => bytes(count),
        None => buffers(context, reader.word(at, 2)?, reader.word(at, 3)?)?,
    };
    let address = if length == 0 { None } else { address_at(context, name, length.into()) };
    let mut parts: Vec<String> = address.into_iter().collect();
    parts.push(content);
    parts.extend((control != 0).then(|| format!("control {}", bytes(control))));
    Some(format!("{{{}}}", parts.join(", ")))
}

/// Reads messages, each followed by its length: `struct mmsghdr`.
pub(super) fn messages(context: &Context<'_>, at: u64, count: u64, are_received: bool) -> Option<String> {
    let word = context.reader.word;
    let (header, step) = (7 * word, 8 * word);
    list(count, MOST_SHOWN, |index| {
        let at = at.checked_add(index * step)?;
        let received = if are_received { Some(context.reader.int(at.checked_add(header)?)?.into()) } else { None };
        message(context, at, received)
    })
}
