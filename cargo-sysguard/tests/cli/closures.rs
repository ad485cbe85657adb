//! Closures of a harness as workloads, with and without a file.

use libtest_mimic::Trial;

use super::project::{Project, tracing};

pub(crate) fn trials() -> Vec<Trial> {
    trials![closures:
        tracing only_calls_inside_the_closure_count,
        tracing check_needs_no_file,
        tracing closure_errors_and_unlisted_subsystems_fail,
        tracing flaky_check_is_a_warning,
        tracing phase_has_its_own_set,
        tracing duplicate_closure_names_are_refused,
        tracing markers_sent_by_the_closure_fail,
        tracing exit_inside_a_closure_hides_nothing,
        tracing phase_named_loader_is_reported,
    ]
}

/// Returns a project with this closure in its harness, and a workload in YAML.
fn with_closure(name: &str, body: &str) -> Project {
    let harness = format!(
        "use sysguard::Subsystem;\n\nfn main() -> std::process::ExitCode {{\n    let _before = std::fs::read_dir(\"/proc\");\n    \
         sysguard::Harness::new(env!(\"CARGO_MANIFEST_DIR\")){body}.main()\n}}\n"
    );
    Project::new(name).with_harness().expecting("plain", "command: [true]").file("tests/sysguard.rs", &harness)
}

const READS: &str = ".workload(\"net::reads\", || drop(std::fs::read(\"/proc/version\")))";
const CONNECTS: &str = ".workload(\"net::reads\", || drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")))";

fn only_calls_inside_the_closure_count() {
    let project = with_closure("closures-inside", READS);
    project.sysguard("bless").ends(0);
    let before = project.files();
    project.sysguard("test").ends(101);
    assert_eq!(project.changed_since(&before), ["expectations/net/reads.yaml.new"]);
    let proposal = project.read("expectations/net/reads.yaml.new");
    assert!(
        proposal.starts_with("# A closure of the test `sysguard`.") && proposal.contains("\nclosure: net::reads\n")
    );
    assert!(proposal.contains("    openat:\n      - file:proc\n"), "{proposal}");
    for foreign in ["execve", "getdents64", "mmap", "prctl", "        - file\n"] {
        assert!(!proposal.contains(foreign), "{foreign} is not of the closure:\n{proposal}");
    }
    project.sysguard("accept net::reads").ends(0);
    project.sysguard("test").ends(0);
    let before = project.files();
    project.sysguard("bless").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0], "bless without the harness changes nothing");

    let connecting = with_closure("closures-inside", CONNECTS).read("tests/sysguard.rs");
    project.write("tests/sysguard.rs", &connecting);
    let ran = project.sysguard("test net::").ends(101);
    assert!(ran.stdout.contains("new-subsystem network") && ran.stdout.contains("1 filtered out"), "{}", ran.stdout);
}

fn check_needs_no_file() {
    let check = |name: &str, judge: &str| {
        format!(".check(\"{name}\", || drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")), |seen| {judge})")
    };
    let body = check("fine", "assert!(seen.uses(Subsystem::Network) && seen.calls_of(\"socket\") == 1)")
        + &check("forbidden", "seen.forbid(Subsystem::Network)")
        + &check("too_often", "seen.at_most(\"bind\", 0)")
        + &check("unknown", "seen.forbid(\"sokcet\")");
    let project = with_closure("closures-checks", &body);
    project.sysguard("bless").ends(0);
    let before = project.files();
    let ran = project.sysguard("test").ends(101);
    ran.prints(&[
        "test fine      ... ok",
        "{subsystem: network}: 2 calls, 0 are allowed:",
        "{syscall: bind}: 1 calls, 0 are allowed:",
        "unknown syscall `sokcet`: did you mean `socket`?",
        "test result: FAILED. 2 passed; 3 failed;",
    ]);
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("test fine").ends(0);
}

