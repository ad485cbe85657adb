//! The prerequisites of tracing as JSON, where they are named gates. Main function: [`gates`].

use std::io;

use serde::Serialize;

use crate::model::trace::prerequisite::{Prerequisite, PrerequisiteState, Remedy, can_trace};

/// What `cargo sysguard doctor --format json` writes: everything that can prevent tracing. Within
/// version 1, fields, gates and states may be added and none changes its meaning.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.doctor/1"))]
pub(super) struct GatesRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.doctor/1")))]
    schema: &'static str,
    /// Whether workloads can be traced here: no gate is closed.
    possible: bool,
    /// The first one, ptrace, is a real attempt.
    gates: Vec<GateRecord<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct GateRecord<'a> {
    /// One word: ptrace, kernel, yama, …
    name: &'a str,
    /// perhaps: tracing is refused and this may be the cause, or some workloads do not run under a
    /// tracer.
    #[cfg_attr(test, schemars(extend("enum" = ["open", "perhaps", "closed"])))]
    state: &'static str,
    /// What was found, as text.
    found: &'a str,
    /// What opens it; empty if it is open.
    remedies: Vec<RemedyRecord<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RemedyRecord<'a> {
    place: &'a str,
    paste: &'a str,
}

/// Writes every prerequisite: `sysguard.doctor/1`.
pub fn gates(out: &mut dyn io::Write, gates: &[Prerequisite]) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &GatesRecord::of(gates))?;
    writeln!(out)
}

impl<'a> GatesRecord<'a> {
    fn of(gates: &'a [Prerequisite]) -> Self {
        Self {
            schema: "sysguard.doctor/1",
            possible: can_trace(gates),
            gates: gates.iter().map(GateRecord::of).collect(),
        }
    }
}

impl<'a> GateRecord<'a> {
    fn of(Prerequisite { name, state, found, remedies }: &'a Prerequisite) -> Self {
        let state = match state {
            PrerequisiteState::Met => "open",
            PrerequisiteState::Suspect => "perhaps",
            PrerequisiteState::Unmet => "closed",
        };
        let remedies = remedies.iter().map(|Remedy { place, paste }| RemedyRecord { place, paste }).collect();
        Self { name, state, found, remedies }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::schema::holds;

    fn samples() -> Vec<Prerequisite> {
        let gate = |name, state, found: &str, remedies| Prerequisite { name, state, found: found.to_owned(), remedies };
        vec![
            gate("ptrace", PrerequisiteState::Unmet, "PTRACE_SEIZE is refused", vec![]),
            gate("kernel", PrerequisiteState::Met, "Linux 6.18", vec![]),
            gate(
                "seccomp",
                PrerequisiteState::Suspect,
                "a filter",
                vec![Remedy { place: "Docker", paste: "docker run" }],
            ),
        ]
    }

    #[test]
    fn record_matches_its_schema() {
        let samples = samples();
        let record = serde_json::to_value(GatesRecord::of(&samples)).expect("plain data");
        assert_eq!((&record["possible"], &record["gates"][2]["state"]), (&false.into(), &"perhaps".into()));
        holds("doctor-1", &record);
    }
}
