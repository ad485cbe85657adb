//! `profile`: exit codes, formats, counts of calls, annotated instructions, and saved profiles.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::project::{BINARY, Project, Ran, command, run};

/// Returns an error if kernel functions cannot be sampled or named here.
pub(crate) fn unsampled() -> Option<&'static str> {
    let ran = run(command(BINARY).args(["profile", "--no-trace", "--format", "json", "--", "true"]));
    if ran.code == 4 {
        return Some("requires the right to sample");
    }
    let record = record(&ran.ends(0).stderr);
    let missing = record["missing"].as_array().expect("a list");
    let lacks = |name: &str| missing.iter().any(|it| it == name);
    (lacks("kernel-samples") || lacks("kernel-names")).then_some("requires the right to sample the kernel")
}

fn record(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub(crate) fn exit_code_is_that_of_the_command() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() {
        return reason;
    }
    let project = Project::empty();
    for (arguments, code) in [
        (&["--", "true"][..], 0),
        (&["--", "sh", "-c", "exit 7"], 7),
        (&["--", "sh", "-c", "kill -TERM $$"], 128 + 15),
        (&["--timeout", "100ms", "--", "sleep", "600"], 124),
        (&["--grace", "100ms", "--no-trace", "--", "sh", "-c", "sleep 600 & exit 5"], 5),
    ] {
        run(project.command("profile").args(arguments)).ends(code);
    }
    None
}

pub(crate) fn own_failures_have_distinct_exit_codes() {
    let project = Project::empty().file("plain", "");
    let before = project.files();
    for (line, code) in [
        ("profile -- no-such-command", 127),
        ("profile -- ./plain", 126),
        ("profile -o no/such/folder/report -- touch was-run", 125),
        ("profile --no-such-flag -- touch was-run", 2),
        ("profile --format xml -- touch was-run", 2),
        ("profile --call-graph lbr -- touch was-run", 2),
        ("profile --repeat 0 -- touch was-run", 2),
        ("profile --timeout soon -- touch was-run", 2),
        ("profile --annotate main --format svg -- touch was-run", 2),
        ("profile --kernel-source no/such/tree -- touch was-run", 2),
        ("profile --save -- touch was-run", 2),
    ] {
        let ran = project.sysguard(line).ends(code);
        assert!(ran.stderr.starts_with("error: "), "{line}: {}", ran.stderr);
    }
    assert_eq!(project.changed_since(&before), [""; 0], "nothing was run");
}

/// An ordinary user gets user code and totals, or an error with exit code 4 and a remedy.
pub(crate) fn ordinary_user_gets_a_profile_or_a_remedy() -> Option<&'static str> {
    if !nix::unistd::geteuid().is_root() {
        return Some("only root can become another user");
    }
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"];
    let project = Project::empty();
    if run(project.run_by("setpriv").args(user).arg("true")).code != 0 {
        return Some("setpriv cannot make root an ordinary user here");
    }
    fs::copy(BINARY, project.path("sysguard")).expect("a copy");
    for name in ["", "sysguard"] {
        fs::set_permissions(project.path(name), PermissionsExt::from_mode(0o755)).expect("a mode");
    }
    let mut profile = project.run_by("setpriv");
    profile.args(user).args(["./sysguard", "profile", "--no-trace", "--", "sh", "-c"]);
    let ran = run(profile.arg("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 3"));
    match ran.code {
        3 => {
            assert!(ran.stderr.contains("(user code)") && ran.stderr.contains("task-clock"), "{}", ran.stderr);
            assert!(ran.stderr.contains("\nmissing: kernel functions; run `sudo sysctl "), "{}", ran.stderr);
        }
        4 => assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("help: "), "{}", ran.stderr),
        _ => drop(ran.ends(3)),
    }
    None
}

