//! Orders the injections of an exploration. Main type: [`Plan`].
//!
//! The order depends on what the calls are, not on when they were made, so that threads do not
//! change it: each kind of call comes first, then its other stacks, then the last calls of these
//! stacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::attribution::Use;
use crate::model::expectation::storage::written_object;
use crate::model::explore::faults::{NoFault, plausible};
use crate::model::explore::injection::{CallPoint, Fault, Ids, Injection};
use crate::model::explore::survey::{Survey, SurveyedCall};
use crate::model::facts::error_path::{FailedCall, FaultName};

/// Which injections a plan holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Whether the calls of the dynamic loader are included.
    pub loader: bool,
    /// The faults that are injected; `None`: every plausible one.
    pub faults: Option<BTreeSet<FaultName>>,
}

/// The injections of an exploration, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The injections.
    pub steps: Vec<Step>,
    /// How many error paths the calls of every survey have, those that are left out by
    /// [`PlanOptions::faults`] included: a stack, a call and an error.
    pub reachable: usize,
    /// Whether several tasks make calls at once, so that the scheduler decides which calls are made
    /// and how often.
    pub is_concurrent: bool,
    left_out: BTreeMap<Untried, u64>,
}

/// One injection of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id in this plan.
    pub id: String,
    /// The call and its fault.
    pub injection: Injection,
    /// The call and its fault as files and reports name them.
    pub call: FailedCall,
    /// What the call uses.
    pub used: Use,
    /// The number of frames of its stack.
    pub depth: usize,
    /// Why it has its place in the plan.
    pub round: Round,
    /// Whether several tasks make the call at once, so that it depends on the scheduler which of
    /// them gets the fault: [`SurveyedCall::is_shared`].
    pub is_shared: bool,
}

/// The parts of a plan, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Round {
    /// The first stack with this call and this error.
    Kind,
    /// A further stack with them.
    Stack,
    /// The last call of a stack.
    Last,
}

/// Why something is not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Untried {
    /// The budget was used up. Counts injections.
    Budget,
    /// Only other errors were asked for. Counts injections.
    Filtered,
    /// The stack has made the call before, and makes it again. Counts injections.
    Repeated,
    /// Only some runs make the call. Counts calls.
    Varying,
    /// The dynamic loader makes the call. Counts calls.
    Loader,
    /// No error is plausible for calls of this name. Counts calls.
    Exempt,
    /// No error is plausible for another reason. Counts calls.
    NoFault(NoFault),
}

impl Untried {
    /// Returns whether injections are counted; calls otherwise.
    pub fn counts_injections(self) -> bool {
        matches!(self, Self::Budget | Self::Filtered | Self::Repeated)
    }
}

/// Writes the reason as a clause.
impl fmt::Display for Untried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Budget => "the budget was used up",
            Self::Filtered => "other errors were asked for",
            Self::Repeated => "the same stack makes the call before and after",
            Self::Varying => "only some runs make the call",
            Self::Loader => "the dynamic loader makes the call",
            Self::Exempt => "no error of the call is plausible",
            Self::NoFault(reason) => reason.reason(),
        })
    }
}

/// What the name of a call in a file says, and the object.
type Kind = (String, Option<String>, Option<String>);

/// The calls of one kind on one stack.
type Place = (Kind, CallPoint);

/// One fault of the calls of a place.
#[derive(Debug)]
struct Candidate<'a> {
    /// The calls that it is plausible for, by occurrence, with the number of surveys that have it.
    calls: BTreeMap<u32, (&'a SurveyedCall, Fault, usize)>,
    /// Its position among the faults of the call.
    rank: usize,
    /// Whether some survey shows the stack as shared.
    is_shared: bool,
}

/// An error path: one fault at a place.
#[derive(Debug)]
struct ErrorPath<'a> {
    kind: &'a Kind,
    place: CallPoint,
    name: FaultName,
    rank: usize,
    /// The calls that each survey has.
    calls: Vec<(&'a SurveyedCall, Fault)>,
    is_shared: bool,
}

impl<'a> Candidate<'a> {
    /// Returns the calls that so many surveys have.
    fn calls_of(&self, surveys: usize) -> Vec<(&'a SurveyedCall, Fault)> {
        let calls = self.calls.values().filter(|(.., count)| *count == surveys);
        calls.map(|(call, fault, _)| (*call, *fault)).collect()
    }

    /// Returns the calls that some surveys lack.
    fn varying(&self, surveys: usize) -> impl Iterator<Item = CallPoint> {
        self.calls.values().filter(move |(.., count)| *count < surveys).map(|(call, ..)| call.point)
    }
}

impl<'a> ErrorPath<'a> {
    /// Returns the error path; `None` if no call of it is in each survey.
    fn of(key: &'a (Place, FaultName), candidate: &Candidate<'a>, surveys: usize) -> Option<Self> {
        let ((kind, place), name) = key;
        let calls = candidate.calls_of(surveys);
        let is_shared = candidate.is_shared;
        (!calls.is_empty()).then_some(Self { kind, place: *place, name: *name, rank: candidate.rank, calls, is_shared })
    }
}

