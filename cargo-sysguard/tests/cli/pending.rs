//! `pending`, `accept` and `reject`: keys, and every byte on disk.

use super::project::{Project, run};
use super::session::Session;

const FILE: &str = "\
# talks
version: 1
command: [demo]
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    close:
      why: tidy
";

/// The file after all findings are accepted.
pub(crate) const PROPOSAL: &str = "\
# talks
version: 1
command: [demo]
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    close:
      objects:
        - file
      why: tidy
  network:
    connect:
    socket:
      arguments:
        - AF_INET
blind_spots:
  - io_uring
";

/// Remarks that `test` may add at the end of the proposal.
pub(crate) const REMARKS: &str = "\
# For the review; accepting leaves these lines out.
# drift:
#   - glibc 2.36 → glibc 2.39
# sites:
#   network: http 1.2.0 http::get, called by demo::fetch at src/main.rs:7
#   network::connect: http 1.2.0 http::get, called by demo::fetch at src/main.rs:7
#   network::socket: http 1.2.0 http::get, called by demo::fetch at src/main.rs:7
#   filesystem::close::object=file: \"close in demo, which has no debug information: no line is known\"
# causes:
#   network::connect: glibc 2.39, not your change
";

const KEYS: [&str; 4] = [
    "net::talk::network::connect",
    "net::talk::network::socket",
    "net::talk::blind_spots::io_uring",
    "net::talk::filesystem::close::object=file",
];

pub(crate) const TALK: &str = "expectations/net/talk.yaml";
pub(crate) const TALK_NEW: &str = "expectations/net/talk.yaml.new";

pub(crate) fn own_name_beats_the_short_name_of_a_test() {
    let proposal = PROPOSAL.replace("# talks\n", "");
    let of_test = |text: &str| text.replace("command: [demo]", "run: a::it");
    let bare = "version: 1\ncommand: [demo]\n";
    let project = Project::new("pending-own-name")
        .file("expectations/a.yaml", bare)
        .file("expectations/a.yaml.new", &proposal)
        .file("expectations/run/a/it.yaml", &of_test(bare))
        .file("expectations/run/a/it.yaml.new", &of_test(&proposal));
    let before = project.files();
    project.sysguard("accept a").ends(0);
    assert_eq!(project.changed_since(&before), ["expectations/a.yaml", "expectations/a.yaml.new"]);
    let before = project.files();
    project.sysguard("reject a").ends(2);
    assert_eq!(project.changed_since(&before), [""; 0], "the proposal of the test is not meant");
    project.sysguard("reject a::it").ends(0);
}

/// Returns a package with one proposal, and a workload without one.
pub(crate) fn proposing(name: &str) -> Project {
    Project::new(name).expecting("other", "command: [true]").file(TALK, FILE).file(TALK_NEW, PROPOSAL)
}

pub(crate) fn printed_keys_are_accepted() {
    let project = proposing("pending-keys");
    let before = project.files();
    let printed = project.sysguard("pending").ends(101).stdout;
    assert_eq!(printed.lines().collect::<Vec<_>>(), KEYS);
    let json = project.sysguard("pending --format json").ends(101).stdout;
    let record: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let entry = serde_json::json!({"workload": "net::talk", "file": TALK, "keys": KEYS});
    assert_eq!((&record["schema"], &record["pending"]), (&"sysguard.pending/1".into(), &serde_json::json!([entry])));
    assert_eq!(record["groups"].as_array().map(Vec::len), Some(KEYS.len()), "no cause is known");
    assert_eq!(project.changed_since(&before), [""; 0]);

    for key in printed.lines() {
        run(project.command("accept").arg(key)).ends(0);
    }
    assert_eq!(project.changed_since(&before), [TALK, TALK_NEW]);
    assert_eq!(project.read(TALK), PROPOSAL);
    assert!(!project.path(TALK_NEW).exists(), "nothing is left of the proposal");
    assert_eq!(project.sysguard("pending").ends(0).stdout, "");
    let none = project.sysguard("pending --format json").ends(0).stdout;
    let record: serde_json::Value = serde_json::from_str(&none).expect("JSON");
    assert_eq!(record["pending"], serde_json::json!([]));
}

