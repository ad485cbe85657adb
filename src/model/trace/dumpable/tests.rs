//! What happens to a task at each stop, as tables.

use std::collections::BTreeSet;

use super::*;
use crate::model::run::workload::Exit;

/// Answers from a table: a task is the leader of its group unless it is below 100.
struct Answers {
    task: Tid,
    has_own_filter: bool,
    refusal: Option<i64>,
    sharing: BTreeSet<Tid>,
}

impl Ask for Answers {
    fn group(&self) -> Tid {
        if self.task < 100 { self.task } else { self.task / 100 }
    }
    fn has_own_filter(&self) -> bool {
        self.has_own_filter
    }
    fn refusal(&self) -> Option<i64> {
        self.refusal
    }
    fn shares_memory(&self, other: Tid) -> bool {
        self.sharing.contains(&other)
    }
}

#[derive(Default)]
struct Tree {
    state: Dumpability,
    has_own_filter: bool,
    refusal: Option<i64>,
    sharing: BTreeSet<Tid>,
}

impl Tree {
    fn refusing(native: i64) -> Self {
        Self { refusal: Some(native), ..Self::default() }
    }

    fn stop(&mut self, task: Tid, stop: Stop) -> Action {
        let answers =
            Answers { task, has_own_filter: self.has_own_filter, refusal: self.refusal, sharing: self.sharing.clone() };
        self.state.step(task, stop, &answers)
    }

    /// Makes a whole call that succeeds, and returns what to do at both of its stops.
    fn call(&mut self, task: Tid, call: Call) -> [Action; 2] {
        [self.stop(task, Stop::Entry(call)), self.stop(task, RETURNS)]
    }

    /// Returns the result that PR_GET_DUMPABLE must get, if not the real one.
    fn native(&mut self, task: Tid) -> Option<i64> {
        match self.call(task, prctl(&[3])) {
            [Action::Report, Action::WriteResult(native)] => Some(native),
            [Action::Report, Action::Report] => None,
            other => panic!("{other:?}"),
        }
    }
}

const RETURNS: Stop = Stop::Exit { value: 0, failed: false };
const FAILS: Stop = Stop::Exit { value: -1, failed: true };
const EXEC: Stop = Stop::Exec { former: 1, privileged: false };
const ENDS: Stop = Stop::Ended(Exit::Exited(0));
const BEGINS: Stop = Stop::Trap { leads: true, group_stop: false };

fn call(abi: Abi, name: &str, args: &[u64]) -> Call {
    let args = std::array::from_fn(|at| args.get(at).copied().unwrap_or(0));
    Call { syscall: Syscall::from_name(abi, name).expect(name), args, instruction_pointer: 0 }
}

fn prctl(args: &[u64]) -> Call {
    call(Abi::X86_64, "prctl", args)
}

fn other() -> Call {
    call(Abi::X86_64, "read", &[3])
}

fn spawning(child: Tid, leads: bool) -> Stop {
    Stop::Spawning { child, leads, awaited: false }
}

const CLEARS: [Action; 2] = [Action::WriteArgument(Abi::X86_64, 1), Action::WriteArgument(Abi::X86_64, 0)];
const NOTHING: [Action; 2] = [Action::Report, Action::Report];

#[test]
fn cleared_attribute_is_native_value_until_set() {
    let mut tree = Tree::default();
    assert_eq!(tree.native(1), None);
    assert_eq!(tree.call(1, prctl(&[4, 0])), CLEARS);
    assert_eq!(tree.native(1), Some(0));
    assert_eq!(tree.call(1, prctl(&[4, 2])), NOTHING);
    assert_eq!(tree.native(1), Some(0));
    assert_eq!(tree.call(1, prctl(&[4, 1])), NOTHING);
    assert_eq!(tree.native(1), None);
}

#[test]
fn failed_calls_change_nothing() {
    let mut tree = Tree::default();
    assert_eq!(tree.stop(1, Stop::Entry(prctl(&[4, 0]))), CLEARS[0]);
    assert_eq!(tree.stop(1, FAILS), CLEARS[1]);
    assert_eq!(tree.native(1), None);
    assert_eq!(tree.call(1, prctl(&[4, 0])), CLEARS);
    assert_eq!(tree.stop(1, Stop::Entry(prctl(&[3]))), Action::Report);
    assert_eq!(tree.stop(1, FAILS), Action::Report);
}

