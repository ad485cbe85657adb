//! Phases and first calls, event by event.

use super::*;
use crate::model::attribution::Answers;
use crate::model::event::Call;
use crate::model::marker::PhaseName;
use crate::model::syscall::{Abi, Syscall};

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
fn each_call_is_of_the_phase_that_the_program_named_else_perhaps_the_loaders() {
    let mut watch = Watch::new(Part::All);
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
        let first = watch.fold(&event).map(|first| (first.phase, first.of_run));
        let expected = (phase.is_some() || of_run).then(|| (phase.map(str::to_owned), of_run));
        assert_eq!(first, expected, "{event:?}");
    }
    let calls = |uses: &BTreeMap<Use, Tally>| uses.values().map(|tally| tally.calls).sum::<u64>();
    let parts: Vec<_> = watch.observation.parts().map(|(phase, uses)| (phase, calls(&uses))).collect();
    assert_eq!(parts, [(None, 1), (Some("loader"), 3), (Some("serving"), 2)]);
    let of_loader = Rule { phase: Some(LOADER.to_owned()), .."uname".into() };
    assert_eq!((watch.observation.calls(), watch.observation.calls_of(of_loader)), (6, 3));
}

#[test]
fn who_calls_first_is_kept_for_the_run_and_for_the_phase() {
    let mut watch = Watch::new(Part::All);
    let mut sites = |event: Event| {
        let first = watch.fold(&event).expect("the first");
        assert!(!watch.observation.knows_caller(&first));
        watch.observation.called_by(first.clone(), CallSite::default());
        assert!(watch.observation.knows_caller(&first));
        let elsewhere = First { phase: Some("serving".to_owned()), ..first };
        assert!(!watch.observation.knows_caller(&elsewhere));
        watch.observation.sites.keys().map(|(phase, _)| phase.clone()).collect::<Vec<_>>()
    };
    assert_eq!(sites(called("uname", [0; 5], true)), [None, Some("loader".to_owned())]);
    assert_eq!(sites(called("getppid", [0; 5], false)).len(), 3);
}
