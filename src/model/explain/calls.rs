//! A call: its numbers, its entry points, its families. Main type: [`CallFacts`].

use super::kernel::{Call, Entry, Kernel};
use super::manual;
use crate::model::attribution::{Subsystem, ambient};
use crate::model::facts::fact::Fact;
use crate::model::facts::families::{self, Family};
use crate::model::judge::weight::privilege;
use crate::model::kernel::syscall::{Abi, Syscall};

/// What the tables hold on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts {
    /// Its name.
    pub name: String,
    /// Its entry points, each with its numbers; empty if no table has the call.
    pub behind: Vec<Behind>,
    /// The families of calls that it may be exchanged with.
    pub families: Vec<&'static Family>,
    /// Its page in section 2 of the manual.
    pub page: Option<String>,
    /// The first release with it according to the manual (`5.6`, or a bound such as `<=1.0`).
    pub since: Option<&'static str>,
    /// Why it is ambient, if it is.
    pub ambient: Option<&'static str>,
    /// Why it is privileged, if it is.
    pub privileged: Option<&'static str>,
}

/// An entry point and its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The entry point; `None`: the number answers ENOSYS.
    pub entry_point: Option<Entry>,
    /// The numbers, in the order of their ABIs.
    pub numbers: Vec<Syscall>,
}

/// Returns the call of this name.
pub(super) fn named(name: &str, kernel: &Kernel) -> Option<CallFacts> {
    let mut behind: Vec<Behind> = Vec::new();
    for Call { syscall, entry_point, .. } in kernel.calls.iter().filter(|call| call.name == name) {
        match behind.iter_mut().find(|known| known.entry_point == *entry_point) {
            Some(known) => known.numbers.push(*syscall),
            None => behind.push(Behind { entry_point: entry_point.clone(), numbers: vec![*syscall] }),
        }
    }
    // The entry point of most ABIs comes first.
    behind.sort_by_key(|behind| (behind.entry_point.is_none(), std::cmp::Reverse(behind.numbers.len())));
    let facts = CallFacts::unknown(name);
    (!behind.is_empty()).then(|| CallFacts {
        behind,
        page: manual::page(name).map(str::to_owned),
        since: manual::since(name),
        ..facts
    })
}

/// Returns the calls that a name stands for: by name, by entry point (`sys_newfstat`), by number
/// under an ABI (`x86_64:257`), or by the name of an unknown number.
pub(super) fn find(name: &str, kernel: &Kernel) -> Vec<CallFacts> {
    if let Some(facts) = named(name, kernel) {
        return vec![facts];
    }
    if let Some(number) = numbered(name) {
        let known = kernel.calls.iter().find(|call| call.syscall == number);
        let name = known.map_or_else(|| number.name().into_owned(), |call| call.name.to_string());
        let unknown = || CallFacts {
            behind: vec![Behind { entry_point: None, numbers: vec![number] }],
            ..CallFacts::unknown(&name)
        };
        return vec![named(&name, kernel).unwrap_or_else(unknown)];
    }
    if is_number_without_name(name) {
        return vec![CallFacts::unknown(name)];
    }
    let leads_there = |call: &&Call| call.entry_point.as_ref().is_some_and(|entry| entry.name == name);
    let mut names: Vec<&str> = kernel.calls.iter().filter(leads_there).map(|call| call.name.as_ref()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| named(name, kernel)).collect()
}

/// Parses a number under an ABI, such as `x86_64:257`.
fn numbered(name: &str) -> Option<Syscall> {
    let (abi, number) = name.split_once(':')?;
    let number = match number.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    Some(Syscall { abi: Abi::from_name(abi)?, number })
}

/// Returns whether the name is that of an unknown number in observations, such as `syscall_0x3e7`.
fn is_number_without_name(name: &str) -> bool {
    let number = name.strip_prefix("syscall_");
    number.is_some_and(|number| number == "-1" || number.strip_prefix("0x").is_some_and(is_hexadecimal))
}

fn is_hexadecimal(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

impl CallFacts {
    /// Returns a call that the kernel does not have.
    pub(super) fn unknown(name: &str) -> Self {
        let fact = Fact::Use { subsystem: Subsystem::None, syscall: Some(name.to_owned()), detail: None };
        Self {
            name: name.to_owned(),
            behind: Vec::new(),
            families: families::of(name).collect(),
            page: None,
            since: None,
            ambient: ambient::reason(name),
            privileged: privilege(&fact),
        }
    }

    /// Returns the entry point under this ABI, or that of most ABIs.
    pub fn entry_point(&self, abi: Option<Abi>) -> Option<&Entry> {
        let own = self.behind.iter().find(|behind| behind.numbers.iter().any(|number| Some(number.abi) == abi));
        own.or(self.behind.first())?.entry_point.as_ref()
    }

    /// Returns the first release with this entry point: from the manual, or a bound from the source
    /// trees.
    pub fn since<'a>(&self, entry: &'a Entry) -> Option<&'a str> {
        self.since.or(entry.since.as_deref())
    }
}
