//! Checks reports against their schemas, in tests. Main function: [`holds`].

use serde_json::Value;

/// Asserts that the record matches its schema, and that an unknown field in the object at `place`
/// (a JSON pointer) does not.
#[track_caller]
pub(super) fn holds(schema: &str, mut record: Value, place: &str) {
    let schema = serde_json::from_str(schema).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&record).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0], "{record:#}");
    record.pointer_mut(place).expect(place)["surprise"] = true.into();
    assert!(!validator.is_valid(&record), "a new field must be added to the schema too");
}