/// Each run leaves a line.
pub(crate) fn command_runs_once_for_samples_and_once_for_counts() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() {
        return reason;
    }
    for (options, runs, sampled) in [
        ("", 2, 1),
        ("--no-trace", 1, 1),
        ("--repeat 3", 4, 3),
        ("--repeat 2 --no-trace", 2, 2),
        ("--format folded", 1, 1),
        ("--format svg", 1, 1),
    ] {
        let project = Project::empty();
        let format = if options.contains("--format") { "" } else { "--format json" };
        let line = format!("profile {format} {options} -o report -- sh -c");
        let ran = run(project.command(&line).arg("echo run >> log; echo out")).ends(0);
        assert_eq!(ran.stdout, "out\n".repeat(runs), "{options}");
        assert_eq!(ran.stderr, "", "{options}");
        assert_eq!(project.read("log").lines().count(), runs, "{options}");
        if !format.is_empty() {
            let record = record(&project.read("report"));
            assert_eq!(record["sampled"]["runs"], sampled, "{options}");
            assert_eq!(record["totals"]["elapsed"]["spread"].is_null(), sampled == 1, "{options}");
            assert_eq!(record["traced"].is_null(), options.contains("--no-trace"), "{options}");
        }
    }
    None
}

pub(crate) fn each_format_is_written() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() {
        return reason;
    }
    let project = Project::empty();
    for (format, start, part) in [
        ("table", "Totals of dd ", "% time  calls  usecs/call  errors  syscall"),
        ("markdown", "## Profile of dd ", "| % time | calls | usecs/call | errors | syscall |"),
        ("json", "{\"schema\":\"sysguard.profile/1\"", "\"name\":\"read\""),
        ("folded", "dd;", "_[k] "),
        ("svg", "<?xml ", "<title>Flame graph of dd "),
        ("speedscope", "{\"$schema\":\"https://www.speedscope.app/", "\"type\":\"sampled\""),
    ] {
        let line = format!("profile --format {format} -o report -- dd if=/dev/zero of=/dev/null bs=1 count=100000");
        project.sysguard(&line).ends(0);
        let report = project.read("report");
        assert!(report.starts_with(start), "{format}: {report}");
        let spaced = report.split_whitespace().collect::<Vec<_>>().join(" ");
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(spaced.contains(&part), "{format}: {report}");
    }
    None
}

