//! The facts that a baseline can hold, and their keys. Main type: [`Fact`].
//!
//! It must not know which facts are new: [`compare`](crate::model::judge::compare) does.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::model::attribution::{ObjectKind, Subsystem};
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;

/// A fact that a baseline can hold. Facts are ordered like their keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A use of the kernel: a subsystem, a syscall in it, or a detail of the syscall.
    Use {
        /// The subsystem.
        subsystem: Subsystem,
        /// The syscall, unless the fact is the subsystem itself.
        syscall: Option<String>,
        /// The detail, if the fact is one.
        detail: Option<Detail>,
    },
    /// A blind spot.
    BlindSpot(RecordedBlindSpot),
    /// A signal that ended a process other than the first one.
    Signal(SignalName),
    /// A syscall in a phase that the program named.
    Phase {
        /// The phase's name.
        phase: String,
        /// The subsystem that the syscall reached.
        subsystem: Subsystem,
        /// The syscall.
        syscall: String,
    },
}

/// A detail of a syscall.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// `argument=AF_INET`
    Argument(String),
    /// `object=file:proc`
    Object(ObjectKind),
    /// `TCGETS,char:pts`
    Pair(Pair),
    /// `error=EPERM`
    Error(ErrnoName),
    /// `abi=i386`
    Abi(Abi),
}

/// An argument and the object that it was used on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The argument, such as `TCGETS`.
    pub argument: String,
    /// The object, such as `char:pts`.
    pub object: ObjectKind,
}

/// The first part of the key of a blind spot; no subsystem has this slug.
const BLIND_SPOTS: &str = "blind_spots";
/// The first part of the key of a signal; no subsystem has this slug.
const SIGNALS: &str = "signals";
/// The prefix of the first part of the key of a phase.
const PHASE: &str = "phase=";

impl Fact {
    /// Returns the key of this fact in a workload: `workload::subsystem::syscall::argument=…`.
    pub fn key(&self, workload: &str) -> String {
        format!("{workload}::{self}")
    }

    /// Returns the fact with this key in a workload.
    pub fn from_key(key: &str, workload: &str) -> Option<Self> {
        key.strip_prefix(workload)?.strip_prefix("::")?.parse().ok()
    }

    /// Returns the subsystem; `None` for a blind spot or a signal.
    pub fn subsystem(&self) -> Option<Subsystem> {
        match self {
            Self::Use { subsystem, .. } | Self::Phase { subsystem, .. } => Some(*subsystem),
            Self::BlindSpot(_) | Self::Signal(_) => None,
        }
    }

    /// Returns the syscall, unless the fact is a subsystem, a blind spot or a signal.
    pub fn syscall(&self) -> Option<&str> {
        match self {
            Self::Use { syscall, .. } => syscall.as_deref(),
            Self::Phase { syscall, .. } => Some(syscall),
            Self::BlindSpot(_) | Self::Signal(_) => None,
        }
    }

    /// Returns the detail, if the fact is one.
    pub fn detail(&self) -> Option<&Detail> {
        match self {
            Self::Use { detail, .. } => detail.as_ref(),
            _ => None,
        }
    }

    /// Returns the argument, if the fact is one or a pair.
    pub fn argument(&self) -> Option<&str> {
        self.detail()?.argument()
    }

    /// Returns the fact outside its phase: a syscall of a phase is a syscall of the workload.
    pub fn in_any_phase(&self) -> Self {
        match self {
            Self::Phase { subsystem, syscall, .. } => {
                Self::Use { subsystem: *subsystem, syscall: Some(syscall.clone()), detail: None }
            }
            other => other.clone(),
        }
    }

    /// Returns the fact that this one is part of: the syscall of a detail, the subsystem of a
    /// syscall.
    pub fn parent(&self) -> Option<Self> {
        let Self::Use { subsystem, syscall: Some(syscall), detail } = self else { return None };
        let syscall = detail.as_ref().map(|_| syscall.clone());
        Some(Self::Use { subsystem: *subsystem, syscall, detail: None })
    }
}

impl Detail {
    /// Returns the detail for these parts of a use, if it has any.
    pub fn of_use(argument: Option<String>, object: Option<ObjectKind>) -> Option<Self> {
        match (argument, object) {
            (Some(argument), Some(object)) => Some(Self::Pair(Pair { argument, object })),
            (Some(argument), None) => Some(Self::Argument(argument)),
            (None, object) => object.map(Self::Object),
        }
    }

