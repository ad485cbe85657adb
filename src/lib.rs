//! System-call regression assertions.
//!
//! The rooms in the order in which data flows:
//! workload → launch → stop → event → attribution → observation → comparison with the expectation → action → report.
#![doc = include_str!("ARCHITECTURE.md")]

pub mod model;

#[cfg(target_os = "linux")]
pub mod linux;
pub mod report;
pub mod store;

pub mod artifacts;
#[cfg(target_os = "linux")]
pub mod harness;
#[cfg(target_os = "linux")]
pub mod runner;

pub mod error;
pub mod settings;

pub use error::Error;

/// The README's Rust blocks, compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeDoctests;
