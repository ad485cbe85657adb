//! The calls of a kernel as plain data: from the tables, or from a source tree that the caller has
//! read. Main type: [`Kernel`].

use std::borrow::Cow;

use crate::model::attribution::Subsystem;
use crate::model::attribution::entry_points::{self, EntryPoint};
use crate::model::kernel::syscall::{Abi, Syscall, table};

/// The calls of a kernel, under every known ABI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// The releases that were read; the last and newest one defines the calls.
    pub releases: Vec<String>,
    /// The source tree that was read; `None`: the tables.
    pub tree: Option<String>,
    /// One call per number and ABI.
    pub calls: Vec<Call>,
}

/// A number under an ABI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name without `sys_`.
    pub name: Cow<'static, str>,
    /// Number and ABI.
    pub syscall: Syscall,
    /// The function behind it; `None`: a placeholder.
    pub entry_point: Option<Entry>,
}

/// The function that implements calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `sys_openat`
    pub name: Cow<'static, str>,
    /// The file that defines it.
    pub source: Cow<'static, str>,
    /// Its section of MAINTAINERS, or `core:<file>` where only the catch-all covers the file.
    pub section: Cow<'static, str>,
    /// The subsystem.
    pub subsystem: Subsystem,
    /// Why it belongs there: `path fs/`, or the reason of a rule for this call.
    pub basis: Cow<'static, str>,
    /// The kernel options that enable it.
    pub config: Option<Cow<'static, str>>,
    /// Whether those options are offered only to experts.
    pub expert: bool,
    /// The oldest release that has it, as an upper bound (`<=6.12`); `None` for a single tree.
    pub since: Option<Cow<'static, str>>,
}

impl Kernel {
    /// Returns the kernel of the tables in this library.
    pub fn of_tables() -> Self {
        let calls = Abi::ALL.into_iter().flat_map(|abi| table::rows(abi).iter().map(move |row| (abi, row)));
        let call = |(abi, row): (Abi, &table::Row)| {
            let syscall = Syscall { abi, number: i64::from(row.number) };
            Call { name: row.name.into(), syscall, entry_point: entry_points::facts(syscall).map(Entry::from) }
        };
        let releases = entry_points::kernels().iter().map(ToString::to_string).collect();
        Self { releases, tree: None, calls: calls.map(call).collect() }
    }

    /// Returns the release that defines the calls.
    pub fn newest(&self) -> &str {
        self.releases.last().map_or("", String::as_str)
    }
}

impl From<&'static EntryPoint> for Entry {
    fn from(facts: &'static EntryPoint) -> Self {
        Self {
            name: facts.name.into(),
            source: facts.source.into(),
            section: facts.section.into(),
            subsystem: facts.subsystem,
            basis: facts.basis.into(),
            config: facts.config.map(Cow::Borrowed),
            expert: facts.expert,
            since: Some(facts.since.into()),
        }
    }
}
