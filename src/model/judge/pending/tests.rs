//! Tests of decisions on proposals, by the texts of both files.

use super::{Aim, Misfit, Pending, Settled};
use crate::model::expectation::Version;
use crate::model::expectation::format::{Parsed, read, with_remarks};
use crate::model::expectation::remarks::Remarks;
use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Finding;
use crate::model::facts::site::Site;

const FILE: &str = "\
# talks
version: 1
bin: demo
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    close:
      why: tidy
    openat:
";

/// The file after accepting everything.
const PROPOSAL: &str = "\
# talks
version: 1
bin: demo
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    close:
      objects:
        - file
      why: tidy
    openat:
      seen: sometimes
  network:
    connect:
      errors:
        - EPERM
    socket:
      arguments:
        - AF_INET
      abi:
        - i386
      seen: sometimes
blind_spots:
  - io_uring
";

fn parsed(text: &str) -> Parsed {
    read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"))
}

fn fitting(file: &str, proposal: &str) -> Result<Option<Pending>, Misfit> {
    Pending::between(parsed(file), &parsed(proposal))
}

fn pending() -> Pending {
    fitting(FILE, PROPOSAL).expect("a fitting proposal").expect("something is pending")
}

fn fact(key: &str) -> Fact {
    key.parse().expect(key)
}

fn accepted(keys: &[&str], why: Option<&str>) -> Settled {
    let pending = pending();
    let facts = keys.iter().flat_map(|key| pending.under(&fact(key))).collect();
    pending.accept(&facts, why)
}

/// Returns the keys that are pending after a decision.
fn left(settled: &Settled) -> Vec<String> {
    let Some(proposal) = &settled.proposal else { return Vec::new() };
    let pending = fitting(&settled.file, proposal).expect("a fitting proposal").expect("something is pending");
    pending.keys("w")
}

