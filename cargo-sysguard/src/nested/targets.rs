//! The test binaries of a workspace, from cargo's metadata and build messages. Main type:
//! [`Targets`].

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, Message, Metadata, MetadataCommand, Package, Target};
use sysguard::unstable::artifacts;
use sysguard::unstable::model::run::test_name;

use super::{Binary, Line, Tool};
use crate::exit_code::{Failure, Outcome};

/// The workspace of a command line.
#[derive(Debug)]
pub(crate) struct Targets {
    metadata: Metadata,
}

impl Targets {
    /// Reads the metadata of the workspace.
    pub(crate) fn of(line: &Line, cargo: &Path) -> Result<Self, Failure> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo).no_deps();
        if let Some(manifest) = line.values("--manifest-path").last() {
            command.manifest_path(manifest);
        }
        let cannot = |error: cargo_metadata::Error| match error {
            cargo_metadata::Error::CargoMetadata { stderr } => {
                Failure::usage(stderr.trim().trim_start_matches("error: "))
            }
            other => Failure::usage(format!("cannot read the metadata of the workspace: {other}")),
        };
        Ok(Self { metadata: command.exec().map_err(cannot)? })
    }

    /// Returns the folder of the workspace.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.metadata.workspace_root.clone().into()
    }

    /// Returns the folder and name of each package.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (PathBuf, String)> {
        self.metadata
            .workspace_packages()
            .into_iter()
            .map(|package| (artifacts::root(package), package.name.to_string()))
    }

    /// Returns every test binary. For `cargo test`, builds them, because only the path identifies a
    /// binary there.
    pub(crate) fn binaries(&self, line: &Line, cargo: &Path) -> Result<Vec<Binary>, Failure> {
        match line.tool {
            Tool::Nextest => {
                Ok(self.all().map(|(package, target)| binary(nextest_id(package, target), package, target)).collect())
            }
            // cargo builds no executable for a doctest.
            Tool::Libtest if ["--doc", "--help", "-h"].iter().any(|flag| line.has(flag)) => Ok(Vec::new()),
            Tool::Libtest => {
                let built = build(line, cargo)?;
                let of = |artifact: &Artifact| {
                    let file = artifact.executable.as_ref()?.to_string();
                    let package = self.metadata.packages.iter().find(|package| package.id == artifact.package_id)?;
                    Some(binary(file, package, &artifact.target))
                };
                Ok(built.iter().filter_map(of).collect())
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = (&Package, &Target)> {
        let packages = self.metadata.workspace_packages().into_iter();
        packages.flat_map(|package| package.targets.iter().map(move |target| (package, target)))
    }
}

/// Builds and returns the binaries that `cargo test` will run.
fn build(line: &Line, cargo: &Path) -> Result<Vec<Artifact>, Failure> {
    let mut command = Command::new(cargo);
    command.args(&line.cargo);
    if !line.has("--no-run") {
        command.arg("--no-run");
    }
    command.arg("--message-format=json-render-diagnostics").stdin(Stdio::null()).stderr(Stdio::inherit());
    let cannot = |error| Failure::failed(format!("cannot run {}: {error}", cargo.display()));
    let output = command.output().map_err(cannot)?;
    if !output.status.success() {
        let message = "cargo could not build the tests; see its messages above".to_owned();
        return Err(Failure { outcome: Outcome::Failed, message });
    }
    let messages = Message::parse_stream(&output.stdout[..]).filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) if artifact.profile.test => Some(artifact),
        _ => None,
    });
    Ok(messages.collect())
}

fn binary(key: String, package: &Package, target: &Target) -> Binary {
    // A build script has no tests.
    let names = package.targets.iter().take_while(|other| *other != target).filter(|other| !other.is_custom_build());
    let earlier: Vec<&str> = names.map(|other| other.name.as_str()).collect();
    let name = test_name::binary(kind(target), &target.name, &earlier);
    Binary { key, folder: artifacts::root(package), package: package.name.to_string(), name }
}

fn kind(target: &Target) -> &'static str {
    if target.is_bin() {
        "bin"
    } else if target.is_example() {
        "example"
    } else if target.is_test() {
        "test"
    } else if target.is_bench() {
        "bench"
    } else if target.is_proc_macro() {
        "proc-macro"
    } else {
        "lib"
    }
}

/// Returns the nextest ID of a binary ("binary ID" in its manual).
fn nextest_id(package: &Package, target: &Target) -> String {
    match kind(target) {
        "lib" => package.name.to_string(),
        "test" => format!("{}::{}", package.name, target.name),
        kind => format!("{}::{kind}/{}", package.name, target.name),
    }
}
