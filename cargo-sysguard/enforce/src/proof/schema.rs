//! The JSON schema `schema/enforce-1.json`, generated from the record, in tests.
//!
//! `SYSGUARD_WRITE_SCHEMAS=1 cargo test -p sysguard-enforce --lib schema` writes it again.

use std::path::Path;

use schema_check::{Published, of};

use super::ProofRecord;

/// Returns the schema in the file.
pub(super) fn published() -> Published {
    Published::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/proof/schema/enforce-1.json"))
}

#[test]
fn published_schema_is_that_of_the_record() {
    published().is(&of::<ProofRecord>());
}
