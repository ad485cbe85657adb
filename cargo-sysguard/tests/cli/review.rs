//! `review`: keys on a terminal, and output without one.

use nix::sys::signal::Signal;

use super::pending::{PROPOSAL, REMARKS, TALK, TALK_NEW, proposing};
use super::project::{Project, command, run};
use super::session::Session;

fn review(project: &Project) -> Session {
    Session::start(project, &["review"])
}

/// The end of the output before a key is read.
const PROMPT: &str = "\n> ";

/// Declines to undo the last decision.
fn end(session: &mut Session) {
    session.until("that was the last finding: [u]ndo, or another key to end\n> ");
    session.press(" ");
}

pub(crate) fn each_key_writes_the_expected_bytes() {
    let project = proposing("review-keys");
    let mut session = review(&project);
    let first = session.until(PROMPT);
    for shown in [
        "\n1 of 4  new-subsystem  net::talk::network::connect\n",
        "  call    connect: net/socket.c, NETWORKING [SOCKETS], CONFIG_NET, since Linux\n          2.0\n",
        "  file    expectations/net/talk.yaml:5\n",
        "\n+  network:\n+    connect:\n",
    ] {
        assert!(first.contains(shown), "{shown:?} is missing:\n{first}");
    }
    session.press("z");
    assert!(session.until(PROMPT).contains("\n1 of 4  "), "a key without a meaning changes nothing");
    session.press("s");
    let second = session.until(PROMPT);
    for shown in ["2 of 4  new-subsystem  net::talk::network::socket\n  @", " cause not known\n  with    AF_INET\n"] {
        assert!(second.contains(shown), "{shown:?} is missing:\n{second}");
    }
    session.press("e");
    session.until("why: ");
    session.enter("serves; REQ-12\n");
    session.until("accepted: wrote expectations/net/talk.yaml\n");
    session.until(PROMPT);
    let file = project.read(TALK);
    let socket = "  network:\n    socket:\n      arguments:\n        - AF_INET\n      why: serves; REQ-12\n";
    assert!(file.ends_with(&format!("    close:\n      why: tidy\n{socket}")), "written at once:\n{file}");
    session.press("r");
    session.until("rejected\n");
    session.until(PROMPT);
    session.press("a");
    end(&mut session);
    session.until("\n2 accepted, 1 rejected, 1 undecided\n");
    assert_eq!(session.ends(), Some(101), "one is still pending");
    let reasoned = PROPOSAL.replace("- AF_INET\n", "- AF_INET\n      why: serves; REQ-12\n");
    let without_spot = reasoned.replace("blind_spots:\n  - io_uring\n", "");
    assert_eq!(project.read(TALK), without_spot.replace("    connect:\n", ""));
    assert_eq!(project.read(TALK_NEW), without_spot);
    assert_eq!(project.sysguard("pending").ends(101).stdout, "net::talk::network::connect\n");
}

pub(crate) fn diff_tool_gets_the_terminal() {
    let project = proposing("review-difftool");
    let tool = project
        .file("tool", "#!/bin/sh\ntest -t 0 && test -t 1 && echo on a terminal: \"$1\" && diff -c \"$2\" \"$3\"\n");
    let script = tool.path("tool");
    let words = format!("sh {} first", script.display());
    let mut session = Session::start_with(&tool, &["review"], &[("SYSGUARD_DIFF_TOOL", words.as_ref())]);
    let shown = session.until(PROMPT);
    assert!(shown.contains("on a terminal: first\n") && shown.contains("\n+   network:\n"), "{shown}");
    assert!(!shown.contains("\n+++ "), "no built-in diff as well:\n{shown}");
    session.press("q");
    session.until("undecided\n");
    assert_eq!(session.ends(), Some(101));
}

pub(crate) fn capital_keys_apply_to_the_whole_workload() {
    let project = proposing("review-capitals")
        .file("expectations/a.yaml", "version: 1\ncommand: [demo]\n")
        .file("expectations/a.yaml.new", &PROPOSAL.replace("# talks\n", ""));
    let before = project.files();
    let mut session = review(&project);
    session.until(PROMPT);
    session.press("R");
    session.until("reject these 4 findings of a? [y]es, or another key for no: ");
    session.press("n");
    assert!(session.until(PROMPT).contains("\nnothing was decided\n"));
    assert_eq!(project.changed_since(&before), [""; 0]);
    for (key, question) in [("R", "reject these 4 findings of a?"), ("A", "accept these 4 findings of net::talk?")] {
        session.press(key);
        session.until(question);
        session.press("y");
        if key == "R" {
            assert!(session.until(PROMPT).contains("net::talk::network::connect"), "the next workload");
        }
    }
    end(&mut session);
    session.until("\n4 accepted, 4 rejected, 0 undecided\n");
    assert_eq!(session.ends(), Some(0), "nothing is pending any more");
    assert_eq!(project.read(TALK), PROPOSAL);
    assert_eq!(project.read("expectations/a.yaml"), "version: 1\ncommand: [demo]\n");
    assert!(!project.path(TALK_NEW).exists() && !project.path("expectations/a.yaml.new").exists());
}

