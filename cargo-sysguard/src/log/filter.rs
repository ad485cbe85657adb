//! `-e FILTER`: selects the calls of a log. Main type: [`Filters`].

use std::collections::BTreeSet;
use std::env;
use std::str::FromStr;

use glob::{MatchOptions, Pattern};
use sysguard::unstable::linux::Selection;
use sysguard::unstable::model::attribution::Subsystem;
use sysguard::unstable::model::kernel::call::Call;
use sysguard::unstable::model::kernel::syscall::{Abi, table};
use sysguard::unstable::model::text::escape;
use sysguard::unstable::model::text::near::near;

use crate::message;

/// One filter: names, a subsystem, or paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Calls with one of these names.
    Names(BTreeSet<String>),
    /// Calls that reached this subsystem.
    Subsystem(Subsystem),
    /// Calls with a matching path, or on an fd of one.
    Paths(Vec<Pattern>),
}

/// The word is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotAFilter(String);

/// Calls that 32-bit x86 offers only through socketcall(2).
const CARRIED: [&str; 2] = ["recv", "send"];

/// Returns the names of all calls.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let rows = Abi::ALL.into_iter().flat_map(table::rows);
    rows.map(|row| row.name).chain(CARRIED)
}

impl FromStr for Filter {
    type Err = NotAFilter;

    fn from_str(word: &str) -> Result<Self, NotAFilter> {
        if let Some(slug) = word.strip_prefix('@') {
            let known = || Subsystem::ALL.into_iter().map(Subsystem::slug);
            let subsystem = Subsystem::from_slug(slug);
            return subsystem.map(Self::Subsystem).ok_or_else(|| unknown("subsystem", slug, "@", known()));
        }
        if let Some(class) = word.strip_prefix('%') {
            return Err(unknown("system call", class, "@", Subsystem::ALL.into_iter().map(Subsystem::slug)));
        }
        if let Some(glob) = word.strip_prefix("path=") {
            return paths(glob).map(Self::Paths);
        }
        let listed = word.strip_prefix("trace=").unwrap_or(word).split(',');
        let name = |name: &str| match names().any(|known| known == name) {
            true => Ok(name.to_owned()),
            false if name.starts_with(['@', '%']) || name.starts_with("path=") => {
                Err(NotAFilter(format!("unknown system call `{}`; use a separate -e for it", escape::line(name))))
            }
            false => Err(unknown("system call", name, "", names())),
        };
        listed.map(name).collect::<Result<_, _>>().map(Self::Names)
    }
}

/// Returns the pattern, and a relative one also below the working directory.
fn paths(glob: &str) -> Result<Vec<Pattern>, NotAFilter> {
    let pattern =
        |glob: &str| Pattern::new(glob).map_err(|error| NotAFilter(format!("`{}`: {error}", escape::line(glob))));
    if glob.is_empty() {
        return Err(NotAFilter("an empty pattern matches no path; write one such as 'path=/etc/*'".to_owned()));
    }
    let mut patterns = vec![pattern(glob)?];
    if let (false, Ok(folder)) = (glob.starts_with('/'), env::current_dir()) {
        let folder = Pattern::escape(&folder.to_string_lossy());
        patterns.push(pattern(&format!("{}/{glob}", folder.trim_end_matches('/')))?);
    }
    Ok(patterns)
}

fn unknown<'a>(kind: &str, name: &str, sign: &str, known: impl Iterator<Item = &'a str>) -> NotAFilter {
    const MOST: usize = 3;
    let near: Vec<String> = near(name, known).into_iter().take(MOST).map(|near| format!("{sign}{near}")).collect();
    let hint = message::did_you_mean(&near);
    let hint = hint.unwrap_or_else(|| "; use a system call, @SUBSYSTEM or path=GLOB".to_owned());
    NotAFilter(format!("unknown {kind} `{}`{hint}", escape::line(name)))
}

/// All filters of a log. A call is shown if any filter matches, or if there are no filters.
#[derive(Debug)]
pub(super) struct Filters {
    names: BTreeSet<String>,
    subsystems: BTreeSet<Subsystem>,
    paths: Vec<Pattern>,
    has_filters: bool,
}

