//! The interactive review of pending findings on a terminal. Main type: [`Review`].
//!
//! Each decision is written at once, and can be undone until the review ends.

mod editor;
mod items;
mod screen;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::facts::finding::Finding;
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::model::judge::verdict::Change;
use sysguard::unstable::report;
use sysguard::unstable::runner::DiffTool;
use sysguard::unstable::store::Decided;

use self::editor::Location;
use self::items::{Item, Items};
pub(crate) use self::screen::write_change;
use self::screen::{Card, CauseLine, Screen};
use self::state::{Scope, Step, Walk};
use crate::exit_code::Failure;
use crate::proposals::{Decision, Proposals, WorkloadId, takes_reason};

/// One review of all pending findings.
pub(crate) struct Review<'a> {
    proposals: &'a Proposals,
    items: Items,
    screen: Screen<'a>,
    /// The user's editor, as a command of the shell.
    editor: Option<&'a str>,
}

/// A decision that was written.
struct Done {
    decision: Decision,
    /// The finding that was shown.
    at: usize,
    of: Vec<usize>,
    /// What was written in each workload.
    undo: Vec<(WorkloadId, Decided)>,
}

impl<'a> Review<'a> {
    /// Returns a review of these pending findings.
    pub(crate) fn new(
        proposals: &'a Proposals,
        found: &[(WorkloadId, Pending)],
        diff_tool: Option<DiffTool<'a>>,
        editor: Option<&'a str>,
    ) -> Self {
        Self { proposals, items: Items::of(found), screen: Screen::new(diff_tool), editor }
    }

