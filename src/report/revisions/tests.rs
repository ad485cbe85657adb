//! Tests of whole reports on differences.

use super::*;
use crate::model::expectation::Expectation;
use crate::model::expectation::format::read;
use crate::report::schema::holds;

fn expectation(document: &str, baseline: &str) -> Expectation {
    let text = format!("version: 1\nbin: demo\n{document}---\nplatform: x86_64-linux-gnu\nsubsystems:\n{baseline}");
    read(text.as_bytes()).expect("a good text").expectation
}

fn diffs() -> Vec<ExpectationDiff> {
    let small = expectation("", "  filesystem:\n    openat:\n    mmap:\n      arguments: [PROT_READ]\n");
    let big = expectation(
        "level: syscall\n",
        "  filesystem:\n    mmap:\n      arguments: [PROT_READ, PROT_READ|PROT_EXEC]\n  network:\n    socket:\n      arguments: [AF_INET]\n      why: serves|clients; REQ-12\n      owner: '@net'\n",
    );
    [
        ("a::changed", Some(&small), Some(&big)),
        ("b::back", Some(&big), Some(&small)),
        ("c::added", None, Some(&big)),
        ("d::removed", Some(&small), None),
    ]
    .into_iter()
    .filter_map(|(name, before, after)| {
        ExpectationDiff::between(name, &format!("expectations/{name}.yaml"), before, after)
    })
    .collect()
}

fn since() -> Base<'static> {
    Base { revision: "HEAD", traced: false, untraced: 0 }
}

fn written(write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("memory");
    String::from_utf8(out).expect("text")
}

