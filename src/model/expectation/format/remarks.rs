//! Remarks as comments at the end of a proposal: [`with_remarks`] writes them, `read` reads them
//! back.
//!
//! As comments they do not change the content of the proposal. Comments that do not parse as
//! remarks are ignored and never an error.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::emit;
use super::text::MAX_BYTES;
use crate::model::expectation::remarks::Remarks;
use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;

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
    causes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct WrittenExample {
    call: String,
    #[serde(default, rename = "in")]
    process: Vec<String>,
}

/// Appends these remarks to a text, unless the result would be too large to be read.
pub fn with_remarks(text: String, remarks: &Remarks) -> String {
    if remarks.is_empty() {
        return text;
    }
    let mut whole = format!("{text}{HEADING}\n");
    for line in emit::remarks(remarks).lines() {
        whole.extend([MARK, line, "\n"]);
    }
    if whole.len() > MAX_BYTES { text } else { whole }
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
    Remarks { drift: written.drift, examples, sites: facts(written.sites), causes: facts(written.causes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  network:\n    socket:\n";

    fn remarks() -> Remarks {
        let fact = |key: &str| key.parse::<Fact>().expect(key);
        let site = |key: &str, site: &str| (fact(key), site.to_owned());
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
                site("network::socket", "demo::fetch at src/main.rs:7"),
                site(
                    "network::connect::object=socket:AF_INET:SOCK_STREAM",
                    "connect in demo: no \"line\"\n---\n\u{1b}[2J",
                ),
                site("blind_spots::io_uring", "~"),
            ]
            .into(),
            causes: [site("process::clone3", "glibc 2.39, not your change: threads are made by it")].into(),
        }
    }

    #[test]
    fn remarks_are_comments_after_the_last_line() {
        let text = with_remarks(TEXT.to_owned(), &remarks());
        insta::assert_snapshot!(text.strip_prefix(TEXT).expect("the text comes first"), @r##"
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
        #   network::connect::object=socket:AF_INET:SOCK_STREAM: "connect in demo: no \"line\"\n---\n\u001B[2J"
        #   network::socket: demo::fetch at src/main.rs:7
        #   blind_spots::io_uring: "~"
        # causes:
        #   process::clone3: "glibc 2.39, not your change: threads are made by it"
        "##);
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
        assert_eq!(read(&strange).sites.len(), 2, "a remark on an unknown fact is ignored");
    }

    #[test]
    fn last_remarks_count_and_size_is_limited() {
        let once = with_remarks(TEXT.to_owned(), &Remarks { drift: vec!["old".to_owned()], ..Remarks::default() });
        assert_eq!(read(&with_remarks(once, &remarks())), remarks());
        let large = "#".repeat(MAX_BYTES - 1) + "\n";
        assert_eq!(with_remarks(large.clone(), &remarks()).len(), large.len());
    }
}
