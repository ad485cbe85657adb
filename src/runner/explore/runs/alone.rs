//! Keeps runs from each other's addresses: a workload that binds a fixed port runs alone. Main
//! type: [`Turns`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::explore::survey::SurveyedCall;

/// How many runs may be under way at once: any number, or one.
#[derive(Debug, Default)]
pub(super) struct Turns {
    is_single: AtomicBool,
    one: Mutex<()>,
}

impl Turns {
    /// Waits until a run may begin. It ends when the result is dropped.
    pub(super) fn begin(&self) -> Option<MutexGuard<'_, ()>> {
        let is_single = self.is_single.load(Ordering::Relaxed);
        is_single.then(|| self.one.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Learns what a run did.
    pub(super) fn learn(&self, calls: &[SurveyedCall]) {
        if calls.iter().any(|call| binds_fixed_address(&call.example.call)) {
            self.is_single.store(true, Ordering::Relaxed);
        }
    }
}

/// Returns whether a decoded call binds an address that two runs cannot have at once: a port other
/// than 0, an abstract name, or a path outside of the scratch directory.
fn binds_fixed_address(call: &str) -> bool {
    let Some((_, address)) = call.strip_prefix("bind(").and_then(|arguments| arguments.split_once(", ")) else {
        return false;
    };
    let address = address.rsplit_once(')').map_or(address, |(address, _)| address);
    if address.starts_with(['@', '"']) {
        return address.starts_with('@') || address.starts_with("\"/");
    }
    let port = address.rsplit_once(':').map(|(_, port)| port);
    let has_ports = address.starts_with(|first: char| first.is_ascii_digit() || first == '[' || first == 'v');
    has_ports && port.is_some_and(|port| !matches!(port, "0" | "any"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_addresses_are_found_in_calls() {
        for (call, fixed) in [
            ("bind(3, 127.0.0.1:4433) = 0", true),
            ("bind(3, 127.0.0.1:0) = 0", false),
            ("bind(3<listening on 127.0.0.1:80>, [::1]:80) = -1 EADDRINUSE", true),
            ("bind(3, [::]:0) = 0", false),
            ("bind(3, \"/run/socket\") = 0", true),
            ("bind(3, \"$TMPDIR/socket\") = 0", false),
            ("bind(3, \"socket\") = 0", false),
            ("bind(3, @\"name\") = 0", true),
            ("bind(3, unnamed) = 0", false),
            ("bind(3, netlink:kernel) = 0", false),
            ("bind(3, vsock:any:1234) = 0", true),
            ("bind(3, vsock:any:any) = 0", false),
            ("connect(3, 127.0.0.1:4433) = 0", false),
            ("", false),
        ] {
            assert_eq!(binds_fixed_address(call), fixed, "{call}");
        }
    }

    #[test]
    fn only_runs_with_fixed_addresses_take_turns() {
        let turns = Turns::default();
        assert!(turns.begin().is_none());
        turns.is_single.store(true, Ordering::Relaxed);
        let run = turns.begin();
        assert!(run.is_some() && turns.one.try_lock().is_err());
        drop(run);
        assert!(turns.begin().is_some());
    }
}
