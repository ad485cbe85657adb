//! Checks whether tracing works here: the state of each prerequisite, and how to meet it. Main
//! function: [`probe()`].
//!
//! One real attempt decides; other evidence explains its result. Collecting and judging evidence
//! are separate, so that tests can judge other machines. Nothing here changes the machine.

use std::path::Path;
use std::{fs, io, thread};

use nix::sys::utsname::uname;

use super::availability::{Availability, ProcMount};
use super::command::Command;
use super::launch::PreparedCommand;
use super::objects::is_leaving;
use super::outcome::TraceError;
use super::status::{field, has_cap_sys_ptrace};
use super::stopped::{Alive, Stopped};
use super::sys;
use super::tracer::Tracer;
use crate::model::kernel::call::Tid;
use crate::model::trace::prerequisite::{Prerequisite, PrerequisiteState, Remedy, can_trace};

/// Tries to trace a child and returns all prerequisites. The first one, `ptrace`, is the attempt:
/// tracing works if it is met. `rustflags` are the flags that workloads are built with.
pub fn probe(rustflags: &str) -> Vec<Prerequisite> {
    // A separate thread, so that it does not wait for children of other threads.
    let attempt = thread::spawn(attempt).join().unwrap_or(Err(Refusal { request: "a child", errno: libc::EIO }));
    prerequisites(&Evidence::read(attempt, rustflags))
}

/// Checks that files of tracees can be inspected, and are not those of other processes.
///
/// # Errors
///
/// [`TraceError::Impossible`] otherwise.
pub(super) fn check_surroundings() -> Result<(), TraceError> {
    refuse(&[proc_mount(ProcMount::read()), files(Availability::of_files())])
}

/// Checks that the processes of a command can be found in `/proc`.
///
/// # Errors
///
/// [`TraceError::Unfindable`] otherwise: numbers in the proc of another PID namespace are those of
/// other processes.
#[cfg(feature = "unstable")]
pub(super) fn check_proc() -> Result<(), TraceError> {
    let reason = match ProcMount::read() {
        ProcMount::Ours => return Ok(()),
        ProcMount::Missing => "no proc filesystem is mounted at /proc",
        ProcMount::Foreign => "/proc shows another PID namespace",
    };
    Err(TraceError::Unfindable { reason })
}

/// Checks that this child, which has not executed anything yet, can be inspected. A child that was
/// killed passes.
///
/// # Errors
///
/// [`TraceError::Impossible`] otherwise.
pub(super) fn check_child(child: Tid) -> Result<(), TraceError> {
    let refusal = refuse(&[memory(Some(Availability::of_child(child)))]);
    if is_leaving(child) { Ok(()) } else { refusal }
}

fn refuse(prerequisites: &[Prerequisite]) -> Result<(), TraceError> {
    if can_trace(prerequisites) { Ok(()) } else { Err(TraceError::Impossible { reason: reason(prerequisites) }) }
}

/// Explains why a child could not be attached to.
pub(super) fn explain(error: &io::Error) -> TraceError {
    let refusal = Refusal { request: "PTRACE_SEIZE", errno: error.raw_os_error().unwrap_or(libc::EIO) };
    TraceError::Impossible { reason: reason(&prerequisites(&Evidence::read(Err(refusal), ""))) }
}

/// Names the prerequisites that are in the way, and where to read on.
fn reason(prerequisites: &[Prerequisite]) -> String {
    let blamed = |state| {
        prerequisites
            .iter()
            .filter(move |prerequisite| prerequisite.state == state)
            .map(|prerequisite| prerequisite.found.as_str())
    };
    let unmet: Vec<&str> = blamed(PrerequisiteState::Unmet).collect();
    let suspects: Vec<&str> = blamed(PrerequisiteState::Suspect).collect();
    let suspects = if suspects.is_empty() { String::new() } else { format!("; perhaps {}", suspects.join(", or ")) };
    format!("{}{suspects}; run `cargo sysguard doctor` for what to do", unmet.join("; "))
}

/// A request that the kernel refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal {
    request: &'static str,
    errno: i32,
}

