//! What can stand between a workload and its tracer. Main type: [`Gate`].
//!
//! Plain data: it neither looks nor judges.

/// Something that can stand between us and tracing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// One word: `ptrace`, `kernel`, `yama`, …
    pub name: &'static str,
    /// How it stands.
    pub state: GateState,
    /// What was found.
    pub found: String,
    /// What opens it, where it is not open.
    pub remedies: Vec<Remedy>,
}

/// How a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateState {
    /// It is not in the way.
    Open,
    /// It may be: tracing is refused and this may be why, or some workloads cannot bear to be
    /// traced.
    Suspect,
    /// It is in the way.
    Closed,
}

/// What opens a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy {
    /// Where it applies: `Docker`, `GitHub Actions`, …
    pub place: &'static str,
    /// What to type or to paste there.
    pub paste: &'static str,
}

/// Whether workloads can be traced behind these gates: the first one is an attempt, and closed if
/// that failed.
pub fn can_trace(gates: &[Gate]) -> bool {
    gates.iter().all(|gate| gate.state != GateState::Closed)
}
