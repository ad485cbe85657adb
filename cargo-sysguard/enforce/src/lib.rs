//! Makes seccomp profiles from baselines, and proves that workloads run under them.
//!
//! Data flows one way:
//!
//! ```text
//! source (baselines) → policy → format (profiles of container runtimes, systemd, …)
//!                             → filter (BPF) → trials → proof
//! ```
//!
//! - `source` checks that baselines can be enforced.
//! - `policy` says which calls are allowed, with which registers, and why. `additions` are the
//!   calls that a baseline does not hold and a program still needs; `runtimes` are those of
//!   container runtimes.
//! - `phases` reduces a baseline to the calls from one phase of the program on.
//! - `format` writes a policy in each format, and reads it back to compare two profiles.
//! - `filter` compiles a policy to BPF.
//! - `trials` runs workloads under the filter, and in a container.
//! - `proof` is the record of what that showed.
//!
//! Filters are compiled on Linux only; elsewhere, this crate is empty.

#![cfg(target_os = "linux")]

pub mod additions;
pub mod filter;
pub mod format;
pub mod phases;
pub mod policy;
pub mod proof;
pub mod runtimes;
pub mod source;
pub mod trials;
mod uapi;
mod without;

pub use policy::{Action, Allowed, Calls, Policy, Reason};
pub use source::{Refusal, Source};