/// dd reads and writes byte by byte: the kernel does nearly all of the work, for two calls.
pub(crate) fn time_goes_to_the_calls_that_are_made() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() {
        return reason;
    }
    let project = Project::empty();
    let line = "profile --format json -o report -- dd if=/dev/zero of=/dev/null bs=1 count=400000";
    project.sysguard(line).ends(0);
    let record = record(&project.read("report"));
    let origins = record["origins"].as_array().expect("a list");
    let of = |name: &str| origins.iter().find(|origin| origin["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let mut share = 0.0;
    for name in ["read", "write"] {
        let calls = of(name)["calls"].as_u64().expect("a count");
        assert!((400_000..400_100).contains(&calls), "{name}: {calls}");
        assert_eq!(of(name)["subsystem"], "filesystem");
        share += of(name)["share"].as_f64().expect("a share");
    }
    // The rest of the time is the entry into the kernel and user code.
    assert!(share > 0.1, "{origins:?}");
    let all: f64 = origins.iter().map(|origin| origin["share"].as_f64().expect("a share")).sum();
    let user = record["user"].as_f64().expect("a share");
    assert!((all + user - 1.0).abs() < 1e-9, "{all} {user}");
    assert_eq!(record["traced"]["comparable"], true, "{}", record["traced"]);
    assert!(record["places"]["name"].as_f64().expect("a share") > 0.5, "{}", record["places"]);
    None
}

const HOT: &str = "#include <stdio.h>\n\
    static inline __attribute__((always_inline)) unsigned inner(unsigned sum, unsigned i) {\n    \
    return sum * 31 + i / 7;\n}\n\
    __attribute__((noinline)) unsigned spin(unsigned n) {\n    \
    unsigned sum = 0;\n    for (unsigned i = 0; i < n; i++)\n        sum = inner(sum, i);\n    return sum;\n}\n\
    int main(void) { return spin(400000000) == 1; }\n";

pub(crate) fn hot_instructions_are_shown_with_their_lines() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() || !cfg!(target_arch = "x86_64") {
        return reason.or(Some("only x86 instructions are decoded"));
    }
    let project = Project::empty().file("hot.c", HOT);
    run(project.run_by("cc").args(["-O1", "-g", "-o", "hot", "hot.c"])).ends(0);
    let spin = project.sysguard("profile --annotate spin -- ./hot").ends(0).stderr;
    let share = spin.split_once(" samples (").and_then(|(_, rest)| rest.split_once(" %)")).expect(&spin).0;
    assert!(spin.starts_with("spin in /") && share.parse::<f64>().expect("a share") > 90.0, "{spin}");
    assert!(spin.contains("hot.c:3  return sum * 31 + i / 7;") && spin.contains(":  ret"), "{spin}");
    // The shares of the instructions add up, but for rounding.
    let shares: Vec<f64> = spin
        .lines()
        .filter(|line| line.contains(":  ") && !line.contains("hot.c:"))
        .filter_map(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .collect();
    assert!((shares.iter().sum::<f64>() - 100.0).abs() < 2.0, "{shares:?}\n{spin}");
    let disassembled = run(project.run_by("objdump").args(["-d", "--disassemble=spin", "--no-show-raw-insn", "hot"]));
    if disassembled.code == 0 {
        let address = |line: &str| line.trim_start().split_once(':').map(|(address, _)| address.to_owned());
        let theirs: BTreeSet<String> =
            disassembled.stdout.lines().filter(|line| line.starts_with("  ")).filter_map(address).collect();
        let ours = spin.lines().filter(|line| line.contains(":  ") && !line.contains("hot.c:"));
        let ours: BTreeSet<String> = ours
            .filter_map(|line| line.split_once(":  ")?.0.split_whitespace().next_back().map(str::to_owned))
            .collect();
        assert_eq!(ours, theirs);
    }
    for (name, reason) in [
        (
            "inner",
            "error: `inner` is inlined, so it has no instructions of its own\nhelp: annotate a function that holds them: spin",
        ),
        ("nowhere", "error: no sample is in a function `nowhere`\nhelp: most samples are in spin"),
    ] {
        let ran = project.sysguard(&format!("profile --annotate {name} -- ./hot")).ends(125);
        assert!(ran.stderr.starts_with(reason), "{}", ran.stderr);
    }
    None
}

/// Static functions of two source files have one name, and files have odd names.
pub(crate) fn functions_of_one_name_are_not_mixed_up() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() || !cfg!(target_arch = "x86_64") {
        return reason.or(Some("only x86 instructions are decoded"));
    }
    let spin = |name: &str, times: &str| {
        format!(
            "static __attribute__((noinline)) unsigned spin(unsigned n) {{\n    unsigned sum = 0;\n    \
             for (unsigned i = 0; i < n; i++)\n        sum = sum * 31 + i / 7;\n    return sum;\n}}\n\
             unsigned {name}(void) {{ return spin({times}); }}\n"
        )
    };
    let project = Project::empty()
        .file("a.c", &spin("less", "200000000"))
        .file("b.c", &spin("more", "600000000"))
        .file("main.c", "unsigned less(void), more(void);\nint main(void) { return less() + more() == 1; }\n");
    let program = std::ffi::OsStr::from_bytes(b"odd \xff\x1b;name");
    run(project.run_by("cc").args(["-O1", "-g", "a.c", "b.c", "main.c", "-o"]).arg(project.path("").join(program)))
        .ends(0);
    let mut profile = project.command("profile --annotate spin --");
    let spin = run(profile.arg(project.path("").join(program))).ends(0).stderr;
    let more = spin.lines().find(|line| line.ends_with(" more samples are in other functions of this name"));
    let more: f64 = more.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("{spin}"));
    let (samples, _) = spin.split_once(" of ").expect("numbers");
    let samples: f64 = samples.rsplit(' ').next().expect("a number").parse().expect("a number");
    assert!(samples > 2.0 * more && more > 10.0, "{spin}");
    assert!(spin.contains("/b.c:4  ") && !spin.contains("/a.c:"), "{spin}");
    // The last instruction of the function is not the one of all others.
    let last = spin.lines().rfind(|line| line.contains(":  ret")).expect("a ret").trim_start();
    let share: f64 = last.split(' ').next().and_then(|share| share.parse().ok()).unwrap_or_default();
    assert!(share < 5.0, "{spin}");
    assert!(spin.lines().next().expect("a line").contains("odd \u{fffd}\\u{1b};name"), "{spin}");
    None
}

