//! The JSON schemas in `schema/`, generated from the types of the records, in tests. Main
//! functions: [`generated`] and [`holds`].
//!
//! `SYSGUARD_WRITE_SCHEMAS=1 cargo test -p sysguard --lib schema` writes the files again.

use std::borrow::Cow;
use std::path::Path;

use schema_check::{Published, of};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::evidence::EvidenceRecord;
use super::explain::ExplainRecord;
use super::exploration::ExplorationsRecord;
use super::gates::GatesRecord;
use super::list::ListRecord;
use super::observation::ObservationRecord;
use super::pending::PendingRecord;
use super::revisions::DiffRecord;
use super::verdict::VerdictsRecord;

/// The key of a fact: the schema of a text.
pub(super) struct FactKey;

impl JsonSchema for FactKey {
    fn schema_name() -> Cow<'static, str> {
        "key".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "workload::subsystem::syscall with finer parts as ::argument=…, ::object=…, ::error=… or \
                            ::abi=…; workload::blind_spots::NAME; workload::signals::NAME.",
            "type": "string",
            "pattern": "::",
        })
    }
}

/// Texts by keys of the same list: the schema of a map.
pub(super) struct ByKey;

impl JsonSchema for ByKey {
    fn schema_name() -> Cow<'static, str> {
        "remarks".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "By keys of the same list; absent if empty.",
            "type": "object",
            "propertyNames": generator.subschema_for::<FactKey>(),
            "additionalProperties": { "type": "string" },
        })
    }
}

/// Returns each schema with the name of its file.
fn generated() -> [(&'static str, Value); 9] {
    [
        ("diff-1", of::<DiffRecord<'_>>()),
        ("doctor-1", of::<GatesRecord<'_>>()),
        ("explain-1", of::<ExplainRecord<'_>>()),
        ("explore-1", of::<ExplorationsRecord<'_>>()),
        ("list-1", of::<ListRecord<'_>>()),
        ("observation-1", of::<ObservationRecord<'_>>()),
        ("pending-1", of::<PendingRecord<'_>>()),
        ("report-1", of::<EvidenceRecord<'_>>()),
        ("test-1", of::<VerdictsRecord<'_>>()),
    ]
}

/// Fields that are absent in some documents, by schema; list indices are left out.
const OPTIONAL: [(&str, &[&str]); 6] = [
    (
        "diff-1",
        &[
            "/workloads/baselines/new/why",
            "/workloads/baselines/new/owner",
            "/workloads/baselines/gone/why",
            "/workloads/baselines/gone/owner",
        ],
    ),
    ("explain-1", &["/reach"]),
    (
        "observation-1",
        &["/unknown", "/ends", "/taxonomy", "/phases", "/stacks", "/syscalls/seconds", "/syscalls/uses/seconds"],
    ),
    ("pending-1", &["/pending/drift", "/pending/examples", "/pending/sites", "/pending/causes", "/groups/site_reason"]),
    ("report-1", &["/sections/expert", "/configs/expert", "/workloads/reach"]),
    (
        "test-1",
        &[
            "/verdicts/findings/site_reason",
            "/verdicts/findings/example",
            "/verdicts/findings/process",
            "/verdicts/notes/site_reason",
            "/verdicts/suspects/site_reason",
            "/verdicts/change/pending_dir",
            "/groups/site_reason",
        ],
    ),
];

/// Objects whose fields depend on their kind, or whose fields are names.
const OF_ANY_FIELDS: [&str; 17] = [
    "/ends/killed",
    "/ends/statuses",
    "/ends/handled",
    "/exit",
    "/verdicts/status",
    "/verdicts/status/expected",
    "/verdicts/status/actual",
    "/syscalls/errors",
    "/syscalls/uses/errors",
    "/pending/examples",
    "/pending/sites",
    "/pending/causes",
    "/matrix/syscalls",
    "/workloads/baselines/fingerprint",
    "/workloads/baselines/error_paths/outcomes",
    "/workloads/explored/outcomes",
    "/workloads/status",
];

fn published(name: &str) -> Published {
    let optional = OPTIONAL.iter().find(|(schema, _)| *schema == name).map_or(&[][..], |(_, fields)| fields);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/report/schema/{name}.json"));
    Published::new(file).with_optional(optional).with_open(&OF_ANY_FIELDS)
}

/// Asserts that the schema of this name accepts the record, and no changed one.
#[track_caller]
pub(super) fn holds(name: &str, record: &Value) {
    published(name).holds(record);
}

#[test]
fn published_schemas_are_those_of_the_records() {
    generated().iter().for_each(|(name, schema)| published(name).is(schema));
}