pub(crate) fn one_reason_applies_to_the_whole_workload() {
    let project = proposing("review-reasons");
    let mut session = review(&project);
    session.until(PROMPT);
    session.press("E");
    session.until("why: ");
    session.enter("serves; REQ-12\n");
    session.until("accepted: wrote expectations/net/talk.yaml\n");
    end(&mut session);
    session.until("\n4 accepted, 0 rejected, 0 undecided\n");
    assert_eq!(session.ends(), Some(0));
    let why = "      why: serves; REQ-12\n";
    let expected = PROPOSAL
        .replace("    connect:\n", &format!("    connect:\n{why}"))
        .replace("        - AF_INET\n", &format!("        - AF_INET\n{why}"))
        .replace("why: tidy\n", "why: tidy; serves; REQ-12\n");
    assert_eq!(project.read(TALK), expected);
    assert!(!project.path(TALK_NEW).exists());
}

pub(crate) fn every_exit_restores_the_terminal() {
    let project = proposing("review-exits");
    let before = project.files();
    for (keys, code) in [("q", Some(101)), ("\u{4}", Some(101)), ("\u{3}", Some(101)), ("S", Some(101))] {
        let mut session = review(&project);
        session.until(PROMPT);
        session.press(keys);
        assert_eq!(session.ends(), code, "{keys:?}");
    }
    // An empty reason or the end of input decides nothing.
    for line in ["\n", "\u{4}"] {
        let mut session = review(&project);
        session.until(PROMPT);
        session.press("e");
        session.until("why: ");
        session.enter(line);
        session.until("nothing was decided");
        session.until(PROMPT);
        session.press("q");
        assert_eq!(session.ends(), Some(101));
    }
    // The terminal is in raw mode at this moment.
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        let mut session = review(&project);
        session.until(PROMPT);
        session.until_raw();
        session.signal(signal);
        assert_eq!(session.ends(), None, "{signal}");
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
}

/// The job stops with the terminal restored, and then continues at the same finding.
pub(crate) fn ctrl_z_suspends_and_resumes() -> Option<&'static str> {
    if run(command("bash").args(["-c", "true"])).code != 0 {
        return Some("requires bash, which is not installed");
    }
    let project = proposing("review-suspended");
    let mut session = Session::start_job(&project, &["review"]);
    session.until(PROMPT);
    session.press("\u{1a}");
    session.until("stopped 148\n");
    session.enter("\n");
    assert!(session.until(PROMPT).contains("\n1 of 4  "), "it shows the finding again");
    session.press("A");
    session.until("[y]es");
    session.press("y");
    end(&mut session);
    session.until("\n4 accepted, 0 rejected, 0 undecided\n");
    assert_eq!(session.ends(), Some(0));
    assert_eq!(project.read(TALK), PROPOSAL);
    None
}

pub(crate) fn call_site_of_a_finding_is_shown() {
    let project = proposing("review-whence").file(TALK_NEW, &format!("{PROPOSAL}{REMARKS}"));
    let typed = project.sysguard("review").ends(101).stdout;
    let site = "by http 1.2.0 http::get, called by demo::fetch at src/main.rs:7";
    for line in [
        format!("cargo sysguard accept 'net::talk::network::connect'   # {site} (glibc 2.39, not your change)\n"),
        format!("cargo sysguard accept 'net::talk::network::socket'   # {site}\n"),
        "cargo sysguard accept 'net::talk::blind_spots::io_uring'\n".to_owned(),
    ] {
        assert!(typed.contains(&line), "{line} is missing:\n{typed}");
    }
    let mut session = review(&project);
    let came = "  by      http 1.2.0 http::get, called by demo::fetch at src/main.rs:7\n";
    let drift = "  drift   glibc 2.36 → glibc 2.39 since the baseline was recorded\n";
    let cause = "  cause   glibc 2.39, not your change\n";
    // The title is wrapped.
    let title = " http 1.2.0 http::get, called by demo::fetch at src/main.rs:7: 2 new\n          (network::connect, network::socket)";
    let connect = format!("{title}; 1 more to decide\n{came}{cause}{drift}  call    connect: ");
    let socket = format!("{title}\n  with    AF_INET\n{came}{drift}  call    socket: ");
    let spot = format!(" cause not known\n{drift}  means   ");
    let close = "  by      close in demo, which has no debug information: no line is known\n";
    for (shown, key) in [(connect.as_str(), "r"), (&socket, "a"), (&spot, "s"), (close, "a")] {
        let card = session.until(PROMPT);
        assert!(card.contains(shown), "{shown:?} is missing:\n{card}");
        session.press(key);
    }
    end(&mut session);
    session.until("\n2 accepted, 1 rejected, 1 undecided\n");
    assert_eq!(session.ends(), Some(101));
    let accepted = PROPOSAL.replace("    connect:\n", "").replace("blind_spots:\n  - io_uring\n", "");
    assert_eq!(project.read(TALK), accepted);
}

