//! Tests of decisions by neighbours, with kernels of a few functions.

use kernel_source::{Functions, Linkage, SourceFile, Version};

use super::super::index::{Index, encode};
use super::*;

const FILES: [(&str, &[&str]); 6] = [
    ("fs/a.c", &["a1", "a2", "a3", "a4", "shared", "twice"]),
    ("fs/b.c", &["b1", "b2", "b3", "b4", "shared", "other"]),
    ("fs/small.c", &["other"]),
    ("include/linux/h.h", &["inlined", "h1"]),
    ("include/linux/i.h", &["inlined"]),
    ("net/c.c", &["c1", "c2", "c3", "c4", "other", "twice"]),
];

/// Returns the path of the file of each function, in the order of their addresses.
fn decided(names: &[&str]) -> Vec<String> {
    let file = |(path, functions): (&str, &[&str])| SourceFile {
        path: path.to_owned(),
        subsystem: "x".to_owned(),
        section: None,
        included_by: Vec::new(),
        functions: functions.iter().map(|name| ((*name).to_owned(), Linkage::Static)).collect(),
    };
    let tree = Functions { version: Version::new(6, 18, 0), files: FILES.map(file).to_vec() };
    let index = Index::read(&encode(&[tree])).expect("an index");
    // A name with a `!` is global.
    let line = |(at, name): (usize, &&str)| match name.strip_suffix('!') {
        Some(name) => format!("ffffffff8100{at:04x} T {name}\n"),
        None => format!("ffffffff8100{at:04x} t {name}\n"),
    };
    let lines: Vec<String> = names.iter().enumerate().map(line).collect();
    let symbols = Symbols::parse(&lines.concat()).expect("addresses");
    let found = index.find(0, FILES.iter().flat_map(|(_, functions)| functions.iter().copied()));
    let shown = |(file, known_by): (Option<usize>, KnownBy)| match (file, known_by) {
        (Some(file), KnownBy::Name) => found.files[file].place.file.to_string(),
        (Some(file), _) => format!("{} (neighbours)", found.files[file].place.file),
        (None, _) => "?".to_owned(),
    };
    places(&symbols, &found).into_iter().map(shown).collect()
}

fn only(names: &[&str], at: usize) -> String {
    decided(names).swap_remove(at)
}

#[test]
fn function_takes_the_file_of_both_neighbours() {
    assert_eq!(only(&["a1", "shared", "a2"], 1), "fs/a.c (neighbours)");
    assert_eq!(only(&["a1", "unknown", "a2"], 1), "fs/a.c (neighbours)");
    assert_eq!(only(&["b1", "inlined", "shared", "b2"], 2), "fs/b.c (neighbours)");
}

#[test]
fn function_takes_the_neighbouring_file_that_defines_it() {
    assert_eq!(only(&["a1", "other", "b1"], 1), "?"); // fs/small.c has no name that shows it
    assert_eq!(only(&["a1", "twice", "b1", "c1", "c2"], 1), "fs/a.c (neighbours)");
    assert_eq!(only(&["a1", "shared", "b1"], 1), "?"); // both
    assert_eq!(only(&["a1", "unknown", "b1"], 1), "?");
}

#[test]
fn function_at_the_end_of_a_section_stays_undecided() {
    assert_eq!(only(&["shared", "a1"], 0), "?");
    assert_eq!(only(&["a1", "shared", "__sched_text_start", "a2"], 1), "?");
}

#[test]
fn contradicted_name_is_dropped() {
    assert_eq!(only(&["a1", "c1", "a2"], 1), "fs/a.c (neighbours)");
    assert_eq!(only(&["a1", "h1", "a2"], 1), "include/linux/h.h");
}

#[test]
fn part_has_the_file_of_the_whole() {
    let names = ["a1", "shared", "a2", "b1", "__sched_text_start", "shared.cold", "b2.cold"];
    let found = decided(&names);
    assert_eq!(found[found.len() - 2..], ["fs/a.c (neighbours)", "fs/b.c"]);
}

#[test]
fn module_contains_only_its_own_files() {
    // `shared` is in fs/a.c and fs/b.c, and another function shows that the module has fs/b.c.
    assert_eq!(only(&["shared\t[mod]", "b1\t[mod]"], 0), "fs/b.c (neighbours)");
    assert_eq!(only(&["unknown\t[mod]", "b1\t[mod]"], 0), "fs/b.c (neighbours)");
    assert_eq!(only(&["shared\t[mod]", "b1\t[mod]", "a1\t[mod]"], 0), "?");
    // No function shows a file: the module has the name of fs/small.c.
    assert_eq!(only(&["other\t[small]"], 0), "fs/small.c (neighbours)");
}
