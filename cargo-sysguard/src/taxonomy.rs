//! `--taxonomy`: a built-in taxonomy or a user's file. Main function: [`find`].

use std::path::Path;

use sysguard::unstable::model::expectation::format::taxonomy::read;
use sysguard::unstable::model::taxonomy::{Base, Taxonomy};

use crate::exit_code::Failure;

/// Returns the taxonomy with this name, or in this file. A built-in name takes precedence.
pub(crate) fn find(given: &str) -> Result<Taxonomy, Failure> {
    if let Some(base) = Base::from_name(given) {
        return Ok(Taxonomy::built_in(base));
    }
    let cannot = |error: std::io::Error| {
        let names = Base::ALL.map(Base::name).join(" or ");
        Failure::usage(format!(
            "unknown taxonomy `{given}`, and cannot read it as a file: {error}\nhelp: use {names}, or a file"
        ))
    };
    let bytes = std::fs::read(Path::new(given)).map_err(cannot)?;
    read(&bytes).map_err(|malformed| Failure::usage(malformed.within(given)))
}
