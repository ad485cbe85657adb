//! Turns a command into a traced process that waits to execute it: [`PreparedCommand`] →
//! [`Suspended`] → running.
//!
//! The child shares this process's memory until its execve: copying it, and copying each page
//! written from then on, costs more than running a small workload. A dedicated thread starts the
//! child and is suspended meanwhile, so that no other code uses that thread's memory. Everything is
//! allocated before; the child only makes system calls.
#![expect(unsafe_code, reason = "a child in a process that may have threads")]

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use nix::fcntl::OFlag;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getppid, pipe2, setpgid, setsid};

use super::command::{Command, Environment, Stream};
use super::sys::{self, Filter, StringArray};
use crate::model::kernel::call::Tid;
use crate::model::kernel::uapi::NSIG;

impl Command {
    /// Returns a command that is forked but never executed: `/` is not executable.
    pub(super) fn idle() -> Self {
        Self {
            program: PathBuf::from("/"),
            argv: Vec::new(),
            environment: Environment::Exactly(Vec::new()),
            cwd: None,
            scratch: None,
            stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
            isolated: false,
            filters: Vec::new(),
        }
    }
}

/// A command in the form that the kernel takes.
#[derive(Debug)]
pub(super) struct PreparedCommand {
    program: CString,
    argv: StringArray,
    environment: StringArray,
    cwd: Option<CString>,
    stdio: [Stream; 3],
    isolated: bool,
    /// In the order of installation; the filter of an engine comes first.
    filters: Vec<Filter>,
    dies_with_parent: bool,
    group: Option<Pid>,
}

/// A child that has not executed the command yet. It waits for [`Suspended::go`], and ends if that
/// is never called.
#[derive(Debug)]
pub(super) struct Suspended {
    pub(super) tid: Tid,
    /// The start pipe and the launch; `None` after [`Suspended::go`].
    pending: Option<(File, Launched)>,
}

/// A child that may execute the command.
#[derive(Debug)]
pub(super) struct Launched {
    launcher: JoinHandle<io::Result<Option<LaunchFailure>>>,
    /// Keeps the launcher thread alive. For the children of a thread, its end counts as the death
    /// of their parent: PR_SET_PDEATHSIG, prctl(2).
    end: mpsc::Sender<()>,
}

/// Why the child did not execute the command.
#[derive(Debug)]
pub(super) struct LaunchFailure {
    /// The step that failed.
    pub(super) step: LaunchStep,
    /// The error of the system call.
    pub(super) source: io::Error,
}

/// A step of the child up to the command's execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaunchStep {
    Streams,
    Directory,
    Filter,
    Execute,
}

