//! Samples where a program spends its time, and shows which kernel code did the work.
//!
//! Data flows one way:
//!
//! ```text
//! perf → recording → kernel and user (names for addresses) → profile → shares → report
//! ```
//!
//! Samples are evidence only: they never enter a baseline or a verdict.
//!
//! The crate is empty on systems other than Linux, and on processors without a stack unwinder.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

pub mod annotate;
pub mod gates;
pub mod kernel;
pub mod naming;
pub mod perf;
pub mod profile;
pub mod recording;
pub mod report;
pub mod shares;
mod uapi;
pub mod user;
pub mod workload;
