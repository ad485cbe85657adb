//! Runs a program until it exits and returns what it printed. Main function: [`output_of`].
//!
//! A program may leave a background process, such as a daemon, that keeps its output open.
//! `Command::output` would wait for that process.

use std::io::{self, Read};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::output::{PATIENCE, read};

/// Runs the command until it exits and returns its standard output; its standard error, too, if
/// that is a pipe. Afterwards it waits for the end of the output, but not for long.
///
/// # Errors
///
/// The command cannot be started or waited for.
pub fn output_of(command: &mut Command) -> io::Result<Output> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().map(Stream::collect).transpose();
    let stderr = child.stderr.take().map(Stream::collect).transpose();
    let status = child.wait()?;
    let deadline = Instant::now() + PATIENCE;
    let end = |stream: Option<Stream>| stream.map(|stream| stream.finish(deadline)).unwrap_or_default();
    Ok(Output { status, stdout: end(stdout?), stderr: end(stderr?) })
}

/// A pipe that a thread drains.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    finished: Receiver<()>,
}

impl Stream {
    fn collect(mut pipe: impl Read + Send + 'static) -> io::Result<Self> {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (finish, finished) = channel();
        let weak = Arc::downgrade(&bytes);
        thread::Builder::new().name("output".to_owned()).spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            // A read error is handled as end of file.
            while let Ok(length @ 1..) = read(&mut pipe, &mut buffer) {
                // The caller no longer waits.
                let Some(bytes) = weak.upgrade() else { return };
                bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..length]);
            }
            // The receiver may already be gone.
            let _ = finish.send(());
        })?;
        Ok(Self { bytes, finished })
    }

    /// Returns what was read until the end of the pipe or the deadline.
    fn finish(self, deadline: Instant) -> Vec<u8> {
        // Disconnected or timed out: no more output is expected.
        let _ = self.finished.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        std::mem::take(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    #[test]
    fn background_process_is_not_waited_for() {
        let begun = Instant::now();
        let output = output_of(&mut shell("sleep 30 & echo out; echo err >&2; exit 3")).expect("sh runs");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!((output.stdout, output.stderr, output.status.code()), (b"out\n".into(), b"err\n".into(), Some(3)));
    }

    #[test]
    fn long_output_is_complete() {
        let output = output_of(&mut shell("head -c 1000000 /dev/zero; head -c 70000 /dev/zero >&2")).expect("sh runs");
        assert_eq!((output.stdout.len(), output.stderr.len()), (1_000_000, 70_000));
    }
}
