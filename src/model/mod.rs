//! The pure core: what sysguard knows and decides.
//!
//! It must not touch the file system, processes, the environment, the clock, or libc, and compiles
//! on any operating system. Everything here is plain data and functions of it.
#![forbid(unsafe_code)]

pub mod attribution;
pub mod conditions;
pub mod decode;
pub mod engine;
pub mod expectation;
#[cfg(feature = "unstable")]
pub mod explain;
#[cfg(feature = "unstable")]
pub mod explore;
pub mod facts;
pub mod guard;
pub mod judge;
pub mod kernel;
pub mod notify;
pub mod observe;
pub mod run;
#[cfg(feature = "unstable")]
pub mod taxonomy;
pub mod text;
pub mod trace;
