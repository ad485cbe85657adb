//! Tracing without a tracer: the state machine of ptrace(2) stops, and the events that it emits.
//! Main types: [`event::Event`] and [`tracee::Tasks`].

pub mod dumpable;
pub mod event;
pub mod logged;
pub mod marker;
pub mod prerequisite;
pub mod tracee;
