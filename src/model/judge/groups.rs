//! Groups findings by cause, across workloads. Main types: [`Group`] and [`Cause`].
//!
//! A cause is a line of the user's own code. Without one, it is the program that made the call, and
//! the package or library in it. It must not format findings: titles name a group in one line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Finding;
use crate::model::facts::site::{CodeLocation, is_c_library};
use crate::model::judge::weight::{Reach, Weight, rank};
use crate::model::run::test_name;
use crate::model::text::hash::fnv1a;

/// The number of facts in a title.
const NAMED: usize = 3;

/// The first character of an identifier. No workload and no key starts with it.
const MARK: char = '@';

/// What made the first call of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A line of the user's own code.
    Line {
        /// The source file.
        file: Option<String>,
        /// The line in it.
        line: Option<u32>,
        /// The function.
        function: Option<String>,
    },
    /// A program without such a line.
    Program {
        /// Its name, if known.
        name: Option<String>,
        /// The package or library in it that made the call, unless it is the C library. A program
        /// that the workload starts is one cause.
        part: Option<String>,
    },
    /// Not known: the finding is a group of its own.
    Unknown {
        /// The key of the finding.
        key: String,
    },
}

/// Findings of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// What they have in common.
    pub cause: Cause,
    /// The findings with their workloads, heaviest first. Never empty.
    pub members: Vec<Member<'a>>,
}

/// A finding of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The workload.
    pub workload: &'a str,
    /// The finding.
    pub finding: &'a Finding,
    /// Its weight, which is that of a note if it does not fail.
    pub weight: Weight,
}

impl Cause {
    /// Returns the cause of a finding in a workload.
    pub fn of(workload: &str, finding: &Finding) -> Self {
        let site = finding.site.as_ref();
        let location = site.and_then(|site| site.location.as_ref());
        if let Some(CodeLocation { file, line, function, is_own: true, .. }) = location
            && (file.is_some() || function.is_some())
        {
            return Self::Line { file: file.clone(), line: *line, function: function.clone() };
        }
        let name = finding.example.as_ref().and_then(program);
        if finding.example.as_ref().is_some_and(|example| example.process.len() > 1) {
            return Self::Program { name, part: None };
        }
        let part = match location {
            Some(CodeLocation { package: Some(package), .. }) => Some(package.clone()),
            Some(CodeLocation { module, .. }) => {
                Some(module.clone()).filter(|module| !is_c_library(module) && Some(module) != name.as_ref())
            }
            None => site.map(|site| site.words.clone()),
        };
        if name.is_none() && part.is_none() {
            return Self::Unknown { key: finding.fact.key(workload) };
        }
        Self::Program { name, part }
    }

    /// Returns the identifier: `@1a2b3c4d`. It is the same in each run and format, and in a
    /// proposal.
    pub fn id(&self) -> String {
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
        let parts = match self {
            Self::Line { file, line, function } => {
                let line = line.map(|line| line.to_string());
                vec!["line".to_owned(), or_nothing(file), or_nothing(&line), or_nothing(function)]
            }
            Self::Program { name, part } => vec!["program".to_owned(), or_nothing(name), or_nothing(part)],
            Self::Unknown { key } => vec!["key".to_owned(), key.clone()],
        };
        let hash = fnv1a(&parts.join("\n"));
        format!("{MARK}{:08x}", (hash >> 32) ^ (hash & u64::from(u32::MAX)))
    }

    /// Returns whether a text has the form of an identifier.
    pub fn is_id(text: &str) -> bool {
        text.starts_with(MARK)
    }
}

/// Returns the last program of an example's process.
fn program(example: &Example) -> Option<String> {
    let command = example.process.last()?;
    command.split(' ').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Groups findings, and returns the heaviest group first.
pub fn groups<'a>(members: impl IntoIterator<Item = Member<'a>>) -> Vec<Group<'a>> {
    let mut by_cause: BTreeMap<Cause, Vec<Member<'a>>> = BTreeMap::new();
    for member in members {
        by_cause.entry(Cause::of(member.workload, member.finding)).or_default().push(member);
    }
    let sorted = |(cause, mut members): (Cause, Vec<Member<'a>>)| {
        members.sort_by_cached_key(|member| (member.rank(), member.finding.fact.clone(), member.workload));
        Group { cause, members }
    };
    let mut groups: Vec<Group<'a>> = by_cause.into_iter().map(sorted).collect();
    groups.sort_by_key(|group| group.members.first().map(Member::rank));
    groups
}

impl Member<'_> {
    /// Returns the place in the order of importance.
    pub fn rank(&self) -> (Weight, Reach, Weight) {
        rank(self.weight, self.finding)
    }
}

impl<'a> Group<'a> {
    /// Returns the identifier, which `accept` and `reject` take.
    pub fn id(&self) -> String {
        self.cause.id()
    }

