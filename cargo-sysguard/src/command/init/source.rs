//! The source of the dependency that `init --harness` writes: a registry, a git repository or a
//! folder. Main type: [`Source`].
//!
//! The source must resolve at once: a version that no registry has breaks every later cargo
//! command.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sysguard::unstable::artifacts::{DESCRIPTION, SOURCE};
use toml_edit::{DocumentMut, InlineTable, Value};

use crate::exit_code::Failure;

/// The version to depend on: the library and this binary are released together.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A source from which cargo can fetch sysguard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The registry that the user's configuration names.
    Registry,
    /// The git repository that `cargo install` built this binary from.
    Git { url: String, rev: String },
    /// The folder that this binary was built from.
    Path(String),
}

impl Source {
    /// Finds a source that resolves for the package with this manifest.
    pub(super) fn find(cargo: &Path, manifest: &Path, flags: &[OsString]) -> Result<Self, Failure> {
        let installed = installed();
        if installed == Some(Self::Registry) || is_published(cargo, manifest, flags) {
            return Ok(Self::Registry);
        }
        if let Some(git @ Self::Git { .. }) = installed {
            return Ok(git);
        }
        if Path::new(SOURCE).join("Cargo.toml").is_file() {
            return Ok(Self::Path(SOURCE.to_owned()));
        }
        Err(Failure::failed(format!(
            "cannot find a source for the dependency on sysguard: no registry has version {VERSION}, and the folder \
             {SOURCE}, from which this binary was built, no longer exists\nhelp: install cargo-sysguard again from a clone, or use `init` without --harness"
        )))
    }

    /// Returns the dependency as a value in a manifest.
    pub(super) fn to_value(&self) -> Value {
        let pairs = match self {
            Self::Registry => return Value::from(VERSION),
            Self::Git { url, rev } => vec![("git", url), ("rev", rev)],
            Self::Path(folder) => vec![("path", folder)],
        };
        Value::InlineTable(InlineTable::from_iter(pairs))
    }

    /// Describes the dependency in one line.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Registry => format!("sysguard {VERSION} from the registry"),
            Self::Git { url, rev } => {
                format!("sysguard from the git repository {url}, revision {rev}: no registry has version {VERSION}")
            }
            Self::Path(folder) => format!("sysguard from the folder {folder}: no registry has version {VERSION}"),
        }
    }
}

/// Returns whether the registry has this version of this project, and cargo resolves it for the
/// package.
///
/// `cargo add` checks only the name. `cargo info` checks the description; it runs in an empty
/// folder, because it writes a lock file into the current package.
fn is_published(cargo: &Path, manifest: &Path, flags: &[OsString]) -> bool {
    let spec = format!("sysguard@{VERSION}");
    let mut add = Command::new(cargo);
    add.args(["add", "--dry-run", "--dev", &spec, "--manifest-path"]).arg(manifest).args(flags);
    let mut info = Command::new(cargo);
    info.args(["info", "--color", "never", &spec]).args(flags.iter().filter(|flag| *flag == "--offline"));
    let output = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    output(&mut add).is_some()
        && tempfile::tempdir()
            .is_ok_and(|folder| output(info.current_dir(folder.path())).is_some_and(|text| text.contains(DESCRIPTION)))
}

/// Returns the source that `cargo install` recorded for this binary, in the folder above its own.
fn installed() -> Option<Source> {
    let program = env::current_exe().ok()?;
    let record = program.parent()?.parent()?.join(".crates.toml");
    recorded(&fs::read_to_string(record).ok()?)
}

/// Returns the source of cargo-sysguard in a `.crates.toml`. Its keys have the form `cargo-sysguard
/// 0.1.0 (git+URL?branch=main#REVISION)`.
fn recorded(text: &str) -> Option<Source> {
    let document: DocumentMut = text.parse().ok()?;
    let packages = document.get("v1")?.as_table_like()?;
    let source = packages.iter().find_map(|(key, _)| {
        let (version, source) = key.strip_prefix("cargo-sysguard ")?.split_once(" (")?;
        (version == VERSION).then(|| source.trim_end_matches(')').to_owned())
    })?;
    if let Some(git) = source.strip_prefix("git+") {
        let (url, rev) = git.rsplit_once('#')?;
        let url = url.split_once('?').map_or(url, |(url, _)| url);
        return Some(Source::Git { url: url.to_owned(), rev: rev.to_owned() });
    }
    if let Some(url) = source.strip_prefix("path+") {
        return Some(Source::Path(url.trim_start_matches("file://").to_owned()));
    }
    let is_registry = ["registry+", "sparse+"].iter().any(|kind| source.starts_with(kind));
    is_registry.then_some(Source::Registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_of_cargo_install_names_the_source() {
        let record = |source: &str| {
            recorded(&format!(
                "[v1]\n\"other 1.0.0 (registry+x)\" = []\n\"cargo-sysguard {VERSION} ({source})\" = []\n"
            ))
        };
        let git = |url: &str| Some(Source::Git { url: url.to_owned(), rev: "abc".to_owned() });
        for (source, found) in [
            ("registry+https://github.com/rust-lang/crates.io-index", Some(Source::Registry)),
            ("sparse+https://example.com/index/", Some(Source::Registry)),
            ("git+https://example.com/sysguard#abc", git("https://example.com/sysguard")),
            ("git+https://example.com/sysguard?branch=main#abc", git("https://example.com/sysguard")),
            (
                "path+file:///home/me/sysguard/cargo-sysguard",
                Some(Source::Path("/home/me/sysguard/cargo-sysguard".into())),
            ),
            ("elsewhere+x", None),
        ] {
            assert_eq!(record(source), found, "{source}");
        }
        assert_eq!(recorded("[v1]\n\"cargo-sysguard 0.0.0 (registry+x)\" = []\n"), None);
        assert_eq!(recorded("not toml ["), None);
    }

    #[test]
    fn each_source_is_a_dependency() {
        let written = |source: Source| source.to_value().to_string();
        assert_eq!(written(Source::Registry), format!("\"{VERSION}\""));
        assert_eq!(written(Source::Path("/a b".into())), "{ path = \"/a b\" }");
        let git = Source::Git { url: "https://example.com/x".into(), rev: "abc".into() };
        assert_eq!(written(git), "{ git = \"https://example.com/x\", rev = \"abc\" }");
    }
}
