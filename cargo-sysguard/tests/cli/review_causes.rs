//! `review` of causes that several workloads show: order, screen, decisions and their undoing.

use std::collections::BTreeMap;

use super::project::Project;
use super::session::Session;

/// The end of the output before a key is read.
const PROMPT: &str = "\n> ";

const SIZES: [(u16, u16); 2] = [(24, 80), (50, 200)];

const DOCUMENT: &str = "version: 1\ncommand: [demo]\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n";

/// Where two workloads connect, and the third opens a socket.
const FETCH: &str = "minreq 2.0.0 minreq::get, called by demo::fetch at src/main.rs:7";

/// The title of the cause that all workloads show.
const TITLE: &str =
    "src/main.rs:7 demo::fetch → minreq 2.0.0 minreq::get: 2 new (network::connect, network::socket) in 3 workloads";

/// Returns a package with proposals of three workloads: a cause of all, one of two, and a finding
/// without a known cause.
fn shared(name: &str) -> Project {
    let place = format!(
        "# places:\n#   - text: {FETCH}\n#     function: demo::fetch\n#     file: src/main.rs\n#     \
         callee: minreq 2.0.0 minreq::get\n#     line: 7\n#     module: demo\n#     own: true\n"
    );
    let connect = "  network:\n    connect:\n    socket:\n      arguments:\n        - AF_INET\n";
    let socket = "  network:\n    socket:\n      arguments:\n        - AF_INET\n";
    let mut project = Project::new(name);
    for (workload, calls, network) in [
        ("one", "    close:\n    openat:\n", connect),
        ("two", "    close:\n    openat:\n", connect),
        ("zoo/three", "    close:\n", socket),
    ] {
        let start = format!("# {workload}\n{DOCUMENT}  filesystem:\n");
        let spot = if workload == "one" { "blind_spots:\n  - io_uring\n" } else { "" };
        let connects = if network == connect { format!("#   network::connect: {FETCH}\n") } else { String::new() };
        let remarks = format!(
            "# For the review; accepting leaves these lines out.\n# examples:\n#   filesystem::openat:\n#     \
             call: openat(\"/etc/hosts\", O_RDONLY) = 3\n#     in: [demo, sh -c …]\n# sites:\n#   network: {FETCH}\n\
             {connects}#   network::socket: {FETCH}\n{place}"
        );
        let proposal = format!("{start}{calls}{network}{spot}{remarks}");
        project = project
            .file(&format!("expectations/{workload}.yaml"), &format!("{start}    close:\n"))
            .file(&format!("expectations/{workload}.yaml.new"), &proposal);
    }
    project
}

/// The keys of all findings, in the order of the review.
const KEYS: [&str; 8] = [
    "one::network::connect",
    "two::network::connect",
    "one::network::socket",
    "two::network::socket",
    "zoo::three::network::socket",
    "one::blind_spots::io_uring",
    "one::filesystem::openat",
    "two::filesystem::openat",
];

/// Returns the id of the first cause that `pending` lists.
fn first_cause(project: &Project) -> String {
    let json = project.sysguard("pending --format json").ends(101).stdout;
    let record: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    record["groups"][0]["id"].as_str().expect("an id").to_owned()
}

fn expectations(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let mut files = project.files();
    files.retain(|name, _| name.starts_with("expectations/"));
    files
}

/// Returns the text of a card without its line breaks.
fn unwrapped(card: &str) -> String {
    card.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn findings_are_ordered_by_cause() {
    let project = shared("causes-order");
    let before = project.files();
    let mut session = Session::start(&project, &["review"]);
    for (number, key) in KEYS.iter().enumerate() {
        let card = session.until(PROMPT);
        let first = format!("\n{} of 8  ", number + 1);
        assert!(card.contains(&first) && card.contains(&format!("  {key}\n")), "{key} is missing:\n{card}");
        session.press("s");
    }
    session.until("\n0 accepted, 0 rejected, 8 undecided\n");
    assert_eq!(session.ends(), Some(101));
    // A skipped workload stays skipped between the findings of others.
    let mut session = Session::start(&project, &["review"]);
    for (key, pressed) in [(KEYS[0], "S"), (KEYS[1], "s"), (KEYS[3], "s"), (KEYS[4], "s"), (KEYS[7], "s")] {
        let card = session.until(PROMPT);
        assert!(card.contains(&format!("  {key}\n")), "{key} is missing:\n{card}");
        session.press(pressed);
    }
    assert_eq!(session.ends(), Some(101));
    assert_eq!(project.changed_since(&before), [""; 0]);
}

pub(crate) fn key_and_cause_stay_on_the_screen() {
    let project = shared("causes-screen");
    let long = "/srv/data/of/a/service ".repeat(60);
    let example =
        format!("# examples:\n#   network::connect:\n#     call: connect(3, {long})\n#     in: [demo]\n#   filesystem");
    let file = "expectations/one.yaml.new";
    let project =
        project.file(file, &shared("causes-text").read(file).replace("# examples:\n#   filesystem", &example));
    let id = first_cause(&project);
    for (rows, columns) in SIZES {
        let mut session = Session::start_on(&project, &["review"], (rows, columns));
        let card = session.until(PROMPT);
        let lines: Vec<&str> = card.lines().collect();
        // The prompt has a line of its own.
        let screen = lines[lines.len().saturating_sub(rows.into())..].join("\n");
        assert!(screen.contains("\n1 of 8  new-subsystem  one::network::connect\n  @"), "{rows} rows:\n{screen}");
        assert!(unwrapped(&screen).contains(&format!(" {id} {TITLE}; 4 more to decide first ")), "{screen}");
        assert!(screen.contains("\nthe whole cause, in every workload: [g] accept  [x] reject\n> "), "{screen}");
        let widest = lines.iter().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.into()), "{widest:?} of {columns} columns:\n{screen}");
        session.press("q");
        assert_eq!(session.ends(), Some(101));
    }
}