    /// Returns the heaviest member.
    pub fn heaviest(&self) -> Option<&Member<'a>> {
        self.members.first()
    }

    /// Returns the workloads that show the cause.
    pub fn workloads(&self) -> BTreeSet<&'a str> {
        self.members.iter().map(|member| member.workload).collect()
    }

    /// Returns in how many workloads it is, if in several: ` in 107 tests`.
    pub fn in_workloads(&self) -> String {
        let workloads = self.workloads();
        let noun = if workloads.iter().all(|name| test_name::short(name).is_some()) { "tests" } else { "workloads" };
        if workloads.len() > 1 { format!(" in {} {noun}", workloads.len()) } else { String::new() }
    }

    /// Returns the different facts, heaviest first. Several workloads can show the same one. Notes
    /// count only where nothing fails.
    pub fn facts(&self) -> Vec<&'a Fact> {
        let mut seen = BTreeSet::new();
        let fails = self.members.iter().any(|member| member.weight < Weight::Note);
        let members = self.members.iter().filter(|member| !fails || member.weight < Weight::Note);
        members.map(|member| &member.finding.fact).filter(|fact| seen.insert(*fact)).collect()
    }

    /// Returns the cause in words: `src/main.rs:18 demo::main → Command::output`.
    pub fn place(&self) -> String {
        let heaviest = self.heaviest().map(|member| member.finding);
        let site = heaviest.and_then(|finding| finding.site.as_ref());
        let location = site.and_then(|site| site.location.as_ref());
        match &self.cause {
            Cause::Line { file, line, function } => {
                let line = line.map(|line| format!(":{line}")).unwrap_or_default();
                let file = file.as_ref().map(|file| format!("{file}{line}"));
                let callee = self.callee();
                let words = file.into_iter().chain(function.as_deref().map(short));
                let words: Vec<String> = words.collect();
                let callee = callee.map(|callee| format!(" → {callee}")).unwrap_or_default();
                format!("{}{callee}", words.join(" "))
            }
            Cause::Program { name, part } => {
                let chain = heaviest.and_then(|finding| finding.example.as_ref()).map(chain);
                let name = chain.filter(|chain| !chain.is_empty()).or_else(|| name.clone());
                let version = location.and_then(|location| location.version.as_ref());
                let version = version.map(|version| format!(" {version}")).unwrap_or_default();
                match (name, part) {
                    (Some(name), Some(part)) => format!("{name}, in {part}{version}"),
                    (Some(name), None) => name,
                    (None, part) => format!("{}{version}", part.clone().unwrap_or_default()),
                }
            }
            Cause::Unknown { key } => key.clone(),
        }
    }

    /// Returns what own code calls at this line. If findings differ in the function of a
    /// dependency, that is the dependency.
    fn callee(&self) -> Option<String> {
        let callees = self.members.iter().filter_map(|member| {
            let location = member.finding.site.as_ref()?.location.as_ref()?;
            location.callee.as_deref().map(short)
        });
        let callees: Vec<String> = callees.collect();
        let first = callees.first()?;
        if callees.iter().all(|callee| callee == first) {
            return Some(first.clone());
        }
        let package = first.rsplit_once(' ').map(|(package, _)| package);
        let is_of = |callee: &String| callee.rsplit_once(' ').map(|(package, _)| package) == package;
        package.filter(|_| callees.iter().all(is_of)).map(str::to_owned).or_else(|| Some(first.clone()))
    }

    /// Returns the call site of the heaviest finding in words, if it names a function.
    pub fn site(&self) -> Option<&'a str> {
        let site = self.heaviest()?.finding.site.as_ref()?;
        let is_named = site.location.as_ref().is_none_or(|location| location.function.is_some());
        is_named.then_some(site.words.as_str())
    }

    /// Returns what is new in a few words: `9 new (device::openat, ioctl FIONBIO, pipe2 …)`.
    pub fn outline(&self) -> String {
        let facts = self.facts();
        let filled: BTreeSet<Fact> = facts.iter().filter_map(|fact| fact.parent()).collect();
        // A new subsystem is named by its calls, and a new call with its details once.
        let is_named = |fact: &&&Fact| !matches!(fact, Fact::Use { syscall: None, .. }) || !filled.contains(**fact);
        let named: Vec<String> = facts.iter().filter(is_named).map(|fact| brief(fact)).collect();
        let rest = if named.len() > NAMED { " …" } else { "" };
        let shown: Vec<&str> = named.iter().take(NAMED).map(String::as_str).collect();
        format!("{} new ({}{rest})", facts.len(), shown.join(", "))
    }
}

/// Writes the title: where, and what is new.
impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Unknown { key } => f.write_str(key),
            _ => write!(f, "{}: {}{}", self.place(), self.outline(), self.in_workloads()),
        }
    }
}

/// Returns a fact without the parts that a reader can do without: `ioctl FIONBIO`.
pub fn brief(fact: &Fact) -> String {
    match fact {
        Fact::Use { syscall: Some(syscall), detail: Some(detail), .. } => format!("{syscall} {}", detail.value()),
        fact => fact.to_string(),
    }
}

/// Returns the programs of a process, down from the workload: `demo → sh → curl`.
fn chain(example: &Example) -> String {
    let programs = example.process.iter().map(|command| command.split(' ').next().unwrap_or_default());
    programs.collect::<Vec<_>>().join(" → ")
}

/// Returns a function without generic arguments, and one of the standard library without its
/// module: `Command::output` of `std::process::Command::output`.
fn short(function: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::with_capacity(function.len());
    // `<T as Trait>::f` starts with what `f` belongs to.
    let is_qualified = function.starts_with('<');
    for character in function.chars() {
        match character {
            '<' if !is_qualified => depth += 1,
            '>' if !is_qualified && depth > 0 => depth -= 1,
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    let is_standard = ["std::", "core::", "alloc::"].iter().any(|start| plain.starts_with(start));
    let parts: Vec<&str> = plain.split("::").filter(|part| !part.is_empty()).collect();
    let skipped = if is_standard { parts.len().saturating_sub(2) } else { 0 };
    parts[skipped..].join("::")
}

#[cfg(test)]
mod tests;
