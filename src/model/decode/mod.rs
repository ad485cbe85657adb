//! A call as one line of text, as strace(1) prints it: `connect(3, 127.0.0.1:4433) = 0`. Main
//! type: [`EnteredCall`]; main function: [`line`].
//!
//! Arguments are decoded at the call's entry, because memory may change during the call. What the
//! kernel fills in is decoded at its exit. Payload bytes and environment variables are never shown,
//! long text is cut, and hidden characters are escaped. Only a [`View`] gives access to the task.
//!
//! ```text
//! Call ── carried ──► name, registers ── calls ──► Kind per register
//!                                       inputs (entry), outputs (exit) ──► text
//! ```

mod address;
mod calls;
mod carried;
mod context;
mod inputs;
mod kind;
mod message;
mod names;
mod options;
mod outputs;
mod text;
mod time;
mod view;

use std::borrow::Cow;

use context::Context;
use kind::{Kind, Output};
pub use text::NamedFolders;
use view::Reader;
pub use view::View;

use crate::model::kernel::call::{Call, CallOutcome};
use crate::model::kernel::syscall::Abi;

/// A call with its arguments, decoded at its entry.
#[derive(Debug, Clone)]
pub struct EnteredCall {
    name: Cow<'static, str>,
    abi: Abi,
    args: [u64; 6],
    parts: Vec<Part>,
}

/// One argument of a line.
#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// What the kernel fills in, and the register that points to it.
    Later(Output, usize),
}

/// A path or an fd among the arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileArgument {
    /// The fd where a relative path begins; `None` for the working directory.
    pub directory: Option<i32>,
    /// The path; `None` for the fd itself.
    pub path: Option<Vec<u8>>,
}

impl EnteredCall {
    /// Decodes the arguments of a call at its entry.
    pub fn new(call: &Call, view: &dyn View, places: &NamedFolders) -> Self {
        let (name, args) = carried::unpacked(call, view);
        let abi = call.syscall.abi;
        let context = Context { name: &name, abi, args, reader: Reader::new(view, abi, &name), places };
        let parts =
            registers(&name, abi, args).filter_map(|(kind, at, args)| part(&Context { args, ..context }, kind, at));
        let parts = parts.collect();
        Self { abi, args, parts, name }
    }

    /// Returns the call with its arguments, after it has ended: `accept(3, 127.0.0.1:50312)`.
    pub fn call(&self, outcome: CallOutcome, view: &dyn View, places: &NamedFolders) -> String {
        let context = self.context(view, places);
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            parts.push(match part {
                Part::Text(text) => Cow::Borrowed(text.as_str()),
                Part::Later(output, at) => Cow::Owned(outputs::output(&context, *output, *at, outcome)),
            });
        }
        format!("{}({})", self.name, parts.join(", "))
    }

    /// Returns the result: `3`, `-1 ENOENT`, or `?` if there is none.
    pub fn result(&self, outcome: CallOutcome, view: &dyn View, places: &NamedFolders) -> String {
        outputs::result(&self.context(view, places), outcome)
    }

    fn context<'a>(&'a self, view: &'a dyn View, places: &'a NamedFolders) -> Context<'a> {
        let reader = Reader::new(view, self.abi, &self.name);
        Context { name: &self.name, abi: self.abi, args: self.args, reader, places }
    }
}

/// Returns a stopped call and its result as one line. At an entry the outcome is
/// [`CallOutcome::Unknown`], and the line has no result.
pub fn line(call: &Call, outcome: CallOutcome, view: &dyn View, places: &NamedFolders) -> String {
    let entered = EnteredCall::new(call, view, places);
    let text = entered.call(outcome, view, places);
    match outcome {
        CallOutcome::Unknown => text,
        _ => format!("{text} = {}", entered.result(outcome, view, places)),
    }
}

/// Returns the name of a call, or of the one that it carries.
pub fn name(call: &Call, view: &dyn View) -> Cow<'static, str> {
    carried::unpacked(call, view).0
}

/// Returns how many registers a call of this name reads. `None` for a name that no table has.
#[cfg(feature = "unstable")]
pub fn argument_count(name: &str) -> Option<usize> {
    calls::kinds(name).map(<[Kind]>::len)
}

/// Returns the paths and fds among the arguments of a call.
pub fn places(call: &Call, view: &dyn View) -> Vec<FileArgument> {
    let (name, args) = carried::unpacked(call, view);
    let abi = call.syscall.abi;
    let reader = Reader::new(view, abi, &name);
    let mut directory = None;
    let mut found = Vec::new();
    for (kind, at, args) in registers(&name, abi, args) {
        let fd = args[at] as i32;
        match kind {
            Kind::Fd => found.push(FileArgument { directory: Some(fd), path: None }),
            // AT_FDCWD is negative; a directory fd matters only for the path after it.
            Kind::DirFd => directory = (fd >= 0).then_some(fd),
            Kind::Path => {
                let path = reader.string(args[at]).map(|(text, _)| text);
                found.extend(path.map(|path| FileArgument { directory, path: Some(path) }));
                directory = None;
            }
            _ => {}
        }
    }
    found
}

/// Returns each argument's kind and register. An offset that takes two registers is joined in the
/// first one.
fn registers(name: &str, abi: Abi, args: [u64; 6]) -> impl Iterator<Item = (Kind, usize, [u64; 6])> {
    const UNKNOWN: &[Kind] = &[Kind::Hex; 6];
    let mut next = 0;
    calls::kinds(name).unwrap_or(UNKNOWN).iter().filter_map(move |&kind| {
        let at = next;
        let is_joined = match kind {
            Kind::Wide => matches!(abi, Abi::I386 | Abi::Arm),
            Kind::LowHigh => !matches!(abi, Abi::X32),
            _ => false,
        };
        next += if is_joined { 2 } else { 1 };
        let mut args = args;
        let low = args.get(at).copied()?;
        if is_joined && matches!(abi, Abi::I386 | Abi::Arm) {
            args[at] = low & 0xffff_ffff | args.get(at + 1).copied().unwrap_or(0) << 32;
        }
        Some((kind, at, args))
    })
}

fn part(context: &Context<'_>, kind: Kind, at: usize) -> Option<Part> {
    match kind {
        Kind::Out(Output::Address(_)) if context.arg(at) == 0 => None,
        Kind::Out(output) => Some(Part::Later(output, at)),
        _ => inputs::input(context, kind, at).map(Part::Text),
    }
}

#[cfg(test)]
mod tests;
