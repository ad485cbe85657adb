//! Tests of conditions: ranges of addresses, globs for paths, links, and what is undecided.

use super::*;
use crate::model::kernel::syscall::Abi;

fn syscall(abi: Abi, name: &str) -> Syscall {
    Syscall::from_name(abi, name).expect(name)
}

fn address(text: &str) -> Condition {
    Condition { address: Some(text.to_owned()), ..Condition::default() }
}

fn conditions(condition: &Condition, syscall: Option<&str>, forbids: bool) -> Conditions {
    let of = CallCondition { condition: condition.clone(), syscall: syscall.map(str::to_owned), forbids };
    Conditions::new([of], NamedFolders::default())
}

#[test]
fn address_is_in_its_range_at_its_port() {
    for (network, inside, outside) in [
        ("10.0.0.0/8", &["10.0.0.0:1", "10.255.255.255:9", "[::ffff:10.1.2.3]:9"][..], &["11.0.0.0:1", "[::1]:1"][..]),
        ("127.0.0.1:5432", &["127.0.0.1:5432"], &["127.0.0.1:5433", "127.0.0.2:5432"]),
        ("127.0.0.1", &["127.0.0.1:1"], &["127.0.0.2:1"]),
        ("192.168.0.0/16:53", &["192.168.7.7:53"], &["192.168.7.7:54", "192.169.0.0:53"]),
        ("[::1]:80", &["[::1]:80"], &["[::1]:81", "127.0.0.1:80"]),
        ("::1", &["[::1]:80"], &["[::2]:80"]),
        ("[::1]", &["[::1]:80"], &["[::2]:80"]),
        ("fd00::/8", &["[fd00::1]:1", "[fdff::]:1"], &["[fc00::1]:1", "[fe00::1]:1"]),
        ("[fd00::/8]:443", &["[fd12::1]:443"], &["[fd12::1]:444"]),
        ("0.0.0.0/0", &["8.8.8.8:1", "0.0.0.0:1"], &["[::1]:1"]),
        ("::/0", &["[::1]:1"], &["8.8.8.8:1", "[::ffff:8.8.8.8]:1"]),
        ("::ffff:10.0.0.0/104", &["10.9.9.9:1"], &["11.0.0.0:1"]),
        ("1.2.3.4/32", &["1.2.3.4:1"], &["1.2.3.5:1"]),
    ] {
        let parsed: Network = network.parse().expect(network);
        for (addresses, expected) in [(inside, true), (outside, false)] {
            for address in addresses {
                assert_eq!(parsed.contains(address.parse().expect(address)), expected, "{network} {address}");
            }
        }
    }
}

#[test]
fn bad_range_says_why() {
    for (text, error) in [
        ("10.0.0.0/33", NotANetwork::Prefix(32)),
        ("::/129", NotANetwork::Prefix(128)),
        ("10.0.0.0/999", NotANetwork::Prefix(32)),
        ("10.1.0.0/8", NotANetwork::HostBits("10.0.0.0/8".to_owned())),
        ("fd00::1/8", NotANetwork::HostBits("fd00::/8".to_owned())),
        ("10.0.0/8", NotANetwork::Form),
        ("10.0.0.0/", NotANetwork::Form),
        ("10.0.0.0/+8", NotANetwork::Form),
        ("127.0.0.1:", NotANetwork::Form),
        ("127.0.0.1:65536", NotANetwork::Form),
        ("[::1]80", NotANetwork::Form),
        ("[::1", NotANetwork::Form),
        ("[127.0.0.1]:80", NotANetwork::Form),
        ("localhost", NotANetwork::Form),
        ("localhost:80", NotANetwork::Form),
        ("", NotANetwork::Form),
    ] {
        assert_eq!(text.parse::<Network>(), Err(error), "{text}");
    }
}

