//! Source lines of the steps of a way. Main type: [`SourceLines`].

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;

use sysguard::unstable::linux::{Image, SymbolFiles};

use crate::modules::Modules;
use crate::result::Step;

/// The debug information of modules, read when it is first needed.
pub struct SourceLines<'a> {
    files: &'a SymbolFiles,
    modules: Vec<(String, OnceCell<Option<Image<'a>>>)>,
    /// The calls with ways that are to have lines.
    calls: BTreeSet<String>,
}

impl fmt::Debug for SourceLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceLines").field("calls", &self.calls).finish()
    }
}

impl<'a> SourceLines<'a> {
    /// Returns lines for ways to these calls. Debug information is read into `files`.
    pub fn new(files: &'a SymbolFiles, modules: &Modules, calls: BTreeSet<String>) -> Self {
        let paths = modules.found().iter().map(|module| module.path.to_string_lossy().into_owned());
        Self { files, modules: paths.map(|path| (path, OnceCell::new())).collect(), calls }
    }

    /// Returns whether ways to a call have lines.
    pub(super) fn shows(&self, call: &str) -> bool {
        self.calls.contains(call)
    }

    /// Returns the line of the instruction by which a step leads on: `src/main.rs:7`.
    pub(super) fn of(&self, step: &Step) -> Option<String> {
        let (path, image) = self.modules.get(step.module)?;
        let image = image.get_or_init(|| Image::of_file(File::open(path).ok()?, path.clone()));
        let functions = image.as_ref()?.functions("", self.files, step.at);
        let (file, line) = functions.iter().find_map(|function| function.source.as_ref())?;
        Some(format!("{file}:{line}"))
    }
}
