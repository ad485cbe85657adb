//! The state of a review, which maps each key to a step. Main type: [`Walk`].
//!
//! It is pure: it must not draw or write.

use std::ops::Range;

use crate::proposals::Decision;

/// The position of the reviewer among all findings.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The workload of each finding.
    workloads: Vec<usize>,
    at: usize,
}

/// The effect of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Accept or reject these findings, after asking for a reason if wanted. Several are asked for.
    Decide {
        /// Accept or reject.
        decision: Decision,
        /// Whether a reason is asked for.
        reason: bool,
        /// The findings.
        of: Range<usize>,
    },
    /// Leave the findings before this one undecided.
    Skip(usize),
    /// Restore what the last decision changed.
    Undo,
    /// Open the editor.
    Open,
    /// Explain the keys.
    Help,
    /// Leave everything else undecided.
    Quit,
    /// The key has no meaning.
    Unknown,
}

/// The character that `Ctrl-D` sends in raw mode.
const END_OF_TRANSMISSION: char = '\u{4}';

impl Walk {
    /// Returns a walk over findings with these workloads. Findings of one workload are adjacent.
    pub(crate) fn new(workloads: Vec<usize>) -> Self {
        Self { workloads, at: 0 }
    }

    /// Returns the current finding, or nothing after the last one.
    pub(crate) fn at(&self) -> Option<usize> {
        (self.at < self.workloads.len()).then_some(self.at)
    }

    /// Moves to this finding.
    pub(crate) fn go_to(&mut self, finding: usize) {
        self.at = finding;
    }

    /// Returns the effect of a key. A capital letter applies to the rest of the workload.
    pub(crate) fn step(&self, key: char) -> Step {
        let end = if key.is_ascii_uppercase() { self.end_of_workload() } else { self.at + 1 };
        let of = self.at..end;
        match key {
            'a' | 'A' => Step::Decide { decision: Decision::Accept, reason: false, of },
            'e' | 'E' => Step::Decide { decision: Decision::Accept, reason: true, of },
            'r' | 'R' => Step::Decide { decision: Decision::Reject, reason: false, of },
            's' | 'S' => Step::Skip(end),
            'u' | 'U' => Step::Undo,
            'o' | 'O' => Step::Open,
            '?' => Step::Help,
            'q' | 'Q' | END_OF_TRANSMISSION => Step::Quit,
            _ => Step::Unknown,
        }
    }

    fn end_of_workload(&self) -> usize {
        let here = self.workloads.get(self.at);
        let rest = self.workloads.iter().skip(self.at);
        self.at + rest.take_while(|workload| Some(*workload) == here).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_meaning() {
        let decide = |decision, reason, of| Step::Decide { decision, reason, of };
        for (at, key, step) in [
            (0, 'a', decide(Decision::Accept, false, 0..1)),
            (0, 'A', decide(Decision::Accept, false, 0..3)),
            (1, 'A', decide(Decision::Accept, false, 1..3)),
            (1, 'e', decide(Decision::Accept, true, 1..2)),
            (3, 'E', decide(Decision::Accept, true, 3..5)),
            (2, 'r', decide(Decision::Reject, false, 2..3)),
            (0, 'R', decide(Decision::Reject, false, 0..3)),
            (4, 'R', decide(Decision::Reject, false, 4..5)),
            (0, 's', Step::Skip(1)),
            (0, 'S', Step::Skip(3)),
            (4, 's', Step::Skip(5)),
            (0, 'u', Step::Undo),
            (0, 'o', Step::Open),
            (0, '?', Step::Help),
            (0, 'q', Step::Quit),
            (0, 'Q', Step::Quit),
            (0, '\u{4}', Step::Quit),
            (0, 'x', Step::Unknown),
            (0, ' ', Step::Unknown),
            (0, 'é', Step::Unknown),
        ] {
            let mut walk = Walk::new(vec![7, 7, 7, 8, 8]);
            walk.go_to(at);
            assert_eq!(walk.step(key), step, "{key} at {at}");
        }
    }

    #[test]
    fn walk_ends_after_the_last_finding() {
        let mut walk = Walk::new(vec![0, 1]);
        for at in 0..2 {
            assert_eq!(walk.at(), Some(at));
            let Step::Skip(next) = walk.step('s') else { panic!("a skip") };
            walk.go_to(next);
        }
        assert_eq!(walk.at(), None);
        assert_eq!(Walk::new(Vec::new()).at(), None);
    }
}
