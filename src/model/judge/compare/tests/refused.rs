//! Calls that were refused because of their fd, and what of them is news.

use super::*;

#[test]
fn a_refused_call_is_news_whole_where_its_argument_is_and_else_not_at_all() {
    let held = baseline(&["network::ioctl::argument=SIOCINQ"]);
    for (refused, findings) in [
        ("device::ioctl::argument=TCGETS", &["new-subsystem device", "new-syscall device::ioctl TCGETS"][..]),
        ("device::ioctl::argument=SIOCINQ", &[]),
        ("device::read", &["new-subsystem device", "new-syscall device::read"]),
    ] {
        let mut seen = projection(&[refused, "network::ioctl::argument=SIOCINQ"]);
        seen.refused = projection(&[refused]).facts.into_keys().collect();
        let found = compare(&document(Level::Object), Some(&held), &seen, &Observation::new());
        assert_eq!(told(&found.findings), findings, "{refused}");
    }
}
