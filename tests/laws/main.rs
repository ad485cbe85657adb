//! The laws of `src/ARCHITECTURE.md` that a test can check.
//!
//! Lints in Cargo.toml hold unsafe code, prints and long functions. This test holds what no lint
//! can.

mod constants;
mod modules;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use modules::Crate;

/// Each top-level module and those that it may use, in the order in which data flows.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("guide", &[]),
    ("linux", &["model"]),
    ("error", &["model", "linux", "store", "artifacts"]),
    ("store", &["model", "error"]),
    ("report", &["model", "error"]),
    ("artifacts", &["model", "error"]),
    ("settings", &["model", "error", "artifacts"]),
    ("runner", &["model", "error", "linux", "store", "artifacts", "settings"]),
    ("tracer", &["model", "error", "linux", "runner"]),
    ("harness", &["model", "error", "linux", "report", "artifacts", "settings", "runner"]),
    ("unstable", &["model", "linux", "store", "report", "artifacts", "settings", "runner", "harness"]),
];

/// Paths that the pure model must not use.
const SYSTEM: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "process"],
    &["std", "env"],
    &["std", "net"],
    &["std", "os"],
    &["std", "thread"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["libc"],
    &["nix"],
];

/// The most lines of a file; generated tables are exempt.
const LINES: usize = 400;

/// Returns the files of a folder with this extension, and their text.
fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of this repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|its| its == extension) {
                let text = fs::read_to_string(&path).expect("a text file");
                found.push((path.strip_prefix(root).expect("below the root").to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no .{extension} file");
    found.sort();
    found
}

fn read(root: &str) -> Crate {
    Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(root))
}

fn is_generated(text: &str) -> bool {
    text.lines().take(5).any(|line| line.to_lowercase().contains("generated"))
}

/// Uses that the arrows do not allow.
fn wrong_arrows(read: &Crate) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in read.modules.keys() {
        let Some(from) = path.first() else { continue };
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == from) else {
            wrong.push(format!("{from} has no arrows"));
            continue;
        };
        for target in read.used_by(path).0 {
            let Some(to) = target.first().filter(|to| *to != from) else { continue };
            if !allowed.contains(&to.as_str()) {
                wrong.push(format!("{} must not use {}", path.join("::"), target.join("::")));
            }
        }
    }
    wrong
}

/// Uses of the operating system in the model.
fn system_uses(read: &Crate) -> Vec<String> {
    let below_model = read.modules.keys().filter(|path| path.first().is_some_and(|first| first == "model"));
    let uses = below_model.flat_map(|path| {
        let (_, foreign) = read.used_by(path);
        let is_system = |words: &Vec<String>| {
            words.len() > 1 && SYSTEM.iter().any(|system| words.iter().take(system.len()).eq(*system))
        };
        let found: Vec<String> = foreign.into_iter().filter(is_system).map(|words| words.join("::")).collect();
        found.into_iter().map(move |found| format!("{} uses {found}", path.join("::")))
    });
    uses.collect()
}

#[test]
fn modules_use_only_what_is_before_them() {
    assert_eq!(wrong_arrows(&read("src/lib.rs")), [""; 0]);
}

#[test]
fn the_model_uses_no_system() {
    assert_eq!(system_uses(&read("src/lib.rs")), [""; 0]);
}

#[test]
fn siblings_use_each_other_in_no_cycle() {
    for root in [
        "src/lib.rs",
        "cargo-sysguard/src/main.rs",
        "cargo-sysguard/enforce/src/lib.rs",
        "cargo-sysguard/kernel-source/src/lib.rs",
        "cargo-sysguard/profile/src/lib.rs",
        "cargo-sysguard/reach/src/lib.rs",
    ] {
        let cycles: Vec<String> = modules::cycles(&read(root)).iter().map(ToString::to_string).collect();
        assert_eq!(cycles, [""; 0], "{root}");
    }
}