/// Traces an idle child with every request that the tracer needs, and inspects the child.
fn attempt() -> Result<Availability, Refusal> {
    let refused =
        |request| move |error: io::Error| Refusal { request, errno: error.raw_os_error().unwrap_or(libc::EIO) };
    let child =
        PreparedCommand::new(Command::idle(), None).and_then(PreparedCommand::suspend).map_err(refused("fork"))?;
    let traced = sys::seize(child.tid, sys::SeizeOptions { filtered: false, exits: true })
        .map_err(refused("PTRACE_SEIZE"))
        .and_then(|()| {
            sys::interrupt(child.tid).map_err(refused("PTRACE_INTERRUPT"))?;
            let stopped = sys::wait().map_err(refused("waitpid"))?.map(|(tid, _)| Stopped::reported(tid));
            match stopped.map(|task| task.syscall_info()).transpose().map_err(refused("PTRACE_GET_SYSCALL_INFO"))? {
                Some(Alive::Yes(_)) => Ok(Availability::of_child(child.tid)),
                Some(Alive::Gone) | None => Err(Refusal { request: "waitpid", errno: libc::ESRCH }),
            }
        });
    sys::kill(child.tid, libc::SIGKILL);
    Tracer::default().reap_all();
    traced
}

/// Facts about this machine and this process.
#[derive(Debug, Clone)]
struct Evidence {
    attempt: Result<Availability, Refusal>,
    proc: ProcMount,
    files: Availability,
    /// `uname -r`
    release: String,
    /// kernel.yama.ptrace_scope; `None` if the kernel has no Yama.
    yama: Option<String>,
    /// proc_pid_status(5) of this process.
    status: String,
    /// The container runtime, if there are signs of one.
    container: Option<&'static str>,
    /// The RUSTFLAGS that workloads are built with.
    rustflags: String,
}

impl Evidence {
    fn read(attempt: Result<Availability, Refusal>, rustflags: &str) -> Self {
        let signs = [
            ("/var/run/secrets/kubernetes.io", "Kubernetes"),
            ("/run/.containerenv", "Podman"),
            ("/.dockerenv", "Docker"),
        ];
        Self {
            attempt,
            proc: ProcMount::read(),
            files: Availability::of_files(),
            release: uname().map(|uts| uts.release().to_string_lossy().into_owned()).unwrap_or_default(),
            yama: fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok().map(|text| text.trim().to_owned()),
            status: fs::read_to_string("/proc/self/status").unwrap_or_default(),
            container: signs.iter().find(|(sign, _)| Path::new(sign).exists()).map(|(_, name)| *name),
            rustflags: rustflags.to_owned(),
        }
    }

    /// Returns the state of a prerequisite that matters only if the attempt failed.
    fn suspect_if(&self, is_suspect: bool) -> PrerequisiteState {
        if is_suspect && self.attempt.is_err() { PrerequisiteState::Suspect } else { PrerequisiteState::Met }
    }
}

fn prerequisite(
    name: &'static str,
    state: PrerequisiteState,
    found: impl Into<String>,
    remedies: &[Remedy],
) -> Prerequisite {
    let remedies = if state == PrerequisiteState::Met { Vec::new() } else { remedies.to_vec() };
    Prerequisite { name, state, found: found.into(), remedies }
}

/// Judges the evidence.
fn prerequisites(evidence: &Evidence) -> Vec<Prerequisite> {
    vec![
        ptrace(evidence),
        kernel(evidence),
        emulator(evidence),
        tracer(evidence),
        yama(evidence),
        capability(evidence),
        seccomp(evidence),
        container(evidence),
        sanitizer(evidence),
        proc_mount(evidence.proc),
        files(evidence.files),
        memory(evidence.attempt.ok().filter(|_| evidence.proc == ProcMount::Ours)),
    ]
}

fn ptrace(evidence: &Evidence) -> Prerequisite {
    match evidence.attempt {
        Ok(_) => prerequisite("ptrace", PrerequisiteState::Met, "a child was started and traced", &[]),
        Err(Refusal { request, errno }) => {
            let found = format!("{request} is refused: {}", io::Error::from_raw_os_error(errno));
            prerequisite("ptrace", PrerequisiteState::Unmet, found, &[])
        }
    }
}

/// PTRACE_GET_SYSCALL_INFO: "(since Linux 5.3)", ptrace(2).
const NEEDED: (u32, u32) = (5, 3);

