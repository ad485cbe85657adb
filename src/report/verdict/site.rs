//! The call site of a finding in records. Main type: [`SiteRecord`].

use serde::{Deserialize, Serialize};

use crate::model::facts::site::{CodeLocation, Site};

/// A call site: the function in the user's own code, or else the one in a dependency.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct SiteRecord {
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
    /// Whether the function is code of a workspace member.
    #[serde(default)]
    own: bool,
    /// What own code calls there, with the package and version of a dependency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    callee: Option<String>,
}

impl From<Site> for SiteRecord {
    fn from(Site { words, location }: Site) -> Self {
        let module = location.as_ref().map(|location| location.module.clone());
        let CodeLocation { function, package, version, file, line, is_own, callee, .. } = location.unwrap_or_default();
        Self { text: words, function, package, version, file, line, module, own: is_own, callee }
    }
}

impl From<SiteRecord> for Site {
    fn from(record: SiteRecord) -> Self {
        let SiteRecord { text, function, package, version, file, line, module, own: is_own, callee } = record;
        let location =
            module.map(|module| CodeLocation { function, package, version, file, line, module, is_own, callee });
        Self { words: text, location }
    }
}
