//! An explanation as a title with labelled lines, for text and Markdown. Main type: [`Sheet`].

use std::collections::BTreeSet;

use crate::model::explain::{
    Argument, Behind, CallFacts, Declared, Entry, Explanation, HeldBy, Kernel, Key, MAN_PAGES, Meaning, ObjectFacts,
    Reaches, SubsystemFacts, UsedBy, What,
};
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::families::{Closeness, Family};
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::syscall::Syscall;
use crate::report::words::counted;

/// The maximum number of names on one line.
const NAMES: usize = 60;

/// One meaning of a name, or the description of a key.
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) kind: &'static str,
    pub(super) rows: Vec<(&'static str, Vec<String>)>,
}

/// Returns all sheets of an explanation in order.
pub(super) fn sheets(explained: &Explanation, kernel: &Kernel) -> Vec<Sheet> {
    let key = explained.key.iter().map(|key| of_key(key, &explained.name));
    key.chain(explained.meanings.iter().map(|meaning| of_meaning(meaning, kernel))).collect()
}

fn of_key(key: &Key, name: &str) -> Sheet {
    let held = |HeldBy { platform, why, owner, sometimes }: &HeldBy| {
        let why = why.iter().map(|why| format!(", why: {why}"));
        let owner = owner.iter().map(|owner| format!(", owner: {owner}"));
        let seen = sometimes.then(|| ", not in every recorded run".to_owned());
        std::iter::once(platform.to_string()).chain(seen).chain(why).chain(owner).collect::<String>()
    };
    let held: Vec<String> =
        if key.held.is_empty() { vec!["no baseline".to_owned()] } else { key.held.iter().map(held).collect() };
    let mut rows = vec![("workload", vec![key.workload.clone()]), ("held by", held)];
    rows.extend(key.pending.iter().map(|file| ("pending in", vec![file.clone()])));
    Sheet { title: name.to_owned(), kind: "key", rows }
}

fn of_meaning(meaning: &Meaning, kernel: &Kernel) -> Sheet {
    let mut sheet = match &meaning.what {
        What::Call(call) => of_call(call, kernel),
        What::Argument(argument) => of_argument(argument, kernel),
        What::Object(object) => of_object(object),
        What::Subsystem(subsystem) => of_subsystem(subsystem),
        What::BlindSpot(spot) => Sheet {
            title: spot.name().to_owned(),
            kind: "blind spot",
            rows: vec![("means", vec![spot.meaning().to_owned()])],
        },
        What::Signal(signal) => of_signal(*signal),
    };
    let ambient = matches!(&meaning.what, What::Call(call) if call.ambient.is_some());
    sheet.rows.push(("used by", used_by(&meaning.used_by, ambient)));
    if !matches!(meaning.what, What::BlindSpot(_) | What::Signal(_)) {
        sheet.rows.push(("based on", vec![provenance(kernel)]));
    }
    sheet
}

fn of_signal(signal: SignalName) -> Sheet {
    let number = format!("{}", signal.0);
    let fails = if signal.is_crash() {
        "if new, at every level: a process that it ends has crashed"
    } else {
        "if new, at `level: signal`; it is a note at other levels"
    };
    let meaning = signal.meaning().unwrap_or_default().to_owned();
    let rows = vec![("number", vec![number]), ("means", vec![meaning]), ("fails", vec![fails.to_owned()])];
    Sheet { title: signal.to_string(), kind: "signal", rows }
}

/// Returns the kernel that the explanation is based on.
pub(super) fn provenance(kernel: &Kernel) -> String {
    match &kernel.tree {
        Some(tree) => format!("Linux {}, the source tree {tree}", kernel.newest()),
        None => format!("Linux {}", kernel.newest()),
    }
}

