//! Finds the expectation files of a package and maps their paths to workload names. Main function:
//! [`find`].
//!
//! `expectations/perf/sched.yaml` is the workload `perf::sched`. Files without a YAML ending (a
//! README, an editor's backup, the input of a workload) are ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{FOLDER, StoreError, walk};

/// The ending of an expectation file.
pub(super) const EXPECTATION: &str = ".yaml";
/// The ending of a proposal file.
pub(super) const PROPOSAL: &str = ".yaml.new";

/// The files below a root by workload name. Paths are relative to the root.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) expectations: BTreeMap<String, PathBuf>,
    pub(super) proposals: BTreeMap<String, PathBuf>,
    /// Files that look like expectations but cannot be used.
    pub(super) faults: Vec<StoreError>,
}

/// Finds every expectation and proposal below a root.
pub(super) fn find(root: &Path) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for path in walk::files(&root.join(FOLDER))? {
        let Ok(path) = path.strip_prefix(root) else { continue };
        found.add(path);
    }
    found.report_duplicates();
    Ok(found)
}

impl Found {
    fn add(&mut self, path: &Path) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let (kind, ending) = if file.ends_with(PROPOSAL) {
            (&mut self.proposals, PROPOSAL)
        } else if file.ends_with(EXPECTATION) {
            (&mut self.expectations, EXPECTATION)
        } else {
            self.faults.extend(misnamed(&file).map(|reason| StoreError::BadName { path: path.to_owned(), reason }));
            return;
        };
        if is_editor_lock(&file) {
            return;
        }
        match name_of(path, ending) {
            Some(name) => {
                kind.insert(name, path.to_owned());
            }
            None => self.faults.push(bad_name(path.to_owned())),
        }
    }

    /// Reports `x.yml` beside `x.yaml` with both names, because either may be the wanted one.
    fn report_duplicates(&mut self) {
        for fault in &mut self.faults {
            let StoreError::BadName { path, .. } = fault else { continue };
            let twin = self.expectations.iter().find(|(_, twin)| path.with_extension("") == twin.with_extension(""));
            if let Some((name, twin)) = twin {
                *fault = StoreError::SameName { name: name.clone(), first: twin.clone(), second: path.clone() };
            }
        }
    }
}

/// Returns whether this path is that of an expectation file.
pub(super) fn is_expectation(path: &Path) -> bool {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    file.ends_with(EXPECTATION) && !is_editor_lock(&file)
}

/// Returns whether this is Emacs's lock of a file being edited.
fn is_editor_lock(file: &str) -> bool {
    file.starts_with(".#")
}

/// Returns why a file with a YAML-like name is not read.
fn misnamed(file: &str) -> Option<&'static str> {
    let lower = file.to_ascii_lowercase();
    let plain = lower.strip_suffix(".new").unwrap_or(&lower);
    if plain.ends_with(".yml") {
        Some("its name must end in .yaml")
    } else if plain.ends_with(EXPECTATION) {
        Some("its name must end in lower case: .yaml")
    } else {
        None
    }
}

pub(super) fn bad_name(path: PathBuf) -> StoreError {
    StoreError::BadName { path, reason: "each part of its path must consist of letters, digits and `_`, `.`, `-` only" }
}

/// Returns the workload of a file: its path without the folder and the ending.
pub(super) fn name_of(path: &Path, ending: &str) -> Option<String> {
    let inside = path.strip_prefix(FOLDER).ok()?.to_str()?.strip_suffix(ending)?;
    let parts: Vec<&str> = inside.split(std::path::MAIN_SEPARATOR).collect();
    parts.iter().all(|part| is_part(part)).then(|| parts.join("::"))
}

fn is_part(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        && part.bytes().any(|byte| byte != b'.')
}

/// Returns whether this is a valid workload name.
pub(super) fn is_name(name: &str) -> bool {
    name.split("::").all(is_part)
}

/// Returns the file of a workload, relative to the package.
pub(super) fn path_of(name: &str, ending: &str) -> PathBuf {
    let mut path = Path::new(FOLDER).to_owned();
    path.extend(name.split("::"));
    path.as_mut_os_string().push(ending);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_correspond() {
        for (path, name) in [
            ("expectations/sched.yaml", Some("sched")),
            ("expectations/perf/sched.yaml", Some("perf::sched")),
            ("expectations/a.b/c-d_E9.yaml", Some("a.b::c-d_E9")),
            ("expectations/.yaml", None),
            ("expectations/..yaml", None),
            ("expectations/a b.yaml", None),
            ("expectations/a:b.yaml", None),
            ("expectations/a b/c.yaml", None),
            ("expectations/é.yaml", None),
            ("elsewhere/a.yaml", None),
        ] {
            assert_eq!(name_of(Path::new(path), EXPECTATION).as_deref(), name, "{path}");
            if let Some(name) = name {
                assert_eq!(path_of(name, EXPECTATION), Path::new(path));
                assert!(is_name(name));
            }
        }
        for name in ["", "..", "a::..", "a::", "a/b", "::a"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
