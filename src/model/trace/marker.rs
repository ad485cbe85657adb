//! Markers: calls by which a program informs its tracer, and that have no other effect. Main type:
//! [`Marker`].
//!
//! A marker is `prctl(0x53595347, kind, name[0..8], name[8..16], name[16..24])`. The kernel has no
//! such option and returns EINVAL. All arguments are in registers, so no memory must be read, and
//! programs in any language can make the call.

use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::Abi;

/// The phase before the program begins, in which the loader runs. No program has to name it.
pub const LOADER: &str = "loader";

pub use sysguard_phase::OPTION;
use sysguard_phase::PHASE;

/// A number that the harness makes for one run, so that code in the closure cannot fake its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Key(pub u64);

/// The meaning of a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// The program enters this phase.
    Phase(PhaseName),
    /// A closure is entered: its calls count from here on.
    Enter(Key),
    /// The closure ends, if the key is that of [`Marker::Enter`].
    Leave(Key),
}

impl Marker {
    /// Returns the arguments of the prctl call.
    pub fn registers(&self) -> [u64; 5] {
        match self {
            Self::Enter(key) => [OPTION, 1, key.0, 0, 0],
            Self::Leave(key) => [OPTION, 2, key.0, 0, 0],
            Self::Phase(PhaseName([a, b, c])) => [OPTION, PHASE, *a, *b, *c],
        }
    }

    /// Returns the marker that a call is, if it is one.
    pub fn of(call: &Call) -> Option<Self> {
        let is_prctl = || call.syscall.row().is_some_and(|row| row.name == "prctl");
        if call.args[0] != OPTION || call.syscall.abi == Abi::I386 || !is_prctl() {
            return None;
        }
        match call.args[1] {
            1 => Some(Self::Enter(Key(call.args[2]))),
            2 => Some(Self::Leave(Key(call.args[2]))),
            PHASE => Some(Self::Phase(PhaseName([call.args[2], call.args[3], call.args[4]]))),
            _ => None,
        }
    }
}

/// The name of a phase, as [`sysguard_phase::registers`] packs it into three registers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseName([u64; 3]);

impl PhaseName {
    /// Returns the name, cut to the size of the registers at a character boundary.
    pub const fn new(name: &str) -> Self {
        let [_, _, a, b, c] = sysguard_phase::registers(name);
        Self([a, b, c])
    }

    /// Returns whether this is the name of the loader's phase, which only the tracer may use.
    pub fn is_reserved(&self) -> bool {
        self.text().as_deref() == Some(LOADER)
    }

    /// Returns the name, or `None` if it is empty. Characters that a key cannot hold become `_`.
    pub fn text(&self) -> Option<String> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|register| register.to_le_bytes()).collect();
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let text = String::from_utf8_lossy(&bytes[..end]);
        let part = |letter: char| if letter.is_ascii_alphanumeric() || "_.-".contains(letter) { letter } else { '_' };
        (!text.is_empty()).then(|| text.chars().map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::Syscall;

    fn call(number: i64, registers: [u64; 5]) -> Call {
        let [a, b, c, d, e] = registers;
        Call { syscall: Syscall { abi: Abi::X86_64, number }, args: [a, b, c, d, e, 0], instruction_pointer: 0 }
    }

    #[test]
    fn only_loader_is_a_reserved_name() {
        for (name, reserved) in [
            ("loader", true),
            ("loader\0 and more", true),
            ("loader ", false),
            ("Loader", false),
            ("loaders", false),
            ("", false),
        ] {
            assert_eq!(PhaseName::new(name).is_reserved(), reserved, "{name:?}");
        }
    }

    #[test]
    fn names_become_text_without_control_characters() {
        for (name, text) in [
            ("\u{1b}[31m", Some("__31m")),
            ("a\nb::c", Some("a_b__c")),
            ("\u{202e}x", Some("_x")),
            ("\0hidden", None),
            ("a.b-c_d", Some("a.b-c_d")),
        ] {
            assert_eq!(PhaseName::new(name).text().as_deref(), text, "{name:?}");
        }
        let invalid = call(157, [OPTION, 3, u64::MAX, u64::MAX, u64::MAX]);
        let Some(Marker::Phase(name)) = Marker::of(&invalid) else { panic!("a phase") };
        assert_eq!(name.text(), Some("_".repeat(sysguard_phase::NAME)));
    }

    #[test]
    fn only_markers_are_parsed_as_markers() {
        const PRCTL: i64 = 157;
        let phase = PhaseName::new("serving, and for a long time");
        for marker in [Marker::Enter(Key(7)), Marker::Leave(Key(u64::MAX)), Marker::Phase(phase)] {
            assert_eq!(Marker::of(&call(PRCTL, marker.registers())), Some(marker.clone()));
            assert_eq!(Marker::of(&call(0, marker.registers())), None);
        }
        assert_eq!(phase.text().as_deref(), Some("serving__and_for_a_long_"));
        assert_eq!(PhaseName::new("").text(), None);
        assert_eq!(PhaseName::new("0123456789012345678901é3é").text().as_deref(), Some("0123456789012345678901_"));
        assert_eq!(Marker::of(&call(PRCTL, [OPTION, 99, 0, 0, 0])), None);
        assert_eq!(Marker::of(&call(PRCTL, [15, 1, 0, 0, 0])), None);
    }
}
