//! Section 2 of the Linux man-pages: the release that introduced each call, by the table of
//! syscalls(2), and whether the call has a page.
//!
//! It must not guess, and leaves out what that table leaves open. Main function: [`derive`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use kernel_source::Result;

/// The pages of one release.
pub(crate) struct Manual {
    pub(crate) release: String,
    /// Ordered by name.
    pub(crate) calls: Vec<Entry>,
}

/// What the pages say of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// The first release that has it; `<=1.0` stands for that one or an earlier one.
    pub(crate) since: Option<String>,
    pub(crate) page: bool,
}

/// Reads a folder `man2` for these calls.
pub(crate) fn derive(folder: &Path, calls: &BTreeSet<&str>) -> Result<Manual> {
    let page = read(folder, "syscalls")?;
    let release = release(&page).ok_or_else(|| format!("find the release in syscalls(2) of `{}`", folder.display()))?;
    let since = since(&page);
    let entries = calls.iter().map(|&name| Entry {
        name: name.to_owned(),
        since: since.get(name).cloned(),
        page: ["2", "2.gz"].iter().any(|ending| folder.join(format!("{name}.{ending}")).exists()),
    });
    let calls: Vec<Entry> = entries.filter(|entry| entry.page || entry.since.is_some()).collect();
    if since.is_empty() || calls.is_empty() {
        return Err(format!("read syscalls(2) of `{}`: its table is not understood", folder.display()));
    }
    Ok(Manual { release, calls })
}

fn read(folder: &Path, page: &str) -> Result<String> {
    let plain = folder.join(format!("{page}.2"));
    if let Ok(text) = fs::read_to_string(&plain) {
        return Ok(text);
    }
    let packed = folder.join(format!("{page}.2.gz"));
    let output = Command::new("gzip").arg("-dc").arg(&packed).output().map_err(|cause| format!("run gzip: {cause}"))?;
    if !output.status.success() {
        return Err(format!("read `{}`: give the folder man2 of the package manpages-dev", packed.display()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Parses `.TH syscalls 2 2026-02-08 "Linux man-pages 6.20"`.
fn release(page: &str) -> Option<String> {
    let title = page.lines().find(|line| line.starts_with(".TH "))?;
    let (_, release) = title.split_once("\"Linux man-pages ")?;
    Some(release.split_once('"')?.0.to_owned())
}

/// Returns name → release, from rows such as `\f[B]openat2\f[](2)`, tab, `5.6`. A name in its own
/// cell is written as `.BR accept (2)` before `T}`, tab, `2.0`.
fn since(page: &str) -> BTreeMap<String, String> {
    let table = page.split_once(".TS\n").and_then(|(_, rest)| rest.split_once(".TE\n")).map_or("", |(table, _)| table);
    let table = [r"\f[B]", r"\f[]", r"\fB", r"\fP"].iter().fold(table.to_owned(), |text, font| text.replace(font, ""));
    let mut since = BTreeMap::new();
    let mut cell = None;
    for line in table.lines() {
        if let Some(name) = line.strip_prefix(".BR ").and_then(|rest| rest.strip_suffix(" (2)")) {
            cell = Some(name);
            continue;
        }
        let mut columns = line.split('\t');
        let name = match columns.next() {
            Some("T}") => cell.take(),
            Some(name) => name.strip_suffix("(2)"),
            None => None,
        };
        if let (Some(name), Some(release)) = (name, columns.next().and_then(oldest)) {
            since.insert(name.to_owned(), release);
        }
    }
    since
}

/// Returns the oldest release: `2.6; 2.4.18` is in both series. "Where no kernel version is
/// indicated, the system call appeared in Linux 1.0 or earlier", says the page, and writes 1.0.
fn oldest(releases: &str) -> Option<String> {
    let numbers = |release: &str| release.split('.').map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>();
    let releases = releases.split("; ").filter_map(|release| Some((numbers(release)?, release)));
    releases.min().map(|(_, release)| if release == "1.0" { "<=1.0".to_owned() } else { release.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_table_are_read() {
        let page = ".TH syscalls 2 2026-02-08 \"Linux man-pages 6.20\"\n.TS\nSystem call\tKernel\tNotes\n_\n.\\\" a commit\n\
                    \\fBread\\fP(2)\t1.0\n\\f[B]openat2\\f[](2)\t5.6\nT{\n.BR accept (2)\nT}\t2.0\tT{\nSee\n.BR chown (2)\nT}\n\
                    \\f[B]getxattr\\f[](2)\t2.6; 2.4.18\n\\f[B]pread64\\f[](2)\t\tT{\nAdded as \"pread\" in 2.2\nT}\n.TE\n";
        let expected = [("accept", "2.0"), ("getxattr", "2.4.18"), ("openat2", "5.6"), ("read", "<=1.0")];
        assert_eq!(since(page), expected.map(|(name, release)| (name.to_owned(), release.to_owned())).into());
        assert_eq!(release(page).as_deref(), Some("6.20"));
    }
}
