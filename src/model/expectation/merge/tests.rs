//! Tests of recording and amending baselines.

use super::*;
use crate::model::attribution::ObjectKind;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::facts::finding::Finding;
use crate::model::facts::version::Version;

/// Returns a run that showed these facts and their parents.
fn run(keys: &[&str]) -> BTreeSet<Fact> {
    let fact = |key: &&str| key.parse::<Fact>().expect(key);
    keys.iter().map(fact).flat_map(|fact| std::iter::successors(Some(fact), Fact::parent)).collect()
}

fn recording(libc: &str, runs: &[&[&str]]) -> Recorded {
    Recorded {
        platform: "x86_64-linux-gnu".parse().expect("a platform"),
        fingerprint: Fingerprint { libc: Some(libc.to_owned()), ..Fingerprint::default() },
        never_quiet: false,
        runs: runs.iter().map(|keys| run(keys)).collect(),
    }
}

fn recorded(old: Option<&Baseline>, runs: &[&[&str]], unseen: Unseen) -> Baseline {
    record(old, &recording("glibc 2.36", runs), unseen)
}

/// Formats the entries as `syscall objects reason`, with `?` for `seen: sometimes`.
fn shown(baseline: &Baseline) -> Vec<String> {
    let entries = baseline.subsystems.values().flatten();
    let show = |(name, entry): (&String, &Entry)| {
        let objects: Vec<_> = entry.objects.iter().map(ObjectKind::as_str).collect();
        let mark = if entry.sometimes { "?" } else { "" };
        format!("{name}{mark} {} {}", objects.join(","), entry.why.as_deref().unwrap_or_default()).trim_end().to_owned()
    };
    entries.map(show).collect()
}

const READ_FILE: &str = "filesystem::read::object=file";
const READ_PIPE: &str = "filesystem::read::object=pipe";

#[test]
fn occasional_entry_is_marked_and_keeps_its_mark() {
    let first = recorded(None, &[&[READ_FILE, "filesystem::write"], &[READ_FILE]], Unseen::Keep);
    assert_eq!(shown(&first), ["read file", "write?"]);
    let second = recorded(Some(&first), &[&[READ_FILE, "filesystem::write"]], Unseen::Keep);
    assert_eq!(second, first);
}

#[test]
fn held_facts_stay_until_pruned() {
    let mut old = recorded(None, &[&[READ_FILE, READ_PIPE, "filesystem::write"]], Unseen::Keep);
    old.blind_spots.insert(BlindSpot::IoUring.into());
    let entry = old.entries_mut().next().expect("an entry").2;
    entry.why = Some("logs".to_owned());
    let runs: &[&[&str]] = &[&[READ_FILE, "filesystem::link"]];

    let kept = recorded(Some(&old), runs, Unseen::Keep);
    assert_eq!(shown(&kept), ["link", "read file,pipe logs", "write"]);
    assert!(kept.blind_spots.contains(&BlindSpot::IoUring.into()));

    let pruned = recorded(Some(&old), runs, Unseen::Prune);
    assert_eq!(shown(&pruned), ["link", "read file logs"]);
    assert!(pruned.blind_spots.is_empty());
}

