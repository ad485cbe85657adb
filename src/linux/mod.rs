//! The shell that touches the kernel: it turns the kernel's words into stops, and obeys directives.
//!
//! [`trace()`] is the one door. Nothing here judges, prints, or reads an expectation.

mod interrupts;
mod trace;

#[cfg(target_arch = "x86_64")]
mod callers;
#[cfg(not(target_arch = "x86_64"))]
#[path = "callers/unknown.rs"]
mod callers;
mod colocation;
mod deadlines;
mod files;
mod guard;
mod launch;
mod loader;
mod maps;
mod mounts;
mod notify;
mod objects;
mod probe;
mod stopped;
mod terminal;
mod tracer;
mod untraced;
mod wait;
mod witness;

mod sys;

pub use callers::Callers;
pub use guard::{Incomplete, inherited};
pub use interrupts::leave_interrupts_to_workload;
pub use launch::{Command, Environment, Stream};
pub use probe::probe;
pub use sys::{glibc_version, mark, phase};
pub use terminal::{KeptTerminal, keep_terminal};
pub use trace::{Limits, Outcome, TraceError, trace, trace_guarded, trace_notified, trace_unasked};
