//! Tests on whole files: what is read, what is kept byte for byte, and how it is written.

use super::{Parsed, read, write};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::{ObjectKind, Subsystem};
use crate::model::expectation::terms::{Baseline, Document, Entry, ExploreSettings, Level, Rule};
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::{Detail, Pair};
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Abi;
use crate::model::run::platform::Platform;
use crate::model::run::workload::{Exit, Program, Stdin};
use std::time::Duration;

fn parsed(text: &str) -> Parsed {
    read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"))
}

fn platform(name: &str) -> Platform {
    name.parse().expect("a platform")
}

/// Returns the document with these keys after a minimal one.
fn document(keys: &str) -> Document {
    parsed(&format!("version: 1\ncommand: [demo]\n{keys}")).expectation.document
}

/// A file with every key.
const EXAMPLE: &str = include_str!("example.yaml");

#[test]
fn example_survives_reading_and_writing() {
    let example = parsed(EXAMPLE);
    let Document { workload, level, ignore, tolerate, forbid, ambient_strict, families_strict, explore } =
        &example.expectation.document;
    let words = ["redis-server", "--port", "0", "--save", ""].map(str::to_owned);
    assert_eq!(workload.program, Program::Command(words.to_vec()));
    assert_eq!(workload.env, [("LANG".to_owned(), "C".to_owned())].into());
    assert_eq!((&workload.stdin, &workload.cwd, workload.exit), (&Stdin::Null, &None, Exit::Exited(0)));
    assert_eq!(workload.timeout, Duration::from_secs(60));
    assert_eq!(workload.requires, ["redis-server"]);
    assert_eq!(workload.stop.map(|stop| (stop.after, stop.signal)), Some((Duration::from_secs(2), 15)));
    assert_eq!((*level, ignore, *ambient_strict, *families_strict), (Level::Object, &None, false, false));
    assert_eq!(*explore, ExploreSettings::default());
    let why = Some("the JIT asks when it has a second CPU".to_owned());
    assert_eq!(*tolerate, [Rule { syscall: Some("getrusage".to_owned()), why, ..Rule::default() }]);
    assert_eq!(*forbid, [Rule { subsystem: Some(Subsystem::Bpf), ..Rule::default() }]);

    let [baseline] = &example.expectation.baselines[..] else { panic!("one baseline") };
    assert_eq!(baseline.subsystems[&Subsystem::Filesystem]["close"], Entry::default());
    assert_eq!(example.text(), EXAMPLE);
    let afresh = Parsed { sources: Vec::new(), ..example.clone() };
    assert_eq!(write(&afresh, &example.expectation.baselines), EXAMPLE, "the example is in canonical form");
}

#[test]
fn baseline_lines_are_known() {
    let example = parsed(EXAMPLE);
    let x86_64 = platform("x86_64-linux-gnu");
    let line = |needle: &str| EXAMPLE.lines().position(|line| line == needle).map(|index| index + 1);
    assert_eq!(example.line(&x86_64, None), line("platform: x86_64-linux-gnu"));
    assert_eq!(example.line(&x86_64, Some(Subsystem::Network)), line("  network:"));
    assert_eq!(example.line(&x86_64, Some(Subsystem::Bpf)), example.line(&x86_64, None));
    assert_eq!(example.line(&platform("x86_64-linux-musl"), None), None);
}

#[test]
fn fingerprint_follows_the_platform() {
    let text = "version: 1
bin: a
---
platform: x86_64-linux-gnu
fingerprint:
  kernel: \"6.18\"
  libc: glibc 2.36
  rustc: \"1.95.0\"
  profile: dev
quiet: never
runs: 3
subsystems: {}
";
    let read = parsed(text);
    let [baseline] = &read.expectation.baselines[..] else { panic!("one baseline") };
    assert_eq!(baseline.fingerprint.parts().map(|(_, value)| value), ["6.18", "glibc 2.36", "1.95.0", "dev"].map(Some));
    assert!(baseline.never_quiet);
    assert_eq!(baseline.few_runs, Some(3));
    let afresh = Parsed { sources: Vec::new(), ..read.clone() };
    assert_eq!(write(&afresh, &read.expectation.baselines), text, "the text is in canonical form");
}

