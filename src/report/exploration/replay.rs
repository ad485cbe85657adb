//! One injection that was replayed: the call, its stack, how the run ended, and everything that
//! differs. Main type: [`Replayed`].

use std::io;

use super::text::write_differences;
use crate::model::facts::error_path::{FailedCall, RunOutcome};
use crate::model::facts::example::Example;
use crate::model::judge::exploration::difference::Difference;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::escaped;

/// An injection and what it showed.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The id.
    pub id: String,
    /// The workload.
    pub workload: String,
    /// The call that was made to fail.
    pub call: FailedCall,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// The call as text, and its process; `None` if it was not made.
    pub example: Option<Example>,
    /// The stack of the call, innermost first; empty if it is not known.
    pub stack: Vec<String>,
    /// Why there is no stack.
    pub no_stack: Option<&'static str>,
    /// Whether the expectation accepts the outcome: `recorded`, or the reason of an exception.
    pub accepted: Option<String>,
    /// What differs from a run without an injection.
    pub differences: Vec<Difference>,
    /// How to stop the workload at this call in a debugger.
    pub debugger: Vec<String>,
}

/// Writes a replayed injection.
pub fn replay(out: &mut dyn io::Write, replayed: &Replayed, palette: &Palette) -> io::Result<()> {
    let Replayed { id, workload, call, outcome, example, stack, no_stack, accepted, differences, debugger } = replayed;
    let style = if outcome.is_judged() && accepted.is_none() { palette.error } else { palette.same };
    let accepted = accepted.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    writeln!(out, "{}: {}", Painted(palette.heading, workload), escaped(id))?;
    writeln!(out, "  {}  {}", Painted(palette.hint, "injected:"), escaped(&call.to_string()))?;
    let result = format!("{outcome}: {workload} {}{accepted}", outcome.meaning());
    writeln!(out, "  {}   {}", Painted(palette.hint, "outcome:"), Painted(style, escaped(&result)))?;
    if let Some(Example { call, process }) = example {
        writeln!(out, "  {}      {}", Painted(palette.hint, "call:"), escaped(call))?;
        if !process.is_empty() {
            writeln!(out, "  {}        {}", Painted(palette.hint, "in:"), escaped(&process.join(" → ")))?;
        }
    }
    match no_stack {
        Some(reason) if stack.is_empty() => writeln!(out, "  {}     not known: {reason}", Painted(palette.hint, "stack:"))?,
        _ if !stack.is_empty() => writeln!(out, "  {}", Painted(palette.hint, "stack:"))?,
        _ => {}
    }
    stack.iter().try_for_each(|frame| writeln!(out, "    {}", escaped(frame)))?;
    if differences.is_empty() {
        writeln!(out, "  end, output and files are those of a run without the injection")?;
    } else {
        writeln!(out, "  {}", Painted(palette.hint, "without (-) and with (+) the injection:"))?;
        write_differences(out, differences, palette)?;
    }
    if !debugger.is_empty() {
        writeln!(out, "\n{}", Painted(palette.heading, "debugger:"))?;
        debugger.iter().try_for_each(|line| writeln!(out, "  {}", escaped(line)))?;
    }
    Ok(())
}