    /// Returns whether it is an argument, an object or both.
    pub fn is_use(&self) -> bool {
        matches!(self, Self::Argument(_) | Self::Object(_) | Self::Pair(_))
    }

    /// Returns the argument, alone or in a pair.
    pub fn argument(&self) -> Option<&str> {
        match self {
            Self::Argument(argument) | Self::Pair(Pair { argument, .. }) => Some(argument),
            Self::Object(_) | Self::Error(_) | Self::Abi(_) => None,
        }
    }

    /// Returns the object, alone or in a pair.
    pub fn object(&self) -> Option<&ObjectKind> {
        match self {
            Self::Object(object) | Self::Pair(Pair { object, .. }) => Some(object),
            Self::Argument(_) | Self::Error(_) | Self::Abi(_) => None,
        }
    }

    /// Returns the value without its kind: `AF_INET`, or `TCGETS char:pts` for a pair.
    pub fn value(&self) -> Cow<'_, str> {
        match self {
            Self::Argument(argument) => argument.into(),
            Self::Object(object) => object.as_str().into(),
            Self::Pair(pair) => pair.to_string().into(),
            Self::Error(ErrnoName(errno)) => errno.name(),
            Self::Abi(abi) => abi.name().into(),
        }
    }
}

/// Writes the key without its workload: `subsystem::syscall::argument=…`, `blind_spots::NAME`,
/// `signals::NAME`.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlindSpot(name) => write!(f, "{BLIND_SPOTS}::{name}"),
            Self::Signal(name) => write!(f, "{SIGNALS}::{name}"),
            Self::Phase { phase, subsystem, syscall } => write!(f, "{PHASE}{phase}::{subsystem}::{syscall}"),
            Self::Use { subsystem, syscall, detail } => {
                write!(f, "{subsystem}")?;
                syscall.iter().try_for_each(|syscall| write!(f, "::{syscall}"))?;
                detail.iter().try_for_each(|detail| write!(f, "::{detail}"))
            }
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Argument(_) => "argument",
            Self::Object(_) => "object",
            Self::Error(_) => "error",
            Self::Abi(_) => "abi",
            Self::Pair(pair) => return pair.write_key(f),
        };
        write!(f, "{kind}={}", self.value())
    }
}

/// Writes `ARGUMENT OBJECT`, as reports do.
impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.argument, self.object)
    }
}

