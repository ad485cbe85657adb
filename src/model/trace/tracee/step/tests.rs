//! Tests of each race as a sequence of stops, with the expected directives and events.

use std::collections::BTreeSet;

use super::{Directive, Step, Stop, Tasks};
use crate::model::attribution::Answers;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, CallOutcome, Errno, Tid};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;

pub(super) const ROOT: Tid = 10;
const GO: Directive = Directive::Resume(0);

fn call(name: &str) -> Call {
    let syscall = Syscall::from_name(Abi::X86_64, name).expect("a name of the x86_64 table");
    Call { syscall, args: [0; 6], instruction_pointer: 0 }
}

pub(super) fn entry(name: &str) -> Stop {
    Stop::Entry(call(name))
}

pub(super) fn exit(value: i64) -> Stop {
    Stop::Exit { value, failed: (-4095..0).contains(&value) }
}

pub(super) fn spawning(child: Tid) -> Stop {
    Stop::Spawning { child, leads: true, awaited: false }
}

pub(super) const NEW_PROCESS: Stop = Stop::Trap { leads: true, group_stop: false };
const NEW_THREAD: Stop = Stop::Trap { leads: false, group_stop: false };
const EXITING: Stop = Stop::Exiting { leads: true };
const GROUP_STOP: Stop = Stop::Trap { leads: true, group_stop: true };

fn called(task: Tid, name: &str, outcome: CallOutcome) -> Event {
    Event::Called { task, call: call(name), outcome, answers: Answers::default() }
}

pub(super) fn spawned(task: Tid, parent: Option<Tid>, process: bool) -> Event {
    Event::Spawned { task, parent, process }
}

fn ended(task: Tid, code: i32) -> Event {
    Event::Ended { task, exit: Exit::Exited(code), by_tracer: false }
}

fn killed(task: Tid, by_tracer: bool) -> Event {
    Event::Ended { task, exit: Exit::Signaled(9), by_tracer }
}

const DONE: CallOutcome = CallOutcome::Returned(0);
const NEVER: CallOutcome = CallOutcome::NeverReturned;

/// Returns a tree in which the first process has become the workload.
pub(super) fn started() -> Tasks {
    let mut tasks = Tasks::launch(ROOT);
    for stop in [NEW_PROCESS, entry("read"), exit(1), entry("execve"), exec(ROOT), exit(0)] {
        let _ = tasks.step(ROOT, stop);
    }
    tasks
}

fn exec(former: Tid) -> Stop {
    Stop::Exec { former, privileged: false }
}

/// Plays the stops and compares the directive and the events of each.
#[track_caller]
fn check(mut tasks: Tasks, rows: &[(Tid, Stop, Directive, &[Event])]) -> Tasks {
    for (at, (tid, stop, directive, events)) in rows.iter().enumerate() {
        let step = tasks.step(*tid, *stop);
        assert_eq!(step.directive, *directive, "directive of row {at}: {stop:?}");
        assert_eq!(events_of(&step), *events, "events of row {at}: {stop:?}");
    }
    tasks
}

fn events_of(step: &Step) -> Vec<Event> {
    step.before.iter().chain(&step.event).cloned().collect()
}

#[test]
fn workload_begins_with_its_execve() {
    check(
        Tasks::launch(ROOT),
        &[
            (ROOT, NEW_PROCESS, GO, &[]),
            (ROOT, exit(1), GO, &[]),
            (ROOT, entry("read"), GO, &[]),
            (ROOT, exit(1), GO, &[]),
            (ROOT, entry("execve"), GO, &[]),
            (ROOT, exec(ROOT), GO, &[]),
            (ROOT, exit(0), GO, &[called(ROOT, "execve", DONE)]),
            (ROOT, entry("read"), GO, &[]),
            (ROOT, exit(7), GO, &[called(ROOT, "read", CallOutcome::Returned(7))]),
        ],
    );
}

#[test]
fn results_are_values_errnos_or_restarts() {
    for (name, value, outcome) in [
        ("read", 5, CallOutcome::Returned(5)),
        ("read", -11, CallOutcome::Failed(Errno(11))),
        ("read", -512, CallOutcome::Restarting),
        ("futex", -513, CallOutcome::Restarting),
        ("pause", -514, CallOutcome::Restarting),
        ("nanosleep", -516, CallOutcome::Restarting),
        ("rt_sigreturn", -11, CallOutcome::Returned(-11)),
    ] {
        check(started(), &[(ROOT, entry(name), GO, &[]), (ROOT, exit(value), GO, &[called(ROOT, name, outcome)])]);
    }
}

