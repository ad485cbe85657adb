//! A user's taxonomy, in a file of its own: [`read`].
//!
//! ```yaml
//! taxonomy: 1
//! name: team
//! base: kernel                     # or workload-tracing
//! groups:
//!   Storage: [filesystem, block]   # a word and the subsystems that it stands for
//! calls:
//!   Waiting: [wait4, waitid]       # a word for single calls
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::keys::{self, unknown};
use super::malformed::{Fault, Malformed};
use super::outline::{self, Node};
use super::words::{List, RuleCall, Said, Word};
use super::{text, typed};
use crate::model::attribution::Subsystem;
use crate::model::taxonomy::{Base, Taxonomy};

/// The version of the file's form.
const VERSION: &str = "1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{taxonomy: 1, name: team, groups: {Storage: [filesystem]}}`")]
struct Written {
    taxonomy: Said<Form>,
    name: Said<String>,
    base: Option<Said<Base>>,
    groups: Option<BTreeMap<Said<String>, List<Said<Subsystem>>>>,
    calls: Option<BTreeMap<Said<String>, List<Said<RuleCall>>>>,
}

/// `taxonomy: 1`
struct Form;

impl Word for Form {
    const WHAT: &'static str = "the version `1`";

    fn read(text: &str) -> Result<Self, String> {
        if text == VERSION {
            Ok(Self)
        } else {
            Err(format!("`{text}` is no version of a taxonomy: write `taxonomy: 1`"))
        }
    }
}

impl Word for Base {
    const WHAT: &'static str = "a base: `kernel` or `workload-tracing`";

    fn read(text: &str) -> Result<Self, String> {
        Self::from_name(text).ok_or_else(|| unknown("base", text, Self::ALL.into_iter().map(Self::name)))
    }
}

/// Reads the file of a taxonomy.
pub fn read(bytes: &[u8]) -> Result<Taxonomy, Malformed> {
    let whole = text::text(bytes, text::MAX_BYTES)?;
    let content = text::without_mark(&whole);
    parse(content).map_err(|fault| fault.shown(content))
}

fn parse(text: &str) -> Result<Taxonomy, Fault> {
    let outlines = outline::outline(text)?;
    let [outline] = &outlines[..] else {
        return Err(Fault::new(super::malformed::Place::START, "a taxonomy is one document: begin with `taxonomy: 1`"));
    };
    keys::check::<Written>(&outline.root)?;
    for key in ["groups", "calls"] {
        outline.root.get(key).map_or(Ok(()), |(_, words)| once_each(words))?;
    }
    let Written { taxonomy: Said(Form), name: Said(name), base, groups, calls } = typed::read(text, outline)?;
    let base = base.map_or(Base::default(), |Said(base)| base);
    let groups = by_item(groups, |subsystem: Subsystem| subsystem);
    Ok(Taxonomy::of_user(&name, base, groups, by_item(calls, |RuleCall(call)| call)))
}

/// Nothing can stand under two words.
fn once_each(words: &Node) -> Result<(), Fault> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (word, items) in words.pairs() {
        for item in items.items() {
            let Some(name) = item.text() else { continue };
            if let Some(other) = seen.insert(name, &word.name) {
                return Err(Fault::new(item.place, format!("`{name}` stands under `{other}` already: remove one")));
            }
        }
    }
    Ok(())
}

/// Item → word.
fn by_item<T, U: Ord>(
    words: Option<BTreeMap<Said<String>, List<Said<T>>>>,
    item: impl Fn(T) -> U,
) -> BTreeMap<U, String> {
    let mut by_item = BTreeMap::new();
    for (Said(word), List(items)) in words.unwrap_or_default() {
        by_item.extend(items.into_iter().map(|Said(of)| (item(of), word.clone())));
    }
    by_item
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::taxonomy::Filed;

    #[test]
    fn a_taxonomy_renames_and_regroups() {
        let text = "taxonomy: 1\nname: team\nbase: workload-tracing\ngroups:\n  Storage: [filesystem, block]\ncalls:\n  Waiting:\n    - wait4\n";
        let taxonomy = read(text.as_bytes()).expect("a good text");
        assert_eq!(taxonomy.name(), "team (a file over workload-tracing/1)");
        let filed = Filed { call: "wait4", reached: Subsystem::Process, entry_point: Subsystem::Process };
        assert_eq!(taxonomy.group(filed), "Waiting");
        assert_eq!(taxonomy.group(Filed { call: "read", ..filed }), "Storage");
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, message) in [
            ("taxonomy: 2\nname: a\n", "1:11: `2` is no version of a taxonomy: write `taxonomy: 1`"),
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
                "5:7: `bpf` stands under `A` already: remove one",
            ),
            ("taxonomy: 1\nname: a\n---\n", "1:1: a taxonomy is one document: begin with `taxonomy: 1`"),
        ] {
            let error = read(text.as_bytes()).expect_err(text).to_string();
            let told = error.lines().next().unwrap_or_default();
            // Between place and message serde may say in which value.
            let (place, message) = message.split_once(' ').expect("place and message");
            assert!(told.starts_with(place) && told.ends_with(message), "{told}");
        }
    }
}
