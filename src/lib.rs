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
//! Its `main` runs every file below `expectations/`. A file says what to run and holds what the
//! workload may use. Closures can be added:
//!
//! ```no_run
//! use sysguard::{Harness, Subsystem};
//!
//! fn main() -> std::process::ExitCode {
//!     Harness::new(env!("CARGO_MANIFEST_DIR"))
//!         .workload("parse", || drop("1,2,3".split(',').collect::<Vec<_>>()))
//!         .check("offline", || drop(std::fs::read("Cargo.toml")), |seen| {
//!             seen.forbid(Subsystem::Network);
//!         })
//!         .main()
//! }
//! ```
//!
//! Each workload is a test like any other: `cargo test`, `cargo test -- FILTER` and `cargo nextest
//! run` run it, with libtest's flags and exit statuses. The first run of a workload writes a
//! proposal beside its file, and fails; `cargo sysguard review` decides on it.
//!
//! A closure is run by executing the test binary once more. Only calls inside the closure count,
//! not those of the loader, the harness or `main`. It must not depend on other closures. A
//! [`check`](Harness::check) needs no file: it gets the [`Observation`] of one run, with assertions
//! typed by [`Subsystem`].
//!
//! # Outside a harness
//!
//! [`Tracer`] traces a command from any Rust code. The tests of any package can be traced without a
//! change: `cargo sysguard run -- nextest run`. The [guide] has a page for each.
//!
//! # What is stable
//!
//! The items on this page. The feature `unstable` is for `cargo-sysguard` and this project's own
//! tests; any release may change it.

#![cfg_attr(
    not(feature = "unstable"),
    expect(dead_code, unreachable_pub, unused_imports, reason = "used only by the subcommand")
)]

pub mod guide;

mod artifacts;
mod error;
mod linux;
mod model;
mod report;
mod runner;
mod settings;
mod store;

pub mod harness;
mod tracer;

#[cfg(feature = "unstable")]
#[doc(hidden)]
pub mod unstable;

// For the macro of the same name.
#[cfg(all(feature = "unstable", target_os = "linux"))]
#[doc(hidden)]
pub use linux::note_start;

pub use error::Error;
#[doc(inline)]
pub use harness::{Check, Harness};
pub use linux::TraceError;
pub use model::attribution::Subsystem;
pub use model::attribution::blind_spot::BlindSpot;
pub use model::expectation::Rule;
pub use model::observe::observation::{Engine, Observation};
pub use model::run::workload::Exit;
pub use sysguard_phase::phase;
pub use tracer::{Traced, Tracer};
