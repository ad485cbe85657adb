//! How important a finding is for a reviewer. Main type: [`Weight`].
//!
//! It must not decide what fails: the `level:` of the document does. It only sets the order of
//! reading.

use crate::model::attribution::{ObjectClass, ObjectKind, Subsystem, can_write};
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::{Finding, FindingKind};

/// The importance of a finding, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A `forbid:` rule is broken.
    Forbidden,
    /// A subsystem that the workload did not use before.
    NewSubsystem,
    /// A process that crashed.
    Crash,
    /// A call with power over the machine or over other processes, or one that hides other actions.
    Privileged,
    /// Any other call.
    NewCall,
    /// A new argument, object or error of a known call, or any other signal that ended a process.
    Detail,
    /// A note, which does not fail.
    Note,
}

impl Weight {
    /// Returns the weight of a failing finding.
    pub fn of(finding: &Finding) -> Self {
        match finding.kind {
            _ if finding.forbidden.is_some() => Self::Forbidden,
            FindingKind::NewSubsystem => Self::NewSubsystem,
            FindingKind::NewSignal if is_crash(&finding.fact) => Self::Crash,
            FindingKind::NewBlindSpot | FindingKind::NewAbi => Self::Privileged,
            FindingKind::NewSyscall if privilege(&finding.fact).is_some() => Self::Privileged,
            FindingKind::NewSyscall => Self::NewCall,
            FindingKind::NewSignal
            | FindingKind::NewArgument
            | FindingKind::NewObject
            | FindingKind::NewUse
            | FindingKind::NewError => Self::Detail,
        }
    }
}

/// How far the effects of a finding reach, furthest first. It orders findings of one weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Addresses: other machines, or clients on this one.
    Address,
    /// Other programs, by their name.
    Program,
    /// Other uses of the network.
    Network,
    /// Files that it writes, creates, renames or removes.
    Writes,
    /// Other processes.
    Process,
    /// Anything else that outlives the process or that others see.
    System,
    /// Files.
    Storage,
    /// The process itself: its memory, its time, its waits.
    Itself,
    /// Objects without effects, such as `/dev/null`.
    Nothing,
}

impl Reach {
    /// Returns the reach of a finding.
    pub fn of(finding: &Finding) -> Self {
        let mut objects = objects(finding).peekable();
        if objects.peek().is_some() && objects.all(is_without_effect) {
            return Self::Nothing;
        }
        let is_one_of = |calls: &[&str]| finding.fact.syscall().is_some_and(|syscall| calls.contains(&syscall));
        match finding.fact.subsystem() {
            Some(Subsystem::Network) if is_one_of(ADDRESSED) => Self::Address,
            Some(Subsystem::Process) if is_one_of(&["execve", "execveat"]) => Self::Program,
            Some(Subsystem::Network) => Self::Network,
            Some(_) if writes(finding) => Self::Writes,
            Some(Subsystem::Process) => Self::Process,
            Some(Subsystem::Filesystem | Subsystem::Block) => Self::Storage,
            Some(
                Subsystem::Memory
                | Subsystem::Futex
                | Subsystem::Poll
                | Subsystem::Random
                | Subsystem::Scheduler
                | Subsystem::Signal
                | Subsystem::Time,
            ) => Self::Itself,
            _ => Self::System,
        }
    }
}

/// Calls that take an address.
const ADDRESSED: &[&str] = &["connect", "bind", "sendto", "sendmsg", "sendmmsg"];

/// Returns a key that orders findings for a reader. The reach decides before the kind of detail
/// does: a new address of a known call comes before a new call of the process itself.
pub fn rank(weight: Weight, finding: &Finding) -> (Weight, Reach, Weight) {
    let class = if weight == Weight::Detail { Weight::NewCall } else { weight };
    (class, Reach::of(finding), weight)
}

/// Returns the details that a finding names.
fn details(finding: &Finding) -> impl Iterator<Item = &Detail> {
    finding.fact.detail().into_iter().chain(&finding.details)
}

/// Returns the objects that a finding names.
fn objects(finding: &Finding) -> impl Iterator<Item = &ObjectKind> {
    details(finding).filter_map(Detail::object)
}

/// Returns whether a finding is a call that can change files. Opening a terminal for writing does
/// not count.
fn writes(finding: &Finding) -> bool {
    let Some(syscall) = finding.fact.syscall() else { return false };
    let is_file =
        |detail: &Detail| !detail.object().is_some_and(|object| matches!(object.class(), ObjectClass::Character(_)));
    let is_use = |detail: &&Detail| detail.is_use();
    match details(finding).find(is_use) {
        None => can_write(syscall, None),
        Some(_) => {
            details(finding).filter(is_use).any(|detail| is_file(detail) && can_write(syscall, detail.argument()))
        }
    }
}

fn is_without_effect(object: &ObjectKind) -> bool {
    ["char:null", "char:zero", "char:full"].contains(&object.as_str())
}

fn is_crash(fact: &Fact) -> bool {
    matches!(fact, Fact::Signal(signal) if signal.is_crash())
}

/// Returns why the call of a fact is privileged, or `None` if it is not.
pub fn privilege(fact: &Fact) -> Option<&'static str> {
    let Fact::Use { syscall: Some(syscall), .. } = fact else { return None };
    // On 32-bit ABIs, `setuid` takes 16-bit ids and `setuid32` takes 32-bit ids.
    let name = syscall.strip_suffix("32").unwrap_or(syscall);
    PRIVILEGED.iter().find(|(names, _)| names.contains(&name)).map(|(_, reason)| *reason)
}

