//! Every further document, one platform's baseline: [`read`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Places;
use super::keys;
use super::malformed::Fault;
use super::outline::{Node, Outline};
use super::typed;
use super::words::{List, Never, PhaseWord, Said, Sometimes, SyscallName};
use crate::model::attribution::Subsystem;
use crate::model::expectation::split::Facts;
use crate::model::expectation::terms::{Baseline, Entry};
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;
use crate::model::run::platform::Platform;
use crate::model::text::escape;

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a baseline: a map of `platform`, `subsystems`, `phases` and `blind_spots`")]
struct Written {
    platform: Said<Platform>,
    fingerprint: Option<WrittenFingerprint>,
    quiet: Option<Said<Never>>,
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Said<String>>>,
}

pub(super) type Subsystems = BTreeMap<Said<Subsystem>, Option<Syscalls>>;

pub(super) type Phases = BTreeMap<Said<PhaseWord>, Option<Phase>>;

type Phase = BTreeMap<Said<Subsystem>, Option<List<Said<SyscallName>>>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{kernel: \"6.18\", libc: glibc 2.36}`")]
pub(super) struct WrittenFingerprint {
    kernel: Option<Said<String>>,
    libc: Option<Said<String>>,
    rustc: Option<Said<String>>,
    profile: Option<Said<String>>,
}

type Syscalls = BTreeMap<Said<SyscallName>, Option<WrittenEntry>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{objects: [file]}`, or nothing")]
pub(super) struct WrittenEntry {
    arguments: Option<List<Said<String>>>,
    objects: Option<List<Said<String>>>,
    errors: Option<List<Said<Errno>>>,
    abi: Option<List<Said<Abi>>>,
    seen: Option<Said<Sometimes>>,
    why: Option<String>,
    owner: Option<String>,
}

/// Reads a further document of a text, and where its parts stand.
pub(super) fn read(text: &str, outline: &Outline) -> Result<(Baseline, Places), Fault> {
    let root = &outline.root;
    let Some((platform, value)) = root.get("platform").filter(|(_, value)| !value.is_null()) else {
        keys::check::<Written>(root)?;
        return Err(Fault::new(root.place, "a baseline without `platform`: name it, or remove the document"));
    };
    check(root)?;
    let written: Written = typed::read(text, outline)?;
    let places = Places { document: value.place, platform: platform.place.line, subsystems: subsystem_lines(root) };
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

/// The lines of the keys below `subsystems`.
pub(super) fn subsystem_lines(root: &Node) -> BTreeMap<Subsystem, usize> {
    let subsystems = root.get("subsystems").map_or(&[][..], |(_, node)| node.pairs());
    subsystems.iter().filter_map(|(key, _)| Some((Subsystem::from_slug(&key.name)?, key.place.line))).collect()
}

fn baseline(written: Written) -> Baseline {
    let Said(platform) = written.platform;
    let Facts { subsystems, phases, blind_spots } = facts(written.subsystems, written.phases, written.blind_spots);
    let fingerprint = written.fingerprint.unwrap_or_default().into();
    Baseline { platform, fingerprint, restless: written.quiet.is_some(), subsystems, phases, blind_spots }
}

/// The facts of a baseline, or of a part of one.
pub(super) fn facts(
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Said<String>>>,
) -> Facts {
    let syscalls = |syscalls: Option<Syscalls>| {
        let named =
            |(Said(SyscallName(name)), entry): (_, Option<WrittenEntry>)| (name, entry.unwrap_or_default().into());
        syscalls.unwrap_or_default().into_iter().map(named).collect()
    };
    let subsystems = subsystems.unwrap_or_default().into_iter();
    let phases = phases.unwrap_or_default().into_iter();
    Facts {
        subsystems: subsystems.map(|(Said(subsystem), written)| (subsystem, syscalls(written))).collect(),
        phases: phases.map(|(Said(PhaseWord(name)), written)| (name, phase(written))).collect(),
        blind_spots: blind_spots.unwrap_or_default().into_set(read_name),
    }
}

fn phase(written: Option<Phase>) -> BTreeMap<Subsystem, BTreeSet<String>> {
    let named = |(Said(subsystem), syscalls): (_, Option<List<Said<SyscallName>>>)| {
        (subsystem, syscalls.unwrap_or_default().into_set(|SyscallName(name)| name))
    };
    written.unwrap_or_default().into_iter().map(named).collect()
}

impl From<WrittenFingerprint> for Fingerprint {
    fn from(written: WrittenFingerprint) -> Self {
        let text = |said: Option<Said<String>>| said.map(|Said(text)| text);
        Self {
            kernel: text(written.kernel),
            libc: text(written.libc),
            rustc: text(written.rustc),
            profile: text(written.profile),
        }
    }
}

/// A name as observations hold it; a double-quoted scalar may hold what they escape.
fn read_name(name: String) -> String {
    escape::read_name(&name).into_owned()
}

impl From<WrittenEntry> for Entry {
    fn from(written: WrittenEntry) -> Self {
        Self {
            arguments: written.arguments.unwrap_or_default().into_set(read_name),
            objects: written.objects.unwrap_or_default().into_set(read_name),
            errors: written.errors.unwrap_or_default().into_set(|errno| errno.name().into_owned()),
            abis: written.abi.unwrap_or_default().into_set(|abi| abi.name().to_owned()),
            sometimes: written.seen.is_some(),
            why: written.why,
            owner: written.owner,
        }
    }
}
