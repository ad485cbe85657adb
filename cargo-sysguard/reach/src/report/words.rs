//! The words of the text formats: what the table and the page say alike.

use super::names::{self, escaped};
use super::record::{MissingRecord, ModuleRecord, ReachRecord};
use super::steps::{REACHED, StepRecord, UnresolvedRecord};

/// How many unresolved sites are listed before the rest is counted.
const SITES: usize = 10;

/// How many digits of a digest or build ID are shown.
const DIGITS: usize = 16;

/// Returns the title: what was analysed.
pub(super) fn title(record: &ReachRecord) -> String {
    let program = record.modules.first().map(|module| escaped(&module.path)).unwrap_or_default();
    match &record.workload.name {
        Some(name) => format!("Reachable syscalls of {} ({program})", escaped(name)),
        None => format!("Reachable syscalls of {program}"),
    }
}

/// Returns what the numbers mean, one sentence per line.
pub(super) fn lines(record: &ReachRecord) -> Vec<String> {
    let mut lines = vec![result(record)];
    lines.extend(doubts(record));
    lines.extend(record.looks_up_functions.as_ref().map(|chain| {
        format!(
            "lookups: code looks up functions by names that are not known ({}); functions that are found only so \
             are not included",
            names::way(record, chain)
        )
    }));
    lines.extend(record.loads_modules.as_ref().map(|chain| {
        format!(
            "modules: code that loads modules is reachable ({}); others than those listed are not included",
            names::way(record, chain)
        )
    }));
    lines.extend(record.executes_programs.as_ref().map(|chain| {
        format!(
            "programs: execve or execveat is reachable ({}); programs that are executed are not included",
            names::way(record, chain)
        )
    }));
    if let Some(run) = &record.run {
        let others = if run.executed_others { "; calls of other programs are not counted" } else { "" };
        let killed = match run.killed_stragglers {
            0 => String::new(),
            count => format!("; {} killed", counted(count as usize, "straggler", "stragglers")),
        };
        let status = run.status;
        lines.push(format!("observed: one run, traced by ptrace; it ended with exit status {status}{others}{killed}"));
    }
    lines
}

/// Returns the result in one sentence.
fn result(record: &ReachRecord) -> String {
    let reachable = record.reachable().len();
    let bound = format!("{} Unresolved call sites: {}.", assumptions(record), record.unresolved.len());
    match (record.observed(), record.upper_bound) {
        (Some(observed), true) => format!(
            "{observed} of the {reachable} syscalls that code reachable in these files could make were observed. {bound}"
        ),
        (None, true) => {
            format!("Code reachable in these files could make {reachable} syscalls. Nothing was run. {bound}")
        }
        (Some(observed), false) => {
            format!(
                "{reachable} syscalls were found that code reachable in these files could make; {observed} of them were observed."
            )
        }
        (None, false) => {
            format!("{reachable} syscalls were found that code reachable in these files could make. Nothing was run.")
        }
    }
}

/// Returns what an upper bound assumes, in one sentence.
fn assumptions(record: &ReachRecord) -> String {
    let count = |kind: &str| record.assumptions.iter().filter(|it| it.kind == kind).count();
    let mut parts = vec!["no generated code".to_owned(), "no modules beyond those listed".to_owned()];
    let (words, places) = (count("small-object"), count("data-in-code"));
    match words {
        0 => {}
        1 => parts.push("that 1 word of data is a variable of its own".to_owned()),
        _ => parts.push(format!("that {words} words of data are variables of their own")),
    }
    match places {
        0 => {}
        1 => parts.push("that 1 place in code holds data, because it cannot be decoded".to_owned()),
        _ => parts.push(format!("that {places} places in code hold data, because they cannot be decoded")),
    }
    let last = parts.pop().unwrap_or_default();
    format!("Assumes {} and {last}.", parts.join(", "))
}

