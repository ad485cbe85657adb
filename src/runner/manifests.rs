//! Finds the package of a source file on disk. Main type: [`Manifests`].
//!
//! Read-only. cargo is not asked: the sources of other packages need not be in its metadata.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::dependency_moves::locked;
use super::suite::Suite;
use crate::model::observe::call_site::CallSite;
use crate::model::observe::origin::{Manifest, Packages};
use crate::store::text_if_regular;

/// The most bytes of a manifest that are read.
const MAX_BYTES: usize = 1 << 20;

/// The packages around a tested package, and the manifests found so far.
#[derive(Debug)]
pub(super) struct Manifests {
    packages: Packages,
    workspace: PathBuf,
    found: HashMap<PathBuf, Option<Manifest>>,
}

impl Manifests {
    /// Reads what is known about the package of a suite.
    pub(super) fn of(suite: &Suite) -> Self {
        let package = suite.package();
        let (workspace, lock) = locked(package).unwrap_or((package, String::new()));
        let own = manifest(package).map(|(name, _)| name).unwrap_or_default();
        Self { packages: Packages::new(&own, &lock), workspace: workspace.to_owned(), found: HashMap::new() }
    }

    /// Sets the package of each function on a stack.
    pub(super) fn resolve(&mut self, site: &mut CallSite) {
        let Self { packages, workspace, found } = self;
        site.resolve(packages, |file| {
            let folder = Path::new(file).parent().filter(|folder| folder.is_absolute())?;
            found.entry(folder.to_owned()).or_insert_with(|| nearest(folder, workspace)).clone()
        });
    }
}

/// Returns the package with the nearest manifest at or above a folder.
fn nearest(folder: &Path, workspace: &Path) -> Option<Manifest> {
    let (place, (name, version)) =
        folder.ancestors().find_map(|folder| manifest(folder).map(|manifest| (folder, manifest)))?;
    Some(Manifest { name, version, is_in_workspace: place.starts_with(workspace) })
}

/// Returns name and version of the package in a folder. The version may be the workspace's.
///
/// The path comes from debug information, so it may lead anywhere, for example to a pipe.
fn manifest(folder: &Path) -> Option<(String, Option<String>)> {
    let text = text_if_regular(&folder.join("Cargo.toml"), MAX_BYTES)?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let package = lines.skip_while(|line| *line != "[package]").skip(1);
    let fields: Vec<&str> = package.take_while(|line| !line.starts_with('[')).collect();
    let field = |key: &str| {
        fields.iter().find_map(|line| {
            let value = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim_start();
            value.strip_prefix(['"', '\''])?.split(['"', '\'']).next().map(str::to_owned)
        })
    };
    Some((field("name")?, field("version")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn nearest_manifest_with_a_package_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let put = |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        put("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n");
        put("a/Cargo.toml", "[package] # a\nname = \"a-b\" # mine\nversion.workspace = true\n\n[lib]\nname = \"c\"\n");
        put("a/src/deep/mod.rs", "");
        put("d/Cargo.toml", "[package]\nversion = '1.2.3'\nname='d'\n");
        let a = Manifest { name: "a-b".to_owned(), version: None, is_in_workspace: true };
        assert_eq!(nearest(&root.join("a/src/deep"), root), Some(a));
        let d = Manifest { name: "d".to_owned(), version: Some("1.2.3".to_owned()), is_in_workspace: false };
        assert_eq!(nearest(&root.join("d"), &root.join("a")), Some(d));
        assert_eq!(nearest(root, root), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("Cargo.toml");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        assert_eq!(manifest(folder.path()), None);
        fs::remove_file(&pipe).expect("a pipe");
        fs::write(&pipe, format!("[package]\nname = \"a\"\n{}", "#".repeat(MAX_BYTES))).expect("a file");
        assert_eq!(manifest(folder.path()), None);
    }
}
