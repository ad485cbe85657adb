//! Whole files: the contract's example, what is kept of a file, and every way to be malformed.

use super::read;
use crate::model::attribution::Subsystem;

/// The contract's example, to the letter.
const EXAMPLE: &str = r#"# why this workload matters; comments here are yours and are kept
version: 1
command: [redis-server, --port, "0", --save, ""]   # or  bin: NAME | example: NAME | test: NAME   (built by cargo first)
args: []              # for bin/example/test
env: {LANG: C}        # the environment is built, not inherited: a fixed minimum plus this
stdin: null           # text, or {file: PATH}
cwd: null             # default: a fresh temporary directory, removed afterwards
timeout: 60s
requires: [redis-server]      # absent: ignored with the reason (fails under SYSGUARD_REQUIRE=1)
stop: {after: 2s, signal: SIGTERM}    # for a server: how it ends
level: object         # what fails: subsystem | syscall | argument | object (default) | error, each with all before it
ignore: null          # a reason: runs only with --ignored / --include-ignored
exit: 0               # the status or signal of a good run (with stop: its signal is fine too); any other is a failure of its own, and bless refuses
tolerate:             # never a finding
  - {syscall: getrusage, why: the JIT asks when it has a second CPU}
forbid:               # fails at once, whatever the baseline holds
  - {subsystem: bpf}
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    close:
    openat:
      objects:
        - file
        - file:proc
  network:
    socket:
      arguments:
        - AF_INET
      why: serves clients; REQ-12
blind_spots:
  - io_uring
"#;

#[test]
fn print_malformed() {
    let _ = Subsystem::None;
    println!("{:#?}", read(EXAMPLE.as_bytes()));
    let nested = format!("version: 1\nbin: x\nargs: {}x{}\n", "[".repeat(70), "]".repeat(70));
    let doc = |s: &str| format!("version: 1\nbin: demo\n{s}");
    let base = |s: &str| format!("version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\n{s}");
    let cases: Vec<String> = vec![
        "".into(),
        "\n\n# c\n".into(),
        "---\n---\n".into(),
        "version: 2\nfoo: 1\n".into(),
        "version: one\n".into(),
        "version: 0\n".into(),
        "bin: x\n".into(),
        "versoin: 1\nbin: x\n".into(),
        "version: 1\n".into(),
        "version: 1\nbin: a\ncommand: [b]\n".into(),
        "- a\n".into(),
        "hello\n".into(),
        "version: 1\ncommand: ls -l\n".into(),
        "version: 1\ncommand: []\n".into(),
        "version: 1\ncommand: [\"\"]\n".into(),
        "version: 1\ncommand: [a, null]\n".into(),
        "version: 1\ncommand: [a, {b: c}]\n".into(),
        "version: 1\nbin: [a]\n".into(),
        "version: 1\nbin: \"\"\n".into(),
        doc("timout: 5s\n"),
        doc("timeout: 5\n"),
        doc("timeout: 0s\n"),
        doc("timeout: 5 parsecs\n"),
        doc("timeout: {a: b}\n"),
        doc("stop: 2s\n"),
        doc("stop: {afte: 2s}\n"),
        doc("stop: {signal: SIGTERM}\n"),
        doc("stop: {after: 2s, signal: SIGTRM}\n"),
        doc("stop:\n  after: 2s\n  signal: TERM\n"),
        doc("stdin: 5\n"),
        doc("stdin: {fiel: x}\n"),
        doc("stdin: {}\n"),
        doc("stdin: [x]\n"),
        doc("exit: 256\n"),
        doc("exit: -1\n"),
        doc("exit: SIGTREM\n"),
        doc("exit: ok\n"),
        doc("level: objects\n"),
        doc("level: deep\n"),
        doc("ambient: loose\n"),
        doc("tolerate: {syscall: a}\n"),
        doc("tolerate: [getrusage]\n"),
        doc("tolerate:\n  - {why: x}\n"),
        doc("tolerate:\n  - {syscal: x}\n"),
        doc("forbid:\n  - {subsystem: bfp}\n"),
        doc("forbid:\n  - {error: ENOET}\n"),
        doc("forbid:\n  - {syscall: 'open at'}\n"),
        doc("forbid:\n  - \n"),
        doc("env: [a]\n"),
        doc("env: {A: }\n"),
        doc("env: {'': x}\n"),
        doc("env: {A: [x]}\n"),
        doc("env: {? [a] : x}\n"),
        doc("bin: x\n"),
        doc("env:\n  A: 1\n  A: 2\n"),
        doc("args: &a [x]\n"),
        doc("args: *a\n"),
        doc("args: !!seq [x]\n"),
        doc("cwd: !x y\n"),
        nested,
        doc("args: [x\n"),
        doc("args: 'x\n"),
        doc("\targs: [x]\n"),
        doc("  args: [x]\n"),
        doc("args: [x]]\n"),
        doc("@x: y\n"),
        doc("<<<<<<< HEAD\nlevel: error\n=======\nlevel: object\n>>>>>>> b\n"),
        doc(">>>>>>> b\n"),
        doc("=======\n"),
        doc("%YAML 1.1\n"),
        "%YAML 1.2\n---\nversion: 1\n".into(),
        doc("args: [a\rb]\n"),
        doc("args: [\u{1}]\n"),
        doc("args: [\"\\0\"]\n"),
        doc("# \u{2028}x\n"),
        doc("...\nfoo: bar\n"),
        doc("...\n"),
        doc("---\n"),
        doc("---\nfoo\n"),
        doc("---\nsubsystems: {}\n"),
        doc("--- platform: x\n"),
        base("subsystem: {}\n"),
        base("subsystems:\n  filesytem:\n    close:\n"),
        base("subsystems:\n  filesystem:\n    close: yes\n"),
        base("subsystems:\n  filesystem:\n    close:\n      object: [x]\n"),
        base("subsystems:\n  filesystem:\n    close:\n      objects: x\n"),
        base("subsystems:\n  filesystem:\n    close:\n      seen: often\n"),
        base("subsystems:\n  filesystem:\n    close:\n      errors: [EFOO]\n"),
        base("subsystems:\n  filesystem:\n    close:\n      abi: [i368]\n"),
        base("subsystems: [a]\n"),
        base("subsystems:\n  filesystem: close\n"),
        base("blind_spots: io_uring\n"),
        base("blind_spots: ['']\n"),
        base("---\nplatform: x86_64-linux-gnu\n"),
        "version: 1\nbin: x\n---\nplatform: linux\n".into(),
        "version: 1\nbin: x\n---\nplatform:\n".into(),
        base("fingerprint: x\n"),
        base("subsystems:\n  filesystem:\n    close:\n    close:\n"),
        base("subsystems:\n  filesystem:\n    'a b':\n"),
        doc("? a\n: b\n"),
        doc("~: a\n"),
        doc("<<: {a: b}\n"),
        doc("exit: [0]\n"),
        doc("exit: 0\n  level: x\n"),
    ];
    for case in cases {
        match read(case.as_bytes()) {
            Ok(_) => println!("OK!!! {case:?}\n"),
            Err(m) => println!("{case:.200?}\n    {}:{} {}   | {}\n", m.line, m.column, m.message, m.excerpt),
        }
    }
}
