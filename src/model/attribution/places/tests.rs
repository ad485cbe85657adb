//! Tests of where calls led: argument first, then object, then entry point.

use super::*;
use crate::model::attribution::entry_points::facts;
use crate::model::kernel::syscall::{Abi, Syscall};

fn place_of(call: &str, argument: &str, object: &str) -> Reached {
    let entry = Syscall::from_name(Abi::X86_64, call).and_then(facts);
    let given = |text| Some(text).filter(|text: &&str| !text.is_empty());
    reached(entry, call, given(argument), given(object).map(ObjectClass::parse)).expect(call)
}

#[test]
fn places_are_sorted_and_complete() {
    assert!(table::PLACES.is_sorted_by(|a, b| a.source < b.source));
    for place in &table::PLACES {
        assert!(!place.section.is_empty() && place.section != "THE REST", "{place:?}");
    }
}

#[test]
fn every_source_of_an_argument_has_a_place() {
    let commands = values::commands().iter().map(|command| command.source);
    let options = values::options().map(|(_, option)| option.source);
    let others = crate::model::attribution::calls::shapes().flat_map(|(_, shape)| shape.selector.values());
    for source in commands.chain(options).chain(others.map(|value| value.source)).filter(|source| !source.is_empty()) {
        assert!(place(source).is_some(), "{source}");
    }
}

#[test]
fn argument_decides_before_object_before_entry_point() {
    for (call, argument, object, section, config) in [
        ("ioctl", "SIOCGIFMTU", "socket:AF_INET:SOCK_DGRAM", "NETWORKING [GENERAL]", Some("CONFIG_NET")),
        ("ioctl", "SIOCGIFMTU", "", "NETWORKING [GENERAL]", Some("CONFIG_NET")),
        (
            "ioctl",
            "SIOCGIFADDR",
            "socket:AF_INET:SOCK_DGRAM",
            "NETWORKING [GENERAL]",
            Some("CONFIG_INET && CONFIG_NET"),
        ),
        ("ioctl", "KVM_RUN", "anon_inode:kvm-vcpu", "KERNEL VIRTUAL MACHINE (KVM)", None),
        ("ioctl", "FIONREAD", "pipe", "FILESYSTEMS (VFS and infrastructure)", None),
        (
            "ioctl",
            "0xdead",
            "socket:AF_UNIX:SOCK_STREAM",
            "NETWORKING [UNIX SOCKETS]",
            Some("CONFIG_NET && CONFIG_UNIX"),
        ),
        ("ioctl", "0xdead", "", "FILESYSTEMS (VFS and infrastructure)", None),
        ("read", "", "file:proc", "PROC FILESYSTEM", Some("CONFIG_PROC_FS")),
        ("read", "", "", "FILESYSTEMS (VFS and infrastructure)", None),
        ("read", "", "file", "FILESYSTEMS (VFS and infrastructure)", None),
        ("close", "", "file:proc", "FILESYSTEMS (VFS and infrastructure)", None),
        ("connect", "", "socket:AF_INET:SOCK_STREAM", "NETWORKING [GENERAL]", Some("CONFIG_INET && CONFIG_NET")),
        ("connect", "", "socket:AF_UNIX:SOCK_STREAM", "NETWORKING [UNIX SOCKETS]", Some("CONFIG_NET && CONFIG_UNIX")),
        ("socket", "AF_UNIX", "", "NETWORKING [UNIX SOCKETS]", Some("CONFIG_NET && CONFIG_UNIX")),
        (
            "setsockopt",
            "SOL_TCP/TCP_NODELAY",
            "socket:AF_INET:SOCK_STREAM",
            "NETWORKING [TCP]",
            Some("CONFIG_INET && CONFIG_NET"),
        ),
        ("mount", "ext4", "", "EXT4 FILE SYSTEM", Some("CONFIG_EXT4_FS")),
        ("write", "", "anon_inode:eventfd", "FILESYSTEMS (VFS and infrastructure)", Some("CONFIG_EVENTFD")),
    ] {
        let place = place_of(call, argument, object);
        assert_eq!((place.section, place.config.as_deref()), (section, config), "{call} {argument} {object}");
    }
}

#[test]
fn options_of_the_entry_point_are_needed_too() {
    let place = place_of("fanotify_mark", "", "file:tmpfs");
    assert!(
        place.config.as_deref().is_some_and(|config| config.split(" && ").any(|symbol| symbol == "CONFIG_FANOTIFY"))
    );
    let place = place_of("write", "", "anon_inode:eventfd");
    assert!(place.expert);
}

#[test]
fn unpaired_arguments_and_objects_give_all_places() {
    let sections = |call: &str, arguments: &[&'static str], objects: &[&'static str]| {
        let entry = Syscall::from_name(Abi::X86_64, call).and_then(facts);
        let reached = all_reached(
            entry,
            call,
            arguments.iter().copied(),
            objects.iter().map(|object| ObjectClass::parse(object)),
        );
        reached.into_iter().map(|reached| reached.section).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    const VFS: &str = "FILESYSTEMS (VFS and infrastructure)";
    assert_eq!(sections("read", &[], &["file", "file:proc"]), [VFS, "PROC FILESYSTEM"]);
    assert_eq!(sections("read", &[], &["file:proc"]), ["PROC FILESYSTEM"]);
    assert_eq!(sections("read", &[], &[]), [VFS]);
    assert_eq!(sections("ioctl", &["SIOCGIFMTU"], &["socket:AF_UNIX:SOCK_DGRAM"]), ["NETWORKING [GENERAL]"]);
    assert_eq!(
        sections("ioctl", &["SIOCGIFMTU", "0xdead"], &["socket:AF_UNIX:SOCK_DGRAM"]),
        ["NETWORKING [GENERAL]", "NETWORKING [UNIX SOCKETS]"]
    );
}
