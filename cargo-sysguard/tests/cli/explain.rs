//! `explain`: the meaning of a name, and the workloads that use it.

use std::path::Path;

use super::project::{BINARY, Project, command, run};

const BASELINE: &str = "bin: NAME\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  network:\n    socket:\n      uses:\n        - AF_INET\n      why: serves; REQ-12";

fn json(project: &Project, name: &str) -> serde_json::Value {
    let stdout = project.sysguard(&format!("explain {name} --format json")).ends(0).stdout;
    serde_json::from_str(&stdout).expect("JSON")
}

pub(crate) fn name_is_explained_with_its_users() {
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

pub(crate) fn unknown_name_is_2_with_suggestions() {
    let project = Project::new("explain-unknown");
    for (name, near) in [("opennat", "openat"), ("SIOCGIFMTV", "SIOCGIFMTU"), ("netwrok", "network")] {
        let ran = project.sysguard(&format!("explain {name}")).ends(2);
        let expected = format!("unknown name `{name}`; did you mean ");
        let hint = ran.stderr.split_once(&expected).map(|(_, hint)| hint).unwrap_or_default();
        assert!(hint.contains(near) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    let project = project.expecting("net/talk", &BASELINE.replace("NAME", "explain-unknown"));
    for (name, what) in [("net::talk", "a workload"), ("net", "the beginning of a workload's name")] {
        let ran = project.sysguard(&format!("explain {name}")).ends(2);
        assert!(ran.stderr.contains(&format!("`{name}` is {what}, not a key\nhelp: ")), "{}", ran.stderr);
    }
    let ran = project.sysguard("explain socket --kernel-source .").ends(2);
    assert!(ran.stderr.contains("give an unpacked source tree"), "{}", ran.stderr);
}

pub(crate) fn works_without_project_and_with_malformed_files() {
    let nowhere = Project::empty();
    assert!(nowhere.sysguard("explain SIOCGIFMTU").ends(0).stdout.contains("linux/sockios.h"));
    let broken = Project::new("explain-broken").expecting("broken", "nonsense: true");
    let ran = broken.sysguard("explain socket").ends(0);
    assert!(ran.stderr.contains("warning: expectations/broken.yaml:2:1: "), "{}", ran.stderr);
}

/// Uses the last tree in `SYSGUARD_KERNEL_SOURCE`.
pub(crate) fn kernel_tree_replaces_the_tables() -> Option<&'static str> {
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
        (&tree.as_str().into(), &"2.6.16".into())
    );
    let command_of_ioctl = explained("SIOCGIFMTU");
    let command_of_ioctl = &command_of_ioctl["meanings"][0];
    assert_eq!(command_of_ioctl["number"], 0x8921);
    // Only the compiler can compute the number of the first; the header of the second is internal.
    let of_kvm = explained("KVM_CREATE_VM");
    let of_kvm = &of_kvm["meanings"][0];
    assert_eq!((&of_kvm["number"], &of_kvm["section"]), (&0xae01.into(), &"KERNEL VIRTUAL MACHINE (KVM)".into()));
    assert_eq!(explained("AF_VSOCK")["meanings"][0]["number"], 40);
    let place = command_of_ioctl["declared"].as_str().expect("a place").to_owned();
    let (file, line) = place.split_once(':').expect("file and line");
    let text = std::fs::read_to_string(Path::new(&tree).join(file)).expect("a header");
    let line: usize = line.parse().expect("a number");
    assert!(text.lines().nth(line - 1).is_some_and(|line| line.contains("#define SIOCGIFMTU")), "{place}");
    let object = explained("anon_inode:eventfd");
    let object = &object["meanings"][0];
    assert_eq!((&object["source"], &object["config"]), (&"fs/eventfd.c".into(), &"CONFIG_EVENTFD".into()));
    assert_eq!(object["section"], "FILESYSTEMS (VFS and infrastructure)");
    None
}
