//! The ptrace state machine without ptrace: what a stop means, and what the task must be told.
//!
//! It must not wait, resume or read anything: [`Tasks::step`] takes what the kernel said as plain
//! data and answers with plain data, so that every race of ptrace(2) is a row in a table test on
//! any operating system.

mod step;
mod stop;
mod task;

pub use step::{Directive, Step, Tasks};
pub use stop::Stop;
