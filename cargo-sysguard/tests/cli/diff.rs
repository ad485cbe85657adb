//! `diff`: two revisions of expectation files, and with `--trace` of programs.

use super::pending::{PROPOSAL, TALK, proposing};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use super::project::{Project, command, run};

/// Runs git in the project with a fixed identity.
pub(crate) fn git(project: &Project, arguments: &[&str]) {
    let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost", "-c", "init.defaultBranch=main"];
    let mut git = command("git");
    git.args(identity).args(arguments).current_dir(project.path("")).env("GIT_CONFIG_GLOBAL", "/dev/null");
    run(&mut git).ends(0);
}

fn committed(name: &str) -> Project {
    let project = proposing(name);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "before"]);
    project
}

pub(crate) fn revision_is_compared_with_the_working_tree() {
    let project = committed("diff-tree");
    assert_eq!(project.sysguard("diff").ends(0).stdout, "nothing differs since HEAD\n");
    project.write(TALK, PROPOSAL);
    project.write("expectations/added.yaml", "version: 1\ncommand: [true]\n");
    fs::remove_file(project.path("expectations/other.yaml")).expect("it was there");
    let before = project.files();
    let text = project.sysguard("diff").ends(0).stdout;
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let x86_64 = "x86_64-linux-gnu";
    assert_eq!(
        lines,
        [
            &["6", "new,", "1", "gone", "since", "HEAD"][..],
            &["new-subsystem", "net::talk", x86_64, "network"],
            &["new-blind-spot", "net::talk", x86_64, "blind_spots::io_uring"],
            &["new-syscall", "net::talk", x86_64, "network::connect"],
            &["new-syscall", "net::talk", x86_64, "network::socket", "AF_INET"],
            &["new-object", "net::talk", x86_64, "filesystem::close::object=file", "why:", "tidy"],
            &["new-workload", "added", "no", "baseline"],
            &["gone-workload", "other", "no", "baseline"],
        ]
    );
    let markdown = project.sysguard("diff --format markdown").ends(0).stdout;
    assert!(
        markdown.contains("\n| **new-subsystem** | `net::talk` | `network` |  | `x86_64-linux-gnu` |\n"),
        "{markdown}"
    );
    let json = project.sysguard("diff --format json --base HEAD").ends(0).stdout;
    let record: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&record["schema"], &record["base"]), (&"sysguard.diff/1".into(), &"HEAD".into()));
    let names = record["workloads"].as_array().expect("a list").iter().map(|drift| &drift["workload"]);
    assert_eq!(names.collect::<Vec<_>>(), ["added", "net::talk", "other"]);
    assert_eq!(project.changed_since(&before), [""; 0]);

    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "after"]);
    assert_eq!(project.sysguard("diff").ends(0).stdout, "nothing differs since HEAD\n");
    assert_eq!(project.sysguard("diff --base HEAD~1").ends(0).stdout, text.replace("HEAD", "HEAD~1"));
}

pub(crate) fn unknown_revision_is_2() {
    let project = committed("diff-nothing");
    for (line, expected) in [
        ("diff --base nowhere", "unknown revision `nowhere`"),
        ("diff --base=--all", "unknown revision `--all`"),
        ("diff --base HEAD:Cargo.toml", "unknown revision `HEAD:Cargo.toml`"),
    ] {
        let ran = project.sysguard(line).ends(2);
        assert!(ran.stderr.contains(expected) && ran.stdout.is_empty(), "{line}: {}", ran.stderr);
    }
    let outside = proposing("diff-outside").sysguard("diff").ends(2);
    assert!(outside.stderr.contains("not a git repository"), "{}", outside.stderr);
}

pub(crate) fn malformed_file_warns_before_and_fails_now() {
    let project = committed("diff-malformed");
    let good = project.read(TALK);
    project.write(TALK, "nonsense: true\n");
    let now = project.sysguard("diff").ends(101);
    assert!(now.stderr.contains("expectations/net/talk.yaml:1:1: "), "{}", now.stderr);
    git(&project, &["commit", "--quiet", "--all", "--message", "malformed"]);
    project.write(TALK, &good);
    let then = project.sysguard("diff").ends(0);
    assert!(then.stderr.contains("warning: at the revision, expectations/net/talk.yaml:1:1: "), "{}", then.stderr);
    assert!(then.stdout.contains("new-workload"), "{}", then.stdout);
}

const TALKS: &str = "fn main() { drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")); }\n";

