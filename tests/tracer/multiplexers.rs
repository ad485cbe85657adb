//! Checks that every syscall with several operations has a program that calls it. The programs are
//! in `tracees/multiplexers.rs` and `tracees/arguments.rs`, what they use is stated in
//! [`objects`](crate::objects).

use libtest_mimic::{Failed, Trial};

use crate::objects::{TRUTHS, TRUTHS_OF_ARGUMENTS};

/// Returns the one trial.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = Trial::test("objects::every_multiplexer_has_a_program", every_one_has_a_program);
    // Some are calls of 32-bit programs.
    vec![trial.with_ignored_flag(cfg!(not(target_arch = "x86_64")))]
}

/// Takes the rows of the table of calls in which an argument selects the operation.
fn every_one_has_a_program() -> Result<(), Failed> {
    /// Variants with 64-bit times or other page sizes, of 32-bit programs.
    fn is_a_form(name: &str) -> bool {
        name.ends_with("64") || name == "mmap2"
    }
    let rows = include_str!("../../src/model/attribution/calls/rows.rs").lines();
    let rows = rows.filter_map(|row| row.trim().strip_prefix("(\"")?.split_once("\", S::"));
    let multiplexers: Vec<&str> = rows.filter(|(_, rest)| !rest.starts_with("None")).map(|(name, _)| name).collect();
    let selects = |name: &str| {
        let lines = TRUTHS.iter().chain(TRUTHS_OF_ARGUMENTS).flat_map(|(_, _, truth)| truth.lines());
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
        words
            .filter(|words| words.len() == 5)
            .any(|words| words[1].trim_start_matches("i386/") == name && words[2] != "-")
    };
    let without: Vec<&str> = multiplexers.iter().copied().filter(|name| !is_a_form(name) && !selects(name)).collect();
    if multiplexers.len() < 30 || !without.is_empty() {
        return Err(format!("{} multiplexers, without a program: {without:?}", multiplexers.len()).into());
    }
    Ok(())
}
