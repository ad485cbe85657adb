//! Tests of the stacks of first calls in each format that has them.

use super::*;
use crate::model::observe::call_site::{CallSite, Frame};
use crate::model::observe::observation::First;

/// Returns a recording with one stack of two calls.
fn with_stacks() -> ObservedRun {
    let mut recording = recording();
    let frame = |function: &str, source: Option<(&str, u32)>, module: &str| Frame {
        function: Some(function.to_owned()),
        source: source.map(|(file, line)| (file.to_owned(), line)),
        module: module.to_owned(),
        ..Frame::default()
    };
    let uses: Vec<Use> = recording.observation.uses.keys().take(2).cloned().collect();
    for (used, wrapper) in uses.into_iter().zip(["mmap", "close"]) {
        let frames = vec![frame(wrapper, None, "libc.so.6"), frame("demo::`main`", Some(("src/main_1.rs", 7)), "demo")];
        let first = First { used, phase: None, of_run: true, error: None };
        recording.observation.sites.add(&first, &CallSite { frames, ..CallSite::default() });
    }
    recording
}

fn written(recording: &ObservedRun, format: Format) -> String {
    let mut out = Vec::new();
    observation(&mut out, recording, format, &Taxonomy::default(), &Palette::plain()).expect("memory");
    String::from_utf8(out).expect("text")
}

#[test]
fn stacks_are_in_json_yaml_and_markdown() {
    let json: serde_json::Value = serde_json::from_str(&written(&with_stacks(), Format::Json)).expect("JSON");
    holds("observation-1", &json);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["stacks"]).expect("JSON"), @r#"
    [
      {
        "frames": [
          {
            "file": "src/main_1.rs",
            "function": "demo::`main`",
            "line": 7,
            "module": "demo"
          }
        ],
        "site": "demo::`main` at src/main_1.rs:7",
        "uses": [
          {
            "argument": null,
            "calls": 2,
            "object": null,
            "subsystem": "filesystem",
            "syscall": "open"
          },
          {
            "argument": null,
            "calls": 12,
            "object": null,
            "subsystem": "filesystem",
            "syscall": "close"
          }
        ]
      }
    ]
    "#);
    let yaml: serde_json::Value = serde_yaml::from_str(&written(&with_stacks(), Format::Yaml)).expect("YAML");
    assert_eq!(yaml["stacks"], json["stacks"]);
    let markdown = written(&with_stacks(), Format::Markdown);
    let stacks = markdown.split_once("\n### ").map(|(_, stacks)| stacks).expect("a heading");
    insta::assert_snapshot!(stacks, @r#"
    Call sites of first calls, with the number of all such calls

    **demo::\`main\` at src/main\_1.rs:7**

    - filesystem::open: 2 calls
    - filesystem::close: 12 calls

    ```text
    demo::'main' at src/main_1.rs:7
    ```
    "#);
}

#[test]
fn stacks_are_absent_if_none_were_recorded() {
    for format in [Format::Json, Format::Yaml, Format::Markdown] {
        let text = written(&recording(), format);
        assert!(!text.contains("stacks") && !text.contains("Call sites"), "{text}");
    }
}
