//! One injection that was replayed: the call, its stack, how the run ended, and everything that
//! differs. Main function: [`replay`].

use std::io;

use super::text::write_differences;
use crate::model::facts::example::Example;
use crate::model::judge::exploration::Replayed;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::escaped;

/// Writes a replayed injection.
pub fn replay(out: &mut dyn io::Write, replayed: &Replayed, palette: &Palette) -> io::Result<()> {
    let Replayed { id, workload, call, outcome, example, stack, no_stack, accepted, differences } = replayed;
    writeln!(out, "{}: {}", Painted(palette.heading, workload), escaped(id))?;
    writeln!(out, "  {}  {}", Painted(palette.hint, "injected:"), escaped(&call.to_string()))?;
    if let Some(outcome) = outcome {
        let style = if outcome.is_judged() && accepted.is_none() { palette.error } else { palette.same };
        let accepted = accepted.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let result = format!("{outcome}: {workload} {}{accepted}", outcome.meaning());
        writeln!(out, "  {}   {}", Painted(palette.hint, "outcome:"), Painted(style, escaped(&result)))?;
    }
    if let Some(Example { call, process }) = example {
        writeln!(out, "  {}      {}", Painted(palette.hint, "call:"), escaped(call))?;
        if !process.is_empty() {
            writeln!(out, "  {}        {}", Painted(palette.hint, "in:"), escaped(&process.join(" → ")))?;
        }
    }
    match no_stack {
        Some(reason) if stack.is_empty() => {
            writeln!(out, "  {}     not known: {reason}", Painted(palette.hint, "stack:"))?
        }
        _ if !stack.is_empty() => writeln!(out, "  {}", Painted(palette.hint, "stack:"))?,
        _ => {}
    }
    stack.iter().try_for_each(|frame| writeln!(out, "    {}", escaped(frame)))?;
    if outcome.is_none() {
        writeln!(out, "  it was left to a debugger, so its end is not compared")?;
    } else if differences.is_empty() {
        writeln!(out, "  end, output and files are those of a run without the injection")?;
    } else {
        writeln!(out, "  {}", Painted(palette.hint, "without (-) and with (+) the injection:"))?;
        write_differences(out, differences, palette)?;
    }
    Ok(())
}
