//! The call site of a call: its stack, and a summary of it for a reviewer. Main type: [`CallSite`].
//!
//! It must not unwind: the frames are given, innermost first. The summary names the dependency that
//! made the call, and the line of the user's own code that led to it.

use std::fmt;

use crate::model::facts::site::{CodeLocation, NoSite, Site, is_c_library};
use crate::model::observe::lockfile::{Moves, Past};
use crate::model::observe::origin::{Manifest, Origin, Packages};

/// One function on a stack; an inlined one is a frame of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function, demangled, if known.
    pub function: Option<String>,
    /// Its source file, as passed to the compiler, and the line.
    pub source: Option<(String, u32)>,
    /// Whether its debug information is compressed, which this build of sysguard does not read.
    pub is_compressed: bool,
    /// The program or library that contains it.
    pub module: String,
    /// The package that it belongs to.
    pub origin: Origin,
}

/// The words between the function of a dependency and the line that calls it.
const CALLED_BY: &str = ", called by ";

/// The stack of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallSite {
    /// The functions, innermost first.
    pub frames: Vec<Frame>,
    /// The earlier versions of the calling dependency, if it changed since the baseline last
    /// changed.
    pub past: Option<Past>,
    /// Why there are no frames, if that is known.
    pub missing: Option<NoSite>,
}

impl Frame {
    /// Returns why its line is not known.
    fn lacks_line(&self) -> &'static str {
        if self.is_compressed { "compressed debug information" } else { "no debug information" }
    }

    fn name(&self) -> &str {
        self.function.as_deref().unwrap_or("?")
    }

    /// Returns the origin that the path of the source file shows, without looking at the file.
    fn origin_of_path(&self) -> Origin {
        let Some((file, _)) = &self.source else { return Origin::Unresolved };
        if is_system(file) {
            return Origin::System;
        }
        let package = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split('/').nth(1));
        let checkout = file.split_once("/git/checkouts/").and_then(|(_, rest)| rest.split('/').next());
        package.or(checkout).map_or(Origin::Own, |package| {
            let (name, version) = name_and_version(package);
            Origin::Dependency { name: name.to_owned(), version: version.to_owned() }
        })
    }

    /// Returns the function with a source path that does not depend on the machine: without the
    /// folders of cargo and of the compiler.
    pub(super) fn with_short_source(&self) -> Self {
        let short = |file: &str| {
            let registry = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/'));
            let checkout = file.split_once("/git/checkouts/");
            let library = file.split_once("/rustc/").and_then(|(_, rest)| rest.split_once('/'));
            let sources = file.split_once("/lib/rustlib/src/rust/");
            let part = registry.or(checkout).or(library).or(sources).map(|(_, rest)| rest.to_owned());
            part.unwrap_or_else(|| file.to_owned())
        };
        let source = self.source.as_ref().map(|(file, line)| (short(file), *line));
        Self { source, origin: self.origin(), ..self.clone() }
    }

    /// Returns the known origin, or the one that the path shows.
    pub(super) fn origin(&self) -> Origin {
        if self.origin == Origin::Unresolved { self.origin_of_path() } else { self.origin.clone() }
    }

    /// Returns whether the function is written in C, as far as its file shows.
    pub(super) fn is_c(&self) -> bool {
        self.source.as_ref().is_some_and(|(file, _)| !file.ends_with(".rs"))
    }

    fn location(&self) -> CodeLocation {
        let origin = self.origin();
        let is_own = origin.is_in_workspace();
        let (package, version) = match origin {
            Origin::Dependency { name, version } => (Some(name), Some(version).filter(|version| !version.is_empty())),
            Origin::Member { name } => (Some(name), None),
            Origin::Own | Origin::System | Origin::Unknown | Origin::Unresolved => (None, None),
        };
        let (file, line) = self.source.clone().unzip();
        let (function, module) = (self.function.clone(), self.module.clone());
        CodeLocation { function, package, version, file, line, module, is_own, callee: None }
    }
}

fn is_system(file: &str) -> bool {
    ["/rustc/", "/lib/rustlib/src/", "/glibc", "/musl", "./nptl/", "./io/", "../sysdeps/", "./csu/", "./sysdeps/"]
        .iter()
        .any(|part| file.contains(part))
}

/// Splits `my-crate-1.2.3-rc.1` into `my-crate` and `1.2.3-rc.1`; a git checkout has a hash as
/// version.
fn name_and_version(package: &str) -> (&str, &str) {
    let mut starts = package.match_indices('-').map(|(at, _)| at);
    let version = |at: &usize| {
        package[at + 1..].starts_with(|first: char| first.is_ascii_digit()) && package[at + 1..].contains('.')
    };
    let at = starts.clone().find(version).or_else(|| starts.next_back());
    at.map_or((package, ""), |at| (&package[..at], &package[at + 1..]))
}

/// Writes one line: `hyper 1.4.1 hyper::client::connect, called by demo::fetch at src/main.rs:7`.
impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (through, own) = (self.caller(), self.own());
        match (through, own) {
            (Some(through), Some(own)) if std::ptr::eq(through, own) => write!(f, "{}", At(own)),
            (Some(through), own) => {
                self.write_package(f, &through.origin())?;
                match (through.origin(), own) {
                    (Origin::Dependency { .. }, _) | (_, Some(_)) => f.write_str(through.name())?,
                    (_, None) => write!(f, "{}", At(through))?,
                }
                own.map_or(Ok(()), |own| write!(f, "{CALLED_BY}{}", At(own)))
            }
            (None, _) => self.without_lines(f),
        }
    }
}

