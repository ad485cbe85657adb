//! Reads the second and each later document, the baseline of one platform: [`read`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};

use super::BaselineLines;
use super::errors::{self, WrittenErrors};
use super::malformed::Fault;
use super::outline::{Node, Outline};
use super::words::{List, Never, PhaseName, Scalar, Signal, Sometimes, SyscallName};
use super::{document, keys, typed, uses};
use crate::model::attribution::{ObjectKind, Subsystem};
use crate::model::expectation::split::Facts;
use crate::model::expectation::terms::{Baseline, Entry, ErrorPaths};
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::Detail;
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::signal_name::SignalName;
use crate::model::facts::version::Version;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;
use crate::model::run::platform::Platform;
use crate::model::text::escape;

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
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
    errors: Option<WrittenErrors>,
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

type Syscalls = BTreeMap<Scalar<SyscallName>, Option<ListedOrWritten>>;

/// An entry as a list of its uses, or as a map.
pub(super) struct ListedOrWritten(WrittenEntry);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a list of uses, a map such as `{uses: [file]}`, or nothing")]
pub(super) struct WrittenEntry {
    uses: Option<List<LineOrWritten>>,
    arguments: Option<List<Scalar<String>>>,
    objects: Option<List<Scalar<String>>>,
    errors: Option<List<Scalar<Errno>>>,
    abi: Option<List<Scalar<Abi>>>,
    seen: Option<Scalar<Sometimes>>,
    why: Option<String>,
    owner: Option<String>,
}

/// A use as one line, or as a map of its parts; and why it is needed.
struct LineOrWritten(Detail, Option<String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{argument: NAME, object: file}`")]
struct WrittenUse {
    argument: Option<Scalar<String>>,
    object: Option<Scalar<String>>,
    why: Option<String>,
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

fn check_entry(entry: &Node, version: Version) -> Result<(), Fault> {
    keys::check::<WrittenEntry>(entry)?;
    let uses = entry.get("uses").map(|(key, uses)| (key.place, uses.items()));
    let listed = (!entry.items().is_empty()).then(|| (entry.place, entry.items()));
    let older = ["arguments", "objects"].into_iter().find_map(|name| entry.get(name));
    match (version, older, uses.or(listed)) {
        (Version::One, _, Some((place, _))) => {
            Err(Fault::new(place, "version 1 has no uses: write `arguments` and `objects`, or bless the baseline"))
        }
        (Version::Two, Some((key, _)), _) => {
            let message = format!("`{}` belongs to version 1: list uses such as `- ARGUMENT OBJECT`", key.name);
            Err(Fault::new(key.place, message))
        }
        (_, _, uses) => uses.map_or(&[][..], |(_, items)| items).iter().try_for_each(check_use),
    }
}

fn check_use(used: &Node) -> Result<(), Fault> {
    keys::check::<WrittenUse>(used)?;
    let is_empty = used.text().is_none()
        && used.items().is_empty()
        && used.pairs().iter().all(|(key, it)| key.name == "why" || it.is_null());
    match used.text() {
        Some(line) if uses::read(line).is_none() => {
            let message = format!("invalid use `{line}`: write `ARGUMENT OBJECT`, one of them, or a map of them");
            Err(Fault::new(used.place, message))
        }
        None if is_empty => Err(Fault::new(used.place, "empty use: add an `argument`, an `object` or both")),
        _ => Ok(()),
    }
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
    let errors = written.errors.map(ErrorPaths::from);
    Baseline { platform, version, fingerprint, never_quiet, subsystems, phases, blind_spots, signals, errors }
}

/// Returns the facts of a baseline, or of a part of one.
pub(super) fn facts(
    subsystems: Option<Subsystems>,
    phases: Option<Phases>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
) -> Facts {
    let syscalls = |syscalls: Option<Syscalls>| {
        let named = |(Scalar(SyscallName(name)), entry): (_, Option<ListedOrWritten>)| {
            (name, entry.map(entry_of).unwrap_or_default())
        };
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

fn entry_of(ListedOrWritten(written): ListedOrWritten) -> Entry {
    let mut entry = Entry {
        arguments: written.arguments.unwrap_or_default().into_set(read_name),
        objects: written.objects.unwrap_or_default().into_set(|name| ObjectKind::new(read_name(name))),
        errors: written.errors.unwrap_or_default().into_set(ErrnoName),
        abis: written.abi.unwrap_or_default().into_set(|abi| abi),
        sometimes: written.seen.is_some(),
        why: written.why,
        owner: written.owner,
        ..Entry::default()
    };
    for LineOrWritten(used, why) in written.uses.unwrap_or_default().0 {
        entry.insert(&used);
        entry.reasons.extend(why.map(|why| (used, why)));
    }
    entry
}

impl<'de> Deserialize<'de> for ListedOrWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = ListedOrWritten;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of uses, a map such as `{uses: [file]}`, or nothing")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<ListedOrWritten, A::Error> {
                let uses = List::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(ListedOrWritten(WrittenEntry { uses: Some(uses), ..WrittenEntry::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ListedOrWritten, A::Error> {
                WrittenEntry::deserialize(MapAccessDeserializer::new(map)).map(ListedOrWritten)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for LineOrWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = LineOrWritten;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a use such as `F_GETFD file`, or a map such as `{argument: F_GETFD, object: file}`")
            }

            fn visit_str<E: Error>(self, line: &str) -> Result<LineOrWritten, E> {
                // A blank separates the parts. Blanks in names are escaped.
                let used = uses::read(&read_name(line.to_owned()));
                used.map(|used| LineOrWritten(used, None)).ok_or_else(|| E::invalid_value(Unexpected::Str(line), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LineOrWritten, A::Error> {
                let WrittenUse { argument, object, why } = WrittenUse::deserialize(MapAccessDeserializer::new(map))?;
                let name = |part: Option<Scalar<String>>| part.map(|Scalar(name)| read_name(name));
                let used = Detail::of_use(name(argument), name(object).map(ObjectKind::new));
                used.map(|used| LineOrWritten(used, why)).ok_or_else(|| A::Error::custom("empty use"))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
