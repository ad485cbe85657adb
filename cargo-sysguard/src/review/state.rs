//! The state of a review, which maps each key to a step. Main type: [`Walk`].
//!
//! It is pure: it must not draw or write.

use std::collections::BTreeSet;

use crate::proposals::Decision;

/// The position of the reviewer among all findings.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The workload of each finding, and its cause. A finding without a cause is decided alone.
    findings: Vec<(usize, Option<usize>)>,
    /// Findings that were skipped together with an earlier one.
    skipped: BTreeSet<usize>,
    at: usize,
}

/// The effect of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Accept or reject these findings, after asking for a reason if wanted. Several need a
    /// confirmation.
    Decide {
        /// Accept or reject.
        decision: Decision,
        /// Whether a reason is asked for.
        reason: bool,
        /// What the findings have in common.
        scope: Scope,
        /// The findings, in order. Some may be decided on already.
        of: Vec<usize>,
    },
    /// Leave these findings undecided.
    Skip(Vec<usize>),
    /// Restore what the last decision changed.
    Undo,
    /// Show the stack of the first call.
    Stack,
    /// Open the editor.
    Open,
    /// Explain the keys.
    Help,
    /// Leave everything else undecided.
    Quit,
    /// The key has no meaning.
    Unknown,
}

/// What a key applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The current finding.
    One,
    /// All findings from here on of its workload.
    Workload,
    /// All findings of its cause, in every workload.
    Cause,
}

/// The character that `Ctrl-D` sends in raw mode.
const END_OF_TRANSMISSION: char = '\u{4}';

impl Walk {
    /// Returns a walk over findings with these workloads and causes.
    pub(crate) fn new(findings: Vec<(usize, Option<usize>)>) -> Self {
        Self { findings, skipped: BTreeSet::new(), at: 0 }
    }

    /// Returns the current finding, or nothing after the last one.
    pub(crate) fn at(&self) -> Option<usize> {
        (self.at < self.findings.len()).then_some(self.at)
    }

    /// Moves to the next finding that was not skipped.
    pub(crate) fn go_on(&mut self) {
        let rest = self.at + 1..self.findings.len();
        self.at = rest.into_iter().find(|at| !self.skipped.contains(at)).unwrap_or(self.findings.len());
    }

    /// Leaves these findings undecided.
    pub(crate) fn skip(&mut self, findings: Vec<usize>) {
        self.skipped.extend(findings);
        self.go_on();
    }

    /// Returns to this finding.
    pub(crate) fn return_to(&mut self, finding: usize) {
        self.skipped.remove(&finding);
        self.at = finding;
    }

    /// Returns the effect of a key. A capital letter applies to the rest of the workload; `g` and
    /// `x` apply to the whole cause.
    pub(crate) fn step(&self, key: char) -> Step {
        let scope = match key {
            'g' | 'x' => Scope::Cause,
            key if key.is_ascii_uppercase() => Scope::Workload,
            _ => Scope::One,
        };
        let of = self.within(scope);
        match key {
            'a' | 'A' | 'g' => Step::Decide { decision: Decision::Accept, reason: false, scope, of },
            'e' | 'E' => Step::Decide { decision: Decision::Accept, reason: true, scope, of },
            'r' | 'R' | 'x' => Step::Decide { decision: Decision::Reject, reason: false, scope, of },
            's' | 'S' => Step::Skip(of),
            'u' | 'U' => Step::Undo,
            'k' | 'K' => Step::Stack,
            'o' | 'O' => Step::Open,
            '?' => Step::Help,
            'q' | 'Q' | END_OF_TRANSMISSION => Step::Quit,
            _ => Step::Unknown,
        }
    }

    fn within(&self, scope: Scope) -> Vec<usize> {
        let Some((workload, cause)) = self.findings.get(self.at) else { return Vec::new() };
        let all = self.findings.iter().enumerate();
        match scope {
            Scope::Workload => {
                let of = all.skip(self.at).filter(|(_, (other, _))| other == workload);
                of.map(|(at, _)| at).collect()
            }
            Scope::Cause if cause.is_some() => all.filter(|(_, (_, other))| other == cause).map(|(at, _)| at).collect(),
            Scope::One | Scope::Cause => vec![self.at],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_meaning() {
        let one = |decision, reason, at| Step::Decide { decision, reason, scope: Scope::One, of: vec![at] };
        let rest = |decision, reason, of: &[usize]| {
            let of = of.to_vec();
            Step::Decide { decision, reason, scope: Scope::Workload, of }
        };
        let all = |decision, of: &[usize]| {
            let of = of.to_vec();
            Step::Decide { decision, reason: false, scope: Scope::Cause, of }
        };
        for (at, key, step) in [
            (0, 'a', one(Decision::Accept, false, 0)),
            (0, 'A', rest(Decision::Accept, false, &[0, 1, 3])),
            (1, 'A', rest(Decision::Accept, false, &[1, 3])),
            (1, 'e', one(Decision::Accept, true, 1)),
            (2, 'E', rest(Decision::Accept, true, &[2, 4, 5])),
            (2, 'r', one(Decision::Reject, false, 2)),
            (0, 'R', rest(Decision::Reject, false, &[0, 1, 3])),
            (5, 'R', rest(Decision::Reject, false, &[5])),
            (0, 'g', all(Decision::Accept, &[0, 1, 2])),
            (2, 'g', all(Decision::Accept, &[0, 1, 2])),
            (3, 'x', all(Decision::Reject, &[3])),
            (4, 'x', all(Decision::Reject, &[4])),
            (5, 'g', all(Decision::Accept, &[5])),
            (0, 's', Step::Skip(vec![0])),
            (0, 'S', Step::Skip(vec![0, 1, 3])),
            (5, 's', Step::Skip(vec![5])),
            (0, 'u', Step::Undo),
            (0, 'k', Step::Stack),
            (0, 'o', Step::Open),
            (0, '?', Step::Help),
            (0, 'q', Step::Quit),
            (0, 'Q', Step::Quit),
            (0, '\u{4}', Step::Quit),
            (0, 'G', Step::Unknown),
            (0, 'y', Step::Unknown),
            (0, ' ', Step::Unknown),
            (0, 'é', Step::Unknown),
        ] {
            let causes = [Some(0), Some(0), Some(0), Some(1), None, None];
            let mut walk = Walk::new([7, 7, 8, 7, 8, 8].into_iter().zip(causes).collect());
            walk.return_to(at);
            assert_eq!(walk.step(key), step, "{key} at {at}");
        }
    }

    #[test]
    fn walk_ends_after_the_last_finding() {
        let mut walk = Walk::new(vec![(0, None), (1, None)]);
        for at in 0..2 {
            assert_eq!(walk.at(), Some(at));
            let Step::Skip(of) = walk.step('s') else { panic!("a skip") };
            walk.skip(of);
        }
        assert_eq!(walk.at(), None);
        assert_eq!(Walk::new(Vec::new()).at(), None);
    }

    #[test]
    fn skipped_workload_stays_skipped_among_others() {
        let mut walk = Walk::new([7, 8, 7, 8, 7].into_iter().map(|workload| (workload, None)).collect());
        let Step::Skip(of) = walk.step('S') else { panic!("a skip") };
        walk.skip(of);
        assert_eq!(walk.at(), Some(1));
        walk.go_on();
        assert_eq!(walk.at(), Some(3));
        walk.return_to(1);
        walk.go_on();
        assert_eq!(walk.at(), Some(3));
        walk.go_on();
        assert_eq!(walk.at(), None);
    }
}