fn kernel(evidence: &Evidence) -> Prerequisite {
    let release = &evidence.release;
    let refused = evidence.attempt.is_err_and(|refusal| refusal.request == "PTRACE_GET_SYSCALL_INFO");
    let is_too_old = version(release).is_some_and(|version| version < NEEDED);
    if refused || is_too_old {
        let found = format!("Linux {release} lacks PTRACE_GET_SYSCALL_INFO (Linux 5.3)");
        return prerequisite(
            "kernel",
            PrerequisiteState::Unmet,
            found,
            &[Remedy { place: "here", paste: "boot Linux 5.3 or later" }],
        );
    }
    prerequisite("kernel", PrerequisiteState::Met, format!("Linux {release}; 5.3 is needed"), &[])
}

/// `6.18.44-generic` → 6, 18
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn emulator(evidence: &Evidence) -> Prerequisite {
    if evidence.attempt.is_err_and(|refusal| refusal.errno == libc::ENOSYS) {
        let remedies = [
            Remedy { place: "Docker", paste: "use docker run --platform with this machine's own architecture" },
            Remedy { place: "elsewhere", paste: "use a whole emulated machine (qemu-system) instead of qemu-user" },
        ];
        return prerequisite(
            "emulator",
            PrerequisiteState::Unmet,
            "ptrace is not implemented: this program runs under user-mode emulation",
            &remedies,
        );
    }
    prerequisite("emulator", PrerequisiteState::Met, "the kernel implements ptrace", &[])
}

fn tracer(evidence: &Evidence) -> Prerequisite {
    match field(&evidence.status, "TracerPid:") {
        None | Some("0") => prerequisite("tracer", PrerequisiteState::Met, "this process has no tracer", &[]),
        Some(pid) => {
            let found = format!("process {pid} already traces this process");
            let remedy = Remedy { place: "here", paste: "run it outside of strace -f, gdb, rr or tarpaulin" };
            prerequisite("tracer", evidence.suspect_if(true), found, &[remedy])
        }
    }
}

/// Documentation/admin-guide/LSM/Yama.rst: 0 and 1 let a parent trace its child, 2 requires
/// CAP_SYS_PTRACE, 3 forbids to attach.
fn yama(evidence: &Evidence) -> Prerequisite {
    let sysctl = Remedy { place: "the host", paste: "sudo sysctl kernel.yama.ptrace_scope=1" };
    let reboot = Remedy {
        place: "the host",
        paste: "set kernel.yama.ptrace_scope=1 in /etc/sysctl.d and reboot (3 cannot be changed before)",
    };
    let scope = |what: &str| format!("kernel.yama.ptrace_scope is {what}");
    match evidence.yama.as_deref() {
        None => prerequisite("yama", PrerequisiteState::Met, "this kernel has no Yama", &[]),
        Some("3") => prerequisite(
            "yama",
            PrerequisiteState::Unmet,
            scope("3: tracing is disabled until the next boot"),
            &[reboot],
        ),
        Some("2") if !has_cap_sys_ptrace(&evidence.status) => {
            prerequisite("yama", PrerequisiteState::Unmet, scope("2: only CAP_SYS_PTRACE may trace"), &[sysctl])
        }
        Some(other) => prerequisite("yama", PrerequisiteState::Met, scope(other), &[]),
    }
}

fn capability(evidence: &Evidence) -> Prerequisite {
    if has_cap_sys_ptrace(&evidence.status) {
        return prerequisite("capability", PrerequisiteState::Met, "this process has CAP_SYS_PTRACE", &[]);
    }
    let found = "CAP_SYS_PTRACE is missing (the kernel does not require it for own children)";
    prerequisite("capability", evidence.suspect_if(evidence.container.is_some()), found, CONTAINERS)
}

fn seccomp(evidence: &Evidence) -> Prerequisite {
    match field(&evidence.status, "Seccomp:") {
        Some("2") => {
            let state = evidence.suspect_if(true);
            let found = if state == PrerequisiteState::Met {
                "a seccomp filter is installed and allows ptrace"
            } else {
                "a seccomp filter refuses ptrace"
            };
            prerequisite("seccomp", state, found, CONTAINERS)
        }
        Some("0") => prerequisite("seccomp", PrerequisiteState::Met, "no seccomp filter is installed", &[]),
        _ => prerequisite("seccomp", PrerequisiteState::Met, "unknown: the kernel does not report it", &[]),
    }
}

fn container(evidence: &Evidence) -> Prerequisite {
    let found = evidence.container.map_or("no container detected".to_owned(), |name| format!("{name} detected"));
    prerequisite("container", PrerequisiteState::Met, found, &[])
}