fn of_call(call: &CallFacts, kernel: &Kernel) -> Sheet {
    let mut rows = Vec::new();
    if call.behind.is_empty() {
        rows.push(("numbers", vec![format!("not in any table of Linux {}", kernel.newest())]));
    } else {
        let mut all: Vec<Syscall> = call.behind.iter().flat_map(|behind| behind.numbers.clone()).collect();
        all.sort_by_key(|number| std::cmp::Reverse(number.abi));
        let numbers: Vec<String> = all.iter().map(|number| format!("{} {}", number.abi, number.number)).collect();
        rows.push(("numbers", vec![numbers.join(", ")]));
        rows.push(("entry", call.behind.iter().map(|behind| entry(behind, call.behind.len() > 1)).collect()));
    }
    let entries: Vec<&Entry> = call.behind.iter().filter_map(|behind| behind.entry_point.as_ref()).collect();
    if !entries.is_empty() {
        let all = |words: &dyn Fn(&Entry) -> String| distinct(entries.iter().map(|entry| words(entry)));
        rows.push(("maintained", all(&|entry| section(&entry.section))));
        rows.push(("subsystem", all(&|entry| format!("{}: {}", entry.subsystem, basis(&entry.basis)))));
        rows.push(("option", all(&|entry| option(entry.config.as_deref(), entry.expert))));
        rows.push(("since", all(&|entry| since(call, entry, kernel))));
    }
    rows.push((
        "family",
        if call.families.is_empty() {
            vec!["none".to_owned()]
        } else {
            call.families.iter().map(|family| family_line(family)).collect()
        },
    ));
    let page = call.page.as_ref();
    rows.push((
        "manual",
        vec![page.map_or_else(|| format!("man-pages {MAN_PAGES} has no page"), |page| format!("{page}(2)"))],
    ));
    rows.push(("ambient", vec![call.ambient.map_or_else(|| "no".to_owned(), |reason| format!("yes: {reason}"))]));
    rows.extend(call.privileged.map(|reason| ("privileged", vec![format!("yes: {reason}")])));
    Sheet { title: call.name.clone(), kind: "system call", rows }
}

/// Returns the entry point: `sys_openat in fs/open.c`, with its ABIs if there are several entry
/// points.
fn entry(behind: &Behind, with_abis: bool) -> String {
    let abis: Vec<&str> = behind.numbers.iter().map(|number| number.abi.name()).collect();
    let abis = if with_abis { format!(" ({})", abis.join(", ")) } else { String::new() };
    match &behind.entry_point {
        Some(entry) => format!("{} in {}{abis}", entry.name, entry.source),
        None => format!("none: the number answers ENOSYS{abis}"),
    }
}

/// Returns a section, or says that only the catch-all section covers the file.
pub(in crate::report) fn section(section: &str) -> String {
    match section.strip_prefix("core:") {
        Some(file) => format!("THE REST (no section of its own for {file})"),
        None => section.to_owned(),
    }
}

/// Returns why an entry point belongs to its subsystem: its path, or a rule for this call.
pub(super) fn basis(basis: &str) -> String {
    match basis.strip_prefix("path ") {
        Some(path) => format!("by the path {path}"),
        None => format!("a rule for this call: {basis}"),
    }
}

fn option(config: Option<&str>, expert: bool) -> String {
    match config {
        None => "none: every kernel has it".to_owned(),
        Some(config) if expert => format!("{config}, offered to experts only: practically every kernel has it"),
        Some(config) => config.to_string(),
    }
}

/// Returns since when a call exists, and according to which source.
fn since(call: &CallFacts, entry: &Entry, kernel: &Kernel) -> String {
    let by = match call.since {
        Some(_) => format!("syscalls(2) of man-pages {MAN_PAGES}"),
        None => format!("Linux {}", kernel.releases.join(", ")),
    };
    let since = call.since(entry).map(|since| format!("{}, by {by}", release(since)));
    since.unwrap_or_else(|| "unknown: neither the manual nor the trees say".to_owned())
}

/// Returns a release in words; `<=1.0` is an upper bound.
pub(super) fn release(since: &str) -> String {
    match since.strip_prefix("<=") {
        Some(bound) => format!("Linux {bound} or before"),
        None => format!("Linux {since}"),
    }
}

fn family_line(family: &Family) -> String {
    let loose = if family.closeness == Closeness::Loose { ", not fully equivalent" } else { "" };
    format!("{}{loose}: {} ({})", family.name, family.members.join(", "), family.why)
}