pub(crate) fn accepted_cause_equals_accept_and_is_undone() {
    for size in SIZES {
        cause_is_decided("causes-accepted", "accept", "g", size);
    }
}

pub(crate) fn rejected_cause_equals_reject_and_is_undone() {
    for size in SIZES {
        cause_is_decided("causes-rejected", "reject", "x", size);
    }
}

fn cause_is_decided(name: &str, command: &str, key: &str, size: (u16, u16)) {
    let (project, other) = (shared(name), shared(name));
    let id = first_cause(&project);
    other.sysguard(&format!("{command} {id}")).ends(0);
    let before = project.files();
    let mut session = Session::start_on(&project, &["review"], size);
    session.until(PROMPT);
    let question = format!("{command} these 5 findings of {id} in 3 workloads? [y]es, or another key for no: ");
    session.press(key);
    session.until(&question);
    session.press("n");
    assert!(session.until(PROMPT).contains("\nnothing was decided\n"));
    assert_eq!(project.changed_since(&before), [""; 0]);
    for (decided, shown) in [(true, KEYS[5]), (false, KEYS[0])] {
        if decided {
            session.press(key);
            session.until(&question);
            session.press("y");
        } else {
            session.press("u");
            for file in ["one", "two", "zoo/three"] {
                session.until(&format!("undone: expectations/{file}.yaml is as before\n"));
            }
        }
        let card = session.until(PROMPT);
        assert!(card.contains(&format!("  {shown}\n")), "{shown} is missing:\n{card}");
        if decided {
            assert_eq!(expectations(&project), expectations(&other), "as `{command}` writes it");
        } else {
            assert_eq!(project.changed_since(&before), [""; 0]);
        }
    }
    // The last decision can be undone as well.
    for (shown, count) in [(KEYS[0], 5), (KEYS[5], 1), (KEYS[6], 2)] {
        if shown != KEYS[0] {
            assert!(session.until(PROMPT).contains(&format!("  {shown}\n")), "{shown}");
        }
        session.press(key);
        if count > 1 {
            session.until(&format!("{command} these {count} findings of @"));
            session.press("y");
        }
    }
    session.until("that was the last finding: [u]ndo, or another key to end\n> ");
    for _ in 0..3 {
        session.press("u");
        session.until(PROMPT);
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
    session.press("q");
    session.until("\n0 accepted, 0 rejected, 8 undecided\n");
    assert_eq!(session.ends(), Some(101));
}

pub(crate) fn undo_of_a_cause_restores_all_files_or_none() {
    // The last proposal has been accepted as a whole; a test proposes it again meanwhile.
    for file in ["two.yaml", "one.yaml.new", "zoo/three.yaml", "zoo/three.yaml.new"] {
        let file = format!("expectations/{file}");
        let project = shared("causes-undo");
        let before = project.read(&file);
        let mut session = Session::start_on(&project, &["review"], (24, 80));
        session.until(PROMPT);
        session.press("g");
        session.until("[y]es");
        session.press("y");
        session.until(PROMPT);
        let decided = if project.path(&file).exists() { project.read(&file) } else { before };
        project.write(&file, &format!("# mine\n{decided}"));
        let edited = project.files();
        session.press("u");
        session.until(&format!("cannot undo: {file} has changed since\n"));
        session.until(PROMPT);
        assert_eq!(project.changed_since(&edited), [""; 0], "{file}");
        session.press("q");
        session.until("\n5 accepted, 0 rejected, 3 undecided\n");
        assert_eq!(session.ends(), Some(101));
    }
}

pub(crate) fn decided_and_skipped_findings_count_once() {
    let project = shared("causes-count");
    let id = first_cause(&project);
    let before = project.files();
    let mut session = Session::start(&project, &["review"]);
    // Accepts the first finding, skips the second: the cause still has the skipped one.
    for key in ["a", "s"] {
        session.until(PROMPT);
        session.press(key);
    }
    let card = session.until(PROMPT);
    assert!(card.contains(KEYS[2]) && unwrapped(&card).contains("; 3 more to decide"), "{card}");
    session.press("x");
    session.until(&format!("reject these 4 findings of {id} in 3 workloads?"));
    session.press("y");
    assert!(session.until(PROMPT).contains(KEYS[5]));
    // Back to the finding that was shown.
    session.press("u");
    assert!(session.until(PROMPT).contains(KEYS[2]));
    session.press("x");
    session.until("[y]es");
    session.press("y");
    session.until(PROMPT);
    session.press("A");
    session.until("accept these 2 findings of one?");
    session.press("y");
    assert!(session.until(PROMPT).contains(KEYS[7]), "the findings of another workload follow");
    session.press("q");
    session.until("\n3 accepted, 4 rejected, 1 undecided\n");
    assert_eq!(session.ends(), Some(101));
    let changed = project.changed_since(&before);
    let [one, two] = ["expectations/one.yaml", "expectations/two.yaml"];
    assert!(changed.iter().any(|name| name == one) && !changed.iter().any(|name| name == two), "{changed:?}");
    assert!(project.read(one).ends_with("    openat:\n  network:\n    connect:\nblind_spots:\n  - io_uring\n"));
    assert_eq!(project.sysguard("pending").ends(101).stdout, "two::filesystem::openat\n");
}
