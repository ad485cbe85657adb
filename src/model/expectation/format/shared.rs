//! One file for all tests of a binary: [`Shared`]. Its first document is the user's and names the
//! binary (`tests: CRATE::BINARY`). Each later document holds what most tests use on a platform
//! (`common:`) and how each test differs from that (`tests:`).
//!
//! It must not touch files. Each test is returned as an expectation of its own, and stored from
//! one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::baseline::{WrittenFingerprint, check_parts, subsystem_lines};
use super::entries::{Phases, Subsystems, facts};
use super::errors::WrittenErrors;
use super::malformed::{Fault, Malformed};
use super::outline::{self, Node, Outline};
use super::scalar::scalar;
use super::words::{FewRuns, List, Never, Scalar, Signal, UnusedFact};
use super::{BaselineLines, Parsed, Source, baseline, document, emit, keys, text, typed, upgrade};
use crate::model::attribution::Subsystem;
use crate::model::expectation::remarks::Remarks;
use crate::model::expectation::split::{Difference, Split};
use crate::model::expectation::terms::{Baseline, Document, ErrorPaths, Expectation};
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::version::Version;
use crate::model::run::platform::Platform;
use crate::model::run::test_name::TestName;
use crate::model::run::workload::Program;

/// The expectations of all tests of one binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// `CRATE::BINARY`.
    binary: String,
    /// The first document unchanged, with a final newline.
    first: String,
    /// The byte range of the line `tests: CRATE::BINARY` in `first`, without its line ending.
    line: Range<usize>,
    version: Version,
    document: Document,
    sections: Vec<PlatformSection>,
}

/// The document of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PlatformSection {
    platform: Platform,
    tests: BTreeMap<String, Baseline>,
    /// The document unchanged, including `---`; `None` after a change.
    text: Option<String>,
    places: BTreeMap<String, BaselineLines>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map of `platform`, `common` and `tests`")]
