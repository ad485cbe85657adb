//! The source files and folders of arguments: the MAINTAINERS section and the config option of
//! each. Main function: [`derive`].

use std::collections::{BTreeMap, BTreeSet};

use kernel_source::{Place, Places, Result, Tree};

use crate::ioctls::{Command, SPELLED};
use crate::vocabularies::Table;

/// Where uapi headers are.
const HEADERS: [&str; 5] =
    ["include/uapi", "arch/x86/include/uapi", "arch/arm64/include/uapi", "arch/riscv/include/uapi", "include"];

/// Returns the places of all arguments, from trees ordered from old to new: the newest tree with a
/// place decides. A command without a rule is placed by its header, if MAINTAINERS has a section
/// for that.
pub(crate) fn derive(trees: &[Tree], tables: &[Table], commands: &mut [Command]) -> Result<Vec<Place>> {
    let read = trees.iter().rev().map(|tree| Ok((tree, Places::read(tree)?))).collect::<Result<Vec<_>>>()?;
    let newest = |source: &str| read.iter().find(|(tree, _)| tree.has(source)).map(|(_, places)| places.place(source));
    check_names(trees, commands)?;
    let mut of_headers = BTreeMap::<String, Option<Place>>::new();
    // A generic command belongs to its object.
    for command in commands.iter_mut().filter(|command| command.source.is_empty() && command.subsystem.is_some()) {
        let place = of_headers.entry(command.header.clone()).or_insert_with(|| {
            let paths = HEADERS.iter().map(|root| format!("{root}/{}", command.header));
            paths.filter_map(|path| newest(&path)).next().filter(|place| place.section.is_some())
        });
        command.source = place.as_ref().map_or_else(String::new, |place| place.source.clone());
    }
    let values = tables.iter().flat_map(|(_, values)| values).map(|value| value.source);
    let sources: BTreeSet<&str> = commands.iter().map(|command| command.source.as_str()).chain(values).collect();
    let (found, without): (Vec<_>, Vec<_>) = sources
        .into_iter()
        .filter(|source| !source.is_empty())
        .map(|source| newest(source).ok_or(source))
        .partition(|place| place.is_ok());
    let without: Vec<&str> = without.into_iter().filter_map(|place| place.err()).collect();
    if !without.is_empty() {
        return Err(format!("find {}: no tree has it: adapt ioctls/ or reaches.rs", without.join(", ")));
    }
    Ok(found.into_iter().filter_map(|place| place.ok()).collect())
}

/// Fails if a source that should answer commands names none of them.
fn check_names(trees: &[Tree], commands: &[Command]) -> Result<()> {
    let mut names = BTreeMap::<&str, BTreeSet<&str>>::new();
    for command in commands.iter().filter(|command| !command.source.is_empty()) {
        names.entry(&command.source).or_default().insert(&command.name);
    }
    for (source, name) in SPELLED {
        names.entry(source).or_default().insert(name);
    }
    let mut without = Vec::new();
    for (source, names) in names {
        let mut answers = false;
        for tree in trees.iter().rev().filter(|tree| tree.has(source)) {
            let files = match tree.is_directory(source) {
                true => tree.files(source, |name| name.ends_with(".c") || name.ends_with(".h"))?,
                false => vec![source.to_owned()],
            };
            let mut texts = files.iter().filter_map(|file| tree.read_if_present(file));
            answers = answers || texts.any(|text| has_word(&text, &names));
        }
        if !answers {
            without.push(source);
        }
    }
    if without.is_empty() {
        return Ok(());
    }
    Err(format!("find a command of {} there: none: adapt ioctls/", without.join(", ")))
}

/// Returns true if the text has one of the names as a word.
fn has_word(text: &str, names: &BTreeSet<&str>) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.any(|word| names.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_found_as_a_whole_word_only() {
        assert!(has_word("\tcase SG_IO:\n", &BTreeSet::from(["SG_GET_PACK_ID", "SG_IO"])));
        assert!(!has_word("SG_IO_V4 MSG_IO", &BTreeSet::from(["SG_IO"])));
    }
}
