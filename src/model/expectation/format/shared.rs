//! One file for all tests of a binary: [`Shared`]. Its first document is the user's and names the
//! binary (`tests: CRATE::BINARY`); each further one holds what most tests use on a platform
//! (`common:`) and how each test differs from that (`tests:`).
//!
//! It must not touch files. Each test is handed out as an expectation of its own, and taken back as
//! such.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;

use super::baseline::{Phases, Subsystems, WrittenFingerprint, check_parts, facts, subsystem_lines};
use super::malformed::{Fault, Malformed};
use super::outline::{self, Node, Outline};
use super::scalar::scalar;
use super::words::{List, Never, Said, Unused};
use super::{Parsed, Places, Source, document, emit, keys, text, typed};
use crate::model::attribution::Subsystem;
use crate::model::expectation::remarks::Remarks;
use crate::model::expectation::split::{Difference, Split};
use crate::model::expectation::terms::{Baseline, Document, Expectation};
use crate::model::expectation::versions;
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::run::platform::Platform;
use crate::model::run::workload::Program;

/// What the tests of one binary are expected to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// `CRATE::BINARY`.
    binary: String,
    /// The first document as it stands, with a final newline.
    first: String,
    /// The bytes of it that are the line `tests: CRATE::BINARY`, without its end.
    line: Range<usize>,
    version: u32,
    document: Document,
    sheets: Vec<Sheet>,
}

/// One platform.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sheet {
    platform: Platform,
    tests: BTreeMap<String, Baseline>,
    /// As it stands, `---` included; nothing once it has changed.
    text: Option<String>,
    places: BTreeMap<String, Places>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map of `platform`, `common` and `tests`")]
struct Written {
    platform: Said<Platform>,
    fingerprint: Option<WrittenFingerprint>,
    common: Option<WrittenCommon>,
    tests: Option<BTreeMap<String, Option<WrittenTest>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map of `subsystems`, `phases` and `blind_spots`")]
struct WrittenCommon {
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Said<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map of `without`, `subsystems`, `phases` and `blind_spots`, or nothing")]
struct WrittenTest {
    fingerprint: Option<WrittenFingerprint>,
    quiet: Option<Said<Never>>,
    without: Option<List<Said<Unused>>>,
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Said<String>>>,
}

impl Shared {
    /// The file of a binary, `CRATE::BINARY`, that has none yet.
    ///
    /// # Errors
    ///
    /// Where the name cannot stand in a file.
    pub fn of_binary(binary: &str) -> Result<Self, Malformed> {
        let what = "The tests of a binary, as `cargo sysguard run` found them.";
        Self::read(emit::first_document(what, KEY, binary).as_bytes())
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Where it is no such file: the first fault with its place.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let whole = text::text(bytes, text::MAX_SHARED_BYTES)?;
        let content = text::without_mark(&whole);
        let mut shared = parse(content).map_err(|fault| fault.shown(content))?;
        let mark = &whole[..whole.len() - content.len()];
        shared.first.insert_str(0, mark);
        shared.line = shared.line.start + mark.len()..shared.line.end + mark.len();
        Ok(shared)
    }

    /// `CRATE::BINARY`.
    pub fn binary(&self) -> &str {
        &self.binary
    }

    /// The names of all tests that have a baseline, on whichever platform.
    pub fn tests(&self) -> BTreeSet<&str> {
        self.sheets.iter().flat_map(|sheet| sheet.tests.keys()).map(String::as_str).collect()
    }

    /// Whether the file is only what this program writes, without any baseline: nothing is lost
    /// with it.
    pub fn is_bare(&self) -> bool {
        self.sheets.is_empty() && Self::of_binary(&self.binary).is_ok_and(|bare| bare.first == self.first)
    }

    /// The expectation of one test as if it had a file of its own; without baselines where none is
    /// recorded.
    ///
    /// Its lines are those of this file.
    pub fn test(&self, test: &str) -> Parsed {
        let run = format!("{}::{test}", self.binary);
        let (before, after) = (&self.first[..self.line.start], &self.first[self.line.end..]);
        let document_text = format!("{before}run: {}{after}", scalar(&run));
        let mut document = self.document.clone();
        document.workload.program = Program::Run(run);
        let (mut baselines, mut sources) = (Vec::new(), Vec::new());
        for Sheet { tests, places, .. } in &self.sheets {
            if let (Some(baseline), Some(places)) = (tests.get(test), places.get(test)) {
                baselines.push(baseline.clone());
                sources.push(Source { text: emit::baseline(baseline), places: places.clone() });
            }
        }
        let expectation = versions::upgraded(Expectation { document, baselines }, self.version);
        Parsed { expectation, remarks: Remarks::default(), document: document_text, sources }
    }

    /// Takes the baseline of a test in, in the place of an earlier one of its platform.
    pub fn insert(&mut self, test: &str, baseline: Baseline) {
        let index = self.sheets.iter().position(|sheet| sheet.platform == baseline.platform).unwrap_or_else(|| {
            // Ordered by platform, so that it does not matter which is recorded first.
            let place = self.sheets.iter().position(|sheet| sheet.platform > baseline.platform);
            let place = place.unwrap_or(self.sheets.len());
            let platform = baseline.platform.clone();
            self.sheets.insert(place, Sheet { platform, tests: BTreeMap::new(), text: None, places: BTreeMap::new() });
            place
        });
        let sheet = &mut self.sheets[index];
        if sheet.tests.get(test) != Some(&baseline) {
            sheet.tests.insert(test.to_owned(), baseline);
            sheet.text = None;
        }
    }

