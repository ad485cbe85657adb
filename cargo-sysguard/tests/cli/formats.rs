//! `--format` and `-o`: machine-readable reports of real runs.

use serde_json::Value;

use super::project::{Project, Ran, run};

/// Returns a package with three workloads: one with findings, one that passes, one that is ignored.
fn project(name: &str, harness: bool) -> Project {
    let project = Project::new(name)
        .expecting("good", "command: [true]")
        .expecting("net/own", &format!("bin: {name}"))
        .expecting("slow", "command: [true]\nignore: takes long");
    let project = if harness { project.with_harness() } else { project };
    project.sysguard("bless").ends(0);
    project.file("src/main.rs", "fn main() { let _ = std::net::TcpStream::connect((\"127.0.0.1\", 1)); }\n")
}

fn in_ci(project: &Project, line: &str) -> Ran {
    run(project.command(line).env("CI", "true"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Returns the number of the line with this beginning in the expectation.
fn line_of(project: &Project, beginning: &str) -> u64 {
    let text = project.read("expectations/net/own.yaml");
    let index = text.lines().position(|line| line.starts_with(beginning)).expect(beginning);
    index as u64 + 1
}

pub(crate) fn machine_formats_own_standard_output() {
    for (name, harness) in [("formats-harness", true), ("formats-plain", false)] {
        let project = project(name, harness);
        let ran = in_ci(&project, "test --format json").ends(101);
        let report = json(&ran.stdout);
        assert_eq!(report["schema"], "sysguard.test/1");
        assert_eq!(report["summary"], json(r#"{"passed": 1, "failed": 1, "ignored": 1}"#));
        let names: Vec<&str> = report["verdicts"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|report| report["workload"].as_str())
            .collect();
        assert_eq!(names, ["good", "net::own", "slow"]);
        let own = &report["verdicts"][1];
        assert_eq!(own["findings"][0]["key"], "net::own::network");
        assert_eq!(own["findings"][0]["line"], line_of(&project, "platform: "));
        assert_eq!(own["package"], name);
        assert!(ran.stderr.contains("test result: FAILED. 1 passed; 1 failed; 1 ignored"), "{}", ran.stderr);

        let none = in_ci(&project, "test nobody --format json").ends(0);
        assert_eq!(json(&none.stdout)["verdicts"], json("[]"));
    }
}

pub(crate) fn github_gets_annotations_and_a_summary() {
    let project = project("formats-github", true);
    project.write("summary", "# before\n");
    let mut command = project.command("test --format github");
    command.env("CI", "true").env("GITHUB_STEP_SUMMARY", project.path("summary"));
    let ran = run(&mut command).ends(101);
    let start = "::error file=src/main.rs,line=1,title=sysguard%3A src/main.rs%3A1 formats_github%3A%3Amain → ";
    assert!(ran.stdout.starts_with(start) && ran.stdout.contains("net::own::network"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let summary = project.read("summary");
    assert!(summary.starts_with("# before\n### sysguard: 1 of 2 workloads failed, 1 ignored\n"), "{summary}");
    assert!(summary.contains("| new subsystem | `net::own::network` | 2 |"), "{summary}");
    // `markdown` is the same page, for a comment.
    let page = in_ci(&project, "test --format markdown").ends(101).stdout;
    assert_eq!(summary.strip_prefix("# before\n"), Some(page.as_str()));
}

pub(crate) fn junit_has_every_selected_workload() {
    let ran = in_ci(&project("formats-junit", true), "test --format junit").ends(101);
    for line in [
        r#"<testsuite name="formats-junit" tests="3" skipped="1" errors="0" failures="1">"#,
        r#"<testcase name="good" classname="formats-junit" time=""#,
        r#"<skipped message="takes long"/>"#,
        r#"type="new-subsystem">net::own: 1 new subsystem"#,
    ] {
        assert!(ran.stdout.contains(line), "{line}:\n{}", ran.stdout);
    }
}

pub(crate) fn sarif_points_to_the_source_and_the_expectation() {
    let project = project("formats-sarif", true);
    let log = json(&in_ci(&project, "test --format sarif").ends(101).stdout);
    let first = &log["runs"][0]["results"][0];
    assert_eq!(first["ruleId"], "sysguard/new-subsystem");
    assert_eq!(first["partialFingerprints"]["sysguard/key/v1"], "net::own::network");
    let source = &first["locations"][0]["physicalLocation"];
    assert_eq!(source["artifactLocation"]["uri"], "src/main.rs", "{source}");
    let place = &first["relatedLocations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "expectations/net/own.yaml");
    assert_eq!(place["region"]["startLine"], line_of(&project, "platform: "));
    assert!(place["region"]["snippet"]["text"].as_str().is_some_and(|text| text.starts_with("platform: ")), "{place}");
}

const CONNECT: &str = "connect(3, 127.0.0.1:1) = -1 ECONNREFUSED";

pub(crate) fn every_format_shows_the_first_call() {
    let project = project("formats-example", false);
    for format in ["text", "markdown", "json", "junit", "sarif", "github", "gitlab", "csv"] {
        let mut line = format!("test net --format {format}");
        if format == "text" {
            line = "test net".to_owned();
        }
        let ran = in_ci(&project, &line).ends(101);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains(CONNECT), "{format}:\n{all}");
        assert!(all.contains("formats-example"), "{format}:\n{all}");
    }
    for engine in ["guard", "ptrace"] {
        let ran = in_ci(&project, &format!("test net --format json --engine {engine}")).ends(101);
        let findings = json(&ran.stdout)["verdicts"][0]["findings"].clone();
        let of_key = |key: &str| {
            findings.as_array().expect("a list").iter().find(|found| found["key"] == key).expect(key).clone()
        };
        let connect = of_key("net::own::network::connect");
        assert_eq!(connect["example"], CONNECT, "{engine}");
        assert_eq!(connect["process"], serde_json::json!(["formats-example"]), "{engine}");
        let first = of_key("net::own::network")["example"].clone();
        assert!(
            first.as_str().is_some_and(|call| call.starts_with("socket(AF_INET, SOCK_STREAM")),
            "{engine}: {first}"
        );
    }
}

pub(crate) fn first_call_is_no_part_of_a_baseline() {
    let script = "command: [sh, -c, 'echo x > $HOME/made; cat $TMPDIR/none; (cat /proc/self/environ; true) | wc -c']\n\
                  level: error\nenv:\n  TOKEN: secret-value";
    let project = Project::new("formats-drop").expecting("w", "command: [sh, -c, 'true']\nlevel: error");
    project.sysguard("bless").ends(0);
    let held = project.read("expectations/w.yaml");
    let baseline = &held[held.find("---").expect("a baseline")..];
    project.write("expectations/w.yaml", &format!("version: 2\n{script}\n{baseline}"));
    project.sysguard("test w").ends(101);
    let proposal = project.read("expectations/w.yaml.new");
    for shown in ["$HOME/made", "$TMPDIR/none", " = -1 ENOENT", "/proc/self/environ", "sh -c …", "wc -c"] {
        assert!(proposal.contains(shown), "{shown}:\n{proposal}");
    }
    let remarks = proposal.split("# For the review").nth(1).expect("remarks");
    assert!(!remarks.contains("secret-value") && !remarks.contains("/tmp/sysguard-"), "{remarks}");
    project.sysguard("accept w").ends(0);
    let accepted = project.read("expectations/w.yaml");
    assert!(!accepted.contains("# "), "{accepted}");
    let before = project.read("expectations/w.yaml");
    project.sysguard("test w").ends(0);
    assert_eq!(project.read("expectations/w.yaml"), before);
}

pub(crate) fn first_proposal_shows_a_call_for_each_key() {
    let project = Project::new("formats-first").expecting("w", "command: [sh, -c, 'cat /proc/self/status | wc -c']");
    project.sysguard("test w --update new").ends(101);
    let pending = json(&project.sysguard("pending --format json").ends(101).stdout)["pending"][0].clone();
    let keys = pending["keys"].as_array().expect("a list");
    assert!(keys.len() > 10, "{pending}");
    for key in keys.iter().filter_map(Value::as_str) {
        let example = &pending["examples"][key];
        let call = example["call"].as_str().unwrap_or_else(|| panic!("{key}: {pending}"));
        let syscall = key.split("::").nth(2).expect(key);
        assert!(call.starts_with(&format!("{syscall}(")), "{key}: {call}");
        assert_eq!(example["process"][0], "sh -c …", "{key}: {example}");
    }
    project.sysguard("accept w").ends(0);
    let accepted = project.read("expectations/w.yaml");
    assert!(!accepted.contains('#') && accepted.contains("platform: "), "{accepted}");
    project.sysguard("test w").ends(0);
    project.sysguard("bless w").ends(0);
    assert_eq!(project.read("expectations/w.yaml"), accepted);
}

pub(crate) fn output_file_is_checked_before_anything_runs() {
    let project = project("formats-file", true);
    let ran = in_ci(&project, "test --format sarif -o report.sarif").ends(101);
    assert_eq!(ran.stdout, "");
    assert_eq!(json(&project.read("report.sarif"))["version"], "2.1.0");
    let table = in_ci(&project, "test -o report.txt").ends(101);
    assert!(table.stdout.contains("test net::own ... FAILED"), "{}", table.stdout);
    assert!(project.read("report.txt").ends_with("\n1 of 2 workloads failed, 1 ignored\n"));
    let ran = project.sysguard("test -o no/such/folder").ends(101);
    assert!(ran.stderr.contains("nothing was run"), "{}", ran.stderr);
    let ran = project.sysguard("test --format xml").ends(2);
    assert!(ran.stderr.contains("junit, sarif, github, gitlab"), "{}", ran.stderr);
}

pub(crate) fn bless_reports_what_it_wrote() {
    let project = project("formats-bless", false);
    let ran = project.sysguard("bless --format json").ends(0);
    let report = json(&ran.stdout);
    assert_eq!(report["schema"], "sysguard.bless/1");
    let own = &report["verdicts"][1];
    assert_eq!(own["status"]["kind"], "blessed");
    assert_eq!(own["change"]["written"], "expectations/net/own.yaml");
    assert!(ran.stderr.contains("net::own: blessed, 1 new subsystem"), "{}", ran.stderr);
}
