//! Globs for paths, and the paths that a call names. Main types: [`PathGlob`] and [`NamedPath`].

use std::fmt;
use std::str::FromStr;

use glob::{MatchOptions, Pattern};

use crate::model::attribution::Extent;
use crate::model::decode::NamedFolders;

/// A glob for paths. `*` does not cross `/`, `**` does.
#[derive(Debug, Clone)]
pub struct PathGlob(Pattern);

/// Why a text is not a glob for paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAGlob {
    /// No compared path begins like this.
    Start,
    /// The glob itself.
    Syntax(&'static str),
}

impl fmt::Display for NotAGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("begin it with `/`, `~`, `$HOME`, `$TMPDIR`, `$PWD` or `**/`"),
            Self::Syntax(reason) => f.write_str(reason),
        }
    }
}

impl FromStr for PathGlob {
    type Err = NotAGlob;

    fn from_str(text: &str) -> Result<Self, NotAGlob> {
        let begins_with =
            |folder: &str| text.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !text.starts_with('/') && !["~", "$HOME", "$TMPDIR", "$PWD", "**"].into_iter().any(begins_with) {
            return Err(NotAGlob::Start);
        }
        let text = text.strip_prefix('~').map_or_else(|| text.to_owned(), |rest| format!("$HOME{rest}"));
        Pattern::new(&text).map(Self).map_err(|error| NotAGlob::Syntax(error.msg))
    }
}

impl PathGlob {
    fn is_like(&self, path: &str) -> bool {
        let options =
            MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
        self.0.matches_with(path, options)
    }

    /// Returns to what extent these paths match, as examples show them. A path matches in part by
    /// its name or by what it leads to, so that no link hides a file from `forbid:`.
    pub fn extent(&self, paths: &[NamedPath], folders: &NamedFolders) -> Option<Extent> {
        let (mut any, mut all) = (false, true);
        for path in paths {
            let named = folders.named(&path.named);
            let by_name = self.is_like(&named);
            // Only links in the folders of the run can be made by the workload.
            let is_own = named.starts_with('$') || path.has_moved;
            let (by_target, is_kept) = match &path.target {
                PathTarget::Path(target) => {
                    let by_target = self.is_like(&folders.named(target));
                    (by_target, by_target || !is_own)
                }
                PathTarget::Nothing => (false, true),
                PathTarget::Unknown => (false, !is_own),
            };
            any |= by_name || by_target;
            all &= by_name && is_kept;
        }
        any.then_some(if all { Extent::All } else { Extent::Some })
    }
}

/// A path that a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The path as text: absolute, without `.` and `..`, and with its links.
    pub named: String,
    /// What it leads to.
    pub target: PathTarget,
    /// The call reached another file than the one that was there before it.
    pub has_moved: bool,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathTarget {
    /// The path without links. If the file does not exist, the one that the call would make.
    Path(String),
    /// Nothing: the call fails.
    Nothing,
    /// It could not be determined.
    Unknown,
}
