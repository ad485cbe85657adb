//! Calls that were refused because of their fd, and which of them are new.

use super::*;

#[test]
fn refused_call_is_reported_only_for_new_argument() {
    let held = baseline(&["network::ioctl::argument=SIOCINQ"]);
    for (refused, findings) in [
        ("device::ioctl::argument=TCGETS", &["new-subsystem device", "new-syscall device::ioctl TCGETS"][..]),
        ("device::ioctl::argument=SIOCINQ", &[]),
        ("device::read", &["new-subsystem device", "new-syscall device::read"]),
    ] {
        let mut seen = projection(&[refused, "network::ioctl::argument=SIOCINQ"]);
        seen.refused = projection(&[refused]).facts.into_keys().collect();
        let found = compare(&document(Level::Object), Some(&held), &seen, &Observation::new());
        assert_eq!(shown(&found.findings), findings, "{refused}");
    }
}