/// Returns the lines of the first text that the second lacks.
fn lines_beyond(text: &str, other: &str) -> Vec<String> {
    let old: Vec<&str> = other.lines().collect();
    text.lines().filter(|line| !old.contains(line)).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn pending_facts_have_keys_most_severe_first() {
    assert_eq!(
        pending().keys("w"),
        [
            "w::network::socket::abi=i386",
            "w::network::connect",
            "w::network::socket",
            "w::network::connect::error=EPERM",
            "w::blind_spots::io_uring",
            "w::filesystem::close::object=file",
        ]
    );
    assert!(pending().opens_subsystem(&fact("network::socket")));
    assert!(!pending().opens_subsystem(&fact("filesystem::close::object=file")));
}

#[test]
fn signal_is_decided_like_a_blind_spot() {
    let proposal = format!("{PROPOSAL}signals:\n  - SIGSEGV\n");
    let pending = fitting(FILE, &proposal).expect("a fitting proposal").expect("something is pending");
    let crash = fact("signals::SIGSEGV");
    let first = pending.findings().into_iter().find(|finding| !pending.opens_subsystem(&finding.fact));
    assert_eq!(first.map(|finding| finding.fact), Some(crash.clone()));
    let settled = pending.accept(&[crash].into(), None);
    assert!(settled.file.ends_with("signals:\n  - SIGSEGV\n"), "{}", settled.file);
    assert!(left(&settled).iter().all(|key| !key.contains("SIGSEGV")) && !left(&settled).is_empty());
}

#[test]
fn key_selects_a_fact_and_its_details() {
    for (key, taken) in [
        ("network::socket", &["network::socket", "network::socket::argument=AF_INET"][..]),
        ("network::connect", &["network::connect"]),
        ("network::connect::error=EPERM", &["network::connect::error=EPERM"]),
        ("filesystem::close", &["filesystem::close::object=file"]),
        ("blind_spots::io_uring", &["blind_spots::io_uring"]),
        ("filesystem::openat", &[]),
        ("process", &[]),
        ("network::socket::argument=AF_UNIX", &[]),
    ] {
        let under: Vec<String> = pending().under(&fact(key)).iter().map(ToString::to_string).collect();
        assert_eq!(under, taken, "{key}");
    }
    assert_eq!(pending().under(&fact("network")).len(), 6, "a subsystem selects everything in it");
}

#[test]
fn accepting_all_gives_the_proposal() {
    let settled = pending().accept(pending().all(), None);
    assert_eq!(settled, Settled { file: PROPOSAL.to_owned(), proposal: None });
}

#[test]
fn accepting_one_by_one_equals_accepting_all() {
    let (mut file, mut proposal) = (FILE.to_owned(), Some(PROPOSAL.to_owned()));
    for key in pending().keys("w") {
        let Some(text) = proposal else { break };
        let pending = fitting(&file, &text).expect("a fitting proposal").expect("something is pending");
        let Some(Aim::Part(fact)) = Aim::at("w", &key) else { panic!("{key} is no key") };
        Settled { file, proposal } = pending.accept(&pending.under(&fact), None);
    }
    assert_eq!((file.as_str(), proposal), (PROPOSAL, None));
}

#[test]
fn accepting_one_adds_only_its_lines() {
    let settled = accepted(&["network::socket"], None);
    assert_eq!(
        lines_beyond(&settled.file, FILE),
        ["network:", "socket:", "arguments:", "- AF_INET", "seen: sometimes"]
    );
    assert!(!settled.file.contains("openat:\n      seen"), "an entry that was not touched:\n{}", settled.file);
    assert_eq!(
        left(&settled),
        [
            "w::blind_spots::io_uring",
            "w::network::socket::abi=i386",
            "w::network::connect",
            "w::filesystem::close::object=file",
            "w::network::connect::error=EPERM",
        ],
        "once it is held, a subsystem is not new"
    );
    assert_eq!(settled.proposal.as_deref(), Some(PROPOSAL), "the proposal is unchanged");

    let finer = accepted(&["network::connect::error=EPERM"], None);
    assert_eq!(
        lines_beyond(&finer.file, FILE),
        ["network:", "connect:", "errors:", "- EPERM"],
        "together with its syscall"
    );
}

#[test]
fn reason_is_appended_to_each_entry() {
    let settled = accepted(&["network::socket", "filesystem::close"], Some("serves; REQ-12"));
    assert!(settled.file.contains("      seen: sometimes\n      why: serves; REQ-12\n"), "{}", settled.file);
    assert!(settled.file.contains("        - file\n      why: tidy; serves; REQ-12\n"), "{}", settled.file);
    let proposal = settled.proposal.clone().expect("a remaining proposal");
    assert!(proposal.contains("why: tidy; serves; REQ-12"), "accepting the rest keeps it:\n{proposal}");
    let rest = fitting(&settled.file, &proposal).expect("a fitting proposal").expect("a remaining proposal");
    assert_eq!(rest.accept(rest.all(), Some("tidy")).file.matches("tidy; serves").count(), 1);
    assert_eq!(accepted(&["filesystem::close"], Some("tidy")).file.matches("tidy").count(), 1, "not twice");
}

#[test]
fn rejecting_changes_only_the_proposal() {
    for (key, rest) in [
        ("network", &["w::blind_spots::io_uring", "w::filesystem::close::object=file"][..]),
        (
            "network::socket",
            &[
                "w::network::connect",
                "w::network::connect::error=EPERM",
                "w::blind_spots::io_uring",
                "w::filesystem::close::object=file",
            ],
        ),
        (
            "network::connect::error=EPERM",
            &[
                "w::network::socket::abi=i386",
                "w::network::connect",
                "w::network::socket",
                "w::blind_spots::io_uring",
                "w::filesystem::close::object=file",
            ],
        ),
    ] {
        let settled = pending().reject(&pending().under(&fact(key)));
        assert_eq!(settled.file, FILE);
        assert_eq!(left(&settled), rest, "{key}");
    }
    assert_eq!(pending().reject(pending().all()), Settled { file: FILE.to_owned(), proposal: None });
}

#[test]
fn subsystem_is_rejected_with_its_last_syscall() {
    let network = ["network::socket", "network::connect"];
    let facts = network.iter().flat_map(|key| pending().under(&fact(key))).collect();
    let proposal = pending().reject(&facts).proposal.expect("a remaining proposal");
    assert!(!proposal.contains("network"), "{proposal}");
}

#[test]
fn first_baseline_is_pending_as_a_whole() {
    let (document, _) = FILE.split_once("---").expect("two documents");
    let first = fitting(document, PROPOSAL).expect("a fitting proposal").expect("something is pending");
    assert_eq!(first.accept(first.all(), None).file, PROPOSAL);
    let empty = format!("{document}---\nplatform: x86_64-linux-gnu\nsubsystems: {{}}\n");
    let first = fitting(document, &empty).expect("a fitting proposal").expect("a baseline is pending");
    assert_eq!(first.keys("w"), ["w"]);
    assert_eq!(first.accept(first.all(), None), Settled { file: empty, proposal: None });
}

#[test]
fn outdated_proposal_does_not_fit() {
    let musl = "---\nplatform: x86_64-linux-musl\nsubsystems:\n  network:\n    bind:\n";
    for (file, proposal, misfit) in [
        (
            FILE.replace("bin: demo", "bin: other"),
            PROPOSAL.to_owned(),
            "the first document of the file has changed since",
        ),
        (
            FILE.replace("openat", "openat2"),
            PROPOSAL.to_owned(),
            "the file holds `filesystem::openat2`, which the proposal lacks",
        ),
        (format!("{FILE}{musl}"), PROPOSAL.to_owned(), "the file's baseline of x86_64-linux-musl has changed since"),
        (FILE.to_owned(), format!("{PROPOSAL}{musl}"), "the file's baseline of x86_64-linux-musl has changed since"),
    ] {
        assert_eq!(fitting(&file, &proposal).expect_err("a misfit").to_string(), misfit);
    }
}

#[test]
fn comments_and_reasons_of_the_file_stay() {
    let file = FILE.replace("# talks", "# talks a lot").replace("why: tidy", "why: cleans up");
    let pending = fitting(&file, PROPOSAL).expect("a fitting proposal").expect("something is pending");
    let settled = pending.accept(pending.all(), None);
    assert_eq!(settled.file, PROPOSAL.replace("# talks", "# talks a lot").replace("why: tidy", "why: cleans up"));
    assert_eq!(fitting(&settled.file, PROPOSAL), Ok(None), "nothing is pending");
    assert_eq!(fitting(FILE, FILE), Ok(None));
    let marked = FILE.replace("    openat:\n", "    openat:\n      seen: sometimes\n");
    assert_eq!(fitting(FILE, &marked), Ok(None));
}

#[test]
fn key_selects_a_workload_or_a_fact() {
    for (key, aim) in [
        ("a::b", Some(Aim::Whole)),
        ("a::b::network", Some(Aim::Part(fact("network")))),
        ("a::b::network::socket", Some(Aim::Part(fact("network::socket")))),
        ("a", None),
        ("a::bb", None),
        ("a::b::nowhere", None),
        ("a::b::", None),
    ] {
        assert_eq!(Aim::at("a::b", key), aim, "{key}");
    }
}

#[test]
fn fingerprint_changes_only_with_an_accepted_fact() {
    let with_kernel = |text: &str, kernel: &str| {
        text.replace(
            "platform: x86_64-linux-gnu\n",
            &format!("platform: x86_64-linux-gnu\nfingerprint:\n  kernel: \"{kernel}\"\n"),
        )
    };
    let (file, proposal) = (with_kernel(FILE, "6.12"), with_kernel(PROPOSAL, "6.18"));
    let pending = fitting(&file, &proposal).expect("a fitting proposal").expect("something is pending");
    let some = pending.under(&fact("network::socket"));
    assert!(pending.accept(&some, None).file.contains("6.18"));
    assert_eq!(pending.accept(pending.all(), None).file, proposal);
    assert_eq!(pending.reject(pending.all()).file, file);
    assert_eq!(fitting(&file, &with_kernel(FILE, "6.18")), Ok(None), "a fingerprint is no fact");
}

#[test]
fn remarks_stay_in_the_proposal() {
    let words = |key: &str| (fact(key), format!("caller of {key}"));
    let site = |key: &str| (fact(key), Site::of_words(words(key).1));
    let remarks = Remarks {
        drift: vec!["kernel 6.12 → 6.18".to_owned()],
        examples: ["network::socket", "network::connect"]
            .map(|key| (fact(key), Example::new(&format!("first call of {key}"), None, vec!["sh -c …".to_owned()])))
            .into(),
        sites: ["network::socket", "network::connect", "blind_spots::io_uring", "process::execve"].map(site).into(),
        causes: [words("network::connect")].into(),
        ..Remarks::default()
    };
    let proposal = with_remarks(PROPOSAL.to_owned(), &remarks);
    let remarked = |file: &str, proposal: &str| {
        let pending = fitting(file, proposal).expect("a fitting proposal").expect("something is pending");
        let remark = |finding: Finding| Some((finding.fact.to_string(), finding.site?.words, finding.cause.is_some()));
        assert_eq!(pending.drift(), ["kernel 6.12 → 6.18"]);
        pending.findings().into_iter().filter_map(remark).collect::<Vec<_>>()
    };
    let line = |key: &str, cause| (key.to_owned(), format!("caller of {key}"), cause);
    let [connect, socket, spot] =
        [line("network::connect", true), line("network::socket", false), line("blind_spots::io_uring", false)];
    assert_eq!(remarked(FILE, &proposal), [connect.clone(), socket.clone(), spot.clone()]);

    let pending = fitting(FILE, &proposal).expect("a fitting proposal").expect("something is pending");
    assert_eq!(pending.accept(pending.all(), None), Settled { file: PROPOSAL.to_owned(), proposal: None });
    let calls = pending.findings().into_iter().filter_map(|finding| Some(finding.example?.call));
    assert_eq!(calls.collect::<Vec<_>>(), ["first call of network::connect", "first call of network::socket"]);
    let Settled { file, proposal } = pending.accept(&pending.under(&fact("network::socket")), None);
    assert_eq!(file, accepted(&["network::socket"], None).file);
    let rest = proposal.expect("a remaining proposal");
    assert!(rest.starts_with(PROPOSAL) && !rest.contains("of network::socket"), "{rest}");
    assert!(rest.contains("first call of network::connect"), "{rest}");
    assert_eq!(remarked(&file, &rest), [spot, connect]);
    let Settled { file, proposal } = pending.reject(&pending.under(&fact("network::connect")));
    assert_eq!(file, FILE);
    let rest = proposal.expect("a remaining proposal");
    assert!(!rest.contains("caller of network::connect"), "{rest}");
    assert_eq!(remarked(&file, &rest).len(), 2);
}

/// Reference implementation: whether a fact is decided with an aim.
fn is_included(aim: &Fact, fact: &Fact) -> bool {
    use crate::model::facts::fact::Detail;
    match (aim, fact) {
        (
            Fact::Use { subsystem: aim, syscall: None, .. },
            Fact::Use { subsystem, .. } | Fact::Phase { subsystem, .. },
        ) => aim == subsystem,
        (Fact::Use { detail: None, .. }, Fact::Use { detail: Some(Detail::Argument(_) | Detail::Object(_)), .. }) => {
            fact.parent().as_ref() == Some(aim)
        }
        (Fact::Use { detail: None, .. }, Fact::Phase { .. }) => fact.in_any_phase() == *aim,
        _ => false,
    }
}

#[test]
fn aim_selects_details_in_every_phase() {
    let phases = "phases:\n  ending:\n    network:\n      - connect\n  serving:\n    filesystem:\n      - close\n    \
                  network:\n      - connect\n      - socket\n";
    let proposal = PROPOSAL.replace("blind_spots:", &format!("{phases}blind_spots:"));
    let pending = fitting(FILE, &proposal).expect("a fitting proposal").expect("something is pending");
    let held = ["filesystem", "filesystem::close", "filesystem::openat", "memory", "network::connect::object=file"];
    let held = held.map(|key| key.parse::<Fact>().expect(key));
    assert_eq!(pending.all().len(), 12);
    for aim in pending.all().iter().chain(&held) {
        let along = pending.all().iter().filter(|fact| *fact == aim || is_included(aim, fact)).cloned().collect();
        assert_eq!(pending.under(aim), along, "{aim}");
    }
}

#[test]
fn proposal_of_another_version_does_not_fit() {
    const BASELINE: &str = "bin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  device:\n    ioctl:\n";
    let parsed = |text: &str| read(text.as_bytes()).unwrap_or_else(|malformed| panic!("{malformed}\n{text}"));
    let proposed = parsed(&format!("version: 2\n{BASELINE}      - TCGETS char:pts\n"));
    let misfit = |file: &str| Pending::between(parsed(file), &proposed).map(|pending| pending.is_some());
    assert_eq!(misfit(&format!("version: 2\n{BASELINE}")), Ok(true));
    assert_eq!(misfit("version: 1\nbin: demo\n"), Ok(true), "a first baseline");
    let older = Misfit::Version { held: Version::One, proposed: Version::Two };
    assert_eq!(misfit(&format!("version: 1\n{BASELINE}")), Err(older));
}