pub(crate) fn remarks_are_shown_but_never_accepted() {
    let project = proposing("pending-whence").file(TALK_NEW, &format!("{PROPOSAL}{REMARKS}"));
    let before = project.files();
    assert_eq!(
        project.sysguard("pending").ends(101).stdout.lines().collect::<Vec<_>>(),
        KEYS,
        "for scripts, keys only"
    );
    let json = project.sysguard("pending --format json").ends(101).stdout;
    let record: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let get = "http 1.2.0 http::get, called by demo::fetch at src/main.rs:7";
    let close = "close in demo, which has no debug information: no line is known";
    let entry = &record["pending"][0];
    assert_eq!(entry["sites"], serde_json::json!({KEYS[0]: get, KEYS[1]: get, KEYS[3]: close}));
    assert_eq!(entry["causes"], serde_json::json!({KEYS[0]: "glibc 2.39, not your change"}));
    assert_eq!(entry["drift"], serde_json::json!(["glibc 2.36 → glibc 2.39"]));

    let mut session = Session::start(&project, &["pending"]);
    let [connect, socket, spot, object] = KEYS;
    session.until(&format!(
        " {get}: 2 new (network::connect, network::socket)\n  {connect}\n    by {get} (glibc 2.39, not your change)\n  \
         {socket}\n    by {get}\n{spot}\n"
    ));
    session.until(&format!(" {close}: 1 new (close file)\n  {object}\n    by {close}\n"));
    assert_eq!(session.ends(), Some(101));
    assert_eq!(project.changed_since(&before), [""; 0]);

    project.sysguard(&format!("accept {socket}")).ends(0);
    let connects: Vec<&str> = REMARKS.split_inclusive('\n').filter(|line| line.contains("connect")).collect();
    let rest = project.read(TALK_NEW);
    assert!(connects.iter().all(|line| rest.contains(line)) && !rest.contains("network::socket"), "{rest}");
    project.sysguard(&format!("reject {object}")).ends(0);
    assert!(!project.read(TALK_NEW).contains(close), "{}", project.read(TALK_NEW));
    project.sysguard("accept net::talk").ends(0);
    assert_eq!(project.read(TALK), PROPOSAL.replace("      objects:\n        - file\n      why", "      why"));
    assert_eq!(project.changed_since(&before), [TALK, TALK_NEW]);
}

