//! Which keys a map may have, and which one was meant: [`check`].
//!
//! The keys are those of the type that reads the map: they are asked of its `Deserialize`, so that
//! they live once.

use serde::de::value::Error as Refusal;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::malformed::Fault;
use super::outline::Node;
use crate::model::text::near::near;

/// Where nothing comes near, no more names than these are listed.
const MOST_LISTED: usize = 24;

/// Refuses every key of a map that `T` does not know.
pub(super) fn check<T: for<'de> Deserialize<'de>>(map: &Node) -> Result<(), Fault> {
    let known = fields_of::<T>();
    match map.pairs().iter().find(|(key, _)| !known.contains(&key.name.as_str())) {
        Some((key, _)) => Err(Fault::new(key.place, unknown("key", &key.name, known.iter().copied()))),
        None => Ok(()),
    }
}

/// `unknown KIND NAME`, and the known name that comes near.
pub(super) fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut message = format!("unknown {kind} `{name}`");
    if let Some(near) = near(name, known.clone()).first() {
        message += &format!(": did you mean `{near}`?");
    } else if known.clone().count() <= MOST_LISTED {
        let all: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        message += &format!(": known are {}", all.join(", "));
    }
    message
}

/// The names of a struct's fields as its `Deserialize` tells them to a deserializer.
fn fields_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    let refused = T::deserialize(Fields(&mut fields));
    debug_assert!(refused.is_err(), "only structs without conversion are asked");
    fields
}

/// A deserializer that listens to the question and gives no answer.
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
        #[expect(dead_code, reason = "only its field names are asked")]
        struct Sample {
            one: String,
            #[serde(rename = "second")]
            two: Option<u8>,
        }
        assert_eq!(fields_of::<Sample>(), ["one", "second"]);
    }
}