#[test]
fn text_has_one_line_per_finding_heaviest_first() {
    insta::assert_snapshot!(written(|out| text(out, since(), &diffs(), &[], &Palette::plain())), @"
    5 new, 5 gone since HEAD
      new-subsystem   a::changed  x86_64-linux-gnu  network
      new-syscall     a::changed  x86_64-linux-gnu  network::socket                                 AF_INET  why: serves|clients; REQ-12  owner: @net
      new-syscall     b::back     x86_64-linux-gnu  filesystem::openat
      new-argument    a::changed  x86_64-linux-gnu  filesystem::mmap::argument=PROT_READ|PROT_EXEC
      new-workload    c::added    x86_64-linux-gnu                                                  filesystem, network: 2 system calls
      document        a::changed                                                                    the command or its rules differ
      document        b::back                                                                       the command or its rules differ
      gone-subsystem  b::back     x86_64-linux-gnu  network
      gone-syscall    a::changed  x86_64-linux-gnu  filesystem::openat
      gone-syscall    b::back     x86_64-linux-gnu  network::socket                                 AF_INET  why: serves|clients; REQ-12  owner: @net
      gone-argument   b::back     x86_64-linux-gnu  filesystem::mmap::argument=PROT_READ|PROT_EXEC
      gone-workload   d::removed  x86_64-linux-gnu                                                  filesystem: 2 system calls
    ");
}

#[test]
fn markdown_table_cells_may_contain_markup() {
    insta::assert_snapshot!(written(|out| markdown(out, Base { revision: "main", traced: false, untraced: 0 }, &diffs(), &[])), @r"
    ### sysguard: 5 new, 5 gone since `main`

    | finding | workload | fact | | platform |
    |---|---|---|---|---|
    | **new-subsystem** | `a::changed` | `network` |  | `x86_64-linux-gnu` |
    | new-syscall | `a::changed` | `network::socket` | `AF_INET`, why: serves\|clients; REQ-12, owner: @net | `x86_64-linux-gnu` |
    | new-syscall | `b::back` | `filesystem::openat` |  | `x86_64-linux-gnu` |
    | new-argument | `a::changed` | `filesystem::mmap::argument=PROT_READ\|PROT_EXEC` |  | `x86_64-linux-gnu` |
    | new-workload | `c::added` |  | filesystem, network: 2 system calls | `x86_64-linux-gnu` |
    | document | `a::changed` |  | the command or its rules differ |  |
    | document | `b::back` |  | the command or its rules differ |  |
    | gone-subsystem | `b::back` | `network` |  | `x86_64-linux-gnu` |
    | gone-syscall | `a::changed` | `filesystem::openat` |  | `x86_64-linux-gnu` |
    | gone-syscall | `b::back` | `network::socket` | `AF_INET`, why: serves\|clients; REQ-12, owner: @net | `x86_64-linux-gnu` |
    | gone-argument | `b::back` | `filesystem::mmap::argument=PROT_READ\|PROT_EXEC` |  | `x86_64-linux-gnu` |
    | gone-workload | `d::removed` |  | filesystem: 2 system calls | `x86_64-linux-gnu` |
    ");
}

#[test]
fn long_table_is_cut_with_a_count() {
    let findings: String = (0x1000..0x2000).map(|number| format!("    syscall_{number:#x}:\n")).collect();
    let (before, after) = (expectation("", "  none: {}\n"), expectation("", &format!("  none:\n{findings}")));
    let diff = ExpectationDiff::between("w", "w.yaml", Some(&before), Some(&after)).expect("a difference");
    let table = written(|out| {
        markdown(out, Base { revision: "main", traced: false, untraced: 0 }, std::slice::from_ref(&diff), &[])
    });
    let shown = table.lines().filter(|line| line.starts_with("| new-syscall")).count();
    let end = format!("\n… {} more lines: `cargo sysguard diff --base main`\n", 0x1000 - shown);
    assert!(shown > 500 && table.ends_with(&end), "{shown} shown: {}", &table[table.len() - 200..]);
    assert!(table.len() < 64 * 1024);
}

#[test]
fn empty_difference_is_reported() {
    assert_eq!(written(|out| text(out, since(), &[], &[], &Palette::plain())), "nothing differs since HEAD\n");
    assert_eq!(written(|out| markdown(out, since(), &[], &[])), "### sysguard: nothing differs since `HEAD`\n");
    let traced = Base { traced: true, ..since() };
    let expected = "### sysguard: nothing differs since `HEAD`, both traced on this machine\n";
    assert_eq!(written(|out| markdown(out, traced, &[], &[])), expected);
    let partly = Base { untraced: 2, ..traced };
    let expected =
        "nothing differs since HEAD, both traced on this machine, without 2 workloads that could not be traced\n";
    assert_eq!(written(|out| text(out, partly, &[], &[], &Palette::plain())), expected);
    let record: serde_json::Value = serde_json::from_str(&written(|out| json(out, since(), &[], &[]))).expect("JSON");
    assert_eq!(
        record,
        serde_json::json!({"schema": "sysguard.diff/1", "base": "HEAD", "traced": false, "workloads": [], "reach": []})
    );
}

#[test]
fn record_holds_every_finding() {
    let record: serde_json::Value =
        serde_json::from_str(&written(|out| json(out, since(), &diffs(), &reach()))).expect("JSON");
    let changed = &record["workloads"][0];
    assert_eq!((&changed["change"], &changed["document_changed"]), (&"changed".into(), &true.into()));
    assert_eq!(
        changed["baselines"][0]["new"],
        serde_json::json!([
            {"kind": "subsystem", "key": "a::changed::network", "details": []},
            {"kind": "syscall", "key": "a::changed::network::socket", "details": ["argument=AF_INET"], "why": "serves|clients; REQ-12", "owner": "@net"},
            {"kind": "argument", "key": "a::changed::filesystem::mmap::argument=PROT_READ|PROT_EXEC", "details": []},
        ])
    );
    assert_eq!(changed["baselines"][0]["gone"][0]["key"], "a::changed::filesystem::openat");
    assert_eq!(
        (&record["workloads"][2]["change"], &record["workloads"][3]["change"]),
        (&"added".into(), &"removed".into())
    );
    holds("diff-1", &record);
}

fn reach() -> Vec<ReachDiff> {
    let new = vec![("socket".to_owned(), "main → UdpSocket::bind | socket".to_owned())];
    vec![
        ReachDiff { workload: "a".to_owned(), new, gone: vec!["brk".to_owned()], is_upper_bound: true },
        ReachDiff { workload: "b".to_owned(), new: Vec::new(), gone: vec!["pipe".to_owned()], is_upper_bound: false },
    ]
}

#[test]
fn reachable_calls_follow_the_facts() {
    let traced = Base { traced: true, ..since() };
    assert_eq!(
        written(|out| text(out, traced, &[], &reach(), &Palette::plain())),
        "nothing differs since HEAD, both traced on this machine\n\
         1 syscall became reachable since HEAD, 2 no longer are\n  \
           reachable    a  socket  main → UdpSocket::bind | socket\n  \
           unreachable  a  brk\n  \
           unreachable  b  pipe    no upper bound\n"
    );
    let page = written(|out| markdown(out, traced, &[], &reach()));
    assert!(page.contains("\n#### 1 syscall became reachable since `HEAD`, 2 no longer are\n"), "{page}");
    assert!(page.contains("\n| reachable | `a` | `socket` | main → UdpSocket::bind \\| socket |\n"), "{page}");
}
