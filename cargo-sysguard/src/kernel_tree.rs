//! A kernel source tree that replaces the built-in tables in `explain`. Main type: [`KernelTree`].

use std::path::Path;

use kernel_source::{Fact, Facts, Places, TABLES, Tree, declaration, derive, made};
use sysguard::unstable::model::explain::{Call, Declared, Entry, Explanation, Kernel, What};
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};

use crate::exit_code::Failure;

/// An unpacked kernel source tree.
pub(crate) struct KernelTree {
    tree: Tree,
    shown: String,
}

impl KernelTree {
    /// Opens the tree in this folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        Ok(Self { tree: Tree::open(folder).map_err(Failure::usage)?, shown: folder.display().to_string() })
    }

    /// Derives the system calls of the tree.
    pub(crate) fn kernel(self) -> Result<(Self, Kernel), Failure> {
        let trees = [self.tree];
        let facts = derive(&trees).map_err(Failure::failed)?;
        let [tree] = trees;
        let kernel =
            Kernel { releases: vec![tree.version().to_string()], tree: Some(self.shown.clone()), calls: calls(&facts) };
        Ok((Self { tree, ..self }, kernel))
    }

    /// Adds places in the tree to an explanation: the declaration of an argument, and the source
    /// file that creates an object.
    pub(crate) fn locate(&self, explained: &mut Explanation) -> Result<(), Failure> {
        let places = Places::read(&self.tree).map_err(Failure::failed)?;
        for meaning in &mut explained.meanings {
            match &mut meaning.what {
                What::Argument(argument) => {
                    let name = argument.name.rsplit('/').next().unwrap_or_default();
                    if let Some(declaration) = declaration(&self.tree, name).map_err(Failure::failed)? {
                        let value = declaration.value(&self.tree, name).map_err(Failure::failed)?;
                        argument.number = value.map(i64::cast_unsigned).or(argument.number);
                        let at = format!("{}:{}", declaration.file, declaration.line);
                        argument.declared = Some(Declared { at, section: places.section(&declaration.file) });
                    }
                    argument.source = argument.source.take().filter(|source| self.tree.has(source));
                    let place = argument.source.as_ref().map(|source| places.place(source));
                    argument.section = place.as_ref().and_then(|place| place.section.clone());
                    let options = place.and_then(|place| place.options);
                    argument.options = options.map(|options| (options.config, options.expert));
                }
                What::Object(object) if object.source.is_some() => {
                    let makes = made(&self.tree).map_err(Failure::failed)?;
                    let kind = object.name.replacen("dir:", "file:", 1);
                    // Devices and pipes are not searched for. Their source file comes from the
                    // tables, if the tree has it.
                    let source = makes.into_iter().find(|(name, _)| *name == kind).map(|(_, source)| source);
                    let from_tables = object.source.take().filter(|source| self.tree.read_if_present(source).is_some());
                    object.source = source.or(from_tables);
                    object.section = object.source.as_ref().map(|source| places.section(source));
                    let options = object.source.as_ref().and_then(|source| places.options(source));
                    object.options = options.map(|options| (options.config, options.expert));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn calls(facts: &Facts) -> Vec<Call> {
    let mut calls = Vec::new();
    for (table, rows) in TABLES.iter().zip(&facts.tables) {
        let Some(abi) = Abi::from_name(table.abi) else { continue };
        calls.extend(rows.iter().map(|row| Call {
            name: row.name.clone().into(),
            syscall: Syscall { abi, number: i64::from(row.number) },
            entry_point: entry(facts, &row.entry_point, table.arch),
        }));
    }
    calls
}

fn entry(facts: &Facts, name: &str, arch: &str) -> Option<Entry> {
    let is_meant = |fact: &&Fact| fact.name == name && (fact.arch.is_empty() || fact.arch == arch);
    let fact = facts.entry_points.iter().find(is_meant)?.clone();
    Some(Entry {
        name: fact.name.into(),
        source: fact.source.into(),
        section: fact.section.into(),
        subsystem: fact.subsystem,
        basis: fact.basis.into(),
        config: fact.config.map(Into::into),
        expert: fact.expert,
        since: None,
    })
}
