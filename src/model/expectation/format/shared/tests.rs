//! Tests of the file that all tests of a binary share.

use super::Shared;
use crate::model::expectation::format::read;
use crate::model::expectation::terms::Baseline;
use crate::model::facts::version::Version;
use crate::model::run::workload::Program;

const FILE: &str = "\
# talks to nothing
version: 1
tests: demo::it   # all of them
forbid:
  - {subsystem: bpf}
---
platform: x86_64-linux-gnu
fingerprint:
  kernel: \"6.18\"
common:
  subsystems:
    filesystem:
      openat:
        objects:
          - file
        why: reads its fixture
tests:
  a b/é:
    subsystems:
      filesystem:
        openat:
          objects:
            - file:proc
      network:
        bind:
          seen: sometimes
  tests::plain:
";

fn shared(text: &str) -> Shared {
    Shared::read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"))
}

#[test]
fn upgraded_test_leaves_the_others_in_version_1() {
    let mut file = shared(FILE);
    let mut baseline = Baseline::new("x86_64-linux-gnu".parse().expect("a platform"));
    baseline.insert(&"filesystem::openat::O_RDWR,file".parse().expect("a fact"));
    file.insert("tests::plain", baseline.clone());
    let other = "---\nplatform: aarch64-linux-gnu # theirs\ntests:\n  tests::plain:\n";
    let mut with_other = shared(&format!("{FILE}{other}"));
    with_other.insert("tests::plain", baseline.clone());
    for upgraded in [file, with_other] {
        let text = upgraded.text();
        assert!(text.starts_with("# talks to nothing\nversion: 2\ntests: demo::it   # all of them\n"), "{text}");
        let again = shared(&text);
        assert_eq!(again.text(), text);
        let versions = |test: &str| -> Vec<Version> {
            let parsed = again.test(test);
            assert_eq!(read(parsed.text().as_bytes()).expect("a file of its own").expectation, parsed.expectation);
            parsed.expectation.baselines.iter().map(|baseline| baseline.version).collect()
        };
        assert_eq!(versions("a b/é"), [Version::One]);
        assert_eq!(versions("tests::plain").first(), Some(&Version::Two));
        let before = shared(FILE).test("a b/é").expectation.baselines;
        assert_eq!(again.test("a b/é").expectation.baselines, before, "{text}");
        assert!(!text.contains("theirs") || text.contains("---\nversion: 1\nplatform: aarch64-linux-gnu # theirs\n"));
    }
}

#[test]
fn each_test_is_an_expectation_of_its_own() {
    let shared = shared(FILE);
    assert_eq!(shared.binary(), "demo::it");
    assert_eq!(shared.tests().into_iter().collect::<Vec<_>>(), ["a b/é", "tests::plain"]);
    let parsed = shared.test("a b/é");
    assert_eq!(
        parsed.text(),
        "# talks to nothing\nversion: 1\nrun: demo::it::a b/é\nforbid:\n  - {subsystem: bpf}\n---\n\
         platform: x86_64-linux-gnu\nfingerprint:\n  kernel: \"6.18\"\nsubsystems:\n  filesystem:\n    openat:\n      \
         objects:\n        - file\n        - file:proc\n      why: reads its fixture\n  network:\n    bind:\n      \
         seen: sometimes\n"
    );
    let again = read(parsed.text().as_bytes()).expect("a file of its own");
    assert_eq!(again.expectation, parsed.expectation);
    let absent = shared.test("absent");
    assert!(absent.expectation.baselines.is_empty());
    assert_eq!(absent.expectation.document.workload.program, Program::Run("demo::it::absent".to_owned()));
    assert_eq!(absent.expectation.document.forbid, parsed.expectation.document.forbid);
}

#[test]
fn test_has_the_line_numbers_of_the_file() {
    use crate::model::attribution::Subsystem;
    let parsed = shared(FILE).test("a b/é");
    let platform = "x86_64-linux-gnu".parse().expect("a platform");
    let line = |subsystem| parsed.line(&platform, subsystem).and_then(|line| FILE.lines().nth(line - 1));
    assert_eq!(line(Some(Subsystem::Network)), Some("      network:"));
    assert_eq!(line(None), Some("  a b/é:"));
    let plain = shared(FILE).test("tests::plain");
    let line = plain.line(&platform, Some(Subsystem::Filesystem)).and_then(|line| FILE.lines().nth(line - 1));
    assert_eq!(line, Some("    filesystem:"), "the line below `common`");
}

