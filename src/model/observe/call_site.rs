//! The call site of a call: its stack, and a summary of it for a reviewer. Main type: [`CallSite`].
//!
//! It must not unwind: the frames are given, innermost first. The summary names the dependency that
//! made the call, and the line of the user's own code that led to it.

use std::fmt;

use crate::model::observe::lockfile::{Moves, Past};

/// One function on a stack; an inlined one is a frame of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The function, demangled, if known.
    pub function: Option<String>,
    /// Its source file, as passed to the compiler, and the line.
    pub source: Option<(String, u32)>,
    /// The program or library that contains it.
    pub module: String,
}

/// The stack of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallSite {
    /// The functions, innermost first.
    pub frames: Vec<Frame>,
    /// The earlier versions of the calling dependency, if it changed since the baseline last
    /// changed.
    pub past: Option<Past>,
}

/// The owner of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner<'a> {
    /// The standard library, or the C library.
    System,
    /// A dependency: its name and version.
    Dependency(&'a str, &'a str),
    /// The user's own code.
    Own,
}

impl Frame {
    fn owner(&self) -> Option<Owner<'_>> {
        let (file, _) = self.source.as_ref()?;
        if is_system(file) {
            return Some(Owner::System);
        }
        let package = file.split_once("/registry/src/").and_then(|(_, rest)| rest.split('/').nth(1));
        let checkout = file.split_once("/git/checkouts/").and_then(|(_, rest)| rest.split('/').next());
        Some(package.or(checkout).map_or(Owner::Own, |package| {
            let (name, version) = name_and_version(package);
            Owner::Dependency(name, version)
        }))
    }

    /// Returns whether the module is the C library, its loader, or the vDSO.
    fn is_c_library(&self) -> bool {
        ["libc.", "ld-linux", "ld-musl", "libpthread", "libm.", "[vdso]"]
            .iter()
            .any(|name| self.module.starts_with(name))
    }

    fn name(&self) -> &str {
        self.function.as_deref().unwrap_or("?")
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
        let own = self.frames.iter().find(|frame| frame.owner() == Some(Owner::Own));
        match (self.caller(), own) {
            (Some((frame, Owner::Dependency(name, version))), own) => {
                write!(f, "{name} {version} ")?;
                match &self.past {
                    None => {}
                    Some(Past::Versions(versions)) => {
                        write!(f, "({} when the baseline last changed) ", versions.join(", "))?
                    }
                    Some(Past::Absent) => write!(f, "(not there when the baseline last changed) ")?,
                }
                write!(f, "{}", frame.name())?;
                match own {
                    Some(own) => write!(f, ", called by {}", At(own)),
                    None => Ok(()),
                }
            }
            (_, Some(own)) => write!(f, "{}", At(own)),
            (_, None) => self.without_lines(f),
        }
    }
}

impl CallSite {
    /// Returns the innermost frame outside the standard library and the C library.
    fn caller(&self) -> Option<(&Frame, Owner<'_>)> {
        let owned = self.frames.iter().filter_map(|frame| Some((frame, frame.owner()?)));
        owned.into_iter().find(|(_, owner)| *owner != Owner::System)
    }

