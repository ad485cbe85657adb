//! Tests of names and their meanings.

use super::*;
use crate::model::expectation::format::read;
use crate::model::kernel::syscall::{Abi, Syscall};

const FILE: &str = "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  memory:\n    mmap:\n      arguments: [PROT_READ|PROT_EXEC]\n  \
                    network:\n    socket:\n      arguments: [AF_INET]\n      objects: [\"socket:AF_INET:SOCK_STREAM\"]\n      why: serves; REQ-12\n      \
                    owner: net team\n      seen: sometimes\n    setsockopt:\n      arguments: [SOL_SOCKET/SO_REUSEADDR]\nblind_spots: [io_uring]\nsignals: [SIGSEGV]\n";

fn explained(name: &str) -> Result<Explanation, Unknown> {
    let expectation = read(FILE.as_bytes()).expect("a good text").expectation;
    explain(name, &Kernel::of_tables(), &[Recorded { workload: "net::w", expectation: &expectation, pending: None }])
}

/// Returns the kinds of the meanings of a name, in order, each with the number of facts that use
/// it.
fn kinds_of(name: &str) -> Vec<(&'static str, usize)> {
    let kind = |meaning: &Meaning| match meaning.what {
        What::Call(_) => "call",
        What::Argument(_) => "argument",
        What::Object(_) => "object",
        What::Subsystem(_) => "subsystem",
        What::BlindSpot(_) => "blind spot",
        What::Signal(_) => "signal",
    };
    let uses = |meaning: &Meaning| meaning.used_by.iter().map(|used| used.facts.len()).sum();
    explained(name).expect(name).meanings.iter().map(|meaning| (kind(meaning), uses(meaning))).collect()
}

#[test]
fn name_has_all_its_meanings() {
    for (name, kinds) in [
        ("openat", &[("call", 0)][..]),
        ("socket", &[("call", 1)]),
        ("sys_newfstat", &[("call", 0)]),
        ("x86_64:257", &[("call", 0)]),
        ("x86_64:0x3e7", &[("call", 0)]),
        ("syscall_0x3e7", &[("call", 0)]),
        ("futex", &[("call", 0), ("subsystem", 0)]),
        ("network", &[("subsystem", 2)]),
        ("AF_INET", &[("argument", 1)]),
        ("SO_REUSEADDR", &[("argument", 1)]),
        ("SOL_SOCKET/SO_REUSEADDR", &[("argument", 1)]),
        ("SIOCGIFMTU", &[("argument", 0)]),
        ("PROT_EXEC", &[("argument", 1)]),
        ("PROT_READ|PROT_EXEC", &[("argument", 1), ("argument", 1)]),
        ("MAP_ANONYMOUS", &[("argument", 0)]),
        ("SHM_EXEC", &[("argument", 0)]),
        ("READ_IMPLIES_EXEC", &[("argument", 0)]),
        ("reserved_phase", &[("blind spot", 0)]),
        ("pipe", &[("call", 0), ("object", 0)]),
        ("file:proc", &[("object", 0)]),
        ("socket:AF_INET:SOCK_STREAM", &[("object", 1)]),
        ("io_uring", &[("subsystem", 0), ("blind spot", 1)]),
        ("ext4", &[("argument", 0)]),
        ("network::socket", &[("call", 1)]),
        ("net::w::network::socket::argument=AF_INET", &[("argument", 1), ("call", 1)]),
        ("net::w::network::socket::object=socket:AF_INET:SOCK_STREAM", &[("object", 1), ("call", 1)]),
        ("net::w::network", &[("subsystem", 2)]),
        ("net::w::blind_spots::io_uring", &[("blind spot", 1)]),
        ("SIGSEGV", &[("signal", 1)]),
        ("SIGRTMIN+2", &[("signal", 0)]),
        ("net::w::signals::SIGSEGV", &[("signal", 1)]),
        ("network::socket::argument=0xff", &[("call", 1)]),
    ] {
        assert_eq!(kinds_of(name), kinds, "{name}");
    }
}

#[test]
fn key_has_its_baselines_and_reasons() {
    let key = explained("net::w::network::socket::argument=AF_INET").expect("known").key.expect("a key");
    let [held] = &key.held[..] else { panic!("one platform") };
    assert_eq!((key.workload.as_str(), held.sometimes), ("net::w", true));
    assert_eq!((held.why.as_deref(), held.owner.as_deref()), (Some("serves; REQ-12"), Some("net team")));
    let other = explained("net::w::network::bind").expect("a call").key.expect("a key");
    assert_eq!(other.held, []);
}

#[test]
fn unknown_name_has_near_names() {
    let near = |name: &str| explained(name).expect_err(name).near;
    assert_eq!(near("opennat")[0], "openat");
    assert_eq!(near("AF_INTE")[0], "AF_INET");
    assert_eq!(near("SIOCGIFMTV")[0], "SIOCGIFMTU");
    assert_eq!(near("netwrok")[0], "network");
    assert_eq!(near("SIGSEVG")[0], "SIGSEGV");
    assert_eq!(near("net::w::netwrok")[0], "net::w::network");
    for name in ["", "qqqqqqqqqq", "file:", "char:", "ns:nothing", "syscall_", "syscall_0x", "x86_64:no", "a\u{1b}b"] {
        assert!(explained(name).is_err(), "{name:?}");
    }
}

#[test]
fn numbers_are_grouped_by_entry_point() {
    let [Meaning { what: What::Call(openat), .. }] = &explained("openat").expect("known").meanings[..] else {
        panic!("one call")
    };
    let behind: Vec<(&str, usize)> = openat
        .behind
        .iter()
        .map(|behind| (behind.entry_point.as_ref().map_or("", |entry| &*entry.name), behind.numbers.len()))
        .collect();
    assert_eq!(behind, [("sys_openat", 4), ("compat_sys_openat", 1)]);
    assert!(openat.behind[0].numbers.contains(&Syscall { abi: Abi::X86_64, number: 257 }));
    assert_eq!(openat.entry_point(Some(Abi::I386)).map(|entry| &*entry.name), Some("compat_sys_openat"));
    assert_eq!(openat.entry_point(Some(Abi::Arm)).map(|entry| &*entry.name), Some("sys_openat"));
    assert_eq!(openat.families.len(), 1);
}

/// Every name in the tables has a meaning.
#[test]
fn every_name_of_the_tables_is_known() {
    let kernel = Kernel::of_tables();
    let known = |name: &str| explain(name, &kernel, &[]).is_ok();
    for subsystem in Subsystem::ALL {
        assert!(known(subsystem.slug()), "{subsystem}");
    }
    for kind in kinds() {
        assert!(known(kind.name), "{}", kind.name);
    }
    for value in shapes().flat_map(|(_, shape)| shape.selector.values()) {
        assert!(!arguments::find(value.name).is_empty(), "{}", value.name);
    }
    for command in values::commands() {
        assert!(!arguments::find(command.name).is_empty(), "{}", command.name);
        assert!(!command.header.is_empty() && !command.why.is_empty(), "{}", command.name);
    }
}