/// Kernel functions need the kernel's code, which many machines hide.
pub(crate) fn kernel_function_is_shown_or_refused_with_the_reason() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() {
        return reason;
    }
    let project = Project::empty().file("vmlinux", "no kernel");
    let dd = "dd if=/dev/zero of=/dev/null bs=1 count=300000";
    let line = format!("profile --no-trace --format json -o report -- {dd}");
    project.sysguard(&line).ends(0);
    let record = record(&project.read("report"));
    let hottest = record["kernel_functions"][0]["name"].as_str().expect("a name").to_owned();
    let ran = project.sysguard(&format!("profile --annotate {hottest} -o annotated -- {dd}"));
    match ran.code {
        0 => assert!(project.read("annotated").contains(&format!("{hottest} in /proc/kcore: "))),
        _ => {
            let ran = ran.ends(125);
            assert!(ran.stderr.contains("/proc/kcore") && ran.stderr.contains("--vmlinux FILE"), "{}", ran.stderr);
        }
    }
    let ran = project.sysguard(&format!("profile --annotate {hottest} --vmlinux vmlinux -- {dd}")).ends(125);
    assert!(ran.stderr.contains(&format!("cannot read the instructions of `{hottest}`: vmlinux: ")), "{}", ran.stderr);
    None
}

fn with_workloads(name: &str) -> Project {
    Project::new(name)
        .expecting("copy", "command: [dd, if=/dev/zero, of=/dev/null, bs=1, count=100000]")
        .expecting("copy/less", "command: [dd, if=/dev/zero, of=/dev/null, bs=1, count=1000]")
        .expecting("own", &format!("bin: {name}"))
}

pub(crate) fn saved_profile_is_in_the_html_report_only() -> Option<&'static str> {
    let reason = unsampled();
    if reason.is_some() {
        return reason;
    }
    let project = with_workloads("profile-saved");
    let target = project.path("built");
    let sysguard = |line: &str| -> Ran { run(project.command(line).env("CARGO_TARGET_DIR", &target)) };
    let plain = sysguard("report --format html").ends(0).stdout;
    let before = project.files();
    let table = sysguard("profile --save copy").ends(0).stdout;
    assert!(table.starts_with("Totals of copy\n") && !table.contains("copy::less"), "{table}");
    let changed = project.changed_since(&before);
    assert!(changed.iter().all(|file| file.starts_with("built/")), "{changed:?}");
    let saved = "built/sysguard/profiles/profile-saved/copy.json";
    assert!(changed.iter().any(|file| file == saved), "{changed:?}");
    let page = sysguard("report --format html").ends(0).stdout;
    assert_eq!(page.matches("<svg ").count(), 1, "{page}");
    assert!(page.contains("<h4>Where the time goes</h4>") && !page.contains("<script"), "{page}");
    assert_eq!(sysguard("report --format html").ends(0).stdout, page, "it is reproducible");
    for format in ["markdown", "json"] {
        assert!(!sysguard(&format!("report --format {format}")).ends(0).stdout.contains("Where the time goes"));
    }
    project.write(saved, "{}");
    let ran = sysguard("report --format html").ends(101);
    assert!(ran.stderr.contains("copy.json: not a saved profile: ") && ran.stderr.contains("help: save it again"));
    fs::remove_file(project.path(saved)).expect("removed");
    assert_eq!(sysguard("report --format html").ends(0).stdout, plain);
    None
}

pub(crate) fn workloads_are_selected_by_name() -> Option<&'static str> {
    let project = with_workloads("profile-names");
    project.refuses(&[
        ("profile nobody", "no workload matches `nobody`\nhelp: to profile a command, write `--` before it"),
        (
            "profile --format svg cop own",
            "--format svg holds one profile, but 3 match\nhelp: name one of copy, copy::less, own",
        ),
        ("profile copy -- true", "cannot be used with"),
        ("profile --timeout 1s copy", "cannot be used with"),
        ("profile", "required arguments were not provided"),
    ]);
    let reason = unsampled();
    if reason.is_some() {
        return reason;
    }
    // The program is built first.
    let own = project.sysguard("profile --format json own").ends(0);
    let own = record(&own.stdout);
    assert_eq!(
        (own["workload"]["name"].as_str(), own["workload"]["command"][0].as_str()),
        (Some("own"), Some("bin:profile-names"))
    );
    assert_eq!(own["traced"]["engine"], "ptrace");
    let both = project.sysguard("profile --no-trace cop").ends(0).stdout;
    assert!(both.contains("Totals of copy\n") && both.contains("\n\nTotals of copy::less\n"), "{both}");
    let absent = project.expecting("absent", "command: [no-such-program]");
    let ran = absent.sysguard("profile absent").ends(3);
    assert!(ran.stderr.contains("cannot run absent: no-such-program is not installed"), "{}", ran.stderr);
    None
}
