//! Sends markers: calls that only a sysguard tracer interprets. Main function: [`phase`].

use crate::model::trace::marker::{Marker, PhaseName};

/// Sends a marker to the tracer of this process. The kernel refuses the call.
pub fn mark(marker: &Marker) {
    let [option, kind, a, b, c] = marker.registers();
    // SAFETY: prctl takes numbers, and refuses an option that it does not know; prctl(2).
    unsafe { libc::syscall(libc::SYS_prctl, option, kind, a, b, c) };
}

/// Begins a phase of the program and all its tasks; an empty name ends it.
///
/// A baseline can record what each phase uses. The call costs one prctl(2), which the kernel
/// refuses; only a sysguard tracer acts on it. The first 24 bytes of the name count, and `_`
/// replaces each byte that is not an ASCII letter, a digit or one of `_.-`. `loader` is reserved
/// for the tracer: a program that uses it is in no phase and gets the blind spot `reserved_phase`.
///
/// ```
/// sysguard::phase("serving");
/// ```
pub fn phase(name: &str) {
    mark(&Marker::Phase(PhaseName::new(name)));
}
