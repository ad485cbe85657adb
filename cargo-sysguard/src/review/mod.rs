//! The interactive review of pending findings on a terminal. Main type: [`Review`].
//!
//! Each decision is written at once, and can be undone until the review ends.

mod editor;
mod screen;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::facts::finding::Finding;
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::model::judge::verdict::Change;
use sysguard::unstable::runner::DiffTool;
use sysguard::unstable::store::Decided;

use self::editor::Location;
pub(crate) use self::screen::write_change;
use self::screen::{Card, Screen};
use self::state::{Step, Walk};
use crate::exit_code::Failure;
use crate::proposals::{Decision, Proposals, WorkloadId, takes_reason};

/// One review of all pending findings.
pub(crate) struct Review<'a> {
    proposals: &'a Proposals,
    items: Vec<Item>,
    screen: Screen<'a>,
    /// The user's editor, as a command of the shell.
    editor: Option<&'a str>,
}

/// One thing to decide on.
struct Item {
    place: WorkloadId,
    /// The pending fact, or nothing for an empty first baseline.
    fact: Option<Fact>,
}

/// A decision that was written.
struct Done {
    decision: Decision,
    of: Range<usize>,
    undo: Decided,
}

impl<'a> Review<'a> {
    /// Returns a review of these pending findings.
    pub(crate) fn new(
        proposals: &'a Proposals,
        found: &[(WorkloadId, Pending)],
        diff_tool: Option<DiffTool<'a>>,
        editor: Option<&'a str>,
    ) -> Self {
        let of = |(place, pending): &(WorkloadId, Pending)| {
            let facts: Vec<Fact> = pending.findings().into_iter().map(|finding| finding.fact).collect();
            let nothing = facts.is_empty().then_some(None);
            let place = place.clone();
            let items = facts.into_iter().map(Some).chain(nothing);
            items.map(move |fact| Item { place: place.clone(), fact }).collect::<Vec<_>>()
        };
        Self { proposals, items: found.iter().flat_map(of).collect(), screen: Screen::new(diff_tool), editor }
    }

