//! Calls that are told of once, before they are made: a thread of its own receives notifications,
//! while the tracer's keeps to tasks, and to calls whose result counts. Main types: [`Hearing`],
//! the tracer's side, and [`Receiver`].
//!
//! Which calls are notified is `model::notify`'s to say. What both sides need lies on one [`Desk`].
//! Signals that interrupt notified calls are decided by `model::notify::interruption`, which has
//! the argument: both sides pass on what they see of a task, and do what it answers before that
//! task goes on, under the desk's mutex.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::outcome::Incomplete;
use super::signals::is_caught;
use super::stopped::Pace;
use super::sys::{self, Notification};
use super::witness::Witness;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::{Answer, Memory};
use crate::model::guard::{Effect, effect, needs_no_filter};
use crate::model::kernel::call::{Call, CallOutcome, Errno, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::notify::fails_first_by_its_fd;
use crate::model::notify::interruption::{ERESTARTSYS, Interruptions, Registers, Signal};
use crate::model::trace::event::Event;
use crate::model::trace::tracee::{Directive, Step, Stop, Tasks};

/// What the tracer and the receiver share.
pub(super) struct Desk<'a> {
    state: Mutex<State<'a>>,
    is_over: AtomicBool,
    /// The receiver's thread.
    receiver: AtomicI32,
}

struct State<'a> {
    witness: Witness,
    interruptions: Interruptions,
    failure: Option<io::Error>,
    sink: &'a mut (dyn FnMut(&Event) + Send),
}

/// The tracer's side.
pub(super) struct Hearing<'a> {
    desk: &'a Desk<'a>,
    /// Takes the listener once it is there.
    receiver: mpsc::Sender<OwnedFd>,
    is_installing: bool,
    incomplete: Option<Incomplete>,
    /// The session of this process has a seccomp filter.
    has_filter: bool,
}

/// Who receives.
pub(super) struct Receiver<'a> {
    desk: &'a Desk<'a>,
    listener: mpsc::Receiver<OwnedFd>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(sink: &'a mut (dyn FnMut(&Event) + Send)) -> Self {
        let (witness, interruptions) = (Witness::default(), Interruptions::default());
        let state = State { witness, interruptions, failure: None, sink };
        Self { state: Mutex::new(state), is_over: AtomicBool::new(false), receiver: AtomicI32::new(0) }
    }

    pub(super) fn sides(&'a self) -> (Hearing<'a>, Receiver<'a>) {
        let (receiver, listener) = mpsc::channel();
        let has_filter = sys::is_filtered();
        let hearing = Hearing { desk: self, receiver, is_installing: false, incomplete: None, has_filter };
        (hearing, Receiver { desk: self, listener })
    }

    pub(super) fn tell(&self, event: &Event) {
        (self.state().sink)(event);
    }

    /// Nobody is left who could notify: the receiver is woken until it has seen that, since older
    /// kernels do not tell.
    pub(super) fn close(&self, is_finished: impl Fn() -> bool) {
        self.is_over.store(true, Ordering::Release);
        while !is_finished() {
            sys::wake(self.receiver.load(Ordering::Acquire));
            thread::sleep(Duration::from_micros(100));
        }
    }

    /// Whoever panicked is heard of when its thread is joined.
    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `ERESTARTNOINTR`, include/linux/errno.h: the call is restarted whatever the handler asks for.
const ERESTARTNOINTR: i64 = 513;

impl Hearing<'_> {
    /// The tree begins with this task.
    pub(super) fn begin(self, root: Tid) -> Self {
        self.desk.state().witness = Witness::new(root);
        self
    }

    /// Takes a stop in, and answers in its events what can be answered.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop, step: &mut Step, tasks: &Tasks) -> io::Result<()> {
        let mut state = self.desk.state();
        state.witness.observe(task, stop, step);
        for event in step.before.iter().chain(&step.event) {
            let Event::Called { call, outcome, .. } = event else { continue };
            // A filter of the workload answers before ours, and of two listeners the kernel refuses
            // the second.
            if needs_no_filter(call, *outcome, self.has_filter) {
                self.incomplete = Some(Incomplete::OwnFilter);
            }
        }
        match *stop {
            Stop::Entry(call) if tasks.is_launching(task) => {
                self.is_installing = effect(&call, &Memory::default()) == Effect::Filters
            }
            Stop::Exit { value, failed: false } if std::mem::take(&mut self.is_installing) => {
                let listener = sys::copy_fd(task, i32::try_from(value).unwrap_or(-1))?;
                // Where nobody receives any more, the run is over.
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

    /// Something may stay unseen: where a child's tracer would have to answer, the child has none.
    pub(super) fn hide(&mut self, spot: BlindSpot) {
        if spot == BlindSpot::UntracedChild {
            self.incomplete = Some(Incomplete::Untraced);
        }
    }

    /// Why this run will not do, once that is so.
    pub(super) fn incomplete(&self) -> Option<Incomplete> {
        self.incomplete
    }

    /// Where this task stops next: the result of a call that was told is awaited.
    pub(super) fn pace(&self, task: Tid, tasks: &Tasks) -> Pace {
        if tasks.call(task).is_some() || tasks.is_launching(task) { Pace::EveryCall } else { Pace::Filtered }
    }

    /// Whether nobody receives any more, though somebody might notify.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.desk.state().failure.take()
    }
}