    /// Drops what is recorded of a test. Says whether there was anything.
    pub fn remove(&mut self, test: &str) -> bool {
        let mut removed = false;
        for sheet in &mut self.sheets {
            if sheet.tests.remove(test).is_some() {
                sheet.text = None;
                removed = true;
            }
        }
        self.sheets.retain(|sheet| !sheet.tests.is_empty());
        removed
    }

    /// The text: what did not change is kept byte for byte.
    pub fn text(&self) -> String {
        let sheet = |sheet: &Sheet| match &sheet.text {
            Some(text) => text.clone(),
            None => emit::split(&Split::of(sheet.platform.clone(), &sheet.tests)),
        };
        std::iter::once(self.first.clone()).chain(self.sheets.iter().map(sheet)).collect()
    }
}

/// The key of the first document that names the binary.
const KEY: &str = "tests";

fn parse(text: &str) -> Result<Shared, Fault> {
    let outlines = outline::outline(text)?;
    let [first, further @ ..] = &outlines[..] else { return Err(Fault::new(super::Place::START, "no document")) };
    let first_text = typed::slice(text, &first.lines);
    let (binary, line) = binary(first_text, &first.root)?;
    // As the file of one test would be: it has the same keys on the same lines.
    let as_test = format!("{}run: {}{}", &first_text[..line.start], scalar(&binary), &first_text[line.end..]);
    let outlines = outline::outline(&as_test)?;
    let (version, document) = document::read(&as_test, &outlines[0])?;
    let mut sheets: Vec<Sheet> = Vec::new();
    for outline in further {
        let (sheet, place) = sheet(text, outline)?;
        if sheets.iter().any(|earlier| earlier.platform == sheet.platform) {
            let message = format!("a second baseline of {}: keep one, then bless again", sheet.platform);
            return Err(Fault::new(place, message));
        }
        sheets.push(sheet);
    }
    Ok(Shared { binary, first: first_text.to_owned(), line, version, document, sheets })
}

/// The name of the binary, and the bytes of its line in the first document.
fn binary(first: &str, root: &Node) -> Result<(String, Range<usize>), Fault> {
    let Some((key, value)) = root.get(KEY) else {
        let message = "the file holds the tests of a binary and names none: add `tests: CRATE::BINARY`";
        return Err(Fault::new(root.place, message));
    };
    let name = value.text().unwrap_or_default();
    let start: usize = first.split_inclusive('\n').take(key.place.line - 1).map(str::len).sum();
    let line = first[start..].lines().next().unwrap_or_default();
    let written = line.strip_prefix("tests:").unwrap_or_default();
    let written = written.split(" #").next().unwrap_or_default().trim();
    let is_whole = [name.into(), scalar(name), format!("\"{name}\"").into(), format!("'{name}'").into()];
    if name.is_empty() || !is_whole.iter().any(|name| *name == written) {
        return Err(Fault::new(key.place, "write the name of the binary on one line: `tests: CRATE::BINARY`"));
    }
    Ok((name.to_owned(), start..start + line.len()))
}

/// Reads one platform's document, and where it names the platform.
fn sheet(text: &str, outline: &Outline) -> Result<(Sheet, super::Place), Fault> {
    let root = &outline.root;
    let Some((_, value)) = root.get("platform").filter(|(_, value)| !value.is_null()) else {
        keys::check::<Written>(root)?;
        return Err(Fault::new(root.place, "a baseline without `platform`: name it, or remove the document"));
    };
    let tests = root.get("tests").map_or(&[][..], |(_, node)| node.pairs());
    check(root, tests.iter().map(|(_, test)| test))?;
    let written: Written = typed::read(text, outline)?;
    let common = root.get("common").map(|(_, node)| subsystem_lines(node)).unwrap_or_default();
    let places = tests.iter().map(|(key, test)| {
        let mut subsystems: BTreeMap<Subsystem, usize> = common.clone();
        subsystems.extend(subsystem_lines(test));
        (key.name.clone(), Places { document: value.place, platform: key.place.line, subsystems })
    });
    let places = places.collect();
    let split = split(written);
    let text = Some(typed::slice(text, &outline.lines).to_owned());
    Ok((Sheet { platform: split.platform.clone(), tests: split.baselines(), text, places }, value.place))
}

fn check<'a>(root: &Node, tests: impl Iterator<Item = &'a Node>) -> Result<(), Fault> {
    keys::check::<Written>(root)?;
    check_parts(root)?;
    if let Some((_, common)) = root.get("common") {
        keys::check::<WrittenCommon>(common)?;
        check_parts(common)?;
    }
    for test in tests {
        keys::check::<WrittenTest>(test)?;
        check_parts(test)?;
    }
    Ok(())
}

fn split(written: Written) -> Split {
    let Said(platform) = written.platform;
    let common = written.common.map(|common| facts(common.subsystems, common.phases, common.blind_spots));
    let difference = |test: WrittenTest| Difference {
        fingerprint: test.fingerprint.map(Fingerprint::from),
        restless: test.quiet.is_some(),
        without: test.without.unwrap_or_default().into_set(|Unused(fact)| fact),
        facts: facts(test.subsystems, test.phases, test.blind_spots),
    };
    let tests = written.tests.unwrap_or_default().into_iter();
    Split {
        platform,
        fingerprint: written.fingerprint.map(Fingerprint::from).unwrap_or_default(),
        common: common.unwrap_or_default(),
        tests: tests.map(|(name, test)| (name, test.map(difference).unwrap_or_default())).collect(),
    }
}

#[cfg(test)]
mod tests;
