//! Loads of our own, where no installed program makes one as plainly: this benchmark calls itself
//! for them.

use std::ffi::OsString;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Barrier};
use std::thread;

const WORD: &str = "--load";

/// The command of a load of this size.
pub(crate) fn command(load: &str, size: usize) -> Vec<OsString> {
    let program = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
    vec![program.into(), WORD.into(), load.into(), size.to_string().into()]
}

/// Makes the load where this process was called for it.
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

/// Calls of the cheapest kind, one after the other.
fn storm(calls: usize) {
    for _ in 0..calls {
        black_box(std::os::unix::process::parent_id());
    }
}

/// Processes that do nothing, one after the other.
fn children(processes: usize) {
    for _ in 0..processes {
        let _ = Command::new("/bin/true").status();
    }
}

/// Threads that begin together and call a little.
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

/// As many calls whatever the size, and as many different ones as the size says: commands that
/// nothing knows.
#[expect(unsafe_code, reason = "no safe call takes any command")]
fn distinct(kinds: usize) {
    const CALLS: usize = 20_000;
    for call in 0..CALLS {
        let command = 0x5347_0000 + (call % kinds) as u64;
        // SAFETY: nothing is at fd -1, so that no command is carried out.
        unsafe { libc::ioctl(-1, command as _) };
    }
}
