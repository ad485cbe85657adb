//! A profile as folded stacks: one line per stack, outermost function first, with its samples.
//! `_[k]` marks kernel functions, as `stackcollapse-perf.pl --kernel` writes them.

use std::collections::BTreeMap;
use std::io;

use super::record::ProfileRecord;
use super::stacks::FunctionRecord;
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for stack in &record.stacks {
        let words = [word(&stack.program)].into_iter().chain(record.frames(stack).map(frame));
        *lines.entry(words.collect::<Vec<_>>().join(";")).or_default() += stack.samples;
    }
    lines.iter().try_for_each(|(stack, samples)| writeln!(out, "{stack} {samples}"))
}

/// Returns the name of a function, or else of its file.
fn frame(function: &FunctionRecord) -> String {
    let name = word(&function.label());
    if function.kernel { format!("{name}_[k]") } else { name }
}

/// Returns text without the semicolon that separates functions.
fn word(text: &str) -> String {
    words::escaped(text).replace(';', ":")
}
