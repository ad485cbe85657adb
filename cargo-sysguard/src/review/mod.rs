//! The interactive review of pending findings on a terminal. Main type: [`Review`].
//!
//! Each decision is written at once.

mod screen;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::facts::finding::Finding;
use sysguard::unstable::model::judge::groups::{Cause, Member, groups};
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::model::judge::verdict::Change;
use sysguard::unstable::model::judge::weight::Weight;
use sysguard::unstable::runner::DiffTool;

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
    /// The title of each cause, by id.
    titles: BTreeMap<String, String>,
}

/// One thing to decide on.
struct Item {
    place: WorkloadId,
    /// The id of the cause.
    cause: String,
    /// The pending fact, or nothing for an empty first baseline.
    fact: Option<Fact>,
}

/// The number of accepted and rejected findings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    accepted: usize,
    rejected: usize,
}

impl<'a> Review<'a> {
    /// Returns a review of these pending findings.
    pub(crate) fn new(
        proposals: &'a Proposals,
        found: &[(WorkloadId, Pending)],
        diff_tool: Option<DiffTool<'a>>,
    ) -> Self {
        let weighed = |pending: &Pending| -> Vec<(Finding, Weight)> {
            pending.findings().into_iter().map(|finding| (finding.clone(), pending.weight(&finding))).collect()
        };
        let findings: Vec<(&WorkloadId, Vec<(Finding, Weight)>)> =
            found.iter().map(|(place, pending)| (place, weighed(pending))).collect();
        let groups = groups(findings.iter().flat_map(|(place, findings)| {
            let workload = place.1.as_str();
            findings.iter().map(move |(finding, weight)| Member { workload, finding, weight: *weight })
        }));
        let titles: BTreeMap<String, String> = groups.iter().map(|group| (group.id(), group.to_string())).collect();
        let order: BTreeMap<String, usize> =
            groups.iter().enumerate().map(|(number, group)| (group.id(), number)).collect();
        let of = |(place, findings): (&WorkloadId, Vec<(Finding, Weight)>)| {
            let item = |(finding, _): (Finding, Weight)| Item {
                cause: Cause::of(&place.1, &finding).id(),
                place: place.clone(),
                fact: Some(finding.fact),
            };
            let mut items: Vec<Item> = findings.into_iter().map(item).collect();
            items.sort_by_key(|item| order.get(&item.cause));
            if items.is_empty() {
                items.push(Item { place: place.clone(), cause: String::new(), fact: None });
            }
            items
        };
        let items = findings.clone().into_iter().flat_map(of).collect();
        Self { proposals, items, screen: Screen::new(diff_tool), titles }
    }

