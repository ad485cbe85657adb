//! `cargo sysguard diff`: compares expectations at a revision with those in the working tree. Main
//! type: [`Options`].
//!
//! With `--trace`, it traces the workloads of both and compares what they use.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;

use clap::ValueEnum;
use sysguard::unstable::model::expectation::Expectation;
use sysguard::unstable::model::judge::revisions::ExpectationDiff;
use sysguard::unstable::model::run::recording::Length;
use sysguard::unstable::report::revisions::Base;
use sysguard::unstable::report::{Palette, revisions};
use sysguard::unstable::settings::Flags;
use sysguard::unstable::store::{FOLDER, Store};

use crate::cargo::{BuildFlags, TargetFlags};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::git::Revision;
use crate::message;
use crate::output;
use crate::proposals::Proposals;
use crate::traced::{Compared, Traced};

/// `diff`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Compare the working tree with this git revision
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    base: String,
    /// Write the differences in this format: text, markdown or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: DiffFormat,
    /// Build and trace both revisions on this machine instead of comparing files
    ///
    /// Both run in the same environment, and no baseline is needed. On x86_64, the syscalls that
    /// the code of their programs could make are compared too, as `reach` finds them.
    #[arg(long)]
    trace: bool,
    /// With --trace: run each workload exactly N times instead of until no run adds anything
    #[arg(long, value_name = "N", requires = "trace")]
    runs: Option<NonZeroU32>,
    /// With --trace: run only workloads with one of these in their name
    #[arg(value_name = "FILTER", requires = "trace")]
    filters: Vec<String>,
    #[command(flatten)]
    cargo: BuildFlags,
    #[command(flatten)]
    targets: TargetFlags,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum DiffFormat {
    #[default]
    Text,
    Markdown,
    Json,
}

impl Options {
    /// Prints the differences. A difference is not a failure.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let proposals = Proposals::open(&self.cargo.packages, &settings)?;
        let Compared { diffs, reach, outcome, untraced } = if self.trace {
            let length = self.runs.map_or(Length::UntilQuiet, Length::Exactly);
            let traced = Traced {
                filters: &self.filters,
                length,
                cargo: &self.cargo,
                targets: &self.targets,
                settings: &settings,
            };
            traced.diffs(&proposals, &self.base)?
        } else {
            Compared { diffs: self.diffs(&proposals)?, reach: Vec::new(), outcome: Outcome::Expected, untraced: 0 }
        };
        let base = Base { revision: &self.base, traced: self.trace, untraced };
        let mut out = output::stdout();
        match self.format {
            DiffFormat::Text => revisions::text(&mut out, base, &diffs, &reach, &Palette::coloured()),
            DiffFormat::Markdown => revisions::markdown(&mut out, base, &diffs, &reach),
            DiffFormat::Json => revisions::json(&mut out, base, &diffs, &reach),
        }
        .map_err(Failure::output)?;
        Ok(outcome)
    }

    /// Returns the differences between the files.
    fn diffs(&self, proposals: &Proposals) -> Result<Vec<ExpectationDiff>, Failure> {
        let mut diffs = Vec::new();
        for (folder, store) in proposals.packages() {
            let revision = Revision::find(folder, &self.base)?;
            let (before, after) = (at(&revision, folder)?, now(store)?);
            let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
            names.sort();
            names.dedup();
            let diff = |name: &String| {
                let file = proposals.file_below(folder, store, name);
                ExpectationDiff::between(name, &file, before.get(name), after.get(name))
            };
            diffs.extend(names.into_iter().filter_map(diff));
        }
        Ok(diffs)
    }
}

/// Returns the expectations of the working tree by workload.
fn now(store: &Store) -> Result<BTreeMap<String, Expectation>, Failure> {
    let read = |name: &str| Ok((name.to_owned(), store.load(name).map_err(Failure::failed)?.expectation));
    store.names().map(read).collect()
}

/// Returns the expectations of a package at a revision. Warns about malformed files and skips
/// them.
fn at(revision: &Revision, folder: &Path) -> Result<BTreeMap<String, Expectation>, Failure> {
    let mut found = BTreeMap::new();
    for file in revision.files(folder, FOLDER)? {
        let path = Path::new(&file);
        if !Store::is_expectation(path) {
            continue;
        }
        if let Err(malformed) = Store::add_expectations(&mut found, path, &revision.read(folder, &file)?) {
            let line = format!("at the revision, {}", malformed.within(&file));
            // Ignore a closed standard error: the report is still written.
            let _ = writeln!(anstream::stderr(), "{}", message::warning(&line));
        }
    }
    Ok(found)
}
