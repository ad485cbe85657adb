//! The capabilities of this process by name. Main function: [`effective`].

use std::fs;

use crate::uapi::CAPABILITIES;

/// Returns the names of the effective capabilities, as capabilities(7) has them. A capability
/// without a known name is left out.
pub(super) fn effective() -> Vec<&'static str> {
    named(&fs::read_to_string("/proc/self/status").unwrap_or_default())
}

/// Reads the field `CapEff` of /proc/PID/status: proc_pid_status(5).
fn named(status: &str) -> Vec<&'static str> {
    let field = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = field.and_then(|field| u64::from_str_radix(field.trim(), 16).ok()).unwrap_or_default();
    let names = CAPABILITIES.iter().enumerate();
    names.filter(|(number, _)| set >> number & 1 == 1).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_is_read_by_bit() {
        assert_eq!(named("Name:\tx\nCapEff:\t0000000000200001\n"), ["CAP_CHOWN", "CAP_SYS_ADMIN"]);
        assert_eq!(named("CapEff:\t000001ffffffffff\n").len(), CAPABILITIES.len());
        assert_eq!(named(""), [""; 0]);
    }
}
