//! Finds which system calls the code of a program and its libraries could make, without running it.
//!
//! Data flows one way:
//!
//! ```text
//! modules (bytes of ELF files) → image → code → program → graph → flow → words → spread → numbers
//!     → result
//! ```
//!
//! - `image` finds the functions, relocations and symbols of a file.
//! - `code` decodes a function, and finds what it calls and refers to.
//! - `program` connects the files: symbols, stubs, functions that never return.
//! - `graph` finds the functions that can be reached.
//! - `flow` follows values through a function. Its `uses` follows an address through one.
//! - `words` finds the reached code that names data, and `spread` follows an address through all
//!   functions and data that it goes to.
//! - `numbers` follows the number of each syscall back to where it is set.
//!
//! These read no file and run no program. The result is an upper bound only for the files given,
//! and only if no call is unresolved: [`Reach`] says what is not known.
//!
//! - `modules` finds the files of a program as its loader does.
//! - `observe` runs the program once, and finds what it calls and maps as code.
//! - `survey` puts both together with the analysis, and `report` writes the result. A `cache`
//!   keeps it for the same files.
//!
//! The crate is empty on systems and processors that it cannot analyse.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod analysis;
pub mod cache;
mod code;
mod digest;
mod flow;
mod graph;
mod image;
pub mod modules;
mod numbers;
pub mod observe;
mod program;
pub mod report;
mod result;
mod spread;
pub mod survey;
mod uapi;
mod words;

pub use analysis::analyse;
pub use digest::digest;
pub use image::Header;
pub use result::{
    Assumption, AssumptionKind, Chain, Fault, Module, ModuleReach, Origin, Reach, Reached, Step, Unresolved, Why,
};
