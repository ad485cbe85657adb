//! Tests of the evidence of two workloads, in every format.

use super::*;
use crate::model::expectation::format::read;
use crate::model::taxonomy::Base;
use crate::report::schema::holds;

/// An expectation with markup in every foreign text.
const HOSTILE: &str = "version: 1\ncommand: [sh, -c, \"<script>alert(1)</script> | `x`\"]\nforbid:\n  - {subsystem: bpf, why: \"<b>no</b>\"}\n---\n\
                       platform: x86_64-linux-gnu\nfingerprint:\n  kernel: \"6.18\"\nsubsystems:\n  network:\n    socket:\n      arguments: [AF_INET]\n      why: \"a|b <i>\"\n      \
                       owner: net & co\n      seen: sometimes\n  poll:\n    epoll_wait:\nblind_spots: [io_uring]\nsignals: [SIGSEGV, SIGRTMIN+1]\n\
                       errors:\n  budget: 90s\n  tried: 7\n  reachable: 9\n  uses:\n    network:\n      connect:\n        objects: [file]\n        why: <b>retry</b>\n  \
                       blind_spots: [io_uring]\n  signals: [SIGABRT]\n  outcomes:\n    panic: [write ENOSPC, \"execve <x> EACCES\"]\n";
const PLAIN: &str = "version: 1\nbin: demo\nignore: slow\n";

fn written(taxonomy: &Taxonomy, format: EvidenceFormat) -> String {
    let [hostile, plain] = [HOSTILE, PLAIN].map(|text| read(text.as_bytes()).expect("a good text").expectation);
    let kernel = Kernel { releases: vec!["6.12.1".to_owned(), "7.1.8".to_owned()], ..Kernel::of_tables() };
    let reach =
        StaticReach { observed: 26, reachable: 95, is_upper_bound: false, changed: Some("/lib/a|b.so".to_owned()) };
    // Not in order: the report sorts them.
    let workloads = [
        Evidence {
            workload: "z",
            file: "expectations/z.yaml",
            expectation: &plain,
            profile: Some("<svg>z</svg>"),
            reach: None,
        },
        Evidence {
            workload: "a",
            file: "expectations/a.yaml",
            expectation: &hostile,
            profile: None,
            reach: Some(&reach),
        },
    ];
    let mut out = Vec::new();
    evidence(&mut out, &workloads, &kernel, taxonomy, format).expect("memory takes everything");
    String::from_utf8(out).expect("text")
}

#[test]
fn record_matches_its_schema() {
    let record: serde_json::Value =
        serde_json::from_str(&written(&Taxonomy::default(), EvidenceFormat::Json)).expect("JSON");
    assert_eq!(record["workloads"][0]["name"], "a");
    assert_eq!(record["matrix"][0], serde_json::json!({"group": "Event Poll", "syscalls": {"a": 1}}));
    assert_eq!(record["configs"][1]["name"], "CONFIG_INET && CONFIG_NET");
    assert_eq!(record["sections"][1]["name"], "NETWORKING [GENERAL]");
    assert_eq!(
        (&record["configs"][0]["name"], &record["configs"][0]["expert"]),
        (&"CONFIG_EPOLL".into(), &true.into())
    );
    assert_eq!(record["summary"]["without_baseline"], 1);
    holds("report-1", &record);
}

#[test]
fn markdown_shows_each_use_with_its_reason() {
    let page = written(&Taxonomy::default(), EvidenceFormat::Markdown);
    for line in [
        "| Subsystem | a | z |\n|---|---:|---:|\n| Event Poll | 1 |  |\n| Network | 1 |  |\n",
        "| Network | `socket`, not in every run | `AF_INET` |  | a\\|b &lt;i&gt; | net &amp; co |\n",
        "| CONFIG\\_EPOLL (offered to experts only) | `epoll_wait` | a |\n",
        "- `io_uring`: operations submitted through the rings of io\\_uring are no system calls (a)\n",
        "- `SIGSEGV`: an invalid memory access; ends the process with a core dump (a)\n",
        "Signals that end processes: `SIGRTMIN+1`, `SIGSEGV`.\n",
        "| a | 26 of 95 | stale: /lib/a\\|b.so has changed since; no upper bound |\n",
        "Forbidden: subsystem bpf (&lt;b&gt;no&lt;/b&gt;).\n",
        "**x86\\_64-linux-gnu** (kernel 6.18), recorded until no run showed anything new.\n",
        "Run only on request: slow.\n\nNo baseline yet.\n",
        "| Subsystems | 2, by the taxonomy kernel/1 |\n",
        "| Tables | Linux 7.1.8, made from 6.12.1, 7.1.8 |\n",
        "| NETWORKING \\[GENERAL\\] | `socket` | a |\n",
        "| CONFIG\\_INET &amp;&amp; CONFIG\\_NET | `socket` | a |\n",
        "| a | x86\\_64-linux-gnu | 7 / 9 (budget 90 s) | 0 | 2 | 0 | 0 | 1 |\n",
        "\nOutcome panic after: `execve <x> EACCES`, `write ENOSPC`.\n",
        "\nOnly on error paths: network, `connect`: `file` (&lt;b&gt;retry&lt;/b&gt;).\n",
        "\nSignals that end processes on error paths: `SIGABRT`.\n",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

#[test]
fn html_is_self_contained_and_escapes_foreign_text() {
    let page = written(&Taxonomy::default(), EvidenceFormat::Html);
    for part in ["<script", "src=", "href=", "url(", "@import", "<b>", "<i>", "onload"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; | `x`"), "{page}");
    assert!(page.contains("<td>a|b &lt;i&gt;</td><td>net &amp; co</td></tr>"), "{page}");
    for tag in ["table", "thead", "tbody", "tr", "td", "th", "p", "ul", "li", "code", "h2", "h3"] {
        let count = |text: &str| page.matches(text).count();
        let opened = count(&format!("<{tag}>")) + count(&format!("<{tag} "));
        assert_eq!(opened, count(&format!("</{tag}>")), "{tag}");
    }
}

#[test]
fn saved_profile_follows_its_workload_in_html_only() {
    let page = written(&Taxonomy::default(), EvidenceFormat::Html);
    let (before, after) = page.split_once("<h3>z</h3>").expect("the workload");
    assert!(!before.contains("<svg>") && after.contains("<h4>Where the time goes</h4>"), "{page}");
    assert!(after.contains("not part of a baseline.</p>\n<svg>z</svg>\n"), "{page}");
    for format in [EvidenceFormat::Markdown, EvidenceFormat::Json] {
        assert!(!written(&Taxonomy::default(), format).contains("svg"));
    }
}

#[test]
fn other_taxonomy_is_named() {
    let page = written(&Taxonomy::built_in(Base::WorkloadTracing), EvidenceFormat::Markdown);
    assert!(
        page.contains("by the taxonomy workload-tracing/1") && page.contains("| Filesystem | `epoll_wait` |"),
        "{page}"
    );
}
