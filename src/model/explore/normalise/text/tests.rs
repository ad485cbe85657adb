//! Tests of patterns of texts.

use proptest::prelude::*;

use super::*;

fn pattern(texts: &[&str]) -> TextPattern {
    TextPattern::of(&texts.iter().map(|text| text.as_bytes()).collect::<Vec<_>>())
}

fn masked(pattern: &TextPattern, text: &str) -> String {
    String::from_utf8_lossy(&pattern.masked(text.as_bytes())).into_owned()
}

fn shown(pattern: &TextPattern) -> String {
    String::from_utf8_lossy(&pattern.shown()).into_owned()
}

#[test]
fn texts_are_compared_as_far_as_runs_agree() {
    for (texts, expected, alike, different) in [
        (["a\nb\n", "a\nb\n"], "a\nb\n", &["a\nb\n"][..], &["a\n", "a\nb", "a\nb\nc\n", ""][..]),
        (["b\na\n", "a\nb\n"], "a\nb\n", &["b\na\n"], &["a\na\n", "a\n"]),
        (["pid 1\nend\n", "pid 2\nend\n"], "pid …\nend\n", &["pid 77\nend\n"], &["pid 77\n", "pid x\nend\n", "end\n"]),
        (
            ["start\nlog 1\nend\n", "start\nlog 1\nlog 2\nend\n"],
            "start\nlog 1\n…\nend\n",
            &["start\nlog 1\nmore\nmore\nend\n", "start\nlog 1\nend\n"],
            &["start\nend\n", "start\nlog 1\n"],
        ),
        (["a\nnew 1\nb\nc\n", "a\nb\nc\nold\n"], "a\n…\nb\nc\n…\n", &["a\nb\nc\n"], &["a\nc\n", "b\nc\n"]),
        (["7f1a\n", "be91\n"], "…", &["anything"], &[""]),
        (["12\n", "7\n"], "…\n", &["300\n"], &["failed\n", "", "1\n2\n"]),
        (["7f1a\n", ""], "…", &["anything", ""], &[]),
    ] {
        let pattern = pattern(&texts);
        assert_eq!(shown(&pattern), expected, "{texts:?}");
        for text in texts.iter().chain(alike) {
            assert_eq!(masked(&pattern, text), expected, "{texts:?} {text:?}");
        }
        for text in different {
            assert_ne!(masked(&pattern, text), expected, "{texts:?} {text:?}");
        }
    }
}

#[test]
fn only_lines_that_differ_are_left_unmasked() {
    let pattern = pattern(&["pid 1\nread 5 lines\nend\n", "pid 2\nread 5 lines\nend\n"]);
    assert_eq!(masked(&pattern, "pid 9\nread 3 lines\nend\n"), "pid …\nread 3 lines\nend\n");
    assert_eq!(masked(&pattern, "pid 9\nread 5 lines\nend\nfailed\n"), "pid …\nread 5 lines\nend\nfailed\n");
}

#[test]
fn binary_content_that_varies_is_not_compared() {
    assert!(pattern(&["a\0 1\n", "a\0 2\n"]).is_uncompared());
    assert!(!pattern(&["a\0\n", "a\0\n"]).is_uncompared());
}

#[test]
fn masked_lines_in_another_place_differ() {
    let pattern = pattern(&["pid 1\nend\n", "pid 2\nend\n"]);
    assert_ne!(masked(&pattern, "end\npid 3\n"), shown(&pattern));
    assert_ne!(masked(&pattern, "pid 3\npid 3\nend\n"), shown(&pattern));
}

#[test]
fn many_lines_are_compared_quickly() {
    let text =
        |start: usize| (start..start + 50_000).map(|line| format!("line {line} of a long log\n")).collect::<String>();
    let pattern = pattern(&[&text(0), &text(1), &format!("{}x\n", text(2))]);
    assert_eq!(masked(&pattern, &text(1)), shown(&pattern));
}

/// One line of a generated text: words that stay, and numbers that vary.
fn any_line() -> impl Strategy<Value = Vec<(String, bool)>> {
    prop::collection::vec(("[a-c]{1,3}", any::<bool>()), 1..4)
}

fn any_lines() -> impl Strategy<Value = Vec<Vec<(String, bool)>>> {
    prop::collection::vec(any_line(), 0..8)
}

/// Writes the lines with these numbers in the places that vary.
fn written(lines: &[Vec<(String, bool)>], mut number: u32) -> String {
    let mut text = String::new();
    for line in lines {
        for (word, varies) in line {
            number += 1;
            let number = if *varies { number.to_string() } else { String::new() };
            text.push_str(&format!("{word} {number};"));
        }
        text.push('\n');
    }
    text
}

proptest! {
    #[test]
    fn runs_without_an_injection_equal_the_pattern(texts in prop::collection::vec("([ab]{0,2}[0-9]{0,2}\n){0,6}", 1..4)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let pattern = pattern(&texts);
        for text in texts {
            prop_assert_eq!(masked(&pattern, text), shown(&pattern));
        }
    }

    #[test]
    fn equal_runs_are_not_masked(text in "([ab0-9 ]{0,6}\n){0,6}", other in "([ab0-9 ]{0,6}\n){0,6}") {
        let pattern = pattern(&[&text, &text, &text]);
        prop_assert_eq!(shown(&pattern), text.clone());
        prop_assert_eq!(masked(&pattern, &other) == shown(&pattern), other == text);
    }

    #[test]
    fn numbers_are_masked_and_words_are_not(lines in any_lines(), changed in any::<prop::sample::Index>()) {
        let pattern = pattern(&[&written(&lines, 100), &written(&lines, 200), &written(&lines, 300)]);
        prop_assert_eq!(masked(&pattern, &written(&lines, 400)), shown(&pattern));
        if !lines.is_empty() {
            let mut other = lines.clone();
            let at = changed.index(other.len());
            other[at][0].0.push('z');
            prop_assert_ne!(masked(&pattern, &written(&other, 400)), shown(&pattern));
            let mut fewer = lines;
            fewer.remove(at);
            prop_assert_ne!(masked(&pattern, &written(&fewer, 400)), shown(&pattern));
        }
    }
}
