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
    Conditions::new([of])
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
fn several_addresses_meet_a_condition_in_part_or_as_a_whole() {
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
        let (met, undecided) = conditions.judge(send, &Named { addresses: parsed, is_unread });
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
fn only_a_forbidding_rule_needs_what_could_not_be_read() {
    let unread = Named { is_unread: true, ..Named::default() };
    let connect = syscall(Abi::X86_64, "connect");
    for (forbids, expected) in [(true, Undecided::Memory), (false, Undecided::No)] {
        assert_eq!(conditions(&address("10.0.0.0/8"), None, forbids).judge(connect, &unread).1, expected);
    }
}