#[test]
fn addresses_meet_a_condition_in_part_or_whole() {
    let private = address("10.0.0.0/8");
    let conditions = conditions(&private, None, true);
    let send = syscall(Abi::X86_64, "sendmmsg");
    for (addresses, is_unread, some, all) in [
        (&["10.0.0.1:1"][..], false, true, true),
        (&["10.0.0.1:1", "10.0.0.2:1"], false, true, true),
        (&["10.0.0.1:1", "8.8.8.8:1"], false, true, false),
        (&["8.8.8.8:1"], false, false, false),
        (&[], false, false, false),
        (&["10.0.0.1:1"], true, true, false),
    ] {
        let parsed = addresses.iter().map(|address| address.parse().expect("an address")).collect();
        let (met, undecided) = conditions.judge(send, &Named { addresses: parsed, is_unread, ..Named::default() });
        assert_eq!([Extent::Some, Extent::All].map(|extent| met.holds(&private, extent)), [some, all], "{addresses:?}");
        assert_eq!(undecided, if is_unread { Undecided::Memory } else { Undecided::No });
    }
}

#[test]
fn condition_concerns_only_calls_that_can_meet_it() {
    let private = address("10.0.0.0/8");
    for (limit, abi, name, concerns) in [
        (None, Abi::X86_64, "connect", true),
        (None, Abi::X86_64, "sendmmsg", true),
        (None, Abi::X32, "sendmsg", true),
        (None, Abi::I386, "connect", true),
        (None, Abi::I386, "socketcall", true),
        (None, Abi::X86_64, "write", false),
        (None, Abi::X86_64, "openat", false),
        (Some("bind"), Abi::X86_64, "connect", false),
        (Some("bind"), Abi::X86_64, "bind", true),
    ] {
        assert_eq!(conditions(&private, limit, true).may_concern(syscall(abi, name)), concerns, "{limit:?} {name}");
    }
}

#[test]
fn only_forbid_reports_unread_memory() {
    let unread = Named { is_unread: true, ..Named::default() };
    let connect = syscall(Abi::X86_64, "connect");
    for (forbids, expected) in [(true, Undecided::Memory), (false, Undecided::No)] {
        assert_eq!(conditions(&address("10.0.0.0/8"), None, forbids).judge(connect, &unread).1, expected);
    }
}

fn folders() -> NamedFolders {
    let folders = [("/tmp/s/home", "$HOME"), ("/tmp/s/tmp", "$TMPDIR"), ("/tmp/s/work", "$PWD")];
    NamedFolders::new(folders.map(|(folder, name)| (folder.to_owned(), name)))
}

fn named(named: &str, target: PathTarget) -> NamedPath {
    NamedPath { named: named.to_owned(), target, has_moved: false }
}

#[test]
fn glob_matches_the_path_that_examples_show() {
    for (glob, path, matches) in [
        ("/etc/passwd", "/etc/passwd", true),
        ("/etc/*", "/etc/passwd", true),
        ("/etc/*", "/etc/ssl/certs", false),
        ("/etc/**", "/etc/ssl/certs", true),
        ("/etc/**/*.pem", "/etc/ssl/certs/a.pem", true),
        ("/etc/*", "/etc/.hidden", true),
        ("**/.ssh/*", "/root/.ssh/id", true),
        ("~/.config/**", "/tmp/s/home/.config/x/y", true),
        ("$HOME/.config/**", "/tmp/s/home/.config/x", true),
        ("$TMPDIR/**", "/tmp/s/tmp/x", true),
        ("$PWD/a?", "/tmp/s/work/ab", true),
        ("$TMPDIR/**", "/tmp/s/tmpx/x", false),
        ("/tmp/**", "/tmp/s/tmp/x", false),
        ("/etc/[ps]*", "/etc/shadow", true),
    ] {
        let parsed: PathGlob = glob.parse().expect(glob);
        let extent = parsed.extent(&[named(path, PathTarget::Nothing)], &folders());
        assert_eq!(extent.is_some(), matches, "{glob} {path}");
    }
}

#[test]
fn glob_that_can_match_no_path_is_refused() {
    for (glob, error) in [
        ("etc/passwd", NotAGlob::Start),
        ("*.pem", NotAGlob::Start),
        ("$OTHER/x", NotAGlob::Start),
        ("$HOMEX", NotAGlob::Start),
        ("~root/x", NotAGlob::Start),
        ("", NotAGlob::Start),
        ("/a[b", NotAGlob::Syntax("invalid range pattern")),
        ("/a**", NotAGlob::Syntax("recursive wildcards must form a single path component")),
    ] {
        assert_eq!(glob.parse::<PathGlob>().err(), Some(error), "{glob}");
    }
}

