//! The engine `notify`: most calls are reported once, before they are made. One thread receives
//! seccomp notifications. The tracer's thread handles ptrace stops, and calls with a result that
//! matters. Main types: [`NotifyTracer`], the tracer's side, and [`NotifyReceiver`].
//!
//! `model::notify` selects the calls that notify. Both sides share one [`NotifyQueue`].
//! `model::notify::interruption` decides about signals that interrupt notified calls, and its docs
//! hold the proof: both sides report what they see of a task, and carry out the answer before that
//! task resumes, under the queue's mutex.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::linux::outcome::{Incomplete, TraceError};
use crate::linux::signals::is_caught;
use crate::linux::stopped::NextStop;
use crate::linux::sys::{self, Filter, Notification, SeizeOptions};
use crate::linux::watcher::Watcher;
use crate::linux::witness::Witness;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::{Answer, Memory};
use crate::model::conditions::Conditions;
use crate::model::guard::{FdEffect, conflicts_with_filter, fd_effect};
use crate::model::kernel::call::{Call, CallOutcome, Errno, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::kernel::uapi::{ERESTARTNOINTR, ERESTARTSYS};
use crate::model::notify::interruption::{Interruptions, Registers, Signal};
use crate::model::notify::{self, checks_fd_first};
use crate::model::trace::event::Event;
use crate::model::trace::tracee::{Directive, Step, Stop, Tasks};

/// The state that tracer and receiver share, and the one way from both to the watcher.
pub(in crate::linux) struct NotifyQueue<'a> {
    state: Mutex<State<'a>>,
    is_over: AtomicBool,
    /// The thread ID of the receiver.
    receiver: AtomicI32,
}

struct State<'a> {
    witness: Witness,
    interruptions: Interruptions,
    failure: Option<io::Error>,
    watcher: &'a mut (dyn Watcher + Send),
}

/// The tracer's side.
pub(in crate::linux) struct NotifyTracer<'a> {
    queue: &'a NotifyQueue<'a>,
    /// Sends the listener to the receiver, once there is one.
    receiver: mpsc::Sender<OwnedFd>,
    is_installing: bool,
    incomplete: Option<Incomplete>,
    /// This process already has a seccomp filter, which its children inherit.
    has_filter: bool,
}

/// The receiver's side.
pub(in crate::linux) struct NotifyReceiver<'a> {
    queue: &'a NotifyQueue<'a>,
    listener: mpsc::Receiver<OwnedFd>,
}

impl<'a> NotifyQueue<'a> {
    pub(in crate::linux) fn new(watcher: &'a mut (dyn Watcher + Send)) -> Self {
        let (witness, interruptions) = (Witness::new(), Interruptions::default());
        let state = State { witness, interruptions, failure: None, watcher };
        Self { state: Mutex::new(state), is_over: AtomicBool::new(false), receiver: AtomicI32::new(0) }
    }

    pub(in crate::linux) fn sides(&'a self) -> (NotifyTracer<'a>, NotifyReceiver<'a>) {
        let (receiver, listener) = mpsc::channel();
        let has_filter = sys::is_filtered();
        let tracer = NotifyTracer { queue: self, receiver, is_installing: false, incomplete: None, has_filter };
        (tracer, NotifyReceiver { queue: self, listener })
    }

    /// Ends the receiver after the last task has ended. Wakes it until it has noticed, since older
    /// kernels do not report that no task is left.
    pub(in crate::linux) fn close(&self, is_finished: impl Fn() -> bool) {
        self.is_over.store(true, Ordering::Release);
        while !is_finished() {
            sys::wake(self.receiver.load(Ordering::Acquire));
            thread::sleep(Duration::from_micros(100));
        }
    }

    /// Locks the state. A panic of the other side is reported when its thread is joined.
    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tracer's thread passes on what it sees.
impl Watcher for &NotifyQueue<'_> {
    fn event(&mut self, event: &Event) {
        self.state().watcher.event(event);
    }

    fn entered(&mut self, task: Tid, call: &Call) {
        self.state().watcher.entered(task, call);
    }

    fn renumbered(&mut self, task: Tid, former: Tid) {
        self.state().watcher.renumbered(task, former);
    }

    fn executed(&mut self, task: Tid, former: Tid) {
        self.state().watcher.executed(task, former);
    }

    fn conditions(&self) -> Conditions {
        self.state().watcher.conditions()
    }

    fn counts_handled_signals(&self) -> bool {
        self.state().watcher.counts_handled_signals()
    }
}

