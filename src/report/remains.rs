//! The warning on temporary folders that were not removed completely: [`left_behind`].

use std::io;

use super::Palette;
use super::style::Painted;
use super::words::counted;
use crate::model::text::remains::Remains;

/// The number of folders that are named.
const NAMED: usize = 5;

/// Writes the folders that are left and why; nothing if there are none.
pub fn left_behind(out: &mut dyn io::Write, left: &[Remains], palette: &Palette) -> io::Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    let folders = counted(left.len() as u64, "temporary folder", "temporary folders");
    writeln!(out, "{}: cannot remove all of {folders}:", Painted(palette.error, "warning"))?;
    for remains in left.iter().take(NAMED) {
        writeln!(out, "  {remains}")?;
    }
    if left.len() > NAMED {
        writeln!(out, "  … and {} more", left.len() - NAMED)?;
    }
    writeln!(
        out,
        "{}: unmount or release what a workload left there, then remove it by hand",
        Painted(palette.hint, "help")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(folders: u32) -> String {
        let remains = |number| Remains {
            folder: format!("/tmp/sysguard-{number}"),
            first: "work/d".to_owned(),
            reason: "Operation not permitted".to_owned(),
            entries: 1,
        };
        let mut out = Vec::new();
        left_behind(&mut out, &(0..folders).map(remains).collect::<Vec<_>>(), &Palette::plain()).expect("a buffer");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn all_folders_are_in_one_message() {
        assert_eq!(message(0), "");
        assert_eq!(
            message(1),
            "warning: cannot remove all of 1 temporary folder:\n  /tmp/sysguard-0/work/d: Operation not permitted\n\
             help: unmount or release what a workload left there, then remove it by hand\n"
        );
        assert!(message(7).contains("of 7 temporary folders:") && message(7).contains("… and 2 more\n"));
    }
}
