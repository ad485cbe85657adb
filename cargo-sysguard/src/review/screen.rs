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
    pub(crate) cause: Option<CauseLine<'a>>,
    /// The change of the file if it is accepted.
    pub(crate) change: &'a Change,
    /// Why the last key had no effect.
    pub(crate) note: Option<&'a str>,
}

/// The cause of a finding.
pub(crate) struct CauseLine<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// The number of other findings of it that are not decided.
    pub(crate) left: usize,
}

/// At most 80 columns.
const KEYS: &str = "[a]ccept  with r[e]ason  [r]eject  [s]kip  [u]ndo  stac[k]  [o]pen  [?]  [q]uit
the whole cause, in every workload: [g] accept  [x] reject";

const HELP: &str = "
  a  accept it into the expectation
  e  accept it with a reason, which becomes its `why:`
  r  reject it; a later test may propose it again
  s  skip it: it stays pending
  A, R, E, S  the same for all from here on of this workload; A and R ask first
  g, x  accept or reject all findings of its cause (the line with @), in every
        workload; asks first if there are several
  u  undo the last decision; press again for the one before
  k  show the stack of its first call
  o  open $VISUAL or $EDITOR at the source line, or at the expectation
  q  quit; Ctrl-Z suspends

Each decision is written at once. Press a key to continue. ";

/// Columns before the text of a line.
const INDENT: &str = "          ";

/// The character that Ctrl-Z sends in raw mode.
const SUSPEND: char = '\u{1a}';

impl<'a> Screen<'a> {
    pub(crate) fn new(diff_tool: Option<DiffTool<'a>>) -> Self {
        Self { keys: Term::stdout(), diff_tool }
    }

    /// Shows the change of the file if a finding is accepted, and then the finding. However long
    /// the change is, the finding and its cause stay on the screen, above the keys.
    pub(crate) fn show(&self, card: &Card<'_>) -> io::Result<()> {
        let (rows, columns) = self.keys.size_checked().unwrap_or((24, 80));
        let mut out = anstream::stdout().lock();
        writeln!(out)?;
        write_change(&mut out, card.file, card.change, self.diff_tool)?;
        let cause = card.cause.as_ref().map(CauseLine::text);
        write!(out, "\n{}", fitted(&text(card)?, cause.as_deref(), rows.into(), columns.into()))?;
        if let Some(note) = card.note {
            writeln!(out, "{note}")?;
        }
        write!(out, "\n{KEYS}\n> ")?;
        out.flush()
    }

    /// Explains the keys until one is pressed.
    pub(crate) fn help(&self) -> io::Result<()> {
        self.ask(HELP).map(drop)
    }

