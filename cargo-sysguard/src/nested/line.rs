//! The command line after `cargo sysguard run --`, split into arguments of cargo and of the
//! harness. Main type: [`Line`].
//!
//! It must not change arguments: cargo and nextest get them as given.

use std::ffi::{OsStr, OsString};

use crate::exit_code::Failure;

/// The program that runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `cargo test`
    Libtest,
    /// `cargo nextest run`
    Nextest,
}

/// A command line for cargo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) tool: Tool,
    /// The arguments before `--`, including the subcommand.
    pub(crate) cargo: Vec<OsString>,
    /// The arguments after `--`.
    pub(crate) harness: Vec<OsString>,
}

/// Flags of cargo and nextest that take the next argument as their value.
const VALUED: &[&str] = &[
    "-p",
    "--package",
    "--exclude",
    "-j",
    "--jobs",
    "--build-jobs",
    "-F",
    "--features",
    "--profile",
    "--cargo-profile",
    "-P",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--lockfile-path",
    "--message-format",
    "--color",
    "--config",
    "--config-file",
    "-Z",
    "--test-threads",
    "--retries",
    "--test",
    "--bin",
    "--example",
    "--bench",
    "-E",
    "--filterset",
    "--filter-expr",
    "--partition",
    "--run-ignored",
    "--max-fail",
    "--no-tests",
    "--failure-output",
    "--success-output",
    "--status-level",
    "--final-status-level",
    "--show-progress",
    "--tool-config-file",
];

/// Flags that select a subset of the tests.
const SELECTING: &[&str] = &[
    "--lib",
    "--bins",
    "--bin",
    "--examples",
    "--example",
    "--tests",
    "--test",
    "--benches",
    "--bench",
    "--doc",
    "--no-run",
    "-E",
    "--filterset",
    "--filter-expr",
    "--partition",
    "--run-ignored",
    "--list",
    "--skip",
    "--exact",
    "--ignored",
    "--help",
    "-h",
    "--archive-file",
];

impl Line {
    /// Parses the arguments after `run --`.
    pub(crate) fn parse(words: &[OsString]) -> Result<Self, Failure> {
        let words = words.strip_prefix(&[OsString::from("cargo")]).unwrap_or(words);
        let word = |index: usize| words.get(index).and_then(|word| word.to_str()).unwrap_or_default();
        let tool = match (word(0), word(1)) {
            ("test" | "t", _) => Tool::Libtest,
            ("nextest", "run" | "r") => Tool::Nextest,
            _ => {
                return Err(Failure::usage(
                    "unsupported cargo command after `--`\nhelp: use `cargo sysguard run -- test …` or `cargo sysguard run -- nextest run …`",
                ));
            }
        };
        let mut parts = words.splitn(2, |word| word == "--");
        let mut part = || parts.next().unwrap_or_default().to_vec();
        Ok(Self { tool, cargo: part(), harness: part() })
    }

    /// Returns the words of the subcommand, and cargo's other arguments.
    pub(crate) fn subcommand(&self) -> (&[OsString], &[OsString]) {
        self.cargo.split_at(if self.tool == Tool::Nextest { 2 } else { 1 })
    }

    /// Returns the values of a flag among cargo's arguments, in order.
    pub(crate) fn values(&self, flag: &str) -> Vec<&str> {
        let mut words = self.cargo.iter().map(|word| word.to_str().unwrap_or_default());
        let mut values = Vec::new();
        while let Some(word) = words.next() {
            match word.strip_prefix(flag) {
                Some("") => values.extend(words.next()),
                Some(joined) => values.extend(joined.strip_prefix('=')),
                None => {}
            }
        }
        values
    }

    /// Returns whether cargo's arguments contain a flag.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.cargo.iter().any(|word| word == flag)
    }

    /// Returns whether cargo runs tests, instead of only building or listing them or printing help.
    pub(crate) fn runs_tests(&self) -> bool {
        let asks =
            |word: &OsString| ["--no-run", "--help", "-h", "--version", "-V", "--list"].iter().any(|flag| word == flag);
        !self.cargo.iter().chain(&self.harness).any(asks)
    }

    /// Returns whether the test binaries still exist after nextest has ended.
    pub(crate) fn keeps_binaries(&self) -> bool {
        let unpacks = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with("--archive-file"));
        !self.cargo.iter().any(unpacks)
    }

    /// Returns whether every test of the packages is selected.
    pub(crate) fn is_whole(&self) -> bool {
        let chooses = |word: &OsStr| {
            let word = word.to_str().unwrap_or_default();
            SELECTING.contains(&word.split_once('=').map_or(word, |(flag, _)| flag))
        };
        let mut valued = false;
        let names_tests = |word: &OsString| {
            let is_value = std::mem::replace(&mut valued, word.to_str().is_some_and(|word| VALUED.contains(&word)));
            !is_value && !word.as_encoded_bytes().starts_with(b"-")
        };
        let harness_names = self.harness.iter().any(|word| !word.as_encoded_bytes().starts_with(b"-"));
        let names = harness_names || self.subcommand().1.iter().any(names_tests);
        !names && !self.cargo.iter().chain(&self.harness).any(|word| chooses(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Line, Failure> {
        Line::parse(&text.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_split_between_cargo_and_harness() {
        for (text, tool, cargo, harness) in [
            ("test", Tool::Libtest, 1, 0),
            ("cargo t -p a", Tool::Libtest, 3, 0),
            ("test name -- --nocapture --", Tool::Libtest, 2, 2),
            ("nextest run --workspace -- a", Tool::Nextest, 3, 1),
        ] {
            let line = line(text).expect(text);
            assert_eq!((line.tool, line.cargo.len(), line.harness.len()), (tool, cargo, harness), "{text}");
        }
        for text in ["", "build", "nextest", "nextest list", "bench"] {
            assert_eq!(line(text).expect_err(text).outcome.code(), 2, "{text}");
        }
    }

    #[test]
    fn flag_values_are_found_in_both_forms() {
        let line = line("test --target a --target=b --targets c -- --target d").expect("a line");
        assert_eq!(line.values("--target"), ["a", "b"]);
        let mixed = Line {
            cargo: ["test", "--config=a", "--config", "b", "--config=c", "--config"].map(OsString::from).to_vec(),
            ..line.clone()
        };
        assert_eq!(mixed.values("--config"), ["a", "b", "c"]);
        assert!(line.has("--target") && !line.has("--lib"));
    }

    #[test]
    fn building_and_listing_run_no_tests() {
        for (text, runs) in [
            ("test -p a", true),
            ("test --no-run", false),
            ("test -- --list", false),
            ("nextest run --help", false),
            ("nextest run -E all()", true),
        ] {
            assert_eq!(line(text).expect(text).runs_tests(), runs, "{text}");
        }
    }

    #[test]
    fn partial_selections_are_recognized() {
        for (text, whole) in [
            ("test", true),
            ("test --workspace -p a --features x,y --release --target-dir /t", true),
            ("nextest run --no-fail-fast -j 2", true),
            ("test -- --nocapture", true),
            ("test name", false),
            ("test --lib", false),
            ("test --test=it", false),
            ("test -- name", false),
            ("test -- --skip=x", false),
            ("nextest run -E all()", false),
            ("nextest run name", false),
        ] {
            assert_eq!(line(text).expect(text).is_whole(), whole, "{text}");
        }
    }
}
