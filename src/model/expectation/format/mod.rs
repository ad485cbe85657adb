//! Converts between text and terms; the only module that knows YAML. [`read`] makes a [`Parsed`],
//! [`write()`] makes the text again.
//!
//! It must not touch files. `saphyr-parser` gives the structure of a text and the place of every
//! node, `serde_yaml` reads each document as its type, and `emit` writes. Unchanged documents are
//! kept byte for byte.

mod baseline;
mod document;
mod emit;
mod entries;
mod errors;
mod explore;
mod invalid;
mod keys;
mod malformed;
mod outline;
mod remarks;
mod rules;
mod scalar;
mod shared;
#[cfg(feature = "unstable")]
pub mod taxonomy;
mod text;
mod typed;
mod upgrade;
mod uses;
mod words;

#[cfg(test)]
pub(crate) mod corpus;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod properties;

use std::collections::BTreeMap;

pub use self::malformed::Malformed;
pub use self::remarks::with_remarks;
pub use self::shared::Shared;
pub use self::text::{MAX_BYTES, MAX_SHARED_BYTES};

pub(crate) use self::invalid::InvalidScalar;
use self::malformed::{Fault, TextPosition};
use super::remarks::Remarks;
use super::terms::{Baseline, Expectation, Rule};
use crate::model::attribution::Subsystem;
use crate::model::facts::version::Version;
use crate::model::run::platform::Platform;

/// Checks the names and globs of a rule that was not read from a file.
///
/// # Errors
///
/// The unknown name of a syscall or an error, with the nearest known one.
pub(crate) fn check_rule(rule: &Rule) -> Result<(), InvalidScalar> {
    rules::check_rule(rule)
}

/// Checks the name of an environment variable that was not read from a file.
///
/// # Errors
///
/// The name is empty or holds `=`.
pub(crate) fn check_variable(name: &str) -> Result<(), InvalidScalar> {
    document::check_variable(name)
}

/// An expectation together with the text that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The content of the text.
    pub expectation: Expectation,
    /// The remarks of a proposal for its reviewer.
    pub remarks: Remarks,
    /// The version that the first document names.
    version: Version,
    /// The first document unchanged, with a final newline.
    document: String,
    /// The source of each baseline, in the same order.
    sources: Vec<Source>,
}

/// The text that a baseline was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    /// Its document unchanged, including `---`.
    text: String,
    places: BaselineLines,
}

/// The lines that reports refer to, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BaselineLines {
    /// The value of `platform:`.
    document: TextPosition,
    platform: usize,
    subsystems: BTreeMap<Subsystem, usize>,
}

impl Parsed {
    /// Returns the text as it was read, with a final newline.
    pub fn text(&self) -> String {
        write(self, &self.expectation.baselines)
    }

    /// Returns the text with this baseline instead of the old one of its platform. Everything else
    /// is kept byte for byte.
    pub fn with(&self, baseline: Baseline) -> String {
        let mut baselines = self.expectation.baselines.clone();
        match baselines.iter_mut().find(|old| old.platform == baseline.platform) {
            Some(old) => *old = baseline,
            None => {
                // Ordered by platform, so that the text does not depend on the order of recordings.
                let place = baselines.iter().position(|old| old.platform > baseline.platform);
                baselines.insert(place.unwrap_or(baselines.len()), baseline);
            }
        }
        write(self, &baselines)
    }

    /// Returns the line of a subsystem in the baseline of a platform, or the line of the platform.
    /// Lines are counted from 1.
    pub fn line(&self, platform: &Platform, subsystem: Option<Subsystem>) -> Option<usize> {
        let places = &self.source(platform)?.places;
        Some(subsystem.and_then(|subsystem| places.subsystems.get(&subsystem).copied()).unwrap_or(places.platform))
    }

    fn source(&self, platform: &Platform) -> Option<&Source> {
        let index = self.expectation.baselines.iter().position(|baseline| baseline.platform == *platform)?;
        self.sources.get(index)
    }
}

impl Parsed {
    /// Returns the expectation of a test that has no file yet.
    ///
    /// # Errors
    ///
    /// If the name is empty or a file cannot hold it.
    pub fn of_test(name: &str) -> Result<Self, Malformed> {
        read(emit::first_document("A test, as `cargo sysguard run` found it.", "run", name).as_bytes())
    }

    /// Returns the expectation of a closure that has no file yet.
    ///
    /// # Errors
    ///
    /// If the name is empty or a file cannot hold it.
    pub fn of_closure(name: &str) -> Result<Self, Malformed> {
        read(emit::first_document("A closure of the test `sysguard`.", "closure", name).as_bytes())
    }

    /// Returns the same without baselines.
    pub fn without_baselines(mut self) -> Self {
        self.expectation.baselines.clear();
        self.sources.clear();
        self
    }
}

/// Reads an expectation file.
///
/// # Errors
///
/// The first fault with its place.
pub fn read(bytes: &[u8]) -> Result<Parsed, Malformed> {
    let whole = text::text(bytes, MAX_BYTES)?;
    let content = text::without_mark(&whole);
    let mut parsed = parse(content).map_err(|fault| fault.shown(content))?;
    let mark = &whole[..whole.len() - content.len()];
    parsed.document.insert_str(0, mark);
    Ok(parsed)
}

fn parse(text: &str) -> Result<Parsed, Fault> {
    let outlines = outline::outline(text)?;
    let [first, further @ ..] = &outlines[..] else {
        return Err(Fault::new(TextPosition::START, "no document"));
    };
    let (version, document) = document::read(text, first)?;
    let mut baselines: Vec<Baseline> = Vec::new();
    let mut sources = Vec::new();
    for outline in further {
        let (baseline, places) = baseline::read(text, outline, version)?;
        if baselines.iter().any(|earlier| earlier.platform == baseline.platform) {
            let message = format!("second baseline of {}: keep one, then bless again", baseline.platform);
            return Err(Fault::new(places.document, message));
        }
        baselines.push(baseline);
        sources.push(Source { text: typed::slice(text, &outline.lines).to_owned(), places });
    }
    let document_text = typed::slice(text, &first.lines).to_owned();
    let expectation = Expectation { document, baselines };
    Ok(Parsed { expectation, remarks: remarks::read(text), version, document: document_text, sources })
}

/// Returns the text with exactly these baselines. The first document and each unchanged baseline
/// are kept byte for byte, except that a baseline of a later version upgrades the file.
pub fn write(parsed: &Parsed, baselines: &[Baseline]) -> String {
    let latest = baselines.iter().map(|baseline| baseline.version).max();
    let version = latest.map_or(parsed.version, |latest| latest.max(parsed.version));
    let is_upgraded = version > parsed.version;
    let mut text = if is_upgraded { upgrade::document(&parsed.document, version) } else { parsed.document.clone() };
    for baseline in baselines {
        let unchanged = parsed.expectation.baseline(&baseline.platform) == Some(baseline);
        match parsed.source(&baseline.platform).filter(|_| unchanged) {
            Some(source) if is_upgraded => text.push_str(&upgrade::kept(&source.text, baseline.version)),
            Some(source) => text.push_str(&source.text),
            None => text.push_str(&emit::baseline(baseline, version)),
        }
    }
    text
}
