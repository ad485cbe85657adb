//! The table, in Markdown: each row is printed when it is known.

use std::io::{self, Write};

use crate::Row;
use crate::engines::Engine;
use crate::measure::Cell;

pub(crate) fn head(out: &mut dyn Write, engines: &[Engine]) -> io::Result<()> {
    writeln!(out, "Time as a multiple of native: median (quartiles) of paired runs.\n")?;
    write!(out, "| workload | native |")?;
    engines.iter().try_for_each(|engine| write!(out, " {} |", engine.name()))?;
    write!(out, "\n|---|---|")?;
    engines.iter().try_for_each(|_| write!(out, "---|"))?;
    writeln!(out)
}

pub(crate) fn row(out: &mut dyn Write, row: &Row) -> io::Result<()> {
    write!(out, "| {} | {} |", row.workload, seconds(row.native))?;
    for (_, cell) in &row.cells {
        match cell {
            Some(Cell { median, low, high }) => {
                write!(out, " {} ({}–{}) |", number(*median), number(*low), number(*high))?;
            }
            None => write!(out, " – |")?,
        }
    }
    writeln!(out)?;
    out.flush()
}

pub(crate) fn skipped(out: &mut dyn Write, workload: &str, reason: &str) -> io::Result<()> {
    writeln!(out, "| {workload} | {reason} |")
}

fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.1} s") }
}

/// Formats a ratio with at most three digits; more would not be significant.
fn number(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 10.0 => format!("{ratio:.2}"),
        ratio if ratio < 100.0 => format!("{ratio:.1}"),
        ratio => format!("{ratio:.0}"),
    }
}
