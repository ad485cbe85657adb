//! The tracees: small programs, each with one behaviour. Their truths are stated in their trials.
#![expect(unsafe_code, reason = "raw system calls are what these programs are for")]

mod arguments;
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

/// Runs the tracee of this name.
pub(crate) fn become_tracee(name: &str) -> ExitCode {
    if let Some(exit) = kinds::make_and_read(name) {
        return exit;
    }
    let Some((_, tracee)) = TRACEES
        .iter()
        .chain(objects::TRACEES)
        .chain(paths::TRACEES)
        .chain(arguments::TRACEES)
        .find(|(known, _)| *known == name)
    else {
        return ExitCode::from(99);
    };
    tracee()
}

/// Executes this command with default signal actions, as after a login. The tests may have been
/// started with signals ignored (nohup, a background job).
pub(crate) fn become_plain(command: &[&str]) -> ExitCode {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: no handler is given; signals that cannot be set are refused; signal(2).
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let [program, arguments @ ..] = command else { return ExitCode::from(99) };
    // Returns only on failure.
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

/// Makes a syscall without arguments.
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

/// Exits with 0 if it leads its own session.
fn own_session() -> ExitCode {
    // SAFETY: takes a number; getsid(2).
    let session = unsafe { libc::getsid(0) };
    ExitCode::from(u8::from(u32::try_from(session) != Ok(std::process::id())))
}

/// Makes calls for longer than any trial waits.
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

/// Runs four processes that each exit once their child runs, so a list of them is never current.
///
/// They stop after a while, so that they do not stay if a tracer fails to end them.
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

/// Makes a child that the kernel does not report to a tracer, unless the tracer prevents that.
fn hides_a_child() -> ExitCode {
    let flags = libc::c_long::from(libc::CLONE_UNTRACED | libc::SIGCHLD);
    // SAFETY: as fork: no memory is shared, and the process has one thread; clone(2).
    unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    sleep()
}