#[test]
fn first_document_is_kept_byte_for_byte() {
    let new = Baseline::new(platform("x86_64-linux-gnu"));
    let written = "---\nplatform: x86_64-linux-gnu\nsubsystems: {}\n";
    for (given, kept) in [
        ("version: 2\nbin: a # why\n\n# end\n\n", "version: 2\nbin: a # why\n\n# end\n\n"),
        ("---\n# c\nversion: 2\nbin: a\n", "---\n# c\nversion: 2\nbin: a\n"),
        ("# c\n--- # d\nversion: 2\nbin: a\n", "# c\n--- # d\nversion: 2\nbin: a\n"),
        ("version: 2\r\nbin:   a\r\n", "version: 2\r\nbin:   a\r\n"),
        ("version: 2\nbin: a", "version: 2\nbin: a\n"),
        ("version: 2\r\nbin: a", "version: 2\r\nbin: a\r\n"),
        ("\u{feff}version: 2\nbin: a\n", "\u{feff}version: 2\nbin: a\n"),
        ("version: 2\nbin: a\n...\n", "version: 2\nbin: a\n...\n"),
        ("{version: 2, bin: a}", "{version: 2, bin: a}\n"),
        (
            "version: 2\nbin: a\nstdin: |\n  =======\n  ---\n  text",
            "version: 2\nbin: a\nstdin: |\n  =======\n  ---\n  text\n",
        ),
    ] {
        let before = parsed(given);
        assert_eq!(before.text(), kept);
        let text = before.with(new.clone());
        assert_eq!(text, format!("{kept}{written}"));
        let after = parsed(&text);
        assert_eq!(after.expectation.document, before.expectation.document, "{given:?}");
        assert_eq!(after.expectation.baselines, std::slice::from_ref(&new));
    }
}

