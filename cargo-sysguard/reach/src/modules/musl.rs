//! Where the loader of musl looks for a library: `ldso/dynlink.c`. Main type: [`MuslRules`].

use std::path::{Path, PathBuf};

use super::chain::Requester;

/// The rules of musl, with the folders of this system.
#[derive(Debug)]
pub(super) struct MuslRules {
    /// The loader, which is the C library too.
    loader: PathBuf,
    folders: Vec<PathBuf>,
}

/// The folders without a file that lists others.
const DEFAULT: &str = "/lib:/usr/local/lib:/usr/lib";

/// The libraries that are parts of the loader.
const BUILT_IN: [&str; 7] = ["c", "pthread", "rt", "m", "dl", "util", "xnet"];

impl MuslRules {
    /// Returns the rules of a loader such as `/lib/ld-musl-x86_64.so.1`; `None` for another one.
    pub(super) fn of(loader: &Path) -> Option<Self> {
        let name = loader.file_name()?.to_str()?;
        let arch = name.strip_prefix("ld-musl-")?.split('.').next()?;
        // The loader looks beside its own `lib`.
        let prefix = loader.parent()?.parent()?;
        let listed = std::fs::read_to_string(prefix.join(format!("etc/ld-musl-{arch}.path")));
        Some(Self { loader: loader.to_owned(), folders: folders(listed.as_deref().unwrap_or(DEFAULT)) })
    }

    /// Returns the files that may be the library, in the order in which they are tried.
    pub(super) fn candidates(&self, name: &str, requester: &Requester<'_>) -> Vec<PathBuf> {
        if name.contains('/') {
            return requester.path(name).into_iter().collect();
        }
        if is_built_in(name) || self.loader.file_name().is_some_and(|loader| loader == name) {
            return vec![self.loader.clone()];
        }
        let folders = requester.inherited_paths().into_iter().chain(self.folders.iter().cloned());
        folders.map(|folder| folder.join(name)).collect()
    }
}

/// Returns whether a name such as `libm.so.6` is a part of the loader.
fn is_built_in(name: &str) -> bool {
    let library = name.strip_prefix("lib").and_then(|rest| rest.split_once(".so"));
    library.is_some_and(|(library, _)| BUILT_IN.contains(&library))
}

fn folders(listed: &str) -> Vec<PathBuf> {
    listed.split([':', '\n']).filter(|folder| !folder.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_library_is_the_loader() {
        for (name, is_part) in [
            ("libc.so", true),
            ("libpthread.so.0", true),
            ("libm.so.6", true),
            ("libcurl.so.4", false),
            ("libz.so.1", false),
            ("c.so", false),
        ] {
            assert_eq!(is_built_in(name), is_part, "{name}");
        }
    }

    #[test]
    fn only_loaders_of_musl_have_these_rules() {
        assert!(MuslRules::of(Path::new("/lib64/ld-linux-x86-64.so.2")).is_none());
        let rules = MuslRules::of(Path::new("/nowhere/lib/ld-musl-x86_64.so.1")).expect("a loader of musl");
        assert_eq!(rules.folders, ["/lib", "/usr/local/lib", "/usr/lib"].map(PathBuf::from));
    }
}
