//! Writes sysguard's syscall and subsystem tables from unpacked kernel sources.
//!
//! To regenerate, unpack one or more trees, from the oldest kernel of interest to the newest, and
//! name them all:
//!
//! ```text
//! apt-get install linux-source-6.12 && tar xf /usr/src/linux-source-6.12.tar.xz -C /tmp
//! apt-get source --download-only --tar-only linux    # newer: with a deb-src line of backports or sid
//! tar xf linux_7.1.8.orig.tar.xz -C /tmp
//! apt-get install manpages-dev                           # newer: from sid
//! cargo run --example kernel-tables -- --source /tmp/linux-source-6.12 --source /tmp/linux-7.1.8 --man-pages /usr/share/man/man2
//! ```
//!
//! With `--strace DIR` it also names what strace's lists have and the tables lack, except what
//! `missing` gives a reason for, and exits 1 then.
//!
//! It prints what changed, one row a line. With `--check` it writes nothing and exits 1 if anything
//! would. The kernels of the committed tables stand in their headers; the newest tree says what a
//! call is, older ones only since when it exists, as an upper bound (`<=6.18`: 6.18 has it, the
//! next older tree given has not), where the man-pages do not say it. Without `--man-pages` the
//! table of those stays as it is. This example links the library: restore a table that does not
//! compile before generating a new one.
//!
//! Calls and the kinds of objects are read by the crate `kernel-source`, which `cargo sysguard
//! explain` reads trees with, too. The values of arguments are chosen here and told by its C
//! compiler (`cc` must be installed), `vocabularies`, `reaches` and `ioctls` being the curated
//! part. `manual` reads man-pages, `emit` writes Rust, `changes` compares, `provenance` seals.

mod changes;
mod emit;
mod ioctls;
mod manual;
mod missing;
mod places;
mod provenance;
mod reaches;
mod strace;
mod vocabularies;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use kernel_source::{Result, Tree};

use crate::emit::Uses;

/// Writes the syscall and subsystem tables from kernel source trees
#[derive(Parser)]
struct Options {
    /// An unpacked kernel source tree; repeat it for older and newer ones
    #[arg(long = "source", value_name = "DIR", required = true)]
    sources: Vec<PathBuf>,
    /// The folder man2 of the Linux man-pages, which say since when most calls exist
    #[arg(long, value_name = "DIR")]
    man_pages: Option<PathBuf>,
    /// An unpacked source of strace: name what its lists have and the tables lack
    #[arg(long, value_name = "DIR")]
    strace: Option<PathBuf>,
    /// Write nothing; exit 1 when a file would change
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse(), &mut io::stdout().lock()) {
        Ok(code) => code,
        Err(message) => {
            // Nothing is left to do about a closed stderr.
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options, out: &mut impl Write) -> Result<ExitCode> {
    let mut trees = options.sources.iter().map(|root| Tree::open(root)).collect::<Result<Vec<_>>>()?;
    trees.sort_by_key(Tree::version);
    let mut stale = 0;
    let (tables, mut commands) = (vocabularies::derive(&trees)?, ioctls::derive(&trees)?);
    let lacked = match &options.strace {
        Some(source) => strace::compare(source, &tables, &commands)?,
        None => Vec::new(),
    };
    lacked.iter().try_for_each(|line| say(out, line))?;
    let places = places::derive(&trees, &tables, &mut commands)?;
    let uses = Uses { kinds: kernel_source::derive_kinds(&trees)?, tables, commands, places };
    let facts = kernel_source::derive(&trees)?;
    let mut files = emit::files(&facts, &uses, &trees);
    if let Some(folder) = &options.man_pages {
        let calls = facts.tables.iter().flatten().map(|row| row.name.as_str()).collect();
        files.push(emit::manual(&manual::derive(folder, &calls)?));
    }
    for file in files {
        stale += usize::from(update(&file, options.check, out)?);
    }
    let verdict = match (stale, options.check) {
        (0, _) => "every table is up to date".to_owned(),
        (_, true) => format!("{stale} files are stale: run it without --check"),
        (_, false) => format!("{stale} files written"),
    };
    say(out, &verdict)?;
    Ok(if options.check && stale > 0 || !lacked.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Tells what changes in one file and, unless only checking, writes it. True if anything does.
fn update(file: &emit::File, check: bool, out: &mut impl Write) -> Result<bool> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file.path);
    let old = fs::read_to_string(&path).unwrap_or_default();
    if let Err(why) = provenance::verify(&old)
        && !old.is_empty()
    {
        say(out, &format!("{}: was edited by hand: {why}", file.path))?;
    }
    let changes = changes::changes(&old, &file.text);
    for change in &changes {
        say(out, &format!("{}: {change}", file.path))?;
    }
    if !changes.is_empty() && !check {
        fs::write(&path, &file.text).map_err(|cause| format!("write `{}`: {cause}", path.display()))?;
    }
    Ok(!changes.is_empty())
}

fn say(out: &mut impl Write, line: &str) -> Result<()> {
    writeln!(out, "{line}").map_err(|cause| format!("write the report: {cause}"))
}