/// Privileged calls with the reason. The list is curated by hand. A call belongs here if it is rare
/// in ordinary programs and one successful use changes what a process may do, or hides what it
/// does.
const PRIVILEGED: &[(&[&str], &str)] = &[
    (&["ptrace", "process_vm_readv", "process_vm_writev"], "reads or changes another process"),
    (&["pidfd_getfd"], "duplicates an fd of another process"),
    (&["bpf"], "runs its own program in the kernel"),
    (&["perf_event_open"], "observes other processes or the kernel"),
    (&["io_uring_setup", "io_uring_register"], "does I/O without system calls, which is not traced"),
    (&["userfaultfd"], "controls when another thread or the kernel continues"),
    (&["init_module", "finit_module", "delete_module"], "changes the code of the kernel"),
    (&["kexec_load", "kexec_file_load", "reboot"], "replaces or stops the kernel"),
    (&["mount", "umount", "umount2", "move_mount", "open_tree", "mount_setattr"], "changes what paths mean"),
    (&["fsopen", "fsconfig", "fsmount", "fspick"], "prepares a filesystem to mount"),
    (&["pivot_root", "chroot"], "changes what `/` means"),
    (&["unshare", "setns"], "enters another namespace"),
    (&["setuid", "setreuid", "setresuid", "setfsuid"], "changes the user it acts as"),
    (&["setgid", "setregid", "setresgid", "setfsgid", "setgroups"], "changes the groups it acts as"),
    (&["capset"], "changes its capabilities"),
    (&["add_key", "request_key", "keyctl"], "uses keys in the kernel's keyrings"),
    (&["open_by_handle_at"], "opens files without permission checks on their directories"),
    (&["fanotify_init"], "watches and can deny opens of other processes"),
    (&["mknod", "mknodat"], "can create device nodes"),
    (&["ioperm", "iopl"], "accesses hardware directly"),
    (&["swapon", "swapoff", "quotactl", "quotactl_fd", "acct"], "administers storage and accounting"),
    (&["settimeofday", "clock_settime", "stime"], "sets the clock of the machine"),
    (&["sethostname", "setdomainname"], "renames the machine"),
    (&["syslog"], "reads or clears the kernel log"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    fn finding(key: &str) -> Finding {
        Finding::new(key.parse().expect(key), 1)
    }

    #[test]
    fn findings_are_sorted_by_weight() {
        let forbidden = Finding { forbidden: Some("never".to_owned()), ..finding("filesystem::close::object=dir") };
        let mut found = [
            finding("network::socket::argument=AF_INET"),
            finding("network::socket"),
            finding("process::ptrace"),
            finding("network"),
            forbidden,
        ];
        found.sort_by_key(Weight::of);
        let facts: Vec<String> = found.iter().map(|finding| finding.fact.to_string()).collect();
        assert_eq!(
            facts,
            [
                "filesystem::close::object=dir",
                "network",
                "process::ptrace",
                "network::socket",
                "network::socket::argument=AF_INET"
            ]
        );
        assert_eq!(Weight::of(&finding("blind_spots::io_uring")), Weight::Privileged);
        assert_eq!(Weight::of(&finding("signals::SIGSEGV")), Weight::Crash);
        assert_eq!(Weight::of(&finding("signals::SIGTERM")), Weight::Detail);
        assert_eq!(Weight::of(&finding("process::setuid32")), Weight::Privileged);
        assert_eq!(Weight::of(&finding("process::ptrace::argument=PTRACE_PEEKDATA")), Weight::Detail);
    }

    #[test]
    fn findings_are_ordered_by_reach() {
        let with_null =
            Finding { details: vec!["object=char:null".parse().expect("a detail")], ..finding("device::ioctl") };
        let opened = |pair: &str| finding(&format!("filesystem::openat::{pair}"));
        let mut found = [
            finding("filesystem::write::object=char:null"),
            finding("memory::mmap"),
            finding("filesystem::openat"),
            with_null,
            finding("device::ioctl"),
            finding("process::getppid"),
            opened("O_WRONLY|O_CREAT,file"),
            opened("O_RDWR,char:tty"),
            finding("filesystem::unlinkat"),
            finding("network::socket"),
            finding("process::execve::argument=curl"),
            finding("network::connect::argument=global"),
        ];
        found.sort_by_key(|finding| rank(Weight::of(finding), finding));
        let facts: Vec<String> = found.iter().map(|finding| finding.fact.to_string()).collect();
        assert_eq!(
            facts,
            [
                "network::connect::argument=global",
                "process::execve::argument=curl",
                "network::socket",
                "filesystem::unlinkat",
                "filesystem::openat::O_WRONLY|O_CREAT,file",
                "process::getppid",
                "device::ioctl",
                "filesystem::openat",
                "filesystem::openat::O_RDWR,char:tty",
                "memory::mmap",
                "device::ioctl",
                "filesystem::write::object=char:null"
            ]
        );
    }

    #[test]
    fn new_call_writes_if_any_use_writes() {
        let opened = |uses: &[&str]| {
            let details = uses.iter().map(|text| text.parse().expect("a detail")).collect();
            Reach::of(&Finding { details, ..finding("filesystem::openat") })
        };
        assert_eq!(opened(&["O_WRONLY,char:pts", "argument=O_PATH", "object=file"]), Reach::Storage);
        assert_eq!(opened(&["O_WRONLY,char:pts", "object=file", "O_RDWR,file"]), Reach::Writes);
        assert_eq!(opened(&["O_WRONLY|O_CREAT,char:null"]), Reach::Nothing);
    }

    #[test]
    fn privileged_calls_exist_and_are_unique() {
        let mut seen = BTreeSet::new();
        for name in PRIVILEGED.iter().flat_map(|(names, _)| *names) {
            assert!(seen.insert(name), "{name} is listed twice");
            let known = Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, name).is_some());
            assert!(known, "{name} is no system call of any ABI");
        }
    }
}
