//! All verdicts as one versioned object, for JSON or YAML. Field names are a public interface.

use serde::Serialize;

use super::batch::{PackageVerdicts, Tally, all, causes};
use super::record::VerdictRecord;
use super::site::SiteRecord;
use crate::model::judge::groups::Group;
use crate::model::judge::verdict::Verdict;
#[cfg(test)]
use crate::report::schema::FactKey;

/// What `cargo sysguard test --format json` (and `bless`, as sysguard.bless/1) writes: the verdict
/// on every selected workload. Within version 1, fields and kinds may be added and none changes its
/// meaning.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.test/1"))]
pub(in crate::report) struct VerdictsRecord<'a> {
    #[cfg_attr(test, schemars(extend("enum" = ["sysguard.test/1", "sysguard.bless/1"])))]
    schema: String,
    /// The numbers of workloads by outcome.
    summary: Tally,
    verdicts: Vec<PlacedRecord<'a>>,
    /// The causes of all findings, notes and suspects, heaviest first.
    groups: Vec<GroupRecord>,
}

/// Findings of one cause, in any number of workloads.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct GroupRecord {
    /// The id, which `accept` and `reject` take.
    #[cfg_attr(test, schemars(regex(pattern = "^@[0-9a-f]{8}$")))]
    id: String,
    /// Where the calls come from, and what is new, in one line.
    title: String,
    /// The call site of the heaviest finding; null if it is not known.
    site: Option<SiteRecord>,
    /// The keys of the findings, heaviest first.
    #[cfg_attr(test, schemars(with = "Vec<FactKey>"))]
    keys: Vec<String>,
}

impl From<&Group<'_>> for GroupRecord {
    fn from(group: &Group<'_>) -> Self {
        let site = group.heaviest().and_then(|member| member.finding.site.clone());
        Self {
            id: group.id(),
            title: group.to_string(),
            site: site.map(SiteRecord::from),
            keys: group.members.iter().map(|member| member.finding.fact.key(member.workload)).collect(),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PlacedRecord<'a> {
    /// The name of the package.
    package: &'a str,
    /// The expectation file, relative to git's top level.
    path: String,
    failed: bool,
    #[serde(flatten)]
    verdict: VerdictRecord,
}

impl<'a> VerdictsRecord<'a> {
    pub(super) fn of(command: &str, packages: &'a [PackageVerdicts]) -> Self {
        let placed = |(package, verdict): (&'a PackageVerdicts, &Verdict)| PlacedRecord {
            package: &package.name,
            path: package.path(verdict),
            failed: verdict.status.is_failure(),
            verdict: VerdictRecord::of(verdict),
        };
        Self {
            schema: format!("sysguard.{command}/1"),
            summary: Tally::of(packages),
            verdicts: all(packages).map(placed).collect(),
            groups: causes(packages).iter().map(GroupRecord::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::schema::holds;
    use crate::report::verdict::samples::packages;

    #[test]
    fn record_matches_its_schema() {
        let packages = packages();
        for command in ["test", "bless"] {
            let record = serde_json::to_value(VerdictsRecord::of(command, &packages)).expect("plain data");
            holds("test-1", &record);
        }
    }

    #[test]
    fn record_names_its_schema_and_every_verdict() {
        let mut packages = packages();
        packages.swap(0, 1);
        packages[0].verdicts.truncate(1);
        packages[1].verdicts.clear();
        let text = serde_json::to_string_pretty(&VerdictsRecord::of("test", &packages)).expect("plain data");
        insta::assert_snapshot!(text, @r#"
        {
          "schema": "sysguard.test/1",
          "summary": {
            "passed": 0,
            "failed": 1,
            "ignored": 0
          },
          "verdicts": [
            {
              "package": "demo-net",
              "path": "crates/demo net/expectations/offline.yaml",
              "failed": true,
              "workload": "offline",
              "file": "expectations/offline.yaml",
              "line": 5,
              "status": {
                "kind": "failed"
              },
              "findings": [
                {
                  "key": "offline::network",
                  "kind": "new-subsystem",
                  "line": 5,
                  "calls": 2,
                  "details": [],
                  "forbidden": "works, offline: 100%",
                  "kin": null,
                  "cause": null,
                  "group": "@9ee656d6"
                }
              ],
              "notes": [],
              "suspects": [],
              "gone": [],
              "drift": [],
              "growth": [],
              "change": null,
              "watched": {
                "engine": "ptrace",
                "reason": null
              },
              "version": 2
            }
          ],
          "groups": [
            {
              "id": "@9ee656d6",
              "title": "offline::network",
              "site": null,
              "keys": [
                "offline::network"
              ]
            }
          ]
        }
        "#);
    }
}
