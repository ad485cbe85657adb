//! The laws of `src/ARCHITECTURE.md` that a reader of the source can check.
//!
//! Unsafe code, prints and long functions are held by the lints in Cargo.toml; what is here holds what no lint can say.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms that it may import, in the order of the flow. A room missing here is a failure of its own.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("guide", &[]),
    ("error", &["model", "store", "artifacts"]),
    ("linux", &["model"]),
    ("store", &["model", "error"]),
    ("report", &["model", "error"]),
    ("artifacts", &["model", "error"]),
    ("settings", &["model", "error", "artifacts"]),
    ("runner", &["model", "error", "linux", "store", "artifacts", "settings"]),
    ("harness", &["model", "error", "linux", "report", "artifacts", "settings", "runner"]),
];

/// What the pure core must not name.
const SYSTEM: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "std::net",
    "std::os",
    "std::thread",
    "Instant",
    "SystemTime",
    "libc::",
    "nix::",
    "cfg(target_",
];

/// A file that one person can hold in mind. Generated tables are exempt: nobody reads them top-down.
const LINES: usize = 400;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of this repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path.strip_prefix(root).expect("below the root").to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no source");
    found.sort();
    found
}

/// The code of a file: no comments, and no items that only tests have.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    std::iter::from_fn(move || {
        let mut line = lines.next()?;
        while line.trim_start().starts_with("#[cfg(test)]") {
            skip_item(&mut lines);
            line = lines.next()?;
        }
        Some(line)
    })
}

/// Skips an item, attributes included: up to its semicolon, or to the brace that closes it. The
/// sources are formatted, so that brace is as far in as the item begins.
fn skip_item<'a>(lines: &mut impl Iterator<Item = &'a str>) {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let Some(first) = lines.find(|line| !line.trim_start().starts_with("#[")) else { return };
    if first.ends_with(';') || first.ends_with('}') || first.ends_with(',') {
        return;
    }
    lines.find(|line| indentation(line) == indentation(first) && (line.trim_start().starts_with(['}', ')', ']'])));
}

#[test]
fn only_items_of_tests_are_no_code() {
    let text = "use a;\n#[cfg(test)]\nuse b;\n// c\nfn d() {}\n#[cfg(test)]\n#[path = \"e.rs\"]\nmod e {\n    fn f() {\n    }\n}\nfn g() {\n}\n";
    assert_eq!(code(text).collect::<Vec<_>>(), ["use a;", "fn d() {}", "fn g() {", "}"]);
}

/// The room a path below `src/` belongs to.
fn room(path: &Path) -> String {
    let part = path.components().nth(1).expect("a part below src").as_os_str().to_string_lossy().into_owned();
    part.trim_end_matches(".rs").to_owned()
}

fn is_generated(text: &str) -> bool {
    text.lines().take(5).any(|line| line.to_lowercase().contains("generated"))
}

fn is_test_code(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| ["tests", "corpus", "properties", "kept"].iter().any(|name| stem == *name))
}

#[test]
fn arrows_go_down_the_tree_only() {
    for (path, text) in sources("src") {
        let room = room(&path);
        if room == "lib" || is_test_code(&path) {
            continue;
        }
        let (_, allowed) =
            ARROWS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room} has no arrows"));
        for line in code(&text) {
            for (_, rest) in line.match_indices("crate::").map(|(at, found)| (at, &line[at + found.len()..])) {
                let target: String =
                    rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                let fine = target == room || allowed.contains(&target.as_str()) || target == "Error";
                assert!(fine || target.is_empty(), "{}: {room} must not import {target}: {line}", path.display());
            }
        }
    }
}

#[test]
fn the_model_knows_no_system() {
    for (path, text) in sources("src/model") {
        for line in code(&text) {
            let found = SYSTEM.iter().find(|word| line.contains(**word));
            assert_eq!(found, None, "{}: {line}", path.display());
        }
    }
}

#[test]
fn unsafe_code_lives_in_two_rooms() {
    let rooms = [Path::new("src/linux/sys.rs"), Path::new("src/linux/launch.rs")];
    for (path, text) in sources("src").into_iter().chain(sources("cargo-sysguard/src")) {
        let lifts = text.contains("expect(unsafe_code") || text.contains("allow(unsafe_code");
        assert_eq!(lifts, rooms.contains(&path.as_path()), "{}", path.display());
    }
}

#[test]
fn files_can_be_held_in_mind_and_say_their_duty() {
    for (path, text) in ["src", "cargo-sysguard", "examples", "tests"].iter().flat_map(|folder| sources(folder)) {
        let shown = path.display();
        let stem = path.file_stem().expect("a name").to_string_lossy();
        assert!(text.starts_with("//!"), "{shown} does not say what it is for");
        assert!(!["util", "utils", "helper", "helpers", "common", "misc"].contains(&&*stem), "{shown} names no duty");
        let lines = text.lines().count();
        assert!(is_generated(&text) || lines <= LINES, "{shown} has {lines} lines, {LINES} are a lot");
    }
}

#[test]
fn the_page_names_every_room() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ARCHITECTURE.md")).expect("the page");
    for (room, _) in ARROWS {
        assert!(page.contains(&format!("**{room}**")), "ARCHITECTURE.md does not tell of {room}");
    }
}
