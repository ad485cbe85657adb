//! Property tests: no input makes the reader panic, and reading returns what was written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use saphyr_parser::{Event, Parser};
use serde_yaml::Value;

use super::scalar::scalar;
use super::{Shared, read, write};
use crate::model::attribution::{ObjectKind, Subsystem};
use crate::model::expectation::terms::{Baseline, Entry, ErrorPaths, Explored};
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::error_path::{FailedCall, FaultName, RunOutcome};
use crate::model::facts::fact::{Detail, Pair};
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::signal_name::SignalName;
use crate::model::facts::version::Version;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;
use crate::model::run::recording::FEWEST_RUNS;
use crate::model::text::escape;

const EXAMPLE: &str = include_str!("example.yaml");

/// Fragments of YAML that are hard to parse.
const PIECES: &[&str] = &[
    "---\n",
    "...\n",
    "- ",
    "? ",
    ": ",
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "&a ",
    "*a",
    "!!str ",
    "!",
    "|\n",
    ">-\n",
    "|2+\n",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "%YAML 1.1\n",
    "~",
    "<<: ",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "\\x",
    "version: 3\n",
    "é",
    "a:",
];

/// Generates any strings, and often strings with another meaning in YAML.
fn any_text() -> impl Strategy<Value = String> {
    let tricky =
        "[-?:,\\[\\]{}#&*!|>'\"%@`~=<. 0-9_+xobeEnyNYa\n\r\t\u{7f}\u{85}\u{feff}\u{2028}\u{fffe}\u{1f600}é\\\\]{0,8}";
    prop_oneof![
        tricky,
        "[a-zA-Z_]{1,12}",
        ".{0,20}",
        select(vec!["null".to_owned(), "No".to_owned(), "1e3".to_owned()])
    ]
    .prop_filter("a program argument cannot hold a NUL", |text| !text.contains('\0'))
}

fn words() -> impl Strategy<Value = BTreeSet<String>> {
    let name = any_text().prop_map(|text| escape::name(&text).into_owned());
    prop::collection::btree_set(name.prop_filter("a name is not empty", |text| !text.is_empty()), 0..4)
}

fn entry() -> impl Strategy<Value = Entry> {
    let errors = prop::collection::btree_set(
        select(Errno::names().filter_map(Errno::from_name).map(ErrnoName).collect::<Vec<_>>()),
        0..3,
    );
    let abis = prop::collection::btree_set(select(Abi::ALL.to_vec()), 0..3);
    let prose = || prop::option::of(any_text());
    let pairs = (words(), words()).prop_map(|(arguments, objects)| {
        let pair = |(argument, object)| Pair { argument, object: ObjectKind::new(object) };
        arguments.into_iter().zip(objects).map(pair).collect()
    });
    (words(), words(), pairs, errors, abis, any::<bool>(), prose(), prose()).prop_map(
        |(arguments, objects, pairs, errors, abis, sometimes, why, owner)| {
            let mut entry = Entry {
                arguments,
                objects: objects.into_iter().map(ObjectKind::new).collect(),
                pairs,
                errors,
                abis,
                sometimes,
                why,
                reasons: BTreeMap::new(),
                owner,
            };
            // Every other use has a reason.
            let uses = entry.details().filter(Detail::is_use).step_by(2);
            entry.reasons = uses.map(|used| (used, "a reason".to_owned())).collect();
            entry
        },
    )
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    let part = || prop::option::of(any_text().prop_filter("a version is not empty", |text| !text.is_empty()));
    (part(), part(), part(), part()).prop_map(|(kernel, libc, rustc, profile)| Fingerprint {
        kernel,
        libc,
        rustc,
        profile,
    })
}

fn subsystems() -> impl Strategy<Value = BTreeMap<Subsystem, BTreeMap<String, Entry>>> {
    let syscalls = prop::collection::btree_map("[a-z0-9_]{1,6}|syscall_-1|no|null", entry(), 0..4);
    prop::collection::btree_map(select(Subsystem::ALL.to_vec()), syscalls, 0..4)
}

fn error_paths() -> impl Strategy<Value = ErrorPaths> {
    let explored = (1..100_000_u64, 0..1_000_u32, 0..1_000_u32).prop_map(|(millis, tried, reachable)| Explored {
        budget: Duration::from_millis(millis),
        tried,
        reachable,
    });
    let argument =
        any_text().prop_map(|text| escape::name(&text).into_owned()).prop_filter("not empty", |it| !it.is_empty());
    let faults: Vec<FaultName> = FaultName::names().filter_map(FaultName::from_name).collect();
    let call = ("[a-z0-9_]{1,6}", prop::option::of(argument), select(faults))
        .prop_map(|(syscall, argument, fault)| FailedCall { syscall, argument, fault });
    let calls = prop::collection::btree_set(call, 1..4);
    let outcomes = prop::collection::btree_map(select(RunOutcome::JUDGED.to_vec()), calls, 0..4);
    let signals = prop::collection::btree_set((1..65).prop_map(SignalName), 0..3);
    (prop::option::of(explored), subsystems(), words(), signals, outcomes).prop_map(
        |(explored, uses, blind_spots, signals, outcomes)| ErrorPaths {
            explored,
            uses,
            blind_spots: blind_spots.into_iter().map(RecordedBlindSpot::named).collect(),
            signals,
            outcomes,
        },
    )
}

