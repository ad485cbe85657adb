//! Synthetic loads, for which no installed program is simple enough: this benchmark executes itself
//! to run them.

use std::ffi::OsString;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Barrier};
use std::thread;

const WORD: &str = "--load";

/// Returns the command of a load of this size.
pub(crate) fn command(load: &str, size: usize) -> Vec<OsString> {
    let program = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
    vec![program.into(), WORD.into(), load.into(), size.to_string().into()]
}

/// Runs the load if this process was started for it.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let [word, load, size] = arguments else { return None };
    if word != WORD {
        return None;
    }
    let size = size.to_string_lossy().parse().ok()?;
    match load.to_str()? {
        "storm" => storm(size),
        "children" => children(size),
        "threads" => threads(size),
        "distinct" => distinct(size),
        _ => return None,
    }
    Some(ExitCode::SUCCESS)
}

/// Makes cheap syscalls one after the other.
fn storm(calls: usize) {
    for _ in 0..calls {
        black_box(std::os::unix::process::parent_id());
    }
}

/// Makes processes that exit at once, one after the other.
fn children(processes: usize) {
    for _ in 0..processes {
        let _ = Command::new("/bin/true").status();
    }
}

/// Makes threads that start together and make a few calls.
fn threads(threads: usize) {
    const CALLS: usize = 200;
    let start = Arc::new(Barrier::new(threads));
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            let start = Arc::clone(&start);
            thread::spawn(move || {
                start.wait();
                storm(CALLS);
            })
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
}

/// Makes the same number of calls at every size, with as many different unknown commands as the
/// size.
#[expect(unsafe_code, reason = "no safe call takes any command")]
fn distinct(kinds: usize) {
    const CALLS: usize = 20_000;
    for call in 0..CALLS {
        let command = 0x5347_0000 + (call % kinds) as u64;
        // SAFETY: fd -1 is never open, so no command is carried out.
        unsafe { libc::ioctl(-1, command as _) };
    }
}
