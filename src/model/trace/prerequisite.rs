//! The prerequisites of tracing on this system. Main type: [`Prerequisite`].
//!
//! Plain data: this module neither checks the system nor judges.

/// A condition that can prevent tracing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prerequisite {
    /// One word: `ptrace`, `kernel`, `yama`, …
    pub name: &'static str,
    /// Whether it prevents tracing.
    pub state: PrerequisiteState,
    /// What was found on this system.
    pub found: String,
    /// Ways to fix it, unless it is met.
    pub remedies: Vec<Remedy>,
}

/// Whether a prerequisite prevents tracing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrerequisiteState {
    /// It does not prevent tracing.
    Met,
    /// It may: tracing is refused and this may be the reason, or some workloads fail when traced.
    Suspect,
    /// It prevents tracing.
    Unmet,
}

/// A way to meet a prerequisite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy {
    /// Where it applies: `Docker`, `GitHub Actions`, …
    pub place: &'static str,
    /// What to type or to paste there.
    pub paste: &'static str,
}

/// Returns whether workloads can be traced: no prerequisite is unmet. The first one is an attempt
/// to trace, and is unmet if that failed.
pub fn can_trace(prerequisites: &[Prerequisite]) -> bool {
    prerequisites.iter().all(|prerequisite| prerequisite.state != PrerequisiteState::Unmet)
}
