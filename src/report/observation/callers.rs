//! The call sites of first calls: a line for each call, and one for each function on its stack.

use std::io;

use crate::model::attribution::{ObjectKind, Use};
use crate::model::observe::call_site::{CallSite, Frame};
use crate::model::observe::observation::Observation;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::escaped;

/// Writes the recorded call sites; nothing if none were recorded.
pub(super) fn write(out: &mut dyn io::Write, observation: &Observation, palette: &Palette) -> io::Result<()> {
    // The calls of each phase are part of the whole run.
    for (_, used, _, site) in observation.sites.of_uses().filter(|(phase, ..)| phase.is_none()) {
        let Use { subsystem, syscall, argument, object, .. } = used;
        let details = [argument.as_deref(), object.as_ref().map(ObjectKind::as_str)].into_iter().flatten();
        let details: String = details.map(|detail| format!(" {}", escaped(detail))).collect();
        let called = format!("{subsystem}::{}{details}", syscall.name());
        writeln!(out, "\n{} by {}", Painted(palette.heading, called), escaped(&site.to_string()))?;
        let CallSite { frames, .. } = site;
        frames.iter().try_for_each(|frame| writeln!(out, "  {}", format_frame(frame)))?;
    }
    Ok(())
}

fn format_frame(Frame { function, source, module, .. }: &Frame) -> String {
    let function = escaped(function.as_deref().unwrap_or("?"));
    match source {
        Some((file, line)) => format!("{function} at {}:{line}", escaped(file)),
        None => format!("{function} in {}", escaped(module)),
    }
}
