//! `reach`: calls of small programs, ways to them, forbidden ones, bad input, saved results.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::project::{Project, Ran, run};

/// A program without a C library. It makes a socket only if it has an argument.
const TINY: &str = r#"
static long call(long number, long first) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(1L), "d"(0L) : "rcx", "r11", "memory");
    return result;
}

__attribute__((noinline)) static long talk(void) {
    return call(41, 1);
}

__attribute__((used)) void begin(long *stack) {
    if (stack[0] > 1)
        talk();
    call(39, 0);
    call(231, 7);
    __builtin_unreachable();
}

__asm__(".globl _start\n.type _start, @function\n_start:\n\tmov %rsp, %rdi\n\tcall begin\n\thlt\n.size _start, .-_start\n");
"#;

/// Compiles a program of the project by cc.
fn compile(project: &Project, name: &str, source: &str, options: &str) {
    project.write(&format!("{name}.c"), source);
    let mut cc = project.run_by("cc");
    cc.arg(format!("{name}.c")).args(options.split_whitespace()).args(["-o", name]);
    run(&mut cc).ends(0);
}

fn tiny() -> Project {
    let project = Project::empty();
    compile(&project, "tiny", TINY, "-O1 -g -nostdlib -static");
    project
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Returns the names of calls with this field: true, or not null.
fn calls<'v>(record: &'v Value, field: &str) -> BTreeSet<&'v str> {
    let calls = record["calls"].as_array().expect("a list").iter();
    let has = |call: &&Value| !matches!(call[field], Value::Null | Value::Bool(false));
    calls.filter(has).map(|call| call["name"].as_str().expect("a name")).collect()
}

fn record(project: &Project, line: &str) -> Value {
    json(&project.sysguard(&format!("reach --format json {line}")).ends(0).stdout)
}

