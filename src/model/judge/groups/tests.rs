//! Tests of groups: causes, order, identifiers and titles.

use super::*;
use crate::model::facts::site::Site;

fn own(line: u32, callee: &str) -> Site {
    let location = CodeLocation {
        function: Some("demo::main".to_owned()),
        file: Some("src/main.rs".to_owned()),
        line: Some(line),
        module: "demo".to_owned(),
        is_own: true,
        callee: Some(callee.to_owned()),
        ..CodeLocation::default()
    };
    Site { words: format!("demo::main at src/main.rs:{line}"), location: Some(location) }
}

fn within(module: &str, package: Option<&str>) -> Site {
    let package = package.map(str::to_owned);
    let location = CodeLocation { module: module.to_owned(), package, ..CodeLocation::default() };
    Site { words: "a function".to_owned(), location: Some(location) }
}

fn finding(key: &str, site: Option<Site>, process: &[&str]) -> Finding {
    let process: Vec<String> = process.iter().map(|&command| command.to_owned()).collect();
    let example = (!process.is_empty()).then(|| Example::new("call()", None, process));
    Finding { site, example, ..Finding::new(key.parse().expect(key), 1) }
}

fn member<'a>(workload: &'a str, finding: &'a Finding) -> Member<'a> {
    Member { workload, finding, weight: Weight::of(finding) }
}

#[test]
fn cause_is_own_line_then_program_then_finding() {
    let program = |name: &str, part: Option<&str>| Cause::Program {
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        part: part.map(str::to_owned),
    };
    for (finding, cause) in [
        (finding("network::socket", Some(within("libcurl.so.4", None)), &["demo", "curl -s x"]), {
            program("curl", None)
        }),
        (
            finding("network::socket", Some(within("libcurl.so.4", None)), &["curl -s x"]),
            program("curl", Some("libcurl.so.4")),
        ),
        (finding("network::socket", Some(within("curl", None)), &["curl -s x"]), program("curl", None)),
        (finding("network::socket", Some(within("demo", Some("tokio"))), &["demo"]), program("demo", Some("tokio"))),
        (finding("network::socket", None, &["demo"]), program("demo", None)),
        (finding("network::socket", Some(within("demo", None)), &[]), program("", Some("demo"))),
        (finding("network::socket", Some(Site::of_words("f in x".to_owned())), &[]), program("", Some("f in x"))),
        (finding("network::socket", None, &[]), Cause::Unknown { key: "w::network::socket".to_owned() }),
    ] {
        assert_eq!(Cause::of("w", &finding), cause);
    }
    let cause = Cause::of("w", &finding("network::socket", Some(own(7, "f")), &["demo"]));
    assert!(matches!(cause, Cause::Line { line: Some(7), .. }), "{cause:?}");
}

#[test]
fn one_cause_in_many_workloads_is_one_group() {
    let workloads: Vec<String> = (0..107).map(|number| format!("run::demo::it::t{number}")).collect();
    let socket = finding("network::socket", Some(own(18, "std::net::TcpStream::connect")), &["demo"]);
    let subsystem = finding("network", Some(own(18, "std::net::TcpStream::connect")), &["demo"]);
    let members = workloads.iter().flat_map(|workload| [member(workload, &socket), member(workload, &subsystem)]);
    let groups = groups(members);
    let [group] = &groups[..] else { panic!("one group: {groups:?}") };
    assert_eq!((group.workloads().len(), group.members.len(), group.facts().len()), (107, 214, 2));
    assert_eq!(
        group.to_string(),
        "src/main.rs:18 demo::main → TcpStream::connect: 2 new (network::socket) in 107 tests"
    );
}

#[test]
fn heaviest_group_is_first_whatever_the_order() {
    let findings = [
        finding("filesystem::write::object=char:null", Some(own(1, "f")), &["demo"]),
        finding("network::bind::object=socket:AF_INET:SOCK_STREAM", Some(own(9, "f")), &["demo"]),
        finding("device::ioctl", Some(own(3, "f")), &["demo"]),
        finding("network::connect", Some(own(4, "f")), &["demo"]),
        finding("device::ioctl::argument=FIONBIO", Some(own(4, "f")), &["demo"]),
        finding("process", None, &["demo", "sh -c …"]),
    ];
    let titles = |findings: &[&Finding]| -> Vec<String> {
        groups(findings.iter().map(|finding| member("w", finding))).iter().map(Group::to_string).collect()
    };
    let forwards: Vec<&Finding> = findings.iter().collect();
    let backwards: Vec<&Finding> = findings.iter().rev().collect();
    let expected = [
        "demo → sh: 1 new (process)",
        "src/main.rs:4 demo::main → f: 2 new (network::connect, ioctl FIONBIO)",
        "src/main.rs:9 demo::main → f: 1 new (bind socket:AF_INET:SOCK_STREAM)",
        "src/main.rs:3 demo::main → f: 1 new (device::ioctl)",
        "src/main.rs:1 demo::main → f: 1 new (write char:null)",
    ];
    assert_eq!(titles(&forwards), expected);
    assert_eq!(titles(&backwards), expected);
}

#[test]
fn id_depends_on_the_cause_alone() {
    let at = |line, callee: &str| Cause::of("w", &finding("network::socket", Some(own(line, callee)), &["demo"])).id();
    assert_eq!(at(7, "f"), at(7, "g"));
    assert_ne!(at(7, "f"), at(8, "f"));
    assert!(Cause::is_id(&at(7, "f")) && !Cause::is_id("demo::network"), "{}", at(7, "f"));
    assert_eq!(at(7, "f").len(), 9);
    let unknown = |workload| Cause::of(workload, &finding("network::socket", None, &[])).id();
    assert_ne!(unknown("a"), unknown("b"));
    // Scripts and proposals keep identifiers.
    assert_eq!(unknown("a"), "@2b734d13");
}

#[test]
fn different_functions_of_one_dependency_are_named_by_it() {
    let place = |callees: [&str; 2]| {
        let [one, other] = callees.map(|callee| finding("network::socket", Some(own(7, callee)), &["demo"]));
        groups([member("w", &one), member("w", &other)])[0].place()
    };
    let line = |callee: &str| format!("src/main.rs:7 demo::main → {callee}");
    assert_eq!(place(["minreq 2.0.0 minreq::get", "minreq 2.0.0 minreq::send"]), line("minreq 2.0.0"));
    assert_eq!(place(["minreq 2.0.0 minreq::get", "minreq 2.0.0 minreq::get"]), line("minreq 2.0.0 minreq::get"));
    assert_eq!(place(["minreq 2.0.0 minreq::get", "other 1.0.0 other::get"]), line("minreq 2.0.0 minreq::get"));
    assert_eq!(place(["std::fs::read", "std::fs::write"]), line("fs::read"));
}

#[test]
fn functions_are_short() {
    for (function, words) in [
        ("std::process::Command::output", "Command::output"),
        ("demo::run::<alloc::string::String>", "demo::run"),
        ("demo::run<T>::inner", "demo::run::inner"),
        ("<demo::App as core::ops::drop::Drop>::drop", "<demo::App as core::ops::drop::Drop>::drop"),
        ("minreq 2.11.0 minreq::get", "minreq 2.11.0 minreq::get"),
        ("main", "main"),
    ] {
        assert_eq!(short(function), words);
    }
}
