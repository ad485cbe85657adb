//! Names the phases of a program for sysguard.
//!
//! ```
//! // The listener is bound and all files are read.
//! sysguard_phase::phase("serving");
//! ```
//!
//! A baseline of sysguard can hold what each phase uses of the Linux kernel, so that start-up may
//! open files where serving may not. Main function: [`phase`].
#![no_std]

/// The prctl(2) option of sysguard's markers, in ASCII `SYSG`. The kernel knows no such option.
#[doc(hidden)]
pub const OPTION: u64 = 0x5359_5347;

/// The marker that begins a phase.
#[doc(hidden)]
pub const PHASE: u64 = 3;

/// How many bytes of a name fit into the registers.
#[doc(hidden)]
pub const NAME: usize = 24;

/// Begins a phase of the program, with all its tasks; an empty name ends it.
///
/// It makes one prctl(2), which the kernel refuses with EINVAL; only a tracer of sysguard acts on
/// it. The first 24 bytes of the name count, up to a whole character. In reports `_` replaces each
/// character that is not an ASCII letter, a digit or one of `_.-`. `loader` is reserved for the
/// tracer: a program that uses it is in no phase and gets the blind spot `reserved_phase`.
///
/// Off Linux and on 32-bit targets it does nothing.
pub fn phase(name: &str) {
    send(registers(name));
}

/// Returns the argument registers of the call that begins this phase.
#[doc(hidden)]
pub const fn registers(name: &str) -> [u64; 5] {
    let bytes = name.as_bytes();
    let mut end = if bytes.len() < NAME { bytes.len() } else { NAME };
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut parts = [0; 3];
    let mut at = 0;
    while at < end {
        parts[at / 8] |= (bytes[at] as u64) << (at % 8 * 8);
        at += 1;
    }
    [OPTION, PHASE, parts[0], parts[1], parts[2]]
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[expect(unsafe_code, reason = "prctl(2) is a foreign function")]
fn send([option, kind, a, b, c]: [u64; 5]) {
    use core::ffi::{c_int, c_ulong};

    unsafe extern "C" {
        fn prctl(option: c_int, ...) -> c_int;
    }
    // The option is smaller than the greatest c_int, and c_ulong has 64 bits here.
    let (option, kind): (c_int, c_ulong) = (option as c_int, kind);
    // SAFETY: takes numbers, and the kernel refuses an option that it does not know; prctl(2).
    unsafe { prctl(option, kind, a, b, c) };
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn send(_: [u64; 5]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_packed_little_endian() {
        for (name, parts) in [
            ("", [0, 0, 0]),
            ("a", [0x61, 0, 0]),
            ("serving", [0x67_6e69_7672_6573, 0, 0]),
            ("0123456789abcdef01234567890", [0x3736_3534_3332_3130, 0x6665_6463_6261_3938, 0x3736_3534_3332_3130]),
            // A character of two bytes that does not fit whole.
            ("0123456789abcdef0123456é", [0x3736_3534_3332_3130, 0x6665_6463_6261_3938, 0x0036_3534_3332_3130]),
        ] {
            let [option, kind, a, b, c] = registers(name);
            assert_eq!((option, kind, [a, b, c]), (OPTION, PHASE, parts), "{name}");
        }
    }

    #[test]
    fn any_name_may_be_sent() {
        for name in ["serving", "", "a name that is longer than twenty-four bytes"] {
            phase(name);
        }
    }
}
