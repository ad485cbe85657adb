//! Checks the keys of a map, and suggests the key that was meant: [`check`].
//!
//! The known keys are the field names of the type that reads the map, taken from its `Deserialize`.
//! They are therefore defined once.

use std::fmt;

use serde::de::value::Error as Refusal;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::malformed::Fault;
use super::outline::Node;
use crate::model::text::near::near;

/// The longest list of known names in a message.
const MOST_LISTED: usize = 24;

/// Refuses a key of a map that is no field of `T`.
pub(super) fn check<T: for<'de> Deserialize<'de>>(map: &Node) -> Result<(), Fault> {
    let known = fields_of::<T>();
    match map.pairs().iter().find(|(key, _)| !known.contains(&key.name.as_str())) {
        Some((key, _)) => {
            let unknown = UnknownName::new("key", &key.name, known.iter().copied());
            Err(Fault::new(key.place, unknown.to_string()))
        }
        None => Ok(()),
    }
}

/// A name that is none of the known ones of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{name}`{suggestion}")]
pub(crate) struct UnknownName {
    kind: &'static str,
    name: String,
    suggestion: Suggestion,
}

impl UnknownName {
    /// Returns the error for a name of this kind. It suggests the nearest known name, else all
    /// known names if they are few.
    pub(super) fn new<'a>(kind: &'static str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let suggestion = match near(name, known.clone()).first() {
            Some(near) => Suggestion::Near((*near).to_owned()),
            None if known.clone().count() <= MOST_LISTED => Suggestion::OneOf(known.map(str::to_owned).collect()),
            None => Suggestion::None,
        };
        Self { kind, name: name.to_owned(), suggestion }
    }
}

/// What to write instead of an unknown name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Suggestion {
    Near(String),
    OneOf(Vec<String>),
    None,
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Near(name) => write!(f, ": did you mean `{name}`?"),
            Self::OneOf(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, ": use one of {}", names.join(", "))
            }
            Self::None => Ok(()),
        }
    }
}

/// Returns the field names that a struct's `Deserialize` passes to a deserializer.
fn fields_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    let refused = T::deserialize(Fields(&mut fields));
    debug_assert!(refused.is_err(), "T must be a struct without a serde conversion");
    fields
}

/// A deserializer that records the requested field names and then fails.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refusal> {
        Err(Refusal::custom("no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Refusal> {
        *self.0 = fields;
        Err(Refusal::custom("no value"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_struct() {
        #[derive(serde::Deserialize)]
        #[expect(dead_code, reason = "only its field names are used")]
        struct Sample {
            one: String,
            #[serde(rename = "second")]
            two: Option<u8>,
        }
        assert_eq!(fields_of::<Sample>(), ["one", "second"]);
    }
}
