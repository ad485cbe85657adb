//! Call sites of real programs: through C code in the package, and without debug information.

use libtest_mimic::Trial;

use super::project::{Project, tracing, tracing_with};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![sites:
        tracing_with(&["gcc", "ar"]) rust_line_behind_c_is_named,
        tracing_with(&["gcc", "ar"]) crate_is_named_without_lines,
        tracing new_error_has_the_line_of_its_own_call,
        tracing null_site_has_a_reason,
        tracing executed_program_has_the_line_of_its_caller,
        tracing_with(&["gcc"]) vforked_program_has_the_line_of_its_caller,
        tracing first_baseline_is_shown_with_call_sites,
    ]
}

const BUILD: &str = r#"
use std::process::Command;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let object = format!("{out}/net.o");
    let debug = if std::env::var("DEBUG").unwrap() == "false" { "-g0" } else { "-g" };
    let run = |program: &str, words: &[&str]| assert!(Command::new(program).args(words).status().unwrap().success());
    run("gcc", &[debug, "-O1", "-c", "vendor/net.c", "-o", &object]);
    run("ar", &["crs", &format!("{out}/libnet.a"), &object]);
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static=net");
}
"#;

const C: &str = "#include <sys/socket.h>\n\nint open_socket(void) {\n\tint fd = socket(AF_INET, SOCK_STREAM, 0);\n\treturn fd + 1;\n}\n";

const MAIN: &str = "unsafe extern \"C\" {\n    fn open_socket() -> i32;\n}\n\n#[inline(never)]\nfn fetch() -> i32 {\n    \
                    (unsafe { open_socket() }) + 1\n}\n\nfn main() {\n    assert!(fetch() > 0);\n}\n";

/// Returns a package that calls C, blessed before it did.
fn calling_c(name: &str) -> Project {
    let project = Project::new(name).file("src/main.rs", "fn main() {}\n").expecting("own", &format!("bin: {name}"));
    project.sysguard("bless").ends(0);
    project.file("build.rs", BUILD).file("vendor/net.c", C).file("src/main.rs", MAIN)
}

fn rust_line_behind_c_is_named() {
    let project = calling_c("sites-c");
    let ran = project.sysguard("test --update no").ends(101);
    ran.prints(&[" src/main.rs:7 sites_c::fetch → open_socket: 2 new\n"]);
    let json = project.sysguard("test --update no --format json").ends(101).stdout;
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let site = &report["verdicts"][0]["findings"][0]["site"];
    assert_eq!((&site["file"], &site["line"]), (&"src/main.rs".into(), &7.into()), "{site}");
    assert_eq!(site["function"], "sites_c::fetch", "{site}");
}

fn crate_is_named_without_lines() {
    let project = calling_c("sites-release");
    let ran = project.sysguard("test --release --update no").ends(101);
    ran.prints(&[" sites_release::fetch"]);
}

fn new_error_has_the_line_of_its_own_call() {
    const OPEN: &str = "    let _ = std::fs::File::open";
    let main = |paths: &[&str]| {
        let lines: String = paths.iter().map(|path| format!("{OPEN}(\"{path}\");\n")).collect();
        format!("fn main() {{\n{lines}}}\n")
    };
    let project = Project::new("sites-error")
        .file("src/main.rs", &main(&["/dev/null", "/dev/none"]))
        .expecting("own", "bin: sites-error\nlevel: error");
    project.sysguard("bless").ends(0);
    // A new object of the call, an error that is held, and one that is not.
    let project = project.file("src/main.rs", &main(&["/dev/null", "/dev", "/dev/none", "/dev/null/x"]));
    for engine in ["guard", "ptrace"] {
        let json = project.sysguard(&format!("test --update no --format json --engine {engine}")).ends(101).stdout;
        let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let findings = report["verdicts"][0]["findings"].as_array().expect("a list");
        let found = |key: &str| findings.iter().find(|found| found["key"] == key).expect(key);
        let error = found("own::filesystem::openat::error=ENOTDIR");
        assert_eq!(error["site"]["line"], 5, "{engine}: {error}");
        assert_eq!(error["example"], "openat(\"/dev/null/x\", O_RDONLY|O_CLOEXEC) = -1 ENOTDIR", "{engine}");
        let object = found("own::filesystem::openat::object=dir");
        assert_eq!(object["site"]["line"], 3, "{engine}: {object}");
    }
}

/// Returns the findings of a test.
fn findings(project: &Project, engine: &str) -> Vec<serde_json::Value> {
    let json = project.sysguard(&format!("test --update no --format json --engine {engine}")).ends(101).stdout;
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    report["verdicts"][0]["findings"].as_array().expect("a list").clone()
}

/// A successful execve replaces the stack of its caller, and a child of posix_spawn(3) has a stack
/// of its own.
fn executed_program_has_the_line_of_its_caller() {
    const MAIN: &str = r#"use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() {
    assert!(Command::new("/bin/none").status().is_err());
    assert!(Command::new("/bin/true").status().unwrap().success());
    let mut forked = Command::new("/bin/false");
    unsafe { forked.pre_exec(|| Ok(())) };
    assert!(!forked.status().unwrap().success());
    std::thread::spawn(|| panic!("{}", Command::new("/bin/echo").exec())).join().unwrap();
}
"#;
    let project = Project::new("sites-execve").file("src/main.rs", "fn main() {}\n");
    let project = project.expecting("own", "bin: sites-execve");
    project.sysguard("bless").ends(0);
    let project = project.file("src/main.rs", MAIN);
    for engine in ["guard", "ptrace"] {
        let found = findings(&project, engine);
        for (program, line) in [("argument=none", 5), ("true,file", 6), ("false,file", 9), ("echo,file", 10)] {
            let key = format!("own::process::execve::{program}");
            let finding = found.iter().find(|found| found["key"] == key).unwrap_or_else(|| panic!("{key}: {found:?}"));
            assert_eq!(finding["site"]["line"], line, "{engine}: {finding}");
            assert_eq!(finding["site"]["file"], "src/main.rs", "{engine}: {finding}");
            let example = finding["example"].as_str().unwrap_or_default();
            assert!(example.starts_with("execve(\"/bin/"), "{engine}: {finding}");
        }
    }
}

