//! The tracees: tiny programs, one provocation each. The truth about each is stated in its trial.
#![expect(unsafe_code, reason = "raw system calls are what these programs are for")]

pub(crate) mod callers;
#[cfg(target_arch = "x86_64")]
mod int80;
mod kinds;
mod multiplexers;
mod objects;
mod paths;
mod rings;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use kinds::NOT_HERE;

/// Becomes the tracee of this name.
pub(crate) fn become_tracee(name: &str) -> ExitCode {
    if let Some(exit) = kinds::make_and_read(name) {
        return exit;
    }
    let Some((_, tracee)) =
        TRACEES.iter().chain(objects::TRACEES).chain(paths::TRACEES).find(|(known, _)| *known == name)
    else {
        return ExitCode::from(99);
    };
    tracee()
}

/// Becomes this command, with the signals of a fresh login: those of whoever started the tests
/// (nohup, a background job) are its own affair.
pub(crate) fn become_plain(command: &[&str]) -> ExitCode {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: no handler is given; signals that cannot be set are refused; signal(2).
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let [program, arguments @ ..] = command else { return ExitCode::from(99) };
    // It only returns when it fails.
    let _error = Command::new(program).args(arguments).exec();
    ExitCode::from(98)
}

type Tracee = fn() -> ExitCode;

/// Name and program.
const TRACEES: &[(&str, Tracee)] = &[
    ("many_calls", many_calls),
    ("many_threads", many_threads),
    ("many_children", many_children),
    ("own_session", own_session),
    ("calls_without_end", calls_without_end),
    ("flees_by_forking", flees_by_forking),
    ("flees_as_a_daemon", flees_as_a_daemon),
    ("sleeps_in_threads", sleeps_in_threads),
    ("hides_a_child", hides_a_child),
    ("asks_in_a_thread", callers::asks_in_a_thread),
];

/// A syscall without arguments, straight to the kernel.
fn call(number: libc::c_long) -> libc::c_long {
    // SAFETY: the numbers used here take no pointers.
    unsafe { libc::syscall(number, 0, 0, 0, 0, 0, 0) }
}

fn many_calls() -> ExitCode {
    for _ in 0..200_000 {
        call(libc::SYS_getppid);
    }
    ExitCode::SUCCESS
}

fn many_threads() -> ExitCode {
    let threads: Vec<_> = (0..200)
        .map(|_| {
            thread::spawn(|| {
                for _ in 0..50 {
                    call(libc::SYS_getppid);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread that cannot panic");
    }
    ExitCode::SUCCESS
}

fn many_children() -> ExitCode {
    for _ in 0..1000 {
        // SAFETY: the process has one thread.
        match unsafe { libc::fork() } {
            0 => {
                call(libc::SYS_getppid);
                // SAFETY: ends the child without running anything of the parent's.
                unsafe { libc::_exit(0) }
            }
            child => {
                // SAFETY: a null status is allowed; wait(2).
                unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            }
        }
    }
    ExitCode::SUCCESS
}

/// Exits 0 when it leads a session of its own.
fn own_session() -> ExitCode {
    // SAFETY: takes a number; getsid(2).
    let session = unsafe { libc::getsid(0) };
    ExitCode::from(u8::from(u32::try_from(session) != Ok(std::process::id())))
}

/// As good as without end: nobody waits that long.
fn calls_without_end() -> ExitCode {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        call(libc::SYS_getppid);
    }
    ExitCode::FAILURE
}

fn sleep() -> ExitCode {
    thread::sleep(Duration::from_secs(60));
    ExitCode::FAILURE
}

fn fork() -> libc::pid_t {
    // SAFETY: the callers have one thread.
    unsafe { libc::fork() }
}

/// Four processes that each live only until their child does: no list of them is ever up to date.
///
/// They give up after a while: a tracer that fails to end them must not leave the machine with
/// them.
fn flees() -> ! {
    let begun = Instant::now();
    for _ in 0..3 {
        if fork() == 0 {
            break;
        }
    }
    loop {
        if fork() > 0 || begun.elapsed() > Duration::from_secs(20) {
            // SAFETY: ends the process without running anything.
            unsafe { libc::_exit(0) }
        }
    }
}

fn flees_by_forking() -> ExitCode {
    if fork() == 0 {
        flees()
    }
    sleep()
}

fn flees_as_a_daemon() -> ExitCode {
    if fork() == 0 {
        flees()
    }
    ExitCode::SUCCESS
}

fn sleeps_in_threads() -> ExitCode {
    for _ in 0..50 {
        thread::spawn(sleep);
    }
    sleep()
}

/// A child of which no tracer hears, unless it sees to that.
fn hides_a_child() -> ExitCode {
    let flags = libc::c_long::from(libc::CLONE_UNTRACED | libc::SIGCHLD);
    // SAFETY: as fork: no memory is shared, and the process has one thread; clone(2).
    unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    sleep()
}
