//! Properties of every sequence of stops, possible or not, and of every sequence that a kernel may
//! report.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::{Directive, Step, Stop, Tasks};
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;

fn call(number: i64) -> Call {
    Call { syscall: Syscall { abi: Abi::X86_64, number }, args: [0; 6], instruction_pointer: 0 }
}

const READ: i64 = 0;
const CLONE: i64 = 56;
const EXECVE: i64 = 59;
const ROOT: Tid = 1;

/// Any stop of any task, possible or not.
fn stop() -> impl Strategy<Value = Stop> {
    let tid = || 1..8;
    prop_oneof![
        prop_oneof![Just(READ), Just(CLONE), Just(EXECVE), -1..1000_i64].prop_map(|number| Stop::Entry(call(number))),
        (-600..600_i64, any::<bool>()).prop_map(|(value, failed)| Stop::Exit { value, failed }),
        (tid(), any::<bool>()).prop_map(|(child, leads)| Stop::Spawning { child, leads, awaited: false }),
        (any::<bool>(), any::<bool>()).prop_map(|(leads, group_stop)| Stop::Trap { leads, group_stop }),
        (tid(), any::<bool>()).prop_map(|(former, privileged)| Stop::Exec { former, privileged }),
        any::<bool>().prop_map(|leads| Stop::Exiting { leads }),
        (1..65).prop_map(Stop::Signal),
        Just(Stop::Other),
        Just(Stop::Unreadable),
        Just(Stop::Ended(Exit::Exited(0))),
    ]
}

/// The tasks that are held and have not been released.
#[derive(Default)]
struct HeldTasks(BTreeSet<Tid>);

impl HeldTasks {
    /// A held task is stopped, so the kernel can report only its end.
    fn is_contradicted_by(&self, tid: Tid, stop: Stop) -> bool {
        let is_an_end = matches!(stop, Stop::Exiting { .. } | Stop::Ended(_));
        let executed = matches!(stop, Stop::Exec { former, .. } if self.0.contains(&former));
        executed || (self.0.contains(&tid) && !is_an_end)
    }

    /// Each stop has one directive, and only held tasks are released.
    fn take(&mut self, tid: Tid, stop: Stop, step: &Step) -> Result<(), TestCaseError> {
        self.0.remove(&tid);
        prop_assert_eq!(step.directive == Directive::Forget, matches!(stop, Stop::Ended(_)));
        for (released, directive) in &step.released {
            prop_assert!(self.0.remove(released), "{} was released but not held", released);
            prop_assert!(matches!(directive, Directive::Resume(0) | Directive::Listen));
        }
        if step.directive == Directive::Hold {
            self.0.insert(tid);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(512), ..ProptestConfig::default() })]

    #[test]
    fn no_task_is_resumed_after_end(stops in vec((1..8, stop()), 0..60), end in 0..60_usize) {
        let mut tasks = Tasks::launch(ROOT);
        for (at, (tid, stop)) in stops.into_iter().enumerate() {
            if at == end {
                let _ = tasks.end().count();
            }
            let directive = tasks.step(tid, stop).directive;
            prop_assert!(at < end || matches!(directive, Directive::Kill | Directive::Forget), "{:?}", directive);
        }
    }

    #[test]
    fn no_held_task_is_forgotten(stops in vec((1..8, stop()), 0..60)) {
        let mut tasks = Tasks::launch(ROOT);
        let mut held = HeldTasks::default();
        for (tid, stop) in stops {
            if held.is_contradicted_by(tid, stop) {
                continue;
            }
            held.take(tid, stop, &tasks.step(tid, stop))?;
        }
        // Every task that might still announce another one ends. Then none may be held.
        for tid in 1..8 {
            if !held.0.contains(&tid) {
                let stop = Stop::Ended(Exit::Exited(0));
                held.take(tid, stop, &tasks.step(tid, stop))?;
            }
        }
        prop_assert_eq!(held.0, BTreeSet::new());
    }

    #[test]
    fn no_call_or_task_of_a_tree_is_lost(choices in vec(any::<(u8, u8)>(), 0..300)) {
        let mut kernel = Kernel::new();
        for (task, choice) in choices {
            kernel.act(usize::from(task), usize::from(choice))?;
        }
        kernel.end()?;
    }
}

/// The state of a task in the simulated kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Calling,
    /// In clone, with the child that it has made and not announced.
    Making {
        unannounced: Option<Tid>,
    },
    /// It exists, but its first stop is still to come.
    Newborn {
        leads: bool,
    },
    Held,
}

/// A simulated kernel that reports only possible stops, in any possible order.
struct Kernel {
    tasks: Tasks,
    states: BTreeMap<Tid, State>,
    held: HeldTasks,
    next: Tid,
    entries: u64,
    calls: u64,
    spawned: BTreeMap<Tid, bool>,
    threads: BTreeMap<Tid, bool>,
    ended: u64,
}

