//! Tests of phases, first calls and closures, event by event.

use super::*;
use crate::model::attribution::Answers;
use crate::model::expectation::Rule;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::trace::marker::LOADER;
use crate::model::trace::marker::{Key, Marker, PhaseName};

fn called(name: &str, args: [u64; 5], by_loader: bool) -> Event {
    let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
    let [a, b, c, d, e] = args;
    let call = Call { syscall, args: [a, b, c, d, e, 0], instruction_pointer: 0 };
    let answers = Answers { by_loader, ..Answers::default() };
    Event::Called { task: 1, call, outcome: CallOutcome::Returned(0), answers }
}

fn named(phase: &'static str) -> Event {
    called("prctl", Marker::Phase(PhaseName::new(phase)).registers(), false)
}

#[test]
fn named_phase_takes_precedence_over_the_loader() {
    let mut observer = Observer::new(Part::All);
    let read = |by_loader| called("uname", [0; 5], by_loader);
    for (event, phase, of_run) in [
        (read(true), Some("loader"), true),
        (read(true), None, false),
        (read(false), None, false),
        (named("serving"), None, false),
        (read(false), Some("serving"), false),
        (read(true), None, false),
        (named(""), None, false),
        (read(true), None, false),
    ] {
        let first = observer.fold(&event).map(|first| (first.phase, first.of_run));
        let expected = (phase.is_some() || of_run).then(|| (phase.map(str::to_owned), of_run));
        assert_eq!(first, expected, "{event:?}");
    }
    let calls = |uses: &BTreeMap<Use, Tally>| uses.values().map(|tally| tally.calls).sum::<u64>();
    let parts: Vec<_> = observer.observation.parts().map(|(phase, uses)| (phase, calls(&uses))).collect();
    assert_eq!(parts, [(None, 1), (Some("loader"), 3), (Some("serving"), 2)]);
    let of_loader = Rule { phase: Some(LOADER.to_owned()), .."uname".into() };
    assert_eq!((observer.observation.calls(), observer.observation.calls_of(of_loader)), (6, 3));
}

