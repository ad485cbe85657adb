//! Tests of settings that follow from baselines.

use sysguard::unstable::model::expectation::{Expectation, format};
use sysguard::unstable::model::run::platform::Platform;

use super::*;

const HEAD: &str = "version: 2\ncommand: [demo]\n";

/// Returns the settings of a document and its baseline, as `NAME=VALUE`.
fn of_file(text: &str) -> Vec<String> {
    let expectation: Expectation = format::read(text.as_bytes()).expect(text).expectation;
    let platform = Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple");
    let source = Source::of("demo", &expectation, &platform).expect("it can be enforced");
    settings(&[source]).iter().map(|setting| format!("{}={}", setting.name, setting.value)).collect()
}

/// Returns the settings of a baseline with these subsystems.
fn of(document: &str, subsystems: &str) -> Vec<String> {
    const BASELINE: &str = "---\nplatform: x86_64-linux-gnu\nsubsystems:\n  process:\n    execve:\n      - demo file\n";
    of_file(&format!("{document}{BASELINE}{subsystems}"))
}

fn all_but(name: &str) -> Vec<String> {
    of(HEAD, "").into_iter().filter(|setting| !setting.starts_with(name)).collect()
}

#[test]
fn quiet_program_gets_every_setting() {
    assert_eq!(
        of(HEAD, ""),
        [
            "RestrictAddressFamilies=none",
            "RestrictNamespaces=yes",
            "MemoryDenyWriteExecute=yes",
            "PrivateDevices=yes",
            "NoNewPrivileges=yes"
        ]
    );
}

#[test]
fn recorded_use_widens_or_removes_its_setting() {
    for (subsystems, name, value) in [
        (
            "  network:\n    socket:\n      - AF_UNIX socket:AF_UNIX:SOCK_STREAM\n      - AF_INET socket:AF_INET:SOCK_STREAM\n",
            "RestrictAddressFamilies",
            Some("AF_INET AF_UNIX"),
        ),
        ("  network:\n    socket:\n      - socket:AF_INET:SOCK_STREAM\n", "RestrictAddressFamilies", None),
        ("  namespace:\n    unshare:\n      - CLONE_NEWUSER|CLONE_NEWNS\n", "RestrictNamespaces", Some("mnt user")),
        ("  namespace:\n    unshare:\n      - CLONE_NEWUSER|0x1\n", "RestrictNamespaces", None),
        ("  namespace:\n    setns:\n      - ns:net\n", "RestrictNamespaces", None),
        ("  memory:\n    mmap:\n      - PROT_READ|PROT_EXEC file\n", "MemoryDenyWriteExecute", Some("yes")),
        (
            "  memory:\n    mmap:\n      - PROT_READ|PROT_WRITE|PROT_EXEC|MAP_ANONYMOUS\n",
            "MemoryDenyWriteExecute",
            None,
        ),
        ("  memory:\n    mprotect:\n      - PROT_READ|PROT_EXEC\n", "MemoryDenyWriteExecute", None),
        ("  memory:\n    shmat:\n      - SHM_EXEC\n", "MemoryDenyWriteExecute", None),
        ("  device:\n    ioctl:\n      - TCGETS char:pts\n", "PrivateDevices", Some("yes")),
        ("  device:\n    openat:\n      - char:net/tun\n", "PrivateDevices", None),
        ("  block:\n    ioctl:\n      - BLKGETSIZE64 block:loop\n", "PrivateDevices", None),
        ("  filesystem:\n    getdents64:\n      - dir:devtmpfs\n", "PrivateDevices", None),
        ("  memory:\n    mmap:\n      - PROT_READ|PROT_EXEC char:zero\n", "PrivateDevices", None),
        ("  filesystem:\n    mount:\n", "PrivateDevices", None),
        ("  filesystem:\n    execveat:\n      - other file\n", "NoNewPrivileges", None),
    ] {
        let mut expected = all_but(name);
        expected.extend(value.map(|value| format!("{name}={value}")));
        let mut settings = of(HEAD, subsystems);
        settings.sort();
        expected.sort();
        assert_eq!(settings, expected, "{subsystems}");
    }
}

#[test]
fn tolerated_calls_are_not_taken_as_absent() {
    let tolerates = |rule: &str| of(&format!("{HEAD}tolerate:\n  - {{{rule}}}\n"), "");
    let names = |settings: Vec<String>| {
        settings.iter().map(|setting| setting.split('=').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(tolerates("syscall: socket")),
        ["RestrictNamespaces", "MemoryDenyWriteExecute", "NoNewPrivileges"]
    );
    assert_eq!(tolerates("signal: SIGTERM").len(), 5);
}

#[test]
fn first_version_of_baselines_proves_nothing() {
    assert_eq!(
        of_file("version: 1\ncommand: [demo]\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  process:\n    execve:\n"),
        [""; 0]
    );
}
