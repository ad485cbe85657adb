//! Tests of what a rule matches, by its parts.

use super::*;
use crate::model::kernel::syscall::{Abi, Syscall};

fn used(abi: Abi, name: &str, argument: Option<&'static str>) -> Use {
    let syscall = Syscall::from_name(abi, name).expect(name);
    let subsystem = Subsystem::Network;
    Use {
        subsystem,
        syscall,
        argument: argument.map(Into::into),
        object: None,
        ambient: false,
        met: Default::default(),
    }
}

#[test]
fn program_is_a_glob_on_the_name_of_an_executed_program() {
    for (glob, abi, name, argument, matches) in [
        ("curl", Abi::X86_64, "execve", Some("curl"), true),
        ("curl", Abi::X86_64, "execveat", Some("curl"), true),
        ("curl", Abi::I386, "execve", Some("curl"), true),
        ("curl", Abi::X32, "execve", Some("curl"), true),
        ("curl", Abi::X86_64, "execve", Some("curly"), false),
        ("python3*", Abi::X86_64, "execve", Some("python3.11"), true),
        ("[cw]*", Abi::X86_64, "execve", Some("wget"), true),
        ("*", Abi::X86_64, "execve", Some("(temporary)"), true),
        ("(temporary)", Abi::X86_64, "execve", Some("(temporary)"), true),
        ("*", Abi::X86_64, "execve", None, false),
        ("loopback", Abi::X86_64, "connect", Some("loopback"), false),
    ] {
        let used = used(abi, name, argument);
        let rule = Rule::default().program(glob);
        assert_eq!([rule.matches(&used, None), rule.covers(&used, None)], [matches; 2], "{glob} {name} {argument:?}");
    }
}

#[test]
fn address_is_tolerated_only_with_every_class() {
    for (name, abi, argument, matches, covers) in [
        ("connect", Abi::X86_64, "global", true, true),
        ("bind", Abi::X86_64, "loopback", false, false),
        ("sendmmsg", Abi::X86_64, "loopback|global", true, false),
        ("socketcall", Abi::I386, "SYS_CONNECT/global", true, true),
        ("socketcall", Abi::I386, "SYS_SENDMMSG/loopback|global", true, false),
        ("connect", Abi::X32, "global", true, true),
        ("execve", Abi::X86_64, "global", false, false),
    ] {
        let used = used(abi, name, Some(argument));
        let rule = Rule::default().address("global");
        assert_eq!((rule.matches(&used, None), rule.covers(&used, None)), (matches, covers), "{name} {argument}");
    }
}

#[test]
fn argument_with_several_classes_is_not_tolerated_by_one() {
    let mixed = used(Abi::X86_64, "sendmmsg", Some("loopback|global"));
    let rule = Rule::from("sendmmsg").argument("loopback");
    assert!(rule.matches(&mixed, None) && !rule.covers(&mixed, None));
    let whole = Rule::from("sendmmsg").argument("loopback|global");
    assert!(whole.covers(&mixed, None));
}

#[test]
fn every_given_part_must_match() {
    let writing = used(Abi::X86_64, "openat", Some("O_WRONLY|O_CREAT"));
    let reading = used(Abi::X86_64, "openat", None);
    let rule = Rule::default().writes();
    assert!(rule.matches(&writing, None) && !rule.matches(&reading, None));
    assert!(!rule.clone().syscall("unlink").matches(&writing, None));
    assert!(!rule.clone().program("curl").matches(&writing, None));
    assert!(!rule.error("EPERM").matches(&writing, None));
}
