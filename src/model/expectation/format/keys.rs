//! Checks the keys of a map, and suggests the key that was meant: [`check`].
//!
//! The known keys are the field names of the type that reads the map, taken from its `Deserialize`.
//! They are therefore defined once.

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
        Some((key, _)) => Err(Fault::new(key.place, unknown("key", &key.name, known.iter().copied()))),
        None => Ok(()),
    }
}

/// Returns the message `unknown KIND NAME` with the nearest known name, or with all known names.
pub(super) fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut message = format!("unknown {kind} `{name}`");
    if let Some(near) = near(name, known.clone()).first() {
        message += &format!(": did you mean `{near}`?");
    } else if known.clone().count() <= MOST_LISTED {
        let all: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        message += &format!(": use one of {}", all.join(", "));
    }
    message
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