impl Plan {
    /// Plans the injections into the calls of these surveys of one workload.
    pub fn new(surveys: &[Survey], options: &PlanOptions) -> Self {
        let mut left_out: BTreeMap<Untried, u64> = BTreeMap::new();
        let candidates = candidates(surveys, options, &mut left_out);
        let varying: BTreeSet<CallPoint> =
            candidates.values().flat_map(|candidate| candidate.varying(surveys.len())).collect();
        let mut count = |reason, number: usize| *left_out.entry(reason).or_default() += number as u64;
        count(Untried::Varying, varying.len());
        let paths = candidates.iter().filter_map(|(key, candidate)| ErrorPath::of(key, candidate, surveys.len()));
        let mut paths: Vec<ErrorPath<'_>> = paths.collect();
        // The shallowest stack stands for its kind.
        paths.sort_by_key(|path| {
            let depth = path.calls.first().map(|(call, _)| call.depth);
            (depth, path.kind, path.place, path.name)
        });
        let mut waiting = Vec::new();
        let mut shown: BTreeSet<(&Kind, FaultName)> = BTreeSet::new();
        for ErrorPath { kind, name, rank, calls, is_shared, .. } in &paths {
            if options.faults.as_ref().is_some_and(|wanted| !wanted.contains(name)) {
                count(Untried::Filtered, calls.len());
                continue;
            }
            let round = if shown.insert((*kind, *name)) { Round::Kind } else { Round::Stack };
            // Of a shared stack, the last call is another one in each run, and so is the first one.
            let last = calls.iter().skip(1).last().filter(|_| !is_shared).map(|call| (Round::Last, call));
            let tried = 1 + usize::from(last.is_some());
            for (round, (call, fault)) in calls.first().map(|call| (round, call)).into_iter().chain(last) {
                waiting.push(((round, *rank, call.depth, *kind, *name), *call, *fault, *is_shared));
            }
            count(Untried::Repeated, calls.len() - tried);
        }
        left_out.retain(|_, number| *number > 0);
        let is_concurrent = surveys.iter().flat_map(|survey| &survey.calls).any(|call| call.is_shared);
        waiting.sort_by_key(|(key, call, ..)| (*key, call.point));
        let injections = waiting.iter().map(|(_, call, fault, _)| Injection { point: call.point, fault: *fault });
        let ids = Ids::of(injections);
        let steps = waiting.into_iter().map(|((round, .., name), call, fault, is_shared)| Step {
            is_shared,
            ..step(&ids, call, fault, name, round)
        });
        Self { steps: steps.collect(), reachable: paths.len(), is_concurrent, left_out }
    }

    /// Returns the step with this id, in any length.
    pub fn step(&self, id: &str) -> Option<&Step> {
        let exact = self.steps.iter().find(|step| step.id == id);
        exact.or_else(|| self.steps.iter().find(|step| step.injection.has_id(id)))
    }

    /// Returns how many error paths the first steps are on: the last call of a stack is on the path
    /// of its first one.
    pub fn paths(&self, tried: usize) -> usize {
        self.steps.iter().take(tried).filter(|step| step.round != Round::Last).count()
    }

    /// Returns what is not tried if the first steps are.
    pub fn untried(&self, tried: usize) -> BTreeMap<Untried, u64> {
        let rest = self.steps.len().saturating_sub(tried) as u64;
        let mut untried = self.left_out.clone();
        if rest > 0 {
            untried.insert(Untried::Budget, rest);
        }
        untried
    }
}

/// Returns the faults of each place. A reason to leave calls out counts if each survey gives it.
fn candidates<'a>(
    surveys: &'a [Survey],
    options: &PlanOptions,
    left_out: &mut BTreeMap<Untried, u64>,
) -> BTreeMap<(Place, FaultName), Candidate<'a>> {
    let mut found: BTreeMap<(Place, FaultName), Candidate<'a>> = BTreeMap::new();
    let mut met: BTreeSet<CallPoint> = BTreeSet::new();
    let mut given: BTreeMap<Untried, BTreeSet<usize>> = BTreeMap::new();
    for (index, survey) in surveys.iter().enumerate() {
        for call in &survey.calls {
            let is_new = met.insert(call.point);
            let faults = match plausible(call) {
                _ if call.by_loader && !options.loader => Err(Untried::Loader),
                Ok(faults) => Ok(faults),
                Err(NoFault::Exempt(_)) => Err(Untried::Exempt),
                Err(reason) => Err(Untried::NoFault(reason)),
            };
            let faults = match faults {
                Ok(faults) => faults,
                Err(reason) => {
                    *left_out.entry(reason).or_default() += u64::from(is_new);
                    given.entry(reason).or_default().insert(index);
                    continue;
                }
            };
            let place = (kind(call), CallPoint { occurrence: 0, ..call.point });
            for (rank, fault) in faults.into_iter().enumerate() {
                let key = (place.clone(), fault.name());
                let candidate =
                    found.entry(key).or_insert_with(|| Candidate { calls: BTreeMap::new(), rank, is_shared: false });
                candidate.rank = candidate.rank.min(rank);
                candidate.is_shared |= call.is_shared;
                candidate.calls.entry(call.point.occurrence).or_insert((call, fault, 0)).2 += 1;
            }
        }
    }
    left_out.retain(|reason, _| given.get(reason).is_some_and(|of| of.len() == surveys.len()));
    found
}

fn kind(call: &SurveyedCall) -> Kind {
    let object = call.used.object.as_ref().map(|object| written_object(object).to_string());
    (call.point.syscall.name().into_owned(), call.used.argument.as_deref().map(str::to_owned), object)
}

fn step(ids: &Ids, call: &SurveyedCall, fault: Fault, name: FaultName, round: Round) -> Step {
    let injection = Injection { point: call.point, fault };
    let (syscall, argument, _) = kind(call);
    Step {
        id: ids.id(&injection),
        injection,
        call: FailedCall { syscall, argument, fault: name },
        used: call.used.clone(),
        depth: call.depth,
        round,
        is_shared: false,
    }
}

#[cfg(test)]
mod tests;
