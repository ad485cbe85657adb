//! The difference between what was expected and what was observed. Main type: [`Comparison`].
//!
//! It must not decide what to do about it: that is [`decide`](super::decide).

use super::attribution::Subsystem;

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What fails, weightiest first.
    pub findings: Vec<Finding>,
    /// New, but below the level that fails.
    pub notes: Vec<Finding>,
    /// Keys of facts that the baseline holds and no run showed.
    pub gone: Vec<String>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of difference.
    pub kind: FindingKind,
    /// The fact that is new.
    pub fact: Fact,
    /// How often it was called.
    pub calls: u64,
    /// The `forbid:` rule that it breaks, in its author's words.
    pub forbidden: Option<String>,
}

/// A thing a baseline can hold. Its order is that of keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A use of the kernel: a subsystem, a syscall in it, and the finer part of it.
    Use {
        /// The subsystem.
        subsystem: Subsystem,
        /// The syscall, unless the fact is the subsystem itself.
        syscall: Option<String>,
        /// The finer part.
        detail: Option<Detail>,
    },
    /// A blind spot.
    BlindSpot(String),
}

/// The finer part of a fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// `argument=AF_INET`
    Argument(String),
    /// `object=file:proc`
    Object(String),
    /// `error=EPERM`
    Error(String),
    /// `abi=i386`
    Abi(String),
}

/// What kind of difference a finding is; the order is by weight, heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A subsystem that the baseline does not hold.
    NewSubsystem,
    /// A blind spot that the baseline does not hold.
    NewBlindSpot,
    /// A call under another ABI.
    NewAbi,
    /// A syscall that the baseline does not hold within its subsystem.
    NewSyscall,
    /// An argument that the baseline does not hold for its syscall.
    NewArgument,
    /// An object that the baseline does not hold for its syscall.
    NewObject,
    /// An error that the baseline does not hold for its syscall.
    NewError,
}
