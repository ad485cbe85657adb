//! Tests of findings by cause: one screen, whole blocks, and causes that several workloads show.

use super::*;
use crate::model::facts::example::Example;
use crate::model::facts::finding::Finding;
use crate::model::facts::site::{CodeLocation, Site};

/// The lines of a screen.
const SCREEN: usize = 50;

/// Returns a call site on a line of the user's own code, below a dependency.
fn telemetry(function: &str) -> Site {
    let callee = format!("telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::{function}");
    let location = CodeLocation {
        function: Some("greeter::main".to_owned()),
        file: Some("src/main.rs".to_owned()),
        line: Some(2),
        module: "greeter".to_owned(),
        is_own: true,
        callee: Some(callee.clone()),
        ..CodeLocation::default()
    };
    Site { words: format!("{callee}, called by greeter::main at src/main.rs:2"), location: Some(location) }
}

fn found(key: &str, call: &str, process: &[&str], site: Option<Site>) -> Finding {
    let process = process.iter().map(|&command| command.to_owned()).collect();
    Finding { example: Some(Example::new(call, Some("0"), process)), site, ..finding(key, 1, &[]) }
}

/// Returns the verdict on a program with a new version of a dependency: it connects, runs a shell
/// that runs curl, reads its environment and writes below the home directory.
pub(in crate::report::verdict) fn bumped(workload: &str) -> Verdict {
    let own = |key: &str, call: &str, function: &str| found(key, call, &["greeter"], Some(telemetry(function)));
    let sh =
        |key: &str| found(key, &format!("{}()", key.rsplit("::").next().unwrap_or(key)), &["greeter", "sh -c …"], None);
    let curl = |key: &str, call: &str| found(key, call, &["greeter", "sh -c …", "curl -s http://10.9.8.7/"], None);
    let mut findings = vec![
        own("network", "socket(AF_INET, SOCK_STREAM)", "send"),
        sh("credentials"),
        curl("unix", "socket(AF_UNIX, SOCK_STREAM)"),
        own("network::connect", "connect(3, 198.51.100.7:443)", "send"),
        own("network::socket", "socket(AF_INET, SOCK_STREAM)", "send"),
        own("process::clone3", "clone3({CLONE_VM|CLONE_VFORK|SIGCHLD}, 88)", "started"),
        own("process::openat", "openat(\"/proc/self/environ\", O_RDONLY|O_CLOEXEC)", "started"),
        own("filesystem::mkdir", "mkdir(\"$HOME/.config/telemetry\", 0777)", "remember"),
        own("filesystem::write::object=file", "write(3<$HOME/.config/telemetry/id>, [7 bytes])", "remember"),
        curl("network::setsockopt", "setsockopt(5, SOL_TCP, TCP_NODELAY, [1])"),
        curl("unix::socket", "socket(AF_UNIX, SOCK_STREAM)"),
        curl("unix::connect", "connect(3, \"/var/run/nscd/socket\")"),
        curl("unix::socketpair", "socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4])"),
        curl("filesystem::lseek", "lseek(3</etc/passwd>, 0, SEEK_SET)"),
        curl("filesystem::fcntl", "fcntl(0</dev/null>, F_GETFD)"),
        curl("device::ioctl::object=char:null", "ioctl(0</dev/null>, TIOCGWINSZ)"),
    ];
    let calls =
        ["credentials::getuid", "credentials::geteuid", "credentials::getgid", "process::vfork", "process::wait4"];
    findings.extend(calls.map(sh));
    let mut verdict = failed();
    verdict.workload = workload.to_owned();
    verdict.comparison = Comparison { findings, ..Comparison::default() };
    let calls: String = (0..20).map(|number| format!("    call{number}:\n")).collect();
    if let Some(change) = &mut verdict.change {
        change.after = format!("{}  unix:\n{calls}", change.after);
    }
    verdict
}

