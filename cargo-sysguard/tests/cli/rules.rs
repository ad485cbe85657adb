//! Rules on single calls: what a broken one shows, and what a tolerated one leaves out, under both
//! engines of `test`.

use super::project::Project;

/// Returns a blessed workload. Its document gets these rules afterwards.
fn ruled(name: &str, script: &str, rules: &str) -> Project {
    let project = Project::new(name).expecting("files", &format!("command: [sh, -c, '{script}']"));
    project.sysguard("bless files").ends(0);
    let blessed = project.read("expectations/files.yaml");
    let (document, baseline) = blessed.split_once("---\n").expect("two documents");
    project.write("expectations/files.yaml", &format!("{document}{rules}---\n{baseline}"));
    project
}

pub(crate) fn broken_rule_shows_the_call_that_broke_it() {
    let script = "cat /etc/group /etc/passwd; echo x > \"$TMPDIR/a\"; echo x > \"$HOME/b\"";
    for (number, (rule, example)) in [
        ("{path: /etc/passwd, why: no users}", "openat(\"/etc/passwd\""),
        ("{path: \"~/**\", writes: true, why: no users}", "openat(\"$HOME/b\""),
        ("{program: cat, why: no users}", "/cat\""),
    ]
    .into_iter()
    .enumerate()
    {
        let project = ruled(&format!("rules-forbid-{number}"), script, &format!("forbid:\n  - {rule}\n"));
        for engine in ["ptrace", "guard"] {
            let ran = project.sysguard(&format!("test --engine {engine}")).ends(101);
            ran.prints(&["forbidden", "no users", example]);
        }
    }
    let project =
        ruled("rules-kept", script, "forbid:\n  - {path: /etc/shadow}\n  - {path: \"/etc/**\", writes: true}\n");
    for engine in ["ptrace", "guard"] {
        project.sysguard(&format!("test --engine {engine}")).ends(0);
    }
}

pub(crate) fn tolerated_path_is_no_finding() {
    let project = ruled("rules-tolerate", "touch /dev/null", "tolerate:\n  - {path: \"$TMPDIR/**\"}\n");
    let expectation = project.read("expectations/files.yaml");
    for (folder, code) in [("$TMPDIR", 0), ("$HOME", 101)] {
        let touching = format!("touch \"{folder}/a\"");
        project.write("expectations/files.yaml", &expectation.replace("touch /dev/null", &touching));
        for engine in ["ptrace", "guard"] {
            project.sysguard(&format!("test --engine {engine}")).ends(code);
        }
    }
}
