//! Tests of formats: what they write, and that it is read back as it was meant.

use std::collections::{BTreeMap, BTreeSet};

use seccompiler::{BpfProgram, TargetArch, sock_filter};
use sysguard::unstable::model::attribution::RegisterTest;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall, table};
use sysguard::unstable::model::run::platform::Platform;

use super::*;
use crate::policy::{Allowed, Calls, Denial, Reason};
use crate::uapi::*;

const INT: u64 = 0xffff_ffff;
const AUDIT_X86_64: u32 = 0xc000_003e;

fn syscall(name: &str) -> Syscall {
    Syscall::from_name(Abi::X86_64, name).expect(name)
}

fn families<const N: usize>(numbers: [u64; N]) -> Calls {
    Calls::Some(numbers.map(|value| vec![RegisterTest { arg: 0, mask: INT, value }]).into())
}

/// A policy with each kind of rule: whole calls, some arguments, whole calls without a refused
/// argument, and refused calls.
fn policy() -> Policy {
    let observed = || Reason::Observed { workload: "demo".to_owned() };
    let instead = Reason::Instead { of: "openat".to_owned(), what: "newer C libraries" };
    let mapping = [RegisterTest { arg: 2, mask: 4, value: 0 }, RegisterTest { arg: 3, mask: 0x20, value: 0x20 }];
    let allowed = [
        ("read", Calls::All, observed()),
        ("socket", families([2, 10]), observed()),
        ("mmap", Calls::Some([mapping.to_vec()].into()), observed()),
        ("keyctl", Calls::All, observed()),
        ("openat2", Calls::All, instead),
    ];
    Policy {
        native: Abi::X86_64,
        workloads: ["demo".to_owned()].into(),
        otherwise: Action::Unimplemented,
        allowed: allowed.map(|(name, calls, why)| (syscall(name), Allowed { calls, why: [why].into() })).into(),
        refused: [(syscall("bpf"), Calls::All), (syscall("keyctl"), families([5]))].into(),
        unenforced: ["forbid {path: /etc/shadow}".to_owned()].into(),
    }
}

fn heading() -> Heading {
    let platform = Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple");
    Heading { platform, phase: None, proof: None }
}

fn written(format: Format, policy: &Policy) -> Vec<u8> {
    let heading = heading();
    format.write(&Input { policy, sources: &[], heading: &heading }).expect("it is written")
}

fn text(format: Format, policy: &Policy) -> String {
    String::from_utf8(written(format, policy)).expect("text")
}

/// A policy without the rules that take many lines.
fn short() -> Policy {
    let mut policy = policy();
    policy.allowed.remove(&syscall("keyctl"));
    policy
}

#[test]
fn oci_groups_calls_by_reason() {
    insta::assert_snapshot!(text(Format::Oci, &short()));
}

#[test]
fn systemd_lists_calls_by_reason() {
    insta::assert_snapshot!(text(Format::Systemd, &policy()));
}

#[test]
fn seccompiler_has_one_filter() {
    insta::assert_snapshot!(text(Format::Seccompiler, &short()));
}

#[test]
fn libseccomp_is_one_function() {
    insta::assert_snapshot!(text(Format::Libseccomp, &short()));
}