impl State<'_> {
    /// A notification was received. A call of a task that is stopped at every call is reported by
    /// its stops. Returns the error that it is answered with, if it cannot succeed.
    fn hear(&mut self, notification: &Notification) -> io::Result<Option<i32>> {
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
        let errno = lacks_its_fd(&event).then_some(libc::EBADF);
        if let (Event::Called { outcome, .. }, Some(errno)) = (&mut event, errno) {
            *outcome = CallOutcome::Failed(Errno(errno));
        }
        (self.sink)(&event);
        Ok(errno)
    }

    /// A task stops for a signal, which may have interrupted a notified call.
    fn signalled(&mut self, task: Tid, number: i32, registers: Option<Registers>, step: &mut Step) -> io::Result<()> {
        let Some(info) = alive(sys::signal_info(task))? else { return Ok(()) };
        let is_ours = self.interruptions.has_sent(task, number) && sys::is_sent_by_us(&info);
        let is_restart = registers.is_some_and(|registers| registers.result == -ERESTARTSYS);
        let is_caught = is_restart && is_caught(task, number);
        let answer = self.interruptions.signalled(task, registers, Signal { number, is_caught });
        step.before.extend(answer.unreported.and_then(|call| self.unreported(task, call, CallOutcome::Unknown)));
        send(task, &answer.send)?;
        if answer.restarts {
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

    /// The event of a notified call.
    fn unreported(&mut self, task: Tid, call: Call, outcome: CallOutcome) -> Option<Event> {
        let answers = self.witness.notified(task, &call)?;
        Some(Event::Called { task, call, outcome, answers })
    }
}

/// `None` if the task was killed meanwhile.
fn alive<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        answer => answer.map(Some),
    }
}

fn send(task: Tid, signals: &[i32]) -> io::Result<()> {
    signals.iter().try_for_each(|signal| sys::signal_task(task, *signal))
}

/// Whether a call that is about to be made has no open fd, and will find that first.
fn lacks_its_fd(event: &Event) -> bool {
    let Event::Called { call, answers, .. } = event else { return false };
    let fails_first = || call.syscall.row().is_some_and(|row| fails_first_by_its_fd(row.name));
    answers.object == Answer::None && fails_first()
}

impl Receiver<'_> {
    /// Receives until nobody is left.
    pub(super) fn receive(self) {
        self.desk.receiver.store(sys::gettid(), Ordering::Release);
        // None comes where the process never got so far.
        let Ok(listener) = self.listener.recv() else { return };
        if let Err(failure) = self.serve(&listener) {
            self.desk.state().failure = Some(failure);
            // Without a listener calls would fail, and somebody is still there to make them.
            while !self.desk.is_over.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn serve(&self, listener: &OwnedFd) -> io::Result<()> {
        let mut company = Company::default();
        sys::prefer_one_cpu(listener, true)?;
        while !self.desk.is_over.load(Ordering::Acquire) {
            match sys::next_notification(listener) {
                Ok(notification) => {
                    if let Some(is_small) = company.changes(notification.task) {
                        sys::prefer_one_cpu(listener, is_small)?;
                    }
                    let errno = self.desk.state().hear(&notification)?;
                    match sys::answer(listener, notification.id, errno) {
                        // Killed meanwhile.
                        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => return Err(error),
                        _ => {}
                    }
                }
                Err(error) => match error.raw_os_error() {
                    // Interrupted to look whether all is over; or the caller is gone, as all may
                    // be: recv_wait_event(), kernel/seccomp.c.
                    Some(libc::EINTR | libc::ENOENT) => thread::yield_now(),
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }
}

/// How many tasks call at a time. Few are served best on the CPU where they run, since each sleeps
/// until it is answered; many keep the receiver busy, and then its place does not matter, but
/// theirs does.
#[derive(Debug, Default)]
struct Company {
    last: [Tid; 4],
    calls: u32,
    strangers: u32,
    is_large: bool,
}

impl Company {
    /// So many calls are looked at together.
    const CALLS: u32 = 256;

    /// Takes a call in; tells whether the company is small where that is new.
    fn changes(&mut self, task: Tid) -> Option<bool> {
        if !self.last.contains(&task) {
            self.last.rotate_right(1);
            self.last[0] = task;
            self.strangers += 1;
        }
        self.calls += 1;
        if self.calls < Self::CALLS {
            return None;
        }
        let is_large = self.strangers > Self::CALLS / 2;
        (self.calls, self.strangers) = (0, 0);
        (std::mem::replace(&mut self.is_large, is_large) != is_large).then_some(!is_large)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_is_large_while_many_call_by_turns() {
        let mut company = Company::default();
        let mut told = |tasks: &[Tid]| -> Vec<bool> {
            let calls = tasks.iter().cycle().take(2 * Company::CALLS as usize);
            calls.filter_map(|task| company.changes(*task)).collect()
        };
        let many: Vec<Tid> = (1..40).collect();
        assert_eq!(told(&[7]), [true; 0]);
        assert_eq!(told(&[7, 8]), [true; 0]);
        assert_eq!(told(&many), [false]);
        assert_eq!(told(&many), [false; 0]);
        assert_eq!(told(&[9]), [true]);
    }
}
