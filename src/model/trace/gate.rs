//! Conditions for tracing on this system. Main type: [`Gate`].
//!
//! Plain data: this module neither checks the system nor judges.

/// A condition that can prevent tracing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// One word: `ptrace`, `kernel`, `yama`, …
    pub name: &'static str,
    /// Whether it prevents tracing.
    pub state: GateState,
    /// What was found on this system.
    pub found: String,
    /// Ways to fix it, unless it is open.
    pub remedies: Vec<Remedy>,
}

/// Whether a gate prevents tracing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateState {
    /// It does not prevent tracing.
    Open,
    /// It may: tracing is refused and this may be the reason, or some workloads fail when traced.
    Suspect,
    /// It prevents tracing.
    Closed,
}

/// A way to open a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy {
    /// Where it applies: `Docker`, `GitHub Actions`, …
    pub place: &'static str,
    /// What to type or to paste there.
    pub paste: &'static str,
}

/// Returns whether workloads can be traced: no gate is closed. The first gate is an attempt to
/// trace, and is closed if that failed.
pub fn can_trace(gates: &[Gate]) -> bool {
    gates.iter().all(|gate| gate.state != GateState::Closed)
}
