//! The curated part of the arguments: which names are the values of which multiplexing call.
//!
//! `rules` and `options` are judgement, each rule with its reason; the compiler computes the
//! values. A rule that matches nothing in any tree is an error. Main function: [`derive`].

mod options;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use kernel_source::{Compiler, PRELUDE, Result, TARGETS, Tree, cases, declared, plain_lines};

use crate::reaches::{self, Reached};
use options::OPTIONS;
use rules::VOCABULARIES;

/// The values of one argument.
struct Vocabulary {
    /// The name of the static with the values.
    table: &'static str,
    /// The headers that define them. Of a header that only the kernel includes, only plain
    /// definitions are read.
    headers: &'static [&'static str],
    /// Where their names are listed.
    names: Names,
    /// Prefixes of the names.
    prefix: &'static [&'static str],
    /// Names with such a prefix that are not values: the whole name, or a prefix that ends in `*`.
    but: &'static [&'static str],
}

enum Names {
    /// Declared in the headers.
    Declared,
    /// The case labels of the kernel's own switch: file and function.
    Cases(&'static [(&'static str, &'static str)]),
}

/// One value as it is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) number: i64,
    /// What it reaches if that is not its call's subsystem.
    pub(crate) reaches: Option<Reached>,
    /// The source that implements it, if known.
    pub(crate) source: &'static str,
}

/// A table's name and its values, ordered by number.
pub(crate) type Table = (&'static str, Vec<Value>);

const UAPI: &str = "include/uapi/";

const fn declared_in(
    table: &'static str,
    headers: &'static [&'static str],
    prefix: &'static [&'static str],
    but: &'static [&'static str],
) -> Vocabulary {
    Vocabulary { table, headers, names: Names::Declared, prefix, but }
}

const fn switched_in(
    table: &'static str,
    headers: &'static [&'static str],
    prefix: &'static [&'static str],
    places: &'static [(&'static str, &'static str)],
) -> Vocabulary {
    Vocabulary { table, headers, names: Names::Cases(places), prefix, but: &[] }
}

/// A name, its number, and the file with its case (empty: not read from a switch).
struct Found {
    name: String,
    number: i64,
    source: &'static str,
}

/// Returns every table, from trees ordered from old to new: a value keeps the name that the newest
/// tree gives it.
pub(crate) fn derive(trees: &[Tree]) -> Result<Vec<Table>> {
    let mut numbers = BTreeMap::<(&str, i64, bool), (String, &str)>::new();
    let mut matched = BTreeSet::new();
    for tree in trees.iter().rev() {
        for target in TARGETS {
            let compiler = Compiler::new(tree, target)?;
            for vocabulary in VOCABULARIES {
                for Found { name, number, source } in
                    vocabulary.values(vocabulary.table, tree, &compiler, &mut matched)?
                {
                    numbers.entry((vocabulary.table, number, false)).or_insert((name, source));
                }
            }
            for (level, options) in OPTIONS {
                for Found { name, number, source } in options.values(level, tree, &compiler, &mut matched)? {
                    // `IPT_SO_SET_REPLACE` and `IPT_SO_GET_INFO` are one number.
                    let reads = name.contains("_GET_");
                    numbers.entry((level, number, reads)).or_insert((name, source));
                }
            }
        }
    }
    let table = |table: &'static str| {
        let rows = numbers.range((table, i64::MIN, false)..=(table, i64::MAX, true));
        rows.map(|(&(_, number, _), (name, case))| {
            let reaches = reaches::reaches(table, name);
            let source = reaches.map(|reached| reached.source).filter(|source| !source.is_empty()).unwrap_or(case);
            Value { name: name.clone(), number, reaches, source }
        })
        .collect()
    };
    let mut tables: Vec<Table> =
        VOCABULARIES.iter().map(|vocabulary| (vocabulary.table, table(vocabulary.table))).collect();
    let mut levels: Vec<_> = OPTIONS.iter().map(|&(level, _)| level).collect();
    levels.dedup();
    tables.extend(levels.into_iter().map(|level| (level, table(level))));
    check(&tables, &matched)?;
    Ok(tables)
}

/// Fails if a rule matches nothing.
fn check(tables: &[Table], matched: &BTreeSet<String>) -> Result<()> {
    let rules = VOCABULARIES.iter().map(|vocabulary| (vocabulary.table, vocabulary));
    let rules = rules.chain(OPTIONS.iter().map(|(level, options)| (*level, options)));
    let rules = rules.flat_map(|(table, vocabulary)| vocabulary.rules(table));
    let mut unused: Vec<String> = rules.filter(|rule| !matched.contains(rule)).collect();
    unused.extend(reaches::unused(
        tables.iter().flat_map(|(table, values)| values.iter().map(|value| (*table, value.name.as_str()))),
    ));
    if unused.is_empty() {
        return Ok(());
    }
    Err(format!(
        "match the rules of arguments: no name matches {}: adapt vocabularies/ or reaches.rs",
        unused.join(", ")
    ))
}

