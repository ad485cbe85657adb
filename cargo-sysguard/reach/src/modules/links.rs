//! What an ELF file asks of its loader. Main type: [`Links`].

use std::ops::Range;
use std::path::Path;

use crate::image::Header;
use crate::result::Fault;

/// The names in an ELF file that lead to other files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// The dynamic loader of a program.
    pub(super) interpreter: Option<String>,
    /// Its own name as a library.
    pub(super) soname: Option<String>,
    /// The libraries that it needs, in order.
    pub(super) needed: Vec<String>,
    /// Folders for its libraries and those of the libraries. Ignored if there is a runpath.
    pub(super) rpath: Vec<String>,
    /// Folders for its own libraries.
    pub(super) runpath: Vec<String>,
    /// Whether default folders are not searched.
    pub(super) ignores_default_folders: bool,
    /// Whether it has an entry point.
    pub(super) has_entry: bool,
}

/// The place of the entry point in the file header: `e_entry`, elf(5).
const ENTRY: Range<usize> = 24..32;

impl Links {
    /// Reads the links of a file. The path is for messages.
    pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Self, Fault> {
        let header = Header::read(path, bytes)?;
        Ok(Self {
            interpreter: header.interpreter.as_deref().map(text),
            soname: header.soname.as_deref().map(text),
            needed: header.needed.iter().map(|name| text(name)).collect(),
            rpath: header.rpath.as_deref().map(folders).unwrap_or_default(),
            runpath: header.runpath.as_deref().map(folders).unwrap_or_default(),
            ignores_default_folders: header.ignores_default_folders,
            has_entry: bytes.get(ENTRY).is_some_and(|entry| entry.iter().any(|&byte| byte != 0)),
        })
    }

    /// Returns whether it is a library and no program. A static program that is
    /// position-independent has no loader either, but it has no name and needs nothing.
    pub(super) fn is_library(&self) -> bool {
        let is_like_library = self.soname.is_some() || !self.needed.is_empty() || !self.has_entry;
        self.interpreter.is_none() && is_like_library
    }
}

/// Splits a list of folders: `$ORIGIN/../lib:/opt/lib`.
fn folders(list: &[u8]) -> Vec<String> {
    text(list).split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