#[test]
fn link_cannot_hide_a_file() {
    let to = |path: &str| PathTarget::Path(path.to_owned());
    for (glob, paths, extent) in [
        // By its name, or by what it leads to.
        ("/etc/passwd", vec![named("/tmp/s/tmp/link", to("/etc/passwd"))], Some(Extent::Some)),
        ("/etc/passwd", vec![named("/etc/passwd", to("/other"))], Some(Extent::All)),
        ("/etc/passwd", vec![named("/x", to("/y"))], None),
        // A link that the workload can make is not tolerated.
        ("$TMPDIR/**", vec![named("/tmp/s/tmp/link", to("/etc/passwd"))], Some(Extent::Some)),
        ("$TMPDIR/**", vec![named("/tmp/s/tmp/link", to("/tmp/s/tmp/file"))], Some(Extent::All)),
        ("$TMPDIR/**", vec![named("/tmp/s/tmp/new", PathTarget::Nothing)], Some(Extent::All)),
        ("$TMPDIR/**", vec![named("/tmp/s/tmp/x", PathTarget::Unknown)], Some(Extent::Some)),
        // Two paths.
        (
            "$TMPDIR/**",
            vec![named("/tmp/s/tmp/a", PathTarget::Nothing), named("/x", PathTarget::Nothing)],
            Some(Extent::Some),
        ),
        ("/etc/x", vec![NamedPath { has_moved: true, ..named("/etc/x", to("/y")) }], Some(Extent::Some)),
        ("/**", vec![], None),
    ] {
        let parsed: PathGlob = glob.parse().expect(glob);
        assert_eq!(parsed.extent(&paths, &folders()), extent, "{glob} {paths:?}");
    }
}

#[test]
fn unknown_target_is_undecided_unless_the_rule_matches() {
    let rule = |glob: &str, forbids| {
        let condition = Condition { path: Some(glob.to_owned()), ..Condition::default() };
        Conditions::new([CallCondition { condition, syscall: None, forbids }], folders())
    };
    let seen = Named { paths: vec![named("/x", PathTarget::Unknown)], ..Named::default() };
    let open = syscall(Abi::X86_64, "openat");
    for (glob, forbids, undecided) in
        [("/etc/*", true, Undecided::Target), ("/x", true, Undecided::No), ("/etc/*", false, Undecided::No)]
    {
        assert_eq!(rule(glob, forbids).judge(open, &seen).1, undecided, "{glob} {forbids}");
    }
}

/// Memory that holds a path at every address.
struct Paths;

impl crate::model::decode::View for Paths {
    fn read(&self, _address: u64, buffer: &mut [u8]) -> usize {
        buffer.fill(0);
        buffer[0] = b'x';
        buffer.len()
    }

    fn fd(&self, _fd: i32) -> Option<String> {
        None
    }
}

#[test]
fn every_path_that_examples_show_is_compared() {
    use crate::model::attribution::{Memory, named_paths};
    use crate::model::kernel::call::Call;
    use crate::model::kernel::syscall::table;
    for abi in Abi::ALL {
        for row in table::rows(abi) {
            // The path of quotactl is a device. The first one of a link is text only.
            let skipped = match row.name {
                "symlink" | "symlinkat" => 1,
                _ => 0,
            };
            let syscall = Syscall { abi, number: i64::from(row.number) };
            let call = Call { syscall, args: [0x10, 0x20, 0x30, 0x40, 0x50, 0x60], instruction_pointer: 0 };
            let shown = crate::model::decode::places(&call, &Paths).into_iter().filter(|place| place.path.is_some());
            let compared = named_paths(&call, &Memory::default()).into_iter().filter(|place| place.address != 0);
            assert!(compared.count() + skipped >= shown.count(), "{} of {}", row.name, abi.name());
        }
    }
}
