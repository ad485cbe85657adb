//! The prerequisites of tracing as JSON, where they are named gates. Main function: [`gates`].

use std::io;

use serde::Serialize;

use crate::model::run::tools::{MissingProgram, Tool, Tools};
use crate::model::trace::prerequisite::{Prerequisite, PrerequisiteState, Remedy, can_trace};

/// The results of `doctor`.
#[derive(Debug, Clone, Copy)]
pub struct Gates<'a> {
    /// Prerequisites of tracing.
    pub tracing: &'a [Prerequisite],
    /// Prerequisites of sampling and BPF programs.
    pub sampling: &'a [Prerequisite],
    /// Tools, if they were looked for.
    pub tools: Option<&'a Tools>,
}

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
    /// Prerequisites of sampling and of BPF programs. Tracing needs none of them.
    sampling: Vec<GateRecord<'a>>,
    /// Versions of tools; null without `--tools`.
    tools: Option<Vec<ToolRecord<'a>>>,
    /// Missing programs of workloads; null without `--tools`.
    missing: Option<Vec<MissingRecord<'a>>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ToolRecord<'a> {
    /// Its name in `scripts/ver_linux` of the kernel.
    name: &'a str,
    /// Null if it is not installed.
    version: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct MissingRecord<'a> {
    program: &'a str,
    workloads: &'a [String],
    /// The Debian package that contains it; null if unknown.
    package: Option<&'a str>,
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
pub fn gates(out: &mut dyn io::Write, gates: &Gates<'_>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &GatesRecord::of(gates))?;
    writeln!(out)
}

impl<'a> GatesRecord<'a> {
    fn of(found: &Gates<'a>) -> Self {
        let tool = |Tool { name, version }: &'a Tool| ToolRecord { name, version: version.as_deref() };
        let missing = |MissingProgram { program, workloads, package }: &'a MissingProgram| MissingRecord {
            program,
            workloads,
            package: package.as_deref(),
        };
        Self {
            schema: "sysguard.doctor/1",
            possible: can_trace(found.tracing),
            gates: found.tracing.iter().map(GateRecord::of).collect(),
            sampling: found.sampling.iter().map(GateRecord::of).collect(),
            tools: found.tools.map(|tools| tools.tools.iter().map(tool).collect()),
            missing: found.tools.map(|tools| tools.missing.iter().map(missing).collect()),
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
        let tools = Tools {
            tools: vec![Tool { name: "strace", version: Some("6.1".to_owned()) }, Tool { name: "PPP", version: None }],
            missing: vec![MissingProgram {
                program: "redis-benchmark".to_owned(),
                workloads: vec!["redis".to_owned()],
                package: Some("redis-tools".to_owned()),
            }],
        };
        for (sampling, tools) in [(&samples[..0], None), (&samples[..1], Some(&tools))] {
            let found = Gates { tracing: &samples[1..], sampling, tools };
            let record = serde_json::to_value(GatesRecord::of(&found)).expect("plain data");
            assert_eq!((&record["possible"], &record["gates"][1]["state"]), (&true.into(), &"perhaps".into()));
            assert_eq!(record["tools"].is_null(), tools.is_none());
            holds("doctor-1", &record);
        }
        let found = Gates { tracing: &samples, sampling: &[], tools: None };
        assert_eq!(serde_json::to_value(GatesRecord::of(&found)).expect("plain data")["possible"], false);
    }
}
