//! Decides how many runs without an injection are enough. Main type: [`SteadySurveys`].

use std::collections::BTreeMap;

use crate::model::explore::injection::CallPoint;
use crate::model::explore::outcome::Outcomes;
use crate::model::explore::survey::Survey;

/// The number of surveys in a row that must add nothing to what varies.
const QUIET: usize = 2;

/// What the surveys so far have in common, and how many in a row added nothing.
#[derive(Debug, Clone, Default)]
pub struct SteadySurveys {
    /// The calls, each with whether every survey has it.
    calls: BTreeMap<CallPoint, bool>,
    outcomes: Outcomes,
    quiet: usize,
}

impl SteadySurveys {
    /// Takes the surveys so far, the last of which is new.
    pub fn add(&mut self, surveys: &[Survey]) {
        let mut calls: BTreeMap<CallPoint, usize> = BTreeMap::new();
        for call in surveys.iter().flat_map(|survey| &survey.calls) {
            *calls.entry(call.point).or_default() += 1;
        }
        let calls = calls.into_iter().map(|(point, count)| (point, count == surveys.len())).collect();
        let outcomes = Outcomes::of(surveys);
        let is_quiet = surveys.len() > 1 && calls == self.calls && outcomes == self.outcomes;
        self.quiet = if is_quiet { self.quiet + 1 } else { 0 };
        (self.calls, self.outcomes) = (calls, outcomes);
    }

    /// Returns whether the last surveys added nothing.
    pub fn is_enough(&self) -> bool {
        self.quiet >= QUIET
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::explore::samples::{call, run, survey};

    /// Returns how many of these surveys are enough; one more than there are if they are not.
    fn enough(surveys: &[Survey]) -> usize {
        let mut steady = SteadySurveys::default();
        let is_enough = |count: &usize| {
            steady.add(&surveys[..*count]);
            steady.is_enough()
        };
        (1..=surveys.len()).find(is_enough).unwrap_or(surveys.len() + 1)
    }

    #[test]
    fn equal_surveys_are_enough_after_three() {
        let all = [0, 1, 2, 3].map(|_| survey([call("dup", "pipe").at(1, 1, 0)]));
        assert_eq!(enough(&all), 3);
    }

    #[test]
    fn new_variation_asks_for_more() {
        let with = |stacks: &[u64]| survey(stacks.iter().map(|stack| call("dup", "pipe").at(*stack, 1, 0)));
        assert_eq!(enough(&[with(&[1]), with(&[1]), with(&[1, 2]), with(&[1]), with(&[1, 2]), with(&[2])]), 5);
        let printing = |text: &str| Survey { result: run(0, text, ""), ..Survey::default() };
        assert_eq!(enough(&["a 1", "a 1", "a 2", "a 3", "a 4", "a 5"].map(printing)), 5);
    }
}
