//! Parses each variable and returns its meaning.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{BINARY_PREFIX, BadVariable, RawSettings};
use crate::model::judge::decide::UpdateMode;
use crate::model::observe::observation::Engine;
use crate::model::run::recording::CONFIRMING_RUNS;

pub(super) fn update(raw: &RawSettings) -> Result<UpdateMode, BadVariable> {
    match raw.text("SYSGUARD_UPDATE").filter(|value| !value.is_empty()) {
        None => Ok(UpdateMode::default()),
        Some(value) => {
            let expected = "one of auto, new, always, unseen, no, force";
            value.parse().map_err(|_| BadVariable { variable: "SYSGUARD_UPDATE", value, expected })
        }
    }
}

pub(super) fn require(raw: &RawSettings) -> Result<bool, BadVariable> {
    match raw.text("SYSGUARD_REQUIRE").as_deref() {
        None | Some("" | "0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(value) => {
            Err(BadVariable { variable: "SYSGUARD_REQUIRE", value: value.to_owned(), expected: "1, true, 0 or false" })
        }
    }
}

/// Returns the compiler that cargo uses: `RUSTC`, or else the one beside cargo.
pub(super) fn rustc(raw: &RawSettings) -> PathBuf {
    let beside = |cargo: PathBuf| cargo.with_file_name("rustc");
    raw.path("RUSTC").or_else(|| raw.path("CARGO").map(beside)).unwrap_or_else(|| PathBuf::from("rustc"))
}

pub(super) fn confirm(raw: &RawSettings) -> Result<u32, BadVariable> {
    match raw.text("SYSGUARD_CONFIRM").filter(|value| !value.is_empty()) {
        None => Ok(CONFIRMING_RUNS),
        Some(value) => value.parse().map_err(|_| {
            let expected = "a number of runs such as 4";
            BadVariable { variable: "SYSGUARD_CONFIRM", value, expected }
        }),
    }
}

/// Returns the engine that the variable names. Not every command can use each engine.
pub(super) fn engine(raw: &RawSettings) -> Result<Option<Engine>, BadVariable> {
    let Some(value) = raw.text(ENGINE).filter(|value| !value.is_empty()) else { return Ok(None) };
    let named = Engine::to_judge(&value).or_else(|_| Engine::to_record(&value));
    let expected = "one of guard, notify, ptrace";
    named.map(Some).map_err(|_| BadVariable { variable: ENGINE, value, expected })
}

/// The variable with the engine.
pub(super) const ENGINE: &str = "SYSGUARD_ENGINE";

pub(super) fn binaries(raw: &RawSettings) -> BTreeMap<String, PathBuf> {
    raw.variables
        .iter()
        .filter_map(|(name, path)| Some((name.strip_prefix(BINARY_PREFIX)?.to_owned(), PathBuf::from(path))))
        .collect()
}
