//! The names of tests that `run --` traces: every command accepts them and their prefixes.

use libtest_mimic::Trial;

use super::project::{Project, tracing};

pub(crate) fn trials() -> Vec<Trial> {
    trials![run:
        tracing commands_accept_names_and_prefixes,
        tracing binary_without_tests_needs_no_baseline,
        tracing long_test_names_stay_distinct,
        tracing name_longer_than_a_format_width_is_run,
    ]
}

const TESTS: &str =
    "mod net {\n    #[test]\n    fn one() {}\n    #[test]\n    fn two() {}\n}\n#[test]\nfn three() {}\n";

fn commands_accept_names_and_prefixes() {
    let project = Project::foreign("names").file("tests/it.rs", TESTS);
    project.sysguard("run --per-test --runs 1 -- test --test it").ends(101);
    let pending = |filter: &str, code| {
        let ran = project.sysguard(&format!("pending {filter}")).ends(code);
        let name = |key: &str| key.splitn(6, "::").take(5).collect::<Vec<_>>().join("::");
        let names: std::collections::BTreeSet<String> = ran.stdout.lines().map(name).collect();
        names.into_iter().filter(|name| name.contains("::net::")).collect::<Vec<_>>()
    };
    let (one, two) = ("run::names::it::net::one", "run::names::it::net::two");
    assert_eq!(pending("", 101), [one, two]);
    assert_eq!(pending("names::it::net::o", 101), [one]);
    let explained = project.sysguard("explain names::it::net::one::filesystem::openat").ends(0).stdout;
    let proposal = "expectations/run/names/it/net/one.yaml.new";
    for line in [
        "names::it::net::one::filesystem::openat  key\n",
        "  workload     run::names::it::net::one\n",
        "  held by      no baseline\n",
        &format!("  pending in   {proposal}\n"),
    ] {
        assert!(explained.contains(line), "{line}: {explained}");
    }
    pending("names::it::nothing", 2);

    project.sysguard("reject run::names::it::ne").ends(2);
    project.sysguard("reject names::it::three").ends(0);
    project.sysguard("accept names::it::net").ends(0);
    assert_eq!(project.sysguard("list").ends(0).stdout, format!("{one}\n{two}\n"));
    assert!(project.sysguard("list --format json one").ends(0).stdout.contains("\"program\": \"run\""));
    let explained = project.sysguard("explain names::it::net::one::filesystem::openat").ends(0).stdout;
    assert!(!explained.contains("pending in") && !explained.contains("no baseline"), "{explained}");
    pending("names::it::net", 0);
    assert!(project.sysguard("accept run::names").ends(0).stdout.contains("nothing to accept"));

    let blessed = project.sysguard("bless run::names::it").ends(2);
    assert!(blessed.stderr.contains("matches only tests that cargo runs (2)"), "{}", blessed.stderr);
    let tested = project.sysguard("test run::names::it").ends(0);
    assert!(tested.stderr.contains("2 matching tests were not run"), "{}", tested.stderr);
}

fn binary_without_tests_needs_no_baseline() {
    let project = Project::foreign("names-empty").file("src/main.rs", "fn main() {}\n");
    project.sysguard("run --runs 1 --update unseen -- test").ends(0);
    let files: Vec<String> = project.files().into_keys().filter(|file| file.starts_with("expectations/")).collect();
    assert_eq!(files, ["expectations/run/names-empty/it.yaml", "expectations/run/names-empty/names_empty.yaml"]);
}

fn long_test_names_stay_distinct() {
    let long = "ж".repeat(120);
    let tests = format!("#[test]\nfn {long}a() {{}}\n#[test]\nfn {long}b() {{}}\n");
    let project = Project::foreign("names-long").file("tests/it.rs", &tests);
    project.sysguard("run --per-test --runs 1 -- test --test it").ends(101);
    project.sysguard("accept names-long").ends(0);
    let shared = project.read("expectations/run/names-long/tests.it.yaml");
    assert!(shared.ends_with(&format!("\ntests:\n  {long}a:\n    runs: 1\n  {long}b:\n    runs: 1\n")), "{shared}");
    assert_eq!(project.sysguard("list").ends(0).stdout.lines().count(), 2);
    project.sysguard("run --per-test --unreferenced=reject -- test --test it").ends(0);

    project.sysguard("layout test").ends(0);
    let files = project.files().into_iter().filter(|(file, _)| file.starts_with("expectations/"));
    let texts: Vec<String> = files.map(|(_, text)| String::from_utf8(text).expect("text")).collect();
    assert_eq!(texts.len(), 2);
    for end in ["a", "b"] {
        assert!(texts.iter().any(|text| text.contains(&format!("run: names-long::it::{long}{end}\n"))), "{texts:?}");
    }
    project.sysguard("run --per-test --runs 1 --unreferenced=reject -- test --test it").ends(0);
}

/// A custom harness lists a name that is too long for a source file. Rust's formatting has no width
/// above 65535.
fn name_longer_than_a_format_width_is_run() {
    let harness = "fn main() {
        let name = \"n\".repeat(70_000);
        let words: Vec<String> = std::env::args().skip(1).collect();
        if words.iter().any(|word| word == \"--list\") {
            if !words.iter().any(|word| word == \"--ignored\") {
                println!(\"{name}: test\\nshort: test\");
            }
        } else {
            assert!(words[0] == name || words[0] == \"short\", \"the whole name\");
        }
    }
";
    let project = Project::foreign("names-wide").file("tests/it.rs", harness);
    project.write("Cargo.toml", &(project.read("Cargo.toml") + "\n[[test]]\nname = \"it\"\nharness = false\n"));
    let recorded = project.sysguard("run --per-test --runs 1 --update unseen -- test --test it").ends(0);
    assert!(recorded.stdout.contains("2 passed"), "{}", recorded.stdout);
    assert!(recorded.stdout.len() < 20_000, "{}", recorded.stdout.len());
    project.sysguard("run --per-test -- test --test it").ends(0);
    let listed = project.sysguard("run --per-test -- test --test it -- --list").ends(0);
    assert!(listed.stdout.contains(&"n".repeat(70_000)), "the list has the whole name");
    assert_eq!(project.sysguard("list").ends(0).stdout.lines().count(), 2);
}