impl NotifyTracer<'_> {
    /// Returns the filter that notifies of calls.
    pub(super) fn filter(&self, must_stop: &dyn Fn(&Call) -> bool) -> Result<Filter, TraceError> {
        let impossible = |reason: &str| Err(TraceError::Impossible { reason: reason.to_owned() });
        if !cfg!(target_arch = "x86_64") {
            return impossible("notifications are received on x86_64 only");
        }
        if !sys::has_killable_notifications() {
            return impossible("notifications need Linux 5.19");
        }
        Ok(Filter { program: notify::filter(must_stop), notifies: true })
    }

    pub(super) fn seize_options(&self) -> SeizeOptions {
        SeizeOptions { filtered: true, exits: true }
    }

    pub(super) fn set_scratch(&self, directory: &Path) {
        self.queue.state().witness.set_scratch(directory);
    }

    pub(super) fn set_conditions(&self, conditions: Conditions) {
        self.queue.state().witness.set_conditions(conditions);
    }

    /// Returns the tree that begins with this task.
    pub(super) fn begin(&self, root: Tid) -> Tasks {
        self.queue.state().witness.begin(root);
        Tasks::launch(root)
    }

    /// Processes a stop and adds the answers to its events.
    pub(super) fn on_stop(&mut self, task: Tid, stop: &Stop, step: &mut Step, tasks: &Tasks) -> io::Result<()> {
        let mut state = self.queue.state();
        state.witness.observe(task, stop, step);
        for event in step.before.iter().chain(&step.event) {
            let Event::Called { call, outcome, .. } = event else { continue };
            // A filter of the workload may answer before ours, and the kernel refuses a second
            // listener.
            if conflicts_with_filter(call, *outcome, self.has_filter) {
                self.incomplete = Some(Incomplete::OwnFilter);
            }
        }
        match *stop {
            Stop::Entry(call) if tasks.is_launching(task) => {
                self.is_installing = fd_effect(&call, &Memory::default()) == FdEffect::Filters
            }
            Stop::Exit { value, failed: false } if std::mem::take(&mut self.is_installing) => {
                let listener = sys::copy_fd(task, i32::try_from(value).unwrap_or(-1))?;
                // The receiver is gone only if the run is over.
                let _ = self.receiver.send(listener);
            }
            Stop::Entry(call) => {
                let signals = state.interruptions.entered(task, call);
                send(task, &signals)?;
            }
            Stop::Exec { former, privileged } => {
                [task, former].iter().for_each(|task| state.interruptions.forget(*task));
                if privileged {
                    self.incomplete = Some(Incomplete::Privileges);
                }
            }
            Stop::Signal(number) if step.directive == Directive::Resume(number) => {
                let registers = if tasks.call(task).is_none() { sys::syscall_registers(task)? } else { None };
                state.signalled(task, number, registers, step)?;
            }
            Stop::Exiting { .. } if tasks.call(task).is_none() => {
                let registers = sys::syscall_registers(task)?;
                let unbegun = registers.and_then(|registers| state.interruptions.exiting(task, &registers));
                step.before.extend(unbegun.and_then(|call| state.unreported(task, call, CallOutcome::NeverReturned)));
            }
            Stop::Ended(_) => state.interruptions.forget(task),
            _ => {}
        }
        Ok(())
    }

    /// Notes a blind spot: calls of an untraced child that need the tracer's answer get none.
    pub(super) fn note_blind_spot(&mut self, spot: BlindSpot) {
        if spot == BlindSpot::UntracedChild {
            self.incomplete = Some(Incomplete::Untraced);
        }
    }

    /// Returns why this run must be repeated by another engine, if it must.
    pub(super) fn incomplete(&self) -> Option<Incomplete> {
        self.incomplete
    }

    /// Returns where this task stops next: the exit of a reported call must be seen.
    pub(super) fn next_stop(&self, task: Tid, tasks: &Tasks) -> NextStop {
        if tasks.call(task).is_some() || tasks.is_launching(task) { NextStop::EveryCall } else { NextStop::Filtered }
    }

    /// Returns the receiver's error if it exited early.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.queue.state().failure.take()
    }
}

impl State<'_> {
    /// Processes a notification, and returns the errno to answer with if the call cannot succeed. A
    /// task that stops at every call is reported by its stops instead.
    fn handle(&mut self, notification: &Notification) -> io::Result<Option<i32>> {
        let task = notification.task;
        let number = notification.number as u32;
        let Some(syscall) = Syscall::from_kernel(notification.arch, number.into()) else { return Ok(None) };
        let Notification { args, instruction_pointer, .. } = *notification;
        let call = Call { syscall, args, instruction_pointer };
        let received = self.interruptions.received(task, call);
        send(task, &received.send)?;
        if received.is_reported {
            return Ok(None);
        }
        let Some(mut event) = self.unreported(task, call, CallOutcome::Unknown) else { return Ok(None) };
        let errno = has_closed_fd(&event).then_some(libc::EBADF);
        if let (Event::Called { outcome, .. }, Some(errno)) = (&mut event, errno) {
            *outcome = CallOutcome::Failed(Errno(errno));
        }
        self.watcher.event(&event);
        Ok(errno)
    }

    /// Handles a signal-delivery-stop; the signal may have interrupted a notified call.
    fn signalled(&mut self, task: Tid, number: i32, registers: Option<Registers>, step: &mut Step) -> io::Result<()> {
        let Some(info) = alive(sys::signal_info(task))? else { return Ok(()) };
        let is_ours = self.interruptions.has_sent(task, number) && sys::is_sent_by_us(&info);
        let is_restart = registers.is_some_and(|registers| registers.result == -ERESTARTSYS);
        let is_caught = is_restart && is_caught(task, number);
        let answer = self.interruptions.signalled(task, registers, Signal { number, is_caught });
        step.before.extend(answer.unreported.and_then(|call| self.unreported(task, call, CallOutcome::Unknown)));
        send(task, &answer.send)?;
        if answer.restarts {
            // The kernel restarts the call whatever SA_RESTART says.
            sys::write_result(task, -ERESTARTNOINTR)?;
        }
        if answer.holds_back {
            self.interruptions.hold(task, number, (!is_ours).then_some(info));
            step.directive = Directive::Resume(0);
        } else if let Some(info) = is_ours.then(|| self.interruptions.deliver(task, number)).flatten() {
            alive(sys::set_signal_info(task, &info))?;
        }
        Ok(())
    }

    /// Returns the event of a notified call that is not reported yet.
    fn unreported(&mut self, task: Tid, call: Call, outcome: CallOutcome) -> Option<Event> {
        let answers = self.witness.notified(task, &call)?;
        Some(Event::Called { task, call, outcome, answers })
    }
}

