//! Explorations as SARIF 2.1.0: one result per finding and source line. The line of the baseline is
//! a related location, or the location if there is no source line.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;
use serde_sarif::sarif::{
    Message, PropertyBag, ReportingDescriptor, Result as SarifResult, ResultLevel, Run, SCHEMA_URL, Sarif, Tool,
    ToolComponent,
};

use super::PackageExplorations;
use super::alerts::{Alert, Level, alerts, numbered, rule};
use crate::model::facts::error_path::RunOutcome;
use crate::model::facts::finding::FindingKind;
use crate::report::verdict::{sarif_place, sarif_rule};

/// The number of results that code scanning accepts per run.
const RESULTS: usize = 5_000;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageExplorations]) -> io::Result<()> {
    let rules = rules();
    let descriptors: Vec<ReportingDescriptor> = rules.iter().map(|(name, text)| sarif_rule(name, text)).collect();
    let driver = ToolComponent::builder()
        .name("sysguard")
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(descriptors)
        .build();
    let mut seen = BTreeMap::new();
    let results: Vec<SarifResult> =
        alerts(packages).into_iter().take(RESULTS).map(|alert| result(&rules, &mut seen, &alert)).collect();
    let run = Run::builder().tool(Tool::builder().driver(driver).build()).results(results).build();
    let log = Sarif::builder().schema(SCHEMA_URL).version(json!("2.1.0")).runs(vec![run]).build();
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// Returns every rule and what breaks it.
pub(super) fn rules() -> Vec<(String, String)> {
    let outcomes = RunOutcome::JUDGED.map(|outcome| {
        let what = match outcome {
            RunOutcome::Silent => "ended as if nothing had happened, but with other output or files",
            RunOutcome::Panic => "panicked",
            RunOutcome::Signal => "was ended by a signal",
            _ => "did not end",
        };
        (rule(outcome.name()), format!("After an error of a system call, the workload {what}."))
    });
    let facts = FindingKind::ALL.map(|kind| {
        let text = "After an error of a system call, the workload uses something that is neither in its baseline nor \
                    recorded of its error paths.";
        (rule(kind.name()), text.to_owned())
    });
    let others = [
        ("forbidden", "After an error of a system call, the workload does something that a rule forbids."),
        ("suspect", "An error of a system call had an effect that did not repeat. This does not fail."),
        ("gone", "A recorded outcome of an error of a system call did not occur."),
    ];
    let statuses = [
        ("no-baseline", "There is no baseline for this platform yet."),
        ("wrong-exit", "The workload did not end as its expectation says."),
        ("malformed", "The expectation file cannot be read."),
        ("not-started", "The workload could not be built or started."),
        ("untraceable", "The workload must be traced, but tracing is impossible here."),
        ("broken", "The workload was not traced completely, so there is no verdict."),
    ];
    let others = others.map(|(name, text)| (rule(name), text.to_owned()));
    let statuses = statuses.map(|(name, text)| (name.to_owned(), text.to_owned()));
    outcomes.into_iter().chain(facts).chain(others).chain(statuses).collect()
}

fn result(rules: &[(String, String)], seen: &mut BTreeMap<String, u32>, alert: &Alert<'_>) -> SarifResult {
    let fingerprints = [
        ("primaryLocationLineHash".to_owned(), format!("{}:1", numbered(seen, alert.fingerprint()))),
        ("sysguard/key/v1".to_owned(), alert.key.clone()),
    ];
    let level = match alert.level {
        Level::Error => ResultLevel::Error,
        Level::Warning => ResultLevel::Warning,
        Level::Note => ResultLevel::Note,
    };
    let (path, line) = alert.place();
    let related = alert.source.as_ref().map(|_| {
        let mut baseline = sarif_place(&alert.path(), alert.verdict.line.unwrap_or(1));
        baseline.id = Some(1);
        baseline.message = Some(Message::builder().text("the baseline of the workload").build());
        vec![baseline]
    });
    let properties = BTreeMap::from([("key".to_owned(), json!(alert.key))]);
    let mut result = SarifResult::builder()
        .rule_id(format!("sysguard/{}", alert.rule))
        .level(level)
        .message(Message::builder().text(alert.whole()).build())
        .locations(vec![sarif_place(&path, line)])
        .partial_fingerprints(BTreeMap::from(fingerprints))
        .properties(PropertyBag::builder().additional_properties(properties).build())
        .build();
    let index = rules.iter().position(|(name, _)| *name == alert.rule);
    result.rule_index = index.and_then(|index| i64::try_from(index).ok());
    result.related_locations = related;
    result
}
