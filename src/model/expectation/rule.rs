//! Builds rules in code.

use super::terms::Rule;
use crate::model::attribution::Subsystem;

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

    /// Requires that this signal ended a process other than the first one: `SIGSEGV`. Such a rule
    /// takes no other part.
    #[must_use]
    pub fn signal(self, name: impl Into<String>) -> Self {
        Self { signal: Some(name.into()), ..self }
    }
}