/// Returns `None` if the task was killed meanwhile.
fn alive<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        answer => answer.map(Some),
    }
}

fn send(task: Tid, signals: &[i32]) -> io::Result<()> {
    signals.iter().try_for_each(|signal| sys::signal_task(task, *signal))
}

/// Returns whether a call is about to fail first because its fd is not open.
fn has_closed_fd(event: &Event) -> bool {
    let Event::Called { call, answers, .. } = event else { return false };
    let fails_first = || call.syscall.row().is_some_and(|row| checks_fd_first(row.name));
    answers.object == Answer::None && fails_first()
}

impl NotifyReceiver<'_> {
    /// Receives until the run is over.
    pub(in crate::linux) fn receive(self) {
        self.queue.receiver.store(sys::gettid(), Ordering::Release);
        // The listener is missing if the process failed before it installed the filter.
        let Ok(listener) = self.listener.recv() else { return };
        if let Err(failure) = self.serve(&listener) {
            self.queue.state().failure = Some(failure);
            // Dropping the listener makes calls fail, and a task may still make some.
            while !self.queue.is_over.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn serve(&self, listener: &OwnedFd) -> io::Result<()> {
        let mut callers = ActiveTasks::default();
        sys::prefer_one_cpu(listener, true)?;
        while !self.queue.is_over.load(Ordering::Acquire) {
            match sys::next_notification(listener) {
                Ok(notification) => {
                    if let Some(is_few) = callers.record(notification.task) {
                        sys::prefer_one_cpu(listener, is_few)?;
                    }
                    let errno = self.queue.state().handle(&notification)?;
                    match sys::answer(listener, notification.id, errno) {
                        // The task was killed meanwhile.
                        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => return Err(error),
                        _ => {}
                    }
                }
                Err(error) => match error.raw_os_error() {
                    // Interrupted to check for the end of the run; or the task that called is gone,
                    // as every task may be: recv_wait_event(), kernel/seccomp.c.
                    Some(libc::EINTR | libc::ENOENT) => thread::yield_now(),
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }
}

/// Estimates how many tasks call at a time. Few tasks are served best on their own CPU, since each
/// sleeps until it is answered. Many tasks keep the receiver busy: its CPU then does not matter,
/// but theirs do.
#[derive(Debug, Default)]
struct ActiveTasks {
    recent: [Tid; 4],
    calls: u32,
    misses: u32,
    is_many: bool,
}

impl ActiveTasks {
    /// Number of calls that are judged together.
    const WINDOW: u32 = 256;

    /// Records a call. Returns whether few tasks call, when that has changed.
    fn record(&mut self, task: Tid) -> Option<bool> {
        if !self.recent.contains(&task) {
            self.recent.rotate_right(1);
            self.recent[0] = task;
            self.misses += 1;
        }
        self.calls += 1;
        if self.calls < Self::WINDOW {
            return None;
        }
        let is_many = self.misses > Self::WINDOW / 2;
        (self.calls, self.misses) = (0, 0);
        (std::mem::replace(&mut self.is_many, is_many) != is_many).then_some(!is_many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_tasks_by_turns_are_noticed() {
        let mut callers = ActiveTasks::default();
        let mut changes = |tasks: &[Tid]| -> Vec<bool> {
            let calls = tasks.iter().cycle().take(2 * ActiveTasks::WINDOW as usize);
            calls.filter_map(|task| callers.record(*task)).collect()
        };
        let many: Vec<Tid> = (1..40).collect();
        assert_eq!(changes(&[7]), [true; 0]);
        assert_eq!(changes(&[7, 8]), [true; 0]);
        assert_eq!(changes(&many), [false]);
        assert_eq!(changes(&many), [false; 0]);
        assert_eq!(changes(&[9]), [true]);
    }
}
