//! Finds the files of a program as its loader does. Main type: [`Modules`].
//!
//! Files are read, and nothing is run.

mod cache;
mod chain;
mod glibc;
mod links;
mod musl;
mod plug_ins;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sysguard::unstable::model::text::escape;

use crate::result::{Fault, Module, ModuleReach, Origin};
use chain::Requester;
use glibc::GlibcRules;
use links::Links;
use musl::MuslRules;
use plug_ins::{Place, PlugIn, plug_ins};

/// The files of a program, in the order in which its loader searches them for symbols.
pub struct Modules {
    found: Vec<Module>,
    /// The links of each file, and the file that needs it.
    loaded: Vec<Loaded>,
    /// The files by the names that were asked for, and by their own names.
    names: HashMap<String, usize>,
    /// The files by their canonical paths.
    paths: HashMap<PathBuf, usize>,
    missing: Vec<Missing>,
    rules: Rules,
    /// The number of files with libraries that were looked for.
    followed: usize,
}

/// A file that is needed and was not found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Its name or path.
    pub name: String,
    /// The file that needs it; `None` if a run mapped it.
    pub needed_by: Option<PathBuf>,
    /// Why it cannot be used, if there is a file.
    pub reason: Option<String>,
}

/// Why a file cannot be analysed as a program.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("cannot read {}: {source}", shown(.path))]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// It is a text that another program interprets.
    #[error("{} is a script: its program is {interpreter}", shown(.path))]
    Script {
        /// Its path.
        path: PathBuf,
        /// The interpreter, with its argument.
        interpreter: String,
    },
    /// It is no program.
    #[error("{} is a shared library, not a program", shown(.path))]
    Library {
        /// Its path.
        path: PathBuf,
    },
    /// It is no ELF file that can be decoded.
    #[error(transparent)]
    Fault(#[from] Fault),
}

#[derive(Debug)]
struct Loaded {
    /// The path that `$ORIGIN` in it refers to.
    path: PathBuf,
    links: Links,
    needed_by: Option<usize>,
}

/// The rules by which libraries are found.
#[derive(Debug)]
enum Rules {
    Glibc(GlibcRules),
    Musl(MuslRules),
}

/// Without the bytes of files and the loader's cache.
impl fmt::Debug for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found: Vec<(&Path, &Origin)> = self.found.iter().map(|it| (it.path.as_path(), &it.origin)).collect();
        f.debug_struct("Modules").field("found", &found).field("missing", &self.missing).finish_non_exhaustive()
    }
}

fn shown(path: &Path) -> String {
    escape::line(&path.to_string_lossy()).into_owned()
}

impl Modules {
    /// Finds the files that a program consists of when it starts.
    ///
    /// # Errors
    ///
    /// [`Unusable`]. A library that is not found is in [`Modules::missing`].
    pub fn of(program: &Path) -> Result<Self, Unusable> {
        // The kernel executes the target of a link, and `$ORIGIN` is its folder.
        let canonical = |source| Unusable::Unreadable { path: program.to_owned(), source };
        let path = fs::canonicalize(program).map_err(canonical)?;
        let bytes = read(&path)?;
        if let Some(interpreter) = script(&bytes) {
            return Err(Unusable::Script { path, interpreter });
        }
        let links = Links::read(&path, &bytes)?;
        if links.is_library() {
            return Err(Unusable::Library { path });
        }
        let interpreter = links.interpreter.clone();
        let rules = match interpreter.as_deref().and_then(|path| MuslRules::of(Path::new(path))) {
            Some(rules) => Rules::Musl(rules),
            None => Rules::Glibc(GlibcRules::of_system()),
        };
        let mut modules = Self {
            found: Vec::new(),
            loaded: Vec::new(),
            names: HashMap::new(),
            paths: HashMap::new(),
            missing: Vec::new(),
            rules,
            followed: 0,
        };
        modules.push(Module { path, bytes, origin: Origin::Program }, links, None);
        if let (Rules::Glibc(rules), Some(_)) = (&modules.rules, &interpreter) {
            for name in rules.preloaded().to_owned() {
                modules.request(&name, 0, Origin::PlugIn("/etc/ld.so.preload".to_owned()));
            }
        }
        modules.follow();
        modules.set_interpreter(interpreter);
        Ok(modules)
    }

    /// Adds a file with the libraries that it needs, unless it is there already. Returns whether it
    /// was added.
    ///
    /// # Errors
    ///
    /// [`Unusable`].
    pub fn add(&mut self, file: &Path, origin: Origin) -> Result<bool, Unusable> {
        let unreadable = |source| Unusable::Unreadable { path: file.to_owned(), source };
        let canonical = fs::canonicalize(file).map_err(unreadable)?;
        if self.paths.contains_key(&canonical) {
            return Ok(false);
        }
        let bytes = read(file)?;
        let links = Links::read(file, &bytes)?;
        let names = [links.soname.clone(), file.file_name().map(|name| name.to_string_lossy().into_owned())];
        // The loader found it where this search did not look.
        let is_it = |missing: &Missing| names.iter().flatten().any(|name| *name == missing.name);
        let needed_by = self.missing.iter().position(is_it).and_then(|at| self.missing.remove(at).needed_by);
        let origin = needed_by.map_or(origin, Origin::NeededBy);
        self.push(Module { path: file.to_owned(), bytes, origin }, links, Some(0));
        self.follow();
        Ok(true)
    }

    /// Adds a file that a run mapped as code. One that cannot be read is missing.
    pub fn add_mapped(&mut self, file: &Path) {
        if let Err(error) = self.add(file, Origin::Mapped) {
            let reason = Some(error.to_string());
            self.missing.push(Missing { name: file.to_string_lossy().into_owned(), needed_by: None, reason });
        }
    }

