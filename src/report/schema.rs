//! The JSON schemas in `schema/`, generated from the types of the records, in tests. Main
//! functions: [`generated`] and [`holds`].
//!
//! `SYSGUARD_WRITE_SCHEMAS=1 cargo test -p sysguard --lib schema` writes the files again.

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::evidence::EvidenceRecord;
use super::explain::ExplainRecord;
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
fn generated() -> [(&'static str, Value); 8] {
    [
        ("diff-1", of::<DiffRecord<'_>>()),
        ("doctor-1", of::<GatesRecord<'_>>()),
        ("explain-1", of::<ExplainRecord<'_>>()),
        ("list-1", of::<ListRecord<'_>>()),
        ("observation-1", of::<ObservationRecord<'_>>()),
        ("pending-1", of::<PendingRecord<'_>>()),
        ("report-1", of::<EvidenceRecord<'_>>()),
        ("test-1", of::<VerdictsRecord<'_>>()),
    ]
}

/// Returns the schema of a record as it is written: of the fields that are always written, none may
/// be missing, and no other field may be there.
fn of<T: JsonSchema>() -> Value {
    let schema = SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Some(definitions) = schema.get_mut("definitions").and_then(Value::as_object_mut) {
        definitions.values_mut().for_each(close);
    }
    close(&mut schema);
    simplify(&mut schema);
    schema
}

/// Refuses unknown fields in a struct. Draft 7 has no `unevaluatedProperties`, so the variants of
/// an enum that is flattened into a struct get the fields of the struct. Any other enum accepts
/// unknown fields, because further kinds may have them.
fn close(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if !fields.contains_key("oneOf") {
        if fields.contains_key("properties") {
            fields.insert("additionalProperties".to_owned(), false.into());
        }
        return;
    }
    let (properties, required) = (fields.remove("properties"), fields.remove("required"));
    let variants = fields.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
    for variant in variants.filter_map(Value::as_object_mut) {
        if let (Some(Value::Object(own)), Some(Value::Object(more))) = (variant.get_mut("properties"), &properties) {
            own.extend(more.clone());
            variant.insert("additionalProperties".to_owned(), false.into());
        }
        if let (Some(Value::Array(own)), Some(Value::Array(more))) = (variant.get_mut("required"), &required) {
            own.extend(more.clone());
        }
    }
}

/// Removes what does not describe a document: widths of integers, uniqueness of set elements,
/// defaults, and line breaks in descriptions.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_schema = |fields: &Map<String, Value>| fields.get("type").is_some_and(|it| !it.is_object());
            if is_schema(fields) {
                fields.remove("format");
                fields.remove("uniqueItems");
                fields.remove("default");
            }
            if let Some(Value::String(description)) = fields.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/report/schema").join(format!("{name}.json"))
}

fn published(name: &str) -> Value {
    let text = fs::read_to_string(file(name)).expect(name);
    serde_json::from_str(&text).expect(name)
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
const OF_ANY_FIELDS: [&str; 14] = [
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
];

/// Asserts that the schema of this name accepts the record, and refuses it after any change: a
/// new field, a missing field, or a value of another type.
#[track_caller]
pub(super) fn holds(name: &str, record: &Value) {
    let validator = jsonschema::validator_for(&published(name)).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(record).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0], "{record:#}");
    for (change, changed) in changes(name, record) {
        assert!(!validator.is_valid(&changed), "{name} accepts {change}");
    }
}

/// Returns documents that differ from a record in one place, each with what was changed.
fn changes(name: &str, record: &Value) -> Vec<(String, Value)> {
    let optional = OPTIONAL.iter().find(|(schema, _)| *schema == name).map_or(&[][..], |(_, fields)| fields);
    let mut changes = Vec::new();
    let mut places = vec![(String::new(), String::new())];
    while let Some((pointer, path)) = places.pop() {
        let at = |changed: &Value| changed.pointer(&pointer).cloned().expect("a place of the record");
        let mut change = |what: String, to: Value| {
            let mut changed = record.clone();
            *changed.pointer_mut(&pointer).expect("a place of the record") = to;
            changes.push((format!("{what} at {pointer}"), changed));
        };
        match at(record) {
            Value::Object(fields) => {
                let is_open = OF_ANY_FIELDS.contains(&path.as_str());
                if !is_open {
                    let mut more = fields.clone();
                    more.insert("surprise".to_owned(), true.into());
                    change("a new field".to_owned(), more.into());
                }
                for key in fields.keys() {
                    if !is_open && !optional.contains(&format!("{path}/{key}").as_str()) {
                        let mut fewer = fields.clone();
                        fewer.remove(key);
                        change(format!("no `{key}`"), fewer.into());
                    }
                    let escaped = key.replace('~', "~0").replace('/', "~1");
                    places.push((format!("{pointer}/{escaped}"), format!("{path}/{key}")));
                }
                change("a list for an object".to_owned(), Vec::<Value>::new().into());
            }
            Value::Array(items) => {
                places.extend((0..items.len()).map(|at| (format!("{pointer}/{at}"), path.clone())));
                change("an object for a list".to_owned(), Map::new().into());
            }
            // A field that is null may hold a list elsewhere, but of something else.
            _ => change("a list for a value".to_owned(), vec![Value::from(true)].into()),
        }
    }
    changes
}

#[test]
fn published_schemas_are_those_of_the_records() {
    let writes = std::env::var_os("SYSGUARD_WRITE_SCHEMAS").is_some();
    for (name, schema) in generated() {
        if writes {
            fs::write(file(name), format!("{schema:#}\n")).expect(name);
        }
        assert_eq!(published(name), schema, "{name}: write it again with SYSGUARD_WRITE_SCHEMAS=1");
    }
}