#[test]
fn stop_of_a_filter_shows_the_original_argument() {
    for entry in [true, false] {
        let mut tree = Tree::default();
        let cleared = prctl(&[4, 0]);
        if entry {
            assert_eq!(tree.stop(1, Stop::Entry(cleared)), CLEARS[0]);
            assert_eq!(tree.stop(1, Stop::Filtered(prctl(&[4, 1]))), Action::ShowArgument(0));
        } else {
            assert_eq!(tree.stop(1, Stop::Filtered(cleared)), CLEARS[0]);
        }
        assert!(tree.state.must_see_next_call(1));
        assert_eq!(tree.stop(1, RETURNS), CLEARS[1]);
        assert!(!tree.state.must_see_next_call(1));
    }
}

#[test]
fn each_abi_has_its_argument_restored() {
    for (abi, value) in [(Abi::X86_64, 0), (Abi::X32, 0), (Abi::I386, 7 << 32), (Abi::Aarch64, 0)] {
        let mut tree = Tree::default();
        let actions = tree.call(1, call(abi, "prctl", &[4, value]));
        assert_eq!(actions, [Action::WriteArgument(abi, 1), Action::WriteArgument(abi, value)], "{abi}");
    }
}

#[test]
fn argument_is_left_to_own_filter() {
    let mut tree = Tree { has_own_filter: true, ..Tree::default() };
    assert_eq!(tree.call(1, prctl(&[4, 0])), NOTHING);
    assert_eq!(tree.native(1), None, "the kernel's own value");
}

#[test]
fn answer_of_own_filter_does_not_unprotect_a_map() {
    let mut tree = Tree::default();
    assert_eq!(tree.call(1, prctl(&[4, 0])), CLEARS);
    tree.has_own_filter = true;
    assert_eq!(tree.call(1, prctl(&[4, 1])), NOTHING);
    assert_eq!(tree.native(1), Some(0));
}

#[test]
fn value_is_shared_and_inherited_as_in_the_kernel() {
    let mut tree = Tree::default();
    for process in [1, 2, 3] {
        assert_eq!(tree.stop(process, BEGINS), Action::Report);
    }
    // 2 shares the map of 1, 3 does not.
    tree.sharing = BTreeSet::from([1, 2]);
    assert_eq!(tree.call(100, prctl(&[4, 0])), CLEARS);
    assert_eq!([1, 101, 2, 3].map(|task| tree.native(task)), [Some(0), Some(0), Some(0), None]);
    // A thread and a child that shares the map, a child with a copy.
    assert_eq!(tree.stop(1, spawning(102, false)), Action::Report);
    tree.sharing = BTreeSet::from([4]);
    assert_eq!(tree.stop(1, spawning(4, true)), Action::Report);
    assert_eq!(tree.stop(1, spawning(5, true)), Action::Report);
    assert_eq!([102, 4, 5].map(|task| tree.native(task)), [Some(0); 3]);
    // Known sharers need no answer of the kernel.
    tree.sharing.clear();
    assert_eq!(tree.call(4, prctl(&[4, 1])), NOTHING);
    assert_eq!([1, 2, 4, 5].map(|task| tree.native(task)), [None, None, None, Some(0)]);
    assert_eq!(tree.stop(5, ENDS), Action::Report);
    assert!(tree.state.maps.are_native());
}

#[test]
fn readable_program_begins_dumpable() {
    let mut tree = Tree::default();
    assert_eq!(tree.call(1, prctl(&[4, 0])), CLEARS);
    tree.sharing = BTreeSet::from([2]);
    assert_eq!(tree.stop(1, spawning(2, true)), Action::Report);
    assert_eq!(tree.stop(1, EXEC), Action::Report);
    assert_eq!((tree.native(1), tree.native(2)), (None, Some(0)));
}

#[test]
fn unreadable_program_makes_a_call_before_its_first() {
    for native in [0, 2] {
        let mut tree = Tree::refusing(native);
        for (stop, action) in [
            (EXEC, Action::Resume(0)),
            (RETURNS, Action::Resume(0)),
            (Stop::Signal(17), Action::Resume(17)),
            (Stop::Trap { leads: true, group_stop: true }, Action::Listen),
            (BEGINS, Action::Resume(0)),
            (Stop::Other, Action::Resume(0)),
            (Stop::Entry(other()), Action::Replace),
            (Stop::Filtered(prctl(&[4, 1])), Action::Resume(0)),
            (RETURNS, Action::Restore(vec![EXEC, RETURNS])),
            (Stop::Entry(other()), Action::Report),
            (RETURNS, Action::Report),
        ] {
            assert_eq!(tree.stop(1, stop), action, "{stop:?}");
        }
        tree.refusal = None;
        assert_eq!(tree.native(1), Some(native));
        assert!(!tree.state.must_see_next_call(1));
    }
}

