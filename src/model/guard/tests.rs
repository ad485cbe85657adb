//! Compares every action of a filter with the code that judges stopped calls: a table of calls that
//! must stop or pass, and random registers.

mod arguments;

use super::bpf::{self, PASS, STOP};
use super::rules::{FilterRule, Relation, Test};
use super::{Access, Guard, Inherited, Unguardable};
use crate::model::attribution::Object;
use crate::model::expectation::{Baseline, Document, Level, Rule, Version};
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::{Abi, Syscall, table};
use crate::model::kernel::uapi::AUDIT_ARCH_X86_64;

const FACTS: &[&str] = &[
    "filesystem::read::object=pipe",
    "filesystem::read::object=file",
    "filesystem::write::object=pipe",
    "filesystem::close::object=pipe",
    "filesystem::close::object=file",
    "filesystem::fcntl::argument=F_GETFL",
    "filesystem::fcntl::argument=F_DUPFD",
    "filesystem::fcntl::object=pipe",
    "filesystem::openat::object=file",
    "memory::mmap::object=file",
    "memory::mmap::argument=PROT_READ|PROT_EXEC",
    "memory::mmap::argument=PROT_WRITE|PROT_EXEC|MAP_ANONYMOUS",
    "memory::mprotect::argument=PROT_READ|PROT_EXEC",
    "filesystem::pipe2::object=pipe",
    "process::getppid",
    "process::execve::object=file",
    "process::wait4",
    "time::clock_nanosleep::argument=CLOCK_MONOTONIC",
    "network::ioctl::argument=SIOCGIFMTU",
    "filesystem::ioctl",
];

fn baseline() -> Baseline {
    Baseline { version: Version::One, ..baseline_of(FACTS) }
}

/// Returns a baseline of the latest version.
fn baseline_of(facts: &[&str]) -> Baseline {
    let mut baseline = Baseline::new("x86_64-linux-gnu".parse().expect("a platform"));
    facts.iter().for_each(|fact| baseline.insert(&fact.parse().expect(fact)));
    baseline
}

fn streams() -> Inherited {
    let streams = [Object::character("null"), Object::named("pipe"), Object::named("pipe")];
    (0..).zip(streams.map(Some)).chain([(9, Some(Object::file("ext4", false, None)))]).collect()
}

fn guard(document: &Document) -> Guard {
    let baseline = baseline();
    Guard::new(document, &baseline, &baseline.platform, &streams()).expect("a guard")
}

fn call(name: &str, args: &[u64]) -> Call {
    let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
    Call { syscall, args: std::array::from_fn(|at| args.get(at).copied().unwrap_or(0)), instruction_pointer: 0 }
}

fn passes(guard: &Guard, name: &str, args: &[u64]) -> bool {
    let call = call(name, args);
    let program = guard.filter(|_| false).expect("a filter");
    bpf::run(&program, AUDIT_ARCH_X86_64, call.syscall.number as u32, &call.args) == PASS
}

#[test]
fn only_calls_of_the_baseline_pass() {
    let guard = guard(&Document::for_tests());
    for (name, args, expected) in [
        ("getppid", &[][..], true),
        ("getsid", &[], false),
        ("wait4", &[], true),
        // Ambient calls.
        ("brk", &[0x1000], true),
        ("futex", &[0x1000, 0x80], true),
        ("futex", &[0x1000, 0x7f], true),
        ("mmap", &[0, 4096, 3, 0x22, u64::MAX], true),
        // Calls that move bytes.
        ("read", &[3], true),
        ("write", &[3], true),
        ("write", &[1], true),
        ("read", &[1], true),
        ("read", &[0], false),
        ("write", &[0], false),
        ("close", &[7], true),
        // Fd 9 was inherited and is a file.
        ("write", &[9], false),
        ("read", &[9], true),
        ("pread64", &[3], false),
        // Calls on paths, tasks and programs.
        ("openat", &[], false),
        ("execve", &[], false),
        ("clone", &[], false),
        ("recvmsg", &[3], false),
        // Calls selected by a register.
        ("fcntl", &[3, 3], true),
        ("fcntl", &[3, 0], false),
        ("fcntl", &[3, 4], false),
        ("mprotect", &[0, 0, 3], true),
        ("mprotect", &[0, 0, 5], true),
        ("mprotect", &[0, 0, 7], false),
        // Files were mapped, and a pipe cannot be mapped.
        ("mmap", &[0, 4096, 1, 2, 5], true),
        ("mmap", &[0, 4096, 5, 2, 5], true),
        ("mmap", &[0, 4096, 7, 2, 5], false),
        ("mmap", &[0, 4096, 7, 0x22, 5], false),
        // Code without a file is another fact than code of a library.
        ("mmap", &[0, 4096, 5, 0x22, u64::MAX], false),
        ("mmap", &[0, 4096, 6, 0x22, u64::MAX], true),
        ("mmap", &[0, 4096, 6, 2, 5], false),
        // No register says to which thread group the receiver belongs.
        ("tgkill", &[1, 1, 0], false),
        ("tkill", &[1, 0], false),
        ("shmat", &[], false),
        ("personality", &[0xffff_ffff], false),
        ("clock_nanosleep", &[1], true),
        ("clock_nanosleep", &[0], false),
        ("clock_nanosleep", &[1 << 32 | 1], true),
        ("ioctl", &[3, 0x8921], false),
    ] {
        assert_eq!(passes(&guard, name, args), expected, "{name} {args:x?}");
    }
}

