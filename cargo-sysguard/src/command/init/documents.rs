//! The expectations that `init` writes, one for each program of a package. Main type: [`Draft`].

use std::collections::BTreeSet;

use cargo_metadata::Package;
use sysguard::unstable::artifacts::{Target, TargetKind};
use sysguard::unstable::model::expectation::Version;
use sysguard::unstable::model::expectation::format;
use sysguard::unstable::model::expectation::format::Parsed;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::runner::{Case, Suite};

/// The time after which a running program counts as a server.
pub(super) const SERVER_AFTER: &str = "5s";

/// An expectation to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// The program that the workload runs and is named after.
    pub(super) target: Target,
}

/// How a program ends without arguments, as far as its document records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With 0, in a way that no document should expect, or in an unknown way.
    Good,
    /// With this status.
    Status(i32),
    /// With this status, after a signal.
    Served(i32),
}

/// The programs of a package that get an expectation, and the reasons others get none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Drafts {
    pub(super) drafts: Vec<Draft>,
    pub(super) skipped: Vec<String>,
}

impl Drafts {
    /// Returns a draft for every binary of the package, or for every example if it has no binary.
    /// Programs that already have a workload are skipped.
    pub(super) fn of(package: &Package, suite: &Suite, features: &BTreeSet<String>) -> Self {
        let mut drafts = Self::default();
        let has_binaries = package.targets.iter().any(cargo_metadata::Target::is_bin);
        let kind = if has_binaries { TargetKind::Bin } else { TargetKind::Example };
        let is_program = |target: &&cargo_metadata::Target| match kind {
            TargetKind::Bin => target.is_bin(),
            // An example may also be a library.
            _ => target.is_example() && target.crate_types.contains(&cargo_metadata::CrateType::Bin),
        };
        for target in package.targets.iter().filter(is_program) {
            let program = Target { kind, name: target.name.clone() };
            let named = |case: &&Case| {
                let document = case.document();
                document.is_some_and(|document| Target::of(&document.workload.program).as_ref() == Some(&program))
            };
            let missing = target.required_features.iter().find(|feature| !features.contains(*feature));
            let word = kind.word();
            match (suite.cases().iter().find(named), missing) {
                (Some(case), _) => drafts.skipped.push(format!("kept {}: it runs {word} {}", case.file, target.name)),
                (None, Some(feature)) => {
                    drafts.skipped.push(format!("skipped {word} {}: it needs the feature `{feature}`", target.name))
                }
                (None, None) => drafts.drafts.push(Draft { target: program }),
            }
        }
        drafts
    }
}

impl Draft {
    /// Returns the path of the file, relative to the package.
    pub(super) fn file(&self) -> String {
        format!("expectations/{}.yaml", self.target.name)
    }

    /// Returns the name of the program.
    pub(super) fn name(&self) -> &str {
        &self.target.name
    }

    /// Returns the document for a program that ends this way.
    pub(super) fn text(&self, end: End) -> String {
        let (key, name) = (self.target.kind.word(), &self.target.name);
        let served = format!(
            "# It was still running after {SERVER_AFTER}, like a server: each run ends it with this signal.\n\
             stop: {{after: 2s, signal: SIGTERM}}\n"
        );
        let end = match end {
            End::Good => String::new(),
            End::Status(code) => format!(
                "# Without arguments it ends with {code}. Once `args:` gives it something to do, remove the next line.\n\
                 exit: {code}\n"
            ),
            End::Served(0) => served,
            End::Served(code) => format!("{served}exit: {code}\n"),
        };
        let version = Version::LATEST;
        let text = |name: &str| {
            format!(
                "# What {key} {name} uses of the kernel. Edit this document: say why the workload matters, and give\n\
                 # it something to do (`args:`, `env:`, `stdin:`; `cwd: .` runs it in the package instead of an empty\n\
                 # directory). `cargo sysguard bless` writes its baseline below.\n\
                 version: {version}\n{key}: {name}\n{end}"
            )
        };
        // YAML does not read every plain name as a string: `null` is one example.
        let plain = text(name);
        let is_read = |parsed: Parsed| Target::of(&parsed.expectation.document.workload.program);
        if format::read(plain.as_bytes()).is_ok_and(|parsed| is_read(parsed).as_ref() == Some(&self.target)) {
            plain
        } else {
            text(&format!("{name:?}"))
        }
    }

    /// Returns how the program ends without arguments. A server is run a second time, with a
    /// signal.
    pub(super) fn end(&self, suite: &Suite) -> End {
        match self.run(suite, End::Good) {
            Some(Exit::Exited(code @ 1..)) => End::Status(code),
            Some(Exit::TimedOut) => match self.run(suite, End::Served(0)) {
                Some(Exit::Exited(code)) => End::Served(code),
                _ => End::Served(0),
            },
            _ => End::Good,
        }
    }

    /// Runs the program of this document once. Returns nothing if it cannot be run here.
    fn run(&self, suite: &Suite, end: End) -> Option<Exit> {
        let text = format!("{}timeout: {SERVER_AFTER}\n", self.text(end));
        let content = Ok(format::read(text.as_bytes()).ok()?);
        suite.ending(&Case { name: self.target.name.clone(), file: self.file(), content })
    }
}

/// Returns these features of a package and all that they enable in turn.
pub(super) fn enabled(package: &Package, asked: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut enabled = BTreeSet::new();
    let mut next: Vec<String> = asked.collect();
    while let Some(feature) = next.pop() {
        next.extend(package.features.get(&feature).into_iter().flatten().cloned());
        enabled.insert(feature);
        next.retain(|feature| !enabled.contains(feature));
    }
    enabled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(name: &str) -> Draft {
        Draft { target: Target { kind: TargetKind::Bin, name: name.to_owned() } }
    }

    #[test]
    fn written_document_reads_back_as_its_draft() {
        for name in ["demo", "null", "on", "a-b_c", "x.1"] {
            for end in [End::Good, End::Status(2), End::Served(0), End::Served(3)] {
                let draft = draft(name);
                let text = draft.text(end);
                let workload = format::read(text.as_bytes()).expect(&text).expectation.document.workload;
                assert_eq!(Target::of(&workload.program), Some(draft.target), "{text}");
                assert_eq!(workload.stop.is_some(), matches!(end, End::Served(_)), "{text}");
                let exit = if let End::Status(code) | End::Served(code) = end { code } else { 0 };
                assert_eq!(workload.exit, Exit::Exited(exit), "{text}");
                assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
            }
        }
    }
}
