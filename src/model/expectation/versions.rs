//! The history of the expectation format. Main type: [`Version`].
//!
//! A file names its version. Older versions are upgraded when they are read, newer ones are
//! refused.

use super::terms::Expectation;

/// One version of the format.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// The number, as in `version: 1`.
    pub number: u32,
    /// What it changed.
    pub note: &'static str,
    /// Converts the content of a file of this version to the next version.
    pub upgrade: fn(Expectation) -> Expectation,
}

/// Every version, the oldest first.
pub const HISTORY: &[Version] = &[Version {
    number: 1,
    note: "the author's document, then one baseline per platform",
    upgrade: |expectation| expectation,
}];

/// The version that is written, and the newest one that is read.
pub const CURRENT: u32 = HISTORY[HISTORY.len() - 1].number;

/// The first version in which signals that end processes are judged at every level. A baseline of
/// an earlier version was recorded without them.
pub const WITH_SIGNALS: u32 = 2;

/// Converts an expectation from a file of this version to the current version.
pub fn upgraded(expectation: Expectation, version: u32) -> Expectation {
    upgrade_by(HISTORY, expectation, version)
}

/// Applies the upgrade of this version and of each later one.
fn upgrade_by(history: &[Version], expectation: Expectation, version: u32) -> Expectation {
    let due = history.iter().filter(|step| step.number >= version);
    due.fold(expectation, |expectation, step| (step.upgrade)(expectation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::expectation::format;

    #[test]
    fn versions_count_up_from_one_and_are_explained() {
        assert!(HISTORY.iter().map(|version| version.number).eq(1..=CURRENT));
        assert!(HISTORY.iter().all(|version| !version.note.is_empty()));
    }
    #[test]
    fn old_file_is_upgraded_through_every_later_version() {
        fn step(number: u32, upgrade: fn(Expectation) -> Expectation) -> Version {
            Version { number, note: "a step", upgrade }
        }
        fn noted(mut expectation: Expectation, step: &str) -> Expectation {
            let ignore = expectation.document.ignore.unwrap_or_default();
            expectation.document.ignore = Some(ignore + step);
            expectation
        }
        let history = [
            step(1, |expectation| noted(expectation, "1 to 2, ")),
            step(2, |expectation| noted(expectation, "2 to 3")),
            step(3, |expectation| expectation),
        ];
        for (version, steps) in [(1, Some("1 to 2, 2 to 3")), (2, Some("2 to 3")), (3, None)] {
            let read = format::read(b"version: 1\nbin: demo\n").expect("a good text").expectation;
            assert_eq!(upgrade_by(&history, read, version).document.ignore.as_deref(), steps, "from {version}");
        }
    }
}