impl Kernel {
    fn new() -> Self {
        let mut tasks = Tasks::launch(ROOT);
        let launched =
            [Stop::Entry(call(EXECVE)), Stop::Exit { value: 0, failed: false }].map(|stop| tasks.step(ROOT, stop));
        assert!(launched.iter().all(|step| step.released.is_empty()));
        Self {
            tasks,
            states: BTreeMap::from([(ROOT, State::Running)]),
            held: HeldTasks::default(),
            next: ROOT + 1,
            entries: 0,
            calls: 0,
            spawned: BTreeMap::from([(ROOT, true)]),
            threads: BTreeMap::from([(ROOT, true)]),
            ended: 0,
        }
    }

    fn act(&mut self, task: usize, choice: usize) -> Result<(), TestCaseError> {
        let Some((&tid, &state)) = self.states.iter().nth(task % self.states.len().max(1)) else { return Ok(()) };
        if choice.is_multiple_of(16) {
            return self.die(tid, choice.is_multiple_of(32));
        }
        let exit = Stop::Exit { value: 0, failed: false };
        match state {
            State::Running if choice.is_multiple_of(2) => self.enter(tid, READ, State::Calling),
            State::Running => self.enter(tid, CLONE, State::Making { unannounced: None }),
            // A signal restarts the call.
            State::Calling if choice.is_multiple_of(5) => self.enter(tid, READ, State::Calling),
            State::Calling => self.report(tid, exit, State::Running),
            State::Making { unannounced: None } if !choice.is_multiple_of(3) || self.next > 40 => {
                self.report(tid, exit, State::Running)
            }
            State::Making { unannounced: None } => {
                let (child, leads) = (self.next, choice.is_multiple_of(2));
                self.next += 1;
                self.states.insert(child, State::Newborn { leads });
                self.threads.insert(child, leads);
                self.states.insert(tid, State::Making { unannounced: Some(child) });
                Ok(())
            }
            State::Making { unannounced: Some(child) } => {
                let leads = self.threads[&child];
                self.report(tid, Stop::Spawning { child, leads, awaited: false }, State::Calling)
            }
            State::Newborn { leads } => {
                self.report(tid, Stop::Trap { leads, group_stop: choice.is_multiple_of(7) }, State::Running)
            }
            State::Held => Ok(()),
        }
    }

    fn enter(&mut self, tid: Tid, number: i64, next: State) -> Result<(), TestCaseError> {
        self.entries += 1;
        self.report(tid, Stop::Entry(call(number)), next)
    }

    fn die(&mut self, tid: Tid, is_seen_exiting: bool) -> Result<(), TestCaseError> {
        let leads = self.threads[&tid];
        // A thread that ends without an exit stop has stopped before, or is announced.
        if is_seen_exiting || !leads {
            self.report(tid, Stop::Exiting { leads }, State::Running)?;
        }
        self.report(tid, Stop::Ended(Exit::Signaled(9)), State::Running)?;
        self.states.remove(&tid);
        Ok(())
    }

    fn report(&mut self, tid: Tid, stop: Stop, next: State) -> Result<(), TestCaseError> {
        let step = self.tasks.step(tid, stop);
        self.held.take(tid, stop, &step)?;
        self.states.insert(tid, if step.directive == Directive::Hold { State::Held } else { next });
        for (released, _) in &step.released {
            prop_assert_eq!(self.states.insert(*released, State::Running), Some(State::Held));
        }
        for event in step.before.iter().chain(&step.event) {
            match event {
                Event::Spawned { task, process, .. } => {
                    prop_assert_eq!(self.spawned.insert(*task, *process), None, "{} was spawned twice", task);
                }
                Event::Called { task, .. } => {
                    prop_assert!(self.spawned.contains_key(task), "{} called before it was spawned", task);
                    self.calls += 1;
                }
                Event::Ended { .. } => self.ended += 1,
                Event::Blind(_) | Event::Handled { .. } => prop_assert!(false, "unexpected event"),
            }
        }
        Ok(())
    }

    /// Ends all calls and all tasks, then compares the totals.
    fn end(mut self) -> Result<(), TestCaseError> {
        let busy: Vec<Tid> =
            self.states.iter().filter(|(_, state)| **state != State::Held).map(|(tid, _)| *tid).collect();
        for tid in busy {
            self.die(tid, true)?;
        }
        prop_assert_eq!(&self.held.0, &BTreeSet::new());
        for tid in self.states.keys().copied().collect::<Vec<_>>() {
            self.die(tid, true)?;
        }
        prop_assert_eq!(self.calls, self.entries);
        prop_assert_eq!(self.spawned, self.threads);
        prop_assert_eq!(self.ended, u64::from(self.next.unsigned_abs()) - 1);
        prop_assert_eq!(self.tasks.alive().count(), 0);
        Ok(())
    }
}
