//! Scalars with a type: [`Scalar`] reads one, and reports at its place what was expected otherwise.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::invalid::InvalidScalar;
use super::keys::UnknownName;
use crate::model::attribution::Subsystem;
use crate::model::expectation::terms::Level;
use crate::model::facts::fact::Fact;
use crate::model::kernel::call::Errno;
use crate::model::kernel::signal;
use crate::model::kernel::syscall::Abi;
use crate::model::run::platform::Platform;
use crate::model::run::recording::FEWEST_RUNS;
use crate::model::run::workload::Exit;
use crate::model::text::escape;

/// A type that is read from the text of a scalar.
pub(super) trait ParseScalar: Sized {
    /// The expected value, for error messages.
    const EXPECTED: &'static str;

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// The text is no such value.
    fn read(text: &str) -> Result<Self, InvalidScalar>;
}

/// A scalar that was read as `T`. Numbers and booleans are read as text: `0`, `no` and `0x10` keep
/// their spelling.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scalar<T>(pub(super) T);

impl<'de, T: ParseScalar> Deserialize<'de> for Scalar<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<T: ParseScalar> Visitor<'_> for Reader<T> {
            type Value = Scalar<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<T>, E> {
                T::read(text).map(Scalar).map_err(E::custom)
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

impl<T: Ord> List<Scalar<T>> {
    /// Returns the converted items, ordered.
    pub(super) fn into_set<U: Ord>(self, name: impl Fn(T) -> U) -> BTreeSet<U> {
        self.0.into_iter().map(|Scalar(item)| name(item)).collect()
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

/// Reads non-empty text.
impl ParseScalar for String {
    const EXPECTED: &'static str = "text";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        if text.is_empty() { Err(InvalidScalar::Empty) } else { Ok(text.to_owned()) }
    }
}

/// The name of a syscall, including names of unknown numbers (`syscall_0x3e7`).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SyscallName(pub(super) String);

impl ParseScalar for SyscallName {
    const EXPECTED: &'static str = "the name of a syscall";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        let is_name =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidScalar::SyscallName(text.to_owned())) }
    }
}

/// A common fact that a test does not use: a subsystem, a syscall in it, or a detail of that.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnusedFact(pub(super) Fact);

impl ParseScalar for UnusedFact {
    const EXPECTED: &'static str = "a fact such as `network::socket`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        match escape::read_name(text).parse::<Fact>()? {
            fact @ Fact::Use { .. } => Ok(Self(fact)),
            Fact::BlindSpot(_) | Fact::Signal(_) | Fact::Phase { .. } => Err(InvalidScalar::NotAUse(text.to_owned())),
        }
    }
}

/// The name of a phase, as keys spell it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PhaseName(pub(super) String);

impl ParseScalar for PhaseName {
    const EXPECTED: &'static str = "the name of a phase";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        let is_name =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidScalar::PhaseName(text.to_owned())) }
    }
}

impl ParseScalar for Duration {
    const EXPECTED: &'static str = "a duration such as `60s`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        humantime::parse_duration(text).map_err(|source| InvalidScalar::Duration { text: text.to_owned(), source })
    }
}

/// A duration greater than zero.
pub(super) struct Timeout(pub(super) Duration);

impl ParseScalar for Timeout {
    const EXPECTED: &'static str = Duration::EXPECTED;

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        match Duration::read(text)? {
            Duration::ZERO => Err(InvalidScalar::ZeroDuration(text.to_owned())),
            limit => Ok(Self(limit)),
        }
    }
}

/// A signal, read from its name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signal(pub(super) i32);

impl ParseScalar for Signal {
    const EXPECTED: &'static str = "a signal such as `SIGTERM`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        signal::from_name(text).map(Self).ok_or_else(|| UnknownName::new("signal", text, signal::names()).into())
    }
}

impl ParseScalar for Exit {
    const EXPECTED: &'static str = "an exit status or a signal such as `SIGTERM`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        if let Ok(code) = text.parse::<u8>() {
            Ok(Self::Exited(i32::from(code)))
        } else if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            Signal::read(text).map(|Signal(number)| Self::Signaled(number))
        } else {
            Err(InvalidScalar::Exit(text.to_owned()))
        }
    }
}

impl ParseScalar for Level {
    const EXPECTED: &'static str = "a level";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        Self::from_name(text)
            .ok_or_else(|| UnknownName::new("level", text, Self::ALL.into_iter().map(Self::name)).into())
    }
}

impl ParseScalar for Subsystem {
    const EXPECTED: &'static str = "a subsystem";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        Self::from_slug(text)
            .ok_or_else(|| UnknownName::new("subsystem", text, Self::ALL.into_iter().map(Self::slug)).into())
    }
}

impl ParseScalar for Errno {
    const EXPECTED: &'static str = "an error such as `ENOENT`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        Self::from_name(text).ok_or_else(|| UnknownName::new("error", text, Self::names()).into())
    }
}

impl ParseScalar for Abi {
    const EXPECTED: &'static str = "an ABI such as `i386`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        Self::from_name(text).ok_or_else(|| UnknownName::new("ABI", text, Self::ALL.into_iter().map(Self::name)).into())
    }
}

impl ParseScalar for Platform {
    const EXPECTED: &'static str = "a platform such as `x86_64-linux-gnu`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        Ok(text.parse()?)
    }
}

/// `ambient: strict`, `families: strict`
pub(super) struct Strict;

impl ParseScalar for Strict {
    const EXPECTED: &'static str = "`strict`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        only("strict", text).map(|()| Self)
    }
}

/// `seen: sometimes`
pub(super) struct Sometimes;

impl ParseScalar for Sometimes {
    const EXPECTED: &'static str = "`sometimes`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        only("sometimes", text).map(|()| Self)
    }
}

/// `quiet: never`
pub(super) struct Never;

impl ParseScalar for Never {
    const EXPECTED: &'static str = "`never`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        only("never", text).map(|()| Self)
    }
}

/// A number of injections.
pub(super) struct Count(pub(super) u32);

impl ParseScalar for Count {
    const EXPECTED: &'static str = "a number";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        text.parse().map(Self).map_err(|_| InvalidScalar::Count(text.to_owned()))
    }
}

/// `runs: 3`: fewer than a complete recording has.
pub(super) struct FewRuns(pub(super) u32);

impl ParseScalar for FewRuns {
    const EXPECTED: &'static str = "a number of runs";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        let Count(runs) = Count::read(text)?;
        if runs < FEWEST_RUNS { Ok(Self(runs)) } else { Err(InvalidScalar::CompleteRuns(runs)) }
    }
}

pub(super) fn only(only: &'static str, text: &str) -> Result<(), InvalidScalar> {
    if text == only { Ok(()) } else { Err(InvalidScalar::OnlyValue { text: text.to_owned(), only }) }
}
