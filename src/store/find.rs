//! Which files are expectations, and whose: [`find`].
//!
//! A name is a path: `expectations/perf/sched.yaml` is the workload `perf::sched`. Files that do
//! not end like YAML (a README, an editor's backup, the input of a workload) are nobody's and left
//! alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{FOLDER, StoreError, walk};

/// How the name of an expectation ends.
pub(super) const EXPECTATION: &str = ".yaml";
/// How the name of a proposal ends.
pub(super) const PROPOSAL: &str = ".yaml.new";

/// What was found below a root, by the name of the workload, relative to the root.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) expectations: BTreeMap<String, PathBuf>,
    pub(super) proposals: BTreeMap<String, PathBuf>,
    /// Files that look like expectations and cannot be any.
    pub(super) faults: Vec<StoreError>,
}

/// Every expectation and proposal below a root.
pub(super) fn find(root: &Path) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for path in walk::files(&root.join(FOLDER))? {
        let Ok(path) = path.strip_prefix(root) else { continue };
        found.take(path);
    }
    found.report_twins();
    Ok(found)
}

impl Found {
    fn take(&mut self, path: &Path) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let (kind, ending) = if file.ends_with(PROPOSAL) {
            (&mut self.proposals, PROPOSAL)
        } else if file.ends_with(EXPECTATION) {
            (&mut self.expectations, EXPECTATION)
        } else {
            self.faults.extend(misnamed(&file).map(|reason| StoreError::BadName { path: path.to_owned(), reason }));
            return;
        };
        if file.starts_with(".#") {
            return; // the lock that Emacs holds while a file is edited
        }
        match name_of(path, ending) {
            Some(name) => {
                kind.insert(name, path.to_owned());
            }
            None => self.faults.push(bad_name(path.to_owned())),
        }
    }

    /// `x.yml` beside `x.yaml`: both are named, for either may be the one that is meant.
    fn report_twins(&mut self) {
        for fault in &mut self.faults {
            let StoreError::BadName { path, .. } = fault else { continue };
            let twin = self.expectations.iter().find(|(_, twin)| path.with_extension("") == twin.with_extension(""));
            if let Some((name, twin)) = twin {
                *fault = StoreError::SameName { name: name.clone(), first: twin.clone(), second: path.clone() };
            }
        }
    }
}

/// Why a file that is meant as YAML is not read.
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

/// The workload that a file belongs to: its path without the folder and the ending.
pub(super) fn name_of(path: &Path, ending: &str) -> Option<String> {
    let inside = path.strip_prefix(FOLDER).ok()?.to_str()?.strip_suffix(ending)?;
    let parts: Vec<&str> = inside.split(std::path::MAIN_SEPARATOR).collect();
    parts.iter().all(|part| is_part(part)).then(|| parts.join("::"))
}

fn is_part(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        && part.bytes().any(|byte| byte != b'.')
}

/// Whether this can be the name of a workload.
pub(super) fn is_name(name: &str) -> bool {
    name.split("::").all(is_part)
}

/// The file of a workload, relative to the package.
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
    fn a_name_is_a_path() {
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
