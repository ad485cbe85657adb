//! The scratch directory of one run: fresh directories, removed afterwards, so that no run finds
//! files of another. Main type: [`Scratch`].

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::folder::TemporaryFolder;
use crate::error::Error;
use crate::linux::Handle;
use crate::model::run::workload::Stdin;

/// A scratch directory and its folders.
#[derive(Debug)]
pub(super) struct Scratch {
    root: TemporaryFolder,
    /// `HOME`
    pub(super) home: PathBuf,
    /// `TMPDIR`
    pub(super) temporary: PathBuf,
    /// The default working directory.
    pub(super) work: PathBuf,
}

impl Scratch {
    /// Creates a fresh scratch directory.
    pub(super) fn create() -> Result<Self, Error> {
        let made = || -> io::Result<Self> {
            let root = TemporaryFolder::create("sysguard-")?;
            let [home, temporary, work] = ["home", "tmp", "work"].map(|name| root.path().join(name));
            for folder in [&home, &temporary, &work] {
                fs::create_dir(folder)?;
            }
            Ok(Self { root, home, temporary, work })
        };
        made().map_err(|source| Error::Io {
            operation: "create",
            subject: format!("a scratch directory in {}", std::env::temp_dir().display()),
            source,
        })
    }

    /// Returns the directory itself.
    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Opens the workload's standard input. It is always a file or `/dev/null`, so that the length
    /// of a read does not depend on scheduling.
    pub(super) fn stdin(&self, stdin: &Stdin, package: &Path) -> Result<Handle, Error> {
        let file = match stdin {
            Stdin::Null => PathBuf::from("/dev/null"),
            Stdin::File(path) => package.join(path),
            Stdin::Text(text) => {
                let file = self.root.path().join("stdin");
                fs::write(&file, text).map_err(|source| cannot("write", &file, source))?;
                file
            }
        };
        File::open(&file).map(Handle::from).map_err(|source| cannot("open the standard input", &file, source))
    }
}

fn cannot(operation: &'static str, file: &Path, source: io::Error) -> Error {
    Error::Io { operation, subject: file.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn scratch_is_empty_unique_and_removed_on_drop() {
        let (one, two) = (Scratch::create().expect("scratch"), Scratch::create().expect("scratch"));
        assert_ne!(one.work, two.work);
        for folder in [&one.home, &one.temporary, &one.work] {
            assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
        }
        let work = one.work.clone();
        drop(one);
        assert!(!work.exists());
    }

    #[test]
    fn stdin_is_null_a_text_or_a_file() {
        let package = tempfile::tempdir().expect("temporary directory");
        fs::write(package.path().join("input"), "from a file").expect("file");
        let scratch = Scratch::create().expect("scratch");
        for (stdin, content) in [
            (Stdin::Null, ""),
            (Stdin::Text("a text".to_owned()), "a text"),
            (Stdin::File("input".to_owned()), "from a file"),
        ] {
            let mut text = String::new();
            let mut file = File::from(scratch.stdin(&stdin, package.path()).expect("stdin"));
            file.read_to_string(&mut text).expect("text");
            assert_eq!(text, content);
        }
        let error = scratch.stdin(&Stdin::File("none".to_owned()), package.path()).expect_err("no such file");
        assert!(error.to_string().starts_with("cannot open the standard input "), "{error}");
    }
}
