//! Why the text of a scalar is refused. Main type: [`InvalidScalar`].
//!
//! A message does not say where the scalar is: [`typed`](super::typed) adds the place.

use super::keys::UnknownName;
use crate::model::conditions::{NotAGlob, NotANetwork};
use crate::model::facts::error_path::NotAFailedCall;
use crate::model::facts::fact::NotAFact;
use crate::model::run::platform::NotAPlatform;

/// The text of a scalar is no value of its type.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum InvalidScalar {
    /// A text must not be empty.
    #[error("empty value: write a name, or remove the key")]
    Empty,
    /// The text cannot be the name of a syscall under any ABI.
    #[error("invalid syscall name `{0}`: use only letters, digits, `_` and `-`")]
    SyscallName(String),
    /// The text cannot be the name of a phase, because keys separate their parts by `::`.
    #[error("invalid phase name `{0}`: use only letters, digits, `_`, `.` and `-`")]
    PhaseName(String),
    /// The name is of a kind with known names, and is none of them.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// The text cannot be the name of an environment variable.
    #[error("invalid variable name `{0}`: it must be non-empty and hold no `=`")]
    VariableName(String),
    /// The text is no fact.
    #[error(transparent)]
    Fact(#[from] NotAFact),
    /// The fact is a blind spot or of a phase.
    #[error("`{0}` is not a subsystem or a part of one: `without` accepts only those")]
    NotAUse(String),
    /// The text is no duration.
    #[error("invalid duration `{text}`: write it as `60s`, `500ms` or `2m`")]
    Duration {
        /// The text.
        text: String,
        /// What is wrong with it.
        source: humantime::DurationError,
    },
    /// The duration is zero.
    #[error("invalid duration `{0}`: write a longer one, such as `60s`")]
    ZeroDuration(String),
    /// The text is neither an exit status nor a signal.
    #[error("invalid exit `{0}`: write a status from 0 to 255, or a signal such as `SIGTERM`")]
    Exit(String),
    /// The text is no platform.
    #[error(transparent)]
    Platform(#[from] NotAPlatform),
    /// The key has one possible value.
    #[error("invalid value `{text}`: write `{only}`, or remove the key")]
    OnlyValue {
        /// The text.
        text: String,
        /// The possible value.
        only: &'static str,
    },
    /// The text is not a glob.
    #[error("invalid glob `{text}`: {reason}")]
    Glob {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A program is named without its folder.
    #[error("invalid program `{0}`: write its name without a folder, such as `curl` or `python3*`")]
    ProgramPath(String),
    /// The text is not a glob for paths.
    #[error("invalid path `{text}`: {reason}")]
    Path {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: NotAGlob,
    },
    /// The text is not a range of addresses.
    #[error("invalid address `{text}`: {reason}")]
    Address {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: NotANetwork,
    },
    /// A signal is not a call, so the other parts of the rule would never match.
    #[error("a rule by `signal` takes no other part: remove the others")]
    SignalOfCalls,
    /// The text is no call with an error.
    #[error(transparent)]
    FailedCall(#[from] NotAFailedCall),
    /// The text is no number.
    #[error("invalid number `{0}`: write digits alone")]
    Count(String),
    /// Only the number of a shorter recording is written.
    #[error("invalid number of runs `{0}`: a complete recording has no `runs`, remove the key")]
    CompleteRuns(u32),
    /// The version of a taxonomy is not supported.
    #[error("invalid taxonomy version `{0}`: write `taxonomy: 1`")]
    TaxonomyVersion(String),
}
