//! System-call regression assertions: a test fails when a workload newly uses a system call or a
//! kernel subsystem.
//!
//! # Usage
//!
//! A test target with `harness = false`, named `sysguard` so that `cargo sysguard` finds it:
//!
//! ```toml
//! [[test]]
//! name = "sysguard"
//! harness = false
//! ```
//!
//! Its `main` runs every file below `expectations/`, which say what to run and hold what it may
//! use; and closures, if you add any:
//!
//! ```no_run
//! use sysguard::{Harness, Subsystem};
//!
//! fn main() -> std::process::ExitCode {
//!     Harness::new(env!("CARGO_MANIFEST_DIR"))
//!         .workload("parse", || drop("1,2,3".split(',').count()))
//!         .check("offline", || drop(std::fs::read("Cargo.toml")), |seen| seen.forbid(Subsystem::Network))
//!         .main()
//! }
//! ```
//!
//! Each is a test like any other: `cargo test`, `cargo test -- FILTER` and `cargo nextest run` take
//! them as such, with libtest's flags and exit statuses. The first run of a workload proposes its
//! expectation beside its file, and fails; `cargo sysguard review` decides on it.
//!
//! A closure is run by executing the test binary once more, and only what happens inside it counts:
//! neither the loader nor the harness nor what `main` did before. It must not depend on what other
//! closures did. A [`check`](Harness::check) needs no file: it is given the [`Observation`] of one
//! run, with assertions typed by [`Subsystem`].
//!
//! The tests of any package can be watched without an edit: `cargo sysguard run -- nextest run`.
//!
//! # Rooms
//!
//! The rooms in the order in which data flows: workload → launch → stop → event → attribution →
//! observation → comparison with the expectation → action → report.
#![doc = include_str!("ARCHITECTURE.md")]

pub mod model;

pub mod linux;
pub mod report;
pub mod store;

pub mod guide;

pub mod artifacts;
pub mod harness;
pub mod runner;

pub mod error;
pub mod settings;
mod tracer;

pub use error::Error;
pub use harness::Harness;
pub use model::attribution::Subsystem;
pub use model::observe::observation::Observation;
pub use sysguard_phase::phase;
pub use tracer::{Traced, Tracer};
