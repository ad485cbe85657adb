//! `explain`: what a name means, and who uses it.

use std::path::Path;

use super::project::{BINARY, Project, command, run};

const BASELINE: &str = "bin: NAME\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  network:\n    socket:\n      arguments:\n        - AF_INET\n      why: serves; REQ-12";

fn json(project: &Project, name: &str) -> serde_json::Value {
    let stdout = project.sysguard(&format!("explain {name} --format json")).ends(0).stdout;
    serde_json::from_str(&stdout).expect("JSON")
}

pub(crate) fn a_name_is_told_with_who_uses_it() {
    let project = Project::new("explain").expecting("net/talk", &BASELINE.replace("NAME", "explain"));
    let before = project.files();
    let text = project.sysguard("explain socket").ends(0).stdout;
    for line in [
        "socket  system call\n",
        "  entry        sys_socket in net/socket.c\n",
        "  used by      net::talk (network::socket)\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let record = json(&project, "net::talk::network::socket::argument=AF_INET");
    assert_eq!((&record["schema"], &record["key"]["workload"]), (&"sysguard.explain/1".into(), &"net::talk".into()));
    assert_eq!(record["key"]["held"][0]["why"], "serves; REQ-12");
    assert_eq!(
        (&record["meanings"][0]["kind"], &record["meanings"][0]["name"]),
        (&"argument".into(), &"AF_INET".into())
    );
    assert_eq!(record["meanings"][1]["entry_points"][0]["config"], "CONFIG_NET");
    let markdown = project.sysguard("explain network --format markdown").ends(0).stdout;
    assert!(markdown.starts_with("### `network`: subsystem\n"), "{markdown}");
    assert_eq!(project.changed_since(&before), [""; 0]);
}

pub(crate) fn what_nothing_knows_is_2_with_near_names() {
    let project = Project::new("explain-unknown");
    for (name, near) in [("opennat", "`openat`"), ("SIOCGIFMTV", "`SIOCGIFMTU`"), ("netwrok", "`network`")] {
        let ran = project.sysguard(&format!("explain {name}")).ends(2);
        assert!(ran.stderr.contains(near) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    let ran = project.sysguard("explain socket --kernel-source .").ends(2);
    assert!(ran.stderr.contains("give an unpacked source tree"), "{}", ran.stderr);
}

pub(crate) fn it_needs_no_project_and_a_broken_file_is_told() {
    let nowhere = Project::empty();
    assert!(nowhere.sysguard("explain SIOCGIFMTU").ends(0).stdout.contains("linux/sockios.h"));
    let broken = Project::new("explain-broken").expecting("broken", "nonsense: true");
    let ran = broken.sysguard("explain socket").ends(0);
    assert!(ran.stderr.contains("warning: expectations/broken.yaml:2:1: "), "{}", ran.stderr);
}

/// `SYSGUARD_KERNEL_SOURCE`: the last of its trees.
pub(crate) fn a_kernel_tree_answers_in_place_of_the_tables() -> Option<&'static str> {
    let Some(trees) = std::env::var_os("SYSGUARD_KERNEL_SOURCE") else { return Some("needs SYSGUARD_KERNEL_SOURCE") };
    let tree = trees.to_string_lossy().rsplit(':').next().expect("a tree").to_owned();
    let explained = |name: &str| -> serde_json::Value {
        let mut explain = command(BINARY);
        explain.args(["explain", name, "--format", "json", "--kernel-source", &tree]).current_dir("/");
        serde_json::from_str(&run(&mut explain).ends(0).stdout).expect("JSON")
    };
    let record = explained("openat");
    assert_eq!(
        (&record["kernel"]["source"], &record["meanings"][0]["entry_points"][0]["since"]),
        (&tree.as_str().into(), &serde_json::Value::Null)
    );
    let place = explained("SIOCGIFMTU")["meanings"][0]["declared"].as_str().expect("a place").to_owned();
    let (file, line) = place.split_once(':').expect("file and line");
    let text = std::fs::read_to_string(Path::new(&tree).join(file)).expect("a header");
    let line: usize = line.parse().expect("a number");
    assert!(text.lines().nth(line - 1).is_some_and(|line| line.contains("#define SIOCGIFMTU")), "{place}");
    assert_eq!(explained("anon_inode:eventfd")["meanings"][0]["source"], "fs/eventfd.c");
    None
}
