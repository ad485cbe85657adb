//! Remarks as comments at the end of a proposal: [`with_remarks`] writes them, `read` reads them
//! back.
//!
//! As comments they do not change the content of the proposal. Comments that do not parse as
//! remarks are ignored and never an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::emit;
use super::text::MAX_BYTES;
use crate::model::expectation::remarks::Remarks;
use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;
use crate::model::facts::site::{CodeLocation, NoSite, Site};

/// The line before the remarks.
const HEADING: &str = "# For the review; accepting leaves these lines out.";

/// The prefix of each line of YAML after the heading.
const MARK: &str = "# ";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    drift: Vec<String>,
    examples: BTreeMap<String, WrittenExample>,
    sites: BTreeMap<String, String>,
    places: Vec<WrittenPlace>,
    site_reasons: BTreeMap<String, String>,
    causes: BTreeMap<String, String>,
    stacks: Vec<WrittenStack>,
}

/// A stack, and the facts that have it.
#[derive(Deserialize)]
struct WrittenStack {
    of: Vec<String>,
    frames: Vec<String>,
}

#[derive(Deserialize)]
struct WrittenExample {
    call: String,
    #[serde(default, rename = "in")]
    process: Vec<String>,
}

/// Where the code of call sites with this text is.
#[derive(Deserialize)]
struct WrittenPlace {
    text: String,
    function: Option<String>,
    #[serde(rename = "crate")]
    package: Option<String>,
    version: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    module: String,
    #[serde(default)]
    own: bool,
    callee: Option<String>,
}

/// Appends remarks to a text. If the result would exceed the size limit for reading, it leaves out
/// the stacks, and then all remarks.
pub fn with_remarks(text: String, remarks: &Remarks) -> String {
    let without_stacks = || Remarks { stacks: BTreeMap::new(), ..remarks.clone() };
    appended(&text, remarks).or_else(|| appended(&text, &without_stacks())).unwrap_or(text)
}

/// Returns the text with remarks, unless that is too large.
fn appended(text: &str, remarks: &Remarks) -> Option<String> {
    if remarks.is_empty() {
        return Some(text.to_owned());
    }
    let mut whole = format!("{text}{HEADING}\n");
    for line in emit::remarks(remarks).lines() {
        whole.extend([MARK, line, "\n"]);
    }
    (whole.len() <= MAX_BYTES).then_some(whole)
}

