//! A call inside closures and inlined functions, and the stack that must be found for it.

use std::process::ExitCode;
use std::thread;

use super::call;

/// The functions of this file on the stack of the call, innermost first, each with its line.
/// Inlined functions have no path with line tables only, as in these tests.
pub(crate) const STACK: &[(&str, u32)] = &[
    ("asks", ASKS),
    ("tracer::tracees::callers::asks_for_the_least::{{closure}}", CLOSURE),
    ("tracer::tracees::callers::asks_for_the_least", LEAST),
    ("tracer::tracees::callers::asks_in_a_thread::{{closure}}", THREAD),
];

const ASKS: u32 = line!() + 3;
#[inline(always)]
fn asks() -> libc::c_long {
    call(libc::SYS_getppid)
}

const CLOSURE: u32 = line!() + 4;
const LEAST: u32 = line!() + 4;
#[inline(never)]
fn asks_for_the_least(numbers: &[libc::c_long]) -> Option<libc::c_long> {
    let asked = |number: &&libc::c_long| **number + asks();
    numbers.iter().min_by_key(asked).copied()
}

const THREAD: u32 = line!() + 2;
pub(crate) fn asks_in_a_thread() -> ExitCode {
    let thread = thread::spawn(|| asks_for_the_least(&[1]).is_some());
    ExitCode::from(u8::from(thread.join().is_err()))
}
