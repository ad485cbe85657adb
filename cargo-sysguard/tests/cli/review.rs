//! `review`: on a terminal key by key, and without one.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};

use super::pending::{PROPOSAL, TALK, TALK_NEW, proposing};
use super::project::Project;

/// Long enough for a machine that is busy with other things; nothing waits this long when it works.
const PATIENCE: Duration = Duration::from_secs(60);

/// The end of what is printed before a key is read.
const PROMPT: &str = "\n> ";

/// A review on a terminal of its own.
struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    /// Kept open, so that the terminal outlives the review and can be asked.
    terminal: OwnedFd,
    before: Termios,
}

impl Session {
    fn start(project: &Project) -> Self {
        let pty = openpty(None, None).expect("a terminal");
        let before = tcgetattr(&pty.slave).expect("its state");
        let end = || pty.slave.try_clone().expect("a file descriptor");
        let child = project.command("review").stdin(end()).stdout(end()).stderr(end()).spawn().expect("it starts");
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

    /// Waits until this is shown, and gives all that came before it.
    #[track_caller]
    fn until(&mut self, text: &str) -> String {
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

    /// A key, once one is waited for: before that the terminal itself would act on some.
    #[track_caller]
    fn press(&mut self, key: &str) {
        self.when(|state| !state.local_flags.contains(LocalFlags::ICANON));
        self.keyboard.write_all(key.as_bytes()).expect("the terminal takes keys");
    }

    /// A line, or what ends it.
    #[track_caller]
    fn enter(&mut self, line: &str) {
        self.when(|state| state.local_flags.contains(LocalFlags::ICANON));
        self.keyboard.write_all(line.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until the terminal is in such a state.
    #[track_caller]
    fn when(&self, is_so: fn(&Termios) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(&tcgetattr(&self.terminal).expect("its state")) {
            assert!(Instant::now() < end, "the terminal does not change:\n{}", self.shown);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The exit code; the terminal must be as it was.
    #[track_caller]
    fn ends(mut self) -> Option<i32> {
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

pub(crate) fn accept_reason_reject_and_skip_to_the_byte() {
    let project = proposing("review-keys");
    let mut review = Session::start(&project);
    let first = review.until(PROMPT);
    for shown in [
        "(1/4) new-subsystem  net::talk::network::connect\n",
        "  call    connect: net/socket.c, NETWORKING [SOCKETS], CONFIG_NET, since Linux 6.12 or before\n",
        "  file    expectations/net/talk.yaml:5\n",
        "\n+  network:\n+    connect:\n",
    ] {
        assert!(first.contains(shown), "{shown:?} is missing:\n{first}");
    }
    review.press("x");
    assert!(review.until(PROMPT).contains("(1/4) "), "a key without a meaning changes nothing");
    review.press("s");
    assert!(review.until(PROMPT).contains("(2/4) new-subsystem  net::talk::network::socket\n  with    AF_INET\n"));
    review.press("e");
    review.until("why: ");
    review.enter("serves; REQ-12\n");
    review.until("accepted: wrote expectations/net/talk.yaml\n");
    review.until(PROMPT);
    let file = project.read(TALK);
    let socket = "  network:\n    socket:\n      arguments:\n        - AF_INET\n      why: serves; REQ-12\n";
    assert!(file.ends_with(&format!("    close:\n      why: tidy\n{socket}")), "written at once:\n{file}");
    review.press("r");
    review.until("rejected\n");
    review.until(PROMPT);
    review.press("a");
    review.until("\n2 accepted, 1 rejected, 1 undecided\n");
    assert_eq!(review.ends(), Some(101), "one is still pending");
    let reasoned = PROPOSAL.replace("- AF_INET\n", "- AF_INET\n      why: serves; REQ-12\n");
    let without_spot = reasoned.replace("blind_spots:\n  - io_uring\n", "");
    assert_eq!(project.read(TALK), without_spot.replace("    connect:\n", ""));
    assert_eq!(project.read(TALK_NEW), without_spot);
    assert_eq!(project.sysguard("pending").ends(101).stdout, "net::talk::network::connect\n");
}

pub(crate) fn capitals_mean_the_whole_workload() {
    let project = proposing("review-capitals")
        .file("expectations/a.yaml", "version: 1\ncommand: [demo]\n")
        .file("expectations/a.yaml.new", &PROPOSAL.replace("# talks\n", ""));
    let mut review = Session::start(&project);
    review.until(PROMPT);
    review.press("R");
    assert!(review.until(PROMPT).contains("net::talk::network::connect"), "the next workload");
    review.press("A");
    review.until("\n4 accepted, 4 rejected, 0 undecided\n");
    assert_eq!(review.ends(), Some(0), "nothing is pending any more");
    assert_eq!(project.read(TALK), PROPOSAL);
    assert_eq!(project.read("expectations/a.yaml"), "version: 1\ncommand: [demo]\n");
    assert!(!project.path(TALK_NEW).exists() && !project.path("expectations/a.yaml.new").exists());
}

pub(crate) fn every_way_out_leaves_the_terminal_as_it_was() {
    let project = proposing("review-exits");
    let before = project.files();
    for (keys, code) in [("q", Some(101)), ("\u{4}", Some(101)), ("\u{3}", Some(101)), ("S", Some(101))] {
        let mut review = Session::start(&project);
        review.until(PROMPT);
        review.press(keys);
        assert_eq!(review.ends(), code, "{keys:?}");
    }
    // No reason, no decision; and an end of input instead of a reason.
    for line in ["\n", "\u{4}"] {
        let mut review = Session::start(&project);
        review.until(PROMPT);
        review.press("e");
        review.until("why: ");
        review.enter(line);
        review.until("nothing decided");
        review.until(PROMPT);
        review.press("q");
        assert_eq!(review.ends(), Some(101));
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
}

pub(crate) fn without_a_terminal_it_shows_what_to_type() {
    let project = proposing("review-plain");
    let before = project.files();
    let shown = project.sysguard("review").ends(101).stdout;
    assert!(shown.starts_with(&format!("--- {TALK}\n+++ {TALK_NEW}\n")), "{shown}");
    let typed: Vec<&str> = shown.lines().filter(|line| line.starts_with("cargo sysguard")).collect();
    assert_eq!(
        typed,
        [
            "cargo sysguard accept 'net::talk::network::connect'",
            "cargo sysguard accept 'net::talk::network::socket'",
            "cargo sysguard accept 'net::talk::blind_spots::io_uring'",
            "cargo sysguard accept 'net::talk::filesystem::close::object=file'",
            "cargo sysguard reject 'net::talk'   # or one of these keys",
        ]
    );
    assert_eq!(project.sysguard("review talk").ends(101).stdout, shown);
    project.sysguard("review nobody").ends(2);
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("reject net::talk").ends(0);
    assert_eq!(project.sysguard("review").ends(0).stdout, "nothing is pending\n");
}
