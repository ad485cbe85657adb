//! From a command to a traced process that waits to become it: [`Prepared`] → [`Suspended`] → running.
//!
//! Everything is allocated before the fork; after it the child makes system calls only. What fails there comes back by a pipe.
#![expect(unsafe_code, reason = "fork in a process that may have threads")]

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use nix::fcntl::OFlag;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, getpid, getppid, pipe2, setsid};

use super::command::{Command, Environment, Stream};
use super::sys::{self, Filter, StringArray};
use crate::model::event::Tid;

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

/// A child that is not yet the command: it waits for [`Suspended::go`].
#[derive(Debug)]
pub(super) struct Suspended {
    pub(super) tid: Tid,
    start: File,
    failure: File,
}

/// A child that was let go.
#[derive(Debug)]
pub(super) struct Launched {
    failure: File,
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
#[repr(u8)]
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

    /// Forks. The child prepares itself, which nobody need watch, waits until it is told to go, and ends when this thread does.
    pub(super) fn suspend(self) -> io::Result<Suspended> {
        let parent = getpid();
        let (start_read, start_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (failure_read, failure_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (ready_read, ready_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (start_read, failure_write) = (File::from(start_read), File::from(failure_write));
        let (mut ready_read, ready_write) = (File::from(ready_read), File::from(ready_write));
        // SAFETY: the child runs `become_command` only, which keeps to async-signal-safe calls and never returns.
        match unsafe { sys::fork() }? {
            Some(tid) => {
                drop(ready_write);
                // Its end is as good a word here: whoever attaches finds it.
                let _ = ready_read.read_exact(&mut [0]);
                Ok(Suspended { tid, start: start_write.into(), failure: failure_read.into() })
            }
            None => {
                drop(start_write);
                become_command(&self, parent, ready_write, start_read, failure_write)
            }
        }
    }
}

impl Suspended {
    /// Lets the child become the command.
    pub(super) fn go(mut self) -> io::Result<Launched> {
        match self.start.write_all(&[1]) {
            // It died before it could be told; its end says more than this.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(Launched { failure: self.failure }),
        }
    }
}

impl Launched {
    /// Why the child never became the command; asked when it is gone.
    pub(super) fn failure(mut self) -> io::Result<Option<LaunchFailure>> {
        let mut message = [0_u8; 5];
        match self.failure.read_exact(&mut message) {
            Ok(()) => {
                let [step, errno @ ..] = message;
                let steps = [LaunchStep::Streams, LaunchStep::Directory, LaunchStep::Filter, LaunchStep::Execute];
                let step = steps[usize::from(step)];
                let source = io::Error::from_raw_os_error(i32::from_ne_bytes(errno));
                Ok(Some(LaunchFailure { step, source }))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn c_string(text: OsString) -> io::Result<CString> {
    CString::new(text.into_vec()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a string with a NUL byte"))
}

/// The child between fork and execve. Async-signal-safe: no allocation, no locks, no panic.
fn become_command(prepared: &Prepared, parent: Pid, ready: File, start: File, mut failure: File) -> ! {
    // Nobody traces it yet, and the end of the pipe may never come: children of other threads have copies of the other end.
    let _ = set_pdeathsig(Signal::SIGKILL);
    if getppid() != parent {
        sys::exit_now(127);
    }
    if prepared.isolated {
        isolate();
    }
    // Rust ignores SIGPIPE in every program of its own, and an ignored signal stays ignored across execve.
    sys::default_disposition(libc::SIGPIPE);
    let (step, errno) = match prepare_and_wait(prepared, ready, start) {
        Ok(()) => (LaunchStep::Execute, sys::execve(&prepared.program, &prepared.argv, &prepared.environment)),
        Err(failed) => failed,
    };
    let [a, b, c, d] = errno.to_ne_bytes();
    let _ = failure.write_all(&[step as u8, a, b, c, d]);
    sys::exit_now(127)
}

fn prepare_and_wait(prepared: &Prepared, mut ready: File, mut start: File) -> Result<(), (LaunchStep, i32)> {
    // What fails is told after the wait: who attaches must find somebody.
    let outcome = prepare(prepared);
    let mut go = [0_u8; 1];
    if ready.write_all(&[1]).and_then(|()| start.read_exact(&mut go)).is_err() {
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
    // The pipe ends of this launch were opened with 0, 1 and 2 taken, so nothing needed is overwritten.
    for (onto, stream) in (0..).zip(&prepared.stdio) {
        if let Stream::Given(fd) = stream {
            sys::duplicate_onto(fd.as_raw_fd(), onto).map_err(|errno| (LaunchStep::Streams, errno))?;
        }
    }
    Ok(())
}

/// Fixes what a program inherits besides its environment. Each call can only fail where there is nothing to fix.
fn isolate() {
    let _ = setsid();
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    for signal in 1..=LAST_SIGNAL {
        sys::default_disposition(signal);
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
    for (resource, soft) in DEFAULT_LIMITS {
        if let Ok((_, hard)) = getrlimit(resource) {
            let _ = setrlimit(resource, soft.min(hard), hard);
        }
    }
}

/// The soft limits of a fresh Linux login: getrlimit(2), include/asm-generic/resource.h.
const DEFAULT_LIMITS: [(Resource, u64); 3] =
    [(Resource::RLIMIT_STACK, 8 << 20), (Resource::RLIMIT_NOFILE, 1024), (Resource::RLIMIT_CORE, 0)];

/// `_NSIG`, include/uapi/asm-generic/signal.h
const LAST_SIGNAL: i32 = 64;

#[cfg(test)]
mod tests {
    use nix::sys::wait::{WaitStatus, waitpid};

    use super::*;

    /// Children of other threads may hold the other end of the pipe, so that its end never comes.
    #[test]
    fn a_child_that_nobody_traces_yet_ends_with_its_parent() {
        let suspend = || {
            let suspended = Prepared::new(Command::idle(), None).and_then(Prepared::suspend).expect("a child");
            // Only who has asked for it is told of a thread's end; it sleeps when it waits for its go.
            let stat = format!("/proc/{}/stat", suspended.tid);
            while !std::fs::read_to_string(&stat).expect("it is there").contains(") S ") {
                std::thread::yield_now();
            }
            suspended
        };
        let suspended = std::thread::spawn(suspend).join().expect("no panic");
        let child = Pid::from_raw(suspended.tid);
        assert_eq!(waitpid(child, None), Ok(WaitStatus::Signaled(child, Signal::SIGKILL, false)));
        drop(suspended);
    }
}