    /// Asks about each finding until the last one, or until the reviewer quits.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut tally = Tally::default();
        let mut walk = Walk::new(self.numbers(|item| &item.place), self.numbers(|item| &item.cause));
        while let Some(at) = walk.at() {
            let Some(pending) = self.pending(at)? else {
                // It was settled together with an earlier one.
                walk.go_to(at + 1);
                continue;
            };
            self.show(at, &pending).map_err(Failure::output)?;
            let Some(key) = self.screen.key().map_err(Failure::output)? else { break };
            match walk.step(key) {
                Step::Decide { decision, reason, of } => {
                    let why = if reason { self.screen.reason().map_err(Failure::output)? } else { None };
                    if reason && why.is_none() {
                        self.print_line("no reason given; nothing was decided")?;
                        continue;
                    }
                    if self.decide(decision, &of, why.as_deref())? {
                        tally.count(decision, of.len());
                    }
                    // Decided findings are passed over.
                    walk.go_to(at + 1);
                }
                Step::Skip(next) => walk.go_to(next),
                Step::Quit => break,
                Step::Unknown => {}
            }
        }
        let rest = self.items.len().saturating_sub(tally.accepted + tally.rejected);
        self.print_line(&format!("\n{} accepted, {} rejected, {rest} undecided", tally.accepted, tally.rejected))
    }

    /// Returns a number for a part of each item; equal parts have equal numbers.
    fn numbers<T: Ord>(&self, part: impl Fn(&Item) -> &T) -> Vec<usize> {
        let mut numbers = BTreeMap::new();
        let number = |part| {
            let next = numbers.len();
            *numbers.entry(part).or_insert(next)
        };
        self.items.iter().map(|item| part(item)).map(number).collect()
    }

    /// Returns the pending findings of the item's workload, or nothing if the item was settled.
    /// Reads the files again, because other processes may write them.
    fn pending(&self, at: usize) -> Result<Option<Pending>, Failure> {
        let Item { place, fact, .. } = &self.items[at];
        let pending = self.proposals.pending(place).map_err(Failure::failed)?;
        Ok(pending.filter(|pending| {
            fact.as_ref().is_none_or(|fact| pending.all().contains(fact) || !pending.under(fact).is_empty())
        }))
    }

    fn show(&self, at: usize, pending: &Pending) -> std::io::Result<()> {
        let Item { place, fact, cause } = &self.items[at];
        let findings = pending.findings();
        let is_meant = |finding: &&Finding| Some(&finding.fact) == fact.as_ref();
        let finding = findings.iter().find(is_meant);
        let settled = pending.accept(&self.facts(&[at], place, pending), None);
        let file = self.proposals.file(place);
        let change = Change { before: pending.file().text(), after: settled.file, ..Change::default() };
        let (number, count, workload) = (at + 1, self.items.len(), place.1.as_str());
        let others = self.items[at + 1..].iter().filter(|item| item.cause == *cause).count();
        let title = self.titles.get(cause).map(|title| (cause.as_str(), title.as_str(), others));
        let change = &change;
        self.screen.show(&Card { number, count, workload, file: &file, pending, finding, change, cause: title })
    }

    /// Returns all facts below those of these items that belong to a workload.
    fn facts(&self, of: &[usize], place: &WorkloadId, pending: &Pending) -> BTreeSet<Fact> {
        let items = of.iter().map(|&at| &self.items[at]).filter(|item| item.place == *place);
        items.filter_map(|item| item.fact.as_ref()).flat_map(|fact| pending.under(fact)).collect()
    }

    /// Writes a decision in each workload. Returns whether anything was still pending.
    fn decide(&self, decision: Decision, of: &[usize], why: Option<&str>) -> Result<bool, Failure> {
        let places: BTreeSet<&WorkloadId> = of.iter().map(|&at| &self.items[at].place).collect();
        let mut is_done = false;
        for place in places {
            // Another process may have settled it meanwhile.
            if let Some(pending) = self.proposals.pending(place).map_err(Failure::failed)? {
                let facts = self.facts(of, place, &pending);
                is_done |= self.decide_on(decision, place, &facts, why)?;
            }
        }
        Ok(is_done)
    }

    /// Writes a decision on a workload and prints it. Returns whether anything was still pending.
    fn decide_on(
        &self,
        decision: Decision,
        place: &WorkloadId,
        facts: &BTreeSet<Fact>,
        why: Option<&str>,
    ) -> Result<bool, Failure> {
        // Another process may have decided on some of them meanwhile.
        let is_done = self.proposals.decide(place, |pending| match decision {
            Decision::Accept => pending.accept(facts, why),
            Decision::Reject => pending.reject(facts),
        })?;
        match decision {
            _ if !is_done => self.print_line("nothing was written: another process decided on it first"),
            Decision::Accept if why.is_some() && !takes_reason(facts) => self.print_line(&format!(
                "accepted, but the reason was dropped (only a system call has a `why:`): wrote {}",
                self.proposals.file(place)
            )),
            Decision::Accept => self.print_line(&format!("accepted: wrote {}", self.proposals.file(place))),
            Decision::Reject => self.print_line("rejected"),
        }?;
        Ok(is_done)
    }

    fn print_line(&self, line: &str) -> Result<(), Failure> {
        self.screen.print_line(line).map_err(Failure::output)
    }
}

impl Tally {
    fn count(&mut self, decision: Decision, findings: usize) {
        match decision {
            Decision::Accept => self.accepted += findings,
            Decision::Reject => self.rejected += findings,
        }
    }
}
