//! Fields of proc_pid_status(5). Main function: [`field`].

use super::uapi::CAP_SYS_PTRACE;

/// Returns the trimmed value of a field; the key ends with the colon: `NSpid:`.
pub(super) fn field<'a>(status: &'a str, key: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim)
}

/// Returns whether a field is a hexadecimal mask with this bit: `CapEff:`, `SigCgt:`.
pub(super) fn has_bit(status: &str, key: &str, bit: u32) -> bool {
    let mask = field(status, key).and_then(|mask| u64::from_str_radix(mask, 16).ok());
    mask.is_some_and(|mask| mask >> bit & 1 == 1)
}

/// Returns whether CAP_SYS_PTRACE is in the effective set.
pub(super) fn has_cap_sys_ptrace(status: &str) -> bool {
    has_bit(status, "CapEff:", CAP_SYS_PTRACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tSigCgt:\nTgid:\t70\nNSpid:\t71\t9\t2\nSigIgn:\t0000000000001002\n\
        SigCgt:\t0000000000000010\nCapEff:\t0000000000080000\n";

    #[test]
    fn fields_are_found_by_their_key() {
        for (key, value) in [("Tgid:", Some("70")), ("NSpid:", Some("71\t9\t2")), ("PPid:", None)] {
            assert_eq!(field(STATUS, key), value, "{key}");
        }
    }

    #[test]
    fn bits_are_read_from_hexadecimal_masks() {
        assert_eq!((0..64).filter(|bit| has_bit(STATUS, "SigCgt:", *bit)).collect::<Vec<_>>(), [4]);
        assert!(!has_bit("", "SigCgt:", 1) && !has_bit("SigCgt:\tx\n", "SigCgt:", 1));
        assert!(has_cap_sys_ptrace(STATUS) && !has_cap_sys_ptrace("CapEff:\tfffffffffff7ffff\n"));
    }
}
