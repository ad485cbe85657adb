//! Finds out which rights sampling lacks here, and how to get them. Main type: [`Rights`].
//!
//! Reading the rights and judging them are separate, so that tests can judge other machines.

use std::fs;
use std::path::Path;

use perf_event::Builder;
use perf_event::events::Software;
use sysguard::unstable::model::trace::prerequisite::{Prerequisite, PrerequisiteState, Remedy};

use crate::uapi::{
    CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYSLOG, EACCES, EMFILE, ENOMEM, ENOSYS, EPERM, PROC_USER_INIT_INO,
};

/// Settings and capabilities that sampling depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// kernel.perf_event_paranoid; `None` if the kernel has no perf events.
    pub paranoid: Option<i32>,
    /// The kernel refuses an event of this process's own user code.
    pub refuses_user: bool,
    /// kernel.kptr_restrict.
    pub kptr_restrict: Option<i32>,
    /// CAP_PERFMON or CAP_SYS_ADMIN is in the effective set. Capabilities of a user namespace other
    /// than the first give no such right: perfmon_capable(), include/linux/capability.h.
    pub perfmon: bool,
    /// CAP_SYSLOG is in the effective set.
    pub syslog: bool,
    /// CAP_BPF or CAP_SYS_ADMIN is in the effective set.
    pub bpf: bool,
    /// A seccomp filter is installed.
    pub filtered: bool,
    /// The kernel describes its types: `/sys/kernel/btf/vmlinux`.
    pub btf: bool,
    /// tracefs is mounted and its events can be read.
    pub tracefs: bool,
}

/// Where tracefs is mounted: Documentation/trace/ftrace.rst.
const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

impl Rights {
    /// Reads the rights of this process.
    pub fn read() -> Self {
        let number = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?.trim().parse().ok();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let effective = field("CapEff:").and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or_default();
        let first = format!("user:[{PROC_USER_INIT_INO}]");
        // A kernel without user namespaces has no such file.
        let is_first = fs::read_link("/proc/self/ns/user").map_or(true, |namespace| namespace == Path::new(&first));
        let has = |capability: u32| is_first && effective >> capability & 1 == 1;
        let mut event = Builder::new(Software::DUMMY);
        Self {
            refuses_user: event.observe_self().any_cpu().exclude_kernel(true).exclude_hv(true).build().is_err(),
            paranoid: number("perf_event_paranoid"),
            kptr_restrict: number("kptr_restrict"),
            perfmon: has(CAP_PERFMON) || has(CAP_SYS_ADMIN),
            syslog: has(CAP_SYSLOG),
            bpf: has(CAP_BPF) || has(CAP_SYS_ADMIN),
            filtered: field("Seccomp:") == Some("2"),
            btf: Path::new("/sys/kernel/btf/vmlinux").exists(),
            tracefs: TRACEFS.iter().any(|folder| fs::read_dir(Path::new(folder).join("events")).is_ok()),
        }
    }

    /// Returns the prerequisites of sampling and of BPF programs. Tracing needs none of them.
    pub fn prerequisites(&self) -> Vec<Prerequisite> {
        let shows_kernel = !self.refuses_user && (self.perfmon || self.paranoid.is_some_and(|paranoid| paranoid < 2));
        let paranoid = match self.paranoid {
            None => "this kernel has no perf_event_open".to_owned(),
            Some(paranoid) if self.refuses_user => format!("{paranoid}: nothing can be sampled"),
            Some(paranoid) if shows_kernel => format!("{paranoid}: user and kernel code can be sampled"),
            Some(paranoid) => format!("{paranoid}: only user code can be sampled"),
        };
        let shows_names = self.shows_names();
        let kptr = match self.kptr_restrict {
            None => "this kernel has no kptr_restrict".to_owned(),
            Some(kptr) if shows_names => format!("{kptr}: kernel functions have names"),
            Some(kptr) => format!("{kptr}: kernel functions have no names"),
        };
        let has = |is_there, is_needed, lacks: &str| match (is_there, is_needed) {
            (true, _) => "this process has it".to_owned(),
            (false, true) => format!("missing: {lacks}"),
            (false, false) => "missing, but not needed here".to_owned(),
        };
        let perfmon = has(self.perfmon, !shows_kernel, "kernel code cannot be sampled");
        let syslog = has(self.syslog, !shows_names, "kernel functions have no names");
        let bpf = has(self.bpf, true, "no BPF program can be loaded");
        let exists = |is_there, lacks: &str| if is_there { "found".to_owned() } else { lacks.to_owned() };
        vec![
            gate("perf_event_paranoid", shows_kernel, paranoid, PARANOID),
            gate("kptr_restrict", shows_names, kptr, KPTR),
            gate(
                "CAP_PERFMON",
                self.perfmon || shows_kernel,
                perfmon,
                Remedy { place: "Docker", paste: "docker run --cap-add=PERFMON …" },
            ),
            gate(
                "CAP_SYSLOG",
                self.syslog || shows_names,
                syslog,
                Remedy { place: "Docker", paste: "docker run --cap-add=SYSLOG …" },
            ),
            gate(
                "CAP_BPF",
                self.bpf,
                bpf,
                Remedy { place: "Docker", paste: "docker run --cap-add=BPF --cap-add=PERFMON …" },
            ),
            gate("BTF", self.btf, exists(self.btf, "/sys/kernel/btf/vmlinux is missing"), BTF),
            gate("tracefs", self.tracefs, exists(self.tracefs, "no tracefs can be read"), MOUNT),
        ]
    }

