//! The reach of a program as JSON: `sysguard.reach/1`. Main type: [`ReachRecord`].
//!
//! Field names and their order are a public interface. It can be read again, because `reach --save`
//! keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sysguard::unstable::model::attribution::entry_points;
use sysguard::unstable::model::kernel::syscall::Syscall;

use super::Subject;
use super::lines::SourceLines;
use super::steps::{ChainRecord, UnresolvedRecord};
use crate::modules::Missing;
use crate::observe::Observed;
use crate::result::{Assumption, AssumptionKind, Module, ModuleReach, Origin, Reach};
use crate::survey::Survey;

/// The name and version of the format.
const SCHEMA: &str = "sysguard.reach/1";

/// What `cargo sysguard reach --format json` writes. Within version 1, fields may be added and none
/// changes its meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.reach/1"))]
pub struct ReachRecord {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.reach/1")))]
    schema: String,
    pub(super) workload: WorkloadRecord,
    /// The architecture of the code.
    pub(super) arch: String,
    /// The files that were analysed, the program first.
    pub(super) modules: Vec<ModuleRecord>,
    /// The files that are needed and were not found.
    pub(super) missing: Vec<MissingRecord>,
    /// The run that was observed.
    pub(super) run: Option<RunRecord>,
    /// Whether the reachable calls are an upper bound: every file was found, every call site is
    /// resolved, and the run made no other call and generated no code.
    pub(super) upper_bound: bool,
    /// The calls that are reachable or were observed.
    pub(super) calls: Vec<CallRecord>,
    /// The number of reached instructions that make a call.
    pub(super) sites: u64,
    /// Call sites with calls that are not known, and code that could not be followed.
    pub(super) unresolved: Vec<UnresolvedRecord>,
    /// What was assumed of data, and cannot be known without symbols.
    pub(super) assumptions: Vec<AssumptionRecord>,
    /// A way to code that looks up functions by names that are not known.
    pub(super) looks_up_functions: Option<ChainRecord>,
    /// A way to code that loads files as code.
    pub(super) loads_modules: Option<ChainRecord>,
    /// A way to a call that executes a program.
    pub(super) executes_programs: Option<ChainRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct WorkloadRecord {
    pub(super) name: Option<String>,
    /// The program, and the arguments of the run.
    pub(super) command: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ModuleRecord {
    pub(super) path: String,
    /// Why it was analysed.
    #[cfg_attr(test, schemars(extend("enum" = ["program", "interpreter", "needed", "mapped", "plug-in", "given"])))]
    pub(super) origin: String,
    /// The file that needs it, or the component that loads it.
    pub(super) by: Option<String>,
    /// The build ID of its linker.
    pub(super) build_id: Option<String>,
    pub(super) sha256: String,
    /// The number of functions in it.
    pub(super) functions: u64,
    /// The number of those that can be reached.
    pub(super) reached: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct MissingRecord {
    pub(super) name: String,
    /// The file that needs it; null if a run mapped it.
    pub(super) needed_by: Option<String>,
    /// Why it cannot be used; null if there is no such file.
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RunRecord {
    /// How it ended, as a shell shows it.
    pub(super) status: i32,
    /// Whether the program mapped memory as code that is of no file.
    pub(super) generates_code: bool,
    /// Whether other programs were executed. Their calls are not counted.
    pub(super) executed_others: bool,
    /// The number of processes that outlived the first one and were killed.
    pub(super) killed_stragglers: u64,
}

/// A call that is reachable or was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CallRecord {
    pub(super) name: String,
    pub(super) abi: String,
    pub(super) number: i64,
    /// The subsystem of its entry point.
    pub(super) subsystem: String,
    /// Whether the run made it; null without a run.
    pub(super) observed: Option<bool>,
    /// A way to it; null if none was found.
    pub(super) chain: Option<ChainRecord>,
}

/// Something that was assumed of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct AssumptionRecord {
    /// `small-object`: the word belongs to no larger object, so that no code with another address
    /// uses it. `data-in-code`: what cannot be decoded is data.
    #[cfg_attr(test, schemars(extend("enum" = ["small-object", "data-in-code"])))]
    pub(super) kind: String,
    /// Index of its module.
    pub(super) module: usize,
    /// The address in the file.
    pub(super) address: u64,
}

/// A saved result cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is not such a JSON document.
    #[error("not a saved reach: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version of sysguard wrote it.
    #[error("a reach of another version: {0}")]
    Version(String),
    /// A step refers to a module that is missing.
    #[error("a step refers to a module that is missing")]
    Index,
}

impl ReachRecord {
    /// Returns the record of a survey. `lines` finds the source lines of some ways.
    pub fn new(subject: &Subject, survey: &Survey, lines: &SourceLines<'_>) -> Self {
        let Survey { modules, reach, observed } = survey;
        let calls = calls(reach, observed.as_ref(), lines);
        let missing: Vec<MissingRecord> = modules.missing().iter().map(MissingRecord::from).collect();
        let is_covered = calls.iter().all(|call| call.chain.is_some());
        let generates_code = observed.as_ref().is_some_and(|observed| observed.generates_code);
        Self {
            schema: SCHEMA.to_owned(),
            workload: WorkloadRecord { name: subject.workload.clone(), command: subject.command.clone() },
            arch: "x86_64".to_owned(),
            modules: modules
                .found()
                .iter()
                .zip(&reach.modules)
                .map(|(file, module)| ModuleRecord::of(file, module))
                .collect(),
            upper_bound: missing.is_empty() && reach.unresolved.is_empty() && is_covered && !generates_code,
            missing,
            run: observed.as_ref().map(RunRecord::from),
            calls,
            sites: reach.sites as u64,
            unresolved: reach.unresolved.iter().map(|site| UnresolvedRecord::of(site, reach, lines)).collect(),
            assumptions: reach.assumptions.iter().map(AssumptionRecord::from).collect(),
            looks_up_functions: reach.looks_up_functions.as_ref().map(ChainRecord::plain),
            loads_modules: reach.loads_modules.as_ref().map(ChainRecord::plain),
            executes_programs: reach.executes_programs.as_ref().map(ChainRecord::plain),
        }
    }

