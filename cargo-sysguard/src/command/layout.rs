//! `cargo sysguard layout`: moves expectations of `run` between one file per test binary and one
//! file per test. Main type: [`Options`]. It runs no workload.

use std::io::Write;

use clap::ValueEnum;
use sysguard::unstable::settings::Flags;
use sysguard::unstable::store::{self, Moved};

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;
use crate::proposals::Proposals;

/// `layout`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Choose the layout: binary (one file for all tests of a binary) or test (one file per test)
    #[arg(value_name = "LAYOUT", value_enum, hide_possible_values = true)]
    layout: Layout,
    #[command(flatten)]
    cargo: PackageFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Layout {
    Binary,
    Test,
}

const AFTER_HELP: &str = "\
Facts, reasons, rules and proposals do not change. A test that would get other rules is not moved (its first document was edited, or that of the shared file has rules); \
neither is one with different baselines for one platform in both files. A line gives the reason, and the test's own file takes precedence. With `test`, an edited first \
document is copied to each test, but not to tests that are added later. `run` follows the existing layout: new tests of a binary go where its other tests are; the tests \
of a new binary share a file. Tests may run at the same time: each result is written to the file that holds its test at that moment.";

impl Options {
    /// Moves the tests of all selected packages and prints each move.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let proposals = Proposals::open(&self.cargo, &settings)?;
        let layout = match self.layout {
            Layout::Binary => store::Layout::Binary,
            Layout::Test => store::Layout::Test,
        };
        let mut out = output::stdout();
        let mut moved_any = false;
        for (folder, store) in proposals.packages() {
            for moved in store.lay_out(layout).map_err(Failure::failed)? {
                moved_any |= moved.tests > 0;
                let below = |file: &std::path::Path| proposals.shown(folder, file);
                for kept in &moved.kept {
                    let line = format!("kept {}: {}", below(&kept.file), kept.reason);
                    // Ignore a closed standard error: this is only a warning.
                    let _ = writeln!(anstream::stderr(), "{}", message::warning(&line));
                }
                if let Some(line) = line(layout, &moved, &below(&moved.shared)) {
                    writeln!(out, "{line}").map_err(Failure::output)?;
                }
            }
        }
        if !moved_any {
            writeln!(out, "nothing to move").map_err(Failure::output)?;
        }
        Ok(Outcome::Expected)
    }
}

fn line(layout: store::Layout, moved: &Moved, shared: &str) -> Option<String> {
    let count = match moved.tests {
        0 => return None,
        1 => "1 test".to_owned(),
        tests => format!("{tests} tests"),
    };
    Some(match layout {
        store::Layout::Binary => format!("moved {count} of {} into {shared}", moved.binary),
        store::Layout::Test => format!("moved {count} of {} out of {shared}", moved.binary),
    })
}