#[test]
fn call_site_is_kept_for_run_and_phase() {
    let mut observer = Observer::new(Part::All);
    let mut sites = |event: Event| {
        let first = observer.fold(&event).expect("the first");
        assert!(!observer.observation.sites.contains(&first));
        observer.observation.sites.add(&first, &CallSite::default());
        assert!(observer.observation.sites.contains(&first));
        let elsewhere = First { phase: Some("serving".to_owned()), ..first };
        assert!(!observer.observation.sites.contains(&elsewhere));
        observer.observation.sites.of_uses().map(|(phase, ..)| phase.map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(sites(called("uname", [0; 5], true)), [None, Some("loader".to_owned())]);
    assert_eq!(sites(called("getppid", [0; 5], false)).len(), 3);
}

#[test]
fn phase_named_loader_is_a_blind_spot() {
    for forged in ["loader", "loader\0x"] {
        let mut observer = Observer::new(Part::All);
        for event in [named("serving"), named(forged), called("uname", [0; 5], false), called("uname", [0; 5], true)] {
            observer.fold(&event);
        }
        let of_loader = || Rule { phase: Some(LOADER.to_owned()), .."uname".into() };
        // Calls of the loader itself still belong to its phase.
        assert_eq!((observer.observation.calls(), observer.observation.calls_of(of_loader())), (2, 1));
        assert!(!observer.observation.phases.contains_key("serving"));
        assert_eq!(observer.observation.blind_spots, BTreeSet::from([BlindSpot::ReservedPhase]));
    }
}

const ROOT: i32 = 1;
const KEY: Key = Key(7);
const FORGED: Key = Key(0);

fn by(task: i32, event: Event) -> Event {
    let Event::Called { call, outcome, answers, .. } = event else { panic!("a call") };
    Event::Called { task, call, outcome, answers }
}

fn marker_by(task: i32, marker: &Marker) -> Event {
    by(task, called("prctl", marker.registers(), false))
}

fn calls(task: i32, name: &str) -> Event {
    by(task, called(name, [0; 5], false))
}

fn spawned(task: i32, parent: Option<i32>) -> Event {
    Event::Spawned { task, parent, process: false }
}

/// Returns the observer, and the counted syscalls, of a closure with these events.
fn marked(events: &[Event]) -> (Observer, Vec<String>) {
    let mut observer = Observer::new(Part::Marked);
    observer.fold(&spawned(ROOT, None));
    events.iter().for_each(|event| drop(observer.fold(event)));
    let names = observer.observation.uses.keys().map(|used| used.syscall.name().into_owned()).collect();
    (observer, names)
}

#[test]
fn closure_counts_between_its_markers() {
    let (enter, leave) = (|| marker_by(ROOT, &Marker::Enter(KEY)), || marker_by(ROOT, &Marker::Leave(KEY)));
    let forged = |task, marker: fn(Key) -> Marker| marker_by(task, &marker(FORGED));
    let (before, inside, after) = (|| calls(ROOT, "uname"), || calls(ROOT, "getppid"), || calls(ROOT, "getsid"));
    for (events, misplaced, counted) in [
        (vec![before(), enter(), inside(), leave(), after()], None, &["getppid"][..]),
        // The closure never leaves, so later calls are its own.
        (vec![before(), enter(), inside()], None, &["getppid"]),
        (vec![enter(), forged(ROOT, Marker::Leave), inside(), leave()], Some(Misplaced::Forged), &["getppid"]),
        (
            vec![enter(), forged(ROOT, Marker::Leave), inside(), forged(ROOT, Marker::Enter), leave()],
            Some(Misplaced::Forged),
            &["getppid"],
        ),
        (vec![enter(), leave(), after(), leave()], Some(Misplaced::Forged), &[]),
        (vec![enter(), leave(), enter(), after()], Some(Misplaced::EnteredAgain), &["getsid"]),
        (vec![enter(), enter(), inside(), leave(), after()], Some(Misplaced::EnteredAgain), &["getppid", "getsid"]),
        (vec![leave(), enter(), inside()], Some(Misplaced::NotEntered), &["getppid"]),
        (vec![enter(), marker_by(2, &Marker::Leave(KEY)), inside()], Some(Misplaced::ByOther), &["getppid"]),
        (vec![marker_by(2, &Marker::Enter(KEY)), before(), enter(), inside()], Some(Misplaced::ByOther), &["getppid"]),
        // A program executed inside or after the closure.
        (vec![enter(), calls(ROOT, "execve"), inside()], None, &["getppid", "execve"]),
        (vec![enter(), leave(), calls(ROOT, "execve"), after()], None, &["getsid", "execve"]),
    ] {
        let (observer, mut names) = marked(&events);
        names.sort();
        let mut counted = counted.to_vec();
        counted.sort();
        assert_eq!(
            (observer.misplaced(), names),
            (misplaced, counted.iter().map(|&name| name.into()).collect()),
            "{events:?}"
        );
    }
}

#[test]
fn tasks_of_a_closure_count_to_their_end() {
    let (enter, leave) = (marker_by(ROOT, &Marker::Enter(KEY)), marker_by(ROOT, &Marker::Leave(KEY)));
    let (observer, names) = marked(&[
        spawned(2, Some(ROOT)),
        enter,
        spawned(3, Some(ROOT)),
        calls(2, "uname"),
        leave,
        calls(2, "getsid"),
        spawned(4, Some(3)),
        calls(4, "getppid"),
        spawned(5, Some(2)),
        calls(5, "getpgid"),
        calls(5, "execve"),
        calls(5, "getuid"),
        calls(ROOT, "getgid"),
        Event::Ended { task: 4, exit: Exit::Exited(0), by_tracer: false },
        calls(4, "getegid"),
    ]);
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!((observer.misplaced(), names), (None, BTreeSet::from(["execve", "getppid", "getuid", "uname"])));
}

fn ended(task: i32, exit: Exit) -> Event {
    Event::Ended { task, exit, by_tracer: false }
}

fn process(task: i32, parent: i32) -> Event {
    Event::Spawned { task, parent: Some(parent), process: true }
}

#[test]
fn process_counts_once_and_the_first_never() {
    let crash = Exit::Signaled(11);
    let mut observer = Observer::new(Part::All);
    for event in [
        Event::Spawned { task: ROOT, parent: None, process: true },
        process(2, ROOT),
        spawned(3, Some(2)),
        ended(3, crash),
        ended(2, crash),
        process(4, ROOT),
        Event::Ended { task: 4, exit: Exit::Signaled(9), by_tracer: true },
        // The number of a thread belongs to a process later.
        process(3, ROOT),
        ended(3, Exit::Exited(7)),
        process(5, ROOT),
        ended(5, Exit::Signaled(9)),
        ended(ROOT, crash),
    ] {
        let fatal = observer.fatal_signal(&event);
        let counted: u64 = observer.observation.ends.signals.values().sum();
        observer.fold(&event);
        let now: u64 = observer.observation.ends.signals.values().sum();
        assert_eq!(fatal.is_some(), now > counted, "{event:?}");
    }
    let ends = observer.observation.ends;
    assert_eq!(ends.signals, BTreeMap::from([(SignalName(11), 1), (SignalName(9), 1)]));
    assert_eq!(ends.statuses, BTreeMap::from([(7, 1)]));
}

#[test]
fn closure_counts_the_ends_of_its_own_processes() {
    let (enter, leave) = (marker_by(ROOT, &Marker::Enter(KEY)), marker_by(ROOT, &Marker::Leave(KEY)));
    let handled = |task| Event::Handled { task, signal: 10 };
    let crash = Exit::Signaled(11);
    let events =
        [process(2, ROOT), handled(2), enter, process(3, ROOT), leave, handled(3), ended(2, crash), ended(3, crash)];
    let ends = marked(&events).0.observation.ends;
    assert_eq!(ends.signals, BTreeMap::from([(SignalName(11), 1)]));
    assert_eq!(ends.handled, BTreeMap::from([(SignalName(10), 1)]));
}

#[test]
fn closure_that_was_never_entered_is_known() {
    assert!(marked(&[calls(ROOT, "uname")]).0.is_never_entered());
    assert!(!marked(&[marker_by(ROOT, &Marker::Enter(KEY))]).0.is_never_entered());
    assert!(!Observer::new(Part::All).is_never_entered());
}