    /// Asks about each finding until the last one, or until the reviewer quits.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut walk = Walk::new(self.items.numbers());
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
        let rest = self.items.list.len().saturating_sub(accepted + rejected);
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
                walk.go_on();
                continue;
            };
            let left = self.others_left(at, done);
            self.show(at, &pending, left, note.take().as_deref()).map_err(Failure::output)?;
            let Some(key) = self.screen.key().map_err(Failure::output)? else { return Ok(false) };
            is_decided = false;
            match walk.step(key) {
                Step::Decide { decision, reason, scope, of } => {
                    let of = self.undecided(of)?;
                    match self.why(decision, reason, scope, &of)? {
                        Some(why) => {
                            let decided = self.decide(decision, at, of, why.as_deref())?;
                            is_decided = decided.is_some();
                            done.extend(decided);
                            walk.go_on();
                        }
                        None if reason => note = Some("no reason given; nothing was decided".to_owned()),
                        None => note = Some("nothing was decided".to_owned()),
                    }
                }
                Step::Undo => note = self.undo(walk, done)?,
                Step::Stack => note = self.stack(at, &pending)?,
                Step::Open => note = self.open(at, &pending),
                Step::Help => self.screen.help().map_err(Failure::output)?,
                Step::Skip(of) => walk.skip(of),
                Step::Quit => return Ok(false),
                Step::Unknown => {}
            }
        }
        Ok(is_decided)
    }

    /// Asks for the reason of a decision, or whether several findings are meant. Returns nothing if
    /// the reviewer declines, else the reason, if any.
    fn why(
        &self,
        decision: Decision,
        reason: bool,
        scope: Scope,
        of: &[usize],
    ) -> Result<Option<Option<String>>, Failure> {
        if reason {
            return Ok(self.screen.reason().map_err(Failure::output)?.map(Some));
        }
        let [first, _, ..] = of else { return Ok(Some(None)) };
        let verb = match decision {
            Decision::Accept => "accept",
            Decision::Reject => "reject",
        };
        let whole = match (scope, self.items.cause(*first)) {
            (Scope::Cause, Some(cause)) => {
                let workloads = self.by_workload(of).len();
                let within = if workloads > 1 { format!(" in {workloads} workloads") } else { String::new() };
                format!("{}{within}", cause.id)
            }
            _ => self.items.list[*first].place.1.clone(),
        };
        let question = format!("{verb} these {} findings of {whole}?", of.len());
        Ok(self.screen.confirms(&question).map_err(Failure::output)?.then_some(None))
    }

    /// Undoes the last decision and returns to its finding. Returns why that is impossible, if it
    /// is.
    fn undo(&self, walk: &mut Walk, done: &mut Vec<Done>) -> Result<Option<String>, Failure> {
        let Some(last) = done.last() else { return Ok(Some("nothing to undo".to_owned())) };
        if let Some(file) = self.proposals.undo(&last.undo)? {
            return Ok(Some(format!("cannot undo: {file} has changed since")));
        }
        for file in self.files(&last.undo) {
            self.print_line(&format!("undone: {file} is as before"))?;
        }
        walk.return_to(last.at);
        done.pop();
        Ok(None)
    }

    /// Shows the stack of a finding's first call, or returns the reason for a missing stack.
    fn stack(&self, at: usize, pending: &Pending) -> Result<Option<String>, Failure> {
        let Item { place, fact, .. } = &self.items.list[at];
        let finding = pending.findings().into_iter().find(|finding| Some(&finding.fact) == fact.as_ref());
        let Some(finding) = finding else { return Ok(Some("an empty baseline has no stack".to_owned())) };
        let Some(frames) = pending.stack(&finding.fact) else {
            return Ok(Some(report::without_stack(&finding)));
        };
        self.screen.stack(&finding.fact.key(&place.1), frames).map_err(Failure::output)?;
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
        let Item { place, fact, .. } = &self.items.list[at];
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

    /// Returns the pending findings of the item's workload, or nothing if the item was settled.
    /// Reads the files again, because other processes may write them.
    fn pending(&self, at: usize) -> Result<Option<Pending>, Failure> {
        let item = &self.items.list[at];
        let pending = self.proposals.pending(&item.place).map_err(Failure::failed)?;
        Ok(pending.filter(|pending| item.is_in(pending)))
    }

    /// Returns those of these items that still wait for a decision.
    fn undecided(&self, mut of: Vec<usize>) -> Result<Vec<usize>, Failure> {
        let places = self.by_workload(&of).into_keys();
        let pending = places.map(|place| Ok((place, self.proposals.pending(place).map_err(Failure::failed)?)));
        let pending: BTreeMap<&WorkloadId, Option<Pending>> = pending.collect::<Result<_, Failure>>()?;
        of.retain(|&at| {
            let item = &self.items.list[at];
            pending.get(&item.place).and_then(Option::as_ref).is_some_and(|pending| item.is_in(pending))
        });
        Ok(of)
    }

    /// Returns the number of other findings of the same cause that this review has not decided.
    fn others_left(&self, at: usize, done: &[Done]) -> usize {
        let decided: BTreeSet<usize> = done.iter().flat_map(|done| &done.of).copied().collect();
        let cause = self.items.list[at].cause;
        let others = self.items.list.iter().enumerate().filter(|(_, item)| cause.is_some() && item.cause == cause);
        others.filter(|(other, _)| *other != at && !decided.contains(other)).count()
    }

    fn show(&self, at: usize, pending: &Pending, left: usize, note: Option<&str>) -> std::io::Result<()> {
        let Item { place, fact, .. } = &self.items.list[at];
        let findings = pending.findings();
        let is_meant = |finding: &&Finding| Some(&finding.fact) == fact.as_ref();
        let finding = findings.iter().find(is_meant);
        let settled = pending.accept(&self.facts(&[at], pending), None);
        let file = self.proposals.file(place);
        let change = Change { before: pending.file().text(), after: settled.file, ..Change::default() };
        let cause = self.items.cause(at).map(|cause| CauseLine { id: &cause.id, title: &cause.title, left });
        let (number, count, workload) = (at + 1, self.items.list.len(), place.1.as_str());
        let change = &change;
        self.screen.show(&Card { number, count, workload, file: &file, pending, finding, cause, change, note })
    }

    /// Returns these items by their workload.
    fn by_workload(&self, of: &[usize]) -> BTreeMap<&WorkloadId, Vec<usize>> {
        let mut by_workload: BTreeMap<&WorkloadId, Vec<usize>> = BTreeMap::new();
        for &at in of {
            by_workload.entry(&self.items.list[at].place).or_default().push(at);
        }
        by_workload
    }

    /// Returns all facts below these items of one workload.
    fn facts(&self, of: &[usize], pending: &Pending) -> BTreeSet<Fact> {
        let facts = of.iter().filter_map(|&at| self.items.list[at].fact.as_ref());
        facts.flat_map(|fact| pending.under(fact)).collect()
    }

    /// Writes a decision in each workload and prints it. Returns nothing if nothing was pending any
    /// more.
    fn decide(
        &self,
        decision: Decision,
        at: usize,
        mut of: Vec<usize>,
        why: Option<&str>,
    ) -> Result<Option<Done>, Failure> {
        let mut undo = Vec::new();
        let mut all_facts = BTreeSet::new();
        for (place, here) in self.by_workload(&of) {
            // Another process may have decided on some of them meanwhile.
            let decided = self.proposals.decide(place, |pending| {
                let facts = self.facts(&here, pending);
                let settled = match decision {
                    Decision::Accept => pending.accept(&facts, why),
                    Decision::Reject => pending.reject(&facts),
                };
                all_facts.extend(facts);
                settled
            })?;
            undo.extend(decided.map(|decided| (place.clone(), decided)));
        }
        if undo.is_empty() {
            self.print_line("nothing was written: another process decided on it first")?;
            return Ok(None);
        }
        let files = self.files(&undo);
        match decision {
            Decision::Accept if why.is_some() && !takes_reason(&all_facts) => self.print_line(&format!(
                "accepted, but the reason was dropped (only a system call has a `why:`): wrote {}",
                files.join(", ")
            )),
            Decision::Accept => self.print_line(&format!("accepted: wrote {}", files.join(", "))),
            Decision::Reject => self.print_line("rejected"),
        }?;
        of.retain(|&at| undo.iter().any(|(place, _)| *place == self.items.list[at].place));
        Ok(Some(Done { decision, at, of, undo }))
    }

    /// Returns the expectation files of these decisions, each once.
    fn files(&self, of: &[(WorkloadId, Decided)]) -> Vec<String> {
        let files: BTreeSet<String> = of.iter().map(|(place, _)| self.proposals.file(place)).collect();
        files.into_iter().collect()
    }

    fn print_line(&self, line: &str) -> Result<(), Failure> {
        self.screen.print_line(line).map_err(Failure::output)
    }
}