#[test]
fn rust_is_a_module_of_its_own() {
    let text = text(Format::Rust, &policy());
    let lines = text.lines().filter(|line| !line.trim().starts_with("op("));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

/// Runs a program as the kernel does: Documentation/networking/filter.rst.
fn run(program: &[sock_filter], number: u32, args: &[u64; 6]) -> u32 {
    let word = |offset: u32| match offset {
        0 => number,
        4 => AUDIT_X86_64,
        offset => (args[(offset as usize - 16) / 8] >> (offset % 8 * 8)) as u32,
    };
    let (mut at, mut a) = (0, 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[at].clone();
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        at += 1 + match code {
            BPF_LD_W_ABS => {
                a = word(k);
                0
            }
            BPF_ALU_AND_K => {
                a &= k;
                0
            }
            BPF_JMP_JA => k as usize,
            BPF_JMP_JEQ_K => jump(a == k),
            BPF_JMP_JGT_K => jump(a > k),
            BPF_JMP_JGE_K => jump(a >= k),
            BPF_RET_K => return k,
            other => panic!("no such instruction: {other:#x}"),
        };
    }
}

/// Registers that meet the tests of the policy, and others.
fn samples() -> Vec<[u64; 6]> {
    let families = [0, 1, 2, 5, 10, 17, INT, 2 | 1 << 40, 5 | 1 << 63, 7];
    families.iter().flat_map(|a| [(0, 0), (4, 0x20), (1, 0x22), (3, 2)].map(|(c, d)| [*a, 0, c, d, 0, 0])).collect()
}

/// Compares a program with the policy for each number.
fn compare(program: &[sock_filter], policy: &Policy, refused: u32) {
    let otherwise = match policy.otherwise {
        Action::Unimplemented => SECCOMP_RET_ERRNO | ENOSYS,
        Action::Kill => SECCOMP_RET_KILL_PROCESS,
        Action::Log => SECCOMP_RET_LOG,
        Action::Trap => SECCOMP_RET_TRAP,
    };
    for number in (0..500).chain([0x3fff_ffff, u32::MAX]) {
        for args in samples() {
            let expected = match policy.denial(Syscall { abi: Abi::X86_64, number: number.into() }, &args) {
                None => SECCOMP_RET_ALLOW,
                Some(Denial::Refused) => refused,
                Some(Denial::NotAllowed) => otherwise,
            };
            assert_eq!(run(program, number, &args), expected, "{number} {args:x?}");
        }
    }
}

fn program(bytes: &[u8]) -> Vec<sock_filter> {
    let instruction = |word: &[u8]| sock_filter {
        code: u16::from_le_bytes([word[0], word[1]]),
        jt: word[2],
        jf: word[3],
        k: u32::from_le_bytes([word[4], word[5], word[6], word[7]]),
    };
    bytes.chunks(8).map(instruction).collect()
}

#[test]
fn one_program_does_what_the_policy_says() {
    for otherwise in Action::ALL {
        let policy = Policy { otherwise, ..policy() };
        compare(&program(&written(Format::Bpf, &policy)), &policy, SECCOMP_RET_ERRNO | EPERM);
    }
}

#[test]
fn policy_without_refused_calls_is_one_program_too() {
    let policy = Policy { refused: BTreeMap::new(), ..policy() };
    compare(&program(&written(Format::Bpf, &policy)), &policy, 0);
}

#[test]
fn seccompiler_compiles_its_json() {
    for otherwise in Action::ALL {
        let policy = Policy { otherwise, ..policy() };
        let json = text(Format::Seccompiler, &policy);
        let programs = seccompiler::compile_from_json(json.as_bytes(), TargetArch::x86_64).expect(&json);
        let [(name, program)]: [(&String, &BpfProgram); 1] =
            programs.iter().collect::<Vec<_>>().try_into().expect("one filter");
        assert_eq!(name, "demo");
        let denied = run(program, 0x3fff_ffff, &[0; 6]);
        compare(program, &policy, denied);
    }
}

#[test]
fn lacking_calls_of_seccompiler_are_known() {
    for (arch, abi) in
        [(TargetArch::x86_64, Abi::X86_64), (TargetArch::aarch64, Abi::Aarch64), (TargetArch::riscv64, Abi::Riscv64)]
    {
        for name in table::rows(abi).iter().map(|row| row.name) {
            let filter = format!(
                r#"{{"a": {{"mismatch_action": "trap", "match_action": "allow", "filter": [{{"syscall": "{name}"}}]}}}}"#
            );
            let is_known = seccompiler::compile_from_json(filter.as_bytes(), arch).is_ok();
            assert_eq!(is_known, !seccompiler_json::LACKING.contains(&name), "{name} of {abi}");
        }
    }
}

/// The relevant part of the specification, config-linux.md of version 1.3.
const SCHEMA: &str = r##"{
    "type": "object",
    "required": ["defaultAction"],
    "properties": {
        "defaultAction": {"$ref": "#/$defs/action"},
        "defaultErrnoRet": {"$ref": "#/$defs/uint32"},
        "architectures": {"type": "array", "items": {"enum": [
            "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64"
        ]}},
        "syscalls": {"type": "array", "items": {
            "type": "object",
            "required": ["names", "action"],
            "properties": {
                "names": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                "action": {"$ref": "#/$defs/action"},
                "errnoRet": {"$ref": "#/$defs/uint32"},
                "args": {"type": "array", "items": {
                    "type": "object",
                    "required": ["index", "value", "op"],
                    "properties": {
                        "index": {"$ref": "#/$defs/uint32"},
                        "value": {"$ref": "#/$defs/uint64"},
                        "valueTwo": {"$ref": "#/$defs/uint64"},
                        "op": {"enum": [
                            "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
                            "SCMP_CMP_MASKED_EQ"
                        ]}
                    },
                    "additionalProperties": false
                }},
                "comment": {"type": "string"}
            },
            "additionalProperties": false
        }},
        "comment": {"type": "array", "items": {"type": "string"}}
    },
    "additionalProperties": false,
    "$defs": {
        "action": {"enum": [
            "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",
            "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY"
        ]},
        "uint32": {"type": "integer", "minimum": 0, "maximum": 4294967295},
        "uint64": {"type": "integer", "minimum": 0, "maximum": 18446744073709551615}
    }
}"##;

