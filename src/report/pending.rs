//! Pending facts: [`pending`] writes all keys as JSON, [`finding`] writes one for a reviewer.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::Palette;
use super::explain::{CALL, brief};
#[cfg(test)]
use super::schema::{ByKey, FactKey};
use super::style::Painted;
use super::verdict::GroupRecord;
use super::words::escaped;
use crate::model::facts::example::Example;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::{Finding, RelatedSyscall};
use crate::model::facts::site::NoSite;
use crate::model::judge::groups::{Cause, Group, Member, groups};
use crate::model::judge::pending::Pending;
use crate::model::judge::weight::Weight;

/// The pending facts of one workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PendingKeys {
    /// The workload.
    pub workload: String,
    /// The expectation file, relative to its package.
    pub file: String,
    /// The keys for `accept` and `reject`.
    #[cfg_attr(test, schemars(with = "Vec<FactKey>"))]
    pub keys: Vec<String>,
    /// What changed around the workload since the baseline was recorded; absent if unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    drift: Vec<String>,
    /// The first call, if known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    examples: BTreeMap<String, ExampleRecord>,
    /// The call site of the first call, if known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(with = "ByKey"))]
    sites: BTreeMap<String, String>,
    /// Possible causes other than a change of the workload.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(with = "ByKey"))]
    causes: BTreeMap<String, String>,
    /// The findings behind the keys.
    #[serde(skip)]
    #[cfg_attr(test, schemars(skip))]
    findings: Vec<(Finding, Weight)>,
}

/// A first call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExampleRecord {
    /// The decoded call, with its result if the engine knows it.
    call: String,
    /// The commands from the workload down to the process of the call.
    process: Vec<String>,
}

impl PendingKeys {
    /// Collects the pending facts of a workload and what is known of them.
    pub fn new(workload: &str, file: String, pending: &Pending) -> Self {
        let findings = pending.findings();
        let by_key = |of: fn(&Finding) -> Option<&String>| {
            findings.iter().filter_map(|finding| Some((finding.fact.key(workload), of(finding).cloned()?))).collect()
        };
        Self {
            workload: workload.to_owned(),
            file,
            keys: pending.keys(workload),
            drift: pending.drift().to_vec(),
            examples: findings
                .iter()
                .filter_map(|finding| {
                    let Example { call, process } = finding.example.clone()?;
                    Some((finding.fact.key(workload), ExampleRecord { call, process }))
                })
                .collect(),
            sites: by_key(|finding| finding.site.as_ref().map(|site| &site.words)),
            causes: by_key(|finding| finding.cause.as_ref()),
            findings: findings.into_iter().map(|finding| (finding.clone(), pending.weight(&finding))).collect(),
        }
    }

    /// Returns the first call, the call site and the cause of a key, if known.
    pub fn remark(&self, key: &str) -> Option<String> {
        let site = self.sites.get(key).map(|site| format!("by {}", escaped(site)));
        let cause = self.causes.get(key).map(|cause| format!("({})", escaped(cause)));
        let example = self.examples.get(key).map(|example| escaped(&example.call));
        let parts: Vec<String> = example.into_iter().chain(site).chain(cause).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// The number of arguments and objects of a new call that are explained.
const PARTS: usize = 4;

/// What `cargo sysguard pending --format json` writes. Within version 1, fields may be added and
/// none changes its meaning.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.pending/1"))]
pub(super) struct PendingRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.pending/1")))]
    schema: &'static str,
    /// The workloads with pending facts.
    pending: &'a [PendingKeys],
    /// The causes of all pending facts, heaviest first.
    groups: Vec<GroupRecord>,
}

/// Writes all pending facts: `sysguard.pending/1`.
pub fn pending(out: &mut dyn io::Write, pending: &[PendingKeys]) -> io::Result<()> {
    let groups = causes(pending).iter().map(GroupRecord::from).collect();
    serde_json::to_writer_pretty(&mut *out, &PendingRecord { schema: "sysguard.pending/1", pending, groups })?;
    writeln!(out)
}

/// Returns the causes of all pending facts, heaviest first.
fn causes(pending: &[PendingKeys]) -> Vec<Group<'_>> {
    groups(pending.iter().flat_map(|keys| {
        let workload = keys.workload.as_str();
        keys.findings.iter().map(move |(finding, weight)| Member { workload, finding, weight: *weight })
    }))
}

/// Writes the commands that accept each cause with several keys. `flag` selects the proposals.
pub fn pending_causes(out: &mut dyn io::Write, pending: &[PendingKeys], flag: &str) -> io::Result<()> {
    let causes = causes(pending);
    let several: Vec<&Group<'_>> = causes.iter().filter(|group| group.members.len() > 1).collect();
    for group in &several {
        writeln!(out, "cargo sysguard accept {}{flag}   # {}", group.id(), escaped(&group.to_string()))?;
    }
    if several.is_empty() { Ok(()) } else { writeln!(out, "cargo sysguard accept --all{flag}   # everything\n") }
}