impl Pair {
    /// Writes `ARGUMENT,OBJECT`. In the argument, `,`, `=` and `\` follow a `\`, so that a pair is
    /// never read as another detail.
    fn write_key(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.argument.chars() {
            if matches!(character, ',' | '=' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        write!(f, ",{}", self.object)
    }

    fn from_key(text: &str) -> Option<Self> {
        let mut argument = String::new();
        let mut characters = text.chars();
        loop {
            match characters.next()? {
                ',' => break,
                '=' => return None,
                '\\' => argument.push(characters.next()?),
                character => argument.push(character),
            }
        }
        let object = characters.as_str();
        (!argument.is_empty() && !object.is_empty()).then(|| Self { argument, object: object.into() })
    }
}

/// The text is no [`Fact`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid fact `{0}`: write one such as `network`, `network::socket` or `network::socket::argument=AF_INET`")]
pub struct NotAFact(String);

impl FromStr for Fact {
    type Err = NotAFact;

    fn from_str(text: &str) -> Result<Self, NotAFact> {
        parse(text).ok_or_else(|| NotAFact(text.to_owned()))
    }
}

impl FromStr for Detail {
    type Err = NotAFact;

    fn from_str(text: &str) -> Result<Self, NotAFact> {
        parse_detail(text).ok_or_else(|| NotAFact(text.to_owned()))
    }
}

/// Parses a key without its workload. The last part may contain `::`, because an object may.
fn parse(text: &str) -> Option<Fact> {
    let mut parts = text.splitn(3, "::");
    let first = parts.next()?;
    let second = parts.next().map(str::to_owned);
    let third = parts.next();
    if second.as_ref().is_some_and(String::is_empty) {
        return None;
    }
    if first == BLIND_SPOTS {
        return second.filter(|_| third.is_none()).map(|name| Fact::BlindSpot(RecordedBlindSpot::named(name)));
    }
    if first == SIGNALS {
        return second.filter(|_| third.is_none()).and_then(|name| SignalName::from_name(&name)).map(Fact::Signal);
    }
    if let Some(phase) = first.strip_prefix(PHASE).filter(|phase| !phase.is_empty()) {
        let (subsystem, syscall) =
            (Subsystem::from_slug(&second?)?, third.filter(|third| !third.is_empty())?.to_owned());
        return Some(Fact::Phase { phase: phase.to_owned(), subsystem, syscall });
    }
    let detail = match third {
        Some(text) => Some(parse_detail(text)?),
        None => None,
    };
    Some(Fact::Use { subsystem: Subsystem::from_slug(first)?, syscall: second, detail })
}

fn parse_detail(text: &str) -> Option<Detail> {
    if let Some(pair) = Pair::from_key(text) {
        return Some(Detail::Pair(pair));
    }
    let (kind, value) = text.split_once('=').filter(|(_, value)| !value.is_empty())?;
    match kind {
        "argument" => Some(Detail::Argument(value.to_owned())),
        "object" => Some(Detail::Object(value.into())),
        "error" => Errno::from_name(value).map(|errno| Detail::Error(ErrnoName(errno))),
        "abi" => Abi::from_name(value).map(Detail::Abi),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_parses_to_its_fact() {
        let subsystem = Subsystem::Network;
        let used = |syscall: Option<&str>, detail| Fact::Use { subsystem, syscall: syscall.map(str::to_owned), detail };
        let pair = |argument: &str, object: &str| Detail::of_use(Some(argument.to_owned()), Some(object.into()));
        for (fact, key) in [
            (used(None, None), "net::echo::network"),
            (used(Some("socket"), None), "net::echo::network::socket"),
            (
                used(Some("socket"), Some(Detail::Argument("AF_INET".to_owned()))),
                "net::echo::network::socket::argument=AF_INET",
            ),
            (
                used(Some("read"), Some(Detail::Object("char:a::b=c".into()))),
                "net::echo::network::read::object=char:a::b=c",
            ),
            (used(Some("ioctl"), pair("TCGETS", "char:a,b=c")), "net::echo::network::ioctl::TCGETS,char:a,b=c"),
            (used(Some("execve"), pair("object=a,\\b", "file")), r"net::echo::network::execve::object\=a\,\\b,file"),
            (used(Some("bind"), Some(Detail::Error(ErrnoName(Errno(1))))), "net::echo::network::bind::error=EPERM"),
            (used(Some("bind"), Some(Detail::Abi(Abi::I386))), "net::echo::network::bind::abi=i386"),
            (Fact::BlindSpot(RecordedBlindSpot::named("io_uring")), "net::echo::blind_spots::io_uring"),
            (Fact::BlindSpot(RecordedBlindSpot::named("later")), "net::echo::blind_spots::later"),
            (Fact::Signal(SignalName(11)), "net::echo::signals::SIGSEGV"),
            (
                Fact::Phase { phase: "serving".to_owned(), subsystem: Subsystem::Network, syscall: "read".to_owned() },
                "net::echo::phase=serving::network::read",
            ),
        ] {
            assert_eq!(fact.key("net::echo"), key);
            assert_eq!(Fact::from_key(key, "net::echo"), Some(fact));
            assert_eq!(Fact::from_key(key, "net::ech"), None, "{key}");
        }
    }

    #[test]
    fn invalid_facts_are_refused() {
        for text in [
            "",
            "nowhere",
            "network::",
            "network::::argument=A",
            "network::socket::",
            "network::socket::AF_INET",
            "network::socket::argument=",
            "network::socket::,file",
            "network::socket::A,",
            "network::socket::A\\",
            "network::socket::family=AF_INET",
            "network::socket::error=EFOO",
            "network::socket::abi=i486",
            "blind_spots",
            "blind_spots::",
            "blind_spots::io_uring::more",
            "signals",
            "signals::",
            "signals::SIGFOO",
            "signals::SIGSEGV::more",
        ] {
            assert_eq!(text.parse::<Fact>(), Err(NotAFact(text.to_owned())));
        }
    }

    #[test]
    fn detail_has_syscall_and_subsystem_as_parents() {
        let parent = |text: &str| text.parse::<Fact>().expect(text).parent().map(|parent| parent.to_string());
        assert_eq!(parent("network::socket::argument=AF_INET").as_deref(), Some("network::socket"));
        assert_eq!(parent("network::socket").as_deref(), Some("network"));
        assert_eq!(parent("network"), None);
        assert_eq!(parent("blind_spots::io_uring"), None);
    }
}
