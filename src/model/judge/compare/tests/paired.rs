//! Comparisons of pairs, as baselines of version 2 hold them.

use super::*;

const CASES: &[Case] = &[
    Case {
        name: "as expected, and an attempt that reached no object",
        held: Some(&["device::ioctl::TCGETS,char:pts"]),
        seen: &["device::ioctl::argument=TCGETS"],
        gone: &["device::ioctl::TCGETS,char:pts"],
        ..NOTHING
    },
    Case {
        name: "a pair of known parts, and each new part",
        held: Some(&["device::ioctl::TCGETS,char:pts", "device::ioctl::TCSETS,char:tty"]),
        seen: &[
            "device::ioctl::TCGETS,char:pts",
            "device::ioctl::TCGETS,char:tty",
            "device::ioctl::TCGETS,char:ttyS",
            "device::ioctl::TCSETS,char:tty",
            "device::ioctl::TCXONC,char:tty",
            "device::ioctl::argument=FIONREAD",
        ],
        findings: &[
            "new-argument device::ioctl::argument=FIONREAD",
            "new-argument device::ioctl::TCXONC,char:tty",
            "new-object device::ioctl::TCGETS,char:ttyS",
            "new-use device::ioctl::TCGETS,char:tty",
        ],
        ..NOTHING
    },
    Case {
        name: "a part of another syscall or subsystem is not known",
        held: Some(&["device::ioctl::TCGETS,char:pts", "network::ioctl::FIONREAD,file", "device::read::object=file"]),
        seen: &[
            "device::ioctl::TCGETS,char:pts",
            "network::ioctl::FIONREAD,file",
            "device::read::object=file",
            "device::ioctl::FIONREAD,char:pts",
            "device::ioctl::TCGETS,file",
        ],
        findings: &["new-argument device::ioctl::FIONREAD,char:pts", "new-object device::ioctl::TCGETS,file"],
        ..NOTHING
    },
    Case {
        name: "an argument alone does not stand for its pairs",
        held: Some(&["filesystem::openat::argument=O_RDWR", "filesystem::openat::object=file"]),
        seen: &[
            "filesystem::openat::argument=O_RDWR",
            "filesystem::openat::object=file",
            "filesystem::openat::O_RDWR,file",
        ],
        findings: &["new-use filesystem::openat::O_RDWR,file"],
        ..NOTHING
    },
    Case {
        name: "a new syscall includes its pairs",
        held: Some(&["device::read"]),
        seen: &["device::read", "device::ioctl::TCGETS,char:pts"],
        findings: &["new-syscall device::ioctl TCGETS char:pts"],
        ..NOTHING
    },
    Case {
        name: "level argument fails on a new argument only",
        level: Level::Argument,
        held: Some(&["device::ioctl::TCGETS,char:pts", "device::ioctl::TCSETS,char:tty"]),
        seen: &[
            "device::ioctl::TCGETS,char:pts",
            "device::ioctl::TCSETS,char:tty",
            "device::ioctl::TCGETS,char:tty",
            "device::ioctl::TCGETS,char:ttyS",
            "device::ioctl::TCXONC,char:tty",
        ],
        findings: &["new-argument device::ioctl::TCXONC,char:tty"],
        notes: &["new-object device::ioctl::TCGETS,char:ttyS", "new-use device::ioctl::TCGETS,char:tty"],
        ..NOTHING
    },
    Case {
        name: "a pair that another member of the family has is a note",
        held: Some(&["filesystem::openat::O_RDWR,file", "filesystem::openat2::O_RDWR,dir"]),
        seen: &[
            "filesystem::openat::O_RDWR,file",
            "filesystem::openat2::O_RDWR,dir",
            "filesystem::openat2::O_RDWR,file",
        ],
        notes: &["new-object filesystem::openat2::O_RDWR,file (beside openat)"],
        ..NOTHING
    },
];

#[test]
fn pair_is_one_fact() {
    check(CASES);
}

#[test]
fn forbidden_part_is_the_finding_of_its_pair() {
    let used = |argument: &'static str, object: &'static str| Use {
        subsystem: Subsystem::Device,
        syscall: Syscall::from_name(Abi::X86_64, "ioctl").expect("a syscall"),
        argument: Some(argument.into()),
        object: Some(object.into()),
        ambient: false,
        met: Default::default(),
    };
    let uses = [used("TCGETS", "char:pts"), used("TCGETS", "char:tty"), used("TCSETS", "char:tty")];
    let uses = uses.map(|used| (used, Tally { calls: 2, ..Tally::default() })).into();
    let observation = Observation { uses, ..Observation::new() };
    let held = ["device::ioctl::TCGETS,char:pts", "device::ioctl::TCSETS,char:tty"];
    let seen = projection(&[&held[..], &["device::ioctl::TCGETS,char:tty"]].concat());
    let rule = |argument: Option<&str>, object: Option<&str>| Rule {
        argument: argument.map(str::to_owned),
        object: object.map(str::to_owned),
        why: Some("no".to_owned()),
        ..Rule::default()
    };
    for (rule, findings) in [
        (
            rule(Some("TCGETS"), None),
            &[
                "new-use device::ioctl::TCGETS,char:pts (forbidden: no)",
                "new-use device::ioctl::TCGETS,char:tty (forbidden: no)",
            ][..],
        ),
        (
            rule(None, Some("char:tty")),
            &[
                "new-use device::ioctl::TCGETS,char:tty (forbidden: no)",
                "new-use device::ioctl::TCSETS,char:tty (forbidden: no)",
            ],
        ),
        (
            rule(Some("TCSETS"), Some("char:tty")),
            &["new-use device::ioctl::TCSETS,char:tty (forbidden: no)", "new-use device::ioctl::TCGETS,char:tty"],
        ),
    ] {
        let forbidding = Document { forbid: vec![rule], ..document(Level::Object) };
        let comparison = compare(&forbidding, Some(&baseline(&held)), &seen, &observation);
        assert_eq!(shown(&comparison.findings), findings);
    }
}
