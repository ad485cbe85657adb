//! Finds which system calls the code of a program and its libraries could make, without running it.
//!
//! Data flows one way:
//!
//! ```text
//! modules (bytes of ELF files) → image → code → graph → numbers → result
//! ```
//!
//! - `image` finds the functions, relocations and symbols of a file.
//! - `code` finds what each function calls and refers to.
//! - `graph` finds the functions that can be reached.
//! - `numbers` follows the number of each call back to where it is set.
//!
//! Nothing here reads a file or runs a program. The result is an upper bound only for the files
//! given, and only if no call is unresolved: [`Reach`] says what is not known.
//!
//! The crate is empty on systems and processors that it cannot analyse.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod result;

pub use result::{Chain, Fault, Module, ModuleReach, Origin, Reach, Reached, Step, Unresolved, Why};
