//! `cargo sysguard layout`: moves what the tests of `run` use between one file a binary and one
//! file a test. Nothing is run.

use std::io::Write;

use clap::ValueEnum;
use sysguard::settings::Flags;
use sysguard::store::{self, Moved};

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
    /// Where the tests of a binary lie: binary (in one file) or test (a file each)
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
No fact, reason or proposal changes. With `binary`, a test with an edited first document keeps its own file, which goes before the shared one. \
`run` goes by what lies there: new tests of a binary go where its other tests are, those of a new binary share a file.";

impl Options {
    /// Moves the tests of all selected packages, and prints what was moved.
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
                    let said = format!("{} stays: its first document was edited", below(kept));
                    // Where even standard error is gone, the files have to do.
                    let _ = writeln!(anstream::stderr(), "{}", message::warning(&said));
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