#[test]
fn oci_profile_is_valid() {
    let schema = serde_json::from_str(SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for otherwise in Action::ALL {
        let profile = serde_json::from_str(&text(Format::Oci, &Policy { otherwise, ..policy() })).expect("JSON");
        let faults: Vec<String> = validator.iter_errors(&profile).map(|error| error.to_string()).collect();
        assert_eq!(faults, [""; 0]);
        assert_eq!(profile["defaultErrnoRet"].is_u64(), otherwise == Action::Unimplemented);
    }
}

#[test]
fn profile_is_recognised_and_read_back() {
    for format in Format::ALL {
        let file = written(format, &policy());
        assert_eq!(Format::of(&file), Some(format));
        let profile = format.read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profile.otherwise, Effect::Errno(ENOSYS), "{}", format.name());
        let effects = |name: &str| {
            let rules = profile.calls.get(name).into_iter().flatten();
            rules.map(|rule| (rule.effect.clone(), rule.tests.is_empty())).collect::<BTreeSet<_>>()
        };
        assert_eq!(effects("read"), [(Effect::Allow, true)].into(), "{}", format.name());
        assert_eq!(effects("reboot"), [].into(), "{}", format.name());
        let narrows = format != Format::Systemd;
        assert_eq!(effects("socket"), [(Effect::Allow, !narrows)].into(), "{}", format.name());
        let refuses = format != Format::Seccompiler;
        let expected = if refuses { [(Effect::Errno(EPERM), true)].into() } else { [].into() };
        assert_eq!(effects("bpf"), expected, "{}", format.name());
        assert!(profile.differences(&profile, |_| None).is_empty());
    }
    assert_eq!(Format::of(b"{}"), None);
    assert_eq!(Format::of(b"\x7fELF\x02\x01\x01\x00"), None);
}

#[test]
fn wrapped_object_of_a_container_is_read() {
    let profile = text(Format::Oci, &policy());
    let config = format!(r#"{{"ociVersion": "1.0.0", "linux": {{"seccomp": {profile}}}}}"#);
    assert_eq!(Format::Oci.read(config.as_bytes()), Format::Oci.read(profile.as_bytes()));
}

#[test]
fn heading_makes_no_difference() {
    let policy = policy();
    let proof = Some(Proven { runs: 20, file: "a.proof.json".to_owned() });
    let proved = Heading { proof, phase: Some("serve".to_owned()), ..heading() };
    for format in Format::ALL {
        let other = format.write(&Input { policy: &policy, sources: &[], heading: &proved }).expect("it is written");
        let (one, other) = (format.read(&written(format, &policy)), format.read(&other));
        assert_eq!(one, other, "{}", format.name());
    }
}

#[test]
fn each_changed_call_is_a_difference() {
    let old = policy();
    let mut new = Policy { otherwise: Action::Kill, ..policy() };
    new.allowed.remove(&syscall("read"));
    let added = Reason::Instead { of: "openat".to_owned(), what: "older C libraries" };
    new.allowed.insert(syscall("open"), Allowed { calls: Calls::All, why: [added].into() });
    new.allowed.get_mut(&syscall("socket")).expect("it is allowed").calls = families([2]);
    new.refused.remove(&syscall("bpf"));
    for format in Format::ALL {
        let read = |policy: &Policy| format.read(&written(format, policy)).expect("it is read");
        let why = |name: &str| (name == "open").then(|| "instead of openat".to_owned());
        let lines: Vec<String> = read(&old).differences(&read(&new), why).iter().map(ToString::to_string).collect();
        let mut expected = vec!["~ other calls: ENOSYS → killed by SIGSYS"];
        expected.extend((format != Format::Seccompiler).then_some("- bpf"));
        expected.extend(["+ open (instead of openat)", "- read"]);
        expected.extend((format != Format::Systemd).then_some("~ socket: arguments"));
        assert_eq!(lines, expected, "{}", format.name());
    }
}

#[test]
fn foreign_file_is_refused_with_a_reason() {
    for (format, content) in [
        (Format::Oci, &b"{}"[..]),
        (Format::Systemd, b"[Service]\nType=exec\n"),
        (Format::Systemd, b"[Service]\nSystemCallErrorNumber=EWHAT\n"),
        (Format::Seccompiler, b"{}"),
        (Format::Libseccomp, b"int main(void) { return 0; }"),
        (Format::Bpf, b"1234567"),
        (Format::Bpf, &[6, 0, 0, 0, 0, 0, 0, 0]),
        (Format::Rust, b"fn main() {}"),
    ] {
        let error = format.read(content).expect_err(format.name()).to_string();
        assert!(error.starts_with("not a profile of the format "), "{error}");
    }
}

#[test]
fn policy_that_a_format_cannot_express_is_refused() {
    let mut unnamed = policy();
    let everything = || Allowed { calls: Calls::All, why: [Reason::Observed { workload: "demo".to_owned() }].into() };
    unnamed.allowed.insert(Syscall { abi: Abi::X86_64, number: 0x3e7 }, everything());
    let mut foreign = policy();
    foreign.allowed.insert(Syscall::from_name(Abi::I386, "open").expect("a call"), everything());
    let trap = Policy { otherwise: Action::Trap, ..policy() };
    let heading = heading();
    let refused_by = |policy: &Policy| {
        let input = Input { policy, sources: &[], heading: &heading };
        Format::ALL.into_iter().filter(|format| format.write(&input).is_err()).map(Format::name).collect::<Vec<_>>()
    };
    assert_eq!(refused_by(&unnamed), ["oci", "systemd", "seccompiler", "libseccomp", "rust"]);
    assert_eq!(refused_by(&foreign), ["seccompiler", "bpf", "rust"]);
    assert_eq!(refused_by(&trap), ["systemd"]);
}
