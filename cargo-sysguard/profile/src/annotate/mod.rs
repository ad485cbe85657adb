//! The instructions of one function with their share of its samples. Main functions: [`user`] and
//! [`kernel`].

mod instructions;
mod kernel;
mod user;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::Arc;

use sysguard::unstable::model::text::escape;

pub use kernel::{Code, kernel};
pub use user::user;

/// A function with its instructions.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Its name.
    pub function: String,
    /// Where its instructions are: a program, a library, or the kernel.
    pub file: String,
    /// The samples in it.
    pub samples: u64,
    /// All samples of the runs.
    pub all: u64,
    /// In the order of their addresses.
    pub instructions: Vec<Instruction>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// Its address in the file or in the kernel.
    pub address: u64,
    /// Samples at it.
    pub samples: u64,
    /// In AT&T syntax, as `perf annotate` shows it.
    pub text: String,
    /// The source file and line that it was compiled from.
    pub source: Option<(Arc<str>, u32)>,
}

/// Why a function cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No sample is in a function of this name.
    #[error("no sample is in a function `{name}`{}", most(.sampled))]
    NotSampled {
        /// The name.
        name: String,
        /// The functions with the most samples.
        sampled: Vec<String>,
    },
    /// Several functions have paths with this end.
    #[error("`{name}` is the name of several functions\nhelp: use a longer one: {}", .names.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The paths of the functions.
        names: Vec<String>,
    },
    /// The compiler put its code into other functions.
    #[error("`{name}` is inlined, so it has no instructions of its own\nhelp: annotate a function that holds them: {}", .within.join(", "))]
    Inlined {
        /// The name.
        name: String,
        /// The functions with its code.
        within: Vec<String>,
    },
    /// Its instructions cannot be read.
    #[error("cannot read the instructions of `{name}`: {reason}")]
    Unreadable {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Fault {
    fn unreadable(name: &str, reason: impl ToString) -> Self {
        Self::Unreadable { name: name.to_owned(), reason: reason.to_string() }
    }

    fn ambiguous(name: &str, names: &[&str]) -> Self {
        Self::Ambiguous { name: name.to_owned(), names: names.iter().copied().map(str::to_owned).collect() }
    }

    fn not_sampled(name: &str, names: BTreeMap<String, u64>) -> Self {
        let mut names: Vec<(String, u64)> = names.into_iter().collect();
        names.sort_by_key(|(_, samples)| std::cmp::Reverse(*samples));
        let sampled = names.into_iter().take(5).map(|(name, _)| name).collect();
        Self::NotSampled { name: name.to_owned(), sampled }
    }
}

/// Returns a help line with functions that have samples.
fn most(sampled: &[String]) -> String {
    if sampled.is_empty() { String::new() } else { format!("\nhelp: most samples are in {}", sampled.join(", ")) }
}

impl Annotation {
    /// Writes the instructions below their source lines. The text of a line that cannot be read is
    /// left out.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let Self { function, file, samples, all, .. } = self;
        let share = percent(*samples, *all);
        writeln!(out, "{} in {}: {samples} of {all} samples ({share} %)", escape::line(function), escape::line(file))?;
        for note in &self.notes {
            writeln!(out, "{}", escape::line(note))?;
        }
        writeln!(out)?;
        let mut sources: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut shown = None;
        for instruction in &self.instructions {
            if let Some((path, line)) = instruction.source.as_ref().filter(|source| shown != Some(*source)) {
                let lines = sources.entry(path).or_insert_with(|| lines(path));
                let text = (*line as usize).checked_sub(1).and_then(|at| lines.get(at)).map_or("", |text| text.trim());
                writeln!(out, "         {}:{line}  {}", escape::line(path), escape::line(text))?;
                shown = instruction.source.as_ref();
            }
            let share =
                if instruction.samples == 0 { String::new() } else { percent(instruction.samples, self.samples) };
            writeln!(out, "{share:>7}  {:>12x}:  {}", instruction.address, escape::line(&instruction.text))?;
        }
        Ok(())
    }
}

/// Returns the note on samples in other functions of the name, if there are any.
fn of_others(samples: u64) -> Option<String> {
    let word = if samples == 1 { "sample is" } else { "samples are" };
    (samples > 0).then(|| format!("{samples} more {word} in other functions of this name"))
}

fn percent(part: u64, all: u64) -> String {
    format!("{:.1}", part as f64 / all.max(1) as f64 * 100.0)
}

/// Returns the lines of a source file; none if it cannot be read.
fn lines(path: &str) -> Vec<String> {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
