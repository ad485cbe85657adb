//! Reads the file of a user's taxonomy: [`read`].
//!
//! ```yaml
//! taxonomy: 1
//! name: team
//! base: kernel                     # or workload-tracing
//! groups:
//!   Storage: [filesystem, block]   # a group and its subsystems
//! calls:
//!   Waiting: [wait4, waitid]       # a group of single calls
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::invalid::InvalidScalar;
use super::keys::{self, UnknownName};
use super::malformed::{Fault, Malformed};
use super::outline::{self, Node};
use super::rules::RuleSyscall;
use super::words::{List, ParseScalar, Scalar};
use super::{text, typed};
use crate::model::attribution::Subsystem;
use crate::model::taxonomy::{Base, Taxonomy};

/// The version of the file format.
const VERSION: &str = "1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{taxonomy: 1, name: team, groups: {Storage: [filesystem]}}`")]
struct Written {
    taxonomy: Scalar<FormatVersion>,
    name: Scalar<String>,
    base: Option<Scalar<Base>>,
    groups: Option<BTreeMap<Scalar<String>, List<Scalar<Subsystem>>>>,
    calls: Option<BTreeMap<Scalar<String>, List<Scalar<RuleSyscall>>>>,
}

/// `taxonomy: 1`
struct FormatVersion;

impl ParseScalar for FormatVersion {
    const EXPECTED: &'static str = "the version `1`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        if text == VERSION { Ok(Self) } else { Err(InvalidScalar::TaxonomyVersion(text.to_owned())) }
    }
}

impl ParseScalar for Base {
    const EXPECTED: &'static str = "a base: `kernel` or `workload-tracing`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        Self::from_name(text)
            .ok_or_else(|| UnknownName::new("base", text, Self::ALL.into_iter().map(Self::name)).into())
    }
}

/// Reads a taxonomy file.
///
/// # Errors
///
/// The first fault with its place.
pub fn read(bytes: &[u8]) -> Result<Taxonomy, Malformed> {
    let whole = text::text(bytes, text::MAX_BYTES)?;
    let content = text::without_mark(&whole);
    parse(content).map_err(|fault| fault.shown(content))
}

fn parse(text: &str) -> Result<Taxonomy, Fault> {
    let outlines = outline::outline(text)?;
    let [outline] = &outlines[..] else {
        return Err(Fault::new(
            super::malformed::TextPosition::START,
            "a taxonomy file holds one document: start it with `taxonomy: 1`",
        ));
    };
    keys::check::<Written>(&outline.root)?;
    for key in ["groups", "calls"] {
        outline.root.get(key).map_or(Ok(()), |(_, groups)| check_unique(groups))?;
    }
    let Written { taxonomy: Scalar(FormatVersion), name: Scalar(name), base, groups, calls } =
        typed::read(text, outline)?;
    let base = base.map_or(Base::default(), |Scalar(base)| base);
    let groups = by_item(groups, |subsystem: Subsystem| subsystem);
    Ok(Taxonomy::of_user(&name, base, groups, by_item(calls, |RuleSyscall(call)| call)))
}

/// Refuses an item that is listed in two groups.
fn check_unique(groups: &Node) -> Result<(), Fault> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (group, items) in groups.pairs() {
        for item in items.items() {
            let Some(name) = item.text() else { continue };
            if let Some(other) = seen.insert(name, &group.name) {
                return Err(Fault::new(
                    item.place,
                    format!("`{name}` is already listed under `{other}`: remove one of them"),
                ));
            }
        }
    }
    Ok(())
}

/// Returns the group of each item.
fn by_item<T, U: Ord>(
    groups: Option<BTreeMap<Scalar<String>, List<Scalar<T>>>>,
    item: impl Fn(T) -> U,
) -> BTreeMap<U, String> {
    let mut by_item = BTreeMap::new();
    for (Scalar(group), List(items)) in groups.unwrap_or_default() {
        by_item.extend(items.into_iter().map(|Scalar(of)| (item(of), group.clone())));
    }
    by_item
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::taxonomy::Filed;

    #[test]
    fn taxonomy_renames_and_regroups() {
        let text = "taxonomy: 1\nname: team\nbase: workload-tracing\ngroups:\n  Storage: [filesystem, block]\ncalls:\n  Waiting:\n    - wait4\n";
        let taxonomy = read(text.as_bytes()).expect("a good text");
        assert_eq!(taxonomy.name(), "team (a file over workload-tracing/1)");
        let filed = Filed { call: "wait4", reached: Subsystem::Process, entry_point: Subsystem::Process };
        assert_eq!(taxonomy.group(filed), "Waiting");
        assert_eq!(taxonomy.group(Filed { call: "read", ..filed }), "Storage");
    }

    #[test]
    fn fault_is_reported_with_its_place() {
        for (text, message) in [
            ("taxonomy: 2\nname: a\n", "1:11: invalid taxonomy version `2`: write `taxonomy: 1`"),
            ("taxonomy: 1\nname: a\nbase: kernal\n", "3:7: unknown base `kernal`: did you mean `kernel`?"),
            ("taxonomy: 1\nname: a\ngroup: {}\n", "3:1: unknown key `group`: did you mean `groups`?"),
            (
                "taxonomy: 1\nname: a\ngroups: {A: [netwrok]}\n",
                "3:14: unknown subsystem `netwrok`: did you mean `network`?",
            ),
            (
                "taxonomy: 1\nname: a\ncalls: {A: [opennat]}\n",
                "3:13: unknown syscall `opennat`: did you mean `openat`?",
            ),
            (
                "taxonomy: 1\nname: a\ngroups:\n  A: [bpf]\n  B: [bpf]\n",
                "5:7: `bpf` is already listed under `A`: remove one of them",
            ),
            ("taxonomy: 1\nname: a\n---\n", "1:1: a taxonomy file holds one document: start it with `taxonomy: 1`"),
        ] {
            let error = read(text.as_bytes()).expect_err(text).to_string();
            let line = error.lines().next().unwrap_or_default();
            // Between place and message, serde may add the path of the value.
            let (place, message) = message.split_once(' ').expect("place and message");
            assert!(line.starts_with(place) && line.ends_with(message), "{line}");
        }
    }
}
