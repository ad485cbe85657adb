//! Every status as text and as a line of JSON.

mod grouped;
mod remarks;
mod signals;

use super::samples::{failed, finding, other_statuses, with_status};
use super::*;
use crate::model::facts::finding::Comparison;
use crate::model::judge::verdict::Change;
use crate::model::run::workload::Exit;

fn rendered(item: &Verdict, palette: &Palette) -> String {
    let mut out = Vec::new();
    verdict(&mut out, item, palette).expect("memory takes everything");
    String::from_utf8(out).expect("reports are text")
}

fn summed_up(item: &Verdict) -> String {
    let mut out = Vec::new();
    summary(&mut out, item, &Palette::plain()).expect("memory takes everything");
    String::from_utf8(out).expect("reports are text")
}

#[test]
fn failure_shows_findings_then_change_then_commands() {
    insta::assert_snapshot!(rendered(&failed(), &Palette::plain()), @r"
    net::hello: 1 new subsystem, 1 new blind spot, 2 new system calls, 1 new object

      new-subsystem  network                        2 calls
      new-blind-spot blind_spots::io_uring
      new-syscall    network::connect               1 call    socket:AF_INET:SOCK_STREAM
      new-syscall    network::socket                1 call    AF_INET socket:AF_INET:SOCK_STREAM
      new-object     filesystem::close::object=dir  12 calls

    note: new, but below the level that fails: filesystem::close::error=EBADF
    gone: in the baseline, but not seen: filesystem::readlink

    --- expectations/net/hello.yaml
    +++ expectations/net/hello.yaml.new
    @@ -7,5 +7,14 @@
       filesystem:
         close:
         readlink:
    +  network:
    +    connect:
    +      objects:
    +        - socket:AF_INET:SOCK_STREAM
    +    socket:
    +      arguments:
    +        - AF_INET
    +      objects:
    +        - socket:AF_INET:SOCK_STREAM
       process:
         execve:

    next:
      cargo sysguard review net::hello  decide one by one
      cargo sysguard accept net::hello  accept everything; writes expectations/net/hello.yaml
      cargo sysguard accept KEY         accept what is below a key, such as net::hello::network
      cargo sysguard test net::hello    run it again
    ");
}

#[test]
fn first_baseline_is_shown_in_outline() {
    let mut first = Verdict { status: Status::NoBaseline { platform: "x86_64-linux-gnu".to_owned() }, ..failed() };
    first.comparison.notes.clear();
    first.comparison.gone.clear();
    let lines: String = (0..70).map(|number| format!("    call{number}:\n")).collect();
    let proposal = Some("expectations/net/hello.yaml.new".to_owned());
    let after = format!("version: 1\n---\n{lines}");
    first.change = Some(Change { before: "version: 1\n".to_owned(), after, written: proposal, pending_dir: None });
    let text = rendered(&first, &Palette::plain());
    let cut: Vec<&str> = text.lines().filter(|line| !line.contains("    call")).collect();
    insta::assert_snapshot!(cut.join("\n"), @r"
    net::hello: no baseline for x86_64-linux-gnu yet

      new-subsystem  network                2 calls
      new-blind-spot blind_spots::io_uring
      total: 1 new subsystem, 1 new blind spot, 2 new system calls, 1 new object

    --- expectations/net/hello.yaml
    +++ expectations/net/hello.yaml.new
    @@ -1 +1,72 @@
     version: 1
    +---
    … 15 more lines: diff -u expectations/net/hello.yaml expectations/net/hello.yaml.new

    next:
      cargo sysguard review net::hello  decide one by one
      cargo sysguard accept net::hello  accept everything; writes expectations/net/hello.yaml
      cargo sysguard accept KEY         accept what is below a key, such as net::hello::network
      cargo sysguard test net::hello    run it again
    ");
}

#[test]
fn forbidden_finding_does_not_suggest_bless() {
    let mut forbidden = failed();
    forbidden.change = None;
    forbidden.comparison.findings[0].forbidden = Some("works offline".to_owned());
    forbidden.comparison.findings.truncate(3);
    insta::assert_snapshot!(rendered(&forbidden, &Palette::plain()), @r"
    net::hello: 1 forbidden use, 1 new blind spot, 1 new system call

      forbidden      network                2 calls  works offline
      new-blind-spot blind_spots::io_uring
      new-syscall    network::connect       1 call   socket:AF_INET:SOCK_STREAM

    note: new, but below the level that fails: filesystem::close::error=EBADF
    gone: in the baseline, but not seen: filesystem::readlink

    next:
      cargo sysguard test net::hello  after the workload stops doing this, or after changing `forbid:` in expectations/net/hello.yaml
    ");
}

#[test]
fn long_lists_are_cut_with_a_count() {
    let mut long = failed();
    let many =
        |count: u64| (0..count).map(|number| finding(&format!("filesystem::call{number}"), number, &[])).collect();
    long.comparison = Comparison { findings: many(43), notes: many(7), ..Comparison::default() };
    long.change = None;
    let text = rendered(&long, &Palette::plain());
    let cut: Vec<&str> = text.lines().filter(|line| !line.contains("new-syscall filesystem::call")).collect();
    insta::assert_snapshot!(cut.join("\n"), @r"
    net::hello: 43 new system calls

      … 3 more findings

    note: new, but below the level that fails: filesystem::call0, filesystem::call1, filesystem::call2, filesystem::call3, filesystem::call4 and 2 more

    next:
      cargo sysguard bless net::hello  accept everything; writes expectations/net/hello.yaml
      cargo sysguard test net::hello   run it again
    ");
}

#[test]
fn only_the_end_of_output_is_shown() {
    let output: String = (1..=25).map(|line| format!("line {line}\n")).collect();
    let text = rendered(
        &with_status(Status::WrongExit { expected: Exit::Exited(0), actual: Exit::TimedOut, output }),
        &Palette::plain(),
    );
    assert!(text.starts_with("net::hello: timed out, expected exit status 0\n"), "{text}");
    assert!(text.contains("(5 lines before)") && text.contains("| line 6\n") && !text.contains("| line 5\n"), "{text}");
}

#[test]
fn every_status_has_its_text() {
    let all: Vec<String> =
        other_statuses().into_iter().map(|status| rendered(&with_status(status), &Palette::plain())).collect();
    insta::assert_snapshot!(all.join("----\n"), @r"
    net::hello: as expected
    ----
    net::hello: blessed, nothing changed
    ----
    net::hello: no baseline for x86_64-linux-gnu yet

    next:
      cargo sysguard bless net::hello  record the first baseline; writes expectations/net/hello.yaml
    ----
    net::hello: ended with signal SIGSEGV, expected exit status 0

    output:
      | no

    next:
      cargo sysguard test net::hello  after fixing how it ends, or setting `exit:` or `cwd:` in expectations/net/hello.yaml
    ----
    net::hello: ignored, because
    ----
    net::hello: malformed expectation, expectations/net/hello.yaml:3:1: unknown key `comand`
      comand: [hello]

    next:
      cargo sysguard test net::hello  after fixing expectations/net/hello.yaml
    ----
    net::hello: not started, because
      of \u{1b}[31mthis

    next:
      cargo sysguard test net::hello  once it can be built and started
    ----
    net::hello: not traced, because
      of \u{1b}[31mthis

    next:
      cargo sysguard test net::hello  where tracing is possible
    ----
    net::hello: no verdict, because
      of \u{1b}[31mthis

    next:
      cargo sysguard test net::hello  run it again
    ");
}

#[test]
fn summary_is_one_line() {
    let mut verdicts: Vec<Verdict> = other_statuses().into_iter().map(with_status).collect();
    let passed = Verdict { status: Status::Passed, ..failed() };
    verdicts.extend([failed(), Verdict { status: Status::Blessed, ..failed() }, passed]);
    let all: Vec<String> = verdicts.iter().map(summed_up).collect();
    assert!(all.iter().all(|line| line.matches('\n').count() == 1), "{all:?}");
    insta::assert_snapshot!(all.concat(), @r"
    net::hello: as expected
    net::hello: blessed, nothing changed
    net::hello: no baseline for x86_64-linux-gnu yet
    net::hello: ended with signal SIGSEGV, expected exit status 0
    net::hello: ignored, because
    net::hello: malformed expectation, expectations/net/hello.yaml:3:1: unknown key `comand`
    net::hello: not started, because
    net::hello: not traced, because
    net::hello: no verdict, because
    net::hello: 1 new subsystem, 1 new blind spot, 2 new system calls, 1 new object
    net::hello: blessed, 1 new subsystem, 1 new blind spot, 2 new system calls, 1 new object (1 note, 1 gone)
    net::hello: as expected (1 note, 1 gone)
    ");
}

#[test]
fn colours_change_no_text() {
    let coloured = rendered(&failed(), &Palette::coloured());
    assert_ne!(coloured, rendered(&failed(), &Palette::plain()));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), rendered(&failed(), &Palette::plain()));
}

#[test]
fn every_verdict_round_trips_through_json() {
    let mut forbidden = failed();
    forbidden.comparison.findings[0].forbidden = Some("works offline".to_owned());
    let others = other_statuses().into_iter().map(with_status);
    let long = Verdict { elapsed: std::time::Duration::from_millis(61_234), ..failed() };
    for verdict in others.chain([failed(), forbidden, remarks::remarked(), long]) {
        let mut line = Vec::new();
        write_json_line(&mut line, "/w/net", &verdict).expect("memory takes everything");
        let line = String::from_utf8(line).expect("JSON is text");
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(read_json_line(&line).expect(&line), ("/w/net".to_owned(), verdict));
    }
}

#[test]
fn json_line_names_findings_by_key() {
    let mut verdict = failed();
    verdict.comparison.findings.drain(..3);
    verdict.change = Some(Change { before: "a".to_owned(), after: "b".to_owned(), ..Change::default() });
    let mut line = Vec::new();
    write_json_line(&mut line, "/w/net", &verdict).expect("memory takes everything");
    insta::assert_snapshot!(String::from_utf8(line).expect("JSON is text"), @r#"{"package":"/w/net","milliseconds":0,"verdict":{"workload":"net::hello","file":"expectations/net/hello.yaml","line":5,"status":{"kind":"failed"},"findings":[{"key":"net::hello::network::socket","kind":"new-syscall","line":5,"calls":1,"details":["argument=AF_INET","object=socket:AF_INET:SOCK_STREAM"],"forbidden":null,"kin":null,"cause":null,"group":"@20308fe9"},{"key":"net::hello::filesystem::close::object=dir","kind":"new-object","line":7,"calls":12,"details":[],"forbidden":null,"kin":null,"cause":null,"group":"@f5404b83"}],"notes":[{"key":"net::hello::filesystem::close::error=EBADF","kind":"new-error","line":7,"calls":3,"details":[],"forbidden":null,"kin":null,"cause":null,"group":"@c37b9015"}],"suspects":[],"gone":["net::hello::filesystem::readlink"],"drift":[],"growth":[],"change":{"before":"a","after":"b","written":null},"watched":{"engine":"ptrace","reason":null},"version":2}}"#);
}

#[test]
fn invalid_verdict_line_is_explained() {
    let mut line = Vec::new();
    write_json_line(&mut line, "/w/net", &failed()).expect("memory takes everything");
    let line = String::from_utf8(line).expect("JSON is text");
    let broken = |from: &str, to: &str| read_json_line(&line.replace(from, to)).expect_err(to).to_string();
    let errors = [
        broken("new-blind-spot", "new-thing"),
        broken("net::hello::network::connect", "net::hello::nowhere"),
        broken("argument=AF_INET", "AF_INET"),
        broken("\"failed\"", "\"lucky\""),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r"
    cannot read the verdict on net::hello: `new-thing` is not a kind of finding
    cannot read the verdict on net::hello: `net::hello::nowhere` is not a key of this workload
    cannot read the verdict on net::hello: `AF_INET` is not a detail
    cannot read a verdict: unknown variant `lucky`, expected one of `passed`, `blessed`, `failed`, `no_baseline`, `wrong_exit`, `ignored`, `malformed`, `not_started`, `untraceable`, `broken` at line 1 column 142
    ");
}

#[test]
fn key_is_the_same_in_every_format() {
    let packages = samples::packages();
    let compared = batch::all(&packages).filter(|(_, verdict)| verdict.status == Status::Failed);
    let keys: Vec<String> = compared
        .flat_map(|(_, verdict)| verdict.comparison.findings.iter().map(|found| found.fact.key(&verdict.workload)))
        .collect();
    assert!(keys.len() > 5);
    for format in VerdictFormat::ALL.into_iter().filter(|format| !format.is_table()) {
        let mut out = Vec::new();
        verdicts(&mut out, "test", &packages, format).expect("memory takes everything");
        let text = String::from_utf8(out).expect("reports are text");
        for key in &keys {
            assert!(text.contains(key.as_str()), "{format} has no {key}");
        }
    }
}

#[test]
fn table_shows_failures_and_ends_with_the_tally() {
    let mut out = Vec::new();
    verdicts(&mut out, "test", &samples::packages(), VerdictFormat::default()).expect("memory takes everything");
    let text = String::from_utf8(out).expect("reports are text");
    assert!(text.contains("gone: as expected (1 gone)\n"), "{text}");
    assert!(text.contains("new-syscall    network::connect"), "{text}");
    assert!(text.ends_with("\n9 of 12 workloads failed, 1 ignored\n"), "{text}");
}

#[test]
fn privileged_call_comes_first_with_its_reason() {
    let mut verdict = failed();
    let objects = ["object=file", "object=dir", "object=pipe", "object=fifo", "object=memfd", "object=char:null"];
    verdict.comparison = Comparison {
        findings: vec![
            finding("filesystem::read", 9, &objects),
            finding("process::ptrace", 1, &["argument=PTRACE_ATTACH"]),
        ],
        ..Comparison::default()
    };
    verdict.change = None;
    let text = rendered(&verdict, &Palette::plain());
    insta::assert_snapshot!(text.lines().skip(2).take(2).collect::<Vec<_>>().join("\n"), @r"
    new-syscall process::ptrace   1 call   PTRACE_ATTACH (reads or changes another process)
    new-syscall filesystem::read  9 calls  file dir pipe fifo and 2 more
    ");
}
