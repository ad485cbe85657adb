//! Tests of explanations in every format.

use super::*;
use crate::model::expectation::format::read;
use crate::model::explain::{Recorded, explain};
use crate::report::schema::holds;

const FILE: &str = "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  network:\n    socket:\n      arguments: [AF_INET]\n      \
                    why: a|b <i>\n";

fn kernel() -> Kernel {
    Kernel { releases: vec!["6.12.1".to_owned(), "7.1.8".to_owned()], ..Kernel::of_tables() }
}

fn explained(name: &str) -> Explanation {
    let expectation = read(FILE.as_bytes()).expect("a good text").expectation;
    explain(name, &kernel(), &[Recorded { workload: "w", expectation: &expectation, pending: None }]).expect(name)
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("memory takes everything");
    String::from_utf8(out).expect("text")
}

#[test]
fn key_is_explained_from_its_finest_part() {
    let text = written(|out| {
        text(out, &explained("w::network::socket::argument=AF_INET"), &kernel(), None, &Palette::plain())
    });
    insta::assert_snapshot!(text, @r"
    w::network::socket::argument=AF_INET  key
      workload     w
      held by      x86_64-linux-gnu, why: a|b <i>

    AF_INET  argument
      number       2 (0x2)
      taken by     socket, socketpair
      subsystem    network, same as the call without it
      source       net/ipv4/af_inet.c
      maintained   NETWORKING [GENERAL]
      option       CONFIG_INET && CONFIG_NET
      used by      w (network::socket AF_INET)
      based on     Linux 7.1.8

    socket  system call
      numbers      x86_64 41, x32 41, riscv64 198, i386 359, aarch64 198
      entry        sys_socket in net/socket.c
      maintained   NETWORKING [SOCKETS]
      subsystem    network: by the path net/
      option       CONFIG_NET
      since        Linux 2.0, by syscalls(2) of man-pages 6.20
      family       none
      manual       socket(2)
      ambient      no
      used by      w (network::socket)
      based on     Linux 7.1.8
    ");
}

#[test]
fn signal_is_explained_with_the_level_at_which_it_fails() {
    let sheet = |name: &str| written(|out| text(out, &explained(name), &kernel(), None, &Palette::plain()));
    insta::assert_snapshot!(sheet("SIGSEGV"), @r"
    SIGSEGV  signal
      number       11
      means        an invalid memory access; ends the process with a core dump
      fails        if new, at every level: a process that it ends has crashed
      used by      no workload here
    ");
    insta::assert_snapshot!(sheet("SIGPIPE"), @r"
    SIGPIPE  signal
      number       13
      means        a write to a pipe or socket without a reader; ends the process
      fails        if new, at `level: signal`; it is a note at other levels
      used by      no workload here
    ");
}

#[test]
fn markdown_escapes_foreign_text() {
    let page = written(|out| markdown(out, &explained("w::network::socket"), &kernel(), None));
    assert!(page.starts_with("### `w::network::socket`: key\n\n| | |\n|---|---|\n| workload | w |\n"), "{page}");
    assert!(page.contains("| held by | x86\\_64-linux-gnu, why: a\\|b &lt;i&gt; |\n"), "{page}");
}

#[test]
fn record_matches_its_schema() {
    for name in [
        "w::network::socket::argument=AF_INET",
        "futex",
        "mmap",
        "SIOCGIFMTU",
        "file:proc",
        "io_uring",
        "SIGSEGV",
        "syscall_0x3e7",
    ] {
        let record: serde_json::Value =
            serde_json::from_str(&written(|out| json(out, &explained(name), &kernel(), None))).expect("JSON");
        holds("explain-1", &record);
    }
    let record: serde_json::Value =
        serde_json::from_str(&written(|out| json(out, &explained("openat"), &kernel(), Some(&ways())))).expect("JSON");
    assert_eq!(record["reach"]["reachable"][0]["way"], "main → open");
    holds("explain-1", &record);
}

fn ways() -> Ways {
    Ways {
        program: "de|mo".to_owned(),
        found: vec![("openat".to_owned(), "main → open".to_owned())],
        others: vec!["open".to_owned()],
        doubts: vec!["no upper bound: 1 site unresolved".to_owned()],
    }
}

#[test]
fn ways_in_a_program_follow_the_explanation() {
    let shown = |ways: &Ways| written(|out| text(out, &explained("openat"), &kernel(), Some(ways), &Palette::plain()));
    let sheet = "\nde|mo  program\n  reachable    openat: main → open\n  no way to    open\n  but          no upper bound: \
                 1 site unresolved\n";
    assert!(shown(&ways()).ends_with(sheet), "{}", shown(&ways()));
    for (doubts, answer) in [(vec![], "no"), (ways().doubts, "no way was found")] {
        let none = Ways { found: Vec::new(), doubts, ..ways() };
        assert!(shown(&none).contains(&format!("\n  reachable    {answer}\n")), "{}", shown(&none));
    }
    let page = written(|out| markdown(out, &explained("openat"), &kernel(), Some(&ways())));
    assert!(page.contains("### `de\\|mo`: program\n"), "{page}");
}

#[test]
fn long_line_is_wrapped() {
    let lines = wrapped(&"word ".repeat(45));
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    assert_eq!(wrapped(""), [""]);
}