    /// Adds the plug-ins that reached code could load. Returns whether there are any that were not
    /// yet added.
    pub fn add_plug_ins(&mut self, reached: &[ModuleReach]) -> bool {
        let mut is_changed = false;
        for PlugIn { loader, place, loaded_by } in plug_ins(reached) {
            let origin = Origin::PlugIn(loader.to_owned());
            is_changed |= match place {
                Place::Name(name) => self.request(&name, loaded_by, origin),
                // A file that is no library, or cannot be read, cannot be loaded either.
                Place::File(file) => self.add(&file, origin).is_ok_and(|is_added| is_added),
            };
        }
        self.follow();
        is_changed
    }

    /// Returns the files. The program is the first one.
    pub fn found(&self) -> &[Module] {
        &self.found
    }

    /// Returns the files that are needed and were not found.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// Adds a library that is looked for by a name. Returns whether there is one that was not yet
    /// added.
    fn request(&mut self, name: &str, requester: usize, origin: Origin) -> bool {
        let found = self.find(name, requester);
        let Some((path, bytes, links)) = found.filter(|(path, ..)| self.known(path).is_none()) else { return false };
        self.push(Module { path, bytes, origin }, links, Some(requester));
        true
    }

    /// Adds the libraries that files need, breadth first as the loader does.
    fn follow(&mut self) {
        while self.followed < self.loaded.len() {
            let at = self.followed;
            self.followed += 1;
            for name in self.loaded[at].links.needed.clone() {
                if self.names.contains_key(&name) {
                    continue;
                }
                let needed_by = self.found[at].path.clone();
                match self.find(&name, at) {
                    Some((path, bytes, links)) => match self.known(&path) {
                        Some(known) => drop(self.names.insert(name, known)),
                        None => {
                            let added =
                                self.push(Module { path, bytes, origin: Origin::NeededBy(needed_by) }, links, Some(at));
                            self.names.insert(name, added);
                        }
                    },
                    None if self.missing.iter().any(|missing| missing.name == name) => {}
                    None => self.missing.push(Missing { name, needed_by: Some(needed_by), reason: None }),
                }
            }
        }
    }

    /// Marks the interpreter, or adds it: nothing needs it by name in some programs.
    fn set_interpreter(&mut self, interpreter: Option<String>) {
        let Some(interpreter) = interpreter else { return };
        let path = PathBuf::from(&interpreter);
        if let Some(known) = self.known(&path) {
            self.found[known].origin = Origin::Interpreter;
            return;
        }
        let program = self.found[0].path.clone();
        let read = read(&path).and_then(|bytes| Ok((Links::read(&path, &bytes)?, bytes)));
        match read {
            Ok((links, bytes)) => {
                self.push(Module { path, bytes, origin: Origin::Interpreter }, links, Some(0));
                self.follow();
            }
            Err(error) => {
                let reason = Some(error.to_string());
                self.missing.push(Missing { name: interpreter, needed_by: Some(program), reason });
            }
        }
    }

    /// Finds a library as the loader does: it skips files that are not for this processor.
    fn find(&self, name: &str, requester: usize) -> Option<(PathBuf, Arc<[u8]>, Links)> {
        let of = |at: &usize| self.loaded[*at].needed_by;
        let chain = std::iter::successors(Some(requester), of);
        let chain = chain.map(|at| (self.loaded[at].path.as_path(), &self.loaded[at].links)).collect();
        let requester = Requester(chain);
        let candidates = match &self.rules {
            Rules::Glibc(rules) => rules.candidates(name, &requester),
            Rules::Musl(rules) => rules.candidates(name, &requester),
        };
        candidates.into_iter().find_map(|path| {
            let bytes = read(&path).ok()?;
            let links = Links::read(&path, &bytes).ok()?;
            Some((path, bytes, links))
        })
    }

    /// Returns the file that a path leads to, if it was added.
    fn known(&self, path: &Path) -> Option<usize> {
        self.paths.get(&fs::canonicalize(path).ok()?).copied()
    }

    fn push(&mut self, module: Module, links: Links, needed_by: Option<usize>) -> usize {
        let at = self.found.len();
        self.names.extend(links.soname.clone().map(|name| (name, at)));
        self.paths.extend(fs::canonicalize(&module.path).ok().map(|path| (path, at)));
        self.loaded.push(Loaded { path: module.path.clone(), links, needed_by });
        self.found.push(module);
        at
    }
}

/// Reads a regular file: a pipe would block.
fn read(path: &Path) -> Result<Arc<[u8]>, Unusable> {
    let content = fs::metadata(path).and_then(|metadata| match metadata.is_file() {
        true => fs::read(path),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    });
    content.map(Arc::from).map_err(|source| Unusable::Unreadable { path: path.to_owned(), source })
}

/// Returns the interpreter in the first line of a script: "Interpreter scripts", execve(2).
fn script(bytes: &[u8]) -> Option<String> {
    let line = bytes.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    Some(escape::line(String::from_utf8_lossy(line).trim()).into_owned())
}

#[cfg(test)]
impl Modules {
    /// Returns modules of tests, without files.
    pub(crate) fn of_test(found: Vec<Module>, missing: Vec<Missing>) -> Self {
        Self {
            found,
            loaded: Vec::new(),
            names: HashMap::new(),
            paths: HashMap::new(),
            missing,
            rules: Rules::Glibc(GlibcRules::of_system()),
            followed: 0,
        }
    }
}

#[cfg(test)]
mod tests;