pub(crate) fn read_only_tree_ends_review_without_loss() {
    let project = proposing("review-read-only");
    project.writable(false);
    let before = project.files();
    for key in ["a", "r"] {
        let mut session = review(&project);
        session.until(PROMPT);
        session.press(key);
        session.until(": Permission denied (os error 13); findings that were not written stay pending\n");
        assert_eq!(session.ends(), Some(101), "{key}");
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.writable(true);
    let mut session = review(&project);
    session.until(PROMPT);
    session.press("A");
    session.until("[y]es");
    session.press("y");
    end(&mut session);
    session.until("\n4 accepted, 0 rejected, 0 undecided\n");
    assert_eq!((session.ends(), project.read(TALK).as_str()), (Some(0), PROPOSAL));
}

pub(crate) fn commands_are_printed_without_a_terminal() {
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
            "cargo sysguard reject 'net::talk'   # or one of the keys above",
        ]
    );
    assert_eq!(project.sysguard("review talk").ends(101).stdout, shown);
    project.sysguard("review nobody").ends(2);
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("reject net::talk").ends(0);
    assert_eq!(project.sysguard("review").ends(0).stdout, "nothing is pending\n");
}

pub(crate) fn undo_restores_each_decision() {
    let project = proposing("review-undo");
    let before = project.files();
    let mut session = review(&project);
    session.until(PROMPT);
    session.press("u");
    assert!(session.until(PROMPT).contains("\nnothing to undo\n"));
    for key in ["a", "r"] {
        session.press(key);
        session.until(PROMPT);
    }
    for at in ["\n2 of 4  ", "\n1 of 4  "] {
        session.press("u");
        session.until("undone: expectations/net/talk.yaml is as before\n");
        assert!(session.until(PROMPT).contains(at), "{at}");
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
    // The decision that ends the review can be undone as well.
    session.press("A");
    session.until("[y]es");
    session.press("y");
    session.until("[u]ndo, or another key to end\n> ");
    assert_eq!(project.read(TALK), PROPOSAL);
    session.press("u");
    assert!(session.until(PROMPT).contains("\n1 of 4  "));
    assert_eq!(project.changed_since(&before), [""; 0]);
    // Another process has changed the file since.
    session.press("a");
    session.until(PROMPT);
    let edited = format!("# mine\n{}", project.read(TALK));
    let project = project.file(TALK, &edited);
    session.press("u");
    session.until("cannot undo: expectations/net/talk.yaml has changed since\n");
    session.until(PROMPT);
    session.press("q");
    session.until("\n1 accepted, 0 rejected, 3 undecided\n");
    assert_eq!(session.ends(), Some(101));
    assert_eq!(project.read(TALK), edited);
}

pub(crate) fn editor_opens_at_the_line() {
    let project = proposing("review-editor").file("editor", "#!/bin/sh\ntest -t 0 && echo \"opened: $*\"\n");
    let words = format!("sh {}", project.path("editor").display());
    let variables = [("VISUAL", words.as_ref()), ("EDITOR", "false".as_ref())];
    let mut session = Session::start_with(&project, &["review"], &variables);
    session.until(PROMPT);
    session.press("o");
    session.until(&format!("opened: +5 {}\n", project.path(TALK).display()));
    session.until(PROMPT);
    // A call site names a line of this file.
    let project = project.file("src/main.rs", "fn main() {}\n").file(TALK_NEW, &format!("{PROPOSAL}{REMARKS}"));
    session.press("z");
    session.until(PROMPT);
    session.press("o");
    session.until(&format!("opened: +7 {}\n", project.path("src/main.rs").display()));
    session.until(PROMPT);
    session.press("q");
    assert_eq!(session.ends(), Some(101));
    for (editor, note) in
        [("", "\nset VISUAL or EDITOR to open an editor\n"), ("false", "\n`false` failed: exit status: 1\n")]
    {
        let variables = [("VISUAL", "".as_ref()), ("EDITOR", editor.as_ref())];
        let mut session = Session::start_with(&project, &["review"], &variables);
        session.until(PROMPT);
        session.press("o");
        assert!(session.until(PROMPT).contains(note), "{editor:?}");
        session.press("q");
        assert_eq!(session.ends(), Some(101));
    }
}
