//! `cargo sysguard init`: a first expectation and the test that checks it. It never overwrites and never damages.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use sysguard::artifacts;
use sysguard::settings::Flags;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, value};

use super::Context;
use crate::cargo::CargoFlags;
use crate::exit_code::{Failure, Outcome};
use crate::output::{self, ReportFile};

/// `init`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    cargo: CargoFlags,
}

const EXPECTATION: &str = "\
# What does `ls -l` use of the kernel? This first document is yours: say here why the workload matters.
# `cargo sysguard bless` runs it and writes what it used below; from then on a newly used system call or kernel subsystem
# fails the test. Instead of a command, a program of this package can be named, and cargo builds it: `bin: NAME`.
version: 1
command: [ls, -l]
";

const HARNESS: &str = "\
//! Every file in expectations/ is a test of its own.

fn main() -> std::process::ExitCode {
    sysguard::harness::main(env!(\"CARGO_MANIFEST_DIR\"))
}
";

impl Options {
    /// Writes what is not there yet and says so.
    pub(super) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let selected = self.cargo.select(&settings.cargo)?;
        let [package] = &selected.packages[..] else {
            let names: Vec<&str> = selected.packages.iter().map(|package| package.name.as_str()).collect();
            return Err(Failure::usage(format!(
                "init is for one package; choose it with --package: {}",
                names.join(", ")
            )));
        };
        let root = artifacts::root(package);
        let mut said = vec![
            new_file(&root, "expectations/example.yaml", EXPECTATION)?,
            new_file(&root, "tests/sysguard.rs", HARNESS)?,
        ];
        said.extend(edit_manifest(&root.join("Cargo.toml"))?);
        said.push("next: `cargo sysguard bless` records the example, `cargo sysguard test` checks it".to_owned());
        let mut out = output::stdout();
        said.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(Failure::output)?;
        Ok(Outcome::Expected)
    }
}

/// Writes a file that is not there yet.
fn new_file(root: &Path, name: &str, content: &str) -> Result<String, Failure> {
    let path = root.join(name);
    let create = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(content.as_bytes())
    };
    match create() {
        Ok(()) => Ok(format!("wrote {name}")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(format!("kept {name}: it is already there")),
        Err(error) => Err(Failure::failed(format!("cannot write {}: {error}", path.display()))),
    }
}

/// Adds what is missing of the test target and of the dependency.
fn edit_manifest(path: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("cannot edit {}: {error}", path.display()));
    let before = fs::read_to_string(path).map_err(|error| failed(&error))?;
    let (after, said) = edited(&before).map_err(|error| failed(&error))?;
    if after != before {
        let mut file = ReportFile::prepare(path).map_err(|error| failed(&error))?;
        file.write_all(after.as_bytes()).and_then(|()| file.finish()).map_err(|error| failed(&error))?;
    }
    Ok(said)
}

/// The manifest with the test target and the dependency, and what was done to it.
fn edited(manifest: &str) -> Result<(String, Vec<String>), String> {
    let mut document: DocumentMut = manifest.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let said = vec![add_target(&mut document)?, add_dependency(&mut document)?];
    Ok((document.to_string(), said))
}

fn add_target(document: &mut DocumentMut) -> Result<String, String> {
    let tests = document.entry("test").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let named = |test: &&dyn TableLike| test.get("name").and_then(Item::as_str) == Some("sysguard");
    if let Some(test) =
        tests.as_array_of_tables().and_then(|tests| tests.iter().map(|test| test as &dyn TableLike).find(named))
    {
        return Ok(match test.get("harness").and_then(Item::as_bool) {
            Some(false) => "kept the test target `sysguard` in Cargo.toml: it is already there".to_owned(),
            _ => "kept the test target `sysguard` in Cargo.toml, but it needs `harness = false`: add that".to_owned(),
        });
    }
    let tests = tests
        .as_array_of_tables_mut()
        .ok_or("its `test` is not written as [[test]]: add a target `sysguard` by hand")?;
    let mut test = Table::new();
    test.insert("name", value("sysguard"));
    test.insert("harness", value(false));
    tests.push(test);
    Ok("wrote the test target `sysguard` to Cargo.toml".to_owned())
}

fn add_dependency(document: &mut DocumentMut) -> Result<String, String> {
    for section in ["dependencies", "dev-dependencies"] {
        if document.get(section).and_then(Item::as_table_like).is_some_and(|table| table.contains_key("sysguard")) {
            return Ok("kept the dependency on sysguard in Cargo.toml: it is already there".to_owned());
        }
    }
    let section = document.entry("dev-dependencies").or_insert_with(|| Item::Table(Table::new()));
    let table = section.as_table_like_mut().ok_or("its `dev-dependencies` are no table: add sysguard by hand")?;
    table.insert("sysguard", value(env!("CARGO_PKG_VERSION")));
    Ok("wrote the dependency on sysguard to Cargo.toml".to_owned())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_manifest_gets_what_it_lacks_and_keeps_the_rest() {
        let manifest = "# mine\n[package]\nname = \"demo\" # and this\nversion = \"0.1.0\"\n\n[dev-dependencies] # those\nserde = '1'\n";
        let (after, said) = edited(manifest).expect("a manifest");
        assert_snapshot!(after, @r#"
        # mine
        [package]
        name = "demo" # and this
        version = "0.1.0"

        [dev-dependencies] # those
        serde = '1'
        sysguard = "0.1.0"

        [[test]]
        name = "sysguard"
        harness = false
        "#);
        assert_eq!(said.iter().filter(|line| line.starts_with("wrote ")).count(), 2);
        let (again, said) = edited(&after).expect("a manifest");
        assert_eq!(again, after);
        assert_eq!(said.iter().filter(|line| line.starts_with("kept ")).count(), 2);
    }

    #[test]
    fn a_target_of_that_name_is_left_alone() {
        let manifest = "[dependencies]\nsysguard = { path = \"..\" }\n[[test]]\nname = \"sysguard\"\n";
        let (after, said) = edited(manifest).expect("a manifest");
        assert_eq!(after, manifest);
        assert!(said[0].ends_with("needs `harness = false`: add that"), "{}", said[0]);
    }

    #[test]
    fn what_is_not_understood_is_not_touched() {
        for manifest in ["[package", "test = 3\n", "dev-dependencies = []\n"] {
            assert!(edited(manifest).is_err(), "{manifest}");
        }
    }
}
