//! A profile in the file format of <https://www.speedscope.app>: one profile for each program.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::record::ProfileRecord;
use super::stacks::StackRecord;
use super::words;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: String,
    exporter: String,
    shared: Shared<'a>,
    profiles: Vec<Sampled<'a>>,
}

#[derive(Serialize)]
struct Shared<'a> {
    frames: Vec<FrameInfo<'a>>,
}

#[derive(Serialize)]
struct FrameInfo<'a> {
    name: String,
    /// The source file, or else the program or library.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sampled<'a> {
    r#type: &'static str,
    name: &'a str,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    samples: Vec<&'a [usize]>,
    weights: Vec<u64>,
}

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    let unit = if record.sampled.clock == "cycles" { "none" } else { "nanoseconds" };
    let mut programs: BTreeMap<&str, Vec<&StackRecord>> = BTreeMap::new();
    for stack in &record.stacks {
        programs.entry(&stack.program).or_default().push(stack);
    }
    let profiles = programs.into_iter().map(|(name, stacks)| Sampled {
        r#type: "sampled",
        name,
        unit,
        start_value: 0,
        end_value: stacks.iter().map(|stack| stack.ticks).sum(),
        samples: stacks.iter().map(|stack| &stack.frames[..]).collect(),
        weights: stacks.iter().map(|stack| stack.ticks).collect(),
    });
    let frame = record.functions.iter().map(|function| FrameInfo {
        name: function.label(),
        file: function.source.as_deref().or(function.module.as_deref()),
    });
    let file = File {
        schema: "https://www.speedscope.app/file-format-schema.json",
        name: words::command(record),
        exporter: format!("sysguard {}", env!("CARGO_PKG_VERSION")),
        shared: Shared { frames: frame.collect() },
        profiles: profiles.collect(),
    };
    serde_json::to_writer(&mut *out, &file)?;
    writeln!(out)
}
