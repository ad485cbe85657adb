//! Tests of the messages about rights, with the rights of other machines.

use super::*;

/// An ordinary user on a kernel with its own defaults.
const PLAIN: Rights = Rights {
    paranoid: Some(2),
    refuses_user: false,
    kptr_restrict: Some(0),
    perfmon: false,
    syslog: false,
    bpf: false,
    filtered: false,
    btf: true,
    tracefs: false,
};

const ROOT: Rights = Rights { perfmon: true, syslog: true, bpf: true, tracefs: true, ..PLAIN };

#[test]
fn refusal_names_its_cause_and_a_command() {
    let root = ROOT;
    let sysctl = "run `sudo sysctl kernel.perf_event_paranoid=1`, or run it as root";
    let forbidden = |paranoid| {
        format!("kernel.perf_event_paranoid is {paranoid}, which requires CAP_PERFMON for all performance events")
    };
    let filter = "a seccomp filter refuses perf_event_open";
    let module = "perf_event_open is refused: a security module or the lockdown of the kernel forbids it";
    for (rights, errno, reason, help) in [
        (Rights { paranoid: Some(4), ..PLAIN }, EACCES, forbidden(4), sysctl),
        (Rights { paranoid: Some(3), ..PLAIN }, EPERM, forbidden(3), sysctl),
        // In a container, the sysctl of the host is the first obstacle.
        (Rights { paranoid: Some(4), filtered: true, ..PLAIN }, EPERM, forbidden(4), sysctl),
        (Rights { filtered: true, ..PLAIN }, EPERM, filter.to_owned(), CONTAINER),
        (Rights { filtered: true, ..root }, ENOSYS, filter.to_owned(), CONTAINER),
        (Rights { paranoid: Some(4), filtered: true, ..root }, EPERM, filter.to_owned(), CONTAINER),
        (root, EPERM, module.to_owned(), "run it outside of the container, or as root"),
        (PLAIN, EMFILE, "too many files are open".to_owned(), "raise the limit: ulimit -n 4096"),
        (
            Rights { paranoid: None, ..root },
            ENOSYS,
            "this kernel has no perf_event_open".to_owned(),
            "boot a kernel with CONFIG_PERF_EVENTS",
        ),
    ] {
        assert_eq!(rights.refusal(errno), format!("cannot sample: {reason}\nhelp: {help}"), "{rights:?} {errno}");
    }
    assert!(PLAIN.refusal(ENOMEM).starts_with("cannot sample: the buffers exceed the limit of locked memory"));
    assert!(PLAIN.refusal(22).starts_with("cannot sample: perf_event_open failed: Invalid argument"));
}

#[test]
fn rights_are_blocked_only_where_needed() {
    let blocked = |rights: Rights| -> Vec<String> {
        let unmet = rights.prerequisites().into_iter().filter(|gate| gate.state == PrerequisiteState::Unmet);
        unmet.map(|gate| format!("{}: {}", gate.name, gate.found)).collect()
    };
    assert_eq!(blocked(ROOT), [""; 0]);
    assert_eq!(blocked(Rights { kptr_restrict: Some(1), ..ROOT }), [""; 0]);
    assert_eq!(
        blocked(Rights { kptr_restrict: Some(2), ..ROOT }),
        ["kptr_restrict: 2: kernel functions have no names"]
    );
    assert_eq!(
        blocked(PLAIN),
        [
            "perf_event_paranoid: 2: only user code can be sampled",
            "kptr_restrict: 0: kernel functions have no names",
            "CAP_PERFMON: missing: kernel code cannot be sampled",
            "CAP_SYSLOG: missing: kernel functions have no names",
            "CAP_BPF: missing: no BPF program can be loaded",
            "tracefs: no tracefs can be read",
        ]
    );
    let open = Rights { paranoid: Some(1), ..PLAIN };
    assert_eq!(blocked(open), ["CAP_BPF: missing: no BPF program can be loaded", "tracefs: no tracefs can be read"]);
    let forbidden = Rights { paranoid: Some(4), refuses_user: true, ..PLAIN };
    assert_eq!(blocked(forbidden)[0], "perf_event_paranoid: 4: nothing can be sampled");
    // The value has no such meaning in the kernel itself.
    let plain = Rights { refuses_user: false, ..forbidden };
    assert_eq!(blocked(plain)[0], "perf_event_paranoid: 4: only user code can be sampled");
    let filtered = Rights { filtered: true, refuses_user: true, ..ROOT };
    assert_eq!(blocked(filtered)[0], "perf_event_paranoid: 2: nothing can be sampled");
    let without = Rights { paranoid: None, btf: false, ..ROOT };
    assert!(blocked(without).contains(&"BTF: /sys/kernel/btf/vmlinux is missing".to_owned()));
    assert!(
        PLAIN.prerequisites().iter().all(|gate| gate.remedies.is_empty() == (gate.state == PrerequisiteState::Met))
    );
}
