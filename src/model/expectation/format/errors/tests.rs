//! Tests of `explore:` and `errors:` in whole files.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::attribution::Subsystem;
use crate::model::expectation::format::{Parsed, Shared, read};
use crate::model::expectation::terms::{ErrorPaths, ExploreSettings, Explored, OutcomeRule};
use crate::model::expectation::{Baseline, Recorded, Unseen, record};
use crate::model::facts::error_path::{FaultName, RunOutcome};
use crate::model::facts::fingerprint::Fingerprint;

const FILE: &str = "version: 2
bin: demo
explore:
  budget: 2m
  forbid: [silent, hang]
  except:
    - {syscall: rt_sigaction, error: EINVAL, outcome: silent, why: \"it is not needed\"}
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    openat:
      - O_WRONLY|O_CREAT file
errors:
  budget: 2m
  tried: 612
  reachable: 718
  uses:
    filesystem:
      unlink:
        - file
    signal:
      tgkill:
  blind_spots:
    - io_uring
  signals:
    - SIGSEGV
  outcomes:
    silent:
      - openat O_WRONLY|O_CREAT EACCES
      - read short
    panic:
      - write EIO
      - write ENOSPC
";

fn parsed(text: &str) -> Parsed {
    read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"))
}

#[test]
fn settings_are_read() {
    let document = parsed(FILE).expectation.document;
    let exception = OutcomeRule {
        syscall: Some("rt_sigaction".to_owned()),
        argument: None,
        error: FaultName::from_name("EINVAL"),
        outcome: Some(RunOutcome::Silent),
        why: Some("it is not needed".to_owned()),
    };
    let forbid = [RunOutcome::Silent, RunOutcome::Hang].into();
    let budget = Some(Duration::from_secs(120));
    assert_eq!(document.explore, ExploreSettings { budget, forbid, except: vec![exception] });
    let nothing = parsed("version: 2\nbin: a\nexplore:\n").expectation.document.explore;
    assert_eq!(nothing, ExploreSettings::default());
}

#[test]
fn recorded_error_paths_are_read_and_apart_from_the_baseline() {
    let expectation = parsed(FILE).expectation;
    let [baseline] = &expectation.baselines[..] else { panic!("one baseline") };
    let errors = baseline.errors.as_ref().expect("error paths");
    let explored = Explored { budget: Duration::from_secs(120), tried: 612, reachable: 718 };
    assert_eq!(errors.explored, Some(explored));
    assert!(errors.holds(&"read short".parse().expect("a call"), RunOutcome::Silent));
    assert!(!errors.holds(&"read short".parse().expect("a call"), RunOutcome::Panic));
    let keys: Vec<String> = errors.expected().iter().map(ToString::to_string).collect();
    assert!(keys.contains(&"filesystem::unlink::object=file".to_owned()), "{keys:?}");
    let success: Vec<String> = baseline.expected().iter().map(ToString::to_string).collect();
    assert!(!success.iter().any(|key| key.contains("unlink") || key.contains("SIGSEGV")), "{success:?}");
}

#[test]
fn canonical_text_is_written_again() {
    let read = parsed(FILE);
    let mut changed = read.expectation.baselines[0].clone();
    changed.never_quiet = true;
    let text = read.with(changed.clone());
    assert_eq!(
        text,
        FILE.replace("subsystems:\n  filesystem:\n    openat", "quiet: never\nsubsystems:\n  filesystem:\n    openat")
    );
    changed.errors = Some(ErrorPaths::default());
    let text = read.with(changed.clone());
    assert!(text.ends_with("file\nerrors: {}\n"), "{text}");
    assert_eq!(parsed(&text).expectation.baselines, [changed]);
}

#[test]
fn recording_keeps_error_paths_byte_for_byte() {
    let read = parsed(FILE);
    let old = &read.expectation.baselines[0];
    let facts = ["filesystem", "filesystem::openat", "filesystem::link"].map(|key| key.parse().expect(key));
    let recorded = Recorded {
        platform: old.platform.clone(),
        fingerprint: Fingerprint::default(),
        never_quiet: false,
        runs: vec![facts.into()],
    };
    let errors = |text: &str| text[text.find("errors:\n").expect("error paths")..].to_owned();
    for unseen in [Unseen::Keep, Unseen::Prune] {
        let text = read.with(record(Some(old), &recorded, unseen));
        assert!(text.contains("    link:\n"), "{text}");
        assert_eq!(errors(&text), errors(FILE));
    }
}

#[test]
fn shared_file_keeps_the_error_paths_of_each_test() {
    let baseline = parsed(FILE).expectation.baselines[0].clone();
    let other = Baseline { errors: None, ..baseline.clone() };
    let tests: BTreeMap<&str, &Baseline> = [("one", &baseline), ("other", &other), ("third", &other)].into();
    let mut shared = Shared::of_binary("demo::it").expect("a name");
    tests.iter().for_each(|(test, baseline)| shared.insert(test, (*baseline).clone()));
    let text = shared.text();
    assert_eq!(text.matches("errors:").count(), 1, "{text}");
    let again = Shared::read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"));
    for (test, baseline) in tests {
        assert_eq!(again.test(test).expectation.baselines, std::slice::from_ref(baseline));
    }
}

#[test]
fn older_baseline_holds_error_paths_in_its_own_syntax() {
    let text = "version: 1\nbin: a\n---\nplatform: x86_64-linux-gnu\nsubsystems: {}\nerrors:\n  uses:\n    network:\n      \
                socket:\n        arguments:\n          - AF_INET\n";
    let read = parsed(text);
    let mut changed = read.expectation.baselines[0].clone();
    let errors = changed.errors.as_mut().expect("error paths");
    assert!(errors.uses[&Subsystem::Network]["socket"].arguments.contains("AF_INET"));
    errors.outcomes.entry(RunOutcome::Hang).or_default().insert("poll EINTR".parse().expect("a call"));
    assert_eq!(read.with(changed), format!("{text}  outcomes:\n    hang:\n      - poll EINTR\n"));
}
