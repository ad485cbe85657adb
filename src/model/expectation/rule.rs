//! Builds rules in code, and matches them against uses.

use glob::Pattern;

use super::storage::written_object;
use super::terms::Rule;
use crate::model::attribution::{Condition, Extent, ObjectKind, Subsystem, Use, is_address_class, takes_address};
use crate::model::conditions::CallCondition;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::call::Errno;

impl Rule {
    /// Requires this phase, by its name.
    #[must_use]
    pub fn phase(self, name: impl Into<String>) -> Self {
        Self { phase: Some(name.into()), ..self }
    }

    /// Requires this subsystem.
    #[must_use]
    pub fn subsystem(self, subsystem: Subsystem) -> Self {
        Self { subsystem: Some(subsystem), ..self }
    }

    /// Requires this syscall, by its name.
    #[must_use]
    pub fn syscall(self, name: impl Into<String>) -> Self {
        Self { syscall: Some(name.into()), ..self }
    }

    /// Requires this argument, by the name that reports show: `AF_INET`, `TIOCGWINSZ`.
    #[must_use]
    pub fn argument(self, name: impl Into<String>) -> Self {
        Self { argument: Some(name.into()), ..self }
    }

    /// Requires this object, by the name that reports or expectation files show: `file:proc`,
    /// `socket:AF_INET:SOCK_STREAM`.
    #[must_use]
    pub fn object(self, name: impl Into<String>) -> Self {
        Self { object: Some(name.into()), ..self }
    }

    /// Requires this error, by its name: `EPERM`.
    #[must_use]
    pub fn error(self, name: impl Into<String>) -> Self {
        Self { error: Some(name.into()), ..self }
    }

    /// Requires that a program is executed. Its name, as reports show it, must match this glob:
    /// `curl`, `python3*`.
    #[must_use]
    pub fn program(self, name: impl Into<String>) -> Self {
        Self { program: Some(name.into()), ..self }
    }

