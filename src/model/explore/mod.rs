//! Exploring error paths: which errors to inject into a run, and what each injection showed.
//!
//! A survey run lists every call with its stack. A plan selects plausible errors for these calls,
//! one injection a run. Each attempt is compared with runs without an injection.

pub mod faults;
pub mod injection;
pub mod normalise;
pub mod outcome;
pub mod plan;
pub mod run;
#[cfg(test)]
mod samples;
pub mod steady;
pub mod survey;
