//! A word from the program to whoever traces it: a call that does nothing for anyone else. Main type: [`Marker`].
//!
//! It is `prctl(0x53595347, kind, name[0..8], name[8..16], name[16..24])`: the kernel knows no such option and says EINVAL. Everything stands
//! in registers, so that nothing must be read from memory, and any program in any language can say it.

use super::event::Call;
use super::syscall::Abi;

/// The option, in ASCII `SYSG`.
pub const OPTION: u64 = 0x5359_5347;

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// What counts begins here: a closure is entered.
    Enter,
    /// It ends here.
    Leave,
}

impl Marker {
    /// The registers by which it is said.
    pub fn registers(&self) -> [u64; 5] {
        let kind = match self {
            Self::Enter => 1,
            Self::Leave => 2,
        };
        [OPTION, kind, 0, 0, 0]
    }

    /// What a call says, if it is a marker.
    pub fn of(call: &Call) -> Option<Self> {
        let is_prctl = || call.syscall.row().is_some_and(|row| row.name == "prctl");
        if call.args[0] != OPTION || call.syscall.abi == Abi::I386 || !is_prctl() {
            return None;
        }
        match call.args[1] {
            1 => Some(Self::Enter),
            2 => Some(Self::Leave),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::syscall::Syscall;

    fn call(number: i64, registers: [u64; 5]) -> Call {
        let [a, b, c, d, e] = registers;
        Call { syscall: Syscall { abi: Abi::X86_64, number }, args: [a, b, c, d, e, 0], instruction_pointer: 0 }
    }

    #[test]
    fn what_is_said_is_understood_and_nothing_else_is() {
        const PRCTL: i64 = 157;
        for marker in [Marker::Enter, Marker::Leave] {
            assert_eq!(Marker::of(&call(PRCTL, marker.registers())), Some(marker.clone()));
            assert_eq!(Marker::of(&call(0, marker.registers())), None);
        }
        assert_eq!(Marker::of(&call(PRCTL, [OPTION, 99, 0, 0, 0])), None);
        assert_eq!(Marker::of(&call(PRCTL, [15, 1, 0, 0, 0])), None);
    }
}
