//! The terminal of a review: output and keys. Main type: [`Screen`].
//!
//! The terminal is in raw mode only while it waits for a key. A signal that ends the review
//! meanwhile restores the modes (`linux::keep_terminal`).

use std::io::{self, BufRead, Write};

use console::{Key, Term};
use sysguard::unstable::linux::suspend_job;
use sysguard::unstable::model::facts::finding::Finding;
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::model::judge::verdict::Change;
use sysguard::unstable::model::text::escape;
use sysguard::unstable::report::{self, Palette};
use sysguard::unstable::runner::DiffTool;

use crate::message;

/// A terminal, for output and input.
#[derive(Debug)]
pub(crate) struct Screen<'a> {
    keys: Term,
    /// The user's program that shows changes, if any.
    diff_tool: Option<DiffTool<'a>>,
}

/// One finding to show.
pub(crate) struct Card<'a> {
    pub(crate) number: usize,
    pub(crate) count: usize,
    pub(crate) workload: &'a str,
    pub(crate) file: &'a str,
    pub(crate) pending: &'a Pending,
    /// The finding, or nothing for an empty first baseline.
    pub(crate) finding: Option<&'a Finding>,
    /// The change of the file if it is accepted.
    pub(crate) change: &'a Change,
    /// The id and title of its cause, and the number of further findings of it.
    pub(crate) cause: Option<(&'a str, &'a str, usize)>,
}

const KEYS: &str = "[a]ccept  accept with a r[e]ason  [r]eject  [s]kip  [q]uit  capitals: all of this workload
accept [g]: all of this cause, in every workload  reject [x]: the same";

/// The character that Ctrl-Z sends in raw mode.
const SUSPEND: char = '\u{1a}';

impl<'a> Screen<'a> {
    pub(crate) fn new(diff_tool: Option<DiffTool<'a>>) -> Self {
        Self { keys: Term::stdout(), diff_tool }
    }

    /// Shows a finding and the change of the file if it is accepted.
    pub(crate) fn show(&self, card: &Card<'_>) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        write!(out, "\n({}/{}) ", card.number, card.count)?;
        write_card(&mut out, card)?;
        writeln!(out)?;
        write_change(&mut out, card.file, card.change, self.diff_tool)?;
        write!(out, "\n{KEYS}\n> ")?;
        out.flush()
    }

    /// Waits for a key. Returns nothing for Ctrl-C, or if the terminal was closed.
    pub(crate) fn key(&self) -> io::Result<Option<char>> {
        match self.keys.read_key_raw() {
            Ok(Key::Char(SUSPEND)) => {
                writeln!(anstream::stdout())?;
                suspend_job()?;
                // An unknown key shows the finding again.
                Ok(Some(' '))
            }
            Ok(Key::Char(key)) => {
                let shown = if key.is_control() { String::new() } else { key.to_string() };
                writeln!(anstream::stdout(), "{shown}")?;
                Ok(Some(key))
            }
            Ok(Key::CtrlC) => Ok(None),
            // Arrows and other special keys count as unknown.
            Ok(_) => Ok(Some(' ')),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for a reason. Returns nothing for an empty line.
    pub(crate) fn reason(&self) -> io::Result<Option<String>> {
        let mut out = anstream::stdout().lock();
        write!(out, "why: ")?;
        out.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let reason = line.trim();
        Ok((!reason.is_empty()).then(|| reason.to_owned()))
    }

    /// Prints a line.
    pub(crate) fn print_line(&self, line: &str) -> io::Result<()> {
        writeln!(anstream::stdout(), "{line}")
    }
}

/// Writes the change of a file with the user's diff tool, or built in if there is none or it fails.
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
            Err(error) => writeln!(out, "{}", message::warning(&error.to_string()))?,
        }
    }
    report::change(out, file, change, &Palette::coloured())
}

/// Writes the finding as text, with its cause.
pub(super) fn write_card(out: &mut dyn Write, card: &Card<'_>) -> io::Result<()> {
    write_finding(out, card)?;
    let Some((id, title, others)) = card.cause else { return Ok(()) };
    let others = if others > 0 { format!(", {others} more to decide") } else { String::new() };
    writeln!(out, "  cause   {id} {}{others}", escape::line(title))
}

fn write_finding(out: &mut dyn Write, card: &Card<'_>) -> io::Result<()> {
    match card.finding {
        Some(finding) => report::finding(out, card.workload, card.file, card.pending, finding, &Palette::coloured()),
        None => writeln!(out, "an empty baseline for {}  {}", card.pending.platform(), card.workload),
    }
}
