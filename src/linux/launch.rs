//! From a command to a traced process that waits to become it: [`Prepared`] → [`Suspended`] →
//! running.
//!
//! The child shares this process's memory until its execve: a copy of it, and of each page that is
//! touched from then on, costs more than a small workload does. A thread of its own starts it and
//! is suspended meanwhile, so that nobody else uses that thread's part of the memory. Everything is
//! allocated before; the child makes system calls only.
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
use nix::unistd::{Pid, getpid, getppid, pipe2, setsid};

use super::command::{Command, Environment, Stream};
use super::sys::{self, Filter, StringArray};
use crate::model::kernel::call::Tid;

impl Command {
    /// One that is forked and never let go: `/` cannot be executed.
    pub(super) fn idle() -> Self {
        Self {
            program: PathBuf::from("/"),
            argv: Vec::new(),
            environment: Environment::Exactly(Vec::new()),
            cwd: None,
            stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
            isolated: false,
        }
    }
}

/// A command in the form in which the kernel takes it.
#[derive(Debug)]
pub(super) struct Prepared {
    program: CString,
    argv: StringArray,
    environment: StringArray,
    cwd: Option<CString>,
    stdio: [Stream; 3],
    isolated: bool,
    filter: Option<Filter>,
}

/// A child that is not yet the command: it waits for [`Suspended::go`], and ends without.
#[derive(Debug)]
pub(super) struct Suspended {
    pub(super) tid: Tid,
    /// Until it is told to go.
    held: Option<(File, Launched)>,
}

/// A child that was let go.
#[derive(Debug)]
pub(super) struct Launched {
    launcher: JoinHandle<io::Result<Option<LaunchFailure>>>,
    /// Keeps the launcher alive. A thread's end is the death of the parent for the children that it
    /// made: PR_SET_PDEATHSIG, prctl(2).
    end: mpsc::Sender<()>,
}

/// Why the child never became the command.
#[derive(Debug)]
pub(super) struct LaunchFailure {
    /// What it tried: `execute`, or an earlier step.
    pub(super) step: LaunchStep,
    /// What the system said.
    pub(super) source: io::Error,
}

/// What the child does before it is the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaunchStep {
    Streams,
    Directory,
    Filter,
    Execute,
}