    /// Shows a stack one screen at a time, until a key other than `k` is pressed.
    pub(crate) fn stack(&self, key: &str, frames: &[String]) -> io::Result<()> {
        let (rows, columns) = self.keys.size_checked().unwrap_or((24, 80));
        let pages = pages(frames, rows.into(), columns.into());
        for (at, page) in pages.iter().enumerate() {
            let rest: usize = pages[at + 1..].iter().map(Vec::len).sum();
            let question = match rest {
                0 => "\nPress a key to continue. ".to_owned(),
                _ => format!("\n{rest} more lines: k shows them, another key continues. "),
            };
            let text: String = page.iter().map(|line| format!("{line}\n")).collect();
            let heading = escape::line(key);
            if !matches!(self.ask(&format!("\nstack of {heading}\n{text}{question}"))?, Some('k' | 'K')) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Returns whether the answer is yes.
    pub(crate) fn confirms(&self, question: &str) -> io::Result<bool> {
        Ok(matches!(self.ask(&format!("{question} [y]es, or another key for no: "))?, Some('y' | 'Y')))
    }

    /// Asks after the last finding. Returns whether the last decision is to be undone.
    pub(crate) fn asks_to_undo(&self) -> io::Result<bool> {
        let question = "\nthat was the last finding: [u]ndo, or another key to end\n> ";
        Ok(matches!(self.ask(question)?, Some('u' | 'U')))
    }

    fn ask(&self, question: &str) -> io::Result<Option<char>> {
        let mut out = anstream::stdout().lock();
        write!(out, "{question}")?;
        out.flush()?;
        drop(out);
        self.key()
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

/// Returns a finding as text: its place in the review, its key, and what is known of it.
fn text(card: &Card<'_>) -> io::Result<String> {
    let mut out = Vec::new();
    write!(out, "{} of {}  ", card.number, card.count)?;
    match card.finding {
        Some(finding) => {
            report::finding(&mut out, card.workload, card.file, card.pending, finding, &Palette::coloured())?;
        }
        None => writeln!(out, "an empty baseline for {}  {}", card.pending.platform(), card.workload)?,
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

impl CauseLine<'_> {
    fn text(&self) -> String {
        let Self { id, title, left } = self;
        let left = if *left > 0 { format!("; {left} more to decide") } else { String::new() };
        format!("  {id} {}{left}", escape::line(title))
    }
}

/// Returns the lines of a stack by screen, wrapped at words.
fn pages(frames: &[String], rows: usize, columns: usize) -> Vec<Vec<String>> {
    /// Lines above and below, and a heading of two lines.
    const OTHERS: usize = 5;
    let options = wrapping(columns).initial_indent("  ");
    let lines: Vec<String> = frames
        .iter()
        .flat_map(|frame| {
            textwrap::wrap(&escape::line(frame), &options).into_iter().map(String::from).collect::<Vec<_>>()
        })
        .collect();
    lines.chunks(rows.saturating_sub(OTHERS).max(3)).map(<[String]>::to_vec).collect()
}

/// Returns the options that wrap lines on a terminal of this width.
fn wrapping(columns: usize) -> textwrap::Options<'static> {
    textwrap::Options::new(columns.max(20))
        .subsequent_indent(INDENT)
        // The default depends on features that other crates enable.
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// Wraps the lines of a text at words, and cuts it so that its first line, which has the key, and
/// the cause below it stay on the screen.
fn fitted(text: &str, cause: Option<&str>, rows: usize, columns: usize) -> String {
    /// Lines of a note, of the keys, and between them.
    const BELOW: usize = 6;
    /// The most lines of a cause.
    const OF_CAUSE: usize = 4;
    let (key, rest) = text.split_once('\n').unwrap_or((text, ""));
    // It is not wrapped at words: a key must be copied whole.
    let of_key = textwrap::core::display_width(key).div_ceil(columns.max(1));
    let options = wrapping(columns);
    let mut above: Vec<String> =
        cause.into_iter().flat_map(|line| textwrap::wrap(line, &options)).map(String::from).collect();
    if above.len() > OF_CAUSE {
        above.truncate(OF_CAUSE - 1);
        above.push(format!("{INDENT}…"));
    }
    let lines: Vec<_> = rest.lines().flat_map(|line| textwrap::wrap(line, &options)).collect();
    let room = rows.saturating_sub(of_key + above.len() + BELOW).max(3);
    let shown = if lines.len() > room { room - 1 } else { lines.len() };
    let mut fitted = format!("{key}\n");
    for line in above.iter().map(String::as_str).chain(lines[..shown].iter().map(AsRef::as_ref)) {
        fitted.extend([line, "\n"]);
    }
    if shown < lines.len() {
        fitted += &format!("  … {} more lines\n", lines.len() - shown);
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_the_key_stays_on_the_screen() {
        let text = "1 of 2  new-syscall  w::network::connect\n  first   connect(3, 127.0.0.1:4433) = 0\n  \
                    by      http 1.2.0 http::get\n";
        assert_eq!(fitted(text, None, 24, 80), text);
        insta::assert_snapshot!(fitted(text, None, 24, 30), @"
        1 of 2  new-syscall  w::network::connect
          first   connect(3,
                  127.0.0.1:4433) = 0
          by      http 1.2.0 http::get
        ");
        let cause = Some("  @7c2c7a8e src/main.rs:6 demo::main → http 1.2.0: 3 new");
        insta::assert_snapshot!(fitted(text, cause, 13, 30), @"
        1 of 2  new-syscall  w::network::connect
          @7c2c7a8e src/main.rs:6
                  demo::main → http
                  1.2.0: 3 new
          first   connect(3,
                  127.0.0.1:4433) = 0
          by      http 1.2.0 http::get
        ");
        let many = format!("key\n{}", "  call    x\n".repeat(100));
        for rows in [10, 24, 50] {
            assert!(fitted(&many, None, rows, 80).lines().count() + 5 <= rows, "{rows}");
        }
        let (key, cause) = ("k".repeat(200), format!("  @7c2c7a8e {}", "name ".repeat(100)));
        let shown = fitted(&format!("{key}\n{many}"), Some(&cause), 24, 80);
        assert!(shown.lines().count() + 2 + 5 <= 24, "the key takes three lines:\n{shown}");
        assert!(shown.starts_with(&format!("{key}\n  @7c2c7a8e name name ")), "{shown}");
    }

    #[test]
    fn long_stack_has_several_screens() {
        let frames: Vec<String> = (0..40).map(|at| format!("demo::recurse{at} at src/main.rs:{at}")).collect();
        assert_eq!(pages(&frames, 50, 200).iter().map(Vec::len).collect::<Vec<_>>(), [40]);
        assert_eq!(pages(&frames, 24, 80).iter().map(Vec::len).collect::<Vec<_>>(), [19, 19, 2]);
        let long = [format!("demo::<{}> at src/main.rs:7\u{1b}[2J", "Vec<u8, ".repeat(20))];
        let pages = pages(&long, 24, 80);
        assert_eq!(pages.len(), 1);
        assert!(pages[0].iter().all(|line| line.chars().count() <= 80 && !line.contains('\u{1b}')), "{pages:?}");
    }

    #[test]
    fn keys_and_help_fit_on_eighty_columns() {
        let widest = KEYS.lines().chain(HELP.lines()).map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{widest:?}");
        assert!(HELP.lines().count() < 24);
    }
}
