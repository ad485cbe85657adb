//! Writes a policy in the formats that programs read, and reads such files back to compare them.
//! Main types: [`Format`] and [`Profile`].

mod bpf;
mod heading;
mod libseccomp;
mod oci;
mod profile;
mod rest;
mod rules;
mod rust;
mod seccompiler_json;
mod systemd;

pub use heading::{Heading, Proven};
pub use profile::{Difference, Effect, NamedRule, Profile};

use crate::filter::NotCompiled;
use crate::policy::{Action, Policy};
use crate::source::Source;

/// A format of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The object `linux.seccomp` of the OCI runtime specification, which is also a profile of
    /// Docker and Podman.
    Oci,
    /// A drop-in of a systemd service.
    Systemd,
    /// The JSON of the crate seccompiler.
    Seccompiler,
    /// A C function that uses libseccomp.
    Libseccomp,
    /// `struct sock_filter[]`, as `bwrap --seccomp` takes it.
    Bpf,
    /// A module for the program itself, which uses the crate libc only.
    Rust,
}

/// What a profile is made from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Which calls are allowed.
    pub policy: &'a Policy,
    /// The baselines that the policy is made of.
    pub sources: &'a [Source<'a>],
    /// What the first comment says.
    pub heading: &'a Heading,
}

/// Why a policy cannot be written in a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// The format names calls.
    #[error("{0} has no name, and the format names calls")]
    Unnamed(String),
    /// The reader of the format does not know the call.
    #[error("{0} is not known to the crate seccompiler, version 0.5")]
    Unknown(String),
    /// The format has no such action.
    #[error("the format has no action `{}`", .0.name())]
    Action(Action),
    /// The policy has no filter.
    #[error(transparent)]
    NotCompiled(#[from] NotCompiled),
}

/// Why a file cannot be read as a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a profile of the format {}: {why}", .format.name())]
pub struct Unreadable {
    format: Format,
    why: String,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Oci, Self::Systemd, Self::Seccompiler, Self::Libseccomp, Self::Bpf, Self::Rust];

    /// Returns the name used by `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::Systemd => "systemd",
            Self::Seccompiler => "seccompiler",
            Self::Libseccomp => "libseccomp",
            Self::Bpf => "bpf",
            Self::Rust => "rust",
        }
    }

    /// Returns the format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Returns the format of a file, by its content.
    pub fn of(content: &[u8]) -> Option<Self> {
        let Ok(text) = std::str::from_utf8(content) else { return bpf::is_program(content).then_some(Self::Bpf) };
        let has = |words: &str| text.contains(words);
        match text.trim_start().chars().next() {
            Some('{') if has("\"defaultAction\"") => Some(Self::Oci),
            Some('{') if has("\"mismatch_action\"") || has("\"default_action\"") => Some(Self::Seccompiler),
            _ if has("seccomp_init(") => Some(Self::Libseccomp),
            _ if has("libc::sock_filter") => Some(Self::Rust),
            _ if has("SystemCallFilter=") || has("SystemCallLog=") => Some(Self::Systemd),
            _ => bpf::is_program(content).then_some(Self::Bpf),
        }
    }

    /// Returns whether profiles are text.
    pub fn is_text(self) -> bool {
        self != Self::Bpf
    }

    /// Returns whether the program is executed under the profile. Others are installed by the
    /// program itself.
    pub fn starts_program(self) -> bool {
        matches!(self, Self::Oci | Self::Systemd | Self::Bpf)
    }

    /// Returns whether a running program can install the profile.
    pub fn is_for_programs(self) -> bool {
        !matches!(self, Self::Oci | Self::Systemd)
    }

    /// Returns the file of a profile.
    ///
    /// # Errors
    ///
    /// [`NotWritten`].
    pub fn write(self, input: &Input<'_>) -> Result<Vec<u8>, NotWritten> {
        match self {
            Self::Oci => oci::write(input).map(String::into_bytes),
            Self::Systemd => systemd::write(input).map(String::into_bytes),
            Self::Seccompiler => seccompiler_json::write(input).map(String::into_bytes),
            Self::Libseccomp => libseccomp::write(input).map(String::into_bytes),
            Self::Bpf => bpf::write(input),
            Self::Rust => rust::write(input).map(String::into_bytes),
        }
    }

    /// Returns the first part of a file that differs from what would be written, apart from its
    /// calls, comments, blanks and the order of entries in JSON. A program has no such part.
    pub fn other_difference(self, old: &[u8], new: &[u8]) -> Option<String> {
        rest::difference(std::str::from_utf8(old).ok()?, std::str::from_utf8(new).ok()?)
    }

    /// Returns what a file says.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    pub fn read(self, content: &[u8]) -> Result<Profile, Unreadable> {
        let text = || std::str::from_utf8(content).map_err(|error| error.to_string());
        let read = match self {
            Self::Oci => text().and_then(oci::read),
            Self::Systemd => text().and_then(systemd::read),
            Self::Seccompiler => text().and_then(seccompiler_json::read),
            Self::Libseccomp => text().and_then(libseccomp::read),
            Self::Bpf => bpf::read(content),
            Self::Rust => text().and_then(rust::read),
        };
        read.map_err(|why| Unreadable { format: self, why })
    }
}

#[cfg(test)]
mod tests;
