//! The call sites of first calls: equal stacks once, with the calls that had them.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::model::attribution::{ObjectKind, Use};
use crate::model::observe::call_site::Frame;
use crate::model::observe::observation::Observation;
use crate::model::observe::stacks::{Stack, folded, grouped};
use crate::report::Palette;
use crate::report::markup::markdown;
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

/// Writes the recorded call sites as Markdown: a heading and a code block for each stack.
pub(super) fn write_markdown(out: &mut dyn io::Write, observation: &Observation) -> io::Result<()> {
    for (at, Stack { site, frames, calls }) in grouped(observation).into_iter().enumerate() {
        if at == 0 {
            writeln!(out, "\n### Call sites of first calls, with the number of all such calls")?;
        }
        writeln!(out, "\n**{}**\n", markdown(&site.to_string()))?;
        for (used, count) in calls {
            writeln!(out, "- {}: {}", markdown(&format_use(used)), words::calls(count))?;
        }
        writeln!(out, "\n```text")?;
        for line in folded(frames) {
            // No backtick can end the block.
            writeln!(out, "{}", escaped(&line.to_string()).replace('`', "'"))?;
        }
        writeln!(out, "```")?;
    }
    Ok(())
}

/// A stack, and the uses that had it at their first call.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct StackRecord<'a> {
    /// The call site as text, or the reason for a missing one.
    site: String,
    /// The uses, in the order of their first calls.
    uses: Vec<StackUseRecord<'a>>,
    /// The functions, innermost first.
    frames: Vec<FrameRecord<'a>>,
}

/// A use with a recorded stack.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StackUseRecord<'a> {
    subsystem: String,
    syscall: Cow<'static, str>,
    argument: Option<&'a str>,
    object: Option<&'a str>,
    /// The number of all such calls.
    calls: u64,
}

/// A function on a stack; an inlined one has an entry of its own.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FrameRecord<'a> {
    /// The function, demangled, if known.
    function: Option<&'a str>,
    /// The program or library that contains it.
    module: &'a str,
    /// Its source file, if known.
    file: Option<&'a str>,
    /// The line in that file.
    line: Option<u32>,
}

/// Returns the recorded stacks as data.
pub(super) fn stacks(observation: &Observation) -> Vec<StackRecord<'_>> {
    grouped(observation).into_iter().map(StackRecord::from).collect()
}

impl<'a> From<Stack<'a>> for StackRecord<'a> {
    fn from(Stack { site, frames, calls }: Stack<'a>) -> Self {
        let uses = calls.into_iter().map(StackUseRecord::from).collect();
        Self { site: site.to_string(), uses, frames: frames.iter().map(FrameRecord::from).collect() }
    }
}

impl<'a> From<(&'a Use, u64)> for StackUseRecord<'a> {
    fn from((used, calls): (&'a Use, u64)) -> Self {
        let Use { subsystem, syscall, argument, object, .. } = used;
        Self {
            subsystem: subsystem.to_string(),
            syscall: syscall.name(),
            argument: argument.as_deref(),
            object: object.as_ref().map(ObjectKind::as_str),
            calls,
        }
    }
}

impl<'a> From<&'a Frame> for FrameRecord<'a> {
    fn from(Frame { function, source, module, .. }: &'a Frame) -> Self {
        let (file, line) = source.as_ref().map(|(file, line)| (file.as_str(), *line)).unzip();
        Self { function: function.as_deref(), module, file, line }
    }
}

fn format_use(Use { subsystem, syscall, argument, object, .. }: &Use) -> String {
    let details = [argument.as_deref(), object.as_ref().map(ObjectKind::as_str)].into_iter().flatten();
    let details: String = details.map(|detail| format!(" {}", escaped(detail))).collect();
    format!("{subsystem}::{}{details}", syscall.name())
}