/// LeakSanitizer stops its program's threads by ptrace(2) at the end, and fails if they have a
/// tracer: "LeakSanitizer does not work under ptrace". The address sanitizers include it; the other
/// sanitizers work.
fn sanitizer(evidence: &Evidence) -> Prerequisite {
    let flags = evidence.rustflags.split([' ', '\u{1f}']).filter_map(|flag| flag.split_once("sanitizer="));
    let sanitizers: Vec<&str> = flags.flat_map(|(_, names)| names.split(',')).collect();
    let leaky = sanitizers.iter().find(|name| ["address", "hwaddress", "leak"].contains(*name));
    let Some(name) = leaky else {
        return prerequisite("sanitizer", PrerequisiteState::Met, "RUSTFLAGS enable no leak detection", &[]);
    };
    let found = format!("RUSTFLAGS enable the {name} sanitizer; its leak detection fails in a traced workload");
    let remedies = [
        Remedy { place: "an expectation", paste: "env: {ASAN_OPTIONS: detect_leaks=0, LSAN_OPTIONS: detect_leaks=0}" },
        Remedy { place: "here", paste: "unset RUSTFLAGS" },
    ];
    prerequisite("sanitizer", PrerequisiteState::Suspect, found, &remedies)
}

/// Objects are read from `/proc/TID`.
fn proc_mount(proc: ProcMount) -> Prerequisite {
    let remedies = [
        Remedy { place: "here", paste: "mount -t proc proc /proc" },
        Remedy { place: "unshare", paste: "unshare --pid --fork --mount-proc …" },
    ];
    match proc {
        ProcMount::Ours => prerequisite("/proc", PrerequisiteState::Met, "mounted for this PID namespace", &[]),
        ProcMount::Missing => {
            prerequisite("/proc", PrerequisiteState::Unmet, "no proc filesystem is mounted at /proc", &remedies)
        }
        ProcMount::Foreign => {
            let found =
                "/proc shows another PID namespace: files of other processes would be attributed to the workload";
            prerequisite("/proc", PrerequisiteState::Unmet, found, &remedies)
        }
    }
}

fn files(availability: Availability) -> Prerequisite {
    let remedy =
        Remedy { place: "Docker", paste: "use a current Docker and libseccomp (their default profile allows statx)" };
    match availability {
        Availability::Works => prerequisite("statx", PrerequisiteState::Met, "the kernel answers statx", &[]),
        Availability::FallsBack => {
            prerequisite("statx", PrerequisiteState::Met, "statx is refused; fstatat and fdinfo answer instead", &[])
        }
        Availability::Refused => {
            prerequisite("statx", PrerequisiteState::Unmet, "statx is refused, and so is fstatat", &[remedy])
        }
    }
}

/// Judges access to the memory and the fds of a child.
fn memory(availability: Option<Availability>) -> Prerequisite {
    let own = Remedy { place: "here", paste: "make the program readable: chmod +r cargo-sysguard" };
    let found = match availability {
        Some(Availability::Refused) => {
            let found = "the memory or the fds of a child cannot be read";
            return prerequisite("memory", PrerequisiteState::Unmet, found, &[&[own], CONTAINERS].concat());
        }
        Some(Availability::Works) => "the memory and the fds of a child can be read",
        Some(Availability::FallsBack) => {
            "process_vm_readv is refused; /proc/PID/mem or PTRACE_PEEKDATA answers instead"
        }
        None => "not tried, since another prerequisite is not met",
    };
    prerequisite("memory", PrerequisiteState::Met, found, &[])
}

/// How to let a process trace its children in each container runtime.
const CONTAINERS: &[Remedy] = &[
    Remedy { place: "Docker", paste: "docker run --cap-add=SYS_PTRACE …" },
    Remedy {
        place: "Docker before 19.03",
        paste: "docker run --cap-add=SYS_PTRACE --security-opt seccomp=unconfined …",
    },
    Remedy { place: "Podman", paste: "podman run --cap-add=SYS_PTRACE …" },
    Remedy { place: "Kubernetes", paste: "securityContext: {capabilities: {add: [SYS_PTRACE]}}" },
    Remedy { place: "GitHub Actions", paste: "container: {image: …, options: --cap-add=SYS_PTRACE}" },
    Remedy { place: "GitLab runner", paste: "cap_add = [\"SYS_PTRACE\"] in [runners.docker] of config.toml" },
];

#[cfg(test)]
mod tests;