#[test]
fn restarted_call_has_two_entries_or_two_exits() {
    check(
        started(),
        &[
            (ROOT, entry("nanosleep"), GO, &[]),
            (ROOT, Stop::Signal(14), Directive::Resume(14), &[]),
            (ROOT, entry("restart_syscall"), GO, &[called(ROOT, "nanosleep", CallOutcome::Restarting)]),
            (ROOT, exit(0), GO, &[called(ROOT, "restart_syscall", DONE)]),
            (ROOT, exit(0), GO, &[]),
        ],
    );
}

#[test]
fn child_stops_after_its_announcement() {
    check(
        started(),
        &[
            (ROOT, entry("fork"), GO, &[]),
            (ROOT, spawning(11), GO, &[]),
            (11, NEW_PROCESS, GO, &[spawned(11, Some(ROOT), true)]),
            (11, entry("getpid"), GO, &[]),
            (ROOT, exit(11), GO, &[called(ROOT, "fork", CallOutcome::Returned(11))]),
            (11, exit(11), GO, &[called(11, "getpid", CallOutcome::Returned(11))]),
        ],
    );
}

#[test]
fn new_task_or_program_ends_its_call_in_brief() {
    let made = |name, child| called(ROOT, name, CallOutcome::Returned(child));
    check(
        Tasks::launch(ROOT).in_brief(),
        &[
            (ROOT, entry("execve"), GO, &[]),
            (ROOT, exec(ROOT), GO, &[called(ROOT, "execve", DONE)]),
            (ROOT, entry("vfork"), GO, &[]),
            (ROOT, spawning(11), GO, &[made("vfork", 11)]),
            (11, NEW_PROCESS, GO, &[spawned(11, Some(ROOT), true)]),
            (ROOT, entry("clone"), GO, &[]),
            (12, NEW_THREAD, Directive::Hold, &[]),
            (ROOT, spawning(12), GO, &[made("clone", 12), spawned(12, Some(ROOT), false)]),
            // A failing call makes no child, and is followed to its end.
            (ROOT, entry("fork"), GO, &[]),
            (ROOT, exit(-11), GO, &[called(ROOT, "fork", CallOutcome::Failed(Errno(11)))]),
            (ROOT, exit(12), GO, &[]),
            // An exec from another thread.
            (12, entry("execve"), GO, &[]),
            (ROOT, exec(12), GO, &[called(ROOT, "execve", DONE)]),
            (ROOT, entry("read"), GO, &[]),
        ],
    );
}

#[test]
fn unannounced_child_is_held_for_a_tick_in_brief() {
    let begun = || started().in_brief();
    let mut tasks = check(begun(), &[(11, NEW_PROCESS, Directive::Hold, &[])]);
    let step = tasks.step(ROOT, spawning(11));
    assert_eq!((events_of(&step), step.released), (vec![spawned(11, Some(ROOT), true)], vec![(11, GO)]));
    // The parent of this child was killed before the kernel could announce it.
    let mut tasks = check(begun(), &[(11, NEW_PROCESS, Directive::Hold, &[])]);
    assert_eq!(tasks.tick().released, []);
    let step = tasks.tick();
    assert_eq!((events_of(&step), step.released), (vec![spawned(11, None, true)], vec![(11, GO)]));
    // A known call is awaited: its child may share resources with its parent.
    let mut slow = check(begun(), &[(ROOT, entry("clone"), GO, &[]), (12, NEW_THREAD, Directive::Hold, &[])]);
    assert!((0..9).all(|_| slow.tick().released.is_empty()));
    assert_eq!(slow.step(ROOT, spawning(12)).released, [(12, GO)]);
    let step = tasks.step(ROOT, spawning(11));
    assert_eq!((events_of(&step), step.released), (vec![], vec![]));
    assert_eq!(tasks.tick().released, []);
}

#[test]
fn early_child_is_held_until_its_announcement() {
    let mut tasks = check(started(), &[(ROOT, entry("clone"), GO, &[]), (11, NEW_THREAD, Directive::Hold, &[])]);
    let step = tasks.step(ROOT, spawning(11));
    assert_eq!(events_of(&step), [spawned(11, Some(ROOT), false)]);
    assert_eq!(step.released, [(11, GO)]);
}

