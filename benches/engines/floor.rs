//! The cost of the kernel mechanisms behind a guard: no calls are examined, and no CPUs are
//! assigned.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, execvp, fork};

/// Runs a command under a seccomp filter with one instruction that allows every call, without a
/// tracer.
pub(crate) fn filter(words: &[OsString]) -> io::Result<u8> {
    install_filter()?;
    match execute(words)? {}
}

/// Runs a command under a tracer that follows every new task and has no other stops, so that the
/// tree ends with its tracer.
pub(crate) fn births(words: &[OsString]) -> io::Result<u8> {
    let root = stopped_child(words)?;
    let followed = [Options::PTRACE_O_TRACEFORK, Options::PTRACE_O_TRACEVFORK, Options::PTRACE_O_TRACECLONE];
    let options = followed.into_iter().fold(Options::PTRACE_O_EXITKILL, |options, option| options | option);
    ptrace::seize(root, options)?;
    kill(root, Signal::SIGCONT)?;
    let mut status = 0;
    loop {
        match waitpid(None::<Pid>, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Exited(task, code)) if task == root => status = code,
            Ok(WaitStatus::Signaled(task, signal, _)) if task == root => status = 128 + signal as i32,
            // If the task was killed meanwhile, its exit is reported later.
            Ok(WaitStatus::PtraceEvent(task, ..)) => drop(ptrace::cont(task, None)),
            Ok(WaitStatus::Stopped(task, signal)) => drop(ptrace::cont(task, signal)),
            Ok(_) => {}
            Err(nix::Error::ECHILD) => return Ok(u8::try_from(status).unwrap_or(u8::MAX)),
            Err(error) => return Err(error.into()),
        }
    }
}

#[expect(unsafe_code, reason = "a fork that does not execute at once")]
fn stopped_child(words: &[OsString]) -> io::Result<Pid> {
    // SAFETY: this process has one thread here.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let _ = raise(Signal::SIGSTOP);
            let _ = execute(words);
            std::process::exit(127)
        }
        ForkResult::Parent { child } => waitpid(child, Some(WaitPidFlag::WUNTRACED)).map(|_| child).map_err(Into::into),
    }
}

fn execute(words: &[OsString]) -> io::Result<Infallible> {
    let words: Vec<CString> = words.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<_, _>>()?;
    let program = words.first().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(execvp(program, &words)?)
}

#[expect(unsafe_code, reason = "no safe call installs a filter")]
fn install_filter() -> io::Result<()> {
    /// `BPF_RET | BPF_K`
    const ANSWER: u16 = 0x06;
    let mut program = [libc::sock_filter { code: ANSWER, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }];
    let program = libc::sock_fprog { len: 1, filter: program.as_mut_ptr() };
    nix::sys::prctl::set_no_new_privs()?;
    // SAFETY: the program lives until the kernel has copied it; seccomp(2).
    let installed = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    if installed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
