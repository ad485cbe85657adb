//! The canonical form of a baseline, [`baseline`], and of [`remarks`]. The same value is the same bytes.
//!
//! One fact a line, ordered, indented by two; quotes only where YAML needs them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::scalar::scalar;
use crate::model::expectation::remarks::Remarks;
use crate::model::expectation::terms::{Baseline, Entry};
use crate::model::fact::Fact;

/// The first document of a workload that has no file yet: its key and its name.
pub(super) fn first_document(what: &str, key: &str, name: &str) -> String {
    let mut out = Lines(format!("# {what} This first document is yours: say here why it matters.\n"));
    out.line(0, "version: 1");
    out.pair(0, key, name);
    out.0
}

/// A baseline as one document, its `---` included.
pub(super) fn baseline(baseline: &Baseline) -> String {
    let mut out = Lines(String::from("---\n"));
    out.pair(0, "platform", &baseline.platform.to_string());
    if !baseline.fingerprint.is_empty() {
        out.key(0, "fingerprint");
    }
    for (key, value) in baseline.fingerprint.parts() {
        if let Some(value) = value {
            out.pair(1, key, value);
        }
    }
    if baseline.restless {
        out.line(0, "quiet: never");
    }
    if baseline.subsystems.is_empty() {
        out.line(0, "subsystems: {}");
    } else {
        out.key(0, "subsystems");
    }
    for (subsystem, syscalls) in &baseline.subsystems {
        out.key(1, subsystem.slug());
        for (syscall, entry) in syscalls {
            out.key(2, syscall);
            out.entry(3, entry);
        }
    }
    if !baseline.phases.is_empty() {
        out.key(0, "phases");
    }
    for (phase, subsystems) in &baseline.phases {
        out.key(1, phase);
        subsystems.iter().for_each(|(subsystem, syscalls)| out.list(2, subsystem.slug(), syscalls));
    }
    out.list(0, "blind_spots", &baseline.blind_spots);
    out.0
}

/// Remarks as one document, without its `---`.
pub(super) fn remarks(Remarks { drift, sites, causes }: &Remarks) -> String {
    let mut out = Lines(String::new());
    out.list(0, "drift", drift);
    out.told("sites", sites);
    out.told("causes", causes);
    out.0
}

struct Lines(String);

impl Lines {
    fn line(&mut self, depth: usize, text: &str) {
        let indent = "  ".repeat(depth);
        writeln!(self.0, "{indent}{text}").expect("a String takes everything");
    }

    fn key(&mut self, depth: usize, key: &str) {
        self.line(depth, &format!("{}:", scalar(key)));
    }

    fn pair(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &format!("{key}: {}", scalar(value)));
    }

    fn list<'a>(&mut self, depth: usize, key: &str, items: impl IntoIterator<Item = &'a String>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.key(depth, key);
        for item in items {
            self.line(depth + 1, &format!("- {}", scalar(item)));
        }
    }

    fn told(&mut self, key: &str, facts: &BTreeMap<Fact, String>) {
        if !facts.is_empty() {
            self.key(0, key);
        }
        for (fact, told) in facts {
            self.pair(1, &scalar(&fact.to_string()), told);
        }
    }

    fn entry(&mut self, depth: usize, entry: &Entry) {
        self.list(depth, "arguments", &entry.arguments);
        self.list(depth, "objects", &entry.objects);
        self.list(depth, "errors", &entry.errors);
        self.list(depth, "abi", &entry.abis);
        if entry.sometimes {
            self.line(depth, "seen: sometimes");
        }
        for (key, words) in [("why", &entry.why), ("owner", &entry.owner)] {
            if let Some(words) = words {
                self.pair(depth, key, words);
            }
        }
    }
}