pub(crate) fn calls_of_a_program_are_found_without_running_it() {
    let project = tiny();
    let before = project.files();
    let record = record(&project, "./tiny");
    assert_eq!(calls(&record, "chain"), ["exit_group", "getpid", "socket"].into());
    assert_eq!((&record["upper_bound"], &record["run"]), (&true.into(), &Value::Null));
    assert_eq!(record["calls"][0]["observed"], Value::Null);
    let digest = run(project.run_by("sha256sum").arg("tiny")).ends(0).stdout;
    assert_eq!(record["modules"][0]["sha256"], digest.split(' ').next().expect("a digest"));
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("reach/src/report/schema/reach-1.json");
    let schema = json(&fs::read_to_string(schema).expect("the schema"));
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert_eq!(validator.iter_errors(&record).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
    let table = project.sysguard("reach ./tiny").ends(0).stdout;
    assert!(table.contains("could make 3 syscalls. Nothing was run."), "{table}");
    assert!(table.contains("Unresolved call sites: 0."), "{table}");
    let page = project.sysguard("reach --format markdown ./tiny").ends(0).stdout;
    assert!(page.contains("\n| network | socket | yes | "), "{page}");
    assert_eq!(project.changed_since(&before), [""; 0], "nothing was run or written");
    project.sysguard("reach --format json -o report.json ./tiny").ends(0);
    assert_eq!(json(&project.read("report.json")), record);
}

pub(crate) fn way_has_the_lines_of_the_source() {
    let project = tiny();
    let way = project.sysguard("reach --why socket ./tiny").ends(0).stdout;
    let lines: Vec<&str> = way.lines().map(str::trim).collect();
    assert_eq!(lines[0], "A way to socket", "{way}");
    let functions: Vec<&str> = lines[2..].iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(functions, ["_start", "begin", "talk"], "{way}");
    let at = |text: &str| TINY.lines().position(|line| line.contains(text)).expect(text) + 1;
    assert!(lines[3].ends_with(&format!("tiny.c:{}", at("        talk();"))), "{way}");
    assert!(lines[4].contains("tiny.c:"), "{way}");
    let of_subsystem = project.sysguard("reach --why network ./tiny").ends(0).stdout;
    assert_eq!(of_subsystem, way);
    let none = project.sysguard("reach --why reboot ./tiny").ends(0).stdout;
    assert_eq!(none, "reboot: not reachable\n\n");
}

pub(crate) fn forbidden_call_fails_if_it_is_reachable() {
    let project = tiny();
    for (forbidden, code) in [("socket", 101), ("network", 101), ("reboot", 0), ("boot", 0)] {
        let ran = project.sysguard(&format!("reach --forbid {forbidden} ./tiny")).ends(code);
        assert_eq!(ran.stderr.contains("error: forbidden and reachable: socket\n"), code == 101, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("A way to socket\n"), code == 101, "{}", ran.stderr);
        assert!(ran.stdout.starts_with("Reachable syscalls of "), "{}", ran.stdout);
    }
}

/// A number that the caller of the program chooses is unknown.
pub(crate) fn unknown_number_denies_an_upper_bound() {
    let project = Project::empty();
    compile(&project, "any", &TINY.replace("call(39, 0)", "call(stack[0], 0)"), "-O1 -nostdlib -static");
    let record = record(&project, "./any");
    assert_eq!(record["upper_bound"], false);
    let unresolved = record["unresolved"].as_array().expect("a list");
    assert_eq!((unresolved.len(), &unresolved[0]["reason"]), (1, &"number".into()), "{unresolved:?}");
    assert_eq!(calls(&record, "chain"), ["exit_group", "socket"].into());
    let table = project.sysguard("reach ./any").ends(0).stdout;
    assert!(
        table.contains("\nno upper bound: 1 site unresolved\n") && table.contains("the number is not known"),
        "{table}"
    );
    let forbidden = project.sysguard("reach --forbid reboot ./any").ends(101);
    assert!(forbidden.stderr.contains("cannot be excluded\nno upper bound: "), "{}", forbidden.stderr);
}

pub(crate) fn run_marks_observed_calls() {
    let project = tiny();
    let ran = project.sysguard("reach --run --format json ./tiny").ends(0);
    let alone = json(&ran.stderr);
    assert_eq!((calls(&alone, "observed"), ran.stdout.as_str()), (["exit_group", "getpid"].into(), ""));
    assert_eq!(alone["run"]["status"], 7);
    let with = json(&project.sysguard("reach --format json ./tiny -- more").ends(0).stderr);
    assert_eq!(calls(&with, "observed"), ["exit_group", "getpid", "socket"].into());
    assert_eq!(with["workload"]["command"], serde_json::json!(["./tiny", "more"]));
    let table = project.sysguard("reach --run ./tiny").ends(0).stderr;
    assert!(
        table.contains("2 of the 3 syscalls that code reachable in these files could make were observed."),
        "{table}"
    );
}

/// The target directory keeps the analysis until the program changes, or with --no-cache.
pub(crate) fn kept_analysis_gives_the_same_report() {
    let project = Project::new("reach-cache");
    compile(&project, "tiny", TINY, "-O1 -g -nostdlib -static");
    let target = project.path("target");
    let report = |options: &str| {
        let line = format!("reach --format json {options} ./tiny");
        run(project.command(&line).env("CARGO_TARGET_DIR", &target)).ends(0).stdout
    };
    let folder = target.join("sysguard/reach-cache");
    let kept = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&folder).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let fresh = report("--no-cache");
    assert!(kept().is_empty(), "{:?}", kept());
    for _ in 0..2 {
        assert_eq!(report(""), fresh);
        assert_eq!(kept().len(), 1);
    }
    let way = report("--why socket");
    assert_eq!(way, report("--why socket --no-cache"));
    fs::write(&kept()[0], "damaged").expect("a file");
    assert_eq!(report(""), fresh);
    assert_ne!(fs::read(&kept()[0]).expect("a file"), b"damaged");
    compile(&project, "tiny", &TINY.replace("call(39, 0)", "call(102, 0)"), "-O1 -g -nostdlib -static");
    let changed = report("");
    assert!(calls(&json(&changed), "chain").contains("getuid"), "{changed}");
    assert_eq!(changed, report("--no-cache"));
}