#[test]
fn recording_upgrades_an_older_baseline() {
    let facts = ["device::ioctl::argument=TCGETS", "device::ioctl::argument=TCXONC", "device::ioctl::object=char:pts"];
    let mut old = Baseline { version: Version::One, ..recorded(None, &[&facts], Unseen::Keep) };
    let entry = old.entries_mut().next().expect("an entry").2;
    (entry.why, entry.sometimes) = (Some("asks the terminal".to_owned()), true);
    let runs: &[&[&str]] = &[&["device::ioctl::TCGETS,char:pts"], &["device::ioctl::argument=TCGETS"]];
    let facts = |unseen| {
        let new = recorded(Some(&old), runs, unseen);
        let entry = &new.subsystems[&Subsystem::Device]["ioctl"];
        assert_eq!(
            (new.version, entry.why.as_deref(), entry.sometimes),
            (Version::Two, Some("asks the terminal"), true)
        );
        assert_eq!(recorded(Some(&new), runs, unseen), new, "a second recording changes nothing");
        entry.details().map(|detail| detail.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(facts(Unseen::Keep), ["argument=TCXONC", "TCGETS,char:pts"]);
    assert_eq!(facts(Unseen::Prune), ["TCGETS,char:pts"]);
}

#[test]
fn reason_of_a_use_stays_while_the_use_does() {
    let mut old = recorded(None, &[&[READ_FILE, READ_PIPE]], Unseen::Keep);
    let entry = old.entries_mut().next().expect("an entry").2;
    entry.reasons = entry.details().map(|used| (used.clone(), used.to_string())).collect();
    let reasons = |unseen| {
        let new = recorded(Some(&old), &[&[READ_FILE]], unseen);
        new.subsystems[&Subsystem::Filesystem]["read"].reasons.values().cloned().collect::<Vec<_>>()
    };
    assert_eq!(reasons(Unseen::Keep), ["object=file", "object=pipe"]);
    assert_eq!(reasons(Unseen::Prune), ["object=file"]);
}

#[test]
fn recording_the_same_facts_changes_nothing() {
    let runs: &[&[&str]] = &[&["filesystem::read::object=file:proc"], &["filesystem::read", "blind_spots::io_uring"]];
    let first = recorded(None, runs, Unseen::Keep);
    for unseen in [Unseen::Keep, Unseen::Prune] {
        assert_eq!(recorded(Some(&first), runs, unseen), first);
    }
    assert_eq!(recorded(Some(&first), &[], Unseen::Keep), first, "no runs change nothing");
}

#[test]
fn loader_phase_is_recorded_only_if_named() {
    let runs: &[&[&str]] = &[&["phase=loader::filesystem::openat", "phase=serving::network::read"]];
    let phases = |baseline: &Baseline| baseline.phases.keys().cloned().collect::<Vec<_>>();
    let mut first = recorded(None, runs, Unseen::Keep);
    assert_eq!(phases(&first), ["serving"]);
    first.phases.insert("loader".to_owned(), BTreeMap::new());
    let named = recorded(Some(&first), runs, Unseen::Keep);
    assert_eq!(phases(&named), ["loader", "serving"]);
    assert_eq!(phases(&recorded(Some(&named), runs, Unseen::Keep)), ["loader", "serving"]);
}

#[test]
fn fingerprint_changes_only_with_a_fact() {
    let old = recorded(None, &[&[READ_FILE]], Unseen::Keep);
    let elsewhere = |runs: &[&[&str]], never_quiet| {
        let recorded = Recorded { never_quiet, ..recording("glibc 2.39", runs) };
        let new = record(Some(&old), &recorded, Unseen::Keep);
        (new.fingerprint.libc.unwrap_or_default(), new.never_quiet)
    };
    assert_eq!(elsewhere(&[&[READ_FILE]], true), ("glibc 2.36".to_owned(), false));
    assert_eq!(elsewhere(&[&[READ_FILE], &[]], true), ("glibc 2.36".to_owned(), false), "a mark is not a fact");
    assert_eq!(elsewhere(&[&[READ_FILE, READ_PIPE]], true), ("glibc 2.39".to_owned(), true));
    let unknown = Baseline { fingerprint: Fingerprint::default(), ..old.clone() };
    let again = record(Some(&unknown), &recording("glibc 2.39", &[&[READ_FILE]]), Unseen::Keep);
    assert_eq!(again, unknown, "a baseline without a fingerprint stays unchanged");
}

#[test]
fn few_runs_are_marked_until_a_longer_recording() {
    const WRITE: &str = "filesystem::write";
    let runs = |number, key| vec![run(&[key]); number];
    let few_runs = |old: &Baseline, number, key| {
        let recorded = Recorded { runs: runs(number, key), ..recording("glibc 2.36", &[]) };
        record(Some(old), &recorded, Unseen::Keep).few_runs
    };
    let of_three = Baseline { few_runs: Some(3), ..recorded(None, &[&[READ_FILE][..]; 3], Unseen::Keep) };
    assert_eq!(recorded(None, &[&[READ_FILE][..]; 3], Unseen::Keep), of_three);
    let complete = Baseline { few_runs: None, ..of_three.clone() };
    for (old, number, key, expected) in [
        (&of_three, 2, READ_FILE, Some(3)),
        (&of_three, 9, READ_FILE, Some(9)),
        (&of_three, 10, READ_FILE, None),
        (&of_three, 2, WRITE, Some(2)),
        (&of_three, 10, WRITE, None),
        (&complete, 1, READ_FILE, None),
        (&complete, 1, WRITE, Some(1)),
        (&complete, 10, WRITE, None),
    ] {
        assert_eq!(few_runs(old, number, key), expected, "{:?} {number} {key}", old.few_runs);
    }
}

#[test]
fn test_adds_only_confirmed_facts() {
    let old = recorded(None, &[&[READ_FILE, "filesystem::write"]], Unseen::Keep);
    let suspect = |key: &str| {
        let finding = Finding::new(key.parse().expect(key), 1);
        Suspect { finding, seen: 1, runs: 2 }
    };
    let runs: &[&[&str]] = &[
        &[
            READ_FILE,
            READ_PIPE,
            "filesystem::link",
            "filesystem::mkdir::object=file",
            "network::socket",
            "network::bind",
        ],
        &[READ_FILE, "filesystem::link", "network::socket"],
    ];
    let recorded = recording("glibc 2.39", runs);
    let new = amend(&old, &recorded, &[suspect(READ_PIPE), suspect("filesystem::mkdir")]);
    assert_eq!(shown(&new), ["link", "read file", "write", "bind?", "socket"]);
    assert_eq!(new.fingerprint, recorded.fingerprint);

    let all = ["filesystem::link", "filesystem::mkdir", "network", "network::socket", "network::bind", READ_PIPE];
    let nothing = amend(&old, &recorded, &all.map(suspect));
    assert_eq!(nothing.subsystems[&Subsystem::Filesystem], old.subsystems[&Subsystem::Filesystem]);
    let quiet = recording("glibc 2.39", &[&["filesystem::write"], &[]]);
    assert_eq!(amend(&old, &quiet, &[]), old, "known facts change nothing");
}