/// A container may mount its sources read-only and keep proposals elsewhere.
pub(crate) fn read_only_tree_is_one_error_without_loss() {
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let folder = elsewhere.path().display();
    let project = proposing("pending-read-only");
    let proposal = elsewhere.path().join(TALK_NEW);
    std::fs::create_dir_all(proposal.parent().expect("a folder")).expect("a folder");
    std::fs::rename(project.path(TALK_NEW), &proposal).expect("a proposal");
    project.writable(false);
    let before = project.files();
    let bound = |line: &str| run(&mut project.bound_command(&format!("{line} --pending-dir {folder}")));

    assert_eq!(bound("pending").ends(101).stdout.lines().collect::<Vec<_>>(), KEYS);
    let typed = format!("cargo sysguard accept 'net::talk::network::socket' --pending-dir {folder}\n");
    assert!(bound("review").ends(101).stdout.contains(&typed), "the printed command has the flag");
    for line in ["accept net::talk", "accept net::talk::network::socket --why REQ-12"] {
        let ran = bound(line).ends(101);
        let errors: Vec<&str> = ran.stderr.lines().collect();
        let [error] = errors[..] else { panic!("one error:\n{}", ran.stderr) };
        let expected =
            format!("error: cannot write {}: Permission denied (os error 13); ", project.path(TALK).display());
        assert!(
            error.starts_with(&expected) && error.ends_with("findings that were not written stay pending"),
            "{error}"
        );
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
    assert_eq!(std::fs::read_to_string(&proposal).expect("a proposal"), PROPOSAL, "nothing is lost");

    // A rejection concerns the proposal only.
    bound("reject net::talk::blind_spots::io_uring").ends(0);
    assert_eq!(bound("pending").ends(101).stdout.lines().count(), 3);
    assert_eq!(project.changed_since(&before), [""; 0]);

    project.writable(true);
    assert_eq!(bound("accept net::talk").ends(0).stdout, format!("wrote {TALK}\n"));
    assert_eq!(project.read(TALK), PROPOSAL.replace("blind_spots:\n  - io_uring\n", ""));
    assert!(!proposal.exists());
}

/// The proposal is in the read-only tree.
pub(crate) fn unwritable_proposal_is_an_error() {
    let project = proposing("pending-stuck");
    project.writable(false);
    let before = project.files();
    let proposal = project.path(TALK_NEW).display().to_string();
    for (line, operation) in [("reject net::talk", "remove"), ("reject net::talk::network::socket", "write")] {
        let ran = run(&mut project.bound_command(line)).ends(101);
        let expected = format!("error: cannot {operation} {proposal}: Permission denied (os error 13); ");
        assert!(ran.stderr.starts_with(&expected) && ran.stderr.lines().count() == 1, "{line}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{line}");
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.writable(true);
    project.sysguard("reject net::talk").ends(0);
    assert_eq!(project.changed_since(&before), [TALK_NEW]);
}

pub(crate) fn accepted_syscall_includes_only_its_details() {
    let project = proposing("pending-syscall");
    let before = project.files();
    let ran =
        run(project.command("accept net::talk::network::socket --why").arg("serves; REQ-12").env("CI", "1")).ends(0);
    assert_eq!(ran.stdout, format!("wrote {TALK}\n"));
    let socket = "  network:\n    socket:\n      arguments:\n        - AF_INET\n      why: serves; REQ-12\n";
    assert_eq!(project.read(TALK), format!("{FILE}{socket}"));
    assert_eq!(project.read(TALK_NEW), PROPOSAL.replace("- AF_INET\n", "- AF_INET\n      why: serves; REQ-12\n"));

    let once = project.files();
    assert!(project.sysguard("accept net::talk::network::socket").ends(0).stdout.contains("already contain it"));
    assert_eq!(project.changed_since(&once), [""; 0], "accepting twice changes nothing");

    project.sysguard("accept net::talk::network").ends(0);
    assert!(project.read(TALK).contains("  network:\n    connect:\n    socket:\n"), "a subsystem is all of it");
    project.sysguard("accept net::talk").ends(0);
    assert_eq!(project.changed_since(&before), [TALK, TALK_NEW]);
    assert_eq!(project.read(TALK), PROPOSAL.replace("- AF_INET\n", "- AF_INET\n      why: serves; REQ-12\n"));
    let done = project.files();
    project.sysguard("accept net::talk").ends(0);
    assert_eq!(project.changed_since(&done), [""; 0]);
}

pub(crate) fn rejected_findings_are_not_remembered() {
    let project = proposing("pending-reject");
    let before = project.files();
    project.sysguard("reject net::talk::network net::talk::blind_spots::io_uring").ends(0);
    assert_eq!(project.changed_since(&before), [TALK_NEW], "the file stays");
    assert_eq!(project.sysguard("pending").ends(101).stdout, "net::talk::filesystem::close::object=file\n");
    let ran = project.sysguard("reject net::talk::filesystem::close::object=file").ends(0);
    assert_eq!(ran.stdout, format!("removed {TALK_NEW}\n"));
    assert!(!project.path(TALK_NEW).exists(), "an empty proposal is removed");
    assert_eq!(project.read(TALK), FILE);
    project.sysguard("reject net::talk::network").ends(2);
    let again = project.file(TALK_NEW, PROPOSAL);
    assert_eq!(again.sysguard("pending").ends(101).stdout.lines().count(), 4, "nothing is remembered");
    again.sysguard("reject net::talk").ends(0);
    assert!(!again.path(TALK_NEW).exists());
}

pub(crate) fn unmatched_key_is_2_and_writes_nothing() {
    let project = proposing("pending-nothing");
    let before = project.files();
    for line in [
        "accept net::talk::network::socket net::talk::network::bind",
        "accept nobody",
        "accept other",
        "accept net::talk::process",
        "accept net::talk::network::socket::argument=AF_UNIX",
        "accept net::talk::blind_spots::io_uring --why because",
        "accept",
        "reject net::talk::network net::talk::process",
        "reject other",
        "reject",
    ] {
        project.sysguard(line).ends(2);
        assert_eq!(project.changed_since(&before), [""; 0], "{line}");
    }
}

pub(crate) fn unfitting_proposal_is_one_error() {
    let misfits = [
        ("changed", PROPOSAL.replace("[demo]", "[other]"), "the first document of the file has changed since"),
        ("conflict", PROPOSAL.replace("    socket:", "<<<<<<< ours\n    socket:"), "conflict"),
        ("malformed", PROPOSAL.replace("network:", "netwrok:"), "unknown subsystem `netwrok`"),
        ("outgrown", PROPOSAL.replace("    close:", "    openat:"), "the file holds `filesystem::close`"),
    ];
    let mut project = proposing("pending-misfits").file("expectations/orphan.yaml.new", PROPOSAL);
    for (name, proposal, _) in &misfits {
        let file = format!("expectations/{name}.yaml");
        project = project.file(&file, FILE).file(&format!("{file}.new"), proposal);
    }
    let before = project.files();
    let pending = project.sysguard("pending").ends(101);
    assert_eq!(pending.stdout.lines().count(), KEYS.len(), "the other workloads are still printed");
    assert_eq!(pending.stderr.matches("error: ").count(), 5, "{}", pending.stderr);
    for (name, _, expected) in
        misfits.iter().map(|(name, _, expected)| (*name, "", *expected)).chain([("orphan", "", "no such file")])
    {
        for line in
            [format!("accept {name}"), format!("accept {name}::network net::talk"), format!("reject {name}::network")]
        {
            let ran = project.sysguard(&line).ends(101);
            assert!(ran.stderr.contains(expected) && ran.stderr.contains(name), "{line}: {}", ran.stderr);
        }
    }
    // The exit code of the worst error is returned: 2 before 101.
    project.sysguard("accept changed nobody").ends(2);
    assert_eq!(project.changed_since(&before), [""; 0]);

    project.sysguard("reject changed conflict malformed outgrown orphan").ends(0);
    assert_eq!(project.changed_since(&before).len(), 5);
    assert_eq!(project.sysguard("pending").ends(101).stderr, "");
}

pub(crate) fn printed_key_beats_workload_of_that_name() {
    let project = Project::new("pending-names");
    let bare = "version: 1\ncommand: [demo]\n";
    let proposal = |call: &str| format!("{bare}---\nplatform: x86_64-linux-gnu\nsubsystems:\n  futex:\n    {call}:\n");
    let project = project
        .file("expectations/a.yaml", bare)
        .file("expectations/a.yaml.new", &proposal("futex"))
        .file("expectations/a/futex.yaml", bare)
        .file("expectations/a/futex.yaml.new", &proposal("futex"));
    let before = project.files();
    let ran = project.sysguard("accept a::futex").ends(2);
    assert!(ran.stderr.contains("it matches workload a and workload a::futex"), "{}", ran.stderr);
    project.sysguard("accept a::futex::futex").ends(0);
    assert_eq!(project.changed_since(&before), ["expectations/a.yaml", "expectations/a.yaml.new"]);
    project.sysguard("accept a::futex::futex::futex").ends(0);
    assert_eq!(project.changed_since(&before).len(), 4);
}

pub(crate) fn proposals_may_be_in_another_directory() {
    let project = proposing("pending-dir").file(&format!("elsewhere/{TALK_NEW}"), PROPOSAL);
    std::fs::remove_file(project.path(TALK_NEW)).expect("it was there");
    assert_eq!(project.sysguard("pending").ends(0).stdout, "");
    assert_eq!(project.sysguard("pending --pending-dir elsewhere").ends(101).stdout.lines().count(), KEYS.len());
    let before = project.files();
    run(project.command("accept net::talk::network").env("SYSGUARD_PENDING_DIR", "elsewhere")).ends(0);
    assert_eq!(project.changed_since(&before), [TALK], "what is left was proposed already");
    let ran = project.sysguard("accept net::talk --pending-dir elsewhere").ends(0);
    assert_eq!(ran.stdout, format!("wrote {TALK}\n"));
    assert_eq!(project.changed_since(&before), [format!("elsewhere/{TALK_NEW}").as_str(), TALK]);
    assert_eq!(project.read(TALK), PROPOSAL);
}

pub(crate) fn orphans_are_handled_as_requested() {
    let orphan = "expectations/gone.yaml.new";
    let project = Project::new("pending-orphans").file(orphan, PROPOSAL);
    let before = project.files();
    for (mode, ci, code, label) in [
        ("ignore", "1", 0, None),
        ("warn", "1", 0, Some("warning: ")),
        ("reject", "0", 101, Some("error: ")),
        ("auto", "1", 101, Some("error: ")),
        ("delete --no-run", "0", 0, None),
    ] {
        let ran = run(project.command(&format!("test --unreferenced {mode}")).env("CI", ci)).ends(code);
        assert_eq!(project.changed_since(&before), [""; 0], "{mode}");
        let expected = label
            .map_or_else(String::new, |label| format!("{label}{orphan} is a proposal without an expectation file"));
        assert_eq!(ran.stderr.contains(orphan), label.is_some(), "{mode}: {}", ran.stderr);
        assert!(ran.stderr.contains(&expected), "{mode}: {}", ran.stderr);
    }
    for (mode, ci) in [("delete", "1"), ("auto", "0")] {
        project.write(orphan, PROPOSAL);
        let ran = run(project.command(&format!("test --unreferenced {mode}")).env("CI", ci)).ends(0);
        assert!(ran.stderr.contains(&format!("removed {orphan}")), "{mode}: {}", ran.stderr);
        assert_eq!(project.changed_since(&before), [orphan], "{mode}");
    }
    project.sysguard("test --unreferenced sometimes").ends(2);
}

/// A user's steps from the first run to a change.
pub(crate) fn proposals_of_a_test_can_be_settled() {
    let project = Project::new("pending-life").expecting("own", "bin: pending-life");
    project.sysguard("test").ends(101);
    let first = project.sysguard("pending").ends(101).stdout;
    assert!(first.contains("own::process::execve\n"), "{first}");
    let proposal = project.read("expectations/own.yaml.new");
    let (proposed, _remarks) = proposal.split_once("# For the review").expect("first calls");
    project.sysguard("accept own").ends(0);
    assert_eq!(project.read("expectations/own.yaml"), proposed);
    project.sysguard("test").ends(0);

    project.write("src/main.rs", "fn main() { let _ = std::net::UdpSocket::bind((\"127.0.0.1\", 0)); }\n");
    let ran = project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("cargo sysguard review") && ran.stdout.contains("accept own "), "{}", ran.stdout);
    let keys = project.sysguard("pending").ends(101).stdout;
    assert!(keys.contains("own::network::socket\n") && keys.contains("own::network::bind\n"), "{keys}");
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        let json = project.sysguard("pending --format json").ends(101).stdout;
        let record: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let site = &record["pending"][0]["sites"]["own::network::socket"];
        assert_eq!(site, "pending_life::main at src/main.rs:1");
    }
    let before = project.files();
    run(project.command("accept").args(keys.lines()).arg("--why=a new port")).ends(0);
    assert_eq!(project.changed_since(&before), ["expectations/own.yaml", "expectations/own.yaml.new"]);
    assert!(project.read("expectations/own.yaml").contains("why: a new port"));
    assert!(!project.read("expectations/own.yaml").contains("main.rs"), "no call site is accepted");
    project.sysguard("pending").ends(0);
    project.sysguard("test").ends(0);

    // A bless of what was accepted changes no byte, reasons included.
    let before = project.files();
    project.sysguard("bless").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0]);
}
