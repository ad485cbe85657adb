//! The call sites of first calls: equal stacks once, with the calls that had them.

use std::io;

use crate::model::attribution::{ObjectKind, Use};
use crate::model::observe::observation::Observation;
use crate::model::observe::stacks::{Stack, folded, grouped};
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words;
use crate::report::words::escaped;

/// Writes the recorded call sites; nothing if none were recorded.
pub(super) fn write(out: &mut dyn io::Write, observation: &Observation, palette: &Palette) -> io::Result<()> {
    let stacks = grouped(observation);
    if stacks.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nCall sites of first calls, with the number of all such calls")?;
    for Stack { site, frames, calls } in stacks {
        writeln!(out, "\n{}", Painted(palette.heading, escaped(&site.to_string())))?;
        for (used, count) in calls {
            writeln!(out, "  {}: {}", format_use(used), words::calls(count))?;
        }
        for line in folded(frames) {
            writeln!(out, "    {}", escaped(&line.to_string()))?;
        }
    }
    Ok(())
}

fn format_use(Use { subsystem, syscall, argument, object, .. }: &Use) -> String {
    let details = [argument.as_deref(), object.as_ref().map(ObjectKind::as_str)].into_iter().flatten();
    let details: String = details.map(|detail| format!(" {}", escaped(detail))).collect();
    format!("{subsystem}::{}{details}", syscall.name())
}