    /// Sets the earlier versions of the calling dependency, if it changed.
    pub fn since(&mut self, moves: &Moves) {
        if let Some((_, Owner::Dependency(name, version))) = self.caller() {
            self.past = moves.past(name, version);
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

    /// Writes the call site if no frame has a line of the program.
    fn without_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = || self.frames.iter().filter(|frame| frame.source.is_none());
        let program = unknown().find(|frame| !frame.is_c_library());
        match program.or_else(|| unknown().next()) {
            None => f.write_str("unknown code"),
            Some(Frame { function: None, module, .. }) => write!(f, "{module} (no symbols)"),
            Some(Frame { function: Some(function), module, .. }) => {
                write!(f, "{function} in {module} (no debug information)")
            }
        }
    }
}

/// `demo::fetch at src/main.rs:7`
struct At<'a>(&'a Frame);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.name())?;
        self.0.source.iter().try_for_each(|(file, line)| write!(f, " at {file}:{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(frames: &[(&str, &str)]) -> String {
        let frame = |&(function, file): &(&str, &str)| Frame {
            function: (!function.is_empty()).then(|| function.to_owned()),
            source: (!file.is_empty()).then(|| (file.to_owned(), 7)),
            module: "demo".to_owned(),
        };
        CallSite { frames: frames.iter().map(frame).collect(), past: None }.to_string()
    }

    #[test]
    fn site_names_dependency_and_own_line() {
        const STD: (&str, &str) = ("std::net::connect", "/rustc/59807/library/std/src/net.rs");
        const LIBC: (&str, &str) = ("connect", "");
        const DEPENDENCY: (&str, &str) =
            ("http::get", "/home/me/.cargo/registry/src/index.crates.io-1949/my-http-1.2.0-rc.1/src/lib.rs");
        const OWN: (&str, &str) = ("demo::fetch", "src/main.rs");
        for (frames, shown) in [
            (&[LIBC, STD, DEPENDENCY, OWN][..], "my-http 1.2.0-rc.1 http::get, called by demo::fetch at src/main.rs:7"),
            (&[LIBC, STD, OWN, DEPENDENCY], "demo::fetch at src/main.rs:7"),
            (&[STD, DEPENDENCY], "my-http 1.2.0-rc.1 http::get"),
            (&[("f", "/c/git/checkouts/thing-0a1b2c/9f8e/src/lib.rs")], "thing 0a1b2c f"),
            (&[LIBC], "connect in demo (no debug information)"),
            (&[("", ""), ("", "")], "demo (no symbols)"),
            (&[], "unknown code"),
            (&[STD], "unknown code"),
        ] {
            assert_eq!(site(frames), shown);
        }
    }

    #[test]
    fn changed_dependency_is_shown_with_old_version() {
        let frame = |function: &str, file: &str| Frame {
            function: Some(function.to_owned()),
            source: Some((file.to_owned(), 7)),
            module: "demo".to_owned(),
        };
        let frames =
            vec![frame("http::get", "/c/registry/src/i/http-2.0.0/src/lib.rs"), frame("demo::main", "src/main.rs")];
        let site_after = |before: &str| {
            let lock = |version: &str| format!("name = \"http\"\nversion = \"{version}\"\n");
            let before = if before.is_empty() { String::new() } else { lock(before) };
            let mut site = CallSite { frames: frames.clone(), past: None };
            site.since(&Moves::between(&before, &lock("2.0.0")));
            site.to_string()
        };
        let end = "http::get, called by demo::main at src/main.rs:7";
        assert_eq!(site_after("2.0.0"), format!("http 2.0.0 {end}"));
        assert_eq!(site_after("1.0.0"), format!("http 2.0.0 (1.0.0 when the baseline last changed) {end}"));
        assert_eq!(site_after(""), format!("http 2.0.0 (not there when the baseline last changed) {end}"));
    }

    #[test]
    fn stripped_program_is_shown_before_c_library() {
        let frame = |function: Option<&str>, module: &str| Frame {
            function: function.map(str::to_owned),
            source: None,
            module: module.to_owned(),
        };
        for library in ["libc.so.6", "[vdso]"] {
            let frames = vec![frame(Some("connect"), library), frame(None, "demo"), frame(None, "libc.so.6")];
            assert_eq!(CallSite { frames, past: None }.to_string(), "demo (no symbols)");
        }
    }

    #[test]
    fn files_are_relative_to_the_package() {
        let source = |file: &str| Frame { source: Some((file.to_owned(), 1)), ..Frame::default() };
        let frames = vec![source("/w/demo/src/main.rs"), source("/w/demo2/src/lib.rs")];
        let mut site = CallSite { frames, past: None };
        site.relative_to("/w/demo");
        assert_eq!(site.frames, [source("src/main.rs"), source("/w/demo2/src/lib.rs")]);
    }
}