#[test]
fn findings_of_one_change_fit_on_a_screen() {
    let text = rendered(&bumped("greeter"), &Palette::plain());
    assert!(text.lines().count() <= SCREEN, "{text}");
    insta::assert_snapshot!(text, @r#"
    greeter: 3 new subsystems, 16 new system calls, 2 new objects

    @31f81854 src/main.rs:2 greeter::main → telemetry 1.5.0 (1.4.0 when the baseline last
        changed): 7 new
      new-subsystem network
      new-syscall   network::connect   connect(3, 198.51.100.7:443) = 0
      new-syscall   network::socket    socket(AF_INET, SOCK_STREAM) = 0
      new-syscall   filesystem::mkdir  mkdir("$HOME/.config/telemetry", 0777) = 0
      new-syscall   process::clone3    clone3({CLONE_VM|CLONE_VFORK|SIGCHLD}, 88) = 0
      new-syscall   process::openat    openat("/proc/self/environ", O_RDONLY|O_CLOEXEC) = 0
      new-object    filesystem::write::object=file
        write(3<$HOME/.config/telemetry/id>, [7 bytes]) = 0
    @3813a02f greeter → sh → curl: 8 new
      in: greeter → sh -c … → curl -s http://10.9.8.7/
      new-subsystem unix
      new-syscall   network::setsockopt  setsockopt(5, SOL_TCP, TCP_NODELAY, [1]) = 0
      and 6 more: unix::connect, unix::socket, unix::socketpair, filesystem::fcntl, filesystem::lse…
    @a1f47766 greeter → sh: 6 new
      in: greeter → sh -c …
      new-subsystem credentials
      new-syscall   process::vfork        vfork() = 0
      and 4 more: process::wait4, credentials::geteuid, credentials::getgid, credentials::getuid

    --- expectations/net/hello.yaml
    +++ expectations/net/hello.yaml.new
    @@ … @@
    +  network:
    +    connect:
    +      objects:
    +        - socket:AF_INET:SOCK_STREAM
    +    socket:
    +      arguments:
    +        - AF_INET
    +      objects:
    +        - socket:AF_INET:SOCK_STREAM
    … 21 more lines (unix::call0, unix::call1, unix::call2, unix::call3, …): diff -u expectations/net/hello.yaml expectations/net/hello.yaml.new

    next:
      cargo sysguard review greeter    decide one by one
      cargo sysguard accept greeter    accept everything; writes expectations/net/hello.yaml
      cargo sysguard accept @31f81854  accept one cause, in every workload
      cargo sysguard test greeter      run it again
    "#);
}

#[test]
fn cause_that_another_workload_shows_is_one_line() {
    let mut shown = ShownGroups::default();
    let mut text = |workload: &str| {
        let mut out = Vec::new();
        verdict_with_diff(&mut out, &bumped(workload), None, &mut shown, &Palette::plain()).expect("memory");
        String::from_utf8(out).expect("text")
    };
    let first = text("one");
    insta::assert_snapshot!(text("two"), @"
    two: 3 new subsystems, 16 new system calls, 2 new objects

    @31f81854 src/main.rs:2 greeter::main → telemetry 1.5.0 (1.4.0 when the baseline last
        changed): 7 new (network::connect, network::socket, filesystem::mkdir …), as in
        one
    @3813a02f greeter → sh → curl: 8 new (network::setsockopt, unix::connect, unix::socket …), as
        in one
    @a1f47766 greeter → sh: 6 new (process::vfork, process::wait4, credentials::geteuid …), as in
        one
    ");
    assert_eq!(text("one"), first, "the text of a repeated test is whole");
    // Processes that share a run pass on what they have shown.
    let lines = shown.lines("one");
    assert_eq!((lines.lines().count(), shown.lines("two").as_str()), (3, ""), "{lines}");
    assert_eq!(ShownGroups::from_lines(&lines).lines("one"), lines);
}

#[test]
fn causes_of_several_workloads_are_listed_once() {
    let listed = |workloads: &[&str]| {
        let verdicts: Vec<Verdict> = workloads.iter().map(|workload| bumped(workload)).collect();
        let mut out = Vec::new();
        shared_causes(&mut out, &verdicts, &Palette::plain()).expect("memory");
        String::from_utf8(out).expect("text")
    };
    assert_eq!(listed(&["one"]), "");
    insta::assert_snapshot!(listed(&["run::demo::it::one", "run::demo::it::two", "run::demo::it::three"]), @"

    causes in several workloads:
      @31f81854 src/main.rs:2 greeter::main → telemetry 1.5.0 (1.4.0 when the baseline last changed): 7 new (network::connect, network::socket, filesystem::mkdir …) in 3 tests
      @3813a02f greeter → sh → curl: 8 new (network::setsockopt, unix::connect, unix::socket …) in 3 tests
      @a1f47766 greeter → sh: 6 new (process::vfork, process::wait4, credentials::geteuid …) in 3 tests
      cargo sysguard accept ID decides on one; review shows each
    ");
}

#[test]
fn source_line_is_the_location_and_the_expectation_is_related() {
    let package = PackageVerdicts {
        name: "greeter".to_owned(),
        folder: "crates/greeter".to_owned(),
        verdicts: vec![bumped("greeter")],
        sources: [("src/main.rs".to_owned(), "crates/greeter/src/main.rs".to_owned())].into(),
    };
    let written = |format: &str| {
        let mut out = Vec::new();
        let format = format.parse().expect("a format");
        verdicts(&mut out, "test", std::slice::from_ref(&package), format).expect("memory takes everything");
        String::from_utf8(out).expect("reports are text")
    };
    let log: serde_json::Value = serde_json::from_str(&written("sarif")).expect("JSON");
    let mut results = log["runs"][0]["results"].as_array().expect("results").iter();
    let connect = results.find(|result| result["properties"]["key"] == "greeter::network::connect");
    insta::assert_snapshot!(serde_json::to_string_pretty(&connect).expect("JSON"), @r##"
    {
      "level": "error",
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "crates/greeter/src/main.rs",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "startLine": 2
            }
          }
        }
      ],
      "message": {
        "text": "new system call: greeter::network::connect (by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::send, called by greeter::main at src/main.rs:2): connect(3, 198.51.100.7:443) = 0 in greeter"
      },
      "partialFingerprints": {
        "primaryLocationLineHash": "a63462d10bd84e10:1",
        "sysguard/key/v1": "greeter::network::connect"
      },
      "properties": {
        "group": "@31f81854",
        "key": "greeter::network::connect"
      },
      "relatedLocations": [
        {
          "id": 1,
          "message": {
            "text": "the baseline without it"
          },
          "physicalLocation": {
            "artifactLocation": {
              "uri": "crates/greeter/expectations/net/hello.yaml",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "snippet": {
                "text": "# greets"
              },
              "startLine": 1
            }
          }
        }
      ],
      "ruleId": "sysguard/new-syscall",
      "ruleIndex": 5
    }
    "##);
    let annotations = written("github");
    let places: Vec<&str> = annotations.lines().filter_map(|line| line.split(",title=").next()).collect();
    let expectation = "::error file=crates/greeter/expectations/net/hello.yaml,line=5";
    assert_eq!(places, ["::error file=crates/greeter/src/main.rs,line=2", expectation, expectation]);
    let page = step_summary(std::slice::from_ref(&package), 1_000_000, Some("https://example.org/me/demo/blob/0a1b"));
    assert!(page.contains("](https://example.org/me/demo/blob/0a1b/crates/greeter/src/main.rs#L2): 7 new"), "{page}");
}

