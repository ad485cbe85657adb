//! The shell that touches the kernel: it turns the kernel's words into stops, and obeys directives.
//!
//! [`trace()`] is the one door. Nothing here judges, prints, or reads an expectation.

mod launch;
mod trace;

pub use launch::{Command, Environment, Stream};
pub use trace::{Limits, Outcome, TraceError, trace};
