//! A command on a pseudoterminal: its output, typed input, and the terminal's final modes. Main
//! type: [`Session`].

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::unistd::Pid;

use super::project::{BINARY, Project, bound};

/// The longest wait, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command on a terminal of its own.
pub(crate) struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    /// Keeps the terminal alive after the command, so that its modes can be read.
    terminal: OwnedFd,
    before: Termios,
}

impl Session {
    /// Starts `cargo-sysguard` as a session leader with this controlling terminal, as a login does.
    pub(crate) fn start(project: &Project, words: &[&str]) -> Self {
        Self::start_with(project, words, &[])
    }

    /// Starts it as a job of a shell. After the job has stopped, the shell reads a line and
    /// continues it.
    pub(crate) fn start_job(project: &Project, words: &[&str]) -> Self {
        let script = "\"$@\"; echo \"stopped $?\"; read -r; fg";
        Self::start_by(project, &["bash", "-mc", script, "bash"], words, &[], None)
    }

    /// Starts it with these environment variables.
    pub(crate) fn start_with(project: &Project, words: &[&str], variables: &[(&str, &OsStr)]) -> Self {
        Self::start_by(project, &[], words, variables, None)
    }

    /// Starts it on a terminal with this many rows and columns.
    pub(crate) fn start_on(project: &Project, words: &[&str], (rows, columns): (u16, u16)) -> Self {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Self::start_by(project, &[], words, &[], Some(&size))
    }

    fn start_by(
        project: &Project,
        shell: &[&str],
        words: &[&str],
        variables: &[(&str, &OsStr)],
        size: Option<&Winsize>,
    ) -> Self {
        let pty = openpty(size, None).expect("a terminal");
        let before = tcgetattr(&pty.slave).expect("its state");
        let end = || pty.slave.try_clone().expect("a file descriptor");
        let mut command = project.run_by("setsid");
        command
            .args(["--ctty", "env"])
            .args(bound())
            .args(shell)
            .arg(BINARY)
            .args(words)
            .env("TERM", "xterm")
            .envs(variables.iter().copied());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("it starts");
        let keyboard = File::from(pty.master);
        let mut output = keyboard.try_clone().expect("a file descriptor");
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                match output.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) if sender.send(buffer[..count].to_vec()).is_ok() => {}
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Ok(_) | Err(_) => break,
                }
            }
        });
        Self { child, keyboard, screen, shown: String::new(), terminal: pty.slave, before }
    }

    /// Waits until this text is shown. Returns the output up to its end.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown.find(text) {
                let rest = self.shown.split_off(at + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            match self.screen.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.shown += &String::from_utf8_lossy(&bytes).replace('\r', ""),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} is not shown:\n{}", self.shown)
                }
            }
        }
    }

    /// Types a key in raw mode. Before that, the terminal itself would act on some keys.
    #[track_caller]
    pub(crate) fn press(&mut self, key: &str) {
        self.until_raw();
        self.keyboard.write_all(key.as_bytes()).expect("the terminal takes keys");
    }

    /// Types a line, or a control character, in canonical mode.
    #[track_caller]
    pub(crate) fn enter(&mut self, line: &str) {
        self.when(|state| state.local_flags.contains(LocalFlags::ICANON));
        self.keyboard.write_all(line.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until the terminal is in raw mode.
    #[track_caller]
    pub(crate) fn until_raw(&self) {
        self.when(|state| !state.local_flags.contains(LocalFlags::ICANON));
    }

    /// Types Ctrl-C in canonical mode.
    #[track_caller]
    pub(crate) fn ctrl_c(&mut self) {
        self.enter("\u{3}");
    }

    /// Sends a signal to the command only.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("it is our child");
    }

    /// Waits until the modes of the terminal satisfy a condition.
    #[track_caller]
    fn when(&self, is_so: fn(&Termios) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(&tcgetattr(&self.terminal).expect("its state")) {
            assert!(Instant::now() < end, "the terminal does not change:\n{}", self.shown);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns the exit code. Fails if the modes of the terminal have changed.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("it is our child") {
                Some(status) => break status,
                None if Instant::now() < end => thread::sleep(Duration::from_millis(1)),
                None => {
                    self.child.kill().expect("it is our child");
                    panic!("it does not end:\n{}", self.shown);
                }
            }
        };
        assert_eq!(tcgetattr(&self.terminal).expect("its state"), self.before, "the terminal was left changed");
        status.code()
    }
}