impl Prepared {
    /// With a filter on all that comes of it, if any.
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
        Ok(Self {
            program: c_string(command.program.into())?,
            argv: StringArray::new(command.argv.into_iter().map(c_string).collect::<Result<_, _>>()?),
            environment: StringArray::new(environment.map(c_string).collect::<Result<_, _>>()?),
            cwd: command.cwd.map(|path| c_string(path.into())).transpose()?,
            stdio: command.stdio,
            isolated: command.isolated,
            filter,
        })
    }

    /// Starts a child. It prepares itself, which nobody need watch, waits until it is told to go,
    /// and ends when this process does.
    pub(super) fn suspend(self) -> io::Result<Suspended> {
        let (start_read, start_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (ready_read, ready_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (end, ended) = mpsc::channel();
        let launcher = thread::Builder::new().name("launch".to_owned()).spawn(move || {
            let outcome = self.launch(ready_write.into(), start_read.into());
            // An error is the end as well: the sender is gone.
            let _ = ended.recv();
            outcome
        })?;
        let launched = Launched { launcher, end };
        let mut tid = [0; size_of::<Tid>()];
        match File::from(ready_read).read_exact(&mut tid) {
            Ok(()) => Ok(Suspended { tid: Tid::from_ne_bytes(tid), held: Some((start_write.into(), launched)) }),
            Err(nobody) => Err(launched.failure().err().unwrap_or(nobody)),
        }
    }

    /// Returns when the child is the command, or why it is not once it is gone.
    fn launch(self, ready: File, start: File) -> io::Result<Option<LaunchFailure>> {
        let parent = getpid();
        // No handler of this process may run in the child. This thread ends with its signals
        // blocked: others take them.
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
    /// Lets the child become the command.
    pub(super) fn go(mut self) -> io::Result<Launched> {
        let (mut start, launched) = self.held.take().ok_or(io::ErrorKind::NotFound)?;
        match start.write_all(&[1]) {
            // It died before it could be told; its end says more than this.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(launched),
        }
    }
}

/// One that is never let go is nobody's but ours.
impl Drop for Suspended {
    fn drop(&mut self) {
        let child = Pid::from_raw(self.tid);
        // Once a tracer has waited for it, its number may be somebody else's.
        if self.held.is_some() && waitpid(child, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive) {
            sys::kill(self.tid, libc::SIGKILL);
            let _ = waitpid(child, None);
        }
    }
}

impl Launched {
    /// Why the child never became the command; asked when it is gone.
    pub(super) fn failure(self) -> io::Result<Option<LaunchFailure>> {
        drop(self.end);
        self.launcher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn c_string(text: OsString) -> io::Result<CString> {
    CString::new(text.into_vec()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a string with a NUL byte"))
}

/// The child until execve; what failed. Async-signal-safe: no allocation, no locks, no panic, and
/// nothing is dropped that its parent has, too.
fn become_command(prepared: &Prepared, parent: Pid, mask: &SigSet, ready: &File, start: &File) -> (LaunchStep, i32) {
    // Nobody traces it yet, and the end of the pipe may never come: children of other threads have
    // copies of the other end.
    let _ = set_pdeathsig(Signal::SIGKILL);
    if getppid() != parent {
        sys::exit_now(127);
    }
    if prepared.isolated {
        isolate();
    }
    default_signals(prepared.isolated, mask);
    match prepare_and_wait(prepared, ready, start) {
        Ok(()) => (LaunchStep::Execute, sys::execve(&prepared.program, &prepared.argv, &prepared.environment)),
        Err(failed) => failed,
    }
}

fn prepare_and_wait(prepared: &Prepared, mut ready: &File, mut start: &File) -> Result<(), (LaunchStep, i32)> {
    // What fails is told after the wait: who attaches must find somebody.
    let outcome = prepare(prepared);
    let tid: Tid = getpid().as_raw();
    let mut go = [0_u8; 1];
    if ready.write_all(&tid.to_ne_bytes()).and_then(|()| start.read_exact(&mut go)).is_err() {
        sys::exit_now(127);
    }
    // From here on the tracer takes it along, and the workload must not find it.
    let _ = set_pdeathsig(None);
    outcome?;
    match &prepared.filter {
        Some(filter) => sys::install_filter(filter).map_err(|errno| (LaunchStep::Filter, errno)),
        None => Ok(()),
    }
}

fn prepare(prepared: &Prepared) -> Result<(), (LaunchStep, i32)> {
    if let Some(cwd) = &prepared.cwd {
        sys::change_directory(cwd).map_err(|errno| (LaunchStep::Directory, errno))?;
    }
    // The pipe ends of this launch were opened with 0, 1 and 2 taken, so nothing needed is
    // overwritten.
    for (onto, stream) in (0..).zip(&prepared.stdio) {
        match stream {
            Stream::Given(fd) => {
                sys::duplicate_onto(fd.as_raw_fd(), onto).map_err(|errno| (LaunchStep::Streams, errno))?;
            }
            // Rust's start-up has opened /dev/null there.
            Stream::Inherited if sys::was_closed(onto) => sys::close(onto),
            Stream::Inherited => {}
        }
    }
    Ok(())
}

/// Fixes what a program inherits besides its environment. Each call can only fail where there is
/// nothing to fix.
fn isolate() {
    let _ = setsid();
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    for (resource, soft) in DEFAULT_LIMITS {
        if let Ok((_, hard)) = getrlimit(resource) {
            let _ = setrlimit(resource, soft.min(hard), hard);
        }
    }
}

/// No handler is left, and signals come again. What is ignored stays so across execve, unless
/// isolated.
fn default_signals(isolated: bool, mask: &SigSet) {
    for signal in 1..=LAST_SIGNAL {
        sys::dispose(signal, !isolated && sys::was_ignored(signal));
    }
    let mask = if isolated { SigSet::empty() } else { *mask };
    let _ = mask.thread_set_mask();
}

/// The soft limits of a fresh Linux login: getrlimit(2), include/asm-generic/resource.h.
const DEFAULT_LIMITS: [(Resource, u64); 3] =
    [(Resource::RLIMIT_STACK, 8 << 20), (Resource::RLIMIT_NOFILE, 1024), (Resource::RLIMIT_CORE, 0)];

/// `_NSIG`, include/uapi/asm-generic/signal.h
const LAST_SIGNAL: i32 = 64;

#[cfg(test)]
mod tests {
    use nix::errno::Errno;
    use nix::sys::signal::kill;

    use super::*;

    #[test]
    fn a_child_that_is_never_let_go_is_gone() {
        let suspended = Prepared::new(Command::idle(), None).and_then(Prepared::suspend).expect("a child");
        let child = Pid::from_raw(suspended.tid);
        assert_eq!(kill(child, None), Ok(()));
        drop(suspended);
        assert_eq!(kill(child, None), Err(Errno::ESRCH));
    }
}
