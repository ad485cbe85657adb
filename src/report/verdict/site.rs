//! The call site of a finding in records. Main type: [`SiteRecord`].

use serde::{Deserialize, Serialize};

use crate::model::facts::site::{CodeLocation, Site};

/// A call site: the function in the user's own code, or else the one in a dependency.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SiteRecord {
    /// The call site in words, with the dependency that made the call.
    text: String,
    /// The function, demangled.
    function: Option<String>,
    /// The package that contains it, unless that is the tested one.
    #[serde(rename = "crate")]
    package: Option<String>,
    /// The version of that package.
    version: Option<String>,
    /// The source file, relative to the package if it lies below it.
    file: Option<String>,
    /// The line in that file, counted from 1.
    line: Option<u32>,
    /// The program or library that contains the function.
    module: Option<String>,
}

impl From<Site> for SiteRecord {
    fn from(Site { words, location }: Site) -> Self {
        let module = location.as_ref().map(|location| location.module.clone());
        let CodeLocation { function, package, version, file, line, .. } = location.unwrap_or_default();
        Self { text: words, function, package, version, file, line, module }
    }
}

impl From<SiteRecord> for Site {
    fn from(SiteRecord { text, function, package, version, file, line, module }: SiteRecord) -> Self {
        let location = module.map(|module| CodeLocation { function, package, version, file, line, module });
        Self { words: text, location }
    }
}