    /// Requires an address in a connect, bind or send: a class (`global`, `loopback`), or a range
    /// with an optional port (`10.0.0.0/8`, `127.0.0.1:5432`, `[fd00::/8]:443`).
    ///
    /// An observation does not keep addresses, so calls are compared with a range during the run.
    /// Also pass such a rule to [`Tracer::rules`](crate::Tracer::rules) or
    /// [`Check::rules`](crate::Check::rules).
    #[must_use]
    pub fn address(self, address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..self }
    }

    /// Requires a path that matches this glob, or that leads to a matching file: `/etc/**`,
    /// `~/.ssh/*`, `$TMPDIR/**`. `*` does not match `/`, `**` does.
    ///
    /// An observation does not keep paths, so calls are compared during the run. Also pass the rule
    /// to [`Tracer::rules`](crate::Tracer::rules) or [`Check::rules`](crate::Check::rules).
    #[must_use]
    pub fn path(self, glob: impl Into<String>) -> Self {
        Self { path: Some(glob.into()), ..self }
    }

    /// Requires that the call can change what it names: it opens for writing, or makes, removes,
    /// renames or mounts something, or sets an attribute.
    #[must_use]
    pub fn writes(self) -> Self {
        Self { writes: true, ..self }
    }

    /// Requires that this signal ended a process other than the first one: `SIGSEGV`. Such a rule
    /// takes no other part.
    #[must_use]
    pub fn signal(self, name: impl Into<String>) -> Self {
        Self { signal: Some(name.into()), ..self }
    }

    /// Returns whether the rule applies to calls of this phase, or outside all phases.
    #[doc(hidden)]
    pub fn is_of(&self, phase: Option<&str>) -> bool {
        self.phase.as_deref().is_none_or(|wanted| phase == Some(wanted))
    }

    /// Returns whether the rule matches a process that this signal ended.
    pub(in crate::model) fn matches_signal(&self, signal: SignalName) -> bool {
        // A signal can have several names.
        let wanted = self.signal.as_deref().and_then(SignalName::from_name);
        let is_of_calls = || self.parts().any(|(part, _)| part != "signal");
        wanted == Some(signal) && !is_of_calls()
    }

    /// Returns whether the rule matches calls of this use with this outcome (`None`: no error).
    /// Every given part must match. Of several addresses of one call, one is enough.
    ///
    /// An object may have the name of the observation (`file:ext4`) or of the expectation (`file`).
    #[doc(hidden)]
    pub fn matches(&self, used: &Use, outcome: Option<Errno>) -> bool {
        self.agrees(used, outcome, Extent::Some)
    }

    /// Returns whether the rule can match calls of this name.
    pub(in crate::model) fn may_concern(&self, syscall: &str) -> bool {
        self.signal.is_none() && self.syscall.as_ref().is_none_or(|wanted| wanted == syscall)
    }

    /// Returns whether the rule matches every address and path of calls of this use with this
    /// outcome.
    #[doc(hidden)]
    pub fn covers(&self, used: &Use, outcome: Option<Errno>) -> bool {
        self.agrees(used, outcome, Extent::All)
    }

    fn agrees(&self, used: &Use, outcome: Option<Errno>, extent: Extent) -> bool {
        fn is_wanted(wanted: Option<&String>, actual: Option<&str>) -> bool {
            wanted.is_none_or(|wanted| actual == Some(wanted.as_str()))
        }
        let object = used.object.as_ref();
        let has_argument = |wanted: &String| match extent {
            Extent::Some => used.has_argument(wanted),
            Extent::All => used.has_only_argument(wanted),
        };
        self.signal.is_none()
            && self.subsystem.is_none_or(|subsystem| subsystem == used.subsystem)
            && is_wanted(self.syscall.as_ref(), Some(&used.syscall.name()))
            && self.argument.as_ref().is_none_or(has_argument)
            && is_wanted(self.error.as_ref(), outcome.map(Errno::name).as_deref())
            && (is_wanted(self.object.as_ref(), object.map(ObjectKind::as_str))
                || is_wanted(self.object.as_ref(), object.map(written_object).as_ref().map(ObjectKind::as_str)))
            && (!self.writes || used.can_write())
            && self.class().is_none_or(|wanted| takes_address(used.syscall) && has_argument(wanted))
            && self.condition().is_none_or(|condition| used.met.holds(&condition, extent))
            && self.program.as_ref().is_none_or(|wanted| used.program().is_some_and(|name| is_like(wanted, name)))
    }

    /// Returns the class of addresses, if the rule names one.
    fn class(&self) -> Option<&String> {
        self.address.as_ref().filter(|address| is_address_class(address))
    }

    /// Returns what the rule requires of single calls.
    #[doc(hidden)]
    pub fn condition(&self) -> Option<Condition> {
        let address = self.address.clone().filter(|address| !is_address_class(address));
        let condition = Condition { address, path: self.path.clone() };
        (condition != Condition::default()).then_some(condition)
    }

    /// Returns the condition that calls of a run must be compared with, so that the rule can be
    /// applied to its observation. It matches as `forbid:` does, to miss no forbidden call.
    pub(crate) fn call_condition(&self) -> Option<CallCondition> {
        Some(CallCondition { condition: self.condition()?, syscall: None, forbids: true })
    }

    /// Returns whether a part of the rule is about single calls. The finding then has the argument
    /// and the object of such a call.
    pub(in crate::model) fn selects_calls(&self) -> bool {
        self.program.is_some() || self.address.is_some() || self.path.is_some() || self.writes
    }
}

fn is_like(glob: &str, name: &str) -> bool {
    Pattern::new(glob).is_ok_and(|pattern| pattern.matches(name))
}

impl From<Subsystem> for Rule {
    fn from(subsystem: Subsystem) -> Self {
        Self { subsystem: Some(subsystem), ..Self::default() }
    }
}

/// A rule for the syscall of this name.
impl From<&str> for Rule {
    fn from(syscall: &str) -> Self {
        Self { syscall: Some(syscall.to_owned()), ..Self::default() }
    }
}

/// A rule for calls that meet this condition.
#[doc(hidden)]
impl From<Condition> for Rule {
    fn from(Condition { address, path }: Condition) -> Self {
        Self { address, path, ..Self::default() }
    }
}

/// A rule for exactly this use.
#[doc(hidden)]
impl From<&Use> for Rule {
    fn from(used: &Use) -> Self {
        let text = |part: Option<&str>| part.map(str::to_owned);
        Self {
            subsystem: Some(used.subsystem),
            syscall: Some(used.syscall.name().into_owned()),
            argument: text(used.argument.as_deref()),
            object: text(used.object.as_ref().map(ObjectKind::as_str)),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
