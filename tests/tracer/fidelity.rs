//! A traced program's input and output are the same as an untraced program's.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use sysguard::unstable::linux::{Command, Environment, Limits, Stream, trace};
use sysguard::unstable::model::run::workload::Exit;

use crate::needs::slowness;
use crate::trials::{Plain, ensure_eq};

/// Trial names and functions.
pub(crate) const TRIALS: &[Plain] = &[
    ("fidelity::10_mb_each_way", passes_10_mb),
    ("fidelity::closed_pipes_end_writers", ends_writers),
    ("fidelity::the_caller's_streams_are_inherited", inherits_streams),
];

/// A script between three pipes.
struct Piped {
    input: File,
    output: File,
    errors: File,
    running: thread::JoinHandle<Result<Exit, String>>,
}

fn start(script: &str) -> Result<Piped, Failed> {
    // Without O_CLOEXEC the shell would inherit the other ends, and no end would ever be closed.
    let pipe = || pipe2(OFlag::O_CLOEXEC);
    let ((stdin, input), (output, stdout), (errors, stderr)) = (pipe()?, pipe()?, pipe()?);
    let command = Command {
        program: PathBuf::from("/bin/sh"),
        argv: ["/bin/sh", "-c", script].map(Into::into).into(),
        environment: Environment::Inherited,
        cwd: None,
        scratch: None,
        stdio: [stdin, stdout, stderr].map(Stream::Given),
        isolated: true,
        filters: Vec::new(),
    };
    let limits =
        Limits { timeout: Some(Duration::from_secs(60) * slowness()), stop: None, grace: Duration::from_secs(2) };
    let follow = move || match trace(command, &limits, &mut |_| {}) {
        Ok(outcome) if outcome.lost_events == 0 => Ok(outcome.exit),
        other => Err(format!("{other:?}")),
    };
    let file = |fd: OwnedFd| File::from(fd);
    Ok(Piped { input: file(input), output: file(output), errors: file(errors), running: thread::spawn(follow) })
}

impl Piped {
    fn end(self) -> Result<Exit, Failed> {
        drop((self.input, self.output, self.errors));
        Ok(self.running.join().map_err(|_| "the tracer panicked")??)
    }
}

/// Returns bytes that do not repeat soon.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

fn read_all(mut from: File) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe that can be read");
        bytes
    })
}

fn passes_10_mb() -> Result<(), Failed> {
    let sent = noise(10 << 20);
    let mut piped = start("tee /dev/stderr")?;
    let (output, errors) = (read_all(piped.output.try_clone()?), read_all(piped.errors.try_clone()?));
    piped.input.write_all(&sent)?;
    ensure_eq!(piped.end()?, Exit::Exited(0));
    // Not by `ensure_eq`, which would print them.
    for received in [output, errors] {
        let received = received.join().map_err(|_| "a reader panicked")?;
        if received != sent {
            return Err(format!("{} bytes came back, not the bytes that were sent", received.len()).into());
        }
    }
    Ok(())
}

/// `head` exits, and SIGPIPE ends `yes`, as without a tracer.
fn ends_writers() -> Result<(), Failed> {
    let piped = start("yes | head -n 1000 | wc -l; exec yes")?;
    let mut first = [0_u8; 5];
    (&piped.output).read_exact(&mut first)?;
    ensure_eq!(&first, b"1000\n");
    ensure_eq!(piped.end()?, Exit::Signaled(libc::SIGPIPE));
    Ok(())
}

/// The shell has the same open files as this process.
fn inherits_streams() -> Result<(), Failed> {
    let mine: Vec<PathBuf> =
        (0..3).map(|fd| std::fs::read_link(format!("/proc/self/fd/{fd}"))).collect::<Result<_, _>>()?;
    let listing = tempfile::NamedTempFile::new()?;
    let script = format!("for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done > {}", listing.path().display());
    let command = Command {
        program: PathBuf::from("/bin/sh"),
        argv: ["/bin/sh", "-c", &script].map(Into::into).into(),
        environment: Environment::Inherited,
        cwd: None,
        scratch: None,
        stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
        isolated: false,
        filters: Vec::new(),
    };
    let limits =
        Limits { timeout: Some(Duration::from_secs(60) * slowness()), stop: None, grace: Duration::from_secs(2) };
    let exit = trace(command, &limits, &mut |_| {}).map_err(|error| error.to_string())?.exit;
    ensure_eq!(exit, Exit::Exited(0));
    let theirs: Vec<PathBuf> = std::fs::read_to_string(listing.path())?.lines().map(PathBuf::from).collect();
    ensure_eq!((&theirs[0], &theirs[2]), (&mine[0], &mine[2]));
    Ok(())
}
