//! `diff` with git's variables for a repository: in hooks, and with GIT_DIR set by the user.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use libtest_mimic::Trial;

use super::diff::git;
use super::project::{BINARY, Project, Ran, command, run, tracing, untraced};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![hooks:
        untraced git_dir_does_not_change_results_in_subfolders,
        untraced submodule_uses_its_own_repository,
        untraced bare_repository_with_a_working_tree_is_used,
        tracing diff_trace_does_not_change_the_commit,
    ]
}

const PACKAGE: &str = "[package]\nname = \"NAME\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

/// Adds a package without dependencies in this folder of a project.
fn package(project: Project, folder: &str, name: &str) -> Project {
    project
        .file(&format!("{folder}/Cargo.toml"), &PACKAGE.replace("NAME", name))
        .file(&format!("{folder}/src/main.rs"), "fn main() {}\n")
        .file(&format!("{folder}/.gitignore"), "/target\n/Cargo.lock\n")
        .file(&format!("{folder}/expectations/w.yaml"), &format!("version: 1\nbin: {name}\n"))
}

fn commit_all(project: &Project) {
    git(project, &["init", "--quiet"]);
    git(project, &["add", "."]);
    git(project, &["commit", "--quiet", "--message", "one"]);
}

/// Runs `diff` in a folder with these variables.
fn diff(folder: &Path, variables: &[(&str, &Path)]) -> Ran {
    let mut diff = command(BINARY);
    run(diff.arg("diff").current_dir(folder).envs(variables.iter().copied()))
}

fn git_dir_does_not_change_results_in_subfolders() {
    let project = package(Project::empty(), "sub", "hooks-sub");
    commit_all(&project);
    let (sub, dir) = (project.path("sub"), project.path(".git"));
    let (index, relative) = (project.path("no/index"), Path::new("../.git"));
    for variables in
        [&[][..], &[("GIT_DIR", &*dir)], &[("GIT_DIR", relative)], &[("GIT_DIR", &dir), ("GIT_INDEX_FILE", &index)]]
    {
        let output = diff(&sub, variables).ends(0).stdout;
        assert_eq!(output, "nothing differs since HEAD\n", "{variables:?}");
    }
    // The variables of hooks in a linked worktree.
    git(&project, &["worktree", "add", "--quiet", "linked"]);
    fs::write(project.path("linked/sub/expectations/w.yaml"), "version: 1\nbin: other\n").expect("a file");
    let own = project.path(".git/worktrees/linked");
    let without = diff(&project.path("linked/sub"), &[]).ends(0).stdout;
    assert!(without.contains("document"), "{without}");
    for dir in [&dir, &own] {
        assert_eq!(diff(&project.path("linked/sub"), &[("GIT_DIR", dir)]).ends(0).stdout, without, "{dir:?}");
    }
}

/// The package has its own repository, below the one that runs the hook.
fn submodule_uses_its_own_repository() {
    let outer = Project::empty().file(".gitignore", "/inner\n");
    commit_all(&outer);
    let outer = package(outer, "inner", "hooks-inner");
    run(command("git").args(["init", "--quiet"]).current_dir(outer.path("inner"))).ends(0);
    let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"];
    for arguments in [&["add", "."][..], &["commit", "--quiet", "--message", "one"]] {
        run(command("git").args(identity).args(arguments).current_dir(outer.path("inner"))).ends(0);
    }
    let (dir, top) = (outer.path(".git"), outer.path(""));
    for variables in [&[][..], &[("GIT_DIR", &*dir), ("GIT_WORK_TREE", &*top)]] {
        assert_eq!(diff(&outer.path("inner"), variables).ends(0).stdout, "nothing differs since HEAD\n");
    }
}

/// People keep dotfiles like this: no `.git` folder leads to the repository.
fn bare_repository_with_a_working_tree_is_used() {
    let project = package(Project::empty(), "home/sub", "hooks-bare");
    let (dir, top, sub) = (project.path("bare"), project.path("home"), project.path("home/sub"));
    let place = [format!("--git-dir={}", dir.display()), format!("--work-tree={}", top.display())];
    git(&project, &["init", "--quiet", "--bare", "bare"]);
    git(&project, &["-C", "home", &place[0], &place[1], "add", "."]);
    git(&project, &["-C", "home", &place[0], &place[1], "commit", "--quiet", "--message", "one"]);
    let variables = [("GIT_DIR", &*dir), ("GIT_WORK_TREE", &*top)];
    assert_eq!(diff(&sub, &variables).ends(0).stdout, "nothing differs since HEAD\n");
    assert!(diff(&sub, &[]).ends(2).stderr.contains("not a git repository"));
}

/// The build script of the other revision, which must not see the commit in progress.
const BUILD: &str = "fn main() { for name in [\"GIT_DIR\", \"GIT_INDEX_FILE\", \"GIT_PREFIX\"] { \
                     assert!(std::env::var_os(name).is_none(), \"{name} is inherited\"); } }\n";

/// Checks `commit` and `commit --all`, which has another index file, and a linked worktree.
fn diff_trace_does_not_change_the_commit() {
    for (name, arguments, linked) in
        [("hooks-plain", &[][..], false), ("hooks-all", &["--all"], false), ("hooks-linked", &[], true)]
    {
        let main = package(Project::empty(), ".", name).file("build.rs", BUILD);
        commit_all(&main);
        let folder = if linked { main.path("linked") } else { main.path("") };
        if linked {
            git(&main, &["worktree", "add", "--quiet", "-b", "side", "linked"]);
        }
        let hook = main.path(".git/hooks/pre-commit");
        fs::create_dir_all(hook.parent().expect("a folder")).expect("a folder");
        let script = format!("#!/bin/sh\nexec {BINARY} diff --trace --runs 1 > {}\n", main.path("output").display());
        fs::write(&hook, script).expect("a hook");
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::write(folder.join("src/main.rs"), "fn main() { drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")); }\n")
            .expect("a file");
        fs::write(folder.join("build.rs"), "fn main() {}\n").expect("a file");
        fs::write(folder.join("new.txt"), "staged\n").expect("a file");
        let here = |arguments: &[&str]| {
            let mut git = command("git");
            let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"];
            run(git.args(identity).args(arguments).current_dir(&folder)).ends(0).stdout
        };
        here(&["add", "--", "src", "build.rs", "new.txt"]);
        here(&[&["commit", "--quiet", "--message", "two"][..], arguments].concat());
        let held = here(&["show", "--format=", "--name-only", "HEAD"]);
        assert_eq!(held.lines().collect::<Vec<_>>(), ["build.rs", "new.txt", "src/main.rs"], "{name}");
        assert!(here(&["status", "--porcelain", "--untracked-files=no"]).is_empty(), "{name}");
        let output = main.read("output");
        assert!(output.contains("new-subsystem") && output.contains("network"), "{name}: {output}");
    }
}
