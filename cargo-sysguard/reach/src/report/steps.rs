//! Ways through the code as JSON. Main types: [`ChainRecord`] and [`UnresolvedRecord`].

use serde::{Deserialize, Serialize};

use super::lines::SourceLines;
use crate::result::{Chain, Reach, Reached, Step, Unresolved, Why};

/// A way from a root to an instruction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ChainRecord {
    /// The functions, from the root on. The last one has the instruction.
    pub(super) steps: Vec<StepRecord>,
    /// For restart_syscall: the call that the kernel resumes by it after a signal.
    pub(super) resumes: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct StepRecord {
    /// Index of its module.
    pub(super) module: usize,
    /// Its name; null without a symbol.
    pub(super) function: Option<String>,
    /// The address in the file where it starts.
    pub(super) start: u64,
    /// The address in the file of the instruction that leads on.
    pub(super) at: u64,
    /// How it is reached: as a root, or from the step before.
    #[cfg_attr(test, schemars(extend("enum" = REACHED.map(|(_, name, _)| name))))]
    pub(super) reached: String,
    /// FILE:LINE of that instruction; null if unknown, or not asked for (`--why`).
    pub(super) source: Option<String>,
}

/// A call site that is not resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct UnresolvedRecord {
    #[cfg_attr(test, schemars(extend("enum" = [
        "number", "called-through-pointer", "jump", "undecodable", "no-function", "compatibility",
    ])))]
    pub(super) reason: String,
    /// The function where the number is lost, or that is called through a pointer.
    pub(super) function: Option<String>,
    pub(super) chain: ChainRecord,
}

/// How a function is reached, as JSON and in words.
pub(super) const REACHED: [(Reached, &str, &str); 10] = [
    (Reached::Entry, "entry", "entry point"),
    (Reached::Constructor, "constructor", "runs at load or unload"),
    (Reached::Resolver, "resolver", "chooses an implementation at load"),
    (Reached::Loader, "loader", "looked up by the loader"),
    (Reached::Exported, "exported", "exported by a module that is loaded at run time"),
    (Reached::LookedUp, "looked-up", "its name is a string, and dlsym is reachable"),
    (Reached::InitialData, "initial-data", "in initial data of a runtime"),
    (Reached::Called, "called", "called"),
    (Reached::AddressTaken, "address-taken", "its address is taken"),
    (Reached::InData, "in-data", "its address is in data"),
];

impl ChainRecord {
    /// Returns a way with its source lines.
    pub(super) fn of(chain: &Chain, lines: &SourceLines<'_>) -> Self {
        let step = |step: &Step| StepRecord { source: lines.of(step), ..StepRecord::plain(step) };
        Self { steps: chain.steps.iter().map(step).collect(), ..Self::plain(chain) }
    }

    /// Returns a way without source lines.
    pub(super) fn plain(chain: &Chain) -> Self {
        Self {
            steps: chain.steps.iter().map(StepRecord::plain).collect(),
            resumes: chain.resumes.map(|syscall| syscall.name().into_owned()),
        }
    }
}

impl StepRecord {
    fn plain(step: &Step) -> Self {
        let name = REACHED.iter().find(|(reached, ..)| *reached == step.reached).map(|(_, name, _)| *name);
        Self {
            module: step.module,
            function: step.function.clone(),
            start: step.start,
            at: step.at,
            reached: name.unwrap_or_default().to_owned(),
            source: None,
        }
    }
}

impl UnresolvedRecord {
    pub(super) fn of(site: &Unresolved, reach: &Reach, lines: &SourceLines<'_>) -> Self {
        let named = |(module, function): &(usize, String)| {
            let file = reach.modules.get(*module).and_then(|module| module.path.file_name());
            format!("{function} in {}", file.unwrap_or_default().to_string_lossy())
        };
        let (reason, function) = match &site.why {
            Why::Number { lost_in } => ("number", lost_in.as_ref().map(named)),
            Why::CalledThroughPointer { function } => ("called-through-pointer", Some(named(function))),
            Why::Jump => ("jump", None),
            Why::Undecodable => ("undecodable", None),
            Why::NoFunction => ("no-function", None),
            Why::Compatibility => ("compatibility", None),
        };
        Self { reason: reason.to_owned(), function, chain: ChainRecord::of(&site.chain, lines) }
    }
}
