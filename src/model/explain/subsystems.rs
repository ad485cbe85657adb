//! A subsystem: what reaches it, and its maintainers. Main type: [`SubsystemFacts`].

use std::collections::BTreeSet;

use super::kernel::{Entry, Kernel};
use crate::model::attribution::Subsystem;
use crate::model::attribution::calls::shapes;
use crate::model::attribution::objects::kinds;
use crate::model::attribution::values::{Value, commands};

/// What the tables hold on a subsystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsystemFacts {
    /// The subsystem.
    pub subsystem: Subsystem,
    /// The calls with an entry point in it, under any ABI.
    pub calls: BTreeSet<String>,
    /// The arguments that reach it from calls of other subsystems, without the commands of ioctl.
    pub arguments: BTreeSet<&'static str>,
    /// How many commands of ioctl reach it.
    pub commands: u64,
    /// The kinds of objects that it serves.
    pub objects: Vec<&'static str>,
    /// The source files of its calls.
    pub sources: BTreeSet<String>,
    /// Their sections of MAINTAINERS.
    pub sections: BTreeSet<String>,
    /// The options that enable its calls.
    pub configs: BTreeSet<String>,
}

/// Returns what the tables hold on a subsystem.
pub(super) fn facts(subsystem: Subsystem, kernel: &Kernel) -> SubsystemFacts {
    let of_entry = |entry: &Option<Entry>| entry.as_ref().map_or(Subsystem::None, |entry| entry.subsystem) == subsystem;
    let calls = || kernel.calls.iter().filter(|call| of_entry(&call.entry_point));
    let entries = || calls().filter_map(|call| call.entry_point.as_ref());
    let leads_here = |value: &&Value| value.subsystem == Some(subsystem);
    let commands = commands().iter().filter(|command| command.subsystem == Some(subsystem));
    SubsystemFacts {
        subsystem,
        calls: calls().map(|call| call.name.to_string()).collect(),
        arguments: shapes()
            .flat_map(|(_, shape)| shape.selector.values())
            .filter(leads_here)
            .map(|value| value.name)
            .collect(),
        commands: commands.count() as u64,
        objects: kinds().iter().filter(|kind| kind.subsystem == subsystem).map(|kind| kind.name).collect(),
        sources: entries().map(|entry| entry.source.to_string()).collect(),
        sections: entries().map(|entry| entry.section.to_string()).collect(),
        configs: entries().filter_map(|entry| entry.config.as_ref().map(ToString::to_string)).collect(),
    }
}