fn duplicate_closure_names_are_refused() {
    let project = with_closure("closures-names", ".workload(\"plain\", || ()).workload(\"a b\", || ())");
    let ran = project.sysguard("test").ends(101);
    ran.prints(&["`plain` is also a closure of the test", "each part of its path must consist of"]);
    for (body, expected) in [
        (
            ".check(\"one\", || (), |_| ()).check(\"one\", || (), |_| panic!())",
            "two closures of the test are named `one`",
        ),
        (".check(\"one\", || (), |_| ()).workload(\"one\", || ())", "two closures of the test are named `one`"),
        (".check(\"plain\", || (), |_| panic!())", "`plain` is also a check of the test"),
    ] {
        project.write("tests/sysguard.rs", &with_closure("closures-names", body).read("tests/sysguard.rs"));
        let ran = project.sysguard("test").ends(101);
        assert!(ran.stderr.contains(expected), "{expected}: {}", ran.stderr);
    }
    project.write("tests/sysguard.rs", &with_closure("closures-names", "").read("tests/sysguard.rs"));
    let project = project.expecting("nobody", "closure: nobody");
    let ran = project.sysguard("test nobody").ends(101);
    assert!(ran.stdout.contains("no closure is named `nobody`"), "{}", ran.stdout);
}

fn closure_errors_and_unlisted_subsystems_fail() {
    let body = ".check(\"listed\", || std::fs::read(\"/dev/null\").map(drop), \
                |seen| seen.only([Subsystem::Filesystem, Subsystem::Device]))
        .check(\"unlisted\", || std::net::UdpSocket::bind(\"127.0.0.1:0\").map(drop), \
                |seen| seen.only([Subsystem::Filesystem]))
        .check(\"failing\", || std::fs::read(\"/no/such/file\").map(drop), |_| ())";
    let project = with_closure("closures-only", body);
    project.sysguard("bless").ends(0);
    let ran = project.sysguard("test").ends(101);
    ran.prints(&[
        "test listed   ... ok",
        "only {subsystem: filesystem} is allowed:",
        "{subsystem: network, syscall: bind",
        "test failing  ... FAILED",
        "expected exit status 0",
        "test result: FAILED. 2 passed; 2 failed;",
    ]);
}

fn flaky_check_is_a_warning() {
    let body = ".check(\"flaky\", || {
            let flag = concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/flag\");
            if !std::path::Path::new(flag).exists() {
                std::fs::write(flag, \"\").expect(\"a file\");
                drop(std::net::UdpSocket::bind(\"127.0.0.1:0\"));
            }
        }, |seen| seen.forbid(Subsystem::Network))";
    let project = with_closure("closures-flaky", body);
    project.sysguard("bless").ends(0);
    let ran = project.sysguard("test").ends(0);
    assert!(ran.stderr.contains("warning: flaky: failed in 1 of 2 runs: {subsystem: network}"), "{}", ran.stderr);
}

fn phase_has_its_own_set() {
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

    // Calls of the start-up are new in the phase `serving`.
    let opening = with_closure("closures-phase", &body("drop(std::fs::read(\"/proc/version\"));"));
    project.write("tests/sysguard.rs", &opening.read("tests/sysguard.rs"));
    let ran = project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("new-syscall phase=serving::system::openat"), "{}", ran.stdout);
    let keys = project.sysguard("pending").ends(101).stdout;
    assert!(keys.contains("server::phase=serving::system::openat\n"), "{keys}");
    keys.lines().for_each(|key| drop(project.sysguard(&format!("accept {key}")).ends(0)));
    project.sysguard("test").ends(0);

    // A recorded call of a phase may be forbidden, and the finding has its call site.
    let forbidding = project.read("expectations/server.yaml").replacen(
        "---",
        "forbid:\n  - {phase: serving, syscall: openat}\n---",
        1,
    );
    project.write("expectations/server.yaml", &forbidding);
    let ran = project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("forbidden phase=serving::system::openat"), "{}", ran.stdout);
    assert!(ran.stdout.contains(" tests/sysguard.rs:"), "{}", ran.stdout);
    project.write("expectations/server.yaml", &forbidding.replace("serving, syscall: openat", "loader"));
    project.sysguard("test").ends(0);
}

/// Sends a marker, as any code can: 1 enters, 2 leaves.
const SAYS: &str =
    "fn say(kind: u64) { let _ = unsafe { libc::syscall(libc::SYS_prctl, 0x5359_5347_u64, kind, 0, 0, 0) }; }\n";

/// Returns a project with checks that run these bodies and forbid the network.
fn offline(name: &str, checks: &[(&str, &str)]) -> Project {
    let checks = checks
        .iter()
        .map(|(name, body)| format!(".check(\"{name}\", || {{ {body} }}, |seen| seen.forbid(Subsystem::Network))"));
    let project = with_closure(name, &checks.collect::<String>());
    let harness = format!("{SAYS}const BIND: fn() = || drop(std::net::UdpSocket::bind(\"127.0.0.1:0\"));\n");
    let manifest = project.read("Cargo.toml").replace("[dev-dependencies]\n", "[dev-dependencies]\nlibc = \"0.2\"\n");
    project.write("tests/sysguard.rs", &format!("{harness}{}", project.read("tests/sysguard.rs")));
    project.write("Cargo.toml", &manifest);
    project
}

fn markers_sent_by_the_closure_fail() {
    let checks = [
        ("leaves_and_enters", "say(2); BIND(); say(1);"),
        ("leaves_and_exits", "say(2); BIND(); std::process::exit(0);"),
        ("leaves", "say(2);"),
        ("enters", "say(1);"),
        ("by_thread", "std::thread::spawn(|| say(2)).join().unwrap(); BIND();"),
    ];
    let project = offline("closures-markers", &checks);
    project.sysguard("bless").ends(0);
    let ran = project.sysguard("test").ends(101);
    for (name, _) in checks {
        assert!(ran.stdout.contains(&format!("test {name:<17} ... FAILED")), "{name}\n{}", ran.stdout);
    }
    ran.prints(&[
        "a closure was left by a marker that is not the harness's",
        "a closure was entered more than once",
        "a thread or child process sent the marker of a closure",
        "only the harness may send these markers (prctl 0x53595347 with 1 or 2)",
    ]);
}

fn exit_inside_a_closure_hides_nothing() {
    let spawn = "std::process::Command::new(\"perl\").args([\"-MSocket\", \"-e\", \
                 \"select undef, undef, undef, 0.2; socket S, AF_INET, SOCK_DGRAM, 0\"]).spawn().map(drop).unwrap();";
    let execute = "use std::os::unix::process::CommandExt as _; drop(std::process::Command::new(\"perl\")\
                   .args([\"-MSocket\", \"-e\", \"socket S, AF_INET, SOCK_DGRAM, 0\"]).exec());";
    let checks = [
        ("exits", "BIND(); std::process::exit(0);"),
        ("executes", execute),
        ("outlives", spawn),
        ("aborts", "std::process::abort();"),
        ("panics", "panic!();"),
    ];
    let project = offline("closures-ends", &checks);
    project.sysguard("bless").ends(0);
    let ran = project.sysguard("test").ends(101);
    for (name, _) in checks {
        assert!(ran.stdout.contains(&format!("test {name:<8} ... FAILED")), "{name}\n{}", ran.stdout);
    }
    for expected in ["{subsystem: network}: 2 calls", "{subsystem: network}: 1 calls", "SIGABRT", "exit status 101"] {
        assert!(ran.stdout.contains(expected), "{expected}\n{}", ran.stdout);
    }
    // The process ends before it enters the closure.
    let ending = "if std::env::var_os(\"SYSGUARD_CLOSURE\").is_some() { std::process::exit(0) } let _before";
    let harness = project.read("tests/sysguard.rs").replacen("let _before", ending, 1);
    project.write("tests/sysguard.rs", &harness);
    let ran = project.sysguard("test exits").ends(101);
    assert!(ran.stdout.contains("the test ended before its closure was entered"), "{}", ran.stdout);
}

fn phase_named_loader_is_reported() {
    let body = |phase: &str| {
        format!(".workload(\"server\", || {{ {phase} drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")); }})")
    };
    let project = with_closure("closures-loader", &body(""));
    project.sysguard("bless").ends(0);
    project.sysguard("test").ends(101);
    project.sysguard("accept server").ends(0);
    let rule = "tolerate:\n  - {phase: loader, why: not ours}\n---";
    let file = project.read("expectations/server.yaml").replacen("---", rule, 1);
    project.write("expectations/server.yaml", &file);
    project.sysguard("test").ends(0);
    let reading = "sysguard::phase(\"loader\"); drop(std::fs::read(\"/proc/version\"));";
    let forging = with_closure("closures-loader", &body(reading)).read("tests/sysguard.rs");
    project.write("tests/sysguard.rs", &forging);
    let ran = project.sysguard("test").ends(101);
    for expected in ["new-blind-spot blind_spots::reserved_phase", "system::openat "] {
        assert!(ran.stdout.contains(expected), "{expected}\n{}", ran.stdout);
    }
}
