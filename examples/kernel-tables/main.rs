//! Writes sysguard's syscall and subsystem tables from unpacked kernel sources.
//!
//! To regenerate, unpack one or more trees, from the oldest kernel of interest to the newest, and
//! pass them all:
//!
//! ```text
//! apt-get install linux-source-6.12 && tar xf /usr/src/linux-source-6.12.tar.xz -C /tmp
//! apt-get source --download-only --tar-only linux    # newer: with backports or sid in deb-src
//! tar xf linux_7.1.8.orig.tar.xz -C /tmp
//! apt-get install manpages-dev                       # newer: from sid
//! cargo run --example kernel-tables -- --man-pages /usr/share/man/man2 \
//!     --source /tmp/linux-source-6.12 --source /tmp/linux-7.1.8
//! ```
//!
//! With `--strace DIR` it also prints the names of strace's lists that the tables lack, except
//! those with a reason in `missing`, and exits with 1 if there are any.
//!
//! It prints the changes, one row per line. With `--check` it writes nothing and exits with 1 if a
//! file would change. The header of each committed table names its kernels. The newest tree says
//! what a call is. Older trees only give an upper bound of the release that introduced it, where
//! the man-pages do not say it (`<=6.18`: 6.18 has it, the next older tree given does not). Without
//! `--man-pages` that table stays as it is. This example links the library: restore a table that
//! does not compile before generating a new one.
//!
//! The crate `kernel-source` reads calls and the kinds of objects; `cargo sysguard explain` reads
//! trees with it, too. The values of arguments are selected here and computed by the C compiler
//! (`cc` must be installed). `vocabularies`, `reaches` and `ioctls` are the curated part. `manual`
//! reads man-pages, `emit` writes Rust, `changes` compares, `provenance` writes and verifies
//! headers.

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

/// Write the syscall and subsystem tables from kernel source trees
#[derive(Parser)]
struct Options {
    /// An unpacked kernel source tree; repeat it for older and newer ones
    #[arg(long = "source", value_name = "DIR", required = true)]
    sources: Vec<PathBuf>,
    /// The folder man2 of the Linux man-pages, which give the first release of most calls
    #[arg(long, value_name = "DIR")]
    man_pages: Option<PathBuf>,
    /// An unpacked source of strace: print the names of its lists that the tables lack
    #[arg(long, value_name = "DIR")]
    strace: Option<PathBuf>,
    /// Write nothing; exit with 1 if a file would change
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse(), &mut io::stdout().lock()) {
        Ok(code) => code,
        Err(message) => {
            // A closed stderr cannot be reported.
            let _ = writeln!(io::stderr(), "error: cannot {message}");
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

/// Prints the changes of one file and, unless only checking, writes it. Returns true if there are
/// any.
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
