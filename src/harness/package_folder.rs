//! Finds the package of a harness at run time. Main function: [`package_folder`].
//!
//! The test binary contains the path of the folder in which it was built. A nextest archive,
//! `--workspace-remap` or a copied checkout runs it elsewhere. Then the folder of the build is gone
//! or, worse, contains another version of the package.

use std::path::{Path, PathBuf};

/// Returns the folder of the package that was built in `built`.
///
/// `manifest_dir` is `CARGO_MANIFEST_DIR` at run time, which cargo and nextest set. It takes
/// precedence, unless `built` is below it. Without it, the package is found in `workspace`
/// (`SYSGUARD_WORKSPACE_ROOT`) by the end of `built`'s path, or is the workspace itself.
pub(super) fn package_folder(
    built: &Path,
    manifest_dir: Option<&Path>,
    workspace: Option<&Path>,
    is_package: impl Fn(&Path) -> bool,
) -> PathBuf {
    let is_in_place = |root: &Path| built.starts_with(root);
    match (manifest_dir, workspace) {
        (Some(root), _) | (None, Some(root)) if is_in_place(root) => built.to_owned(),
        (Some(package), _) => package.to_owned(),
        (None, Some(workspace)) => moved(built, workspace, is_package).unwrap_or_else(|| built.to_owned()),
        (None, None) => built.to_owned(),
    }
}

/// Finds the package in another workspace: the longest suffix of its old path that is a package
/// there.
///
/// A suffix below a folder with the new workspace's name is preferred, since a package may be in a
/// folder of the same name (`serde/serde`).
fn moved(built: &Path, workspace: &Path, is_package: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let candidates: Vec<(&Path, PathBuf)> = built
        .ancestors()
        .filter_map(|old| Some((old, workspace.join(built.strip_prefix(old).ok()?))))
        .filter(|(_, folder)| is_package(folder))
        .collect();
    let of_that_name = candidates.iter().rfind(|(old, _)| old.file_name() == workspace.file_name());
    // Ancestors start at the package, so the last one gives the longest suffix.
    of_that_name.or(candidates.last()).map(|(_, folder)| folder.components().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_is_found_where_it_runs() {
        let built = "/old/ws/crates/a";
        for (manifest_dir, workspace, packages, found) in [
            (None, None, &[][..], built),
            (Some("/old/ws/crates/a"), None, &[], built),
            (Some("/new/crates/a"), None, &[], "/new/crates/a"),
            (Some("/new/crates/a"), Some("/other"), &["/other/crates/a"], "/new/crates/a"),
            // The harness was given a folder below the package.
            (Some("/old/ws/crates"), None, &[], built),
            (None, Some("/old/ws"), &["/old/ws", "/old/ws/a"], built),
            (None, Some("/new"), &["/new", "/new/crates/a"], "/new/crates/a"),
            (None, Some("/new"), &["/new"], "/new"),
            (None, Some("/new"), &["/new/b"], built),
        ] {
            let is_package = |path: &Path| packages.iter().any(|package| path == Path::new(package));
            let folder =
                package_folder(Path::new(built), manifest_dir.map(Path::new), workspace.map(Path::new), is_package);
            assert_eq!(folder, Path::new(found), "{manifest_dir:?} {workspace:?} {packages:?}");
        }
    }

    #[test]
    fn package_in_workspace_of_same_name_is_found() {
        let is_package = |path: &Path| path == Path::new("/new/serde") || path == Path::new("/new/serde/serde");
        for (built, found) in [("/old/serde", "/new/serde"), ("/old/serde/serde", "/new/serde/serde")] {
            let folder = package_folder(Path::new(built), None, Some(Path::new("/new/serde")), is_package);
            assert_eq!(folder, Path::new(found));
        }
    }
}
