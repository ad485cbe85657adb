//! The note on a long wait for another process. Main function: [`waiting`].

use std::io;
use std::path::Path;

use super::Palette;
use super::style::Painted;
use super::words::escaped;

/// Writes one line that says which lock is being waited for.
pub fn waiting(out: &mut dyn io::Write, folder: &Path, palette: &Palette) -> io::Result<()> {
    let folder = escaped(&folder.to_string_lossy());
    let note = Painted(palette.hint, "note");
    writeln!(out, "{note}: waiting for the lock on {folder}, held by another sysguard process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_named_in_one_line() {
        let mut out = Vec::new();
        waiting(&mut out, Path::new("/a\nb"), &Palette::plain()).expect("a buffer");
        let line = "note: waiting for the lock on /a\\nb, held by another sysguard process\n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), line);
    }
}
