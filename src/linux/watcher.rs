//! What watches a run: it gets every event, and looks at tasks while they are stopped. Main type:
//! [`Watcher`].

use super::recorder::Recorder;
use crate::model::conditions::Conditions;
#[cfg(feature = "unstable")]
use crate::model::explore::injection::Fault;
use crate::model::guard::Guard;
use crate::model::kernel::call::{Call, Tid};
use crate::model::trace::event::Event;

/// Gets the events of a run. The task of an event is stopped until the method returns.
pub trait Watcher {
    /// Takes an event.
    fn event(&mut self, event: &Event);

    /// Looks at a call at its entry, while its arguments are as the task passed them. Calls that
    /// are reported before they are made have no entry of their own.
    fn entered(&mut self, _task: Tid, _call: &Call) {}

    /// Called at the entry of a call that executes a program. `program` is its name as invoked, if
    /// known.
    fn executes(&mut self, _task: Tid, _call: &Call, _program: Option<&str>) {}

    /// Called for a task that has created a child and waits until the child executes a program or
    /// ends.
    fn awaits(&mut self, _parent: Tid, _child: Tid) {}

    /// Returns the fault of a call, at its entry, after the methods above. Under the ptrace engine.
    #[cfg(feature = "unstable")]
    fn fault(&mut self, _task: Tid, _call: &Call) -> Option<Fault> {
        None
    }

    /// Learns why the fault of a call was not injected; the call is made as it is.
    #[cfg(feature = "unstable")]
    fn not_injected(&mut self, _task: Tid, _reason: NotInjected) {}

    /// Returns whether the run is for a debugger: a process may be left to it.
    fn may_leave(&self) -> bool {
        false
    }

    /// Returns whether the process of a task is left to a debugger, stopped and no longer traced.
    /// Asked after the events of a stop, once they are taken.
    #[cfg(feature = "unstable")]
    fn leaves(&mut self, _task: Tid) -> bool {
        false
    }

    /// Learns which process was left. `None`: only the first process of a run can be.
    #[cfg(feature = "unstable")]
    fn left(&mut self, _process: Option<Tid>) {}

    /// Called when a thread executes a program and takes the number of its process, before the
    /// events of that stop.
    fn renumbered(&mut self, _task: Tid, _former: Tid) {}

    /// Looks at a task that executes another program from here on. `former` is its number before.
    fn executed(&mut self, _task: Tid, _former: Tid) {}

    /// Returns the conditions that each call of the run is compared with.
    fn conditions(&self) -> Conditions {
        Conditions::default()
    }

    /// Returns whether signals that handlers take are reported. For this, the handler of each
    /// signal is looked up in the task.
    fn counts_handled_signals(&self) -> bool {
        false
    }
}

/// Why a fault was not injected.
#[cfg(feature = "unstable")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInjected {
    /// The task has a seccomp filter of its own, which would judge a call without a number, and
    /// might kill the task for it.
    #[error("its task has a seccomp filter of its own")]
    OwnFilter,
    /// The call does not return, or it is the kernel's own.
    #[error("it cannot fail")]
    CannotFail,
    /// The call asks for no more bytes than it would get.
    #[error("it asks for too few bytes")]
    TooFewBytes,
    /// The call does not read or write one buffer, or this architecture cannot change its
    /// registers.
    #[error("its registers cannot be changed")]
    Unsupported,
}

/// A closure receives events and leaves the rest at its default.
impl<F: FnMut(&Event)> Watcher for F {
    fn event(&mut self, event: &Event) {
        self(event);
    }
}

/// The engines that report all events on the caller's thread.
pub enum Watching<'a> {
    /// Every call stops.
    EveryCall,
    /// Every call stops, and a recorder gets it decoded and measured.
    Logged(&'a mut dyn Recorder),
    /// Calls that the guard allows run natively.
    Guarded(&'a Guard),
}
