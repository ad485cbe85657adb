//! The pure core: what sysguard knows and decides.
//!
//! It must not touch the file system, processes, the environment, the clock, or libc, and compiles on any operating system.
//! Everything here is plain data and functions of it.
#![forbid(unsafe_code)]

pub mod platform;
pub mod workload;

pub mod syscall;

pub mod blind_spot;
pub mod call;
pub mod call_site;
pub mod errno;
pub mod escape;
pub mod event;
pub mod gate;
pub mod lockfile;
pub mod marker;
pub mod signal;
pub mod test_name;
pub mod tracee;

pub mod attribution;
pub mod observation;

pub mod expectation;
pub mod fact;
pub mod families;
pub mod finding;
pub mod fingerprint;
pub mod forbid;
pub mod guard;
pub mod notify;

mod assertions;
pub mod causes;
pub mod compare;
pub mod confirm;
pub mod decide;
pub mod explain;
pub mod near;
pub mod pending;
pub mod recording;
pub mod remains;
pub mod revisions;
pub mod taxonomy;
pub mod verdict;
pub mod weight;