#[test]
fn child_of_a_parent_killed_in_fork_is_released() {
    let mut tasks = check(started(), &[(ROOT, entry("vfork"), GO, &[]), (11, NEW_PROCESS, Directive::Hold, &[])]);
    let step = tasks.step(ROOT, Stop::Ended(Exit::Signaled(9)));
    assert_eq!(events_of(&step), [called(ROOT, "vfork", NEVER), spawned(11, None, true), killed(ROOT, false)]);
    assert_eq!((step.directive, step.released), (Directive::Forget, vec![(11, GO)]));
}

#[test]
fn end_of_another_task_releases_no_child() {
    let mut tasks = check(
        started(),
        &[
            (ROOT, spawning(11), GO, &[]),
            (11, NEW_PROCESS, GO, &[spawned(11, Some(ROOT), true)]),
            (ROOT, entry("clone3"), GO, &[]),
            (12, NEW_PROCESS, Directive::Hold, &[]),
            (11, Stop::Ended(Exit::Exited(0)), Directive::Forget, &[ended(11, 0)]),
        ],
    );
    assert_eq!(tasks.step(ROOT, spawning(12)).released, [(12, GO)]);
}

#[test]
fn child_killed_before_its_first_stop_is_counted() {
    check(
        started(),
        &[
            (ROOT, spawning(11), GO, &[]),
            (11, Stop::Ended(Exit::Exited(0)), Directive::Forget, &[spawned(11, Some(ROOT), true), ended(11, 0)]),
            (12, Stop::Ended(Exit::Exited(0)), Directive::Forget, &[spawned(12, None, true), ended(12, 0)]),
            (13, EXITING, GO, &[spawned(13, None, true)]),
            (13, Stop::Ended(Exit::Exited(0)), Directive::Forget, &[ended(13, 0)]),
        ],
    );
}

#[test]
fn task_id_may_be_reused() {
    check(
        started(),
        &[
            (ROOT, spawning(11), GO, &[]),
            (11, NEW_PROCESS, GO, &[spawned(11, Some(ROOT), true)]),
            (11, entry("read"), GO, &[]),
            (11, Stop::Ended(Exit::Exited(0)), Directive::Forget, &[called(11, "read", NEVER), ended(11, 0)]),
            (ROOT, spawning(11), GO, &[]),
            (11, NEW_THREAD, GO, &[spawned(11, Some(ROOT), false)]),
            (11, exit(0), GO, &[]),
        ],
    );
}

#[test]
fn exec_from_another_thread_takes_the_leaders_id() {
    check(
        started(),
        &[
            (ROOT, spawning(11), GO, &[]),
            (11, NEW_THREAD, GO, &[spawned(11, Some(ROOT), false)]),
            (ROOT, spawning(12), GO, &[]),
            (12, NEW_THREAD, GO, &[spawned(12, Some(ROOT), false)]),
            (ROOT, entry("futex"), GO, &[]),
            (12, entry("read"), GO, &[]),
            (11, entry("execve"), GO, &[]),
            (12, EXITING, GO, &[called(12, "read", NEVER)]),
            (12, Stop::Ended(Exit::Exited(0)), Directive::Forget, &[ended(12, 0)]),
            // The leader's call is over. Thread 11 becomes the leader, inside its execve.
            (ROOT, exec(11), GO, &[called(ROOT, "futex", NEVER)]),
            (ROOT, exit(0), GO, &[called(ROOT, "execve", DONE)]),
        ],
    );
}

#[test]
fn exited_leader_returns_with_an_exec() {
    let tasks = check(
        started(),
        &[
            (ROOT, spawning(11), GO, &[]),
            (11, NEW_THREAD, GO, &[spawned(11, Some(ROOT), false)]),
            (ROOT, entry("exit"), GO, &[]),
            (ROOT, EXITING, GO, &[called(ROOT, "exit", NEVER)]),
            (11, entry("execve"), GO, &[]),
            (ROOT, exec(11), GO, &[]),
            (ROOT, exit(0), GO, &[called(ROOT, "execve", DONE)]),
        ],
    );
    assert_eq!(tasks.alive().collect::<Vec<_>>(), [ROOT]);
}

#[test]
fn privileged_exec_is_a_blind_spot() {
    check(
        started(),
        &[(ROOT, Stop::Exec { former: ROOT, privileged: true }, GO, &[Event::Blind(BlindSpot::SetuidExec)])],
    );
}

