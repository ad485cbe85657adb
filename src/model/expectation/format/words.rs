//! Scalars that mean something: [`Said`] reads one and, where it is none, says at its very place
//! what was expected.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::keys::unknown;
use crate::model::attribution::Subsystem;
use crate::model::expectation::terms::{Level, Rule};
use crate::model::facts::fact::Fact;
use crate::model::kernel::call::Errno;
use crate::model::kernel::signal;
use crate::model::kernel::syscall::{Abi, Syscall, table};
use crate::model::run::platform::Platform;
use crate::model::run::workload::Exit;
use crate::model::text::escape;

/// A scalar's meaning, read from its text.
pub(super) trait Word: Sized {
    /// What is expected, for an error about something else.
    const WHAT: &'static str;

    /// The meaning, or why there is none.
    fn read(text: &str) -> Result<Self, String>;
}

/// A scalar as its meaning. Numbers and booleans are text like any other here: `0`, `no` and `0x10`
/// are what was written.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said<T>(pub(super) T);

impl<'de, T: Word> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<T: Word> Visitor<'_> for Reader<T> {
            type Value = Said<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Said<T>, E> {
                T::read(text).map(Said).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Reader(PhantomData))
    }
}

/// A list, in block or in flow form.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord> List<Said<T>> {
    /// The items as they are meant, ordered.
    pub(super) fn into_set<U: Ord>(self, name: impl Fn(T) -> U) -> BTreeSet<U> {
        self.0.into_iter().map(|Said(item)| name(item)).collect()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list such as `[a, b]`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(List(list))
            }
        }

        deserializer.deserialize_seq(Reader(PhantomData))
    }
}

/// Text that must not be empty.
impl Word for String {
    const WHAT: &'static str = "text";

    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("empty: write a name, or remove the key".to_owned()) } else { Ok(text.to_owned()) }
    }
}

/// The name of a syscall: one that no table knows (`syscall_0x3e7`) is a name too.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SyscallName(pub(super) String);

impl Word for SyscallName {
    const WHAT: &'static str = "the name of a syscall";

    fn read(text: &str) -> Result<Self, String> {
        let is_name =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if is_name { Ok(Self(text.to_owned())) } else { Err(format!("`{text}` is no name of a syscall")) }
    }
}

/// The syscall of a rule: one that some ABI has, or a number that no table knows, so that no slip
/// of the pen is silently no rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RuleCall(pub(super) String);

impl Word for RuleCall {
    const WHAT: &'static str = SyscallName::WHAT;

    fn read(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix("syscall_").map(|number| number.strip_prefix("0x").unwrap_or(number));
        let is_number = number.is_some_and(|number| i64::from_str_radix(number, 16).is_ok());
        if is_number || Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, text).is_some()) {
            return Ok(Self(text.to_owned()));
        }
        SyscallName::read(text)?;
        Err(unknown("syscall", text, Abi::ALL.into_iter().flat_map(table::rows).map(|row| row.name)))
    }
}

/// Says which name of a rule nothing has. Arguments, objects and phases may have any name.
pub(super) fn check_rule(rule: &Rule) -> Result<(), String> {
    rule.syscall.as_deref().map(RuleCall::read).transpose()?;
    rule.error.as_deref().map(Errno::read).transpose()?;
    Ok(())
}

/// What a test does not use of what is common: a subsystem, a syscall in it, or a detail of that.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unused(pub(super) Fact);

impl Word for Unused {
    const WHAT: &'static str = "a fact such as `network::socket`";