struct Written {
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
    platform: Scalar<Platform>,
    fingerprint: Option<WrittenFingerprint>,
    common: Option<WrittenCommon>,
    tests: Option<BTreeMap<String, Option<WrittenTest>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map of `subsystems`, `phases`, `blind_spots` and `signals`")]
struct WrittenCommon {
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{without: [network], subsystems: {…}}`, or nothing")]
struct WrittenTest {
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
    fingerprint: Option<WrittenFingerprint>,
    quiet: Option<Scalar<Never>>,
    runs: Option<Scalar<FewRuns>>,
    without: Option<List<Scalar<UnusedFact>>>,
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
    errors: Option<WrittenErrors>,
}

impl Shared {
    /// Returns the content of a new file for a binary, `CRATE::BINARY`.
    ///
    /// # Errors
    ///
    /// If a file cannot hold the name.
    pub fn of_binary(binary: &str) -> Result<Self, Malformed> {
        Self::read(first_of_binary(binary).as_bytes())
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The first fault with its place.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let whole = text::text(bytes, text::MAX_SHARED_BYTES)?;
        let content = text::without_mark(&whole);
        let mut shared = parse(content).map_err(|fault| fault.shown(content))?;
        let mark = &whole[..whole.len() - content.len()];
        shared.first.insert_str(0, mark);
        shared.line = shared.line.start + mark.len()..shared.line.end + mark.len();
        Ok(shared)
    }

    /// Returns `CRATE::BINARY`.
    pub fn binary(&self) -> &str {
        &self.binary
    }

    /// Returns the names of all tests that have a baseline on any platform.
    pub fn tests(&self) -> BTreeSet<&str> {
        self.sections.iter().flat_map(|section| section.tests.keys()).map(String::as_str).collect()
    }

    /// Returns whether the file has no baseline and an unchanged first document. Removing it then
    /// loses nothing.
    pub fn is_bare(&self) -> bool {
        self.sections.is_empty() && self.is_unedited()
    }

    fn is_unedited(&self) -> bool {
        first_of_binary(&self.binary) == upgrade::document(&self.first, Version::LATEST)
    }

    /// Returns the expectation of one test as if it had a file of its own, without baselines if
    /// none is recorded. Without edits of the user, a comment names the file that holds the test.
    ///
    /// Its line numbers are those of this file.
    pub fn test(&self, test: &str) -> Parsed {
        let run = format!("{}::{test}", self.binary);
        let (before, after) = (&self.first[..self.line.start], &self.first[self.line.end..]);
        let mut document_text = format!("{before}run: {}{after}", scalar(&run));
        if let Some((_, rest)) = document_text.split_once('\n').filter(|_| self.is_unedited()) {
            document_text =
                format!("# A test in {}, where rules and comments for it belong.\n{rest}", self.shown_file());
        }
        let mut document = self.document.clone();
        document.workload.program = Program::Run(run);
        let (mut baselines, mut sources) = (Vec::new(), Vec::new());
        for PlatformSection { tests, places, .. } in &self.sections {
            if let (Some(baseline), Some(places)) = (tests.get(test), places.get(test)) {
                baselines.push(baseline.clone());
                sources.push(Source { text: emit::baseline(baseline, self.version), places: places.clone() });
            }
        }
        let expectation = Expectation { document, baselines };
        Parsed { expectation, remarks: Remarks::default(), version: self.version, document: document_text, sources }
    }

    /// Returns the end of this file's path, as shown to the user.
    fn shown_file(&self) -> String {
        let binary = TestName::parse(&self.binary);
        let name = binary.map(|binary| binary.shared_file()).unwrap_or_else(|| self.binary.clone());
        format!("{}.yaml", name.replace("::", "/"))
    }

    /// Stores the baseline of a test, and replaces an earlier one of the same platform.
    ///
    /// A baseline of a later version upgrades the file; other baselines keep their version.
    pub fn insert(&mut self, test: &str, baseline: Baseline) {
        if baseline.version > self.version {
            self.upgrade(baseline.version);
        }
        let index =
            self.sections.iter().position(|section| section.platform == baseline.platform).unwrap_or_else(|| {
                // Ordered by platform, so that the text does not depend on the order of recordings.
                let place = self.sections.iter().position(|section| section.platform > baseline.platform);
                let place = place.unwrap_or(self.sections.len());
                let platform = baseline.platform.clone();
                self.sections.insert(
                    place,
                    PlatformSection { platform, tests: BTreeMap::new(), text: None, places: BTreeMap::new() },
                );
                place
            });
        let section = &mut self.sections[index];
        if section.tests.get(test) != Some(&baseline) {
            section.tests.insert(test.to_owned(), baseline);
            section.text = None;
        }
    }

    fn upgrade(&mut self, version: Version) {
        let upgraded = upgrade::document(&self.first, version);
        // The number may be above or below the name of the binary, and longer than the new one.
        let shorter = self.first.len() - upgraded.len();
        if upgraded.get(self.line.clone()) != self.first.get(self.line.clone()) {
            self.line = self.line.start - shorter..self.line.end - shorter;
        }
        for section in &mut self.sections {
            section.text = section.text.take().map(|text| upgrade::kept(&text, self.version));
        }
        (self.first, self.version) = (upgraded, version);
    }

    /// Removes the baselines of a test. Returns whether there were any.
    pub fn remove(&mut self, test: &str) -> bool {
        let mut removed = false;
        for section in &mut self.sections {
            if section.tests.remove(test).is_some() {
                section.text = None;
                removed = true;
            }
        }
        self.sections.retain(|section| !section.tests.is_empty());
        removed
    }

    /// Returns the text; unchanged documents are kept byte for byte.
    pub fn text(&self) -> String {
        let section = |section: &PlatformSection| match &section.text {
            Some(text) => text.clone(),
            None => emit::split(&Split::of(section.platform.clone(), &section.tests), self.version),
        };
        std::iter::once(self.first.clone()).chain(self.sections.iter().map(section)).collect()
    }
}

/// Returns the first document of a new file for a binary.
fn first_of_binary(binary: &str) -> String {
    emit::first_document("The tests of a binary, as `cargo sysguard run` found them.", KEY, binary)
}

/// The key of the first document that names the binary.
const KEY: &str = "tests";

fn parse(text: &str) -> Result<Shared, Fault> {
    let outlines = outline::outline(text)?;
    let [first, further @ ..] = &outlines[..] else {
        return Err(Fault::new(super::TextPosition::START, "no document"));
    };
    let first_text = typed::slice(text, &first.lines);
    let (binary, line) = binary(first_text, &first.root)?;
    // Read the document as that of a single test, which has the same keys on the same lines.
    let as_test = format!("{}run: {}{}", &first_text[..line.start], scalar(&binary), &first_text[line.end..]);
    let outlines = outline::outline(&as_test)?;
    let (version, document) = document::read(&as_test, &outlines[0])?;
    let mut sections: Vec<PlatformSection> = Vec::new();
    for outline in further {
        let (section, place) = section(text, outline, version)?;
        if sections.iter().any(|earlier| earlier.platform == section.platform) {
            let message = format!("second baseline of {}: keep one, then bless again", section.platform);
            return Err(Fault::new(place, message));
        }
        sections.push(section);
    }
    Ok(Shared { binary, first: first_text.to_owned(), line, version, document, sections })
}

/// Returns the name of the binary, and the byte range of its line in the first document.
fn binary(first: &str, root: &Node) -> Result<(String, Range<usize>), Fault> {
    let Some((key, value)) = root.get(KEY) else {
        let message = "missing `tests`: add `tests: CRATE::BINARY` with the name of the test binary";
        return Err(Fault::new(root.place, message));
    };
    let name = value.text().unwrap_or_default();
    let start: usize = first.split_inclusive('\n').take(key.place.line - 1).map(str::len).sum();
    let line = first[start..].lines().next().unwrap_or_default();
    let written = line.strip_prefix("tests:").unwrap_or_default();
    let written = written.split(" #").next().unwrap_or_default().trim();
    let is_whole = [name.into(), scalar(name), format!("\"{name}\"").into(), format!("'{name}'").into()];
    if name.is_empty() || !is_whole.iter().any(|name| *name == written) {
        return Err(Fault::new(key.place, "the name of the binary must be on one line: write `tests: CRATE::BINARY`"));
    }
    Ok((name.to_owned(), start..start + line.len()))
}

/// Reads the document of one platform, and the place of its `platform`.
fn section(text: &str, outline: &Outline, file: Version) -> Result<(PlatformSection, super::TextPosition), Fault> {
    let root = &outline.root;
    let Some((_, value)) = root.get("platform").filter(|(_, value)| !value.is_null()) else {
        keys::check::<Written>(root)?;
        return Err(Fault::new(root.place, "baseline without `platform`: add `platform`, or remove the document"));
    };
    let tests = root.get("tests").map_or(&[][..], |(_, node)| node.pairs());
    let version = baseline::version(root, file)?;
    check(root, tests.iter().map(|(_, test)| test), version)?;
    let versions = tests.iter().map(|(key, test)| Ok((key.name.clone(), baseline::version(test, version)?)));
    let versions: BTreeMap<String, Version> = versions.collect::<Result<_, Fault>>()?;
    let written: Written = typed::read(text, outline)?;
    let common = root.get("common").map(|(_, node)| subsystem_lines(node)).unwrap_or_default();
    let places = tests.iter().map(|(key, test)| {
        let mut subsystems: BTreeMap<Subsystem, usize> = common.clone();
        subsystems.extend(subsystem_lines(test));
        (key.name.clone(), BaselineLines { document: value.place, platform: key.place.line, subsystems })
    });
    let places = places.collect();
    let split = split(written, &versions);
    if root.get("common").is_some() && split.tests.is_empty() {
        return Err(Fault::new(
            root.place,
            "`common` without `tests`: add the tests that it is common to, or remove it",
        ));
    }
    for (name, difference) in &split.tests {
        if let Some(unknown) = difference.without.iter().find(|fact| !split.common.has(fact)) {
            let (key, _) = tests.iter().find(|(key, _)| key.name == *name).unwrap_or(&tests[0]);
            let message = format!("`without:` names `{unknown}`, which is not in `common`: correct or remove it");
            return Err(Fault::new(key.place, message));
        }
    }
    let text = Some(typed::slice(text, &outline.lines).to_owned());
    Ok((PlatformSection { platform: split.platform.clone(), tests: split.baselines(), text, places }, value.place))
}

/// Checks keys. All parts of a section are written in its version, also those of tests that are
/// judged by an older one.
fn check<'a>(root: &Node, tests: impl Iterator<Item = &'a Node>, version: Version) -> Result<(), Fault> {
    keys::check::<Written>(root)?;
    check_parts(root, version)?;
    if let Some((_, common)) = root.get("common") {
        keys::check::<WrittenCommon>(common)?;
        check_parts(common, version)?;
    }
    for test in tests {
        keys::check::<WrittenTest>(test)?;
        check_parts(test, version)?;
    }
    Ok(())
}

fn split(written: Written, versions: &BTreeMap<String, Version>) -> Split {
    let Scalar(platform) = written.platform;
    let common =
        written.common.map(|common| facts(common.subsystems, common.phases, common.blind_spots, common.signals));
    let version = |name: &String| versions.get(name).copied().unwrap_or_default();
    let difference = |name: &String, test: WrittenTest| Difference {
        version: version(name),
        fingerprint: test.fingerprint.map(Fingerprint::from),
        never_quiet: test.quiet.is_some(),
        few_runs: test.runs.map(|Scalar(FewRuns(runs))| runs),
        without: test.without.unwrap_or_default().into_set(|UnusedFact(fact)| fact),
        facts: facts(test.subsystems, test.phases, test.blind_spots, test.signals),
        errors: test.errors.map(ErrorPaths::from),
    };
    let of_test = |(name, test): (String, Option<WrittenTest>)| {
        let nothing = || Difference { version: version(&name), ..Difference::default() };
        let difference = test.map_or_else(nothing, |test| difference(&name, test));
        (name, difference)
    };
    let tests = written.tests.unwrap_or_default().into_iter();
    Split {
        platform,
        fingerprint: written.fingerprint.map(Fingerprint::from).unwrap_or_default(),
        common: common.unwrap_or_default(),
        tests: tests.map(of_test).collect(),
    }
}

#[cfg(test)]
mod tests;
