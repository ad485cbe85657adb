//! The files that lead to a request for a library: search paths are inherited. Main type:
//! [`Requester`].

use std::path::{Path, PathBuf};

use super::links::Links;

/// A module that needs a library, the one that needs it, and so on to the program.
#[derive(Debug)]
pub(super) struct Requester<'a>(pub(super) Vec<(&'a Path, &'a Links)>);

impl<'a> Requester<'a> {
    /// Returns the links of the module itself.
    pub(super) fn links(&self) -> &'a Links {
        self.0[0].1
    }

    /// Returns its own folders (DT_RUNPATH).
    pub(super) fn runpath(&self) -> Vec<PathBuf> {
        let (path, links) = self.0[0];
        expanded(path, &links.runpath)
    }

    /// Returns the folders of DT_RPATH, its own first, then those of the modules that need it. A
    /// module with a DT_RUNPATH adds none.
    pub(super) fn inherited_rpath(&self) -> Vec<PathBuf> {
        let has_no_runpath = |(_, links): &&(&Path, &Links)| links.runpath.is_empty();
        self.0.iter().filter(has_no_runpath).flat_map(|(path, links)| expanded(path, &links.rpath)).collect()
    }

    /// Returns the folders of DT_RUNPATH, or else DT_RPATH, of it and the modules that need it.
    pub(super) fn inherited_paths(&self) -> Vec<PathBuf> {
        let folders = |links: &'a Links| if links.runpath.is_empty() { &links.rpath } else { &links.runpath };
        self.0.iter().flat_map(|&(path, links)| expanded(path, folders(links))).collect()
    }

    /// Returns the path that a name with a slash means.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        expand(self.0[0].0, name)
    }
}

fn expanded(path: &Path, folders: &[String]) -> Vec<PathBuf> {
    folders.iter().filter_map(|folder| expand(path, folder)).collect()
}

/// Expands `$ORIGIN`, `$LIB` and `$PLATFORM`: "Dynamic string tokens", ld.so(8). `None` for another
/// token.
fn expand(path: &Path, text: &str) -> Option<PathBuf> {
    let origin = path.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    let lib = ["lib/x86_64-linux-gnu", "lib64"];
    let lib = lib.iter().find(|lib| Path::new("/").join(lib).is_dir()).unwrap_or(&"lib64");
    let mut expanded = text.to_owned();
    for (token, value) in [("ORIGIN", origin.as_str()), ("LIB", lib), ("PLATFORM", "x86_64")] {
        expanded = expanded.replace(&format!("${{{token}}}"), value).replace(&format!("${token}"), value);
    }
    (!expanded.contains('$')).then(|| PathBuf::from(expanded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(folders: &[&str]) -> Vec<String> {
        folders.iter().map(|&folder| folder.to_owned()).collect()
    }

    fn shown(folders: Vec<PathBuf>) -> Vec<String> {
        folders.iter().map(|folder| folder.display().to_string()).collect()
    }

    #[test]
    fn rpath_is_inherited_and_runpath_is_not() {
        let of_program = Links { rpath: list(&["$ORIGIN/../lib"]), ..Links::default() };
        let of_library = Links { rpath: list(&["/ignored"]), runpath: list(&["${ORIGIN}/own"]), ..Links::default() };
        let plain = Links::default();
        let program = (Path::new("/app/bin/demo"), &of_program);
        let library = (Path::new("/app/lib/a.so"), &of_library);
        let inner = Requester(vec![(Path::new("/app/lib/b.so"), &plain), library, program]);
        let library = Requester(vec![library, program]);
        assert_eq!(shown(library.runpath()), ["/app/lib/own"]);
        assert_eq!(shown(inner.inherited_rpath()), ["/app/bin/../lib"]);
        assert_eq!(shown(inner.inherited_paths()), ["/app/lib/own", "/app/bin/../lib"]);
        assert_eq!(library.path("$UNKNOWN/lib"), None);
    }
}