#[test]
fn unchanged_text_is_kept_byte_for_byte() {
    let hand_made = FILE.replace("tests:\n", "tests: # by hand\n").replace('\n', "\r\n");
    for text in [FILE, hand_made.as_str(), &format!("\u{feff}{FILE}"), &FILE.replace("demo::it ", "'demo::it' ")] {
        let mut shared = shared(text);
        assert_eq!(shared.text(), text);
        for test in ["a b/é", "tests::plain"] {
            for baseline in shared.test(test).expectation.baselines {
                shared.insert(test, baseline);
            }
        }
        assert_eq!(shared.text(), text);
    }
}

#[test]
fn order_of_recording_does_not_matter() {
    let baselines: Vec<(String, Baseline)> = {
        let shared = shared(FILE);
        let of = |test: &str| shared.test(test).expectation.baselines.remove(0);
        let musl = Baseline { platform: "x86_64-linux-musl".parse().expect("a platform"), ..of("a b/é") };
        vec![("a b/é".into(), of("a b/é")), ("tests::plain".into(), of("tests::plain")), ("m".into(), musl)]
    };
    let written = |order: [usize; 3]| {
        let mut shared = Shared::of_binary("demo::it").expect("a name");
        order.into_iter().for_each(|index| shared.insert(&baselines[index].0, baselines[index].1.clone()));
        shared.text()
    };
    let text = written([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(written(order), text);
    }
    assert_eq!(shared(&text).tests().len(), 3);
}

#[test]
fn changed_test_keeps_the_first_document() {
    let mut changed = shared(FILE);
    assert!(changed.remove("tests::plain"));
    assert!(!changed.remove("tests::plain"));
    let first = FILE.split("---\n").next().expect("a first document");
    assert!(changed.text().starts_with(first));
    assert_eq!(shared(&changed.text()).test("a b/é").expectation, shared(FILE).test("a b/é").expectation);
    assert!(changed.remove("a b/é"));
    assert_eq!(changed.text(), first);
    assert!(!changed.is_bare(), "the first document was edited");
    assert!(Shared::of_binary("demo::it").expect("a name").is_bare());
}

#[test]
fn faults_have_places() {
    for (from, to, place, message) in [
        ("tests: demo::it   # all of them\n", "", "2:1", "missing `tests`: add `tests: CRATE::BINARY`"),
        ("tests: demo::it", "tests:\n  demo::it", "3:1", "on one line"),
        ("tests: demo::it   # all of them", "tests: demo::it\n  more", "3:1", "on one line"),
        ("tests: demo::it", "tests: demo::it\nrun: x", "4:1", "duplicate key `run`"),
        ("forbid:", "forbidden:", "4:1", "unknown key `forbidden`"),
        ("bpf", "bfp", "5:17", "unknown subsystem `bfp`"),
        ("common:", "commons:", "10:1", "unknown key `commons`"),
        ("  subsystems:\n    filesystem", "  subsystem:\n    filesystem", "11:3", "unknown key `subsystem`"),
        ("          seen: sometimes", "          sen: sometimes", "26:11", "unknown key `sen`"),
        ("plain:\n", "plain:\n    without:\n      - netwrok\n", "29:9", "invalid fact `netwrok`"),
        ("plain:\n", "plain:\n    without: [blind_spots::x]\n", "28:15", "`without` accepts only those"),
        ("  tests::plain:\n", "  tests::plain:\n  tests::plain:\n", "28:3", "duplicate key"),
        ("platform: x86_64-linux-gnu\n", "", "7:1", "without `platform`"),
        ("  tests::plain:\n", "---\nplatform: x86_64-linux-gnu\n", "28:11", "second baseline of"),
    ] {
        assert!(FILE.contains(from), "{from}");
        let error = Shared::read(FILE.replacen(from, to, 1).as_bytes()).expect_err(to).to_string();
        assert!(error.starts_with(&format!("{place}: ")) && error.contains(message), "{to}: {error}");
    }
}

#[test]
fn without_must_name_what_is_common() {
    let with =
        |item: &str| FILE.replace("  tests::plain:\n", &format!("  tests::plain:\n    without:\n      - {item}\n"));
    for item in ["filesystem", "filesystem::openat", "filesystem::openat::object=file"] {
        shared(&with(item));
    }
    for item in ["network", "filesystem::opneat", "filesystem::read", "filesystem::openat::object=dir"] {
        let malformed = Shared::read(with(item).as_bytes()).expect_err(item);
        let expected = format!("`without:` names `{item}`, which is not in `common`: correct or remove it");
        assert_eq!((malformed.message.as_str(), malformed.line), (expected.as_str(), 27));
    }
}

#[test]
fn common_needs_tests() {
    let (text, _) = FILE.split_once("tests:\n  a b").expect("the tests");
    let malformed = Shared::read(text.as_bytes()).expect_err("nothing that it is common to");
    assert!(malformed.message.starts_with("`common` without `tests`"), "{malformed}");
}