impl Filters {
    pub(super) fn new(filters: Vec<Filter>) -> Self {
        let has_filters = !filters.is_empty();
        let (mut names, mut subsystems, mut paths) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for filter in filters {
            match filter {
                Filter::Names(more) => names.extend(more),
                Filter::Subsystem(subsystem) => drop(subsystems.insert(subsystem)),
                Filter::Paths(patterns) => paths.extend(patterns),
            }
        }
        Self { names, subsystems, paths, has_filters }
    }

    /// Returns whether a call at its entry is shown. `meant` is the name of the call that it
    /// carries, or its own.
    pub(super) fn selects(&self, call: &Call, meant: &str, paths: &mut dyn FnMut() -> Vec<String>) -> Selection {
        // `*` ends at a slash, as in a shell; `**` does not.
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let matches = |path: &String| self.paths.iter().any(|pattern| pattern.matches_with(path, options));
        if !self.has_filters || self.names.contains(meant) || self.names.contains(&*call.syscall.name()) {
            return Selection::Written;
        }
        if !self.paths.is_empty() && paths().iter().any(matches) {
            return Selection::Written;
        }
        if self.subsystems.is_empty() { Selection::Ignored } else { Selection::Undecided }
    }

    /// Returns whether calls that reached this subsystem are shown.
    pub(super) fn selects_subsystem(&self, subsystem: Subsystem) -> bool {
        self.subsystems.contains(&subsystem)
    }
}

#[cfg(test)]
mod tests {
    use sysguard::unstable::model::kernel::syscall::Syscall;

    use super::*;

    #[test]
    fn unknown_filter_error_suggests_near_names() {
        for (word, message) in [
            ("conect", "unknown system call `conect`; did you mean connect?"),
            ("open,clsoe", "unknown system call `clsoe`; did you mean close?"),
            ("@netwrk", "unknown subsystem `netwrk`; did you mean @network?"),
            ("%netwrk", "unknown system call `netwrk`; did you mean @network?"),
            ("path=", "an empty pattern matches no path; write one such as 'path=/etc/*'"),
            ("open,@network", "unknown system call `@network`; use a separate -e for it"),
            ("", "unknown system call ``; use a system call, @SUBSYSTEM or path=GLOB"),
        ] {
            assert_eq!(word.parse::<Filter>().expect_err(word).to_string(), message);
        }
        let error = "path=a[".parse::<Filter>().expect_err("a pattern").to_string();
        assert!(error.starts_with("`a[`: "), "{error}");
    }

    #[test]
    fn any_matching_filter_shows_a_call() {
        let call = |name: &str| {
            let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
            Call { syscall, args: [0; 6], instruction_pointer: 0 }
        };
        let filters = |words: &[&str]| Filters::new(words.iter().map(|word| word.parse().expect(word)).collect());
        let selects = |words: &[&str], name: &str, path: &str| {
            filters(words).selects(&call(name), name, &mut || vec![path.to_owned()])
        };
        for (words, name, path, selection) in [
            (&[][..], "read", "/x", Selection::Written),
            (&["read"], "read", "/x", Selection::Written),
            (&["trace=open,read"], "read", "/x", Selection::Written),
            (&["open"], "read", "/x", Selection::Ignored),
            (&["open", "path=/etc/*"], "read", "/etc/passwd", Selection::Written),
            (&["path=/etc/*"], "read", "/etc/ssl/cert", Selection::Ignored),
            (&["path=/etc/**/*"], "read", "/etc/ssl/cert", Selection::Written),
            (&["path=/**/*.so"], "read", "/usr/lib/x.so", Selection::Written),
            (&["path=pipe"], "read", "pipe", Selection::Written),
            (&["path=*.toml"], "read", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), Selection::Written),
            (&["path=*.toml"], "read", "/other/Cargo.toml", Selection::Ignored),
            (&["path=/etc/*", "@network"], "read", "/x", Selection::Undecided),
        ] {
            assert_eq!(selects(words, name, path), selection, "{words:?} {name} {path}");
        }
        assert!(filters(&["@network"]).selects_subsystem(Subsystem::Network));
        assert!(!filters(&["@network"]).selects_subsystem(Subsystem::Memory));
    }
}
