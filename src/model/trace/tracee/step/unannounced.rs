//! Tests of children that a call returned without an announcement.

use super::tests::{NEW_PROCESS, ROOT, entry, exit, spawned, spawning, started};
use super::{Directive, Stop, Tasks};

/// Returns the hidden child that the last of these stops of the root reports.
fn hidden(mut tasks: Tasks, stops: &[Stop]) -> Option<i64> {
    stops.iter().map(|stop| tasks.step(ROOT, *stop).hidden).last().flatten()
}

#[test]
fn returned_child_without_announcement_is_hidden() {
    for (stops, expected) in [
        (&[entry("clone3"), exit(11)][..], Some(11)),
        (&[entry("clone"), exit(11)], Some(11)),
        (&[entry("clone3"), spawning(11), exit(11)], None),
        (&[entry("clone3"), exit(-11)], None),
        (&[entry("clone3"), exit(0)], None),
        (&[entry("read"), exit(11)], None),
        (&[exit(11)], None),
    ] {
        assert_eq!(hidden(started(), stops), expected, "{stops:?}");
    }
    assert_eq!(hidden(started().in_brief(), &[entry("clone3"), exit(11)]), Some(11));
    assert_eq!(hidden(started().in_brief(), &[entry("clone3"), spawning(11)]), None);
}

#[test]
fn found_child_belongs_to_its_parent() {
    let mut tasks = started();
    tasks.found(11, ROOT, true);
    let step = tasks.step(11, NEW_PROCESS);
    assert_eq!((step.directive, step.event), (Directive::Resume(0), Some(spawned(11, Some(ROOT), true))));
}
