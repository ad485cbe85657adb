//! The JSON schema `schema/enforce-1.json`, generated from the record, in tests.
//!
//! `SYSGUARD_WRITE_SCHEMAS=1 cargo test -p sysguard-enforce --lib schema` writes it again.

use std::fs;
use std::path::PathBuf;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::ProofRecord;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/proof/schema/enforce-1.json")
}

fn generated() -> Value {
    let schema = SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<ProofRecord>();
    let mut schema = schema.to_value();
    close(&mut schema);
    schema
}

/// Refuses unknown fields, and removes what does not describe a document: widths of integers and
/// line breaks.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            // A field may be named `type` too: its value is an object.
            if fields.get("type").is_some_and(|it| !it.is_object()) {
                fields.remove("format");
            }
            if fields.get("properties").is_some_and(Value::is_object) && fields.contains_key("required") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            if let Some(Value::String(description)) = fields.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn published() -> Value {
    serde_json::from_str(&fs::read_to_string(file()).expect("the schema")).expect("JSON")
}

/// Asserts that the schema accepts the record, and refuses it with any field removed or added, or
/// with a value of another type.
#[track_caller]
pub(super) fn holds(record: &Value) {
    let validator = jsonschema::validator_for(&published()).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(record).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let mut places = vec![String::new()];
    while let Some(pointer) = places.pop() {
        let refuses = |what: &str, to: Value| {
            let mut changed = record.clone();
            *changed.pointer_mut(&pointer).expect("a place") = to;
            assert!(!validator.is_valid(&changed), "{what} at {pointer}");
        };
        match record.pointer(&pointer).expect("a place") {
            Value::Object(fields) => {
                let mut more = fields.clone();
                more.insert("surprise".to_owned(), true.into());
                refuses("a new field", more.into());
                for key in fields.keys() {
                    let mut fewer = fields.clone();
                    fewer.remove(key);
                    refuses(key, fewer.into());
                    places.push(format!("{pointer}/{key}"));
                }
            }
            Value::Array(items) => {
                places.extend((0..items.len()).map(|at| format!("{pointer}/{at}")));
                refuses("a text for a list", "".into());
            }
            _ => refuses("a list for a value", Value::Array(Vec::new())),
        }
    }
}

#[test]
fn published_schema_is_that_of_the_record() {
    if std::env::var_os("SYSGUARD_WRITE_SCHEMAS").is_some() {
        fs::write(file(), format!("{:#}\n", generated())).expect("the schema");
    }
    assert_eq!(published(), generated(), "write it again with SYSGUARD_WRITE_SCHEMAS=1");
}
