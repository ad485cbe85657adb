//! `report` and taxonomies.

use super::project::Project;

const BASELINE: &str = "bin: NAME\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  network:\n    socket:\n      uses:\n        - AF_INET\n      why: <b>serves</b>\n  poll:\n    epoll_wait:";

fn project(name: &str) -> Project {
    Project::new(name)
        .expecting("net/talk", &BASELINE.replace("NAME", name))
        .expecting("other", "command: [true]")
        .file("team.yaml", "taxonomy: 1\nname: team\ngroups:\n  Waiting: [poll]\n")
}

pub(crate) fn every_format_is_reproducible() {
    let project = project("report");
    let before = project.files();
    for (format, part) in [
        ("markdown", "| Network | `socket` | `AF_INET` |"),
        ("html", "&lt;b&gt;serves&lt;/b&gt;"),
        ("json", "\"sysguard.report/1\""),
    ] {
        let line = format!("report --format {format}");
        let once = project.sysguard(&line).ends(0).stdout;
        assert!(once.contains(part), "{once}");
        assert_eq!(once, project.sysguard(&line).ends(0).stdout);
    }
    assert!(project.sysguard("report").ends(0).stdout.starts_with("# What the workloads use"));
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("report --format html -o evidence.html").ends(0);
    assert!(project.read("evidence.html").ends_with("</html>\n"));
    project.sysguard("report nobody").ends(2);
    project.write("expectations/broken.yaml", "nonsense: true\n");
    let broken = project.sysguard("report").ends(101);
    assert!(
        broken.stderr.contains("expectations/broken.yaml:1:1: ") && broken.stdout.contains("net::talk"),
        "{}",
        broken.stderr
    );
}

pub(crate) fn taxonomy_is_named_and_its_errors_located() {
    let project = project("report-taxonomy");
    for (taxonomy, name, group) in [
        ("kernel", "kernel/1", "Event Poll"),
        ("workload-tracing", "workload-tracing/1", "Filesystem"),
        ("team.yaml", "team (a file over kernel/1)", "Waiting"),
    ] {
        let page = project.sysguard(&format!("report --taxonomy {taxonomy}")).ends(0).stdout;
        assert!(
            page.contains(&format!("by the taxonomy {name}")) && page.contains(&format!("| {group} | `epoll_wait` |")),
            "{page}"
        );
    }
    project.write("wrong.yaml", "taxonomy: 1\nname: team\ngroups:\n  Waiting: [pol]\n");
    let wrong = project.sysguard("report --taxonomy wrong.yaml").ends(2);
    assert!(
        wrong.stderr.contains("wrong.yaml:4:13: ") && wrong.stderr.contains("did you mean `poll`?"),
        "{}",
        wrong.stderr
    );
    let unknown = project.sysguard("report --taxonomy kernal").ends(2);
    assert!(unknown.stderr.contains("unknown taxonomy `kernal`"), "{}", unknown.stderr);
    project.sysguard("trace --taxonomy wrong.yaml -- true").ends(2);
}

pub(crate) fn trace_uses_the_requested_taxonomy() {
    let project = project("report-trace");
    let guide = project.sysguard("trace --format markdown --taxonomy workload-tracing -- true").ends(0).stderr;
    assert!(guide.contains("| execve | 1 | Filesystem | sys_execve() |"), "{guide}");
    assert!(guide.ends_with("Subsystems by the taxonomy workload-tracing/1.\n"), "{guide}");
    let json = project.sysguard("trace --format json --taxonomy team.yaml -- true").ends(0).stderr;
    let record: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(record["taxonomy"]["name"], "team (a file over kernel/1)");
}

pub(crate) fn rule_on_unknown_syscall_is_malformed() {
    let project = Project::new("report-rule")
        .expecting("typo", "command: [true]\nforbid:\n  - {syscall: sockt}\n  - {syscall: syscall_0x3e7}");
    let ran = project.sysguard("report").ends(101);
    assert!(
        ran.stderr.contains("expectations/typo.yaml:4:15: ") && ran.stderr.contains("did you mean `socket`?"),
        "{}",
        ran.stderr
    );
}