impl CallSite {
    /// Returns a call site without frames.
    pub fn without_frames(reason: NoSite) -> Self {
        Self { missing: Some(reason), ..Self::default() }
    }

    /// Returns the call site with its words, or why there is none.
    pub fn site(&self) -> Result<Site, NoSite> {
        if self.frames.is_empty() {
            return Err(self.missing.unwrap_or(NoSite::Unreadable));
        }
        let words = self.to_string();
        let own = self.own().map(|own| CodeLocation { callee: self.callee(own, &words), ..own.location() });
        let other = || self.caller().or_else(|| self.without_origin()).map(Frame::location);
        let location = own.or_else(other);
        Ok(Site { words, location })
    }

    /// Returns what own code calls: the start of the words names the dependency, if there is one.
    fn callee(&self, own: &Frame, words: &str) -> Option<String> {
        if let Some((through, _)) = words.split_once(CALLED_BY) {
            return Some(through.to_owned());
        }
        let at = self.frames.iter().position(|frame| std::ptr::eq(frame, own))?;
        self.frames.get(at.checked_sub(1)?)?.function.clone()
    }

    /// Returns the innermost function with an origin outside the standard library and the C
    /// library.
    fn caller(&self) -> Option<&Frame> {
        self.frames
            .iter()
            .find(|frame| !matches!(frame.origin(), Origin::System | Origin::Unknown | Origin::Unresolved))
    }

    /// Returns the innermost function of the workspace. C code is named only if no Rust code of the
    /// workspace called it: it is often vendored.
    fn own(&self) -> Option<&Frame> {
        let frames = || self.frames.iter().filter(|frame| frame.origin().is_in_workspace());
        frames().find(|frame| !frame.is_c()).or_else(|| frames().next())
    }

    fn write_package(&self, f: &mut fmt::Formatter<'_>, origin: &Origin) -> fmt::Result {
        let (name, version) = match origin {
            Origin::Dependency { name, version } => (name, version.as_str()),
            Origin::Member { name } => (name, ""),
            _ => return Ok(()),
        };
        write!(f, "{name} ")?;
        if !version.is_empty() {
            write!(f, "{version} ")?;
        }
        match &self.past {
            None => Ok(()),
            Some(Past::Versions(versions)) => write!(f, "({} when the baseline last changed) ", versions.join(", ")),
            Some(Past::Absent) => write!(f, "(not there when the baseline last changed) "),
        }
    }

    /// Sets the origin of each function. `manifest` finds the one nearest to a source file.
    pub fn resolve(&mut self, packages: &Packages, mut manifest: impl FnMut(&str) -> Option<Manifest>) {
        for frame in &mut self.frames {
            let of_function = |frame: &Frame| {
                let function = frame.function.as_deref().unwrap_or_default();
                packages.of_function(function, &frame.module)
            };
            frame.origin = match (frame.origin_of_path(), &frame.source) {
                (Origin::Own, Some((file, _))) => match manifest(file) {
                    Some(manifest) => packages.of_manifest(&manifest),
                    // It was built elsewhere, or the paths of sources were replaced.
                    None => of_function(frame),
                },
                (Origin::Unresolved, _) => of_function(frame),
                (known, _) => known,
            };
        }
    }

    /// Sets the earlier versions of the calling dependency, if it changed.
    pub fn since(&mut self, moves: &Moves) {
        if let Some(Origin::Dependency { name, version }) = self.caller().map(Frame::origin) {
            self.past = moves.past(&name, &version);
        }
    }

    /// Makes source files relative to the folder of the package.
    pub fn relative_to(&mut self, package: &str) {
        for (file, _) in self.frames.iter_mut().filter_map(|frame| frame.source.as_mut()) {
            if let Some(below) = file.strip_prefix(package).and_then(|rest| rest.strip_prefix('/')) {
                *file = below.to_owned();
            }
        }
    }

    /// Returns the function to name if no function has an origin outside the system.
    fn without_origin(&self) -> Option<&Frame> {
        let is_unknown = |frame: &&Frame| matches!(frame.origin(), Origin::Unknown | Origin::Unresolved);
        let unknown = || self.frames.iter().filter(is_unknown);
        unknown().find(|frame| !is_c_library(&frame.module)).or_else(|| unknown().next())
    }

    /// Writes the call site if no frame has a line of the program.
    fn without_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.without_origin() {
            None if self.missing == Some(NoSite::Replaced) => f.write_str("a program that execve replaced"),
            None => f.write_str("unknown code"),
            Some(Frame { function: None, module, .. }) => write!(f, "{module} (no symbols)"),
            Some(frame @ Frame { function: Some(function), source: None, module, .. }) => {
                write!(f, "{function} in {module} ({})", frame.lacks_line())
            }
            Some(Frame { function: Some(function), module, .. }) => write!(f, "{function} in {module}"),
        }
    }
}

/// `demo::fetch at src/main.rs:7`
struct At<'a>(&'a Frame);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())?;
        match &self.0.source {
            Some((file, line)) => write!(f, " at {file}:{line}"),
            None => write!(f, " ({})", self.0.lacks_line()),
        }
    }
}

#[cfg(test)]
mod tests;
