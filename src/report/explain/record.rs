//! Explanations as JSON: `sysguard.explain/1`. Field names and their order are a public interface.

use std::io;

use serde::Serialize;

use super::ways::{Ways, WaysRecord};
use crate::model::explain::{
    Argument, Behind, CallFacts, Entry, Explanation, HeldBy, Kernel, Key, Meaning, ObjectFacts, Reaches,
    SubsystemFacts, UsedBy, What,
};
use crate::model::facts::families::{Closeness, Family};

/// What `cargo sysguard explain NAME --format json` writes: every meaning of a name. Within version
/// 1, fields and kinds may be added and none changes its meaning.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.explain/1"))]
pub(in crate::report) struct ExplainRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.explain/1")))]
    schema: &'static str,
    /// The name, as given.
    name: &'a str,
    /// The kernel that the answer is based on: the tables, or the given source tree.
    kernel: KernelRecord<'a>,
    key: Option<KeyRecord<'a>>,
    #[cfg_attr(test, schemars(length(min = 1)))]
    meanings: Vec<MeaningRecord<'a>>,
    /// Missing without `--reach`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "WaysRecord<'static>"))]
    reach: Option<WaysRecord<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct KernelRecord<'a> {
    version: &'a str,
    releases: &'a [String],
    source: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct KeyRecord<'a> {
    workload: &'a str,
    fact: String,
    /// The baselines that contain it.
    held: Vec<HeldRecord<'a>>,
    /// The proposal that would add it.
    pending: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct HeldRecord<'a> {
    platform: String,
    why: Option<&'a str>,
    owner: Option<&'a str>,
    sometimes: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct MeaningRecord<'a> {
    #[serde(flatten)]
    what: WhatRecord<'a>,
    used_by: Vec<UsedRecord<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UsedRecord<'a> {
    workload: &'a str,
    keys: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum WhatRecord<'a> {
    Syscall {
        name: &'a str,
        numbers: Vec<NumberRecord<'a>>,
        entry_points: Vec<EntryRecord<'a>>,
        families: Vec<FamilyRecord>,
        man_page: Option<String>,
        /// The reason; null if it is not.
        ambient: Option<&'a str>,
        /// The reason; null if it is not.
        privileged: Option<&'a str>,
    },
    Argument {
        name: &'a str,
        #[cfg_attr(test, schemars(with = "Option<i64>"))]
        number: Option<u64>,
        calls: &'a [&'static str],
        subsystem: Option<&'static str>,
        #[cfg_attr(test, schemars(extend("enum" = ["subsystem", "its-call", "its-object"])))]
        reaches: &'static str,
        why: Option<&'a str>,
        header: Option<&'a str>,
        /// The source file or folder that handles it, or else its header.
        source: Option<&'a str>,
        config: Option<&'a str>,
        expert: bool,
        /// FILE:LINE in the given source tree.
        declared: Option<&'a str>,
        /// Section of MAINTAINERS for the source, or else for the file that declares it.
        section: Option<&'a str>,
    },
    Object {
        name: &'a str,
        subsystem: Option<&'static str>,
        why: &'a str,
        source: Option<&'a str>,
        /// Section of MAINTAINERS for that file.
        section: Option<&'a str>,
        /// null: none, or no Makefile says so.
        config: Option<&'a str>,
        expert: bool,
        made_by: &'a [&'static str],
    },
    Subsystem {
        name: &'static str,
        title: &'static str,
        syscalls: Vec<&'a str>,
        arguments: Vec<&'a str>,
        ioctl_commands: u64,
        objects: &'a [&'static str],
        sources: Vec<&'a str>,
        sections: Vec<&'a str>,
        configs: Vec<&'a str>,
    },
    BlindSpot {
        name: &'static str,
        meaning: &'static str,
    },
    Signal {
        name: String,
        number: i32,
        meaning: Option<&'static str>,
        /// Whether it means a fault of the program, so that a new one fails at every level.
        crash: bool,
    },
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NumberRecord<'a> {
    abi: &'static str,
    number: i64,
    /// null: the number fails with ENOSYS.
    entry_point: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EntryRecord<'a> {
    name: &'a str,
    source: &'a str,
    /// Section of MAINTAINERS; core:FILE if only THE REST covers the file.
    section: &'a str,
    subsystem: &'static str,
    /// `path DIRECTORY`, or the reason of a rule for this call.
    basis: &'a str,
    config: Option<&'a str>,
    expert: bool,
    /// A release such as 5.6, or an upper bound such as <=6.12; null if unknown.
    since: Option<&'a str>,
    abis: Vec<&'static str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FamilyRecord {
    name: &'static str,
    members: &'static [&'static str],
    exact: bool,
    why: &'static str,
}

/// Writes an explanation as one object.
pub fn json(out: &mut dyn io::Write, explained: &Explanation, kernel: &Kernel, ways: Option<&Ways>) -> io::Result<()> {
    let record = ExplainRecord {
        schema: "sysguard.explain/1",
        name: &explained.name,
        kernel: KernelRecord { version: kernel.newest(), releases: &kernel.releases, source: kernel.tree.as_deref() },
        key: explained.key.as_ref().map(of_key),
        meanings: explained.meanings.iter().map(of_meaning).collect(),
        reach: ways.map(WaysRecord::from),
    };
    serde_json::to_writer_pretty(&mut *out, &record)?;
    writeln!(out)
}