fn baseline() -> impl Strategy<Value = Baseline> {
    let names = prop::collection::btree_set("[a-z0-9_]{1,6}|no", 1..3);
    let phase = prop::collection::btree_map(select(Subsystem::ALL.to_vec()), names, 0..3);
    let phases = prop::collection::btree_map("[A-Za-z0-9_.-]{1,6}|no|null|1", phase, 0..3);
    let platform = select(vec!["gnu", "musl"]);
    let signals = prop::collection::btree_set((1..65).prop_map(SignalName), 0..3);
    let errors = prop::option::of(error_paths());
    let completeness = (any::<bool>(), prop::option::of(0..FEWEST_RUNS));
    (platform, fingerprint(), completeness, subsystems(), phases, words(), signals, errors).prop_map(
        |(env, fingerprint, (never_quiet, few_runs), subsystems, phases, blind_spots, signals, errors)| Baseline {
            platform: format!("x86_64-linux-{env}").parse().expect("a platform"),
            version: Version::Two,
            fingerprint,
            never_quiet,
            few_runs,
            subsystems,
            phases,
            blind_spots: blind_spots.into_iter().map(RecordedBlindSpot::named).collect(),
            signals,
            errors,
        },
    )
}

/// Returns a baseline as version 1 could hold it.
fn in_version_1(mut baseline: Baseline) -> Baseline {
    baseline.version = Version::One;
    let of_errors = baseline.errors.iter_mut().flat_map(|errors| errors.uses.values_mut());
    baseline.subsystems.values_mut().chain(of_errors).flat_map(BTreeMap::values_mut).for_each(|entry| {
        entry.pairs.clear();
        entry.reasons.clear();
    });
    baseline
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(512), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_yaml_causes_a_panic(pieces in prop::collection::vec(select(PIECES), 0..40)) {
        let _ = read(pieces.concat().as_bytes());
    }

    #[test]
    fn no_value_causes_a_panic(pieces in prop::collection::vec(select(PIECES), 0..24)) {
        let text = format!("version: 1\ncommand: [x]\nstdin: {}", pieces.concat());
        if let Ok(parsed) = read(text.as_bytes()) {
            prop_assert!(parsed.text().starts_with(&text));
        }
    }

    #[test]
    fn damaged_file_is_malformed_or_kept(
        damages in prop::collection::vec((any::<Index>(), 0..6_usize, select(PIECES)), 1..4),
    ) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        for (place, removed, piece) in damages {
            let start = place.index(bytes.len());
            let end = (start + removed).min(bytes.len());
            bytes.splice(start..end, piece.bytes());
        }
        if let Ok(parsed) = read(&bytes) {
            let text = String::from_utf8(bytes).expect("it was read as text");
            let kept = parsed.text();
            prop_assert_eq!(kept.trim_end_matches(['\r', '\n']), text.trim_end_matches(['\r', '\n']));
        }
    }

    #[test]
    fn written_baseline_is_read_back_unchanged(baseline in baseline(), is_older in any::<bool>()) {
        let baseline = if is_older { in_version_1(baseline) } else { baseline };
        let document = read(b"version: 1\nbin: demo\n").expect("a document");
        let text = document.with(baseline.clone());
        let again = read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"));
        prop_assert_eq!(&again.expectation.baselines, std::slice::from_ref(&baseline));
        prop_assert_eq!(write(&document, &[baseline]), text);
    }

    #[test]
    fn splitting_tests_loses_nothing(recorded in prop::collection::vec((any_text(), baseline(), any::<bool>()), 0..5)) {
        let recorded: Vec<(String, Baseline)> = recorded.into_iter().map(|(test, baseline, is_older)| {
            (test, if is_older { in_version_1(baseline) } else { baseline })
        }).collect();
        let mut shared = Shared::of_binary("demo::it").expect("a name");
        let (mut tests, mut reversed) = (BTreeMap::new(), shared.clone());
        for (test, baseline) in &recorded {
            shared.insert(test, baseline.clone());
            tests.insert((test, baseline.platform.clone()), baseline);
        }
        for ((test, _), baseline) in tests.iter().rev() {
            reversed.insert(test, (*baseline).clone());
        }
        let text = shared.text();
        prop_assert_eq!(&reversed.text(), &text);
        let again = Shared::read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"));
        prop_assert_eq!(&again.text(), &text);
        for ((test, platform), baseline) in &tests {
            let own = again.test(test);
            prop_assert_eq!(own.expectation.baseline(platform), Some(*baseline));
            prop_assert_eq!(&read(own.text().as_bytes()).expect("a file of its own").expectation, &own.expectation);
        }
    }

    #[test]
    fn both_parsers_read_a_written_scalar_back(text in any_text()) {
        let yaml = format!("- {}\n", scalar(&text));
        let read: Vec<Value> = serde_yaml::from_str(&yaml).expect("YAML");
        prop_assert_eq!(&read, &[Value::String(text.clone())]);
        let scalars: Vec<_> = Parser::new_from_str(&yaml).filter_map(|event| match event.expect("YAML").0 {
            Event::Scalar(text, ..) => Some(text.into_owned()),
            _ => None,
        }).collect();
        prop_assert_eq!(scalars, [text]);
    }
}
