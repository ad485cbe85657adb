//! How keys match workloads. Main function: [`aim`].

use sysguard::unstable::model::judge::pending::Aim;
use sysguard::unstable::model::run::test_name;

/// How a key matches a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatchKind {
    /// It is the name, or its beginning up to a `::`.
    Name,
    /// It is the name of a test without `run::`, or its beginning up to a `::`.
    ShortName,
    /// It is a fact of the workload.
    Fact,
}

/// Returns what the key selects of the workload with this name, if it matches.
pub(super) fn aim(name: &str, key: &str) -> Option<(Aim, MatchKind)> {
    let at = |name: &str, kind: MatchKind| match Aim::at(name, key) {
        Some(Aim::Part(fact)) => Some((Aim::Part(fact), MatchKind::Fact)),
        Some(Aim::Whole) => Some((Aim::Whole, kind)),
        None => test_name::is_at_or_below(name, key).then_some((Aim::Whole, kind)),
    };
    at(name, MatchKind::Name).or_else(|| at(test_name::short(name)?, MatchKind::ShortName))
}