    fn read(text: &str) -> Result<Self, String> {
        match escape::read_name(text).parse() {
            Ok(fact @ Fact::Use { .. }) => Ok(Self(fact)),
            Ok(_) => Err(format!("`{text}` is no subsystem and no part of one: only those can be left out")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The name of a phase, as it stands in keys.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PhaseWord(pub(super) String);

impl Word for PhaseWord {
    const WHAT: &'static str = "the name of a phase";

    fn read(text: &str) -> Result<Self, String> {
        let is_name =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("`{text}` is no name of a phase: letters, digits and `_`, `.`, `-` only"))
        }
    }
}

impl Word for Duration {
    const WHAT: &'static str = "a duration such as `60s`";

    fn read(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map_err(|_| format!("`{text}` is no duration: write it as `60s`, `500ms` or `2m`"))
    }
}

/// How long something may take: no time at all is not enough for anything.
pub(super) struct Limit(pub(super) Duration);

impl Word for Limit {
    const WHAT: &'static str = Duration::WHAT;

    fn read(text: &str) -> Result<Self, String> {
        match Duration::read(text)? {
            Duration::ZERO => Err(format!("`{text}` leaves no time to run: write it as `60s`")),
            limit => Ok(Self(limit)),
        }
    }
}

/// A signal by its name.
pub(super) struct Signal(pub(super) i32);

impl Word for Signal {
    const WHAT: &'static str = "a signal such as `SIGTERM`";

    fn read(text: &str) -> Result<Self, String> {
        signal::from_name(text).map(Self).ok_or_else(|| unknown("signal", text, signal::names()))
    }
}

impl Word for Exit {
    const WHAT: &'static str = "an exit status or a signal such as `SIGTERM`";

    fn read(text: &str) -> Result<Self, String> {
        if let Ok(code) = text.parse::<u8>() {
            Ok(Self::Exited(i32::from(code)))
        } else if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            Signal::read(text).map(|Signal(number)| Self::Signaled(number))
        } else {
            Err(format!("`{text}` is neither an exit status (0 to 255) nor a signal such as `SIGTERM`"))
        }
    }
}

impl Word for Level {
    const WHAT: &'static str = "a level";

    fn read(text: &str) -> Result<Self, String> {
        Self::from_name(text).ok_or_else(|| unknown("level", text, Self::ALL.into_iter().map(Self::name)))
    }
}

impl Word for Subsystem {
    const WHAT: &'static str = "a subsystem";

    fn read(text: &str) -> Result<Self, String> {
        Self::from_slug(text).ok_or_else(|| unknown("subsystem", text, Self::ALL.into_iter().map(Self::slug)))
    }
}

impl Word for Errno {
    const WHAT: &'static str = "an error such as `ENOENT`";

    fn read(text: &str) -> Result<Self, String> {
        Self::from_name(text).ok_or_else(|| unknown("error", text, Self::names()))
    }
}

impl Word for Abi {
    const WHAT: &'static str = "an ABI such as `i386`";

    fn read(text: &str) -> Result<Self, String> {
        Self::from_name(text).ok_or_else(|| unknown("ABI", text, Self::ALL.into_iter().map(Self::name)))
    }
}

impl Word for Platform {
    const WHAT: &'static str = "a platform such as `x86_64-linux-gnu`";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error| format!("{error}"))
    }
}

/// `ambient: strict`, `families: strict`
pub(super) struct Strict;

impl Word for Strict {
    const WHAT: &'static str = "`strict`";

    fn read(text: &str) -> Result<Self, String> {
        only("strict", text).map(|()| Self)
    }
}

/// `seen: sometimes`
pub(super) struct Sometimes;

impl Word for Sometimes {
    const WHAT: &'static str = "`sometimes`";

    fn read(text: &str) -> Result<Self, String> {
        only("sometimes", text).map(|()| Self)
    }
}

/// `quiet: never`
pub(super) struct Never;

impl Word for Never {
    const WHAT: &'static str = "`never`";

    fn read(text: &str) -> Result<Self, String> {
        only("never", text).map(|()| Self)
    }
}

fn only(word: &str, text: &str) -> Result<(), String> {
    if text == word { Ok(()) } else { Err(format!("`{text}` means nothing here: write `{word}`, or remove the key")) }
}
