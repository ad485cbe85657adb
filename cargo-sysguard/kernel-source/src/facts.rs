//! Joins tables, definitions, Makefiles, Kconfig, MAINTAINERS and the curated rules into one
//! [`Fact`] per entry point. Main function: [`derive`].
//!
//! It must not read files itself or write Rust.

use std::collections::{BTreeMap, BTreeSet};

use sysguard::unstable::model::attribution::Subsystem;

use crate::Result;
use crate::definitions::{Definitions, Site};
use crate::places::{Options, Places};
use crate::subsystems;
use crate::tables::{Row, TABLES};
use crate::tree::Tree;

/// The facts of one entry point, on one architecture or (`arch` empty) on all that have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// The name of the function in the table.
    pub name: String,
    /// The directory below `arch/`; empty for all.
    pub arch: String,
    /// The file that defines it.
    pub source: String,
    /// Its section of MAINTAINERS, or `core:<file>`.
    pub section: String,
    /// The subsystem of its file or its name.
    pub subsystem: Subsystem,
    /// The options that must be on, joined by ` && `.
    pub config: Option<String>,
    /// Whether all of them have a prompt only `if EXPERT`.
    pub expert: bool,
    /// The oldest tree that has it, as an upper bound.
    pub since: String,
    /// The reason for the subsystem.
    pub basis: String,
}

/// The facts for all generated tables.
pub struct Facts {
    /// The rows of each of [`TABLES`], in that order.
    pub tables: Vec<Vec<Row>>,
    /// Ordered by name, then architecture.
    pub entry_points: Vec<Fact>,
}

/// The calls of one kernel, and their definitions.
struct Kernel<'t> {
    tree: &'t Tree,
    definitions: Definitions,
    tables: Vec<Vec<Row>>,
}

impl<'t> Kernel<'t> {
    fn read(tree: &'t Tree) -> Result<Self> {
        let definitions = Definitions::read(tree)?;
        let mut tables = Vec::new();
        for table in &TABLES {
            let mut rows = table.rows(tree)?;
            for row in rows.iter_mut().filter(|row| !row.entry_point.is_empty()) {
                if definitions.site(&row.entry_point, table.arch).is_some() {
                    continue;
                }
                if !definitions.is_optional(&row.entry_point) {
                    return Err(format!(
                        "cannot find the definition of {} for {} in {}",
                        row.entry_point,
                        table.arch,
                        tree.version()
                    ));
                }
                // Only the stub exists: the call fails with ENOSYS on this architecture.
                row.entry_point.clear();
            }
            tables.push(rows);
        }
        Ok(Self { tree, definitions, tables })
    }

    /// Returns whether this kernel implements the call with this number.
    fn implements(&self, table: usize, number: u32) -> bool {
        let rows = &self.tables[table];
        rows.binary_search_by_key(&number, |row| row.number).is_ok_and(|at| !rows[at].entry_point.is_empty())
    }
}

/// Derives the facts from trees ordered from old to new. The newest tree gives the facts of a call,
/// and the others give its age.
pub fn derive(trees: &[Tree]) -> Result<Facts> {
    let kernels = trees.iter().map(Kernel::read).collect::<Result<Vec<_>>>()?;
    let newest = kernels.last().ok_or("cannot derive the tables: no source tree given")?;
    let judge = Judge { definitions: &newest.definitions, places: Places::read(newest.tree)? };
    let mut entry_points = Vec::new();
    for (name, architectures) in calls_by_entry_point(newest) {
        let judged = architectures.iter().map(|(arch, calls)| judge.fact(&name, arch, since(calls, &kernels)));
        entry_points.extend(merge(judged.collect::<Result<Vec<_>>>()?));
    }
    Ok(Facts { tables: kernels.into_iter().next_back().map(|kernel| kernel.tables).unwrap_or_default(), entry_points })
}

/// The calls of one entry point as (table, number), by architecture.
type Calls = BTreeMap<&'static str, Vec<(usize, u32)>>;

fn calls_by_entry_point(kernel: &Kernel<'_>) -> BTreeMap<String, Calls> {
    let mut calls = BTreeMap::<String, Calls>::new();
    for (at, (table, rows)) in TABLES.iter().zip(&kernel.tables).enumerate() {
        for row in rows.iter().filter(|row| !row.entry_point.is_empty()) {
            calls.entry(row.entry_point.clone()).or_default().entry(table.arch).or_default().push((at, row.number));
        }
    }
    calls
}

/// Returns the oldest given kernel that has one of these calls, as an upper bound.
fn since(calls: &[(usize, u32)], kernels: &[Kernel<'_>]) -> String {
    let has = |kernel: &&Kernel<'_>| calls.iter().any(|&(table, number)| kernel.implements(table, number));
    kernels.iter().find(has).map(|kernel| format!("<={}", kernel.tree.version().release())).unwrap_or_default()
}

/// Returns a single fact if all architectures agree.
fn merge(mut facts: Vec<Fact>) -> Vec<Fact> {
    let anywhere = |fact: &Fact| Fact { arch: String::new(), ..fact.clone() };
    if facts.iter().map(anywhere).collect::<BTreeSet<_>>().len() == 1 {
        facts = vec![anywhere(&facts[0])];
    }
    facts
}

/// The sources of the newest tree.
struct Judge<'t> {
    definitions: &'t Definitions,
    places: Places<'t>,
}

impl Judge<'_> {
    fn fact(&self, name: &str, arch: &str, since: String) -> Result<Fact> {
        let site = self
            .definitions
            .site(name, arch)
            .ok_or_else(|| format!("cannot find the definition of {name} for {arch}"))?;
        let verdict = subsystems::subsystem(name, &site.file)
            .ok_or_else(|| format!("no rule for {name} in {}\nhelp: add one to subsystems.rs", site.file))?;
        let Options { config, expert } = self.options(site)?;
        Ok(Fact {
            name: name.to_owned(),
            arch: arch.to_owned(),
            source: site.file.clone(),
            section: self.section(name, &site.file)?,
            subsystem: verdict.subsystem,
            expert,
            config,
            since,
            basis: verdict.basis,
        })
    }

    /// Returns the symbols of the Makefiles and those around the definition.
    fn options(&self, site: &Site) -> Result<Options> {
        let built = self.places.symbols(&site.file);
        let built = built.ok_or_else(|| format!("cannot find the options of {}: no Makefile names it", site.file))?;
        Ok(self.places.joined(&built.union(&site.symbols).cloned().collect()))
    }

    fn section(&self, name: &str, file: &str) -> Result<String> {
        match subsystems::section(name, file) {
            Some(curated) if !self.places.maintainers.has_section(curated) => {
                Err(format!("MAINTAINERS has no section `{curated}` for {name}\nhelp: adapt subsystems.rs"))
            }
            Some(curated) => Ok(curated.to_owned()),
            None => Ok(self.places.section(file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(arch: &str, source: &str) -> Fact {
        Fact {
            name: "sys_mmap".to_owned(),
            arch: arch.to_owned(),
            source: source.to_owned(),
            section: String::new(),
            subsystem: Subsystem::Memory,
            config: None,
            expert: false,
            since: String::new(),
            basis: String::new(),
        }
    }

    #[test]
    fn agreeing_architectures_are_one_fact() {
        assert_eq!(merge(vec![fact("arm64", "mm/mmap.c"), fact("x86", "mm/mmap.c")]), [fact("", "mm/mmap.c")]);
        let apart = vec![fact("arm64", "arch/arm64/kernel/sys.c"), fact("x86", "arch/x86/kernel/sys_x86_64.c")];
        assert_eq!(merge(apart.clone()), apart);
    }
}
