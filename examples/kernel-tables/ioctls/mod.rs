//! Every ioctl command in the headers that programs use: what `_IO`, `_IOR`, `_IOW` and `_IOWR`
//! make there, and the plain numbers of the older headers.
//!
//! `headers` and `rules` hold the judgement; the compiler computes the numbers. A rule that matches
//! nothing and a command with a header that does not compile are errors. Main function: [`derive`].

mod headers;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use kernel_source::{Compiler, PRELUDE, Result, TARGETS, Tree, declared, plain_lines, without_comments};
use sysguard::unstable::model::attribution::Subsystem;

use crate::emit::why;
pub(crate) use headers::SPELLED;
use headers::{BEFORE, EXPORTED};
use rules::{Named, PLAIN, Reached, is_none, reached, rule};

/// One name of one command number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) number: u32,
    pub(crate) name: String,
    /// `None`: generic, so the object decides.
    pub(crate) subsystem: Option<Subsystem>,
    /// Prefixes of the objects for which the number has this name; empty if it has no other.
    pub(crate) on: String,
    /// The header that defines it.
    pub(crate) header: String,
    /// The source file or folder that implements it, else its header if MAINTAINERS has a section
    /// for that; empty: neither.
    pub(crate) source: String,
    /// The reason for its subsystem.
    pub(crate) why: String,
}

/// The commands in the headers of all trees.
#[derive(Default)]
struct Found {
    /// By number, the preferred name first.
    by_number: BTreeMap<u32, Vec<Named>>,
    /// Every name with a number, whether or not another name is preferred.
    valued: BTreeSet<Named>,
    /// Every name that a macro makes as a command.
    made: BTreeSet<Named>,
    /// Names that a rule excluded.
    excluded: BTreeSet<String>,
}

/// Returns every name of every number, from trees ordered from old to new; by number, the preferred
/// name first.
pub(crate) fn derive(trees: &[Tree]) -> Result<Vec<Command>> {
    let mut found = Found::default();
    let mut read = BTreeSet::new();
    for tree in trees.iter().rev() {
        for target in TARGETS {
            let compiler = Compiler::new(tree, target)?;
            let worth_it = |header: &Header| target.is_first_of_its_width() || header.is_of_an_architecture();
            for header in headers(tree, target.arch)?.into_iter().filter(worth_it) {
                // Most headers are the same in every tree.
                if read.insert((target.arch, target.wide, header.name.clone(), header.text.clone())) {
                    found.read(&header, &compiler)?;
                }
            }
        }
    }
    found.check()?;
    Ok(found.by_number.into_iter().flat_map(|(number, names)| rows(number, &names)).collect())
}

