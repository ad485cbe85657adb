//! Reads the second and each later document, the baseline of one platform: [`read`].

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::BaselineLines;
use super::entries::{Phases, Subsystems, check_entry, facts};
use super::errors::{self, WrittenErrors};
use super::malformed::Fault;
use super::outline::{Node, Outline};
use super::words::{FewRuns, List, Never, Scalar, Signal};
use super::{document, keys, typed};
use crate::model::attribution::Subsystem;
use crate::model::expectation::split::Facts;
use crate::model::expectation::terms::{Baseline, ErrorPaths};
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::version::Version;
use crate::model::run::platform::Platform;

/// The document in the form that serde reads.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a baseline: a map of `platform`, `subsystems`, `phases`, `blind_spots`, `signals` and `errors`"
)]
struct Written {
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
    platform: Scalar<Platform>,
    fingerprint: Option<WrittenFingerprint>,
    quiet: Option<Scalar<Never>>,
    runs: Option<Scalar<FewRuns>>,
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
    errors: Option<WrittenErrors>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{kernel: \"6.18\", libc: glibc 2.36}`")]
pub(super) struct WrittenFingerprint {
    kernel: Option<Scalar<String>>,
    libc: Option<Scalar<String>>,
    rustc: Option<Scalar<String>>,
    profile: Option<Scalar<String>>,
}

/// Reads the baseline in a document of a file of this version, and the lines of its parts.
pub(super) fn read(text: &str, outline: &Outline, file: Version) -> Result<(Baseline, BaselineLines), Fault> {
    let root = &outline.root;
    let Some((platform, value)) = root.get("platform").filter(|(_, value)| !value.is_null()) else {
        keys::check::<Written>(root)?;
        return Err(Fault::new(root.place, "baseline without `platform`: add `platform`, or remove the document"));
    };
    let version = version(root, file)?;
    keys::check::<Written>(root)?;
    check_parts(root, version)?;
    let written: Written = typed::read(text, outline)?;
    let places =
        BaselineLines { document: value.place, platform: platform.place.line, subsystems: subsystem_lines(root) };
    Ok((baseline(written, version), places))
}

/// Returns the version of a part of a file: the one that it names, else `around`, the version of
/// what it is part of.
pub(super) fn version(node: &Node, around: Version) -> Result<Version, Fault> {
    let Some(own) = document::version(node)? else { return Ok(around) };
    if own <= around {
        return Ok(own);
    }
    let place = node.get("version").map_or(node.place, |(_, value)| value.place);
    let message = format!("version {own} in a file of version {around}: write `version: {own}` in the first document");
    Err(Fault::new(place, message))
}

/// Checks the keys below `fingerprint`, `subsystems` and `errors` of a part in this version.
pub(super) fn check_parts(node: &Node, version: Version) -> Result<(), Fault> {
    if let Some((_, fingerprint)) = node.get("fingerprint") {
        keys::check::<WrittenFingerprint>(fingerprint)?;
    }
    if let Some((_, errors)) = node.get("errors") {
        errors::check(errors)?;
    }
    let uses = node.get("errors").and_then(|(_, errors)| errors.get("uses"));
    for (_, subsystems) in node.get("subsystems").into_iter().chain(uses) {
        let entries = subsystems.pairs().iter().flat_map(|(_, syscalls)| syscalls.pairs());
        entries.into_iter().try_for_each(|(_, entry)| check_entry(entry, version))?;
    }
    Ok(())
}

/// Returns the lines of the keys below `subsystems`.
pub(super) fn subsystem_lines(root: &Node) -> BTreeMap<Subsystem, usize> {
    let subsystems = root.get("subsystems").map_or(&[][..], |(_, node)| node.pairs());
    subsystems.iter().filter_map(|(key, _)| Some((Subsystem::from_slug(&key.name)?, key.place.line))).collect()
}

fn baseline(written: Written, version: Version) -> Baseline {
    let Scalar(platform) = written.platform;
    let facts = facts(written.subsystems, written.phases, written.blind_spots, written.signals);
    let Facts { subsystems, phases, blind_spots, signals } = facts;
    let fingerprint = written.fingerprint.unwrap_or_default().into();
    let never_quiet = written.quiet.is_some();
    let few_runs = written.runs.map(|Scalar(FewRuns(runs))| runs);
    let errors = written.errors.map(ErrorPaths::from);
    Baseline { platform, version, fingerprint, never_quiet, few_runs, subsystems, phases, blind_spots, signals, errors }
}

impl From<WrittenFingerprint> for Fingerprint {
    fn from(written: WrittenFingerprint) -> Self {
        let text = |scalar: Option<Scalar<String>>| scalar.map(|Scalar(text)| text);
        Self {
            kernel: text(written.kernel),
            libc: text(written.libc),
            rustc: text(written.rustc),
            profile: text(written.profile),
        }
    }
}
