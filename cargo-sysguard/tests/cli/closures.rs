//! Workloads in code: closures of a harness, with and without a file.

use libtest_mimic::Trial;

use super::project::{Project, tracing};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        tracing("closures::only_what_is_inside_counts", only_what_is_inside_counts),
        tracing("closures::a_check_needs_no_file", a_check_needs_no_file),
        tracing("closures::a_phase_has_a_set_of_its_own", a_phase_has_a_set_of_its_own),
        tracing("closures::a_name_belongs_to_one", a_name_belongs_to_one),
    ]
}

/// A project whose harness has this closure, beside a workload in YAML.
fn with_closure(name: &str, body: &str) -> Project {
    let harness = format!(
        "use sysguard::Subsystem;\n\nfn main() -> std::process::ExitCode {{\n    let _before = std::fs::read_dir(\"/proc\");\n    \
         sysguard::Harness::new(env!(\"CARGO_MANIFEST_DIR\")){body}.main()\n}}\n"
    );
    Project::new(name).with_harness().expecting("plain", "command: [true]").file("tests/sysguard.rs", &harness)
}

const READS: &str = ".workload(\"net::reads\", || drop(std::fs::read(\"/proc/version\")))";
const CONNECTS: &str = ".workload(\"net::reads\", || drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")))";

fn only_what_is_inside_counts() {
    let project = with_closure("closures-inside", READS);
    project.sysguard("bless").ends(0);
    let before = project.files();
    project.sysguard("test").ends(101);
    assert_eq!(project.changed_since(&before), ["expectations/net/reads.yaml.new"]);
    let proposal = project.read("expectations/net/reads.yaml.new");
    assert!(
        proposal.starts_with("# A closure of the test `sysguard`.") && proposal.contains("\nclosure: net::reads\n")
    );
    assert!(proposal.contains("    openat:\n      objects:\n        - file:proc\n"), "{proposal}");
    for foreign in ["execve", "getdents64", "mmap", "prctl", "        - file\n"] {
        assert!(!proposal.contains(foreign), "{foreign} is not the closure's:\n{proposal}");
    }
    project.sysguard("accept net::reads").ends(0);
    project.sysguard("test").ends(0);
    let before = project.files();
    project.sysguard("bless").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0], "without the harness it is the same");

    let connecting = with_closure("closures-inside", CONNECTS).read("tests/sysguard.rs");
    project.write("tests/sysguard.rs", &connecting);
    let ran = project.sysguard("test net::").ends(101);
    assert!(ran.stdout.contains("new-subsystem network") && ran.stdout.contains("1 filtered out"), "{}", ran.stdout);
}

fn a_check_needs_no_file() {
    let check = |name: &str, judge: &str| {
        format!(".check(\"{name}\", || drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")), |seen| {judge})")
    };
    let body = check("fine", "assert!(seen.uses(Subsystem::Network) && seen.calls_of(\"socket\") == 1)")
        + &check("forbidden", "seen.forbid(Subsystem::Network)")
        + &check("too_often", "seen.at_most(\"bind\", 0)");
    let project = with_closure("closures-checks", &body);
    project.sysguard("bless").ends(0);
    let before = project.files();
    let ran = project.sysguard("test").ends(101);
    for told in [
        "test fine      ... ok",
        "{subsystem: network}: 2 calls, 0 are allowed:",
        "{syscall: bind}: 1 calls, 0 are allowed:",
        "test result: FAILED. 2 passed; 2 failed;",
    ] {
        assert!(ran.stdout.contains(told), "{told}\n{}", ran.stdout);
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("test fine").ends(0);
}

fn a_name_belongs_to_one() {
    let project = with_closure("closures-names", ".workload(\"plain\", || ()).workload(\"a b\", || ())");
    let ran = project.sysguard("test").ends(101);
    for told in ["`plain` is a closure of the test, too", "each part of its path must consist of"] {
        assert!(ran.stdout.contains(told), "{told}\n{}", ran.stdout);
    }
    let project = project.expecting("nobody", "closure: nobody");
    let ran = project.sysguard("test nobody").ends(101);
    assert!(ran.stdout.contains("no closure is named `nobody`"), "{}", ran.stdout);
}

fn a_phase_has_a_set_of_its_own() {
    let body = |serving: &str| {
        let start = "drop(std::fs::read(\"/proc/version\")); sysguard::phase(\"serving\");";
        let serve = format!("drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")); {serving}");
        format!(".workload(\"server\", || {{ {start} {serve} }})")
    };
    let project = with_closure("closures-phase", &body(""));
    project.sysguard("bless").ends(0);
    project.sysguard("test").ends(101);
    project.sysguard("accept server").ends(0);
    let file = project.read("expectations/server.yaml");
    assert!(
        file.contains(
            "phases:\n  serving:\n    filesystem:\n      - close\n      - fcntl\n    network:\n      - bind\n      - socket\n"
        ),
        "{file}"
    );
    project.sysguard("test").ends(0);

    // What start-up does, serving may not.
    let opening = with_closure("closures-phase", &body("drop(std::fs::read(\"/proc/version\"));"));
    project.write("tests/sysguard.rs", &opening.read("tests/sysguard.rs"));
    let ran = project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("new-syscall phase=serving::system::openat"), "{}", ran.stdout);
    let keys = project.sysguard("pending").ends(101).stdout;
    assert!(keys.contains("server::phase=serving::system::openat\n"), "{keys}");
    keys.lines().for_each(|key| drop(project.sysguard(&format!("accept {key}")).ends(0)));
    project.sysguard("test").ends(0);

    // What a phase holds may still be forbidden in it, and the finding says who does it.
    let forbidding = project.read("expectations/server.yaml").replacen(
        "---",
        "forbid:\n  - {phase: serving, syscall: openat}\n---",
        1,
    );
    project.write("expectations/server.yaml", &forbidding);
    let ran = project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("forbidden phase=serving::system::openat"), "{}", ran.stdout);
    assert!(ran.stdout.contains("at tests/sysguard.rs:"), "{}", ran.stdout);
    project.write("expectations/server.yaml", &forbidding.replace("serving, syscall: openat", "loader"));
    project.sysguard("test").ends(0);
}
