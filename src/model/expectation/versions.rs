//! The history of the expectation format. Main type: [`Version`].
//!
//! A file names its version; older ones are upgraded as they are read, newer ones are refused.

use super::terms::Expectation;

/// One version of the format.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// As in `version: 1`.
    pub number: u32,
    /// What it brought.
    pub note: &'static str,
    /// From what a file of this version says to what the next one would say.
    pub upgrade: fn(Expectation) -> Expectation,
}

/// Every version, the oldest first.
pub const HISTORY: &[Version] = &[Version {
    number: 1,
    note: "the author's document, then one baseline a platform",
    upgrade: |expectation| expectation,
}];

/// The version that is written, and the newest that is read.
pub const CURRENT: u32 = HISTORY[HISTORY.len() - 1].number;

/// An expectation read from a file of this version, as the current one would say it.
pub fn upgraded(expectation: Expectation, version: u32) -> Expectation {
    HISTORY
        .iter()
        .filter(|step| step.number >= version)
        .fold(expectation, |expectation, step| (step.upgrade)(expectation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one_and_are_explained() {
        assert!(HISTORY.iter().map(|version| version.number).eq(1..=CURRENT));
        assert!(HISTORY.iter().all(|version| !version.note.is_empty()));
    }
}