impl PreparedCommand {
    /// Prepares a command, with an optional seccomp filter of an engine for its whole tree.
    pub(super) fn new(command: Command, filter: Option<Filter>) -> io::Result<Self> {
        let environment = match command.environment {
            Environment::Inherited => std::env::vars_os().collect(),
            Environment::Exactly(variables) => variables,
        };
        let environment = environment.into_iter().map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        });
        let filters = command.filters.into_iter().map(|program| Filter { program, notifies: false });
        Ok(Self {
            program: c_string(command.program.into())?,
            argv: StringArray::new(command.argv.into_iter().map(c_string).collect::<Result<_, _>>()?),
            environment: StringArray::new(environment.map(c_string).collect::<Result<_, _>>()?),
            cwd: command.cwd.map(|path| c_string(path.into())).transpose()?,
            stdio: command.stdio,
            isolated: command.isolated,
            filters: filter.into_iter().chain(filters).collect(),
            dies_with_parent: false,
            group: None,
        })
    }

    /// Makes the command die with this process, for a run that perhaps no tracer ends. It must call
    /// [`Launched::failure`] only after the end of the command.
    #[cfg(feature = "unstable")]
    pub(super) fn dying_with_parent_if(self, dies_with_parent: bool) -> Self {
        Self { dies_with_parent, ..self }
    }

    /// Makes the command a member of another process group than that of this process.
    #[cfg(feature = "unstable")]
    pub(super) fn in_group(self, group: Option<Pid>) -> Self {
        Self { group, ..self }
    }

    /// Starts a child, which prepares itself untraced and then waits for [`Suspended::go`]. It ends
    /// when this process does.
    pub(super) fn suspend(self) -> io::Result<Suspended> {
        let (start_read, start_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (ready_read, ready_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (end, ended) = mpsc::channel();
        let launcher = thread::Builder::new().name("launch".to_owned()).spawn(move || {
            let outcome = self.launch(ready_write.into(), start_read.into());
            // An error also means the end: the sender was dropped.
            let _ = ended.recv();
            outcome
        })?;
        let launched = Launched { launcher, end };
        let mut tid = [0; size_of::<Tid>()];
        match File::from(ready_read).read_exact(&mut tid) {
            Ok(()) => Ok(Suspended { tid: Tid::from_ne_bytes(tid), pending: Some((start_write.into(), launched)) }),
            Err(error) => Err(launched.failure().err().unwrap_or(error)),
        }
    }

    /// Returns when the child executes the command, or after its end the reason why it did not.
    fn launch(self, ready: File, start: File) -> io::Result<Option<LaunchFailure>> {
        let parent = getpid();
        // No signal handler of this process may run in the child. This thread ends with its signals
        // blocked; other threads take them.
        let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let mut failed = None;
        let mut child = || {
            failed = Some(become_command(&self, parent, &mask, &ready, &start));
            127
        };
        // SAFETY: the child runs `become_command` only, which keeps to async-signal-safe calls.
        unsafe { sys::vfork(&mut child) }?;
        Ok(failed.map(|(step, errno)| LaunchFailure { step, source: io::Error::from_raw_os_error(errno) }))
    }
}

impl Suspended {
    /// Lets the child execute the command.
    pub(super) fn go(mut self) -> io::Result<Launched> {
        let (mut start, launched) = self.pending.take().ok_or(io::ErrorKind::NotFound)?;
        match start.write_all(&[1]) {
            // The child has died already; its end explains more than EPIPE.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(launched),
        }
    }
}

/// Kills and reaps a child that was never resumed by [`Suspended::go`].
impl Drop for Suspended {
    fn drop(&mut self) {
        let child = Pid::from_raw(self.tid);
        // Once a tracer has reaped it, its number may belong to another process.
        if self.pending.is_some() && waitpid(child, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive) {
            sys::kill(self.tid, libc::SIGKILL);
            let _ = waitpid(child, None);
        }
    }
}

impl Launched {
    /// Returns why the child did not execute the command, after the child has ended.
    pub(super) fn failure(self) -> io::Result<Option<LaunchFailure>> {
        drop(self.end);
        self.launcher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn c_string(text: OsString) -> io::Result<CString> {
    CString::new(text.into_vec()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a string with a NUL byte"))
}

/// Runs the child up to execve and returns what failed. Async-signal-safe: no allocation, no locks,
/// no panic, and no drop of anything that the parent also owns.
fn become_command(
    prepared: &PreparedCommand,
    parent: Pid,
    mask: &SigSet,
    ready: &File,
    start: &File,
) -> (LaunchStep, i32) {
    // The child has no tracer yet, and its read of the pipe may never end: children of other
    // threads may hold copies of the write end.
    let _ = set_pdeathsig(Signal::SIGKILL);
    if getppid() != parent {
        sys::exit_now(127);
    }
    if prepared.isolated {
        isolate();
    }
    if let Some(group) = prepared.group {
        // It fails only if the group is gone.
        let _ = setpgid(Pid::from_raw(0), group);
    }
    default_signals(prepared.isolated, mask);
    match prepare_and_wait(prepared, ready, start) {
        Ok(()) => (LaunchStep::Execute, sys::execve(&prepared.program, &prepared.argv, &prepared.environment)),
        Err(failed) => failed,
    }
}

fn prepare_and_wait(prepared: &PreparedCommand, mut ready: &File, mut start: &File) -> Result<(), (LaunchStep, i32)> {
    // Failures are reported after the wait: the tracer must find a child to attach to.
    let outcome = prepare(prepared);
    let tid: Tid = getpid().as_raw();
    let mut go = [0_u8; 1];
    if ready.write_all(&tid.to_ne_bytes()).and_then(|()| start.read_exact(&mut go)).is_err() {
        sys::exit_now(127);
    }
    // From here on the child dies with the tracer (PTRACE_O_EXITKILL), and the workload must not
    // inherit the signal.
    if !prepared.dies_with_parent {
        let _ = set_pdeathsig(None);
    }
    outcome?;
    // A loop over a slice neither allocates nor panics.
    for filter in &prepared.filters {
        sys::install_filter(filter).map_err(|errno| (LaunchStep::Filter, errno))?;
    }
    Ok(())
}

fn prepare(prepared: &PreparedCommand) -> Result<(), (LaunchStep, i32)> {
    if let Some(cwd) = &prepared.cwd {
        sys::change_directory(cwd).map_err(|errno| (LaunchStep::Directory, errno))?;
    }
    // The pipes of this launch were opened while 0, 1 and 2 were in use, so nothing needed is
    // overwritten.
    for (onto, stream) in (0..).zip(&prepared.stdio) {
        match stream {
            Stream::Given(fd) => {
                sys::duplicate_onto(fd.as_raw_fd(), onto).map_err(|errno| (LaunchStep::Streams, errno))?;
            }
            // Rust's start-up opened /dev/null there.
            Stream::Inherited if sys::was_closed(onto) => sys::close(onto),
            Stream::Inherited => {}
        }
    }
    Ok(())
}

/// Sets what a program inherits besides its environment to fixed values. A call here fails only
/// where there is nothing to set.
fn isolate() {
    let _ = setsid();
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    for (resource, soft) in DEFAULT_LIMITS {
        if let Ok((_, hard)) = getrlimit(resource) {
            let _ = setrlimit(resource, soft.min(hard), hard);
        }
    }
}

/// Removes all signal handlers and unblocks signals. An ignored signal stays ignored across execve,
/// unless isolated.
fn default_signals(isolated: bool, mask: &SigSet) {
    for signal in 1..=NSIG {
        sys::set_disposition(signal, !isolated && sys::was_ignored(signal));
    }
    let mask = if isolated { SigSet::empty() } else { *mask };
    let _ = mask.thread_set_mask();
}

/// The soft limits of a fresh Linux login: getrlimit(2), include/asm-generic/resource.h.
const DEFAULT_LIMITS: [(Resource, u64); 3] =
    [(Resource::RLIMIT_STACK, 8 << 20), (Resource::RLIMIT_NOFILE, 1024), (Resource::RLIMIT_CORE, 0)];

#[cfg(test)]
mod tests {
    use nix::errno::Errno;
    use nix::sys::signal::kill;

    use super::*;

    #[test]
    fn child_that_is_never_resumed_is_reaped() {
        let suspended =
            PreparedCommand::new(Command::idle(), None).and_then(PreparedCommand::suspend).expect("a child");
        let child = Pid::from_raw(suspended.tid);
        assert_eq!(kill(child, None), Ok(()));
        drop(suspended);
        assert_eq!(kill(child, None), Err(Errno::ESRCH));
    }
}
