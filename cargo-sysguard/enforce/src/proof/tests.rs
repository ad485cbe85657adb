//! Tests of the record of a proof.

use std::collections::BTreeSet;

use sysguard::unstable::model::expectation::format;
use sysguard::unstable::model::facts::example::Example;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};
use sysguard::unstable::model::run::platform::Platform;

use super::*;
use crate::policy::Options;
use crate::source::Source;

fn policy() -> Policy {
    let text = "version: 2\ncommand: [demo]\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  filesystem:\n    statx:\n      - file\n";
    let expectation = format::read(text.as_bytes()).expect("it is read").expectation;
    let platform = Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple");
    Policy::of(&[Source::of("demo", &expectation, &platform).expect("it can be enforced")], &Options::default())
}

fn trials(denied: Vec<Denied>, wrong_ends: Vec<WrongEnd>) -> Trials {
    Trials {
        workload: "demo".to_owned(),
        traced: 10,
        untraced: 10,
        busy: 10,
        contained: Err("not installed".to_owned()),
        denied,
        wrong_ends,
        programs: BTreeSet::new(),
    }
}

fn record(trials: Trials) -> ProofRecord {
    let profile = ProfileRecord {
        sha256: sha256(b"profile"),
        format: "oci".to_owned(),
        action: "enosys".to_owned(),
        arguments: false,
        runtime: Some("runc@1.3".to_owned()),
    };
    let environment = EnvironmentRecord {
        platform: "x86_64-linux-gnu".to_owned(),
        kernel: "6.18.1".to_owned(),
        libc: Some("glibc 2.36".to_owned()),
        cpus: 2,
    };
    let executable = ExecutableRecord { path: "/bin/demo".to_owned(), sha256: sha256(b"demo") };
    let files = WorkloadFiles { baseline: sha256(b"baseline"), executables: vec![executable] };
    ProofRecord::new(&policy(), profile, environment, &[(trials, files)])
}

fn denied() -> Denied {
    Denied {
        syscall: Syscall::from_name(Abi::X86_64, "socket").expect("a syscall"),
        denial: Denial::NotAllowed,
        example: Example::new("socket(AF_INET, SOCK_STREAM, 0)", None, vec!["demo".to_owned()]),
        site: Ok(Site::of_words("demo::main at src/main.rs:3".to_owned())),
        count: 12,
        runs: 3,
    }
}

#[test]
fn record_matches_its_schema() {
    let end = WrongEnd { kind: Kind::Untraced, exit: Exit::Signaled(31), runs: 2, output: String::new() };
    let record = serde_json::to_value(record(trials(vec![denied()], vec![end]))).expect("JSON");
    schema::published().holds(&record);
    assert_eq!(record["proved"], false);
    assert_eq!(record["denials"][0]["site"], "demo::main at src/main.rs:3");
    assert_eq!(record["wrong_ends"][0]["end"], "SIGSYS");
}

#[test]
fn passed_trials_are_a_proof() {
    let record = record(trials(Vec::new(), Vec::new()));
    assert!(record.proved && record.denials.is_empty());
    let added: Vec<&str> = record.additions.iter().map(|addition| addition.call.as_str()).collect();
    assert!(added.is_sorted() && added.contains(&"newfstatat") && !added.contains(&"statx"), "{added:?}");
    let newfstatat = record.additions.iter().find(|addition| addition.call == "newfstatat").expect("an addition");
    assert!(newfstatat.why[0].starts_with("instead of statx: "), "{:?}", newfstatat.why);
}

#[test]
fn digest_of_a_file_is_that_of_its_bytes() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "abc").expect("a file");
    // FIPS 180-2, appendix B.1
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256_of_file(file.path()).expect("a digest"), ABC);
    assert_eq!(sha256(b"abc"), ABC);
}
