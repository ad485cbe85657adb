//! The environment of a workload, built from a fixed minimum. Main type: [`BuiltEnvironment`].
//!
//! It is never inherited: a variable that only one machine sets would make runs differ.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::linux::Machine;

/// The default `PATH`, unless a document sets another.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A built environment: each variable once, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BuiltEnvironment(BTreeMap<OsString, OsString>);

impl BuiltEnvironment {
    /// Returns the variables that do not depend on a run, and the document's own, which take
    /// precedence.
    pub(super) fn new(document: &BTreeMap<String, String>) -> Self {
        let mut variables = BTreeMap::new();
        for (name, value) in [("PATH", PATH), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("USER", &user_name())] {
            variables.insert(name.into(), value.into());
        }
        variables.extend(document.iter().map(|(name, value)| (name.into(), value.into())));
        Self(variables)
    }

    /// Sets a variable for sysguard's own use.
    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// Returns the variables of one run; what the document sets is kept.
    pub(super) fn for_run(&self, home: &Path, temporary: &Path, cwd: &Path) -> Vec<(OsString, OsString)> {
        let mut variables = self.0.clone();
        for (name, path) in [("HOME", home), ("TMPDIR", temporary), ("PWD", cwd)] {
            variables.entry(name.into()).or_insert_with(|| path.into());
        }
        variables.into_iter().collect()
    }

    /// Finds a program as the workload itself would: a name on its own `PATH`, a path relative to
    /// `base`.
    pub(super) fn find(&self, program: &str, base: &Path) -> Lookup {
        if program.contains('/') {
            return look_at(base.join(program));
        }
        let path = self.0.get(OsStr::new("PATH")).map_or(OsStr::new(""), OsString::as_os_str);
        find_on_path(path, program.as_ref(), base)
    }
}

/// What a search for a program found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// An executable file.
    Found(PathBuf),
    /// A file that is not executable.
    NotExecutable(PathBuf),
    /// No file.
    Missing,
}

/// Searches as execvp(3) does: the first executable file is taken, and an empty entry is the
/// working directory, which is `base`.
pub(crate) fn find_on_path(path: &OsStr, program: &OsStr, base: &Path) -> Lookup {
    let mut result = Lookup::Missing;
    if program.is_empty() {
        return result;
    }
    for folder in std::env::split_paths(path) {
        let folder = base.join(folder);
        match look_at(folder.join(program)) {
            found @ Lookup::Found(_) => return found,
            // execvp(3) skips an entry that is not a folder.
            Lookup::NotExecutable(_) if folder.is_file() => {}
            seen @ Lookup::NotExecutable(_) if result == Lookup::Missing => result = seen,
            _ => {}
        }
    }
    result
}

/// Returns whether one file may be executed.
///
/// Like env(1), only ENOENT means that there is no file. A name that is too long, or that leads
/// through a file, cannot be executed.
pub(crate) fn look_at(file: PathBuf) -> Lookup {
    match fs::metadata(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Lookup::Missing,
        Err(_) => Lookup::NotExecutable(file),
        Ok(metadata) if metadata.is_file() && Machine::may_execute(&file) => Lookup::Found(file),
        Ok(_) => Lookup::NotExecutable(file),
    }
}

/// Returns the user's name from /etc/passwd, or else the user's number. No name service is asked,
/// so every run gets the same name.
fn user_name() -> String {
    let uid = Machine::user();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(&uid, &passwd).unwrap_or(uid)
}

/// passwd(5): `name:password:UID:GID:GECOS:directory:shell`
fn name_of(uid: &str, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn built(document: &[(&str, &str)]) -> BuiltEnvironment {
        BuiltEnvironment::new(&document.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn run_variables(built: &BuiltEnvironment) -> Vec<(String, String)> {
        built
            .for_run(Path::new("/s/home"), Path::new("/s/tmp"), Path::new("/s/work"))
            .into_iter()
            .map(|(name, value)| (name.into_string().expect("UTF-8"), value.into_string().expect("UTF-8")))
            .collect()
    }

    #[test]
    fn minimum_is_fixed_and_document_overrides_it() {
        let user = user_name();
        let text = |variables: &[(&str, &str)]| -> Vec<(String, String)> {
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        assert_eq!(
            run_variables(&built(&[])),
            text(&[
                ("HOME", "/s/home"),
                ("LANG", "C.UTF-8"),
                ("PATH", PATH),
                ("PWD", "/s/work"),
                ("TMPDIR", "/s/tmp"),
                ("TZ", "UTC"),
                ("USER", &user),
            ])
        );
        assert_eq!(
            run_variables(&built(&[("HOME", "/nowhere"), ("LANG", "C"), ("MORE", "x")])),
            text(&[
                ("HOME", "/nowhere"),
                ("LANG", "C"),
                ("MORE", "x"),
                ("PATH", PATH),
                ("PWD", "/s/work"),
                ("TMPDIR", "/s/tmp"),
                ("TZ", "UTC"),
                ("USER", &user),
            ])
        );
    }

    #[test]
    fn user_name_comes_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        for (uid, name) in [("0", Some("root")), ("1000", Some("ann")), ("7", None)] {
            assert_eq!(name_of(uid, passwd).as_deref(), name);
        }
    }

    #[test]
    fn program_is_found_on_the_workloads_path() {
        let package = tempfile::tempdir().expect("temporary directory");
        for (file, mode) in [("first/plain", 0o644), ("second/plain", 0o755), ("first/only", 0o644)] {
            let file = package.path().join(file);
            fs::create_dir_all(file.parent().expect("a folder")).expect("folder");
            fs::write(&file, "").expect("file");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("mode");
        }
        let at = |file: &str| package.path().join(file);
        let built = built(&[("PATH", "missing:first:second")]);
        for (program, result) in [
            ("plain", Lookup::Found(at("second/plain"))),
            ("only", Lookup::NotExecutable(at("first/only"))),
            ("none", Lookup::Missing),
            ("", Lookup::Missing),
            ("second/plain", Lookup::Found(at("second/plain"))),
            ("./first/plain", Lookup::NotExecutable(at("./first/plain"))),
            ("./second", Lookup::NotExecutable(at("./second"))),
            ("second/none", Lookup::Missing),
            ("first/only/none", Lookup::NotExecutable(at("first/only/none"))),
        ] {
            assert_eq!(built.find(program, package.path()), result, "{program}");
        }
        let long = "x".repeat(300);
        assert!(matches!(built.find(&long, package.path()), Lookup::NotExecutable(_)));
        let through_a_file =
            BuiltEnvironment::new(&BTreeMap::from([("PATH".to_owned(), "first/only:second".to_owned())]));
        assert_eq!(through_a_file.find("none", package.path()), Lookup::Missing);
    }
}