/// Returns the stack of a program that a child of vfork(2) executes: it runs on its parent's stack.
fn vforked_program_has_the_line_of_its_caller() {
    const C: &str = "#include <sys/wait.h>\n#include <unistd.h>\n\nint main(int count, char **words) {\n\tif (count > 1)\n\t\treturn 0;\n\tif (vfork() == 0) {\n\t\texeclp(\"true\", \"true\", (char *)0);\n\t\t_exit(1);\n\t}\n\treturn wait(0) < 0;\n}\n";
    let project = Project::new("sites-vfork").file("spawn.c", C).file("src/main.rs", "fn main() {}\n");
    let mut gcc = std::process::Command::new("gcc");
    gcc.args(["-g", "-O1", "spawn.c", "-o", "spawn"]).current_dir(project.path("."));
    assert!(gcc.status().expect("gcc").success());
    let spawn = project.path("spawn").display().to_string();
    let project = project.expecting("own", &format!("command: [{spawn}, quiet]"));
    project.sysguard("bless").ends(0);
    let path = "expectations/own.yaml";
    let before = project.read(path);
    let project = project.file(path, &before.replace(", quiet]", "]"));
    for engine in ["guard", "ptrace"] {
        let found = findings(&project, engine);
        let key = "own::process::execve::true,file";
        let finding = found.iter().find(|found| found["key"] == key).unwrap_or_else(|| panic!("{key}: {found:?}"));
        assert_eq!(finding["site"]["function"], "main", "{engine}: {finding}");
        assert_eq!(finding["site"]["line"], 8, "{engine}: {finding}");
    }
}

fn null_site_has_a_reason() {
    const MAIN: &str = "fn main() {\n    let _ = std::process::Command::new(\"/bin/sh\").args([\"-c\", \"kill -SEGV $$\"]).status();\n}\n";
    let project = Project::new("sites-reason").file("src/main.rs", "fn main() {}\n");
    let project = project.expecting("own", "bin: sites-reason");
    project.sysguard("bless").ends(0);
    let project = project.file("src/main.rs", MAIN);
    for engine in ["guard", "ptrace"] {
        let json = project.sysguard(&format!("test --update no --format json --engine {engine}")).ends(101).stdout;
        let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let findings = report["verdicts"][0]["findings"].as_array().expect("a list");
        let found = |key: &str| {
            let is_meant = |found: &&serde_json::Value| found["key"].as_str().is_some_and(|it| it.starts_with(key));
            findings.iter().find(is_meant).unwrap_or_else(|| panic!("{key}: {json}"))
        };
        let finding = found("own::signals::SIGSEGV");
        assert!(finding["site"].is_null(), "{engine}: {finding}");
        assert_eq!(finding["site_reason"], "not_a_call", "{engine}: {finding}");
        let cloned = findings.iter().find(|found| found["site"]["line"] == 2).unwrap_or_else(|| panic!("{json}"));
        assert!(cloned.get("site_reason").is_none(), "{engine}: {cloned}");
    }
}

fn first_baseline_is_shown_with_call_sites() {
    const MAIN: &str = "fn main() {\n    std::net::TcpListener::bind(\"127.0.0.1:0\").unwrap();\n}\n";
    let project = Project::new("sites-first").file("src/main.rs", MAIN).expecting("own", "bin: sites-first");
    project.sysguard("test --update new").ends(101);
    let proposal = project.read("expectations/own.yaml.new");
    let remarks = proposal.split_once("\n# sites:\n").map(|(_, remarks)| remarks).expect(&proposal);
    assert!(remarks.contains("network::bind: sites_first::main at src/main.rs:2\n"), "{remarks}");
    let stacks = remarks.split_once("\n# stacks:\n").map(|(_, stacks)| stacks).expect(remarks);
    assert!(stacks.contains("#       - network::bind\n"), "{stacks}");
    assert!(stacks.contains("#       - sites_first::main at src/main.rs:2\n"), "{stacks}");
    assert!(!stacks.contains(env!("HOME")) && proposal.len() < 100_000, "{} bytes:\n{stacks}", proposal.len());

    let json = project.sysguard("bless --format json").ends(0).stdout;
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let groups = report["groups"].as_array().expect("a list");
    let own = groups.iter().find(|group| group["site"]["file"] == "src/main.rs").unwrap_or_else(|| panic!("{json}"));
    assert_eq!(own["site"]["line"], 2, "{own}");
    let keys: Vec<&str> = own["keys"].as_array().expect("a list").iter().filter_map(|key| key.as_str()).collect();
    assert!(keys.contains(&"own::network::bind") && keys.contains(&"own::network::socket"), "{keys:?}");
    assert!(!project.read("expectations/own.yaml").contains("main.rs"), "a baseline holds no call sites");
}