/// Writes every cause with its id, and the keys below it with what is known of them. An empty first
/// baseline has no cause.
pub fn pending_groups(out: &mut dyn io::Write, pending: &[PendingKeys], palette: &Palette) -> io::Result<()> {
    let remarks = |workload: &str, key: &str| {
        pending.iter().find(|keys| keys.workload == workload).and_then(|keys| keys.remark(key))
    };
    for group in causes(pending) {
        let title = Painted(palette.heading, escaped(&group.to_string()));
        let is_known = !matches!(group.cause, Cause::Unknown { .. });
        let indent = if is_known { "  " } else { "" };
        if is_known {
            writeln!(out, "{} {title}", Painted(palette.hint, group.id()))?;
        }
        for member in &group.members {
            let key = member.finding.fact.key(member.workload);
            writeln!(out, "{indent}{}", escaped(&key))?;
            if let Some(remark) = remarks(member.workload, &key) {
                writeln!(out, "{indent}  {remark}")?;
            }
        }
    }
    pending.iter().filter(|keys| keys.findings.is_empty()).try_for_each(|keys| writeln!(out, "{}", keys.workload))
}

/// Writes one pending finding: its key, what is known of the call, and its line in the file.
pub fn finding(
    out: &mut dyn io::Write,
    workload: &str,
    file: &str,
    pending: &Pending,
    finding: &Finding,
    palette: &Palette,
) -> io::Result<()> {
    let fact = &finding.fact;
    let kind = if pending.opens_subsystem(fact) { "new-subsystem" } else { finding.kind.name() };
    writeln!(out, "{}  {}", Painted(palette.error, kind), Painted(palette.heading, escaped(&fact.key(workload))))?;
    if !finding.details.is_empty() {
        let details: Vec<_> = finding.details.iter().map(Detail::value).collect();
        writeln!(out, "  with    {}", escaped(&details.join(" ")))?;
    }
    for (label, line) in origin(pending, finding) {
        writeln!(out, "  {label:<6}  {}", escaped(&line))?;
    }
    let abi = pending.platform().abi();
    let parts = parts(finding).map(|part| brief(&part, abi).into_iter().filter(|(label, _)| *label != CALL));
    for (label, line) in brief(fact, abi).into_iter().chain(parts.flatten()) {
        writeln!(out, "  {label:<6}  {}", escaped(&line))?;
    }
    let file = escaped(file);
    let Fact::Use { subsystem, .. } = fact else {
        return writeln!(out, "  file    {file}");
    };
    match pending.file().line(pending.platform(), Some(*subsystem)) {
        Some(line) => writeln!(out, "  file    {file}:{line}"),
        None => writeln!(out, "  file    {file}, with a first baseline for {}", pending.platform()),
    }
}

/// Returns the reason for a missing stack of a pending finding's first call.
pub fn without_stack(finding: &Finding) -> String {
    let reason = match finding.site_reason() {
        Some(NoSite::NotACall) => "the finding is not about a call",
        Some(NoSite::Engine) => "the engine that ran the test reads no stacks",
        Some(NoSite::Unsupported) => "the build that ran the test reads no stacks",
        Some(NoSite::Replaced) => "execve had replaced the program before its stack was read",
        Some(NoSite::Unreadable) => "the stack could not be read",
        Some(NoSite::NoSymbols | NoSite::NotRecorded) | None => "the proposal does not contain it",
    };
    format!("no stack: {reason}")
}

/// Returns what is known of a finding's origin, with labels.
fn origin(pending: &Pending, finding: &Finding) -> impl Iterator<Item = (&'static str, String)> {
    let Finding { site, cause, related, example, .. } = finding;
    let related =
        related.as_ref().map(|RelatedSyscall { family, beside }| format!("{family}: the baseline holds {beside}"));
    let drift = pending.drift().join(", ");
    let drift = (!drift.is_empty()).then(|| format!("{drift} since the baseline was recorded"));
    let call = example.as_ref().map(|example| example.call.clone());
    let process = example.as_ref().filter(|example| !example.process.is_empty()).map(Example::origin);
    let lines = [
        ("first", call),
        ("in", process),
        ("by", site.as_ref().map(|site| site.words.clone())),
        ("cause", cause.clone()),
        ("family", related),
        ("drift", drift),
    ];
    lines.into_iter().filter_map(|(label, line)| Some((label, line?)))
}