#[test]
fn calls_that_never_return_are_counted_once() {
    check(
        started(),
        &[
            (ROOT, entry("exit_group"), GO, &[]),
            (ROOT, EXITING, GO, &[called(ROOT, "exit_group", NEVER)]),
            (ROOT, Stop::Ended(Exit::Exited(3)), Directive::Forget, &[ended(ROOT, 3)]),
        ],
    );
}

#[test]
fn signals_are_delivered_and_group_stops_are_kept() {
    check(
        started(),
        &[
            (ROOT, Stop::Signal(5), Directive::Resume(5), &[]),
            (ROOT, Stop::Signal(19), Directive::Resume(19), &[]),
            (ROOT, GROUP_STOP, Directive::Listen, &[]),
            (ROOT, NEW_PROCESS, GO, &[]),
            (ROOT, Stop::Signal(18), Directive::Resume(18), &[]),
            (ROOT, Stop::Signal(64), Directive::Resume(64), &[]),
            (ROOT, spawning(11), GO, &[]),
            (11, GROUP_STOP, Directive::Listen, &[spawned(11, Some(ROOT), true)]),
        ],
    );
}

#[test]
fn unreadable_calls_are_counted_as_lost() {
    let tasks = check(started(), &[(ROOT, Stop::Unreadable, GO, &[]), (ROOT, exit(0), GO, &[])]);
    assert_eq!(tasks.lost(), 1);
}

#[test]
fn only_tasks_that_have_stopped_are_alive() {
    let mut tasks = started();
    let _ = tasks.step(ROOT, spawning(11));
    assert_eq!(tasks.alive().collect::<Vec<_>>(), [ROOT]);
    let _ = tasks.step(11, NEW_PROCESS);
    let mut alive: Vec<Tid> = tasks.alive().collect();
    alive.sort_unstable();
    assert_eq!(alive, [ROOT, 11]);
}

#[test]
fn held_child_that_is_killed_is_counted() {
    check(
        started(),
        &[
            (ROOT, entry("clone"), GO, &[]),
            (11, NEW_THREAD, Directive::Hold, &[]),
            (11, EXITING, GO, &[spawned(11, None, false)]),
            (11, Stop::Ended(Exit::Signaled(9)), Directive::Forget, &[killed(11, false)]),
        ],
    );
}

#[test]
fn thread_killed_before_its_first_stop_is_no_process() {
    let killed = |task| killed(task, false);
    check(
        started(),
        &[
            (ROOT, Stop::Spawning { child: 11, leads: false, awaited: false }, GO, &[]),
            (11, Stop::Ended(Exit::Signaled(9)), Directive::Forget, &[spawned(11, Some(ROOT), false), killed(11)]),
            (12, Stop::Exiting { leads: false }, GO, &[spawned(12, None, false)]),
            (12, Stop::Ended(Exit::Signaled(9)), Directive::Forget, &[killed(12)]),
        ],
    );
}

#[test]
fn tasks_that_stop_after_end_are_killed() {
    let end = Stop::Ended(Exit::Signaled(9));
    let mut tasks = check(started(), &[(ROOT, entry("fork"), GO, &[]), (ROOT, spawning(11), GO, &[])]);
    let _ = tasks.step(11, NEW_PROCESS);
    let mut tasks = check(
        tasks,
        &[(11, entry("fork"), GO, &[]), (ROOT, exit(11), GO, &[called(ROOT, "fork", CallOutcome::Returned(11))])],
    );
    let named: BTreeSet<Tid> = tasks.end().collect();
    assert_eq!(named, BTreeSet::from([ROOT, 11]), "12 exists, but has not stopped yet");
    check(
        tasks,
        &[
            // Without `end`, it would be held until its parent announces it.
            (12, NEW_PROCESS, Directive::Kill, &[]),
            (11, spawning(12), Directive::Kill, &[spawned(12, Some(11), true)]),
            (12, entry("read"), Directive::Kill, &[]),
            (11, EXITING, Directive::Kill, &[called(11, "fork", NEVER)]),
            (12, end, Directive::Forget, &[called(12, "read", NEVER), killed(12, true)]),
            (11, end, Directive::Forget, &[killed(11, true)]),
            // The workload itself may have ended otherwise meanwhile.
            (ROOT, Stop::Ended(Exit::Exited(0)), Directive::Forget, &[ended(ROOT, 0)]),
        ],
    );
}
