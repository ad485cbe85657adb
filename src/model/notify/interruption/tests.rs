//! Tests of every order of stops and notifications around a signal.

use super::{Answer, ERESTARTSYS, Interruptions, Received, Registers, Signal, SignalInfo, WAITING, is_notified};
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::{Abi, Syscall, table};

const TASK: Tid = 10;
const USR1: i32 = 10;
const ALRM: i32 = 14;
const CONT: i32 = 18;
const REAL_TIME: i32 = 40;

fn call_of(abi: Abi, name: &str) -> Call {
    let syscall = Syscall::from_name(abi, name).expect(name);
    Call { syscall, args: [7; 6], instruction_pointer: 0x1000 }
}

fn call(name: &str) -> Call {
    call_of(Abi::X86_64, name)
}

fn leaving(call: Call, result: i64) -> Option<Registers> {
    Some(Registers { call, result })
}

fn interrupted(name: &str) -> Option<Registers> {
    leaving(call(name), -ERESTARTSYS)
}

fn caught(number: i32) -> Signal {
    Signal { number, is_caught: true }
}

fn deliver() -> Answer {
    Answer::default()
}

fn hold_back(unreported: Option<Call>) -> Answer {
    Answer { holds_back: true, unreported, ..Answer::default() }
}

/// The state of one task.
#[derive(Default)]
struct One(Interruptions);

impl One {
    fn received(&mut self, name: &str) -> Received {
        self.0.received(TASK, call(name))
    }

    /// Answers like the tracer: it keeps the signals that are held back.
    fn signalled(&mut self, registers: Option<Registers>, signal: Signal) -> Answer {
        let answer = self.0.signalled(TASK, registers, signal);
        if answer.holds_back {
            self.0.hold(TASK, signal.number, Some([signal.number as u64; 16]));
        }
        answer
    }

    fn delivered(&mut self, number: i32) -> Option<SignalInfo> {
        assert_eq!(self.0.has_sent(TASK, number), self.0.tasks[&TASK].held.iter().any(|held| held.number == number));
        self.0.deliver(TASK, number)
    }
}

fn restarted(signals: &[i32]) -> Received {
    Received { is_reported: true, send: signals.to_vec() }
}

#[test]
fn signal_before_the_receipt_comes_after_the_syscall() {
    for same_before in [false, true] {
        let mut one = One::default();
        if same_before {
            assert_eq!(one.received("getppid"), Received::default());
        }
        assert_eq!(one.signalled(interrupted("getppid"), caught(USR1)), hold_back(Some(call("getppid"))));
        assert_eq!(one.received("getppid"), restarted(&[USR1]));
        assert_eq!(one.signalled(leaving(call("getppid"), 1), caught(USR1)), deliver());
        assert_eq!(one.delivered(USR1), Some([USR1 as u64; 16]));
        assert_eq!(one.delivered(USR1), None);
        assert_eq!(one.received("getppid"), Received::default());
    }
}

#[test]
fn syscall_that_waits_fails_once() {
    let mut one = One::default();
    assert_eq!(one.received("read"), Received::default());
    // It may be waiting, or be a second syscall that was not received yet.
    assert_eq!(one.signalled(interrupted("read"), caught(USR1)), hold_back(None));
    assert_eq!(one.received("read"), restarted(&[USR1]));
    assert_eq!(one.signalled(interrupted("read"), caught(USR1)), deliver());
    assert_eq!(one.delivered(USR1), Some([USR1 as u64; 16]));
    // The next syscall is interrupted before its notification is received.
    assert_eq!(one.signalled(interrupted("read"), caught(USR1)), hold_back(None));
    assert_eq!(one.received("read"), restarted(&[USR1]));
    // It does not wait, so it is a syscall that was not reported.
    let answer = one.signalled(leaving(call("read"), 1), caught(USR1));
    assert_eq!(answer, Answer { unreported: Some(call("read")), ..Answer::default() });
}

#[test]
fn unreceived_syscall_is_never_taken_for_the_pending_one() {
    let mut one = One::default();
    assert!(one.signalled(interrupted("getppid"), caught(USR1)).holds_back);
    assert_eq!(one.received("getppid"), restarted(&[USR1]));
    assert_eq!(one.signalled(leaving(call("getppid"), 1), caught(USR1)), deliver());
    assert_eq!(one.signalled(interrupted("read"), caught(USR1)), hold_back(Some(call("read"))));
}

#[test]
fn further_signals_are_held_back_and_standard_ones_merge() {
    let mut one = One::default();
    assert_eq!(one.signalled(interrupted("getppid"), caught(USR1)), hold_back(Some(call("getppid"))));
    for number in [ALRM, USR1, REAL_TIME, REAL_TIME] {
        assert_eq!(one.signalled(interrupted("getppid"), caught(number)), hold_back(None));
    }
    assert_eq!(one.received("getppid"), restarted(&[USR1, ALRM, REAL_TIME, REAL_TIME]));
    for number in [USR1, ALRM, REAL_TIME, REAL_TIME] {
        assert_eq!(one.signalled(None, caught(number)), deliver());
        assert_eq!(one.delivered(number), Some([number as u64; 16]));
    }
}