    /// Returns whether `/proc/kallsyms` shows addresses: kallsyms_show_value(),
    /// kernel/ksyms_common.c.
    fn shows_names(&self) -> bool {
        match self.kptr_restrict.unwrap_or_default() {
            0 => self.syslog || self.paranoid.is_some_and(|paranoid| paranoid <= 1),
            1 => self.syslog,
            _ => false,
        }
    }

    /// Returns why the kernel refused with this errno, and a second line with a remedy.
    pub fn refusal(&self, errno: i32) -> String {
        let (reason, help) = self.explain(errno);
        format!("cannot sample: {reason}\nhelp: {help}")
    }

    fn explain(&self, errno: i32) -> (String, &'static str) {
        match errno {
            ENOSYS if self.paranoid.is_none() => {
                ("this kernel has no perf_event_open".to_owned(), "boot a kernel with CONFIG_PERF_EVENTS")
            }
            ENOSYS | EPERM | EACCES if self.filtered && !self.is_forbidden() => {
                ("a seccomp filter refuses perf_event_open".to_owned(), CONTAINER)
            }
            EPERM | EACCES if self.is_forbidden() => {
                let paranoid = self.paranoid.unwrap_or_default();
                let reason = format!(
                    "kernel.perf_event_paranoid is {paranoid}, which requires CAP_PERFMON for all performance events"
                );
                (reason, "run `sudo sysctl kernel.perf_event_paranoid=1`, or run it as root")
            }
            EPERM | EACCES => (
                "perf_event_open is refused: a security module or the lockdown of the kernel forbids it".to_owned(),
                "run it outside of the container, or as root",
            ),
            ENOMEM => (
                "the buffers exceed the limit of locked memory, which all runs of a user share".to_owned(),
                "wait for other runs, or raise the limit: sudo sysctl kernel.perf_event_mlock_kb=4096",
            ),
            EMFILE => ("too many files are open".to_owned(), "raise the limit: ulimit -n 4096"),
            _ => {
                let error = std::io::Error::from_raw_os_error(errno);
                (format!("perf_event_open failed: {error}"), "run `cargo sysguard doctor`")
            }
        }
    }

    /// Returns whether a value of a patched kernel forbids all events: Debian and Android add 3,
    /// Ubuntu adds 4.
    fn is_forbidden(&self) -> bool {
        !self.perfmon && self.paranoid.is_some_and(|paranoid| paranoid > 2)
    }
}

const PARANOID: Remedy = Remedy { place: "the host", paste: "sudo sysctl kernel.perf_event_paranoid=1" };
const KPTR: Remedy =
    Remedy { place: "the host", paste: "sudo sysctl kernel.perf_event_paranoid=1 kernel.kptr_restrict=0" };
const BTF: Remedy = Remedy { place: "the host", paste: "boot a kernel with CONFIG_DEBUG_INFO_BTF" };
const MOUNT: Remedy = Remedy { place: "here", paste: "sudo mount -t tracefs tracefs /sys/kernel/tracing" };

fn gate(name: &'static str, is_met: bool, found: String, remedy: Remedy) -> Prerequisite {
    let (state, remedies) =
        if is_met { (PrerequisiteState::Met, Vec::new()) } else { (PrerequisiteState::Unmet, vec![remedy]) };
    Prerequisite { name, state, found, remedies }
}

/// Docker allows perf_event_open to containers with this capability: profiles/seccomp/default.json
/// of moby.
const CONTAINER: &str = "run the container with CAP_PERFMON: docker run --cap-add=PERFMON …";

#[cfg(test)]
mod tests;