impl Found {
    /// Adds the commands that one header defines.
    fn read(&mut self, header: &Header, compiler: &Compiler) -> Result<()> {
        let plain = PLAIN.iter().find(|(name, _)| *name == header.name).map_or(&[][..], |(_, prefixes)| prefixes);
        if plain.is_empty() && !header.text.contains("_IO") && !header.text.contains("_SIO") {
            return Ok(());
        }
        let is_plain = |name: &str| plain.iter().any(|prefix| name.starts_with(prefix));
        let prelude = match header.exported() {
            Some(prefixes) => PRELUDE.to_owned() + &plain_lines(&header.text, prefixes),
            None => format!("{PRELUDE}{}#include <{}>\n", header.before(), header.name),
        };
        let (excluded, names): (Vec<String>, Vec<String>) =
            declared(&header.text).into_iter().partition(|name| is_none(name));
        let enumerators = header.enumerators();
        self.excluded.extend(excluded.into_iter().filter(|name| is_plain(name) || enumerators.contains(name)));
        let expansions = compiler.expansions(&prelude, &names)?;
        let is_made = |name: &str| {
            let expansion = expansions.get(name).map_or("", |text| text.trim_start_matches([' ', '(']));
            expansion.starts_with("_IOC(") || enumerators.contains(name)
        };
        let names: Vec<String> = names.into_iter().filter(|name| is_made(name) || is_plain(name)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let values = compiler.values(&prelude, &names)?;
        for name in names {
            let named = Named { name: name.clone(), header: header.name.clone() };
            if is_made(&name) {
                self.made.insert(named.clone());
            }
            if let Some(&number) = values.get(&name) {
                self.valued.insert(named.clone());
                remember(self.by_number.entry(number as u32).or_default(), named);
            }
        }
        Ok(())
    }

    /// Fails if a rule matches nothing or a command has no number.
    fn check(&self) -> Result<()> {
        let without: Vec<&Named> = self.made.difference(&self.valued).collect();
        let unused = rules::unused(&self.valued, &self.excluded, &without);
        let unknown = rules::unexpected(&without);
        match (&unused[..], &unknown[..]) {
            ([], []) => Ok(()),
            ([], names) => Err(format!(
                "find the numbers of {}: no target compiles their header: adapt compiler.rs",
                names.join(", ")
            )),
            (rules, _) => {
                Err(format!("match the rules of ioctls: no command matches {}: adapt ioctls/", rules.join(", ")))
            }
        }
    }
}

/// Adds a name unless it repeats another: an alias, the same command of an older tree, or a
/// filesystem's own name for a generic command.
fn remember(names: &mut Vec<Named>, named: Named) {
    let on = rule(&named.header).2;
    let is_generic = |known: &Named| rule(&known.header).0 == "linux/fs.h" && on.contains("file:");
    if !names.iter().any(|known| rule(&known.header).2 == on || is_generic(known)) {
        names.push(named);
    }
}

fn rows(number: u32, names: &[Named]) -> Vec<Command> {
    let command = |Named { name, header }: &Named| {
        let on = if names.len() > 1 { rule(header).2 } else { "" };
        let Reached { subsystem, source, reason } = reached(header, name);
        let why = why(source, reason);
        let (on, source) = (on.to_owned(), source.to_owned());
        Command { number, name: name.clone(), subsystem, on, header: header.clone(), source, why }
    };
    names.iter().map(command).collect()
}

struct Header {
    /// Its path in an include: `linux/fs.h`.
    name: String,
    text: String,
}

impl Header {
    /// Returns the prefixes of the names that are read in a header mainly for the kernel.
    fn exported(&self) -> Option<&'static [&'static str]> {
        EXPORTED.iter().find(|(name, ..)| *name == self.name).map(|(_, prefixes, _)| *prefixes)
    }

    /// Returns the enumerators that are commands, which the preprocessor does not show:
    /// `BINDER_VERSION = _IOWR('b', 9, …)`.
    fn enumerators(&self) -> BTreeSet<String> {
        let text = without_comments(&self.text);
        let made = text.match_indices("= _IO").map(|(at, _)| text[..at].trim_end());
        made.filter_map(|before| before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next())
            .map(str::to_owned)
            .collect()
    }

    /// Returns what programs have before it.
    fn before(&self) -> &'static str {
        BEFORE.iter().find(|(name, ..)| *name == self.name).map_or("", |(_, text, _)| text)
    }

    /// Returns true if its content differs between architectures of one word size; those have the
    /// same layouts.
    fn is_of_an_architecture(&self) -> bool {
        self.name.starts_with("asm/") || self.text.contains("#include <asm/kvm.h>")
    }
}

/// Returns all headers, with those that every program uses first.
fn headers(tree: &Tree, arch: &str) -> Result<Vec<Header>> {
    let mut headers = Vec::new();
    for root in ["include/uapi".to_owned(), format!("arch/{arch}/include/uapi")] {
        for path in tree.files(&root, |name| name.ends_with(".h"))? {
            let name = path[root.len() + 1..].to_owned();
            headers.push(Header { name, text: tree.read(&path)? });
        }
    }
    for (name, ..) in EXPORTED {
        headers.push(Header { name: (*name).to_owned(), text: tree.read(&format!("include/{name}"))? });
    }
    const FIRST: [&str; 5] = ["asm-generic/ioctls.h", "linux/fs.h", "linux/sockios.h", "linux/vt.h", "linux/kd.h"];
    let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    headers.sort_by_cached_key(|header| (rank(&header.name), header.name.clone()));
    Ok(headers)
}