#[test]
fn resent_signal_keeps_its_original_information() {
    let mut one = One::default();
    assert!(one.signalled(interrupted("getppid"), caught(REAL_TIME)).holds_back);
    assert_eq!(one.received("getppid"), restarted(&[REAL_TIME]));
    // Kernels before 6.17 interrupt a syscall after its notification was received.
    assert_eq!(one.0.signalled(TASK, interrupted("getppid"), caught(REAL_TIME)), hold_back(None));
    one.0.hold(TASK, REAL_TIME, None);
    assert_eq!(one.received("getppid"), restarted(&[REAL_TIME]));
    assert_eq!(one.delivered(REAL_TIME), Some([REAL_TIME as u64; 16]));
    assert_eq!(one.delivered(REAL_TIME), None);
}

#[test]
fn stop_elsewhere_sends_what_is_held_back() {
    let mut one = One::default();
    assert!(one.signalled(interrupted("getppid"), caught(USR1)).holds_back);
    let answer = one.signalled(leaving(call("getppid"), 110), caught(ALRM));
    assert_eq!(answer, Answer { send: vec![USR1], ..Answer::default() });
    // It is made again after the handlers, and was reported before.
    assert_eq!(one.received("getpid"), Received::default());
    assert_eq!(one.received("getppid"), restarted(&[]));

    assert!(one.signalled(interrupted("getppid"), caught(ALRM)).holds_back);
    assert!(one.0.entered(TASK, call("openat")).contains(&ALRM));
    assert_eq!(one.received("getpid"), Received::default());
}

#[test]
fn uncaught_signals_change_nothing() {
    let mut one = One::default();
    let ignored = Signal { number: 17, is_caught: false };
    assert_eq!(one.signalled(interrupted("getppid"), ignored), deliver());
    assert_eq!(one.signalled(interrupted("getppid"), caught(USR1)), hold_back(Some(call("getppid"))));
    assert_eq!(one.signalled(interrupted("getppid"), ignored), deliver());
    assert_eq!(one.received("getppid"), restarted(&[USR1]));
    assert_eq!(one.received("read"), Received::default());
    assert_eq!(one.signalled(interrupted("read"), caught(USR1)), hold_back(None));
    assert_eq!(one.received("read").send, [USR1]);
    assert_eq!(one.signalled(interrupted("read"), ignored), deliver());
    assert_eq!(one.signalled(interrupted("read"), caught(USR1)), deliver());
}

#[test]
fn stop_signals_are_never_held_back() {
    let mut one = One::default();
    let restarts = Answer { restarts: true, unreported: Some(call("getppid")), ..Answer::default() };
    assert_eq!(one.signalled(interrupted("getppid"), caught(CONT)), restarts);
    assert_eq!(one.received("getppid"), restarted(&[]));
    assert_eq!(one.signalled(interrupted("getppid"), caught(CONT)), restarts);
    assert_eq!(one.received("getpid"), Received::default());
    assert_eq!(one.received("getppid"), restarted(&[]));
    assert_eq!(one.received("read"), Received::default());
    assert_eq!(one.signalled(interrupted("read"), caught(CONT)), deliver());
}

#[test]
fn syscall_seen_under_ptrace_keeps_its_result() {
    for (entered, left) in [
        (call("openat"), call("openat")),
        (call_of(Abi::I386, "wait4"), call_of(Abi::I386, "wait4")),
        (call_of(Abi::X32, "read"), call_of(Abi::X32, "read")),
        // `int $0x80` in 64-bit code: the code segment implies the wrong ABI.
        (call_of(Abi::I386, "read"), call("close")),
    ] {
        let mut one = One::default();
        assert_eq!(one.0.entered(TASK, entered), [0; 0]);
        assert_eq!(one.signalled(leaving(left, -ERESTARTSYS), caught(USR1)), deliver(), "{entered:?}");
        assert_eq!(one.0.exiting(TASK, &Registers { call: left, result: -ERESTARTSYS }), None);
    }
    let mut one = One::default();
    assert_eq!(one.0.entered(TASK, call_of(Abi::I386, "read")), [0; 0]);
    let elsewhere = Call { instruction_pointer: 0x2000, ..call("close") };
    assert_eq!(one.signalled(leaving(elsewhere, -ERESTARTSYS), caught(USR1)), hold_back(Some(elsewhere)));
}

#[test]
fn killed_task_leaves_a_syscall_at_most_once() {
    let left = Registers { call: call("getppid"), result: -ERESTARTSYS };
    let mut one = One::default();
    assert_eq!(one.0.exiting(TASK, &left), Some(call("getppid")));
    assert_eq!(one.received("getppid"), restarted(&[]));
    one.0.forget(TASK);
    assert_eq!(one.received("getppid"), Received::default());
    assert_eq!(one.0.exiting(TASK, &left), None);
    one.0.forget(TASK);
    assert_eq!(one.signalled(interrupted("getppid"), caught(USR1)), hold_back(Some(call("getppid"))));
    assert_eq!(one.0.exiting(TASK, &left), None);
}

#[test]
fn waiting_syscalls_are_notified_and_ordered() {
    assert!(WAITING.is_sorted());
    for name in WAITING {
        assert!(is_notified(call(name).syscall), "{name}");
    }
    assert!(table::rows(Abi::I386).iter().all(|row| !is_notified(call_of(Abi::I386, row.name).syscall)));
}
