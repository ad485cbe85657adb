//! The last line of a run: numbers and outcome. Main type: [`Closing`].

use std::fmt;

use crate::model::judge::verdict::{Status, Verdict};
use crate::report::words::{counted, len};

/// The numbers of a run: `269 tests traced, 0 new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// What was run, as singular and plural.
    pub noun: (&'static str, &'static str),
    traced: u64,
    new: u64,
    new_in: u64,
    without_baseline: u64,
    recorded: u64,
    failed: u64,
    suspects: u64,
    gone: u64,
    ignored: u64,
    untraced: u64,
}

impl Closing {
    /// Counts these verdicts. `unjudged` is the number of traced tests without a verdict, because
    /// they failed by themselves.
    pub fn of<'a>(
        noun: (&'static str, &'static str),
        verdicts: impl IntoIterator<Item = &'a Verdict>,
        unjudged: usize,
    ) -> Self {
        let unjudged = unjudged as u64;
        let mut closing = Self {
            noun,
            traced: unjudged,
            new: 0,
            new_in: 0,
            without_baseline: 0,
            recorded: 0,
            failed: unjudged,
            suspects: 0,
            gone: 0,
            ignored: 0,
            untraced: 0,
        };
        verdicts.into_iter().for_each(|verdict| closing.add(verdict));
        closing
    }

    fn add(&mut self, verdict: &Verdict) {
        let comparison = &verdict.comparison;
        self.suspects += len(&comparison.suspects);
        self.gone += len(&comparison.gone);
        // Everything in a first baseline is new, so it is not counted.
        let is_first = matches!(verdict.status, Status::NoBaseline { .. } | Status::Blessed);
        if !is_first && !comparison.findings.is_empty() {
            self.new += len(&comparison.findings);
            self.new_in += 1;
        }
        match &verdict.status {
            Status::Passed | Status::Failed => self.traced += 1,
            Status::Blessed => (self.traced, self.recorded) = (self.traced + 1, self.recorded + 1),
            Status::NoBaseline { .. } => {
                (self.traced, self.without_baseline) = (self.traced + 1, self.without_baseline + 1);
            }
            Status::WrongExit { .. } | Status::Broken { .. } => {
                (self.traced, self.failed) = (self.traced + 1, self.failed + 1);
            }
            Status::Malformed { .. } | Status::NotStarted { .. } => self.failed += 1,
            Status::Ignored { .. } => self.ignored += 1,
            Status::Untraceable { .. } => self.untraced += 1,
        }
    }

    /// Returns whether at least one workload was traced and none differs.
    pub fn is_good(&self) -> bool {
        self.traced > 0 && [self.new, self.without_baseline, self.failed, self.untraced].iter().all(|&count| count == 0)
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many) = self.noun;
        write!(f, "{} traced, {} new", counted(self.traced, one, many), self.new)?;
        if self.new > 0 {
            write!(f, " in {}", counted(self.new_in, one, many))?;
        }
        let rest = [
            (self.without_baseline, "without a baseline"),
            (self.recorded, "recorded"),
            (self.failed, "failed"),
            (self.suspects, if self.suspects == 1 { "suspect" } else { "suspects" }),
            (self.gone, "gone"),
            (self.ignored, "ignored"),
            (self.untraced, "not traced"),
        ];
        rest.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, words)| write!(f, ", {count} {words}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{failed, other_statuses, with_status};
    use super::*;

    const TESTS: (&str, &str) = ("test", "tests");

    fn line(verdicts: &[Verdict], unjudged: usize) -> String {
        Closing::of(TESTS, verdicts, unjudged).to_string()
    }

    #[test]
    fn traced_and_new_are_always_counted() {
        let passed = || with_status(Status::Passed);
        let first = || with_status(Status::NoBaseline { platform: "x86_64-linux-gnu".to_owned() });
        for (verdicts, unjudged, expected, good) in [
            (vec![], 0, "0 tests traced, 0 new", false),
            (vec![passed()], 0, "1 test traced, 0 new", true),
            (vec![passed(), passed()], 1, "3 tests traced, 0 new, 1 failed", false),
            (vec![passed(), failed()], 0, "2 tests traced, 5 new in 1 test, 1 gone", false),
            (vec![first(), passed()], 0, "2 tests traced, 0 new, 1 without a baseline", false),
        ] {
            assert_eq!(line(&verdicts, unjudged), expected);
            assert_eq!(Closing::of(TESTS, &verdicts, unjudged).is_good(), good, "{expected}");
        }
    }

    #[test]
    fn every_status_is_counted_once() {
        let all: Vec<Verdict> = other_statuses().into_iter().map(with_status).collect();
        let closing = Closing::of(TESTS, &all, 0);
        let Closing { traced, failed, ignored, untraced, .. } = closing;
        let not_run =
            all.iter().filter(|verdict| matches!(verdict.status, Status::Malformed { .. } | Status::NotStarted { .. }));
        assert_eq!(traced + ignored + untraced + len(&not_run.collect::<Vec<_>>()), len(&all), "{closing}");
        assert!(failed >= 4, "{closing}");
    }
}