#[test]
fn argument_passes_only_on_objects_it_is_held_with() {
    let facts = [
        "unix::getsockopt::SOL_SOCKET/SO_ERROR,socket:AF_UNIX:SOCK_STREAM",
        "network::getsockopt::SOL_SOCKET/SO_TYPE,socket:AF_INET:SOCK_STREAM",
        "memory::mmap::PROT_READ|PROT_EXEC,file",
        "memory::mmap::argument=PROT_WRITE|PROT_EXEC|MAP_ANONYMOUS",
        "filesystem::read::object=memfd",
    ];
    let baseline = baseline_of(&facts);
    let guard = Guard::new(&Document::for_tests(), &baseline, &baseline.platform, &streams()).expect("a guard");
    let socket = |family: u32| Object::socket(family, 1, 0);
    let objects = [socket(1), socket(2), Object::file("ext4", false, None), Object::named("memfd")];
    for (name, args, expected) in [
        ("getsockopt", &[3, 1, 4][..], [true, false, true, true]),
        ("getsockopt", &[3, 1, 3], [false, true, true, true]),
        ("mmap", &[0, 4096, 5, 2, 5], [false, false, true, false]),
    ] {
        let on = objects.each_ref().map(|object| guard.expects(&call(name, args), Some(object)));
        assert_eq!(on, expected, "{name} {args:x?}: an object that refuses the call is not reached");
    }
    assert!(guard.expects_refusal(&call("getsockopt", &[3, 1, 4])));
    assert!(!guard.expects_refusal(&call("getsockopt", &[3, 1, 5])));
    assert!(!passes(&guard, "getsockopt", &[3, 1, 4]), "some sockets do not expect it");
    assert!(!passes(&guard, "mmap", &[0, 4096, 5, 2, 5]), "a memfd does not expect it");
    assert!(!passes(&guard, "mmap", &[0, 4096, 5, 0x22, u64::MAX]), "code without a file");
}

#[test]
fn expected_calls_stop_if_the_tracer_needs_them() {
    let mut baseline = baseline();
    for fact in
        ["credentials::setuid", "process::prctl::argument=PR_GET_DUMPABLE", "process::prctl::argument=PR_SET_NAME"]
    {
        baseline.insert(&fact.parse().expect(fact));
    }
    let guard = Guard::new(&Document::for_tests(), &baseline, &baseline.platform, &streams()).expect("a guard");
    let must_stop =
        |call: &Call| call.syscall.name() == "setuid" || call.syscall.name() == "prctl" && call.args[0] == 3;
    let programs = [guard.filter(|_| false), guard.filter(must_stop)].map(|program| program.expect("a filter"));
    for (name, args, expected) in [
        ("setuid", &[7][..], [PASS, STOP]),
        ("prctl", &[3], [PASS, STOP]),
        ("prctl", &[15], [PASS, PASS]),
        ("prctl", &[4], [STOP, STOP]),
        ("read", &[3], [PASS, PASS]),
        ("read", &[0], [STOP, STOP]),
    ] {
        let call = call(name, args);
        let number = call.syscall.number as u32;
        let actions = [0, 1].map(|at| bpf::run(&programs[at], AUDIT_ARCH_X86_64, number, &call.args));
        assert_eq!(actions, expected, "{name} {args:x?}");
    }
}

