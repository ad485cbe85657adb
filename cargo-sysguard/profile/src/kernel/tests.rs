//! Tests of a whole kernel: names and places of addresses.

use super::*;

#[test]
fn newest_index_up_to_the_kernel_is_used() {
    let versions = ["6.12.94", "6.18.15", "7.1.8"].map(str::to_owned);
    for (release, version) in [
        ("6.12.117+deb13-amd64", 0),
        ("6.17.0", 0),
        ("6.18.3", 1),
        ("6.18.44-fc-v669", 1),
        ("7.1.0-rc1", 2),
        ("7.2.13", 2),
        ("5.10.0", 0),
    ] {
        assert_eq!(newest_not_after(&versions, release), version, "{release}");
    }
}

#[test]
fn functions_have_places_of_the_built_in_index() {
    let text = "ffffffff81000000 T __x64_sys_read\nffffffff81000100 T vfs_read\nffffffff81000200 t no_such_function\n\
                ffffffff81000300 T vfs_write\n";
    let kernel = Kernel::of(text, "6.18.44", None).expect("addresses");
    assert_eq!(kernel.index_version().split('.').take(2).collect::<Vec<_>>(), ["6", "18"]);
    let shown = |address| {
        let function = kernel.function(address);
        let place = function.place.clone().expect("a place");
        (function.name.clone(), place.file.to_string(), place.subsystem.to_string(), function.known_by)
    };
    let file = || "fs/read_write.c".to_owned();
    assert_eq!(shown(0xffff_ffff_8100_0010), ("__x64_sys_read".into(), file(), "filesystem".into(), KnownBy::Name));
    assert_eq!(
        shown(0xffff_ffff_8100_0200),
        ("no_such_function".into(), file(), "filesystem".into(), KnownBy::Neighbours)
    );
    let outside = kernel.function(0x1000);
    assert_eq!((outside.name.as_str(), outside.known_by), ("0x1000", KnownBy::Nothing));
}

#[test]
fn hidden_addresses_have_no_names() {
    assert!(matches!(Kernel::of("0000000000000000 T _stext\n", "6.18.44", None), Err(Unavailable::Names)));
}
