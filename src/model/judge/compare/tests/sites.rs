//! Findings without a call site.

use super::*;
use crate::model::facts::site::NoSite;
use crate::model::observe::call_site::Frame;
use crate::model::observe::first::First;

#[test]
fn finding_without_call_site_has_a_reason() {
    let used = |name: &str| {
        let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
        Use {
            subsystem: Subsystem::Process,
            syscall,
            argument: None,
            object: None,
            ambient: false,
            met: Default::default(),
        }
    };
    let mut seen = Observation::new();
    let mut keep = |name: &str, site: &CallSite| {
        seen.sites.add(&First { used: used(name), phase: None, of_run: true, error: None }, site);
    };
    keep("execve", &CallSite::without_frames(NoSite::Replaced));
    keep("getuid", &CallSite::default());
    let unnamed = Frame { module: "demo".to_owned(), ..Frame::default() };
    keep("getgid", &CallSite { frames: vec![unnamed.clone()], ..CallSite::default() });
    let named = Frame { function: Some("main".to_owned()), ..unnamed };
    keep("getpid", &CallSite { frames: vec![named], ..CallSite::default() });
    for (key, reason) in [
        ("process::execve", Some(NoSite::Replaced)),
        ("process::getuid", Some(NoSite::Unreadable)),
        ("process::getgid", Some(NoSite::NoSymbols)),
        ("process::getpid", None),
        ("process::fork", Some(NoSite::NotRecorded)),
        ("signals::SIGSEGV", Some(NoSite::NotACall)),
        ("blind_spots::io_uring", Some(NoSite::NotACall)),
    ] {
        let held = baseline(&["process::wait4"]);
        let comparison = compare(&document(Level::Object), Some(&held), &projection(&[key]), &seen);
        assert_eq!(comparison.findings.iter().map(Finding::site_reason).collect::<Vec<_>>(), [reason], "{key}");
    }
}
