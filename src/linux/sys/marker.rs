//! Sends markers: calls that only a sysguard tracer interprets. Main function: [`mark`].

use crate::model::trace::marker::Marker;

/// Sends a marker to the tracer of this process. The kernel refuses the call.
pub fn mark(marker: &Marker) {
    let [option, kind, a, b, c] = marker.registers();
    // SAFETY: prctl takes numbers, and refuses an option that it does not know; prctl(2).
    unsafe { libc::syscall(libc::SYS_prctl, option, kind, a, b, c) };
}
