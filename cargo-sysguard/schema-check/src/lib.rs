//! Generates the JSON schemas of reports from the types of their records, and checks documents, in
//! tests. Main function: [`of`]; main type: [`Published`].

use std::fs;
use std::path::PathBuf;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// Returns the schema of a record as it is written: of the fields that are always written, none may
/// be missing, and no other field may be there.
pub fn of<T: JsonSchema>() -> Value {
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

/// A schema in a file of the repository, and what its documents may leave open.
#[derive(Debug, Clone)]
pub struct Published {
    file: PathBuf,
    optional: &'static [&'static str],
    open: &'static [&'static str],
}

impl Published {
    /// Returns the schema of a file. Every field of its documents is always written.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), optional: &[], open: &[] }
    }

    /// Fields that are absent in some documents; list indices are left out.
    #[must_use]
    pub fn with_optional(self, optional: &'static [&'static str]) -> Self {
        Self { optional, ..self }
    }

    /// Objects whose fields depend on their kind, or whose fields are names.
    #[must_use]
    pub fn with_open(self, open: &'static [&'static str]) -> Self {
        Self { open, ..self }
    }

    /// Asserts that the file has this schema. Under SYSGUARD_WRITE_SCHEMAS, writes it there before.
    ///
    /// # Panics
    ///
    /// If it has another one.
    #[track_caller]
    pub fn is(&self, schema: &Value) {
        let shown = self.file.display();
        if std::env::var_os("SYSGUARD_WRITE_SCHEMAS").is_some() {
            let written = fs::write(&self.file, format!("{schema:#}\n"));
            assert!(written.is_ok(), "{shown}: {written:?}");
        }
        assert_eq!(self.read(), *schema, "{shown}: write it again with SYSGUARD_WRITE_SCHEMAS=1");
    }

    /// Asserts that the schema accepts the record, and refuses it after any change: a new field, a
    /// missing field, or a value of another type.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[track_caller]
    pub fn holds(&self, record: &Value) {
        let validator = jsonschema::validator_for(&self.read()).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(record).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{record:#}");
        for (change, changed) in self.changes(record) {
            assert!(!validator.is_valid(&changed), "{} accepts {change}", self.file.display());
        }
    }

    fn read(&self) -> Value {
        let text = fs::read_to_string(&self.file).unwrap_or_else(|error| panic!("{}: {error}", self.file.display()));
        serde_json::from_str(&text).expect("JSON")
    }

    /// Returns documents that differ from a record in one place, each with what was changed.
    fn changes(&self, record: &Value) -> Vec<(String, Value)> {
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
                    let is_open = self.open.contains(&path.as_str());
                    if !is_open {
                        let mut more = fields.clone();
                        more.insert("surprise".to_owned(), true.into());
                        change("a new field".to_owned(), more.into());
                    }
                    for key in fields.keys() {
                        if !is_open && !self.optional.contains(&format!("{path}/{key}").as_str()) {
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
                // A nullable field may hold a list, but its items have another type.
                _ => change("a list for a value".to_owned(), vec![Value::from(true)].into()),
            }
        }
        changes
    }
}
