//! Writes the canonical form of a baseline ([`baseline`]), of the baselines of all tests of a
//! binary ([`split()`]), and of [`remarks`]. Equal values give equal bytes.
//!
//! One fact per line, ordered, indented by two spaces; quotes only where YAML needs them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::scalar::scalar;
use super::uses;
use crate::model::attribution::Subsystem;
use crate::model::expectation::remarks::Remarks;
use crate::model::expectation::split::{Difference, Facts, Split};
use crate::model::expectation::terms::{Baseline, Entry, ErrorPaths, Explored};
use crate::model::facts::example::Example;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::site::{CodeLocation, Site};
use crate::model::facts::version::Version;

/// Returns a new first document for a workload, or for the tests of a binary: `key: name`.
pub(super) fn first_document(what: &str, key: &str, name: &str) -> String {
    let mut out = Lines(format!("# {what} This first document is yours: say here why it matters.\n"));
    out.line(0, &format!("version: {}", Version::LATEST));
    out.pair(0, key, name);
    out.0
}

/// Returns a baseline as one document of a file of this version, including `---`.
pub(super) fn baseline(baseline: &Baseline, file: Version) -> String {
    let mut out = Lines(String::from("---\n"));
    out.version(0, baseline.version, file);
    out.pair(0, "platform", &baseline.platform.to_string());
    if !baseline.fingerprint.is_empty() {
        out.fingerprint(0, &baseline.fingerprint);
    }
    out.completeness(0, baseline.never_quiet, baseline.few_runs);
    if baseline.subsystems.is_empty() {
        out.line(0, "subsystems: {}");
    }
    out.facts(0, &baseline.into(), baseline.version);
    out.errors(0, baseline.errors.as_ref(), baseline.version);
    out.0
}

/// Returns the baselines of all tests of a binary as one document of a file of this version,
/// including `---`.
pub(super) fn split(split: &Split, file: Version) -> String {
    let mut out = Lines(String::from("---\n"));
    out.pair(0, "platform", &split.platform.to_string());
    if !split.fingerprint.is_empty() {
        out.fingerprint(0, &split.fingerprint);
    }
    if split.common != Facts::default() {
        out.key(0, "common");
    }
    out.facts(1, &split.common, file);
    out.key(0, "tests");
    for (name, Difference { version, fingerprint, never_quiet, few_runs, without, facts, errors }) in &split.tests {
        out.key(1, name);
        out.version(2, *version, file);
        if let Some(fingerprint) = fingerprint {
            out.fingerprint(2, fingerprint);
        }
        out.completeness(2, *never_quiet, *few_runs);
        out.list(2, "without", without);
        out.facts(2, facts, file);
        out.errors(2, errors.as_ref(), file);
    }
    out.0
}

/// Returns remarks as one document, without `---`.
pub(super) fn remarks(remarks: &Remarks) -> String {
    let Remarks { drift, examples, sites, site_reasons, stacks, causes } = remarks;
    let mut out = Lines(String::new());
    out.list(0, "drift", drift);
    out.examples(examples);
    out.fact_texts("sites", sites.iter().map(|(fact, site)| (fact, site.words.as_str())));
    out.places(sites.values());
    out.fact_texts("site_reasons", site_reasons.iter().map(|(fact, reason)| (fact, reason.name())));
    out.fact_texts("causes", causes.iter().map(|(fact, cause)| (fact, cause.as_str())));
    out.stacks(stacks);
    out.0
}

struct Lines(String);

impl Lines {
    /// Writes the version of a part unless it is that of its file.
    fn version(&mut self, depth: usize, version: Version, file: Version) {
        if version != file {
            self.line(depth, &format!("version: {version}"));
        }
    }

    fn fingerprint(&mut self, depth: usize, fingerprint: &Fingerprint) {
        if fingerprint.is_empty() {
            self.line(depth, "fingerprint: {}");
            return;
        }
        self.key(depth, "fingerprint");
        for (key, value) in fingerprint.parts() {
            if let Some(value) = value {
                self.pair(depth + 1, key, value);
            }
        }
    }

    /// Writes the marks of a recording that was not complete.
    fn completeness(&mut self, depth: usize, never_quiet: bool, few_runs: Option<u32>) {
        if never_quiet {
            self.line(depth, "quiet: never");
        }
        few_runs.iter().for_each(|runs| self.line(depth, &format!("runs: {runs}")));
    }

    /// Writes facts in the syntax of a version.
    fn facts(&mut self, depth: usize, facts: &Facts, version: Version) {
        let Facts { subsystems, phases, blind_spots, signals } = facts;
        self.subsystems(depth, "subsystems", subsystems, version);
        if !phases.is_empty() {
            self.key(depth, "phases");
        }
        for (phase, subsystems) in phases {
            self.key(depth + 1, phase);
            subsystems.iter().for_each(|(subsystem, syscalls)| self.list(depth + 2, subsystem.slug(), syscalls));
        }
        self.list(depth, "blind_spots", blind_spots);
        self.list(depth, "signals", signals);
    }

    /// Writes subsystems with their syscalls, in the syntax of a version.
    fn subsystems(
        &mut self,
        depth: usize,
        key: &str,
        subsystems: &BTreeMap<Subsystem, BTreeMap<String, Entry>>,
        version: Version,
    ) {
        if !subsystems.is_empty() {
            self.key(depth, key);
        }
        for (subsystem, syscalls) in subsystems {
            self.key(depth + 1, subsystem.slug());
            for (syscall, entry) in syscalls {
                self.key(depth + 2, syscall);
                match version {
                    Version::One => self.arguments_and_objects(depth + 3, entry),
                    Version::Two => self.uses(depth + 3, entry),
                }
            }
        }
    }

