//! Reports held against their schemas, in tests: [`holds`].

use serde_json::Value;

/// The record is valid by its schema, and a field that the schema does not know is not, in the
/// object at `place` (a JSON pointer).
#[track_caller]
pub(super) fn holds(schema: &str, mut record: Value, place: &str) {
    let schema = serde_json::from_str(schema).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&record).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0], "{record:#}");
    record.pointer_mut(place).expect(place)["surprise"] = true.into();
    assert!(!validator.is_valid(&record), "a new field is written into the schema too");
}
