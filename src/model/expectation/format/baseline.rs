//! Reads the second and each later document, the baseline of one platform: [`read`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::BaselineLines;
use super::keys;
use super::malformed::Fault;
use super::outline::{Node, Outline};
use super::typed;
use super::words::{List, Never, PhaseName, Scalar, Signal, Sometimes, SyscallName};
use crate::model::attribution::{ObjectKind, Subsystem};
use crate::model::expectation::split::Facts;
use crate::model::expectation::terms::{Baseline, Entry};
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;
use crate::model::run::platform::Platform;
use crate::model::text::escape;

/// The document in the form that serde reads.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a baseline: a map of `platform`, `subsystems`, `phases`, `blind_spots` and `signals`"
)]
struct Written {
    platform: Scalar<Platform>,
    fingerprint: Option<WrittenFingerprint>,
    quiet: Option<Scalar<Never>>,
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
}

pub(super) type Subsystems = BTreeMap<Scalar<Subsystem>, Option<Syscalls>>;

pub(super) type Phases = BTreeMap<Scalar<PhaseName>, Option<Phase>>;

type Phase = BTreeMap<Scalar<Subsystem>, Option<List<Scalar<SyscallName>>>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{kernel: \"6.18\", libc: glibc 2.36}`")]
pub(super) struct WrittenFingerprint {
    kernel: Option<Scalar<String>>,
    libc: Option<Scalar<String>>,
    rustc: Option<Scalar<String>>,
    profile: Option<Scalar<String>>,
}

type Syscalls = BTreeMap<Scalar<SyscallName>, Option<WrittenEntry>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{objects: [file]}`, or nothing")]
pub(super) struct WrittenEntry {
    arguments: Option<List<Scalar<String>>>,
    objects: Option<List<Scalar<String>>>,
    errors: Option<List<Scalar<Errno>>>,
    abi: Option<List<Scalar<Abi>>>,
    seen: Option<Scalar<Sometimes>>,
    why: Option<String>,
    owner: Option<String>,
}

/// Reads the baseline in a document, and the lines of its parts.
pub(super) fn read(text: &str, outline: &Outline) -> Result<(Baseline, BaselineLines), Fault> {
    let root = &outline.root;
    let Some((platform, value)) = root.get("platform").filter(|(_, value)| !value.is_null()) else {
        keys::check::<Written>(root)?;
        return Err(Fault::new(root.place, "baseline without `platform`: add `platform`, or remove the document"));
    };
    check(root)?;
    let written: Written = typed::read(text, outline)?;
    let places =
        BaselineLines { document: value.place, platform: platform.place.line, subsystems: subsystem_lines(root) };
    Ok((baseline(written), places))
}

fn check(root: &Node) -> Result<(), Fault> {
    keys::check::<Written>(root)?;
    check_parts(root)
}

/// Checks the keys below `fingerprint` and `subsystems`.
pub(super) fn check_parts(node: &Node) -> Result<(), Fault> {
    if let Some((_, fingerprint)) = node.get("fingerprint") {
        keys::check::<WrittenFingerprint>(fingerprint)?;
    }
    for (_, syscalls) in node.get("subsystems").map_or(&[][..], |(_, node)| node.pairs()) {
        for (_, entry) in syscalls.pairs() {
            keys::check::<WrittenEntry>(entry)?;
        }
    }
    Ok(())
}

/// Returns the lines of the keys below `subsystems`.
pub(super) fn subsystem_lines(root: &Node) -> BTreeMap<Subsystem, usize> {
    let subsystems = root.get("subsystems").map_or(&[][..], |(_, node)| node.pairs());
    subsystems.iter().filter_map(|(key, _)| Some((Subsystem::from_slug(&key.name)?, key.place.line))).collect()
}

fn baseline(written: Written) -> Baseline {
    let Scalar(platform) = written.platform;
    let facts = facts(written.subsystems, written.phases, written.blind_spots, written.signals);
    let Facts { subsystems, phases, blind_spots, signals } = facts;
    let fingerprint = written.fingerprint.unwrap_or_default().into();
    Baseline { platform, fingerprint, never_quiet: written.quiet.is_some(), subsystems, phases, blind_spots, signals }
}

/// Returns the facts of a baseline, or of a part of one.
pub(super) fn facts(
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
) -> Facts {
    let syscalls = |syscalls: Option<Syscalls>| {
        let named =
            |(Scalar(SyscallName(name)), entry): (_, Option<WrittenEntry>)| (name, entry.unwrap_or_default().into());
        syscalls.unwrap_or_default().into_iter().map(named).collect()
    };
    let subsystems = subsystems.unwrap_or_default().into_iter();
    let phases = phases.unwrap_or_default().into_iter();
    Facts {
        subsystems: subsystems.map(|(Scalar(subsystem), written)| (subsystem, syscalls(written))).collect(),
        phases: phases.map(|(Scalar(PhaseName(name)), written)| (name, phase(written))).collect(),
        blind_spots: blind_spots.unwrap_or_default().into_set(|name| RecordedBlindSpot::named(read_name(name))),
        signals: signals.unwrap_or_default().into_set(|Signal(number)| SignalName(number)),
    }
}

fn phase(written: Option<Phase>) -> BTreeMap<Subsystem, BTreeSet<String>> {
    let named = |(Scalar(subsystem), syscalls): (_, Option<List<Scalar<SyscallName>>>)| {
        (subsystem, syscalls.unwrap_or_default().into_set(|SyscallName(name)| name))
    };
    written.unwrap_or_default().into_iter().map(named).collect()
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

/// Escapes a name as observations do; a double-quoted scalar may hold characters that they escape.
fn read_name(name: String) -> String {
    escape::read_name(&name).into_owned()
}

impl From<WrittenEntry> for Entry {
    fn from(written: WrittenEntry) -> Self {
        Self {
            arguments: written.arguments.unwrap_or_default().into_set(read_name),
            objects: written.objects.unwrap_or_default().into_set(|name| ObjectKind::new(read_name(name))),
            errors: written.errors.unwrap_or_default().into_set(ErrnoName),
            abis: written.abi.unwrap_or_default().into_set(|abi| abi),
            sometimes: written.seen.is_some(),
            why: written.why,
            owner: written.owner,
        }
    }
}
