//! Calls that are told of once, before they are made: a thread of its own receives notifications, while the tracer's keeps to tasks, and to calls whose
//! result counts. Main types: [`Hearing`], the tracer's side, and [`Receiver`].
//!
//! Which calls are notified is `model::notify`'s to say. What both sides need lies on one [`Desk`].

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::outcome::Incomplete;
use super::stopped::Pace;
use super::sys::{self, Interrupted, Notification};
use super::witness::Witness;
use crate::model::attribution::{Answers, Memory};
use crate::model::event::{BlindSpot, Call, CallOutcome, Event, Tid};
use crate::model::guard::{Effect, effect};
use crate::model::syscall::{Abi, Syscall};
use crate::model::tracee::{Step, Stop, Tasks};

/// What the tracer and the receiver share.
pub(super) struct Desk<'a> {
    state: Mutex<State<'a>>,
    is_over: AtomicBool,
    /// The receiver's thread.
    receiver: AtomicI32,
}

struct State<'a> {
    witness: Witness,
    /// The last call that was heard of each task.
    heard: HashMap<Tid, Call>,
    /// A call of a task that a signal kept from being heard, and that will be made again unless the signal's handler does not come back.
    unheard: HashMap<Tid, (Call, Answers)>,
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
}

/// Who receives.
pub(super) struct Receiver<'a> {
    desk: &'a Desk<'a>,
    listener: mpsc::Receiver<OwnedFd>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(sink: &'a mut (dyn FnMut(&Event) + Send)) -> Self {
        let state =
            State { witness: Witness::default(), heard: HashMap::new(), unheard: HashMap::new(), failure: None, sink };
        Self { state: Mutex::new(state), is_over: AtomicBool::new(false), receiver: AtomicI32::new(0) }
    }

    pub(super) fn sides(&'a self) -> (Hearing<'a>, Receiver<'a>) {
        let (receiver, listener) = mpsc::channel();
        (Hearing { desk: self, receiver, is_installing: false, incomplete: None }, Receiver { desk: self, listener })
    }

    pub(super) fn tell(&self, event: &Event) {
        (self.state().sink)(event);
    }

    /// Nobody is left who could notify: the receiver is woken until it has seen that, since older kernels do not tell.
    pub(super) fn close(&self, is_finished: impl Fn() -> bool) {
        let left: Vec<Tid> = self.state().unheard.keys().copied().collect();
        // Threads that another one's execve has ended.
        left.into_iter().filter_map(|task| self.state().forget(task)).for_each(|event| self.tell(&event));
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

/// That of the filter; all others stop.
const ABI: Abi = Abi::X86_64;

/// `ERESTARTSYS` and `ERESTARTNOINTR`, include/linux/errno.h: restarted if the handler says SA_RESTART, and always.
const ERESTARTSYS: i64 = 512;
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
        match *stop {
            Stop::Entry(call) if tasks.is_launching(task) => {
                self.is_installing = effect(&call, &Memory::default()) == Effect::Filters
            }
            Stop::Exit { value, failed: false } if std::mem::take(&mut self.is_installing) => {
                let listener = sys::copy_fd(task, i32::try_from(value).unwrap_or(-1))?;
                // Where nobody receives any more, the run is over.
                let _ = self.receiver.send(listener);
            }
            // Its answers come before ours, and of two listeners the kernel refuses the second.
            Stop::Entry(call) if effect(&call, &Memory::default()) == Effect::Filters => {
                self.incomplete = Some(Incomplete::OwnFilter)
            }
            Stop::Exec { former, privileged } => {
                step.before.extend(state.forget(former));
                if privileged {
                    self.incomplete = Some(Incomplete::Privileges);
                }
            }
            Stop::Signal(_) | Stop::Exiting { .. } if tasks.call(task).is_none() => {
                step.before.extend(state.interrupted(task)?);
            }
            Stop::Ended(_) => step.before.extend(state.forget(task)),
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
    /// A call is about to be made. One of a task that is stopped at every call is told by that.
    fn hear(&mut self, notification: &Notification) {
        let task = notification.task;
        let number = notification.number as u32;
        let Some(syscall) = Syscall::from_kernel(notification.arch, number.into()) else { return };
        let Notification { args, instruction_pointer, .. } = *notification;
        let call = Call { syscall, args, instruction_pointer };
        if let Some(answers) = self.witness.notified(task, &call) {
            self.heard.insert(task, call);
            if !self.unheard.is_empty() && self.unheard.get(&task).is_some_and(|(unheard, _)| *unheard == call) {
                self.unheard.remove(&task);
            }
            (self.sink)(&Event::Called { task, call, outcome: CallOutcome::Unknown, answers });
        }
    }

    /// A signal may have ended the wait of a call that nobody had heard of. It shall be made again, for many calls never end with EINTR.
    ///
    /// One that looks just like the last that was heard may be that one, interrupted in the kernel: it is told already, and EINTR is its own.
    fn interrupted(&mut self, task: Tid) -> io::Result<Option<Event>> {
        let Some(Interrupted { result, number, args, instruction_pointer }) = sys::interrupted_call(task)? else {
            return Ok(None);
        };
        let call = Call { syscall: Syscall { abi: ABI, number }, args, instruction_pointer };
        if result != -ERESTARTSYS || self.heard.get(&task) == Some(&call) {
            return Ok(None);
        }
        let Some(answers) = self.witness.notified(task, &call) else { return Ok(None) };
        sys::write_result(task, -ERESTARTNOINTR)?;
        let before = self.unheard.insert(task, (call, answers));
        Ok(before.filter(|(before, _)| *before != call).map(|unheard| never_heard(task, unheard)))
    }

    /// The task is gone, or is another program: what it had not made again it never will.
    fn forget(&mut self, task: Tid) -> Option<Event> {
        self.heard.remove(&task);
        self.unheard.remove(&task).map(|unheard| never_heard(task, unheard))
    }
}

fn never_heard(task: Tid, (call, answers): (Call, Answers)) -> Event {
    Event::Called { task, call, outcome: CallOutcome::NeverReturned, answers }
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
                    self.desk.state().hear(&notification);
                    match sys::go_on(listener, notification.id) {
                        // Killed meanwhile.
                        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => return Err(error),
                        _ => {}
                    }
                }
                Err(error) => match error.raw_os_error() {
                    // Interrupted to look whether all is over; or the caller is gone, as all may be: recv_wait_event(), kernel/seccomp.c.
                    Some(libc::EINTR | libc::ENOENT) => thread::yield_now(),
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }
}

/// How many tasks call at a time. Few are served best on the CPU where they run, since each sleeps until it is answered; many keep the receiver busy, and then
/// its place does not matter, but theirs does.
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
