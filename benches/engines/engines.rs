//! The engines: from a workload's command to the command that runs it traced. Main type:
//! [`Engine`].

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::watch;

/// A way to run a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Without a tracer
    Native,
    /// `--engine guard`, with a baseline recorded just before
    Guard,
    /// `--engine ptrace`
    Ptrace,
    /// `--engine notify`
    Notify,
    /// `strace -f -c`
    Strace,
    /// `strace -f -c` with its workload on one CPU, as the tracer of `--engine ptrace` is
    StracePinned,
    /// `strace -f -c --seccomp-bpf`: all syscalls of the workload are traced, so the filter saves
    /// little
    StraceBpf,
    /// `perf trace -s`
    PerfTrace,
    /// A seccomp filter that allows every call, without a tracer: see [`floor`](crate::floor)
    Filter,
    /// A tracer that only follows new tasks
    Births,
}

impl Engine {
    pub(crate) const ALL: [Self; 10] = [
        Self::Native,
        Self::Guard,
        Self::Ptrace,
        Self::Notify,
        Self::Strace,
        Self::StracePinned,
        Self::StraceBpf,
        Self::PerfTrace,
        Self::Filter,
        Self::Births,
    ];

    /// Returns the name in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Guard => "guard",
            Self::Ptrace => "ptrace",
            Self::Notify => "notify",
            Self::Strace => "strace",
            Self::StracePinned => "strace-pinned",
            Self::StraceBpf => "strace-bpf",
            Self::PerfTrace => "perf-trace",
            Self::Filter => "filter",
            Self::Births => "births",
        }
    }

    /// Returns the measured command, as a reader would type it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Strace => "strace -f -c",
            Self::StracePinned => "strace -f -c on one CPU",
            Self::StraceBpf => "strace --seccomp-bpf",
            Self::PerfTrace => "perf trace -s",
            own => own.name(),
        }
    }

    /// Returns true for engines that report nothing: these are measured only if they are named.
    pub(crate) fn is_floor(self) -> bool {
        matches!(self, Self::Filter | Self::Births)
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    pub(crate) fn unknown(name: &str) -> String {
        format!("unknown engine {name}; use one of {}", Self::ALL.map(Self::name).join(", "))
    }

    pub(crate) fn is_installed(self) -> bool {
        match self {
            Self::Native | Self::Guard | Self::Ptrace | Self::Notify | Self::Filter | Self::Births => true,
            Self::Strace | Self::StraceBpf => on_path("strace"),
            Self::StracePinned => on_path("strace") && on_path("taskset"),
            Self::PerfTrace => on_path("perf"),
        }
    }

    /// Returns the command that runs this one traced; the tracer's output goes to `/dev/null`.
    pub(crate) fn around(self, words: &[OsString]) -> Command {
        let before: &[&str] = match self {
            Self::Native => &[],
            Self::Guard | Self::Ptrace | Self::Notify | Self::Filter | Self::Births => {
                return watch::command(self.name(), words);
            }
            Self::Strace => &["strace", "-f", "-c", "-o", "/dev/null", "--"],
            Self::StracePinned => &["taskset", "-c", "0", "strace", "-f", "-c", "-o", "/dev/null", "--"],
            Self::StraceBpf => &["strace", "-f", "-c", "--seccomp-bpf", "-o", "/dev/null", "--"],
            Self::PerfTrace => &["perf", "trace", "-s", "-o", "/dev/null", "--"],
        };
        let mut all = before.iter().map(OsString::from).chain(words.iter().cloned());
        let mut command = Command::new(all.next().unwrap_or_default());
        command.args(all);
        command
    }
}

/// Returns true if a program is on the PATH.
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}
