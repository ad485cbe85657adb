//! Relays the output of libtest-mimic. Main type: [`Relay`].
//!
//! libtest-mimic opens standard output or a file by itself. Here it gets the name of a pipe, and
//! its lines are passed on. So they never mix with the lines of running workloads on a terminal,
//! and an ignore reason has libtest's format.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

use super::progress::ProgressDisplay;

#[cfg(not(target_os = "linux"))]
pub(super) use file::Relay;
#[cfg(target_os = "linux")]
pub(super) use pipe::Relay;

#[cfg(target_os = "linux")]
mod pipe {
    use std::io::{self, PipeReader, PipeWriter, Write};
    use std::os::fd::AsRawFd;
    use std::thread::{self, ScopedJoinHandle};

    use super::super::progress::ProgressDisplay;
    use super::pass_on;

    /// A pipe that libtest-mimic writes to.
    #[derive(Debug)]
    pub(in crate::harness) struct Relay {
        reader: PipeReader,
        writer: PipeWriter,
    }

    impl Relay {
        pub(in crate::harness) fn new() -> io::Result<Self> {
            let (reader, writer) = io::pipe()?;
            Ok(Self { reader, writer })
        }

        /// Returns the name by which libtest-mimic can open the pipe; see proc_pid_fd(5).
        pub(in crate::harness) fn name(&self) -> String {
            format!("/proc/self/fd/{}", self.writer.as_raw_fd())
        }

        /// Runs `action` and passes on its output meanwhile.
        pub(in crate::harness) fn during<R>(
            self,
            out: &mut (dyn Write + Send),
            display: &ProgressDisplay,
            action: impl FnOnce() -> R,
        ) -> io::Result<R> {
            let Self { reader, writer } = self;
            thread::scope(|scope| {
                let passing: ScopedJoinHandle<'_, io::Result<()>> = scope.spawn(move || pass_on(reader, out, display));
                let result = action();
                // This was the last writer, so the reader gets end of file.
                drop(writer);
                passing.join().unwrap_or_else(|_| Err(io::Error::other("the relaying thread panicked")))?;
                Ok(result)
            })
        }
    }
}

/// Other systems have no name for a pipe. Nothing takes long there, so the lines may come at the
/// end.
#[cfg(not(target_os = "linux"))]
mod file {
    use std::io::{self, Write};

    use tempfile::NamedTempFile;

    use super::super::progress::ProgressDisplay;
    use super::pass_on;

    /// A file that libtest-mimic writes to.
    #[derive(Debug)]
    pub(in crate::harness) struct Relay(NamedTempFile);

    impl Relay {
        pub(in crate::harness) fn new() -> io::Result<Self> {
            NamedTempFile::new().map(Self)
        }

        pub(in crate::harness) fn name(&self) -> String {
            self.0.path().to_string_lossy().into_owned()
        }

        /// Runs `action` and then passes on its output.
        pub(in crate::harness) fn during<R>(
            self,
            out: &mut (dyn Write + Send),
            display: &ProgressDisplay,
            action: impl FnOnce() -> R,
        ) -> io::Result<R> {
            let result = action();
            pass_on(self.0.reopen()?, out, display).map(|()| result)
        }
    }
}

fn pass_on(reader: impl Read, out: &mut dyn Write, display: &ProgressDisplay) -> io::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    let (mut result, mut is_open) = (Ok(()), true);
    while reader.read_until(b'\n', &mut line)? > 0 {
        // Reading continues after a write error, because the writer of the pipe must not block.
        if is_open && result.is_ok() {
            let text = as_libtest(&line);
            match display.suspended(|| out.write_all(&text).and_then(|()| out.flush())) {
                // The reader closed its end, as `head` does: that changes no result.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => is_open = false,
                written => result = written,
            }
        }
        line.clear();
    }
    result
}

/// `test NAME ... ignored (REASON)` → `test NAME ... ignored, REASON`
fn as_libtest(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let reason = text.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")?.1.split_once("ignored ("));
    match reason.and_then(|(_, reason)| reason.rsplit_once(')')) {
        Some((reason, end)) => {
            let start = text.len() - "ignored (".len() - reason.len() - ")".len() - end.len();
            format!("{}ignored, {reason}{end}", &text[..start]).into_bytes()
        }
        None => line.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn ignore_reasons_get_the_format_of_libtest() {
        for (line, passed) in [
            (
                "test a::b ... ignored (requires x, which is not (yet) there)\n",
                "test a::b ... ignored, requires x, which is not (yet) there\n",
            ),
            ("test a   ... \u{1b}[33mignored (why)\u{1b}[0m\n", "test a   ... \u{1b}[33mignored, why\u{1b}[0m\n"),
            ("test a ... ok\n", "test a ... ok\n"),
            ("test a ... ignored\n", "test a ... ignored\n"),
            ("error: ignored (why)\n", "error: ignored (why)\n"),
            ("a: test\n", "a: test\n"),
        ] {
            assert_eq!(String::from_utf8(as_libtest(line.as_bytes())).expect("UTF-8"), passed);
        }
    }

    #[test]
    fn output_written_by_name_is_relayed() {
        let relay = Relay::new().expect("a pipe");
        let name = relay.name();
        let mut out = Vec::new();
        let result = relay.during(&mut out, &ProgressDisplay::new(false, 1), || {
            let mut file = File::create(name)?;
            file.write_all(b"running 1 test\ntest a ... ignored (why)\nlast")
        });
        result.expect("passed on").expect("written");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "running 1 test\ntest a ... ignored, why\nlast");
    }
}