#[test]
fn planted_violations_are_found() {
    let arrow = Crate::of(
        "mod model { fn f(x: u8) { match x { 0 => crate::linux::go(), _ => {} } } } mod linux { pub fn go() {} }",
    );
    assert_eq!(wrong_arrows(&arrow), ["model must not use linux"]);
    let behind_an_import = Crate::of(
        "pub use linux::Task; mod model { use crate::{self as root}; #[cfg(test)] mod tests { use crate::linux::Task; } \
         fn f() -> root::Task { todo!() } } mod linux { pub struct Task; }",
    );
    assert_eq!(wrong_arrows(&behind_an_import), ["model must not use linux"]);
    let in_a_macro =
        Crate::of("mod model { fn f() { println!(\"{}\", crate::linux::go()) } } mod linux { pub fn go() {} }");
    assert_eq!(wrong_arrows(&in_a_macro), ["model must not use linux"]);
    let unnamed = Crate::of("mod model {} mod kitchen {}");
    assert_eq!(wrong_arrows(&unnamed), ["kitchen has no arrows"]);

    let system =
        Crate::of("mod model { use std::{env as e, collections::BTreeMap}; fn f() { std::fs::read(\"x\"); } }");
    assert_eq!(system_uses(&system), ["model uses std::env", "model uses std::fs::read"]);

    let cycle = Crate::of(
        "mod a { pub mod deep { use crate::b::B; pub struct A; } } mod b { use super::c::C; pub struct B; } \
         mod c { pub use crate::a::deep::A as C; }",
    );
    let [found] = &modules::cycles(&cycle)[..] else { panic!("one cycle") };
    assert_eq!(found.members, ["a", "b"]);
    let none = Crate::of(
        "mod a { use crate::b::B; pub struct A; #[cfg(test)] mod tests {} } mod b { pub struct B; #[cfg(test)] use crate::a::A; }",
    );
    assert!(modules::cycles(&none).is_empty());
}

#[test]
fn unsafe_code_lives_in_two_modules() {
    let allowed = [Path::new("src/linux/sys.rs"), Path::new("src/linux/launch.rs")];
    let folders = [
        "src",
        "cargo-sysguard/src",
        "cargo-sysguard/enforce",
        "cargo-sysguard/profile",
        "cargo-sysguard/reach",
        "cargo-sysguard/kernel-source",
    ];
    for (path, text) in folders.iter().flat_map(|folder| files(folder, "rs")) {
        let lifts = text.contains("expect(unsafe_code") || text.contains("allow(unsafe_code");
        assert_eq!(lifts, allowed.contains(&path.as_path()), "{}", path.display());
    }
}

#[test]
fn readme_gives_a_reason_for_each_dependency() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md");
    let (_, table) = readme.split_once("## Dependencies").expect("a section");
    let named: Vec<&str> = table.split(|letter: char| !(letter.is_alphanumeric() || "-_".contains(letter))).collect();
    let workspace = cargo_metadata::MetadataCommand::new().no_deps().exec().expect("metadata of this workspace");
    for package in &workspace.packages {
        let foreign = package.dependencies.iter().filter(|dependency| dependency.path.is_none());
        for name in foreign.map(|dependency| dependency.rename.as_ref().unwrap_or(&dependency.name)) {
            assert!(named.contains(&name.as_str()), "{name}, used by {}, is not in README.md", package.name);
        }
    }
}

#[test]
fn files_are_short_and_begin_with_their_duty() {
    for (path, text) in
        ["src", "cargo-sysguard", "examples", "tests", "benches"].iter().flat_map(|folder| files(folder, "rs"))
    {
        let shown = path.display();
        let stem = path.file_stem().expect("a name").to_string_lossy();
        assert!(text.starts_with("//!"), "{shown} does not begin with `//!` and its duty");
        assert!(!["util", "utils", "helper", "helpers", "common", "misc"].contains(&&*stem), "{shown} names no duty");
        let lines = text.lines().count();
        assert!(is_generated(&text) || lines <= LINES, "{shown} has {lines} lines, more than {LINES}");
    }
}

#[test]
fn the_page_names_every_module() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ARCHITECTURE.md")).expect("the page");
    for (module, _) in ARROWS {
        assert!(page.contains(&format!("**{module}**")), "ARCHITECTURE.md does not name {module}");
    }
}