#[test]
fn only_the_changed_baseline_is_rewritten() {
    let text = "version: 2\nbin: a\n\
                ---\n# theirs\nplatform: aarch64-linux-gnu\nsubsystems: {network: {socket: [AF_INET]}}\n\
                --- # ours\nplatform: x86_64-linux-gnu\nsubsystems: {network: {socket: }}";
    let before = parsed(text);
    assert_eq!(before.text(), format!("{text}\n"));
    let ours = before.expectation.baselines[1].clone();
    assert_eq!(before.with(ours.clone()), format!("{text}\n"), "an equal baseline changes no byte");

    let mut changed = ours;
    changed.blind_spots.insert(BlindSpot::IoUring.into());
    insta::assert_snapshot!(before.with(changed), @r"
    version: 2
    bin: a
    ---
    # theirs
    platform: aarch64-linux-gnu
    subsystems: {network: {socket: [AF_INET]}}
    ---
    platform: x86_64-linux-gnu
    subsystems:
      network:
        socket:
    blind_spots:
      - io_uring
    ");
    let other = before.with(Baseline::new(platform("x86_64-linux-musl")));
    assert!(other.starts_with(text) && other.ends_with("}\n---\nplatform: x86_64-linux-musl\nsubsystems: {}\n"));
    let between = before.with(Baseline::new(platform("x86_64-linux-android")));
    let order: Vec<_> =
        parsed(&between).expectation.baselines.into_iter().map(|baseline| baseline.platform.env).collect();
    assert_eq!(order, ["gnu", "android", "gnu"], "a new baseline is inserted in the order of platforms");
    assert_eq!(write(&before, &[]), "version: 2\nbin: a\n");
}

#[test]
fn upgrade_keeps_the_baselines_of_other_platforms() {
    let text = "# mine: version: 1\nversion: 1 # the format\nbin: a\n\
                ---\n# theirs\nplatform: aarch64-linux-gnu\nsubsystems: {device: {ioctl: {arguments: [A], objects: [file]}}}\n\
                ---\nplatform: x86_64-linux-gnu\nsubsystems: {device: {ioctl: {arguments: [A], objects: [file]}}}\n";
    let before = parsed(text);
    let mut ours = Baseline::new(platform("x86_64-linux-gnu"));
    ours.insert(&"device::ioctl::A,file".parse().expect("a fact"));
    let after = before.with(ours.clone());
    insta::assert_snapshot!(after, @r"
    # mine: version: 1
    version: 2 # the format
    bin: a
    ---
    version: 1
    # theirs
    platform: aarch64-linux-gnu
    subsystems: {device: {ioctl: {arguments: [A], objects: [file]}}}
    ---
    platform: x86_64-linux-gnu
    subsystems:
      device:
        ioctl:
          - A file
    ");
    let again = parsed(&after);
    assert_eq!(again.expectation.baselines, [before.expectation.baselines[0].clone(), ours]);
    let theirs = Baseline::new(platform("aarch64-linux-gnu"));
    assert!(!again.with(theirs).contains("version: 1\nplatform"), "each platform is upgraded on its own");
}

#[test]
fn canonical_form_has_one_fact_per_line() {
    let pair = |argument: &str| Pair { argument: argument.to_owned(), object: "file".into() };
    let entry = Entry {
        arguments: ["AF_UNIX", "0x10", "pipe"].map(str::to_owned).into(),
        objects: ["socket:AF_INET:SOCK_STREAM", "file"].map(ObjectKind::from).into(),
        pairs: [pair("socket"), pair("a b")].into(),
        errors: [ErrnoName(Errno(1))].into(),
        abis: [Abi::I386].into(),
        sometimes: true,
        reasons: [(Detail::Pair(pair("socket")), "asks".to_owned())].into(),
        why: Some("two\nlines: and a #hash".to_owned()),
        owner: Some("@net-team".to_owned()),
    };
    let mut baseline = Baseline::new(platform("x86_64-linux-gnu"));
    baseline
        .subsystems
        .insert(Subsystem::Network, [("socket".to_owned(), entry), ("no".to_owned(), Entry::default())].into());
    baseline.subsystems.insert(Subsystem::Bpf, [("syscall_0x3e7".to_owned(), Entry::default())].into());
    let text = parsed("version: 1\nbin: a\n").with(baseline.clone());
    insta::assert_snapshot!(text, @r##"
    version: 2
    bin: a
    ---
    platform: x86_64-linux-gnu
    subsystems:
      bpf:
        syscall_0x3e7:
      network:
        "no":
        socket:
          uses:
            - file
            - socket:AF_INET:SOCK_STREAM
            - "0x10"
            - AF_UNIX
            - argument: a b
              object: file
            - argument: pipe
            - argument: socket
              object: file
              why: asks
          errors:
            - EPERM
          abi:
            - i386
          seen: sometimes
          why: "two\nlines: and a #hash"
          owner: "@net-team"
    "##);
    assert_eq!(parsed(&text).expectation.baselines, [baseline]);
}

#[test]
fn values_have_their_documented_meaning() {
    let command =
        |words: &str| parsed(&format!("version: 1\ncommand: {words}\n")).expectation.document.workload.program;
    let words = |words: &[&str]| Program::Command(words.iter().map(|&word| word.to_owned()).collect());
    assert_eq!(
        command("[x, 0, 0x10, 007, 1.50, no, True, \"~\", '']"),
        words(&["x", "0", "0x10", "007", "1.50", "no", "True", "~", ""])
    );
    assert_eq!(command("\n  - a b\n  - 'c'"), words(&["a b", "c"]));

    for (keys, exit) in [
        ("exit: 3", Exit::Exited(3)),
        ("exit: SIGTERM", Exit::Signaled(15)),
        ("exit: SIGRTMIN+1", Exit::Signaled(35)),
        ("exit: null", Exit::Exited(0)),
    ] {
        assert_eq!(document(keys).workload.exit, exit, "{keys}");
    }
    for (keys, stdin) in [
        ("stdin:", Stdin::Null),
        ("stdin: ''", Stdin::Text(String::new())),
        ("stdin: a b", Stdin::Text("a b".to_owned())),
        ("stdin: |\n  a\n  b", Stdin::Text("a\nb\n".to_owned())),
        ("stdin: {file: in.txt}", Stdin::File("in.txt".to_owned())),
    ] {
        assert_eq!(document(keys).workload.stdin, stdin, "{keys}");
    }
    for (keys, timeout) in
        [("timeout: 500ms", 500), ("timeout: 2m", 120_000), ("timeout: 1m 30s", 90_000), ("", 60_000)]
    {
        assert_eq!(document(keys).workload.timeout, Duration::from_millis(timeout), "{keys}");
    }
    assert_eq!(document("stop: {after: 100ms}").workload.stop.map(|stop| stop.signal), Some(15));
    assert_eq!(document("level: error\nambient: strict\nignore: slow").ignore.as_deref(), Some("slow"));
    assert!(document("ambient: strict").ambient_strict && !document("ambient:").ambient_strict);
    assert!(document("families: strict").families_strict && !document("families:").families_strict);
    assert_eq!(document("forbid: [{error: ENOTSUP}]").forbid[0].error.as_deref(), Some("EOPNOTSUPP"));
}

#[test]
fn ambiguous_yaml_is_refused() {
    // saphyr-parser reads `#` as text here, libyaml reads it as a comment.
    let malformed = read(b"|\n#\n").expect_err("no document");
    assert!(malformed.message.starts_with("ambiguous YAML"), "{malformed}");
}