/// Returns the first arguments and objects of a new call, as separate facts.
fn parts(finding: &Finding) -> impl Iterator<Item = Fact> {
    let with = |detail: &Detail| match &finding.fact {
        Fact::Use { subsystem, syscall, detail: None } => {
            Some(Fact::Use { subsystem: *subsystem, syscall: syscall.clone(), detail: Some(detail.clone()) })
        }
        _ => None,
    };
    finding.details.iter().take(PARTS).filter_map(with)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::expectation::format::read;
    use crate::report::schema::holds;

    const PROPOSAL: &str = "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  filesystem:\n    openat:\n      \
                            objects: [file]\n  network:\n    socket:\n      arguments: [AF_INET]\n  random:\n    openat:\n      objects: [\"char:urandom\"]\n  none:\n    syscall_0x3e7:\n\
                            blind_spots: [io_uring]\n# For the review; accepting leaves these lines out.\n# drift: [glibc 2.36 → glibc 2.39]\n\
                            # examples:\n#   network::socket:\n#     call: socket(AF_INET, SOCK_STREAM) = 3\n#     in: [sh -c …, curl -s x]\n\
                            # sites:\n#   network: demo::fetch at src/main.rs:7\n#   network::socket: demo::fetch at src/main.rs:7\n\
                            # causes:\n#   random::openat: a cause\n";

    fn pending_of(file: &str) -> Pending {
        let parsed = |text: &str| read(text.as_bytes()).expect("a good text");
        Pending::between(parsed(file), &parsed(PROPOSAL)).expect("it fits").expect("something is pending")
    }

    const HELD: &str =
        "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  filesystem:\n    openat:\n";

    /// Returns every pending finding of a proposal as text.
    fn shown(file: &str) -> String {
        let pending = pending_of(file);
        let mut out = Vec::new();
        for found in pending.findings() {
            finding(&mut out, "w", "expectations/w.yaml", &pending, &found, &Palette::plain()).expect("memory");
        }
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn finding_shows_its_call_and_its_line() {
        insta::assert_snapshot!(shown(HELD), @"
        new-subsystem  w::network::socket
          with    AF_INET
          first   socket(AF_INET, SOCK_STREAM) = 3
          in      sh -c … → curl -s x
          by      demo::fetch at src/main.rs:7
          drift   glibc 2.36 → glibc 2.39 since the baseline was recorded
          call    socket: net/socket.c, NETWORKING [SOCKETS], CONFIG_NET, since Linux 2.0
          file    expectations/w.yaml:4
        new-subsystem  w::none::syscall_0x3e7
          drift   glibc 2.36 → glibc 2.39 since the baseline was recorded
          call    syscall_0x3e7: not in any kernel table
          file    expectations/w.yaml:4
        new-subsystem  w::random::openat
          with    char:urandom
          cause   a cause
          drift   glibc 2.36 → glibc 2.39 since the baseline was recorded
          call    openat: fs/open.c, FILESYSTEMS (VFS and infrastructure), since Linux 2.6.16
          object  char:urandom: random, its source file, drivers/char/random.c, RANDOM NUMBER DRIVER
          file    expectations/w.yaml:4
        new-blind-spot  w::blind_spots::io_uring
          drift   glibc 2.36 → glibc 2.39 since the baseline was recorded
          means   operations submitted through the rings of io_uring are no system calls
          file    expectations/w.yaml
        new-object  w::filesystem::openat::object=file
          drift   glibc 2.36 → glibc 2.39 since the baseline was recorded
          call    openat: fs/open.c, FILESYSTEMS (VFS and infrastructure), since Linux 2.6.16
          object  file: filesystem, storage: which filesystem a machine keeps files on is not the workload's doing
          file    expectations/w.yaml:6
        ");
        assert!(shown("version: 1\nbin: demo\n").contains("w.yaml, with a first baseline for x86_64-linux-gnu\n"));
    }

    #[test]
    fn record_matches_its_schema() {
        let keys = PendingKeys::new("w", "f".to_owned(), &pending_of(HELD));
        assert_eq!(
            keys.remark("w::network::socket").as_deref(),
            Some("socket(AF_INET, SOCK_STREAM) = 3 by demo::fetch at src/main.rs:7")
        );
        assert_eq!(keys.remark("w::random::openat").as_deref(), Some("(a cause)"));
        assert_eq!(keys.remark("w::none::syscall_0x3e7"), None);
        let mut out = Vec::new();
        pending(&mut out, &[keys]).expect("memory");
        let mut value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        holds("pending-1", &value);
        let expected = serde_json::json!({
            "schema": "sysguard.pending/1",
            "pending": [{
                "workload": "w",
                "file": "f",
                "keys": pending_of(HELD).keys("w"),
                "drift": ["glibc 2.36 → glibc 2.39"],
                "examples": {
                    "w::network::socket": {"call": "socket(AF_INET, SOCK_STREAM) = 3", "process": ["sh -c …", "curl -s x"]},
                },
                "sites": {"w::network::socket": "demo::fetch at src/main.rs:7"},
                "causes": {"w::random::openat": "a cause"},
            }],
            "groups": [
                {
                    "id": "@3813a02f",
                    "title": "sh → curl: 1 new (network::socket)",
                    "site": {
                        "text": "demo::fetch at src/main.rs:7", "function": null, "crate": null, "version": null,
                        "file": null, "line": null, "module": null, "own": false,
                    },
                    "keys": ["w::network::socket"],
                },
                {"id": "@55beb7b4", "title": "w::blind_spots::io_uring", "site": null, "site_reason": "not_a_call", "keys": ["w::blind_spots::io_uring"]},
            ],
        });
        // The others are single findings.
        let groups = value["groups"].as_array_mut().expect("a list");
        assert_eq!(groups.len(), 5);
        groups.retain(|group| ["@55beb7b4", "@3813a02f"].map(serde_json::Value::from).contains(&group["id"]));
        assert_eq!(value, expected);
    }
}