/// Returns why the reachable calls are no upper bound.
pub(super) fn doubts(record: &ReachRecord) -> Vec<String> {
    let mut doubts = Vec::new();
    if !record.unresolved.is_empty() {
        let count = counted(record.unresolved.len(), "site", "sites");
        let mut sites: Vec<&UnresolvedRecord> = record.unresolved.iter().collect();
        sites.sort_by_key(|site| !makes_call(site));
        let listed = sites.into_iter().take(SITES).map(|site| format!("  {}", self::site(record, site)));
        let more = record.unresolved.len().saturating_sub(SITES);
        let more = (more > 0).then(|| format!("  {more} more (--format json lists all)"));
        doubts.push(format!("no upper bound: {count} unresolved"));
        doubts.extend(listed.chain(more));
    }
    doubts.extend(record.missing.iter().map(missing));
    if record.run.as_ref().is_some_and(|run| run.generates_code) {
        doubts.push("no upper bound: the run mapped memory as code that is of no file".to_owned());
    }
    let outside = record.calls.iter().filter(|call| call.chain.is_none());
    let outside: Vec<String> = outside.map(|call| escaped(&call.name)).collect();
    if !outside.is_empty() {
        doubts.push(format!("no upper bound: observed, but not found reachable: {}", outside.join(", ")));
    }
    doubts
}

/// Returns whether a site makes a call. At others, code could not be followed.
fn makes_call(site: &UnresolvedRecord) -> bool {
    matches!(site.reason.as_str(), "number" | "called-through-pointer" | "compatibility")
}

fn missing(MissingRecord { name, needed_by, reason }: &MissingRecord) -> String {
    let reason = match reason {
        Some(reason) => format!("cannot be used ({})", escaped(reason)),
        None => "was not found".to_owned(),
    };
    match needed_by {
        Some(by) => {
            format!(
                "no upper bound: {}, needed by {}, {reason}; give it by --with FILE",
                escaped(name),
                names::file(by)
            )
        }
        None => format!("no upper bound: {}, mapped by the run, {reason}", escaped(name)),
    }
}

/// Returns where a site is, and why it is not resolved.
fn site(record: &ReachRecord, site: &UnresolvedRecord) -> String {
    let of = |what: &str| site.function.as_ref().map_or_else(String::new, |name| format!("{what}{}", escaped(name)));
    let reason = match site.reason.as_str() {
        "number" => format!("the number is not known{}", of(": it is lost in ")),
        "called-through-pointer" => {
            format!("the number is a parameter{}", of(", and this is called through a pointer: "))
        }
        "jump" => "a jump to targets that are not known".to_owned(),
        "undecodable" => "instructions that cannot be decoded".to_owned(),
        "no-function" => "a jump to an address that is no known code".to_owned(),
        "compatibility" => "a call of the 32-bit ABI".to_owned(),
        other => escaped(other),
    };
    match site.chain.steps.last() {
        Some(step) => format!("{}: {reason}", place(record, step)),
        None => reason,
    }
}

/// Returns the place of an instruction: `read_line in demo at 0x1234 (src/main.rs:7)`.
fn place(record: &ReachRecord, step: &StepRecord) -> String {
    let module = names::module(record, step);
    let source = step.source.as_ref().map_or_else(String::new, |source| format!(" ({})", escaped(source)));
    let function =
        step.function.as_ref().map_or_else(String::new, |name| format!("{} in ", names::short(&escaped(name))));
    format!("{function}{module} at {:#x}{source}", step.at)
}

/// Returns how a step is reached.
pub(super) fn reached(step: &StepRecord) -> String {
    let known = REACHED.iter().find(|(_, name, _)| *name == step.reached);
    known.map_or_else(|| escaped(&step.reached), |(.., words)| (*words).to_owned())
}

/// Returns why a module was analysed.
pub(super) fn origin(module: &ModuleRecord) -> String {
    let by = module.by.as_deref().unwrap_or_default();
    match module.origin.as_str() {
        "needed" => format!("needed by {}", names::file(by)),
        "plug-in" => format!("plug-in of {}", escaped(by)),
        "mapped" => "mapped by the run".to_owned(),
        "given" => "given by --with".to_owned(),
        other => escaped(other),
    }
}

/// Returns what identifies the content of a module: the first digits of its build ID or SHA-256.
pub(super) fn identity(module: &ModuleRecord) -> String {
    let cut = |digits: &str| escaped(digits).chars().take(DIGITS).collect::<String>();
    match &module.build_id {
        Some(id) => format!("build ID {}", cut(id)),
        None => format!("SHA-256 {}", cut(&module.sha256)),
    }
}

/// `1 site`, `2 sites`.
pub(super) fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