    /// Asks about each finding until the last one, or until the reviewer quits.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut walk = Walk::new(self.workloads());
        let mut done = Vec::new();
        // Without this question, nothing could undo the decision that ends the review.
        while self.ask_each(&mut walk, &mut done)? && self.screen.asks_to_undo().map_err(Failure::output)? {
            if let Some(fault) = self.undo(&mut walk, &mut done)? {
                self.print_line(&fault)?;
            }
        }
        let count = |decision| -> usize {
            done.iter().filter(|done| done.decision == decision).map(|done| done.of.len()).sum()
        };
        let (accepted, rejected) = (count(Decision::Accept), count(Decision::Reject));
        let rest = self.items.len().saturating_sub(accepted + rejected);
        self.print_line(&format!("\n{accepted} accepted, {rejected} rejected, {rest} undecided"))
    }

    /// Asks about each finding from here on. Returns whether a decision was the last step.
    fn ask_each(&self, walk: &mut Walk, done: &mut Vec<Done>) -> Result<bool, Failure> {
        let mut is_decided = false;
        // Why the last key had no effect.
        let mut note = None;
        while let Some(at) = walk.at() {
            let Some(pending) = self.pending(at)? else {
                // It was settled together with an earlier one.
                walk.go_to(at + 1);
                continue;
            };
            self.show(at, &pending, note.take().as_deref()).map_err(Failure::output)?;
            let Some(key) = self.screen.key().map_err(Failure::output)? else { return Ok(false) };
            is_decided = false;
            match walk.step(key) {
                Step::Decide { decision, reason, of } => match self.why(decision, reason, &of)? {
                    Some(why) => {
                        let undo = self.decide(decision, &of, &pending, why.as_deref())?;
                        is_decided = undo.is_some();
                        walk.go_to(of.end);
                        done.extend(undo.map(|undo| Done { decision, of, undo }));
                    }
                    None if reason => note = Some("no reason given; nothing was decided".to_owned()),
                    None => note = Some("nothing was decided".to_owned()),
                },
                Step::Undo => note = self.undo(walk, done)?,
                Step::Open => note = self.open(at, &pending),
                Step::Help => self.screen.help().map_err(Failure::output)?,
                Step::Skip(next) => walk.go_to(next),
                Step::Quit => return Ok(false),
                Step::Unknown => {}
            }
        }
        Ok(is_decided)
    }

    /// Asks for the reason of a decision, or whether several findings are meant. Returns nothing if
    /// the reviewer declines, else the reason, if any.
    fn why(&self, decision: Decision, reason: bool, of: &Range<usize>) -> Result<Option<Option<String>>, Failure> {
        if reason {
            return Ok(self.screen.reason().map_err(Failure::output)?.map(Some));
        }
        let (count, workload) = (of.len(), &self.items[of.start].place.1);
        let verb = match decision {
            Decision::Accept => "accept",
            Decision::Reject => "reject",
        };
        let question = format!("{verb} these {count} findings of {workload}?");
        let is_meant = count == 1 || self.screen.confirms(&question).map_err(Failure::output)?;
        Ok(is_meant.then_some(None))
    }

    /// Undoes the last decision and returns to its finding. Returns why that is impossible, if it
    /// is.
    fn undo(&self, walk: &mut Walk, done: &mut Vec<Done>) -> Result<Option<String>, Failure> {
        let Some(Done { of, undo, decision }) = done.pop() else { return Ok(Some("nothing to undo".to_owned())) };
        let place = &self.items[of.start].place;
        if !self.proposals.undo(place, &undo)? {
            let file = self.proposals.file(place);
            done.push(Done { decision, of, undo });
            return Ok(Some(format!("cannot undo: {file} or its proposal has changed since")));
        }
        self.print_line(&format!("undone: {} is as before", self.proposals.file(place)))?;
        walk.go_to(of.start);
        Ok(None)
    }

    /// Opens the editor at the source line of a finding, or else at its line of the expectation.
    /// Returns why that failed, if it did.
    fn open(&self, at: usize, pending: &Pending) -> Option<String> {
        let Some(editor) = self.editor else { return Some("set VISUAL or EDITOR to open an editor".to_owned()) };
        let location = self.location(at, pending);
        match editor::command(editor, &location).status() {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("`{editor}` failed: {status}")),
            Err(error) => Some(format!("cannot run `{editor}`: {error}")),
        }
    }

    fn location(&self, at: usize, pending: &Pending) -> Location {
        let Item { place, fact } = &self.items[at];
        let finding = pending.findings().into_iter().find(|finding| Some(&finding.fact) == fact.as_ref());
        let site = finding.and_then(|finding| finding.site);
        let source = site.and_then(|site| editor::location(&site.words, self.proposals.folder(place)));
        source.unwrap_or_else(|| {
            let [expectation, proposal] = self.proposals.paths(place);
            let subsystem = match fact {
                Some(Fact::Use { subsystem, .. }) => Some(*subsystem),
                _ => None,
            };
            let line = pending.file().line(pending.platform(), subsystem);
            let line = line.and_then(|line| line.to_string().parse().ok()).unwrap_or_default();
            // A first baseline of a closure has no file yet.
            if expectation.exists() {
                Location { file: expectation, line }
            } else {
                Location { file: proposal, line: 0 }
            }
        })
    }

    /// Returns a number for the workload of each item.
    fn workloads(&self) -> Vec<usize> {
        let mut numbers = BTreeMap::new();
        let number = |item| {
            let next = numbers.len();
            *numbers.entry(item).or_insert(next)
        };
        self.items.iter().map(|item| &item.place).map(number).collect()
    }

    /// Returns the pending findings of the item's workload, or nothing if the item was settled.
    /// Reads the files again, because other processes may write them.
    fn pending(&self, at: usize) -> Result<Option<Pending>, Failure> {
        let Item { place, fact } = &self.items[at];
        let pending = self.proposals.pending(place).map_err(Failure::failed)?;
        Ok(pending.filter(|pending| {
            fact.as_ref().is_none_or(|fact| pending.all().contains(fact) || !pending.under(fact).is_empty())
        }))
    }

    fn show(&self, at: usize, pending: &Pending, note: Option<&str>) -> std::io::Result<()> {
        let Item { place, fact } = &self.items[at];
        let findings = pending.findings();
        let is_meant = |finding: &&Finding| Some(&finding.fact) == fact.as_ref();
        let finding = findings.iter().find(is_meant);
        let settled = pending.accept(&self.facts(&(at..at + 1), pending), None);
        let file = self.proposals.file(place);
        let change = Change { before: pending.file().text(), after: settled.file, ..Change::default() };
        let (number, count, workload) = (at + 1, self.items.len(), place.1.as_str());
        self.screen.show(&Card { number, count, workload, file: &file, pending, finding, change: &change, note })
    }

    /// Returns all facts below these items of one workload.
    fn facts(&self, of: &Range<usize>, pending: &Pending) -> BTreeSet<Fact> {
        let facts = self.items[of.clone()].iter().filter_map(|item| item.fact.as_ref());
        facts.flat_map(|fact| pending.under(fact)).collect()
    }

    /// Writes a decision and prints it. Returns what undoes it, if anything was still pending.
    fn decide(
        &self,
        decision: Decision,
        of: &Range<usize>,
        pending: &Pending,
        why: Option<&str>,
    ) -> Result<Option<Decided>, Failure> {
        let facts = self.facts(of, pending);
        let place = &self.items[of.start].place;
        // Another process may have decided on some of them meanwhile.
        let undo = self.proposals.decide(place, |pending| match decision {
            Decision::Accept => pending.accept(&facts, why),
            Decision::Reject => pending.reject(&facts),
        })?;
        match decision {
            _ if undo.is_none() => self.print_line("nothing was written: another process decided on it first"),
            Decision::Accept if why.is_some() && !takes_reason(&facts) => self.print_line(&format!(
                "accepted, but the reason was dropped (only a system call has a `why:`): wrote {}",
                self.proposals.file(place)
            )),
            Decision::Accept => self.print_line(&format!("accepted: wrote {}", self.proposals.file(place))),
            Decision::Reject => self.print_line("rejected"),
        }?;
        Ok(undo)
    }

    fn print_line(&self, line: &str) -> Result<(), Failure> {
        self.screen.print_line(line).map_err(Failure::output)
    }
}
