//! Generated: what the kernel source says of each entry point.

use super::Subsystem;
use crate::model::syscall::Syscall;

/// The subsystem of a call's entry point; [`Subsystem::None`] for numbers that no table knows.
pub fn subsystem(_syscall: Syscall) -> Subsystem {
    Subsystem::None
}