#[test]
fn calls_from_the_vsyscall_page_pass() {
    let strict = Document { ambient_strict: true, ..Document::for_tests() };
    let program = guard(&strict).filter(|_| false).expect("a filter");
    for (name, page) in
        [("gettimeofday", 0xffff_ffff_ff60_0000), ("time", 0xffff_ffff_ff60_0400), ("getcpu", 0xffff_ffff_ff60_0800)]
    {
        let number = call(name, &[]).syscall.number as u32;
        let at = |address| bpf::run_at(address, &program, AUDIT_ARCH_X86_64, number, &[0; 6]);
        assert_eq!([0x40_1000, 0x7fff_ffff_f000, page].map(at), [STOP, STOP, PASS], "{name}");
    }
    let at = |address| bpf::run_at(address, &program, AUDIT_ARCH_X86_64, 110, &[0; 6]);
    assert_eq!([0x40_1000, 0xffff_ffff_ff60_0000].map(at), [PASS, PASS]);
    let number = call("getsid", &[]).syscall.number as u32;
    assert_eq!(bpf::run_at(0xffff_ffff_ff60_0000, &program, AUDIT_ARCH_X86_64, number, &[0; 6]), STOP);
}

#[test]
fn unknown_architectures_and_numbers_stop() {
    let program = guard(&Document::for_tests()).filter(|_| false).expect("a filter");
    let getppid = call("getppid", &[]).syscall.number as u32;
    for (architecture, number, expected) in [
        (AUDIT_ARCH_X86_64, getppid, PASS),
        (0x4000_0003, getppid, STOP),
        (AUDIT_ARCH_X86_64, getppid | 0x4000_0000, STOP),
        (AUDIT_ARCH_X86_64, 0x3e7, STOP),
        (AUDIT_ARCH_X86_64, u32::MAX, STOP),
    ] {
        assert_eq!(bpf::run(&program, architecture, number, &[0; 6]), expected, "{architecture:#x} {number:#x}");
    }
}

#[test]
fn forbidden_calls_stop_and_tolerated_calls_pass() {
    let rule = |syscall: &str| Rule { syscall: Some(syscall.to_owned()), ..Rule::default() };
    let failing = |syscall: &str| Rule { error: Some("EPERM".to_owned()), ..rule(syscall) };
    let with = |forbid: &[Rule], tolerate: &[Rule]| Document {
        forbid: forbid.to_vec(),
        tolerate: tolerate.to_vec(),
        ..Document::for_tests()
    };
    assert!(!passes(&guard(&with(&[rule("getppid")], &[])), "getppid", &[]));
    assert!(!passes(&guard(&with(&[failing("getppid")], &[])), "getppid", &[]));
    assert!(!passes(&guard(&with(&[rule("brk")], &[])), "brk", &[]));
    assert!(passes(&guard(&with(&[], &[rule("getsid")])), "getsid", &[]));
    assert!(!passes(&guard(&with(&[], &[failing("getsid")])), "getsid", &[]));
    assert!(!passes(&guard(&Document { ambient_strict: true, ..Document::for_tests() }), "brk", &[]));
}

#[test]
fn fd_is_safe_if_passing_calls_expect_it() {
    let guard = guard(&Document::for_tests());
    for (fd, object, bears) in [
        (1, Some(Object::named("pipe")), true),
        (5, Some(Object::named("pipe")), true),
        // `write` passes, and the baseline holds no write to a file.
        (5, Some(Object::file("ext4", false, None)), false),
        (5, Some(Object::file("proc", false, Some("12/maps"))), false),
        (5, Some(Object::anonymous("[fanotify]")), false),
        (5, None, false),
        // An inherited stream is safe if the calls that pass on it expect its object.
        (0, Some(Object::character("null")), true),
        (1, Some(Object::character("null")), false),
    ] {
        assert_eq!(
            object.as_ref().is_some_and(|object| guard.is_safe(guard.class(fd), object, Access::BOTH)),
            bears,
            "{fd} {object:?}"
        );
    }
}

#[test]
fn level_error_and_other_platforms_cannot_be_guarded() {
    let baseline = baseline();
    let guard = |level, platform: &str| {
        let document = Document { level, ..Document::for_tests() };
        Guard::new(&document, &baseline, &platform.parse().expect("a platform"), &streams()).err()
    };
    assert_eq!(guard(Level::Object, "x86_64-linux-gnu"), None);
    assert_eq!(guard(Level::Error, "x86_64-linux-gnu"), Some(Unguardable::Errors));
    assert_eq!(guard(Level::Object, "riscv64gc-linux-gnu"), Some(Unguardable::Architecture));
}

