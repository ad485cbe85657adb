//! Recorded stacks for a reader: equal ones are grouped, and long runs of frames of one library are
//! folded. Main functions: [`grouped`], [`folded`] and [`by_fact`].
//!
//! It must not choose a call site: [`CallSite`] does.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

#[cfg(feature = "unstable")]
use crate::model::attribution::Use;
use crate::model::facts::fact::Fact;
use crate::model::facts::site::is_c_library;
use crate::model::observe::call_site::{CallSite, Frame};
#[cfg(feature = "unstable")]
use crate::model::observe::observation::Observation;
use crate::model::observe::origin::{Origin, is_of_standard_library, is_own_crate, krate};

/// The fewest frames that a fold replaces. Folding fewer would save hardly any lines.
const FEWEST_HIDDEN: usize = 3;

/// A stack, and the kinds of calls that had it at their first call.
#[cfg(feature = "unstable")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack<'a> {
    /// The call site that the stack shows.
    pub site: &'a CallSite,
    /// The functions, innermost first. Those of the C library at its top are left out if the calls
    /// differ in them.
    pub frames: &'a [Frame],
    /// Each use with the number of all its calls, in the order of their first calls.
    pub calls: Vec<(&'a Use, u64)>,
}

/// A line of a folded stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// One function.
    Frame(&'a Frame),
    /// Functions of one library or package.
    Folded {
        /// The number of functions.
        count: usize,
        /// The library or package.
        library: String,
    },
}

/// Returns the stacks of the whole run, in the order of first calls.
///
/// Each call has its own wrapper in the C library, so stacks are equal if they are equal below it.
#[cfg(feature = "unstable")]
pub fn grouped(observation: &Observation) -> Vec<Stack<'_>> {
    // The calls of each phase are part of the whole run.
    let mut sites: Vec<_> = observation.sites.of_uses().filter(|(phase, ..)| phase.is_none()).collect();
    sites.sort_by_key(|(_, _, at, _)| *at);
    let mut stacks: Vec<Stack<'_>> = Vec::new();
    let mut known: HashMap<&[Frame], usize> = HashMap::new();
    for (_, used, _, site) in sites {
        let below = below_wrappers(&site.frames);
        let at = *known.entry(below).or_insert(stacks.len());
        if at == stacks.len() {
            stacks.push(Stack { site, frames: &site.frames, calls: Vec::new() });
        }
        let stack = &mut stacks[at];
        if stack.frames != site.frames {
            stack.frames = below;
        }
        let calls = observation.uses.get(used).map_or(0, |tally| tally.calls);
        stack.calls.push((used, calls));
    }
    stacks
}

/// Returns the functions below the wrappers of the C library, or all if there are no others.
#[cfg(feature = "unstable")]
fn below_wrappers(frames: &[Frame]) -> &[Frame] {
    let wrappers = frames.iter().take_while(|frame| is_c_library(&frame.module)).count();
    if wrappers < frames.len() { &frames[wrappers..] } else { frames }
}

/// Returns the lines of a stack. A long run of functions of one library keeps its first and its
/// last one; a run without names keeps its length. The user's own code stays whole.
pub fn folded(frames: &[Frame]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for run in frames.chunk_by(|one, next| library(one).is_some() && library(one) == library(next)) {
        match (run, run.first().and_then(library)) {
            ([_, _, ..], Some(library)) if run.iter().all(|frame| frame.function.is_none()) => {
                lines.push(Line::Folded { count: run.len(), library });
            }
            ([first, hidden @ .., last], Some(library)) if hidden.len() >= FEWEST_HIDDEN => {
                lines.extend([Line::Frame(first), Line::Folded { count: hidden.len(), library }, Line::Frame(last)]);
            }
            _ => lines.extend(run.iter().map(Line::Frame)),
        }
    }
    lines
}

/// The most lines of a stack that a proposal keeps.
const LINES: usize = 40;

/// The most characters of such a line.
const COLUMNS: usize = 160;

/// The most bytes of all stacks of a proposal.
const BYTES: usize = 64 * 1024;

/// Returns the lines of a stack for a proposal: folded and cut, with sources that do not depend on
/// the machine.
pub fn kept(frames: &[Frame]) -> Vec<String> {
    let frames: Vec<Frame> = frames.iter().map(Frame::with_short_source).collect();
    let lines = folded(&frames);
    let (shown, hidden) = lines.split_at(lines.len().min(LINES));
    let count = |line: &Line<'_>| if let Line::Folded { count, .. } = line { *count } else { 1 };
    let rest: usize = hidden.iter().map(count).sum();
    let rest = (rest > 0).then(|| format!("… {rest} more frames"));
    shown.iter().map(|line| cut(line.to_string())).chain(rest).collect()
}

fn cut(line: String) -> String {
    match line.char_indices().nth(COLUMNS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Returns the stacks of facts, the first ones if they are too long together. Facts with the same
/// stack share it.
pub fn by_fact<'a>(sites: impl Iterator<Item = (&'a Fact, &'a CallSite)>) -> BTreeMap<Fact, Arc<[String]>> {
    let mut known: HashMap<&[Frame], Option<Arc<[String]>>> = HashMap::new();
    let (mut stacks, mut bytes) = (BTreeMap::new(), 0);
    for (fact, site) in sites.filter(|(_, site)| !site.frames.is_empty()) {
        let stack = known.entry(&site.frames).or_insert_with(|| {
            let lines = kept(&site.frames);
            bytes += lines.iter().map(String::len).sum::<usize>();
            (bytes <= BYTES).then(|| lines.into())
        });
        stacks.extend(stack.clone().map(|stack| (fact.clone(), stack)));
    }
    stacks
}

/// `demo::fetch at src/main.rs:7`, `write in libc.so.6`, `… 6 frames in std`
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(Frame { function, source, module, .. }) => {
                f.write_str(function.as_deref().unwrap_or("?"))?;
                match source {
                    Some((file, line)) => write!(f, " at {file}:{line}"),
                    None => write!(f, " in {module}"),
                }
            }
            Self::Folded { count, library } => write!(f, "… {count} frames in {library}"),
        }
    }
}

/// Returns the library or package of a function; `None` for the user's own code.
fn library(frame: &Frame) -> Option<String> {
    let krate = frame.function.as_deref().and_then(krate);
    let origin = match frame.origin() {
        Origin::Unresolved | Origin::Unknown if krate.is_some_and(is_of_standard_library) => Origin::System,
        origin => origin,
    };
    match origin {
        Origin::Dependency { name, version } => Some(format!("{name} {version}").trim_end().to_owned()),
        Origin::System if !frame.is_c() && !is_c_library(&frame.module) => Some("std".to_owned()),
        _ if frame.module.contains(".so") => Some(frame.module.clone()),
        Origin::Own | Origin::Member { .. } => None,
        Origin::System | Origin::Unresolved | Origin::Unknown => match krate {
            Some(krate) if is_own_crate(krate, &frame.module) => None,
            krate => Some(krate.unwrap_or(&frame.module).to_owned()),
        },
    }
}

#[cfg(test)]
mod tests;