    fn errors(&mut self, depth: usize, errors: Option<&ErrorPaths>, version: Version) {
        let Some(ErrorPaths { explored, uses, blind_spots, signals, outcomes }) = errors else { return };
        if errors == Some(&ErrorPaths::default()) {
            self.line(depth, "errors: {}");
            return;
        }
        self.key(depth, "errors");
        if let Some(Explored { budget, tried, reachable }) = explored {
            self.pair(depth + 1, "budget", &humantime::format_duration(*budget).to_string());
            self.line(depth + 1, &format!("tried: {tried}"));
            self.line(depth + 1, &format!("reachable: {reachable}"));
        }
        self.subsystems(depth + 1, "uses", uses, version);
        self.list(depth + 1, "blind_spots", blind_spots);
        self.list(depth + 1, "signals", signals);
        if !outcomes.is_empty() {
            self.key(depth + 1, "outcomes");
        }
        outcomes.iter().for_each(|(outcome, calls)| self.list(depth + 2, outcome.name(), calls));
    }

    fn line(&mut self, depth: usize, text: &str) {
        let indent = "  ".repeat(depth);
        writeln!(self.0, "{indent}{text}").expect("writing to a String cannot fail");
    }

    fn key(&mut self, depth: usize, key: &str) {
        self.line(depth, &format!("{}:", scalar(key)));
    }

    fn pair(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &format!("{key}: {}", scalar(value)));
    }

    fn list(&mut self, depth: usize, key: &str, items: impl IntoIterator<Item: fmt::Display>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.key(depth, key);
        for item in items {
            self.line(depth + 1, &format!("- {}", scalar(&item.to_string())));
        }
    }

    fn fact_texts<'a>(&mut self, key: &str, facts: impl IntoIterator<Item = (&'a Fact, &'a str)>) {
        let mut facts = facts.into_iter().peekable();
        if facts.peek().is_some() {
            self.key(0, key);
        }
        for (fact, text) in facts {
            self.pair(1, &scalar(&fact.to_string()), text);
        }
    }

    fn examples(&mut self, examples: &BTreeMap<Fact, Example>) {
        if !examples.is_empty() {
            self.key(0, "examples");
        }
        for (fact, Example { call, process }) in examples {
            self.key(1, &fact.to_string());
            self.pair(2, "call", call);
            self.list(2, "in", process);
        }
    }

    /// Writes each stack once, with the facts that have it.
    fn stacks(&mut self, stacks: &BTreeMap<Fact, Arc<[String]>>) {
        let mut by_stack: BTreeMap<&[String], Vec<&Fact>> = BTreeMap::new();
        for (fact, stack) in stacks {
            by_stack.entry(stack).or_default().push(fact);
        }
        if !by_stack.is_empty() {
            self.key(0, "stacks");
        }
        for (stack, facts) in by_stack {
            self.line(1, "- of:");
            facts.iter().for_each(|fact| self.line(3, &format!("- {}", scalar(&fact.to_string()))));
            self.list(2, "frames", stack);
        }
    }

    /// Writes each place of these call sites once.
    fn places<'a>(&mut self, sites: impl Iterator<Item = &'a Site>) {
        let places = sites.filter_map(|site| Some((&site.words, site.location.as_ref()?)));
        let places: BTreeMap<&String, &CodeLocation> = places.collect();
        if !places.is_empty() {
            self.key(0, "places");
        }
        for (words, location) in places {
            let CodeLocation { function, package, version, file, line, module, is_own, callee } = location;
            self.pair(1, "- text", words);
            let texts = [("function", function), ("crate", package), ("version", version), ("file", file)];
            for (key, text) in texts.into_iter().chain([("callee", callee)]) {
                text.iter().for_each(|text| self.pair(2, key, text));
            }
            line.iter().for_each(|line| self.line(2, &format!("line: {line}")));
            self.pair(2, "module", module);
            if *is_own {
                self.line(2, "own: true");
            }
        }
    }

    fn arguments_and_objects(&mut self, depth: usize, entry: &Entry) {
        self.list(depth, "arguments", &entry.arguments);
        self.list(depth, "objects", &entry.objects);
        self.marks(depth, entry);
    }

    /// Writes an entry as a list of its uses, or as a map if it has anything else.
    fn uses(&mut self, depth: usize, entry: &Entry) {
        let (uses, is_list) = (entry.uses(), entry.has_only_uses());
        if !is_list && !uses.is_empty() {
            self.key(depth, "uses");
        }
        for used in uses {
            let why = entry.reasons.get(&used).map(String::as_str);
            self.used(if is_list { depth } else { depth + 1 }, &used, why);
        }
        self.marks(depth, entry);
    }

    fn used(&mut self, depth: usize, used: &Detail, why: Option<&str>) {
        if let Some(line) = uses::line(used).filter(|_| why.is_none()) {
            self.line(depth, &format!("- {}", scalar(&line)));
            return;
        }
        let argument = used.argument().map(|argument| ("argument", argument));
        let object = used.object().map(|object| ("object", object.as_str()));
        let why = why.map(|why| ("why", why));
        for (at, (key, value)) in argument.into_iter().chain(object).chain(why).enumerate() {
            let mark = if at == 0 { "-" } else { " " };
            self.line(depth, &format!("{mark} {key}: {}", scalar(value)));
        }
    }

    fn marks(&mut self, depth: usize, entry: &Entry) {
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