    /// Reads a record that [`Format::Json`](super::Format::Json) wrote.
    ///
    /// # Errors
    ///
    /// If it is no such record.
    pub fn read(json: &[u8]) -> Result<Self, Malformed> {
        let record: Self = serde_json::from_slice(json)?;
        if record.schema != SCHEMA {
            return Err(Malformed::Version(record.schema));
        }
        let has = |chain: &ChainRecord| chain.steps.iter().all(|step| step.module < record.modules.len());
        let is_within = |it: &AssumptionRecord| it.module < record.modules.len();
        if record.chains().all(has) && record.assumptions.iter().all(is_within) {
            Ok(record)
        } else {
            Err(Malformed::Index)
        }
    }

    /// Returns the files with the digests that they had: path and SHA-256.
    pub fn digests(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.modules.iter().map(|module| (Path::new(&module.path), module.sha256.as_str()))
    }

    /// Returns the names of the reachable calls of a subsystem or name that is selected.
    pub fn reachable_of(&self, is_selected: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let reachable = self.calls.iter().filter(|call| call.chain.is_some());
        reachable.filter(|call| is_selected(&call.subsystem, &call.name)).map(|call| call.name.clone()).collect()
    }

    /// Returns the names of the reachable calls.
    pub fn reachable(&self) -> BTreeSet<&str> {
        self.calls.iter().filter(|call| call.chain.is_some()).map(|call| call.name.as_str()).collect()
    }

    /// Returns how many of the reachable calls the run made; `None` without a run.
    pub fn observed(&self) -> Option<usize> {
        self.run.as_ref()?;
        let is_both = |call: &&CallRecord| call.observed == Some(true) && call.chain.is_some();
        Some(self.calls.iter().filter(is_both).count())
    }

    /// Returns whether the reachable calls are an upper bound, for these files.
    pub fn is_upper_bound(&self) -> bool {
        self.upper_bound
    }

    fn chains(&self) -> impl Iterator<Item = &ChainRecord> {
        let of_calls = self.calls.iter().filter_map(|call| call.chain.as_ref());
        let of_sites = self.unresolved.iter().map(|site| &site.chain);
        of_calls
            .chain(of_sites)
            .chain(&self.looks_up_functions)
            .chain(&self.loads_modules)
            .chain(&self.executes_programs)
    }
}

/// Returns the SHA-256 of a file in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the calls ordered by subsystem and name.
fn calls(reach: &Reach, observed: Option<&Observed>, lines: &SourceLines<'_>) -> Vec<CallRecord> {
    let made = observed.map(|observed| &observed.calls);
    let all: BTreeSet<Syscall> = reach.calls.keys().chain(made.into_iter().flatten()).copied().collect();
    let call = |syscall: Syscall| {
        let name = syscall.name().into_owned();
        let chain = reach.calls.get(&syscall);
        CallRecord {
            abi: syscall.abi.name().to_owned(),
            number: syscall.number,
            subsystem: entry_points::subsystem(syscall).slug().to_owned(),
            observed: made.map(|made| made.contains(&syscall)),
            chain: chain.map(|chain| {
                if lines.shows(&name) { ChainRecord::of(chain, lines) } else { ChainRecord::plain(chain) }
            }),
            name,
        }
    };
    let ordered: BTreeMap<(String, String, String), CallRecord> = all
        .into_iter()
        .map(call)
        .map(|call| ((call.subsystem.clone(), call.name.clone(), call.abi.clone()), call))
        .collect();
    ordered.into_values().collect()
}

impl ModuleRecord {
    fn of(file: &Module, module: &ModuleReach) -> Self {
        let (origin, by) = match &module.origin {
            Origin::Program => ("program", None),
            Origin::Interpreter => ("interpreter", None),
            Origin::NeededBy(path) => ("needed", Some(path.to_string_lossy().into_owned())),
            Origin::Mapped => ("mapped", None),
            Origin::PlugIn(loader) => ("plug-in", Some(loader.clone())),
            Origin::Given => ("given", None),
        };
        Self {
            path: module.path.to_string_lossy().into_owned(),
            origin: origin.to_owned(),
            by,
            build_id: module.build_id.clone(),
            sha256: digest(&file.bytes),
            // Some have no symbol and no entry in a table, and are found because they are reached.
            functions: module.functions.max(module.reached) as u64,
            reached: module.reached as u64,
        }
    }
}

impl From<&Assumption> for AssumptionRecord {
    fn from(Assumption { kind, module, address }: &Assumption) -> Self {
        let kind = match kind {
            AssumptionKind::SmallObject => "small-object",
            AssumptionKind::DataInCode => "data-in-code",
        };
        Self { kind: kind.to_owned(), module: *module, address: *address }
    }
}

impl From<&Missing> for MissingRecord {
    fn from(Missing { name, needed_by, reason }: &Missing) -> Self {
        let needed_by = needed_by.as_ref().map(|path| path.to_string_lossy().into_owned());
        Self { name: name.clone(), needed_by, reason: reason.clone() }
    }
}

impl From<&Observed> for RunRecord {
    fn from(observed: &Observed) -> Self {
        Self {
            status: observed.exit.shell_status(),
            generates_code: observed.generates_code,
            executed_others: observed.executed_others,
            killed_stragglers: observed.killed_stragglers,
        }
    }
}
