//! The workloads of the selected packages as JSON: `sysguard.list/1`. Main type: [`Listed`].

use std::io;
use std::path::Path;

use serde::Serialize;

use super::Palette;
use super::style::Painted;
use super::words::escaped;

/// One workload. Field names and their order are a public interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The package that it belongs to.
    pub package: String,
    /// The expectation file, relative to its package.
    pub file: String,
    /// The kind of program: `command`, `bin`, `example`, `test`, `bench`, `closure` or `run`;
    /// `null` if its file cannot be read.
    #[cfg_attr(test, schemars(extend("enum" = ["command", "bin", "example", "test", "bench", "closure", "run", null])))]
    pub program: Option<&'static str>,
    /// Why it runs only on request.
    pub ignored: Option<String>,
    /// The platforms that have a baseline.
    pub baselines: Vec<String>,
    /// Why its file cannot be read.
    pub malformed: Option<String>,
}

/// What `cargo sysguard list --format json` writes. Within version 1, fields may be added and none
/// changes its meaning.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.list/1"))]
pub(super) struct ListRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.list/1")))]
    schema: &'static str,
    workloads: &'a [Listed],
}

/// Writes the workloads as one object.
pub fn list(out: &mut dyn io::Write, workloads: &[Listed]) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &ListRecord { schema: "sysguard.list/1", workloads })?;
    writeln!(out)
}

/// Writes one line that a folder has no workloads.
pub fn no_workloads(out: &mut dyn io::Write, folder: &Path, palette: &Palette) -> io::Result<()> {
    let warning = Painted(palette.hint, "warning");
    let folder = escaped(&folder.to_string_lossy());
    writeln!(out, "{warning}: no workloads found in {folder}; `cargo sysguard init` writes a first one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::schema::holds;

    #[test]
    fn record_matches_its_schema() {
        let listed = Listed {
            name: "net::echo".to_owned(),
            package: "demo".to_owned(),
            file: "expectations/net/echo.yaml".to_owned(),
            program: Some("bin"),
            ignored: None,
            baselines: vec!["x86_64-linux-gnu".to_owned()],
            malformed: None,
        };
        let broken = Listed { program: None, malformed: Some("1:1: no".to_owned()), ..listed.clone() };
        let mut out = Vec::new();
        let closure = Listed { program: Some("closure"), ..listed.clone() };
        list(&mut out, &[listed, broken, closure]).expect("memory takes everything");
        let record: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        holds("list-1", &record);
    }
}
