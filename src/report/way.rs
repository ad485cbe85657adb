//! A reachable call with a way to it, as JSON. Main type: [`WayRecord`].

use serde::Serialize;

/// A call that a program could make.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct WayRecord<'a> {
    syscall: &'a str,
    /// The functions of a way to it.
    way: &'a str,
}

impl<'a> From<&'a (String, String)> for WayRecord<'a> {
    fn from((syscall, way): &'a (String, String)) -> Self {
        Self { syscall, way }
    }
}
