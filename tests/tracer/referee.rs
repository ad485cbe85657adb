//! strace(1) as a second opinion: the same program, counted by another tracer.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crate::seen::{Count, Seen, Watched};

/// Returns what `strace -f -c` counts, by name. strace does not distinguish ABIs.
pub(crate) fn strace(watched: &Watched) -> Result<BTreeMap<String, Count>, String> {
    let table = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    // A file, as in a traced run: some programs check whether their output is a terminal.
    let output = tempfile::tempfile().map_err(|error| error.to_string())?;
    let strace = ["strace", "-f", "-c", "-U", "name,calls,errors", "-o"].map(OsStr::new);
    let runner = [&strace[..], &[table.path().as_os_str(), OsStr::new("--")]].concat();
    let mut command = watched.plain(&runner).map_err(|error| error.to_string())?;
    command.stdout(output).status().map_err(|error| format!("cannot run strace: {error}"))?;
    let text = std::fs::read_to_string(table.path()).map_err(|error| error.to_string())?;
    Ok(text.lines().filter_map(row).collect())
}

/// Parses `openat  31  12`: a name, its calls, and its errors if there are any.
fn row(line: &str) -> Option<(String, Count)> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| *name != "total")?;
    let calls = words.next()?.parse().ok()?;
    let errors = words.next().map_or(Some(0), |errors| errors.parse().ok())?;
    Some((name.to_owned(), Count { calls, errors, ..Count::default() }))
}

/// Fails if the counts differ, apart from calls that vary from run to run.
pub(crate) fn agrees(seen: &Seen, theirs: &BTreeMap<String, Count>, varying: &[String]) -> Result<(), String> {
    let ours: BTreeMap<String, Count> = seen
        .counts
        .iter()
        .map(|((_, name), count)| (name.clone(), as_strace_counts(*count)))
        .filter(|(_, count)| count.calls > 0)
        .collect();
    let names = ours.keys().chain(theirs.keys()).filter(|name| !varying.contains(name));
    // strace sometimes takes what a sigreturn restores for an error.
    let theirs = |name: &String| match theirs.get(name) {
        Some(count) if name.ends_with("sigreturn") => Some(Count { errors: 0, ..*count }),
        count => count.copied(),
    };
    let differing: BTreeMap<_, _> = names
        .map(|name| (name, (ours.get(name).copied(), theirs(name))))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .collect();
    if differing.is_empty() { Ok(()) } else { Err(format!("counts differ (ours, strace's): {differing:#?}")) }
}

/// strace counts a call when it returns, and an interruption as an error.
fn as_strace_counts(count: Count) -> Count {
    Count { calls: count.calls - count.unfinished, errors: count.errors + count.restarts, ..Count::default() }
}
