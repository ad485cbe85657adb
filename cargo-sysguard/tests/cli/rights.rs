//! The rights to sample: profiles of an ordinary user, errors without any right, and the list of
//! `doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::project::{BINARY, Project, Ran, command, run};
use super::refused::build;

const LOOP: [&str; 3] = ["sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exit 3"];

/// Returns a project with a `sysguard` that any user may run.
fn shared() -> Project {
    let project = Project::empty();
    fs::copy(BINARY, project.path("sysguard")).expect("a copy");
    for name in ["", "sysguard"] {
        fs::set_permissions(project.path(name), fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    project
}

/// Returns the words that make root an ordinary user, and how those words fail here.
fn ordinary(project: &Project) -> Result<&'static [&'static str], &'static str> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(&[]);
    }
    let user = &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"];
    match run(project.run_by("env").args(user).arg("true")).code {
        0 => Ok(user),
        _ => Err("setpriv cannot make root an ordinary user here"),
    }
}

fn profile(project: &Project, prefix: &[&str]) -> Ran {
    let mut command = project.run_by("env");
    let words = ["profile", "--no-trace", "--format", "json", "--"];
    run(command.args(prefix).arg("./sysguard").args(words).args(LOOP))
}

pub(crate) fn ordinary_user_gets_user_code_and_totals() -> Option<&'static str> {
    let paranoid = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid");
    if paranoid.ok().and_then(|number| number.trim().parse().ok()) != Some(2) {
        return Some("kernel.perf_event_paranoid is not 2");
    }
    let project = shared();
    let user = match ordinary(&project) {
        Ok(user) => user,
        Err(reason) => return Some(reason),
    };
    let ran = profile(&project, user).ends(3);
    let record: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    let missing: Vec<_> = record["missing"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(missing.contains(&"kernel-samples") && missing.contains(&"cpu-migrations"), "{missing:?}");
    assert!(record["user"].as_f64() > Some(0.99), "{record}");
    let counts = record["totals"]["counts"].as_array().expect("counts");
    let count = |event: &str| counts.iter().find(|count| count["event"] == event);
    assert!(count("task-clock").is_some() && count("context-switches").is_some(), "{counts:?}");
    assert!(count("cpu-migrations").is_none(), "{counts:?}");
    let mut command = project.run_by("env");
    let ran = run(command.args(user).args(["./sysguard", "profile", "--no-trace", "--"]).args(LOOP)).ends(3);
    let advice = "missing: kernel functions; run `sudo sysctl kernel.perf_event_paranoid=1`, or run it as root";
    assert_eq!(ran.stderr.matches(advice).count(), 1, "{}", ran.stderr);
    None
}

pub(crate) fn filter_of_a_container_is_named() -> Option<&'static str> {
    let project = shared();
    build(&project, "refuse");
    let refuse = project.path("refuse").display().to_string();
    // EPERM, as Docker answers without CAP_PERFMON; EACCES; ENOSYS, as other filters answer.
    for errno in ["1", "13", "38"] {
        let ran = profile(&project, &[&refuse, errno, "perf_event_open"]).ends(4);
        let expected = "error: cannot sample: a seccomp filter refuses perf_event_open\n\
                        help: run the container with CAP_PERFMON: docker run --cap-add=PERFMON …\n";
        assert_eq!(ran.stderr, expected, "{errno}");
    }
    None
}

pub(crate) fn doctor_lists_rights_and_tools() -> Option<&'static str> {
    let project = shared();
    let rights = ["perf_event_paranoid", "kptr_restrict", "CAP_PERFMON", "CAP_SYSLOG", "CAP_BPF", "BTF", "tracefs"];
    let user = match ordinary(&project) {
        Ok(user) => user,
        Err(reason) => return Some(reason),
    };
    for prefix in [&[][..], user] {
        let mut doctor = project.run_by("env");
        let ran = run(doctor.args(prefix).args(["./sysguard", "doctor", "--format", "json"])).ends(0);
        let record: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let listed: Vec<_> = record["sampling"].as_array().expect("rights").iter().map(|gate| &gate["name"]).collect();
        assert_eq!(listed, rights);
        assert!(record["tools"].is_null() && record["missing"].is_null());
        let bpf = &record["sampling"][4]["state"];
        assert_eq!(bpf == "open", prefix.is_empty() && nix::unistd::geteuid().is_root(), "{record}");
    }
    let project = Project::foreign("doctor-tools")
        .expecting("one", "command: [no-such-program-of-one]\nrequires: [perf, no-such-program]")
        .expecting("two", "command: [sh, -c, 'true']\nrequires: [no-such-program]");
    let doctor = |words: &[&str]| run(command(BINARY).current_dir(project.path("")).arg("doctor").args(words)).ends(0);
    let record: Value = serde_json::from_str(&doctor(&["--tools", "--format", "json"]).stdout).expect("JSON");
    let version =
        |name: &str| record["tools"].as_array()?.iter().find(|tool| tool["name"] == name)?["version"].as_str();
    // The tests need a compiler and its linker.
    assert!(version("Binutils").is_some_and(|version| version.contains('.')), "{}", record["tools"]);
    let missing = record["missing"].as_array().expect("programs");
    let unknown = missing.iter().find(|missing| missing["program"] == "no-such-program").expect("a program");
    assert_eq!((&unknown["workloads"], &unknown["package"]), (&serde_json::json!(["one", "two"]), &Value::Null));
    assert!(missing.iter().any(|missing| missing["program"] == "no-such-program-of-one"), "{missing:?}");
    doctor(&["--tools"]).prints(&[
        "For `cargo sysguard profile`",
        "Binutils",
        "no-such-program ",
        "package unknown  (one, two)",
    ]);
    None
}
