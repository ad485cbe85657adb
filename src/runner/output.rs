//! Captures a workload's standard output and standard error. Main type: [`Capture`].
//!
//! The streams are drained while the workload runs, and the end of each is kept for a failure's
//! message. Draining must never block a run, and must not wait forever: an untraced descendant may
//! keep a pipe open.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::linux::Handle;

/// How much of each stream is kept.
const KEPT_BYTES: usize = 64 * 1024;
/// How long to wait for end of file on the streams after the last traced task has ended.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// Two pipes, each drained by a thread.
#[derive(Debug)]
pub(super) struct Capture {
    tail: Arc<Mutex<Tail>>,
    finished: Receiver<()>,
}

impl Capture {
    /// Starts draining and returns the write ends for the workload's standard output and standard
    /// error. Output is copied to `echo` as it arrives.
    pub(super) fn start(echo: Option<Echo>) -> io::Result<(Self, Handle, Handle)> {
        let (finish, finished) = channel();
        let tail = Arc::new(Mutex::new(Tail::default()));
        let [out, err] = echo.map_or([None, None], |echo| echo.map(Some));
        let stdout = drain(0, Arc::clone(&tail), finish.clone(), out)?;
        let stderr = drain(1, Arc::clone(&tail), finish, err)?;
        Ok((Self { tail, finished }, stdout, stderr))
    }

    /// Returns the end of both streams, interleaved as it arrived.
    pub(super) fn finish(self) -> String {
        let deadline = Instant::now() + PATIENCE;
        for _stream in 0..2 {
            // Disconnected or timed out: no more output is expected.
            if self.finished.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_err() {
                break;
            }
        }
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).text()
    }
}

/// The writers that get a copy of a workload's standard output and standard error.
pub type Echo = [Box<dyn Write + Send>; 2];

fn drain(
    stream: usize,
    tail: Arc<Mutex<Tail>>,
    finish: Sender<()>,
    mut echo: Option<Box<dyn Write + Send>>,
) -> io::Result<Handle> {
    let (mut reader, writer) = io::pipe()?;
    thread::Builder::new().name("output".to_owned()).spawn(move || {
        let mut buffer = vec![0; KEPT_BYTES];
        // A read error is handled as end of file: it cannot be reported from here.
        while let Ok(length @ 1..) = read(&mut reader, &mut buffer) {
            // If the copy fails, the workload must still not be blocked.
            let passed = echo.as_mut().map(|echo| echo.write_all(&buffer[..length]).and_then(|()| echo.flush()));
            echo = echo.filter(|_| passed.is_none_or(|passed| passed.is_ok()));
            tail.lock().unwrap_or_else(PoisonError::into_inner).push(stream, &buffer[..length]);
        }
        // The receiver may already be gone.
        let _ = finish.send(());
    })?;
    Ok(writer.into())
}

/// Reads once, again if a signal interrupts it.
pub(super) fn read(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The end of two streams, interleaved as it arrived.
#[derive(Debug, Default)]
struct Tail {
    chunks: VecDeque<(usize, Vec<u8>)>,
    kept: [usize; 2],
    cut: bool,
}

impl Tail {
    fn push(&mut self, stream: usize, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(KEPT_BYTES)..];
        self.cut |= kept.len() < bytes.len();
        self.kept[stream] += kept.len();
        match self.chunks.back_mut() {
            // Small writes share one allocation.
            Some((last, chunk)) if *last == stream && chunk.len() + kept.len() <= KEPT_BYTES / 16 => {
                chunk.extend_from_slice(kept);
            }
            _ => self.chunks.push_back((stream, kept.to_vec())),
        }
        while self.kept[stream] > KEPT_BYTES {
            self.forget_oldest(stream);
        }
    }

    fn forget_oldest(&mut self, stream: usize) {
        let Some(index) = self.chunks.iter().position(|(owner, _)| *owner == stream) else { return };
        let excess = self.kept[stream] - KEPT_BYTES;
        let chunk = &mut self.chunks[index].1;
        let dropped = excess.min(chunk.len());
        chunk.drain(..dropped);
        if chunk.is_empty() {
            self.chunks.remove(index);
        }
        self.kept[stream] -= dropped;
        self.cut = true;
    }

    fn text(&self) -> String {
        let bytes: Vec<u8> = self.chunks.iter().flat_map(|(_, chunk)| chunk).copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        if self.cut { format!("[…]\n{text}") } else { text.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    #[test]
    fn streams_are_interleaved_in_order_of_arrival() {
        let mut tail = Tail::default();
        for (stream, text) in [(0, "one "), (1, "two "), (0, "three "), (0, "four")] {
            tail.push(stream, text.as_bytes());
        }
        assert_eq!(tail.text(), "one two three four");
    }

    #[test]
    fn each_stream_keeps_its_own_end() {
        let mut tail = Tail::default();
        tail.push(1, b"error: the reason\n");
        for _ in 0..100 {
            tail.push(0, &[b'x'; 5000]);
        }
        tail.push(0, b"the end");
        let text = tail.text();
        assert!(text.starts_with("[…]\nerror: the reason\nx"));
        assert!(text.ends_with("xthe end"));
        assert_eq!(tail.kept, [KEPT_BYTES, "error: the reason\n".len()]);
        assert_eq!(tail.chunks.iter().map(|(_, chunk)| chunk.len()).sum::<usize>(), tail.kept.iter().sum::<usize>());
    }

    #[test]
    fn pipe_is_drained_to_its_end() {
        let (capture, stdout, stderr) = Capture::start(None).expect("pipes");
        File::from(stdout).write_all(&[b'y'; 300_000]).expect("a drained pipe takes all");
        drop(stderr);
        assert_eq!(capture.finish().len(), KEPT_BYTES + "[…]\n".len());
    }

    #[test]
    fn open_pipe_is_not_waited_for() {
        let (capture, stdout, _held) = Capture::start(None).expect("pipes");
        File::from(stdout).write_all(b"all there is").expect("write");
        let begun = Instant::now();
        assert_eq!(capture.finish(), "all there is");
        assert!(begun.elapsed() < 10 * PATIENCE);
    }
}
