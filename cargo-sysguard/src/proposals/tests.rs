//! Tests of how keys match workloads.

use super::*;

#[test]
fn key_matches_name_prefix_or_fact() {
    for (name, key, kind) in [
        ("perf::sched", "perf::sched", Some(MatchKind::Name)),
        ("perf::sched", "perf", Some(MatchKind::Name)),
        ("perf::sched", "per", None),
        ("perf::sched", "sched", None),
        ("run::fd::tests::a", "run::fd::tests", Some(MatchKind::Name)),
        ("run::fd::tests::a", "fd::tests", Some(MatchKind::ShortName)),
        ("run::fd::tests::a", "fd::tests::a", Some(MatchKind::ShortName)),
        ("run::fd::tests::a", "run", Some(MatchKind::Name)),
        ("perf", "perf::network::socket", Some(MatchKind::Fact)),
        ("run::fd::it", "fd::it::network", Some(MatchKind::Fact)),
    ] {
        assert_eq!(aim(name, key).map(|(_, kind)| kind), kind, "{key} of {name}");
    }
}