fn of_argument(argument: &Argument, kernel: &Kernel) -> Sheet {
    let number =
        argument.number.map_or_else(|| "none: it is a name".to_owned(), |number| format!("{number} ({number:#x})"));
    let why = argument.why.map(|why| format!(": {why}")).unwrap_or_default();
    let reaches = match argument.reaches {
        Reaches::Subsystem(subsystem) => format!("{subsystem}{why}"),
        Reaches::ItsCall => {
            let calls = kernel.calls.iter().filter(|call| argument.calls.contains(&call.name.as_ref()));
            let entries = calls.filter_map(|call| call.entry_point.as_ref());
            format!(
                "{}, same as the call without it",
                distinct(entries.map(|entry| entry.subsystem.to_string())).join(", ")
            )
        }
        Reaches::ItsObject => format!("depends on the object of the fd{why}"),
    };
    let mut rows =
        vec![("number", vec![number]), ("taken by", vec![argument.calls.join(", ")]), ("subsystem", vec![reaches])];
    rows.extend(argument.header.map(|header| ("header", vec![header.to_owned()])));
    rows.extend(argument.source.clone().map(|source| ("source", vec![source])));
    rows.extend(argument.section.as_deref().map(|of| ("maintained", vec![section(of)])));
    rows.extend(argument.options.as_ref().map(|(config, expert)| ("option", vec![option(config.as_deref(), *expert)])));
    match (&argument.declared, &kernel.tree) {
        (Some(Declared { at, section: of }), _) => {
            rows.push(("declared", vec![at.clone()]));
            rows.extend(argument.section.is_none().then(|| ("maintained", vec![section(of)])));
        }
        (None, Some(_)) => rows.push(("declared", vec!["not in this tree; the rest is from the tables".to_owned()])),
        (None, None) => {}
    }
    Sheet { title: argument.name.clone(), kind: "argument", rows }
}

fn of_object(object: &ObjectFacts) -> Sheet {
    let subsystem = object.subsystem.map_or_else(String::new, |subsystem| subsystem.to_string());
    let mut rows = vec![("subsystem", vec![format!("{subsystem}: {}", object.why)])];
    rows.extend(object.source.clone().map(|source| ("source", vec![source])));
    rows.extend(object.section.as_deref().map(|of| ("maintained", vec![section(of)])));
    rows.extend(object.options.as_ref().map(|(config, expert)| ("option", vec![option(config.as_deref(), *expert)])));
    if !object.made_by.is_empty() {
        rows.push(("made by", vec![object.made_by.join(", ")]));
    }
    Sheet { title: object.name.clone(), kind: "object", rows }
}

fn of_subsystem(facts: &SubsystemFacts) -> Sheet {
    let commands =
        (facts.commands > 0).then(|| counted(facts.commands, "command of ioctl", "commands of ioctl").to_string());
    let arguments = facts.arguments.iter().copied().map(str::to_owned).chain(commands).collect::<Vec<_>>();
    let rows = [
        ("name", vec![facts.subsystem.title().to_owned()]),
        ("calls", some(facts.calls.iter().map(String::as_str))),
        ("arguments", some(arguments.iter().map(String::as_str))),
        ("objects", some(facts.objects.iter().copied())),
        ("sources", some(facts.sources.iter().map(String::as_str))),
        ("maintained", distinct(facts.sections.iter().map(|title| section(title)))),
        ("options", some(facts.configs.iter().map(String::as_str))),
    ];
    let rows = rows.into_iter().filter(|(_, lines)| !lines.is_empty()).collect();
    Sheet { title: facts.subsystem.slug().to_owned(), kind: "subsystem", rows }
}

/// Returns the first of many names and the number of the others, on one line.
fn some<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(NAMES);
    let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    if names.is_empty() { Vec::new() } else { vec![shown + &rest] }
}

fn distinct(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    lines.filter(|line| seen.insert(line.clone())).collect()
}

fn used_by(used: &[UsedBy], ambient: bool) -> Vec<String> {
    if used.is_empty() {
        let why = if ambient { ": baselines hold ambient calls only under `ambient: strict`" } else { "" };
        return vec![format!("no workload here{why}")];
    }
    let line = |UsedBy { workload, facts }: &UsedBy| {
        let facts = distinct(facts.iter().map(place));
        format!("{workload} ({})", facts.join(", "))
    };
    used.iter().map(line).collect()
}

/// Returns where a baseline holds a fact: subsystem and call, and the argument's value if there is
/// one.
fn place(fact: &Fact) -> String {
    match fact {
        Fact::Use { subsystem, syscall: Some(syscall), detail } => match detail.as_ref().and_then(Detail::argument) {
            Some(value) => format!("{subsystem}::{syscall} {value}"),
            None => format!("{subsystem}::{syscall}"),
        },
        other => other.to_string(),
    }
}
