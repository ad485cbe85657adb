//! Reads the facts of a baseline or of a part of one: subsystems with their entries, phases, blind
//! spots and signals. Main function: [`facts`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use super::malformed::Fault;
use super::outline::Node;
use super::words::{List, PhaseName, Scalar, Signal, Sometimes, SyscallName};
use super::{keys, uses};
use crate::model::attribution::{ObjectKind, Subsystem};
use crate::model::expectation::split::Facts;
use crate::model::expectation::terms::Entry;
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::Detail;
use crate::model::facts::signal_name::SignalName;
use crate::model::facts::version::Version;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;
use crate::model::text::escape;

pub(super) type Subsystems = BTreeMap<Scalar<Subsystem>, Option<Syscalls>>;

pub(super) type Phases = BTreeMap<Scalar<PhaseName>, Option<Phase>>;

type Phase = BTreeMap<Scalar<Subsystem>, Option<List<Scalar<SyscallName>>>>;

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

/// Checks the keys of an entry, and its uses, in this version.
pub(super) fn check_entry(entry: &Node, version: Version) -> Result<(), Fault> {
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