fn of_key(key: &Key) -> KeyRecord<'_> {
    let held = key.held.iter().map(|HeldBy { platform, why, owner, sometimes }| HeldRecord {
        platform: platform.to_string(),
        why: why.as_deref(),
        owner: owner.as_deref(),
        sometimes: *sometimes,
    });
    KeyRecord {
        workload: &key.workload,
        fact: key.fact.to_string(),
        held: held.collect(),
        pending: key.pending.as_deref(),
    }
}

fn of_meaning(meaning: &Meaning) -> MeaningRecord<'_> {
    let used = |UsedBy { workload, facts }: &'_ UsedBy| facts.iter().map(|fact| fact.key(workload)).collect();
    let used_by = meaning.used_by.iter().map(|by| UsedRecord { workload: &by.workload, keys: used(by) }).collect();
    let what = match &meaning.what {
        What::Call(call) => of_call(call),
        What::Argument(argument) => of_argument(argument),
        What::Object(ObjectFacts { name, subsystem, why, source, section, options, made_by }) => WhatRecord::Object {
            name,
            subsystem: subsystem.map(|subsystem| subsystem.slug()),
            why,
            source: source.as_deref(),
            section: section.as_deref(),
            config: options.as_ref().and_then(|(config, _)| config.as_deref()),
            expert: options.as_ref().is_some_and(|&(_, expert)| expert),
            made_by,
        },
        What::Subsystem(facts) => of_subsystem(facts),
        What::BlindSpot(spot) => WhatRecord::BlindSpot { name: spot.name(), meaning: spot.meaning() },
        What::Signal(signal) => WhatRecord::Signal {
            name: signal.to_string(),
            number: signal.0,
            meaning: signal.meaning(),
            crash: signal.is_crash(),
        },
    };
    MeaningRecord { what, used_by }
}

fn of_call(call: &CallFacts) -> WhatRecord<'_> {
    let mut numbers: Vec<NumberRecord<'_>> = call.behind.iter().flat_map(numbers_of).collect();
    numbers.sort_by_key(|number| number.abi);
    let entries = call.behind.iter().filter_map(|behind| Some(entry(call, behind.entry_point.as_ref()?, behind)));
    let family = |family: &&'static Family| FamilyRecord {
        name: family.name,
        members: family.members,
        exact: family.closeness == Closeness::Exact,
        why: family.why,
    };
    WhatRecord::Syscall {
        name: &call.name,
        numbers,
        entry_points: entries.collect(),
        families: call.families.iter().map(family).collect(),
        man_page: call.page.as_ref().map(|page| format!("{page}(2)")),
        ambient: call.ambient,
        privileged: call.privileged,
    }
}

fn numbers_of(behind: &Behind) -> impl Iterator<Item = NumberRecord<'_>> {
    let entry_point = behind.entry_point.as_ref().map(|entry| &*entry.name);
    behind.numbers.iter().map(move |number| NumberRecord { abi: number.abi.name(), number: number.number, entry_point })
}

fn entry<'a>(call: &CallFacts, entry: &'a Entry, behind: &Behind) -> EntryRecord<'a> {
    EntryRecord {
        name: &entry.name,
        source: &entry.source,
        section: &entry.section,
        subsystem: entry.subsystem.slug(),
        basis: &entry.basis,
        config: entry.config.as_deref(),
        expert: entry.expert,
        since: call.since(entry),
        abis: behind.numbers.iter().map(|number| number.abi.name()).collect(),
    }
}

fn of_argument(argument: &Argument) -> WhatRecord<'_> {
    let (subsystem, reaches) = match argument.reaches {
        Reaches::Subsystem(subsystem) => (Some(subsystem.slug()), "subsystem"),
        Reaches::ItsCall => (None, "its-call"),
        Reaches::ItsObject => (None, "its-object"),
    };
    let declared = argument.declared.as_ref();
    WhatRecord::Argument {
        name: &argument.name,
        number: argument.number,
        calls: &argument.calls,
        subsystem,
        reaches,
        why: argument.why,
        header: argument.header,
        source: argument.source.as_deref(),
        config: argument.options.as_ref().and_then(|(config, _)| config.as_deref()),
        expert: argument.options.as_ref().is_some_and(|&(_, expert)| expert),
        declared: declared.map(|declared| declared.at.as_str()),
        section: argument.section.as_deref().or(declared.map(|declared| declared.section.as_str())),
    }
}

fn of_subsystem(facts: &SubsystemFacts) -> WhatRecord<'_> {
    WhatRecord::Subsystem {
        name: facts.subsystem.slug(),
        title: facts.subsystem.title(),
        syscalls: facts.calls.iter().map(String::as_str).collect(),
        arguments: facts.arguments.iter().copied().collect(),
        ioctl_commands: facts.commands,
        objects: &facts.objects,
        sources: facts.sources.iter().map(String::as_str).collect(),
        sections: facts.sections.iter().map(String::as_str).collect(),
        configs: facts.configs.iter().map(String::as_str).collect(),
    }
}