#[test]
fn workloads_with_phases_cannot_be_guarded() {
    let mut baseline = baseline();
    let platform = "x86_64-linux-gnu".parse().expect("a platform");
    let guard = |document: Document, baseline: &Baseline| Guard::new(&document, baseline, &platform, &streams()).err();
    let rules = || vec![Rule { phase: Some("serving".to_owned()), ..Rule::default() }];
    assert_eq!(guard(Document { forbid: rules(), ..Document::for_tests() }, &baseline), Some(Unguardable::Phases));
    assert_eq!(guard(Document { tolerate: rules(), ..Document::for_tests() }, &baseline), Some(Unguardable::Phases));
    assert_eq!(guard(Document::for_tests(), &baseline), None);
    baseline.phases.entry("serving".to_owned()).or_default();
    assert_eq!(guard(Document::for_tests(), &baseline), Some(Unguardable::Phases));
}

#[test]
fn calls_outside_the_baseline_are_never_expected() {
    let guard = guard(&Document::for_tests());
    let unknown = || table::rows(Abi::X86_64).iter().filter(|row| !guard.can_expect(row.name));
    assert!(unknown().count() > 100);
    for row in unknown() {
        let call = call(row.name, &[]);
        assert!(!guard.expects(&call, None) && !guard.expects_refusal(&call), "{}", row.name);
    }
}

/// Applies a rule to registers without a filter.
fn passes_rule(rule: &FilterRule, args: &[u64; 6]) -> bool {
    let holds = |test: &Test| (args[test.arg] & test.mask == test.value) == (test.is == Relation::Equal);
    match rule {
        FilterRule::Pass => true,
        FilterRule::Stop => false,
        FilterRule::If(alternatives) => alternatives.iter().any(|tests| tests.iter().all(holds)),
    }
}

proptest::proptest! {
    /// Uses random values, and values that the rules compare with.
    #[test]
    fn filter_does_what_its_rules_say(
        at: proptest::sample::Index,
        any: [u64; 6],
        asked: [proptest::sample::Index; 6],
        choose: [bool; 6],
    ) {
        let guard = guard(&Document::for_tests());
        let program = guard.filter(|_| false).expect("a filter");
        let (number, rule) = at.get(&guard.rules);
        let FilterRule::If(alternatives) = rule else { return Ok(()) };
        let args: [u64; 6] = std::array::from_fn(|arg| {
            let values: Vec<u64> = alternatives.iter().flatten().filter(|test| test.arg == arg).map(|test| test.value).collect();
            if choose[arg] && !values.is_empty() { *asked[arg].get(&values) } else { any[arg] }
        });
        let passes = bpf::run(&program, AUDIT_ARCH_X86_64, *number, &args) == PASS;
        proptest::prop_assert_eq!(passes, passes_rule(rule, &args), "{} {:x?}", number, args);
    }

    /// A call that passes is expected on every object that is safe for it.
    #[test]
    fn passing_calls_are_expected(
        at in 0..table::rows(Abi::X86_64).len(),
        args: [u32; 6],
        small in proptest::array::uniform6(0_u64..64),
        choose: [bool; 6],
    ) {
        let guard = guard(&Document::for_tests());
        let args: [u64; 6] = std::array::from_fn(|at| if choose[at] { small[at] } else { u64::from(args[at]) });
        let row = &table::rows(Abi::X86_64)[at];
        if passes(&guard, row.name, &args) {
            let call = call(row.name, &args);
            proptest::prop_assert!(guard.expects(&call, None), "{} {args:x?}", row.name);
            let objects = [Object::named("pipe"), Object::file("ext4", false, None), Object::socket(2, 1, 0), Object::character("null")];
            for object in objects {
                let fd = crate::model::attribution::answers::object(&call, &Default::default());
                let Some(crate::model::attribution::Question::Fd(fd)) = fd else { continue };
                if guard.is_safe(guard.class(fd), &object, Access::BOTH) {
                    proptest::prop_assert!(guard.expects(&call, Some(&object)), "{} {args:x?} {object:?}", row.name);
                }
            }
        }
    }
}
