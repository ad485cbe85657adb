//! Adds the test target and the dependency of `init --harness` to a manifest. Main function:
//! [`edit`].

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, TomlError, value};

use super::lines::{self, ChangedLine};
use super::source::Source;
use crate::exit_code::Failure;
use crate::output::ReportFile;

/// Adds the missing entries and returns a line for each step. `source` is called only if the
/// dependency is missing.
pub(super) fn edit(path: &Path, source: impl FnOnce() -> Result<Source, Failure>) -> Result<Vec<String>, Failure> {
    let failed = |error: &dyn fmt::Display| Failure::failed(format!("cannot edit {}: {error}", path.display()));
    let before = fs::read_to_string(path).map_err(|error| failed(&error))?;
    let source = if depends(&before).map_err(|error| failed(&error))? { None } else { Some(source()?) };
    let mut steps = Vec::new();
    let after = lines::edited(&before, |text| -> Result<String, ManifestError> {
        let (after, done) = edited(text, source.as_ref())?;
        steps = done;
        Ok(after)
    });
    let after = after.map_err(|error| failed(&error))?;
    if after != before {
        let mut file = ReportFile::prepare(path).map_err(|error| failed(&error))?;
        file.write_all(after.as_bytes()).and_then(|()| file.finish()).map_err(|error| failed(&error))?;
    }
    Ok(steps)
}

/// The manifest cannot be edited.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ManifestError {
    /// It is not TOML.
    #[error(transparent)]
    Toml(#[from] TomlError),
    #[error("its `test` entry is not an array of tables: add a test target `sysguard` by hand")]
    TestIsNoArray,
    #[error("its `dev-dependencies` is not a table: add sysguard by hand")]
    DependenciesAreNoTable,
    #[error(transparent)]
    ChangedLine(#[from] ChangedLine),
}

/// Returns whether the manifest already depends on sysguard.
fn depends(manifest: &str) -> Result<bool, TomlError> {
    let document: DocumentMut = manifest.trim_start_matches('\u{feff}').parse()?;
    let has = |section| {
        document.get(section).and_then(Item::as_table_like).is_some_and(|table| table.contains_key("sysguard"))
    };
    Ok(has("dependencies") || has("dev-dependencies"))
}

/// Returns the manifest with the test target and the dependency, and a line for each step.
fn edited(manifest: &str, source: Option<&Source>) -> Result<(String, Vec<String>), ManifestError> {
    let mut document: DocumentMut = manifest.parse()?;
    let steps = vec![add_target(&mut document)?, add_dependency(&mut document, source)?];
    Ok((document.to_string(), steps))
}

fn add_target(document: &mut DocumentMut) -> Result<String, ManifestError> {
    let tests = document.entry("test").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let named = |test: &&dyn TableLike| test.get("name").and_then(Item::as_str) == Some("sysguard");
    if let Some(test) =
        tests.as_array_of_tables().and_then(|tests| tests.iter().map(|test| test as &dyn TableLike).find(named))
    {
        return Ok(match test.get("harness").and_then(Item::as_bool) {
            Some(false) => "kept the test target `sysguard` in Cargo.toml: it already exists".to_owned(),
            _ => "kept the test target `sysguard` in Cargo.toml, but it needs `harness = false`: add that line"
                .to_owned(),
        });
    }
    let tests = tests.as_array_of_tables_mut().ok_or(ManifestError::TestIsNoArray)?;
    let mut test = Table::new();
    test.insert("name", value("sysguard"));
    test.insert("harness", value(false));
    tests.push(test);
    Ok("wrote the test target `sysguard` to Cargo.toml".to_owned())
}

fn add_dependency(document: &mut DocumentMut, source: Option<&Source>) -> Result<String, ManifestError> {
    let Some(source) = source else {
        return Ok("kept the dependency on sysguard in Cargo.toml: it already exists".to_owned());
    };
    let section = document.entry("dev-dependencies").or_insert_with(|| Item::Table(Table::new()));
    let table = section.as_table_like_mut().ok_or(ManifestError::DependenciesAreNoTable)?;
    table.insert("sysguard", value(source.to_value()));
    Ok(format!("wrote the dependency to Cargo.toml: {}", source.describe()))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn path() -> Source {
        Source::Path("/sysguard".to_owned())
    }

    #[test]
    fn missing_entries_are_added_and_the_rest_kept() {
        let manifest = "# mine\n[package]\nname = \"demo\" # and this\nversion = \"0.1.0\"\n\n[dev-dependencies] # those\nserde = '1'\n";
        assert_eq!(depends(manifest), Ok(false));
        let (after, steps) = edited(manifest, Some(&path())).expect("a manifest");
        assert_snapshot!(after, @r#"
        # mine
        [package]
        name = "demo" # and this
        version = "0.1.0"

        [dev-dependencies] # those
        serde = '1'
        sysguard = { path = "/sysguard" }

        [[test]]
        name = "sysguard"
        harness = false
        "#);
        assert_eq!(steps.iter().filter(|line| line.starts_with("wrote ")).count(), 2);
        assert_eq!(depends(&after), Ok(true));
        let (again, steps) = edited(&after, None).expect("a manifest");
        assert_eq!(again, after);
        assert_eq!(steps.iter().filter(|line| line.starts_with("kept ")).count(), 2);
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_are_kept() {
        for (before, end) in [
            (
                "\u{feff}[package]\r\nname = \"demo\"\r\n\r\n[dev-dependencies]\r\nserde = '1'\r\n\r\n[lints]\r\n",
                "\r\n",
            ),
            ("[package]\r\nname = \"demo\"\nversion = \"\"\"\r\n1\n\"\"\"", "\r\n"),
            ("\u{feff}[package]\nname = \"demo\"\n", "\n"),
        ] {
            let folder = tempfile::tempdir().expect("a temporary directory");
            let file = folder.path().join("Cargo.toml");
            fs::write(&file, before).expect("a file");
            edit(&file, || Ok(path())).expect("an edit");
            let after = fs::read_to_string(&file).expect("a file");
            let mut kept = before.split_inclusive('\n').peekable();
            for line in after.split_inclusive('\n') {
                let is_kept = kept.next_if(|old| line == *old || line.trim_end_matches(['\r', '\n']) == *old).is_some();
                assert!(
                    is_kept || line.ends_with(end) && (end == "\r\n" || !line.ends_with("\r\n")),
                    "{line:?} in {after:?}"
                );
            }
            assert_eq!(kept.next(), None, "{after:?}");
            assert!(after.contains("sysguard = { path = \"/sysguard\" }") && after.contains("[[test]]"), "{after:?}");
        }
    }

    #[test]
    fn existing_target_of_that_name_is_kept() {
        let manifest = "[dependencies]\nsysguard = { path = \"..\" }\n[[test]]\nname = \"sysguard\"\n";
        assert_eq!(depends(manifest), Ok(true));
        let (after, steps) = edited(manifest, None).expect("a manifest");
        assert_eq!(after, manifest);
        assert!(steps[0].ends_with("needs `harness = false`: add that line"), "{}", steps[0]);
    }

    #[test]
    fn unexpected_manifest_is_refused() {
        for manifest in ["[package", "test = 3\n", "dev-dependencies = []\n"] {
            assert!(edited(manifest, Some(&path())).is_err(), "{manifest}");
        }
    }
}
