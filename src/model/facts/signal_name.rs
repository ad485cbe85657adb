//! A signal as baselines hold it. Main type: [`SignalName`].

use std::cmp::Ordering;
use std::fmt;

use crate::model::kernel::signal;

/// A signal of a fact. Ordered by name, as files and reports list signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalName(pub i32);

impl SignalName {
    /// Returns the signal of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        signal::from_name(name).map(Self)
    }

    /// Returns what it means and does by default.
    pub fn meaning(self) -> Option<&'static str> {
        signal::meaning(self.0)
    }

    /// Returns whether it means that the program crashed, such as SIGSEGV.
    pub fn is_crash(self) -> bool {
        signal::is_crash(self.0)
    }
}

impl Ord for SignalName {
    fn cmp(&self, other: &Self) -> Ordering {
        signal::name(self.0).cmp(&signal::name(other.0))
    }
}

impl PartialOrd for SignalName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&signal::name(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_ordered_by_name() {
        let mut signals: Vec<SignalName> = (1..65).map(SignalName).collect();
        signals.sort();
        assert!(signals.is_sorted_by(|a, b| a.to_string() < b.to_string()), "{signals:?}");
    }

    #[test]
    fn name_of_every_signal_is_read_back() {
        for number in 1..65 {
            assert_eq!(SignalName::from_name(&SignalName(number).to_string()), Some(SignalName(number)));
        }
    }
}
