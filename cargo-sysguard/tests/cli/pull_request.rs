//! A pull request from start to merge: a branch adds a dependency that opens a socket, and a
//! reviewer accepts the findings.

use super::diff::git;
use super::project::{Project, run};

const FILE: &str = "expectations/greeter.yaml";

const TALKS: &str = "/// Says hello, and listens for updates from then on.
pub fn hello() {
    println!(\"hello\");
    std::mem::forget(std::net::UdpSocket::bind(\"127.0.0.1:0\"));
}
";

/// The lines that the socket adds to the file.
const ADDED: &str = "  network:
    bind:
      uses:
        - loopback socket:AF_INET:SOCK_DGRAM
      why: \"REQ-12: listens for updates\"
    socket:
      uses:
        - AF_INET socket:AF_INET:SOCK_DGRAM
      why: \"REQ-12: listens for updates\"
";

/// Returns a program on `main` with its baseline.
fn blessed() -> Project {
    let main = "fn main() {\n    println!(\"hello\");\n}\n";
    let project = Project::new("pull-request").file("src/main.rs", main).file(".gitignore", "*.yaml.new\nCargo.lock\n");
    project.write(FILE, "# greets; must not talk to the network without a review\nversion: 2\nbin: pull-request\n");
    project.sysguard("bless").ends(0);
    git(&project, &["init", "--quiet"]);
    commit(&project, "a greeter, blessed");
    project
}

fn commit(project: &Project, message: &str) {
    git(project, &["add", "."]);
    git(project, &["commit", "--quiet", "--message", message]);
}

/// Creates a branch on which a new dependency prints the greeting and opens a socket.
fn add_talking_dependency(project: &Project) {
    git(project, &["switch", "--quiet", "--create", "polite"]);
    let manifest = "[package]\nname = \"greetings\"\nversion = \"0.3.1\"\nedition = \"2024\"\n";
    project.write("greetings/Cargo.toml", manifest);
    project.write("greetings/src/lib.rs", TALKS);
    let manifest = project.read("Cargo.toml");
    let depends = "[dependencies]\ngreetings = { path = \"greetings\" }\n\n[dev-dependencies]";
    project.write("Cargo.toml", &manifest.replace("[dev-dependencies]", depends));
    project.write("src/main.rs", "fn main() {\n    greetings::hello();\n}\n");
    commit(project, "be polite");
}

/// The reason as a pull request's page shows it.
const WHY: &str = "why: REQ-12: listens for updates";

pub(crate) fn finding_is_reviewed_accepted_and_merged() {
    let project = blessed();
    let blessed = project.read(FILE);
    add_talking_dependency(&project);
    assert_eq!(project.sysguard("diff --base main").ends(0).stdout, "nothing differs since main\n");

    // In CI: an annotation and a summary, but no proposal.
    let before = project.files();
    let mut test = project.command("test --format github");
    let ran = run(test.env("CI", "true").env("GITHUB_STEP_SUMMARY", project.path("summary"))).ends(101);
    let (place, annotation) = ran.stdout.split_once(",title=").expect("an annotation");
    assert_eq!(place, "::error file=greetings/src/lib.rs,line=4");
    // The lowest free fd depends on what this process was started with.
    let fd = annotation.split("IPPROTO_IP) = ").nth(1).and_then(|rest| rest.split([' ', '%']).next()).expect("an fd");
    let annotation: Vec<&str> = annotation.trim_end().split("%0A").collect();
    let (socket, bind) = (
        format!("socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = {fd}"),
        format!("bind({fd}, 127.0.0.1:0) = 0"),
    );
    let cell = format!("`{}`", socket.replace('|', "\\|"));
    let id = "@7d602a1d";
    let (outline, site) = ("3 new (network::bind, network::socket)", "greetings::hello at greetings/src/lib.rs:4");
    assert_eq!(
        annotation,
        [
            &*format!("sysguard%3A greetings/src/lib.rs%3A4 greetings%3A%3Ahello → UdpSocket%3A%3Abind::{outline}"),
            &format!("new-subsystem greeter::network: {socket}"),
            &format!("new-syscall greeter::network::bind: {bind}"),
            &format!("new-syscall greeter::network::socket: {socket}"),
            "in: pull-request",
            &format!("by {site}"),
            &format!("next: cargo sysguard test, then cargo sysguard accept {id}"),
        ]
    );
    assert_eq!(
        project.read("summary").lines().collect::<Vec<_>>(),
        [
            "### sysguard: 1 of 1 workload failed",
            "",
            "#### `greetings/src/lib.rs:4 greetings::hello → UdpSocket::bind`: 3 new",
            "",
            &*format!("in `pull-request`; by `{site}`; `cargo sysguard accept {id}`"),
            "",
            "| | finding | calls | |",
            "|---|---|---:|---|",
            &format!("| new subsystem | `greeter::network` | 2 | {cell} |"),
            &format!(
                "| new system call | `greeter::network::bind` | 1 | `loopback socket:AF_INET:SOCK_DGRAM`; `{bind}` |"
            ),
            &format!(
                "| new system call | `greeter::network::socket` | 1 | `AF_INET socket:AF_INET:SOCK_DGRAM`; {cell} |"
            ),
            "",
            "Next:",
            "- `cargo sysguard bless greeter`: accept everything; writes expectations/greeter.yaml",
        ]
    );
    std::fs::remove_file(project.path("summary")).expect("it was written");
    assert_eq!(project.changed_since(&before), [""; 0], "in CI nothing is written");

    // On the reviewer's machine: a proposal, accepted with a reason.
    project.sysguard("test").ends(101);
    assert_eq!(project.changed_since(&before), [format!("{FILE}.new")]);
    let keys = project.sysguard("pending").ends(101).stdout;
    assert_eq!(keys, "greeter::network::bind\ngreeter::network::socket\n");
    let mut accept = project.command("accept");
    let accept = accept.args(keys.lines()).args(["--why", "REQ-12: listens for updates"]);
    assert_eq!(run(accept).ends(0).stdout, format!("wrote {FILE}\n"));
    assert_eq!(project.changed_since(&before), [FILE]);
    let accepted = project.read(FILE);
    let mut rest = blessed.lines().peekable();
    let added: String =
        accepted.lines().filter(|line| rest.next_if_eq(line).is_none()).map(|line| format!("{line}\n")).collect();
    assert_eq!((added.as_str(), rest.next()), (ADDED, None), "lines are added, and no other is touched");

    let platform = blessed.lines().find_map(|line| line.strip_prefix("platform: ")).expect("a baseline");
    assert_eq!(
        project.sysguard("diff --base main --format markdown").ends(0).stdout.lines().collect::<Vec<_>>(),
        [
            "### sysguard: 3 new, 0 gone since `main`".to_owned(),
            String::new(),
            "| finding | workload | fact | | platform |".to_owned(),
            "|---|---|---|---|---|".to_owned(),
            format!("| **new-subsystem** | `greeter` | `network` |  | `{platform}` |"),
            format!(
                "| new-syscall | `greeter` | `network::bind` | `loopback socket:AF_INET:SOCK_DGRAM`, {WHY} | `{platform}` |"
            ),
            format!(
                "| new-syscall | `greeter` | `network::socket` | `AF_INET socket:AF_INET:SOCK_DGRAM`, {WHY} | `{platform}` |"
            ),
        ]
    );

    // The merge, and the state of main after it.
    commit(&project, "the greeter listens for updates: REQ-12");
    git(&project, &["switch", "--quiet", "main"]);
    assert_eq!(project.read(FILE), blessed);
    git(&project, &["merge", "--quiet", "polite"]);
    assert_eq!(project.read(FILE), accepted);
    let merged = run(project.command("test --format github").env("CI", "true")).ends(0);
    assert_eq!(merged.stdout, "", "nothing to annotate");
    assert_eq!(project.sysguard("diff --base polite").ends(0).stdout, "nothing differs since polite\n");
}
