//! Call sites of real programs: through C code in the package, and without debug information.

use libtest_mimic::Trial;

use super::project::{Project, tracing, tracing_with};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![sites:
        tracing_with(&["gcc", "ar"]) rust_line_behind_c_is_named,
        tracing_with(&["gcc", "ar"]) crate_is_named_without_lines,
        tracing new_error_has_the_line_of_its_own_call,
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
