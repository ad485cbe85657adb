//! The ptrace(2) state machine as pure code: what a stop means, and how the task must be resumed.
//! Main type: [`Tasks`].
//!
//! It must not wait, resume or read anything. [`Tasks::step`] takes and returns plain data, so
//! every race of ptrace(2) is a row in a table test on any operating system.

mod step;
mod stop;
mod task;

pub use step::{Directive, Step, Tasks};
pub use stop::Stop;