/// Returns the remarks at the end of a text.
pub(super) fn read(text: &str) -> Remarks {
    let heading = format!("\n{HEADING}\n");
    let lines = text.rsplit_once(&heading).map_or("", |(_, lines)| lines).lines();
    let lines: Option<Vec<&str>> = lines.map(|line| line.strip_prefix(MARK)).collect();
    let written: Written = serde_yaml::from_str(&lines.unwrap_or_default().join("\n")).unwrap_or_default();
    let facts = |texts: BTreeMap<String, String>| -> BTreeMap<Fact, String> {
        texts.into_iter().filter_map(|(fact, text)| Some((fact.parse().ok()?, text))).collect()
    };
    let example = |(fact, WrittenExample { call, process }): (String, WrittenExample)| -> Option<(Fact, Example)> {
        Some((fact.parse().ok()?, Example { call, process }))
    };
    let examples = written.examples.into_iter().filter_map(example).collect();
    let place = |WrittenPlace { text, function, package, version, file, line, module, own, callee }| {
        (text, CodeLocation { function, package, version, file, line, module, is_own: own, callee })
    };
    let places: BTreeMap<String, CodeLocation> = written.places.into_iter().map(place).collect();
    let site = |(fact, words): (Fact, String)| {
        let location = places.get(&words).cloned();
        (fact, Site { words, location })
    };
    let sites = facts(written.sites).into_iter().map(site).collect();
    let reasons = facts(written.site_reasons).into_iter();
    let site_reasons = reasons.filter_map(|(fact, reason)| Some((fact, NoSite::from_name(&reason)?))).collect();
    let stacks = written.stacks.into_iter().flat_map(|WrittenStack { of, frames }| {
        let frames: Arc<[String]> = frames.into();
        of.into_iter().filter_map(move |fact| Some((fact.parse().ok()?, frames.clone())))
    });
    let (stacks, causes) = (stacks.collect(), facts(written.causes));
    Remarks { drift: written.drift, examples, sites, site_reasons, stacks, causes }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  network:\n    socket:\n";

    fn remarks() -> Remarks {
        let fact = |key: &str| key.parse::<Fact>().expect(key);
        let words = |key: &str, words: &str| (fact(key), words.to_owned());
        let site = |key: &str, words: &str| (fact(key), Site::of_words(words.to_owned()));
        let location = CodeLocation {
            function: Some("demo::fetch".to_owned()),
            file: Some("src/main.rs".to_owned()),
            line: Some(7),
            module: "demo".to_owned(),
            is_own: true,
            callee: Some("minreq 2.0.0 minreq::get".to_owned()),
            ..CodeLocation::default()
        };
        let fetch = Site { words: "demo::fetch at src/main.rs:7".to_owned(), location: Some(location) };
        Remarks {
            drift: vec!["glibc 2.36 → glibc 2.39".to_owned()],
            examples: [
                ("network::socket", "socket(AF_INET, SOCK_STREAM) = 3", &["sh -c …", "curl -s: \"x\""][..]),
                ("blind_spots::io_uring", "- ~\n---", &[]),
            ]
            .map(|(key, call, process)| {
                (fact(key), Example::new(call, None, process.iter().map(|&command| command.to_owned()).collect()))
            })
            .into(),
            sites: [
                (fact("network"), fetch.clone()),
                (fact("network::socket"), fetch),
                site(
                    "network::connect::object=socket:AF_INET:SOCK_STREAM",
                    "connect in demo: no \"line\"\n---\n\u{1b}[2J",
                ),
                site("blind_spots::io_uring", "~"),
            ]
            .into(),
            site_reasons: [(fact("process::execve"), NoSite::Replaced)].into(),
            stacks: {
                let stack: Arc<[String]> =
                    ["connect in libc.so.6", "… 3 frames in std", "f: \"x\" at a.rs:7"].map(str::to_owned).into();
                [(fact("network"), stack.clone()), (fact("network::socket"), stack)].into()
            },
            causes: [words("process::clone3", "glibc 2.39, not your change: threads are made by it")].into(),
        }
    }

    #[test]
    fn remarks_are_comments_after_the_last_line() {
        let text = with_remarks(TEXT.to_owned(), &remarks());
        insta::assert_snapshot!(text.strip_prefix(TEXT).expect("the text comes first"), @r#"
        # For the review; accepting leaves these lines out.
        # drift:
        #   - glibc 2.36 → glibc 2.39
        # examples:
        #   network::socket:
        #     call: socket(AF_INET, SOCK_STREAM) = 3
        #     in:
        #       - sh -c …
        #       - "curl -s: \"x\""
        #   blind_spots::io_uring:
        #     call: "- ~\n---"
        # sites:
        #   network: demo::fetch at src/main.rs:7
        #   network::connect::object=socket:AF_INET:SOCK_STREAM: "connect in demo: no \"line\"\n---\n\u001B[2J"
        #   network::socket: demo::fetch at src/main.rs:7
        #   blind_spots::io_uring: "~"
        # places:
        #   - text: demo::fetch at src/main.rs:7
        #     function: demo::fetch
        #     file: src/main.rs
        #     callee: minreq 2.0.0 minreq::get
        #     line: 7
        #     module: demo
        #     own: true
        # site_reasons:
        #   process::execve: replaced
        # causes:
        #   process::clone3: "glibc 2.39, not your change: threads are made by it"
        # stacks:
        #   - of:
        #       - network
        #       - network::socket
        #     frames:
        #       - connect in libc.so.6
        #       - … 3 frames in std
        #       - "f: \"x\" at a.rs:7"
        "#);
        assert_eq!(read(&text), remarks());
        let parsed = super::super::read(text.as_bytes()).expect("a good text");
        assert_eq!(parsed.remarks, remarks());
        assert_eq!(parsed.expectation, super::super::read(TEXT.as_bytes()).expect("a good text").expectation);
    }

    #[test]
    fn invalid_remarks_are_ignored() {
        assert_eq!(with_remarks(TEXT.to_owned(), &Remarks::default()), TEXT);
        let whole = with_remarks(TEXT.to_owned(), &remarks());
        for text in [
            TEXT.to_owned(),
            String::new(),
            whole.replace("# sites:", "# sites"),
            whole.replace("# sites:", "sites:"),
            whole.replace("# sites:", "# sites: &a *a"),
            whole.replace("# sites:", "# sites:\n# - no map"),
            format!("{whole}more: text\n"),
        ] {
            assert_eq!(read(&text), Remarks::default(), "{text}");
        }
        let strange = whole.replace("network::socket", "netwrok::socket");
        assert_eq!(read(&strange).sites.len(), 3, "a remark on an unknown fact is ignored");
    }

    #[test]
    fn last_remarks_count_and_size_is_limited() {
        let once = with_remarks(TEXT.to_owned(), &Remarks { drift: vec!["old".to_owned()], ..Remarks::default() });
        assert_eq!(read(&with_remarks(once, &remarks())), remarks());
        let almost = "#".repeat(MAX_BYTES - 1500) + "\n";
        let long = |frames: &Arc<[String]>| frames.iter().map(|_| "x".repeat(1000)).collect();
        let mut remarks = remarks();
        remarks.stacks.values_mut().for_each(|frames| *frames = long(frames));
        let without_stacks = Remarks { stacks: BTreeMap::new(), ..remarks.clone() };
        assert_eq!(read(&with_remarks(almost, &remarks)), without_stacks, "stacks are left out first");
        let large = "#".repeat(MAX_BYTES - 1) + "\n";
        assert_eq!(with_remarks(large.clone(), &remarks).len(), large.len());
    }
}
