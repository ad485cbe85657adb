//! Opens the user's editor at a line: [`location`] finds the line, [`command`] builds the command.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A line of a file; 0 if it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) file: PathBuf,
    pub(super) line: u32,
}

/// Returns the source line that a call site names, if the file is there. A proposal keeps call
/// sites as words, which end with ` at FILE:LINE`.
pub(super) fn location(words: &str, package: &Path) -> Option<Location> {
    let (_, place) = words.rsplit_once(" at ")?;
    let (file, line) = place.rsplit_once(':')?;
    let location = Location { file: package.join(file), line: line.parse().ok()? };
    location.file.is_file().then_some(location)
}

/// Returns the command that opens the editor there. As in git, the shell runs the editor's command
/// line.
pub(super) fn command(editor: &str, location: &Location) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg("sh").args(arguments(editor, location));
    command
}

/// Returns the arguments that open a line in this editor. Most editors accept the syntax of vi.
fn arguments(editor: &str, Location { file, line }: &Location) -> Vec<String> {
    let file = file.display().to_string();
    if *line == 0 {
        return vec![file];
    }
    let program = editor.split_whitespace().next().unwrap_or_default();
    match program.rsplit('/').next().unwrap_or_default() {
        "code" | "code-insiders" | "codium" | "cursor" => vec!["--goto".to_owned(), format!("{file}:{line}")],
        "hx" | "helix" | "subl" | "zed" => vec![format!("{file}:{line}")],
        _ => vec![format!("+{line}"), file],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_passed_as_the_editor_takes_it() {
        let at = |line| Location { file: PathBuf::from("/w/a b.rs"), line };
        for (editor, line, words) in [
            ("vi", 7, &["+7", "/w/a b.rs"][..]),
            ("/usr/bin/nano -w", 7, &["+7", "/w/a b.rs"]),
            ("code --wait", 7, &["--goto", "/w/a b.rs:7"]),
            ("hx", 7, &["/w/a b.rs:7"]),
            ("vi", 0, &["/w/a b.rs"]),
        ] {
            assert_eq!(arguments(editor, &at(line)), words, "{editor}");
        }
    }

    #[test]
    fn call_site_names_its_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("main.rs"), "").expect("a file");
        let found = |words: &str| location(words, folder.path()).map(|location| location.line);
        assert_eq!(found("http 1.2.0 http::get, called by demo::fetch at main.rs:7"), Some(7));
        for words in ["demo::fetch at gone.rs:7", "demo::fetch (no debug information)", "at main.rs", "f at main.rs:x"]
        {
            assert_eq!(found(words), None, "{words}");
        }
    }
}