impl Vocabulary {
    /// Returns every rule of a vocabulary, in the form in which matches are recorded.
    fn rules(&self, table: &str) -> Vec<String> {
        let words = [("header", self.headers), ("prefix", self.prefix), ("but", self.but)];
        let words =
            words.into_iter().flat_map(|(kind, words)| words.iter().map(move |word| format!("{table} {kind} {word}")));
        let places = match self.names {
            Names::Declared => &[][..],
            Names::Cases(places) => places,
        };
        words.chain(places.iter().map(|(file, function)| format!("{table} case {file} {function}"))).collect()
    }

    /// Returns names and numbers, preferred names first.
    fn values(
        &self,
        table: &str,
        tree: &Tree,
        compiler: &Compiler,
        matched: &mut BTreeSet<String>,
    ) -> Result<Vec<Found>> {
        let named = self.names(table, tree, matched)?;
        let names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
        let values = compiler.values(&self.prelude(tree)?, &names)?;
        let found = named.into_iter().filter_map(|(name, source)| {
            let number = *values.get(&name)?;
            Some(Found { name, number, source })
        });
        let mut found: Vec<_> = found.collect();
        for prefix in self.prefix.iter().filter(|prefix| found.iter().any(|found| found.name.starts_with(**prefix))) {
            matched.insert(format!("{table} prefix {prefix}"));
        }
        // Programs say `SO_SNDTIMEO` for `SO_SNDTIMEO_OLD`.
        found.sort_by_key(|found| found.name.ends_with("_OLD"));
        Ok(found)
    }

    /// Returns the names, each with the file that has its case.
    fn names(&self, table: &str, tree: &Tree, matched: &mut BTreeSet<String>) -> Result<Vec<(String, &'static str)>> {
        let mut names = Vec::new();
        for header in self.headers.iter().filter(|header| self.has(tree, header)) {
            matched.insert(format!("{table} header {header}"));
            if matches!(self.names, Names::Declared) {
                names.extend(self.declared(tree, header)?.into_iter().map(|name| (name, "")));
            }
        }
        if let Names::Cases(places) = self.names {
            for (file, function) in places {
                // A tree may lack the protocol or name the function otherwise.
                let labels = cases(&tree.read_if_present(file).unwrap_or_default(), function);
                if labels.iter().any(|name| self.wants(name)) {
                    matched.insert(format!("{table} case {file} {function}"));
                }
                names.extend(labels.into_iter().map(|name| (name, *file)));
            }
        }
        for but in self.but.iter().filter(|but| names.iter().any(|(name, _)| is_meant(but, name))) {
            matched.insert(format!("{table} but {but}"));
        }
        names.retain(|(name, _)| self.wants(name));
        Ok(names)
    }

    /// Returns what one header declares.
    fn declared(&self, tree: &Tree, header: &str) -> Result<Vec<String>> {
        let mut names = declared(&self.text(tree, header)?);
        let common = generic(header).replace(".h", "-common.h");
        names.extend(tree.read_if_present(&common).map(|text| declared(&text)).unwrap_or_default());
        Ok(names)
    }

    fn wants(&self, name: &str) -> bool {
        self.prefix.iter().any(|prefix| name.starts_with(prefix)) && !self.but.iter().any(|but| is_meant(but, name))
    }

    /// Returns what the compiler reads before the names: the uapi headers, or the plain lines of a
    /// header that only the kernel includes.
    fn prelude(&self, tree: &Tree) -> Result<String> {
        let mut prelude = PRELUDE.to_owned();
        for header in self.headers.iter().filter(|header| self.has(tree, header)) {
            if is_the_kernels(header) {
                prelude += &plain_lines(&tree.read(header)?, self.prefix);
            } else {
                prelude += &format!("#include <{header}>\n");
            }
        }
        Ok(prelude)
    }

    /// Returns true if a tree has the header, for any architecture.
    fn has(&self, tree: &Tree, header: &str) -> bool {
        places(header).iter().any(|path| tree.has(path))
    }

    /// Returns the text of a header for all architectures.
    fn text(&self, tree: &Tree, header: &str) -> Result<String> {
        if is_the_kernels(header) {
            return tree.read(header);
        }
        Ok(places(header).iter().filter_map(|path| tree.read_if_present(path)).collect())
    }
}

/// Returns true if only the kernel includes it.
fn is_the_kernels(header: &str) -> bool {
    header.starts_with("include/")
}

/// `asm/X.h` mostly includes `asm-generic/X.h`.
fn generic(header: &str) -> String {
    header.replace("asm/", "include/uapi/asm-generic/")
}

/// Returns the possible paths of a header.
fn places(header: &str) -> Vec<String> {
    if is_the_kernels(header) {
        return vec![header.to_owned()];
    }
    let arches = TARGETS.map(|target| format!("arch/{}/include/uapi/{header}", target.arch));
    [format!("{UAPI}{header}"), generic(header)].into_iter().chain(arches).collect()
}

/// Returns true for the whole name, or for its prefix if the pattern ends in `*`.
fn is_meant(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |prefix| name.starts_with(prefix))
}