/// The same, with code for acct(2) that the program has the address of but never runs.
const TALKS_AND_COULD_MORE: &str = "
fn main() {
    drop(std::net::UdpSocket::bind(\"127.0.0.1:0\"));
    std::hint::black_box(rare as extern \"C\" fn());
}
extern \"C\" fn rare() {
    #[cfg(target_arch = \"x86_64\")]
    unsafe { std::arch::asm!(\"syscall\", inlateout(\"rax\") 163_u64 => _, out(\"rcx\") _, out(\"r11\") _) };
}
";

/// Returns a program that opens a socket in the working tree, but not at HEAD. It has no baseline.
/// Temporary folders go into `tmp`.
fn talkative(name: &str) -> Project {
    let project = Project::new(name).expecting("talk", &format!("bin: {name}")).file("tmp/.gitignore", "*\n");
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "quiet"]);
    project.file("src/main.rs", TALKS)
}

fn worktrees(project: &Project) -> usize {
    let mut list = command("git");
    list.args(["worktree", "list"]).current_dir(project.path(""));
    run(&mut list).ends(0).stdout.lines().count()
}

/// Returns the names of the remaining temporary files.
fn left(project: &Project) -> Vec<String> {
    let names = fs::read_dir(project.path("tmp")).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name != ".gitignore").collect()
}

pub(crate) fn both_revisions_are_traced_without_a_baseline() {
    let project = talkative("diff-trace").file("src/main.rs", TALKS_AND_COULD_MORE);
    let before = project.files();
    let diff = |line: &str| run(project.command(line).env("TMPDIR", project.path("tmp"))).ends(0).stdout;
    let text = diff("diff --trace --runs 1");
    assert!(text.contains("since HEAD, both traced on this machine\n"), "{text}");
    let new = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let new: Vec<Vec<&str>> = new.filter(|line| line.first().is_some_and(|word| word.starts_with("new-sub"))).collect();
    assert_eq!(new, [["new-subsystem", "talk", "x86_64-linux-gnu", "network"]], "{text}");
    let record: serde_json::Value =
        serde_json::from_str(&diff("diff --trace --runs 1 --format json talk")).expect("JSON");
    assert_eq!(
        (&record["traced"], &record["workloads"][0]["baselines"][0]["new"][0]["key"]),
        (&true.into(), &"talk::network".into())
    );
    #[cfg(target_arch = "x86_64")]
    reachable_calls_are_compared(&text, &record);
    assert_eq!((worktrees(&project), left(&project)), (1, vec![]));
    assert_eq!(project.changed_since(&before).iter().filter(|name| !name.starts_with(".git/")).count(), 0);
}

/// Only the new program can make the call, which it never does.
#[cfg(target_arch = "x86_64")]
fn reachable_calls_are_compared(text: &str, record: &serde_json::Value) {
    assert!(text.contains(" became reachable since HEAD, "), "{text}");
    let diff = &record["reach"][0];
    assert_eq!(diff["workload"], "talk");
    let new = diff["new"].as_array().expect("a list").iter();
    let new: Vec<&str> = new.map(|way| way["syscall"].as_str().expect("a name")).collect();
    assert!(new.contains(&"acct"), "{diff}");
    let is_row = |line: &str| line.split_whitespace().take(3).eq(["reachable", "talk", "acct"]);
    assert!(text.lines().any(is_row), "{text}");
}

pub(crate) fn untraced_workloads_are_counted() {
    let project = talkative("diff-untraced").file("src/main.rs", "fn main() { nonsense }\n");
    let seen = project.sysguard("diff --trace --runs 1").ends(3);
    let expected =
        "nothing differs since HEAD, both traced on this machine, without 1 workload that could not be traced
";
    assert_eq!(seen.stdout, expected);
    assert!(seen.stderr.contains("talk: not started"), "{}", seen.stderr);
}

pub(crate) fn killed_diff_trace_leaves_nothing() {
    let project = talkative("diff-killed");
    // A compiler that still runs for a while after its caller is killed.
    let slow = project.path("tmp/slow");
    let script = "#!/bin/sh\n\
        case \"$*\" in *main.rs*) touch \"$TMPDIR/begun\"; sleep 3; touch \"$TMPDIR/waited\" ;; esac\n\
        exec \"$@\"\n";
    fs::write(&slow, script).expect("a program");
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).expect("a program");
    let mut diff = project.command("diff --trace --runs 30");
    diff.env("TMPDIR", project.path("tmp")).env("RUSTC_WRAPPER", &slow).stdout(std::process::Stdio::null());
    let mut child = diff.spawn().expect("it starts");
    let wait = |what: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !what() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(50));
        }
        what()
    };
    assert!(wait(&|| project.path("tmp/begun").exists()), "a worktree is built");
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    let is_clean = || worktrees(&project) == 1 && left(&project).iter().all(|name| !name.starts_with("sysguard-diff-"));
    assert!(wait(&is_clean), "left: {:?}", left(&project));
    assert!(project.path("tmp/waited").exists(), "the worktree was removed under the compiler");
}