#[test]
fn former_number_is_known_until_its_execve_is_reported() {
    let mut tree = Tree::refusing(0);
    let stops = [Stop::Exec { former: 5, privileged: false }, RETURNS, Stop::Entry(other())];
    for stop in stops {
        tree.stop(1, stop);
        assert_eq!([1, 5].map(|task| tree.state.is_former(task)), [false, true]);
    }
    assert_eq!(tree.stop(1, RETURNS), Action::Restore(stops[..2].to_vec()));
    assert!(!tree.state.is_former(5));
}

#[test]
fn end_before_the_first_call_reports_all_stops() {
    let leaves = Stop::Exiting { leads: true };
    for (stops, late) in [
        (&[EXEC][..], vec![EXEC]),
        (&[EXEC, RETURNS], vec![EXEC, RETURNS]),
        (&[EXEC, RETURNS, Stop::Entry(other())], vec![EXEC, RETURNS]),
        (&[EXEC, RETURNS, Stop::Entry(other()), Stop::Filtered(other())], vec![EXEC, RETURNS]),
    ] {
        for last in [leaves, ENDS, Stop::Unreadable] {
            let mut tree = Tree::refusing(0);
            stops.iter().for_each(|stop| assert_ne!(tree.stop(1, *stop), Action::Report, "{stop:?}"));
            assert_eq!(tree.stop(1, last), Action::ReportAfter(late.clone()), "{last:?}");
            assert_eq!(tree.stop(1, ENDS), Action::Report);
        }
    }
}

#[test]
fn call_is_not_added_where_it_may_harm_or_cannot_help() {
    let mut filtered = Tree { has_own_filter: true, ..Tree::refusing(0) };
    assert_eq!(filtered.stop(1, EXEC), Action::Report);
    assert_eq!(filtered.call(1, other()), NOTHING);

    let mut unknown = Tree::refusing(0);
    assert_eq!([EXEC, RETURNS].map(|stop| unknown.stop(1, stop)), [Action::Resume(0), Action::Resume(0)]);
    let without_table = Call { syscall: Syscall { abi: Abi::Arm, number: 45 }, ..other() };
    assert_eq!(unknown.stop(1, Stop::Entry(without_table)), Action::ReportAfter(vec![EXEC, RETURNS]));
    assert_eq!(unknown.stop(1, RETURNS), Action::Report);
}

#[test]
fn added_call_that_fails_leaves_the_real_value() {
    let mut tree = Tree::refusing(0);
    for stop in [EXEC, RETURNS, Stop::Entry(other())] {
        tree.stop(1, stop);
    }
    assert_eq!(tree.stop(1, FAILS), Action::Restore(vec![EXEC, RETURNS]));
    assert_eq!(tree.native(1), None);
}

#[test]
fn changed_ids_are_checked_at_the_next_call() {
    let ids = call(Abi::X86_64, "setresuid", &[7, 7, 7]);
    for (refusal, has_own_filter, expected) in
        [(None, false, Action::Report), (Some(0), false, Action::Replace), (Some(0), true, Action::Report)]
    {
        let mut tree = Tree { refusal, has_own_filter, ..Tree::default() };
        assert_eq!(tree.call(1, ids), NOTHING);
        assert!(tree.state.must_see_next_call(1));
        assert_eq!(tree.stop(1, Stop::Signal(10)), Action::Report);
        assert_eq!(tree.stop(1, Stop::Entry(other())), expected);
        if expected == Action::Replace {
            assert_eq!(tree.stop(1, RETURNS), Action::Restore(Vec::new()));
            assert_eq!(tree.native(1), Some(0));
        }
    }
}

#[test]
fn task_without_native_value_writes_no_core_file() {
    const SEGV: Stop = Stop::Signal(11);
    let mut tree = Tree::default();
    assert_eq!(tree.stop(1, SEGV), Action::Report);
    assert_eq!(tree.call(1, prctl(&[4, 0])), CLEARS);
    assert_eq!([SEGV, Stop::Signal(15)].map(|stop| tree.stop(1, stop)), [Action::ReportWithoutCore, Action::Report]);
    assert_eq!(tree.stop(2, SEGV), Action::Report);
}
