//! A call while it is decoded: its registers, a way to its task's memory, and small parts that
//! inputs and outputs share. Main type: [`Context`].

use super::kind::Names;
use super::names;
use super::names::files::{ARM, OPEN, OTHERS};
use super::text::{NamedFolders, PATH};
use super::view::Reader;
use crate::model::kernel::signal;
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::{O_ACCMODE, O_CREAT, O_TMPFILE};

/// What is known about a call at one of its stops.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) name: &'a str,
    pub(super) abi: Abi,
    pub(super) args: [u64; 6],
    pub(super) reader: Reader<'a>,
    pub(super) places: &'a NamedFolders,
}

impl Context<'_> {
    /// Returns a register; 0 for one that no call has.
    pub(super) fn arg(&self, at: usize) -> u64 {
        self.args.get(at).copied().unwrap_or(0)
    }

    /// Returns the lower half of a register, which is all that an `int` has.
    pub(super) fn int(&self, at: usize) -> i32 {
        self.arg(at) as i32
    }

    /// Returns the lower half of a register without a sign, for tables.
    pub(super) fn uint(&self, at: usize) -> u64 {
        self.arg(at) & 0xffff_ffff
    }

    /// Returns an fd and what it stands for: `3</dev/null>`.
    pub(super) fn fd(&self, fd: i32) -> String {
        let text = if fd < 0 { None } else { self.reader.view.fd(fd) };
        text.map_or_else(|| fd.to_string(), |text| format!("{fd}<{}>", self.places.plain(&text, PATH)))
    }

    /// Returns the flags of open(2) with its access mode.
    pub(super) fn open_flags(&self, flags: u64) -> String {
        let mode = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"][(flags & O_ACCMODE) as usize];
        match flags & !O_ACCMODE {
            0 => mode.to_owned(),
            rest => format!("{mode}|{}", self.open_bits(rest)),
        }
    }

    /// Returns flags of open(2) other than its access mode.
    pub(super) fn open_bits(&self, flags: u64) -> String {
        let own: Names = if matches!(self.abi, Abi::Aarch64 | Abi::Arm) { ARM } else { OTHERS };
        names::bits_of_both(own, OPEN, flags)
    }

    /// Returns whether these flags of open(2) create a file, so that its permissions matter.
    pub(super) fn makes_file(&self, flags: u64) -> bool {
        flags & (O_CREAT | O_TMPFILE) != 0
    }
}

/// Returns the first `most` elements in brackets, and `...` if there are more. `None` if an element
/// cannot be read.
pub(super) fn list(count: u64, most: u64, element: impl FnMut(u64) -> Option<String>) -> Option<String> {
    let mut shown: Vec<String> = (0..count.min(most)).map(element).collect::<Option<_>>()?;
    shown.extend((count > most).then(|| "...".to_owned()));
    Some(format!("[{}]", shown.join(", ")))
}

/// Returns permissions as strace(1) shows them: `0644`.
pub(super) fn octal(number: u64) -> String {
    format!("0{number:o}")
}

/// Returns an address as text, for memory that is not shown.
pub(super) fn pointer(number: u64) -> String {
    if number == 0 { "NULL".to_owned() } else { format!("{number:#x}") }
}

/// Returns the name of a signal; 0 only tests whether one may be sent: kill(2).
pub(super) fn signal_name(number: i32) -> String {
    if number == 0 { "0".to_owned() } else { signal::name(number).into_owned() }
}

/// Reads a set of signals as strace(1) shows it: `[INT CHLD]`, or `~[KILL STOP]` for all others.
pub(super) fn signal_set(reader: &Reader<'_>, at: u64) -> Option<String> {
    const HALF: u32 = 32;
    let set = reader.long(at)?;
    let (sign, listed) = if set.count_ones() > HALF { ("~", !set) } else { ("", set) };
    let numbers = (1..=64).filter(|number| listed & (1 << (number - 1)) != 0);
    let names: Vec<String> = numbers.map(|number| signal::name(number).trim_start_matches("SIG").to_owned()).collect();
    Some(format!("{sign}[{}]", names.join(" ")))
}

/// Reads `struct sigaction` of the kernel: handler, flags, restorer if there is one, mask.
pub(super) fn action(context: &Context<'_>, at: u64) -> Option<String> {
    let reader = &context.reader;
    let (handler, flags) = (reader.word(at, 0)?, reader.word(at, 1)?);
    let handler = match handler {
        0 => "SIG_DFL".to_owned(),
        1 => "SIG_IGN".to_owned(),
        _ => format!("{handler:#x}"),
    };
    let has_restorer = context.abi != Abi::Riscv64;
    let mask = signal_set(reader, at.wrapping_add(reader.word * if has_restorer { 3 } else { 2 }))?;
    let flags = names::bits(names::processes::ACTION, flags & 0xffff_ffff);
    Some(format!("{{{handler}, {mask}, {flags}}}"))
}

/// Reads a soft limit and its hard limit.
pub(super) fn limits(reader: &Reader<'_>, at: u64, is_long: bool) -> Option<String> {
    let one = |index: u64| {
        let (limit, none) = match is_long {
            true => (reader.long(at.wrapping_add(index * 8)).filter(|_| at != 0)?, u64::MAX),
            false => (reader.word(at, index)?, if reader.word == 4 { u32::MAX.into() } else { u64::MAX }),
        };
        Some(if limit == none { "RLIM_INFINITY".to_owned() } else { limit.to_string() })
    };
    Some(format!("{{{}, {}}}", one(0)?, one(1)?))
}
