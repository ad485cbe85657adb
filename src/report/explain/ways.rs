//! Whether a program could make calls, and by which way through its code. Main type: [`Ways`].

use serde::Serialize;

use super::sheet::Sheet;
use crate::report::way::WayRecord;

/// What an analysis of a program says of the calls that a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways {
    /// The program.
    pub program: String,
    /// The calls that are reachable, each with a way to it.
    pub found: Vec<(String, String)>,
    /// The calls to which no way was found.
    pub others: Vec<String>,
    /// Why the reachable calls of the program are no upper bound; empty if they are.
    pub doubts: Vec<String>,
}

impl Ways {
    /// Returns the sheet that follows those of the name.
    pub(super) fn sheet(&self) -> Sheet {
        let way = |(call, way): &(String, String)| format!("{call}: {way}");
        let mut rows = vec![("reachable", self.found.iter().map(way).collect::<Vec<_>>())];
        if self.found.is_empty() {
            rows[0].1.push(if self.doubts.is_empty() { "no" } else { "no way was found" }.to_owned());
        } else if !self.others.is_empty() {
            rows.push(("no way to", vec![self.others.join(", ")]));
        }
        if !self.doubts.is_empty() {
            rows.push(("but", self.doubts.iter().map(|doubt| doubt.trim_start().to_owned()).collect()));
        }
        Sheet { title: self.program.clone(), kind: "program", rows }
    }
}

/// A program that was analysed with `--reach`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct WaysRecord<'a> {
    /// The program, as given.
    program: &'a str,
    /// The calls of this name that are reachable in it.
    reachable: Vec<WayRecord<'a>>,
    /// The calls of this name to which no way was found.
    others: &'a [String],
    /// Whether the analysis gives an upper bound: then calls without a way are unreachable.
    upper_bound: bool,
}

impl<'a> From<&'a Ways> for WaysRecord<'a> {
    fn from(Ways { program, found, others, doubts }: &'a Ways) -> Self {
        let reachable = found.iter().map(WayRecord::from).collect();
        Self { program, reachable, others, upper_bound: doubts.is_empty() }
    }
}