/// The files of the loader, and their calls.
pub(crate) fn libraries_are_analysed_too() {
    let project = Project::empty();
    compile(
        &project,
        "libtalk.so",
        "#include <sys/socket.h>\nint talk(void) { return socket(1, 1, 0); }",
        "-shared -fPIC",
    );
    compile(&project, "talks", "int talk(void); int main(void) { return talk() < 0; }", "-L. -l:libtalk.so");
    let alone = record(&project, "./talks");
    assert_eq!(alone["missing"][0]["name"], "libtalk.so");
    assert_eq!(alone["upper_bound"], false);
    let with = record(&project, "--with libtalk.so ./talks");
    assert_eq!(with["missing"], serde_json::json!([]));
    assert!(calls(&with, "chain").contains("socket"), "{:?}", calls(&with, "chain"));
    let origins: BTreeSet<&str> =
        with["modules"].as_array().expect("a list").iter().filter_map(|module| module["origin"].as_str()).collect();
    assert!(origins.is_superset(&["interpreter", "needed", "program"].into()), "{origins:?}");
}

pub(crate) fn bad_input_is_one_error() {
    let project = tiny().file("text", "hello\n").file("script", "#!/bin/sh\nexit\n").file("empty", "");
    let mut foreign = fs::read(project.path("tiny")).expect("a program");
    foreign[18] = 183;
    fs::write(project.path("foreign"), &foreign).expect("a file");
    foreign[4] = 1;
    fs::write(project.path("narrow"), &foreign).expect("a file");
    fs::write(project.path("cut"), &foreign[..10]).expect("a file");
    let before = project.files();
    let one_error = |ran: Ran, code: i32, message: &str| {
        let ran = ran.ends(code);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(message), "{message}: {}", ran.stderr);
        assert_eq!((ran.stderr.matches("error: ").count(), ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    };
    for (line, code, message) in [
        ("./none", 3, "No such file or directory"),
        ("no-such-program", 3, "cannot find no-such-program on PATH\nhelp: "),
        (".", 3, "not a regular file"),
        ("./", 3, "not a regular file"),
        ("./text", 3, "not an ELF file"),
        ("./empty", 3, "not an ELF file"),
        ("./cut", 3, "cannot analyse "),
        ("./script", 3, "is a script: its program is /bin/sh\nhelp: "),
        ("./foreign", 3, "cannot decode aarch64 code"),
        ("./narrow", 3, "cannot decode 32-bit aarch64 code"),
        ("--with none ./tiny", 3, "No such file or directory"),
        ("--with text ./tiny", 3, "not an ELF file"),
        ("--run ./text", 3, "text"),
        ("-o no/such/folder/report ./tiny", 101, "cannot write no/such/folder/report"),
        ("--workload none", 2, ""),
        ("bin:none", 2, ""),
        ("--why opennat ./tiny", 2, "did you mean openat"),
        ("--forbid netwrok ./tiny", 2, "did you mean network"),
        ("--format svg ./tiny", 2, "`svg` is not a format"),
        ("--save ./tiny", 2, ""),
        ("", 2, "PROGRAM"),
    ] {
        one_error(project.sysguard(&format!("reach {line}")), code, message);
    }
    run(project.run_by("chmod").args(["000", "tiny"])).ends(0);
    one_error(run(&mut project.bound_command("reach ./tiny")), 3, "Permission denied");
    run(project.run_by("chmod").args(["755", "tiny"])).ends(0);
    assert_eq!(project.changed_since(&before), [""; 0]);
}

/// A pipe must not block, and a device must not be read without end.
pub(crate) fn special_files_are_refused() {
    let project = Project::empty();
    run(project.run_by("mkfifo").arg("pipe")).ends(0);
    for file in ["./pipe", "/dev/zero", "/dev/null"] {
        let ran = project.sysguard(&format!("reach {file}")).ends(3);
        assert!(ran.stderr.contains("not a regular file"), "{}", ran.stderr);
    }
}

pub(crate) fn explanation_shows_the_way_in_a_program() {
    let project = tiny();
    let text = project.sysguard("explain socket --reach ./tiny").ends(0).stdout;
    assert!(text.contains("\n./tiny  program\n  reachable    socket: _start → begin → talk\n"), "{text}");
    let text = project.sysguard("explain reboot --reach ./tiny").ends(0).stdout;
    assert!(text.ends_with("\n./tiny  program\n  reachable    no\n"), "{text}");
    let record = json(&project.sysguard("explain network --format json --reach ./tiny").ends(0).stdout);
    assert_eq!(record["reach"]["reachable"][0]["syscall"], "socket");
    assert_eq!(record["reach"]["upper_bound"], true);
    let argument = project.sysguard("explain AF_INET --reach ./tiny").ends(2);
    assert!(argument.stderr.contains("`AF_INET` is neither a syscall nor a subsystem"), "{}", argument.stderr);
    project.sysguard("explain socket --reach ./none").ends(3);
}

/// The result of a workload is in the report until its program changes.
pub(crate) fn saved_result_is_in_the_report_until_it_is_stale() {
    let project = Project::new("reach-saved");
    compile(&project, "tiny", TINY, "-O1 -nostdlib -static");
    let project =
        project.expecting("talk", "command: [./tiny, more]\nexit: 7").expecting("quiet", "command: [./tiny]\nexit: 7");
    let target = project.path("target");
    let sysguard = |line: &str| run(project.command(line).env("CARGO_TARGET_DIR", &target));
    let table = sysguard("reach --workload talk --save").ends(0).stdout;
    assert!(table.starts_with("Reachable syscalls of talk ("), "{table}");
    assert!(table.contains("3 of the 3 syscalls"), "{table}");
    assert!(target.join("sysguard/reach/reach-saved/talk.json").is_file());
    sysguard("reach --workload quiet --save").ends(0);
    let row = |name: &str, rest: &str| format!("\n| {name} | {rest} |\n");
    let limits = "no generated code, and no modules beyond those analysed";
    let page = sysguard("report").ends(0).stdout;
    assert!(page.contains(&row("talk", &format!("3 of 3 | {limits}"))), "{page}");
    assert!(page.contains(&row("quiet", &format!("2 of 3 | {limits}"))), "{page}");
    let record = json(&sysguard("report --format json talk").ends(0).stdout);
    assert_eq!(record["workloads"][0]["reach"]["observed"], 3);
    assert!(sysguard("report --format html").ends(0).stdout.contains("<td class=\"n\">2 of 3</td>"));
    compile(&project, "tiny", &TINY.replace("231, 7", "231, 8"), "-O1 -nostdlib -static");
    let page = sysguard("report").ends(0).stdout;
    assert!(page.contains("| 3 of 3 | stale: ") && page.contains("tiny has changed since |\n"), "{page}");
    fs::write(target.join("sysguard/reach/reach-saved/talk.json"), "{}").expect("a file");
    let broken = sysguard("report").ends(101);
    assert!(
        broken.stderr.contains("cannot read ") && broken.stderr.contains("\nhelp: save it again"),
        "{}",
        broken.stderr
    );
}

/// A binary of the package is built first.
pub(crate) fn binary_of_the_package_is_built() {
    let project = Project::new("reach-bin")
        .file("src/main.rs", "fn main() { drop(std::net::UdpSocket::bind(\"127.0.0.1:0\")); }\n");
    let record = record(&project, "bin:reach-bin");
    let reachable = calls(&record, "chain");
    assert!(reachable.is_superset(&["bind", "exit_group", "socket", "write"].into()), "{reachable:?}");
    let way = project.sysguard("explain socket --reach bin:reach-bin").ends(0).stdout;
    assert!(way.contains("\n  reachable    socket: reach_bin::main → "), "{way}");
    let wrong = project.sysguard("reach bin:reach-bn").ends(2);
    assert!(wrong.stderr.contains("did you mean reach-bin?"), "{}", wrong.stderr);
    project.write("src/main.rs", "fn main() { nonsense }\n");
    project.sysguard("reach bin:reach-bin").ends(3);
}
