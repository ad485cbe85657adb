//! What the reviewer sees and types. Main type: [`Screen`].
//!
//! The terminal is changed for no longer than one key takes, and is as it was before that key is
//! acted on; a signal that ends the review meanwhile restores it (`linux::keep_terminal`).

use std::io::{self, BufRead, Write};

use console::{Key, Term};
use sysguard::linux::suspend_job;
use sysguard::model::facts::finding::Finding;
use sysguard::model::judge::pending::Pending;
use sysguard::model::judge::verdict::Change;
use sysguard::report::{self, Palette};
use sysguard::runner::DiffTool;

use crate::message;

/// A terminal, both ways.
#[derive(Debug)]
pub(crate) struct Screen<'a> {
    keys: Term,
    /// What shows changes instead of us.
    diff_tool: Option<DiffTool<'a>>,
}

/// One finding as it is shown.
pub(crate) struct Card<'a> {
    pub(crate) number: usize,
    pub(crate) count: usize,
    pub(crate) workload: &'a str,
    pub(crate) file: &'a str,
    pub(crate) pending: &'a Pending,
    /// Nothing where only an empty first baseline is pending.
    pub(crate) finding: Option<&'a Finding>,
    /// What accepting it makes of the file.
    pub(crate) change: &'a Change,
}

const KEYS: &str = "[a]ccept  accept with a r[e]ason  [r]eject  [s]kip  [q]uit  capitals: all of this workload";

/// What Ctrl-Z sends while single keys are read.
const SUSPEND: char = '\u{1a}';

impl<'a> Screen<'a> {
    pub(crate) fn new(diff_tool: Option<DiffTool<'a>>) -> Self {
        Self { keys: Term::stdout(), diff_tool }
    }

    /// Shows a finding and what accepting it would change.
    pub(crate) fn show(&self, card: &Card<'_>) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        write!(out, "\n({}/{}) ", card.number, card.count)?;
        write_card(&mut out, card)?;
        writeln!(out)?;
        write_change(&mut out, card.file, card.change, self.diff_tool)?;
        write!(out, "\n{KEYS}\n> ")?;
        out.flush()
    }

    /// Waits for a key; nothing at Ctrl-C, or where the terminal is gone.
    pub(crate) fn key(&self) -> io::Result<Option<char>> {
        match self.keys.read_key_raw() {
            Ok(Key::Char(SUSPEND)) => {
                writeln!(anstream::stdout())?;
                suspend_job()?;
                // Shows the finding again.
                Ok(Some(' '))
            }
            Ok(Key::Char(key)) => {
                let shown = if key.is_control() { String::new() } else { key.to_string() };
                writeln!(anstream::stdout(), "{shown}")?;
                Ok(Some(key))
            }
            Ok(Key::CtrlC) => Ok(None),
            // Arrows and the like mean nothing here.
            Ok(_) => Ok(Some(' ')),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a reason; nothing where none is given.
    pub(crate) fn reason(&self) -> io::Result<Option<String>> {
        let mut out = anstream::stdout().lock();
        write!(out, "why: ")?;
        out.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let reason = line.trim();
        Ok((!reason.is_empty()).then(|| reason.to_owned()))
    }

    /// Says what came of a key.
    pub(crate) fn tell(&self, line: &str) -> io::Result<()> {
        writeln!(anstream::stdout(), "{line}")
    }
}

/// What becomes of the file, by the user's own program where there is one that runs.
pub(crate) fn write_change(
    out: &mut dyn Write,
    file: &str,
    change: &Change,
    diff_tool: Option<DiffTool<'_>>,
) -> io::Result<()> {
    if let Some(tool) = diff_tool {
        out.flush()?;
        match tool.show(file, change) {
            Ok(()) => return Ok(()),
            Err(error) => writeln!(out, "{}", message::warning(&error))?,
        }
    }
    report::change(out, file, change, &Palette::coloured())
}

/// The finding in words.
pub(super) fn write_card(out: &mut dyn Write, card: &Card<'_>) -> io::Result<()> {
    match card.finding {
        Some(finding) => report::finding(out, card.workload, card.file, card.pending, finding, &Palette::coloured()),
        None => writeln!(out, "an empty baseline for {}  {}", card.pending.platform(), card.workload),
    }
}