#[test]
fn fact_of_several_workloads_is_one_row() {
    let verdicts = ["one", "two", "three"].map(bumped).to_vec();
    let package = PackageVerdicts { name: "demo".to_owned(), verdicts, ..PackageVerdicts::default() };
    let page = step_summary(&[package], 1_000_000, None);
    let rows: Vec<&str> = page.lines().filter(|line| line.contains("::network::connect`")).collect();
    let row = "| new system call | `one::network::connect` and 2 more | 1 | `connect(3, 198.51.100.7:443) = 0` |";
    assert_eq!(rows, [row], "{page}");
}

#[test]
fn causes_beyond_the_screen_are_named() {
    let mut verdict = failed();
    let of_line = |line: u32| {
        let mut site = telemetry("send");
        site.location.as_mut().expect("a location").line = Some(line);
        found(&format!("filesystem::call{line}"), "call()", &["greeter"], Some(site))
    };
    verdict.comparison.findings = (1..=8).map(of_line).collect();
    let text = rendered(&verdict, &Palette::plain());
    let last = text.lines().find(|line| line.starts_with("… ")).expect("a line for the rest");
    assert!(last.starts_with("… 2 more causes, 2 findings: src/main.rs:7 greeter::main → telemetry"), "{text}");
    assert!(last.ends_with('…') && last.chars().count() <= 100, "{last}");
}

#[test]
fn columns_of_one_cause_agree() {
    let of = |key: &str, call: &str| found(key, call, &["greeter"], Some(telemetry("send")));
    let mut verdict = failed();
    verdict.comparison.findings = vec![
        of("filesystem::lseek", "lseek(3</etc/passwd>, 0, SEEK_SET)"),
        of("filesystem::symlinkat", "symlinkat(\"a\", \"b\")"),
        of("filesystem::getdents64", "getdents64(3</etc>, 4096)"),
        // Too long for the column.
        of(
            "filesystem::openat::O_WRONLY|O_CREAT,file",
            "openat(\"$HOME/.cache/telemetry/id\", O_WRONLY|O_CREAT, 0600)",
        ),
        // Too long for the rest of a line.
        of("network::connect", &format!("connect(3, \"{}\")", "a".repeat(60))),
    ];
    let text = rendered(&verdict, &Palette::plain());
    insta::assert_snapshot!(text.split("\n\n").nth(1).unwrap_or_default(), @r#"
    @31f81854 src/main.rs:2 greeter::main → telemetry 1.5.0 (1.4.0 when the baseline last changed)
        telemetry::send: 5 new
      new-syscall network::connect
        connect(3, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") = 0
      new-syscall filesystem::symlinkat   symlinkat("a", "b") = 0
      new-use     filesystem::openat::O_WRONLY|O_CREAT,file
        openat("$HOME/.cache/telemetry/id", O_WRONLY|O_CREAT, 0600) = 0
      new-syscall filesystem::getdents64  getdents64(3</etc>, 4096) = 0
      new-syscall filesystem::lseek       lseek(3</etc/passwd>, 0, SEEK_SET) = 0
    "#);
}
