//! The executables that cargo built for `bin:`, `example:`, `test:` and `bench:` workloads. Main
//! type: [`Artifacts`].
//!
//! They are taken from cargo's messages; paths below `target/` are never guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, Message, Metadata, MetadataCommand, Package};
use serde::{Deserialize, Serialize};

use crate::error::{CargoError, Error};
use crate::model::run::workload::Program;

/// A cargo target that a workload runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
}

/// The test target that contains the closures.
pub const CLOSURES: Closures = Closures("sysguard");

/// The name of that test target.
#[derive(Debug, Clone, Copy)]
pub struct Closures(&'static str);

impl Closures {
    /// Returns the target.
    pub fn target(self) -> Target {
        Target { kind: TargetKind::Test, name: self.0.to_owned() }
    }
}

/// The kinds of targets that are programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// `src/main.rs`, `src/bin/`
    Bin,
    /// `examples/`
    Example,
    /// `tests/`
    Test,
    /// `benches/`
    Bench,
}

impl TargetKind {
    /// Returns the word used in expectation files, which is also cargo's flag without its dashes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bin => "bin",
            Self::Example => "example",
            Self::Test => "test",
            Self::Bench => "bench",
        }
    }

    fn is_of(self, target: &cargo_metadata::Target) -> bool {
        match self {
            Self::Bin => target.is_bin(),
            Self::Example => target.is_example(),
            Self::Test => target.is_test(),
            Self::Bench => target.is_bench(),
        }
    }
}

impl Target {
    /// Returns the target that cargo must build for this program, or `None` for a command.
    pub fn of(program: &Program) -> Option<Self> {
        let (kind, name) = match program {
            Program::Command(_) | Program::Run(_) => return None,
            Program::Closure(_) => return Some(CLOSURES.target()),
            Program::Bin(name) => (TargetKind::Bin, name),
            Program::Example(name) => (TargetKind::Example, name),
            Program::Test(name) => (TargetKind::Test, name),
            Program::Bench(name) => (TargetKind::Bench, name),
        };
        Some(Self { kind, name: name.clone() })
    }

    /// Returns whether an artifact is this target's program. A unit test of a binary has the same
    /// target but is not the program.
    fn is_built_by(&self, artifact: &Artifact) -> bool {
        self.name == artifact.target.name
            && self.kind.is_of(&artifact.target)
            && artifact.profile.test == matches!(self.kind, TargetKind::Test | TargetKind::Bench)
    }
}

/// The folder that this crate was built from. A dependency on it resolves there if no registry has
/// the crate.
pub const SOURCE: &str = env!("CARGO_MANIFEST_DIR");
/// The description of this crate in registries. Another crate of the same name has another one.
pub const DESCRIPTION: &str = env!("CARGO_PKG_DESCRIPTION");

/// Executables by package folder and target, or the reason why one could not be built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Artifacts {
    known: BTreeMap<(PathBuf, Target), Result<PathBuf, NotBuilt>>,
}

/// One line of the file in which `cargo sysguard test` passes its executables to a harness.
#[derive(Serialize, Deserialize)]
struct Line {
    package: PathBuf,
    target: Target,
    executable: Result<PathBuf, NotBuilt>,
}

/// Why cargo made no executable of a target, mostly in its own words. Processes pass this text to
/// each other; it ends in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
#[serde(transparent)]
pub struct NotBuilt(pub String);

impl From<CargoError> for NotBuilt {
    fn from(error: CargoError) -> Self {
        Self(error.to_string())
    }
}

impl Artifacts {
    /// Returns the executable of a target, or why there is none; `None` if the target is not known.
    pub fn get(&self, package: &Path, target: &Target) -> Option<Result<&Path, &NotBuilt>> {
        let known = self.known.get(&(package.to_owned(), target.clone()))?;
        Some(known.as_deref())
    }

    /// Returns all known executables of a package.
    pub fn of(self, package: &Path) -> impl Iterator<Item = (Target, Result<PathBuf, NotBuilt>)> {
        self.known
            .into_iter()
            .filter(move |((of, _), _)| of == package)
            .map(|((_, target), executable)| (target, executable))
    }

    /// Adds an executable, or the reason why there is none.
    pub fn insert(&mut self, package: &Path, target: Target, executable: Result<PathBuf, NotBuilt>) {
        self.known.insert((package.to_owned(), target), executable);
    }

    /// Adds all entries of another set.
    pub fn extend(&mut self, others: Self) {
        self.known.extend(others.known);
    }

    /// Returns whether every target was built.
    pub fn complete(&self) -> bool {
        self.known.values().all(Result::is_ok)
    }

    /// Returns the set as text: one line of JSON per target.
    pub fn to_lines(&self) -> serde_json::Result<String> {
        let mut text = String::new();
        for ((package, target), executable) in &self.known {
            let (package, target, executable) = (package.clone(), target.clone(), executable.clone());
            text += &serde_json::to_string(&Line { package, target, executable })?;
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads a file written from [`Artifacts::to_lines`].
    pub fn read(file: &Path) -> Result<Self, Error> {
        let cannot = |source| Error::Io { operation: "read", subject: file.display().to_string(), source };
        let text = fs::read_to_string(file).map_err(cannot)?;
        let mut artifacts = Self::default();
        for line in text.lines() {
            let line: Line = serde_json::from_str(line).map_err(|error| cannot(error.into()))?;
            artifacts.insert(&line.package, line.target, line.executable);
        }
        Ok(artifacts)
    }
}

/// How cargo is called to build.
#[derive(Debug)]
pub struct Build<'a> {
    /// The cargo to call.
    pub cargo: &'a Path,
    /// The user's own flags: profile, features, target, …
    pub flags: &'a [OsString],
    /// Whether cargo writes to the caller's standard error. Otherwise its messages are kept for the
    /// reason of a failure.
    pub shown: bool,
    /// Cargo's standard input, which it holds open until it ends, possibly after this process. It
    /// reads nothing.
    pub stdin: Stdio,
    /// Variables that cargo does not inherit.
    pub without: &'a [String],
}

impl Build<'_> {
    /// Builds targets of packages of one workspace with one call of cargo. A target that fails does
    /// not stop the others.
    pub fn run(self, wanted: &[(&Package, BTreeSet<Target>)]) -> Artifacts {
        let mut artifacts = Artifacts::default();
        let mut present = Vec::new();
        for (package, target) in wanted.iter().flat_map(|(package, targets)| targets.iter().map(move |t| (*package, t)))
        {
            if package.targets.iter().any(|known| known.name == target.name && target.kind.is_of(known)) {
                present.push((package, target));
            } else {
                artifacts.insert(&root(package), target.clone(), Err(unknown(package, target)));
            }
        }
        if !present.is_empty() {
            artifacts.extend(self.call(&present));
        }
        artifacts
    }

    fn call(self, present: &[(&Package, &Target)]) -> Artifacts {
        let cargo = self.cargo;
        let (messages, failure) = match self.command(present).output() {
            Ok(output) => (output.stdout, String::from_utf8_lossy(&output.stderr).trim_end().to_owned()),
            Err(error) => (Vec::new(), format!("cannot run {}: {error}", cargo.display())),
        };
        let built: Vec<Artifact> = Message::parse_stream(&messages[..])
            .filter_map(|message| match message {
                Ok(Message::CompilerArtifact(artifact)) if artifact.executable.is_some() => Some(artifact),
                _ => None,
            })
            .collect();
        let mut artifacts = Artifacts::default();
        for &(package, target) in present {
            let executable = built
                .iter()
                .find(|artifact| artifact.package_id == package.id && target.is_built_by(artifact))
                .and_then(|artifact| artifact.executable.clone())
                .map(PathBuf::from)
                .ok_or_else(|| not_built(target, &failure));
            artifacts.insert(&root(package), target.clone(), executable);
        }
        artifacts
    }

    fn command(self, present: &[(&Package, &Target)]) -> Command {
        let mut command = Command::new(self.cargo);
        command.args(["build", "--keep-going", "--message-format=json-render-diagnostics"]).args(self.flags);
        command.arg("--manifest-path").arg(&present[0].0.manifest_path);
        for id in present.iter().map(|(package, _)| &package.id.repr).collect::<BTreeSet<_>>() {
            command.arg("--package").arg(id);
        }
        for target in present.iter().map(|(_, target)| target).collect::<BTreeSet<_>>() {
            command.arg(format!("--{}", target.kind.word())).arg(&target.name);
        }
        for name in self.without {
            command.env_remove(name);
        }
        command.stdin(self.stdin).stdout(Stdio::piped());
        command.stderr(if self.shown { Stdio::inherit() } else { Stdio::piped() });
        command
    }
}

/// Returns the package in this folder. cargo is asked without the variables in `without`.
pub fn package(cargo: &Path, folder: &Path, without: &[String]) -> Result<Package, CargoError> {
    let manifest = folder.join("Cargo.toml");
    let same = |package: &Package| fs::canonicalize(&package.manifest_path).ok() == fs::canonicalize(&manifest).ok();
    let found = metadata(cargo, &manifest, without)?.packages.into_iter().find(same);
    found.ok_or(CargoError::NoPackage(manifest))
}

/// Returns the root of the workspace that contains the package in this folder.
pub fn workspace(cargo: &Path, folder: &Path) -> Result<PathBuf, CargoError> {
    metadata(cargo, &folder.join("Cargo.toml"), &[]).map(|metadata| metadata.workspace_root.into())
}

/// Returns the version of the compiler, such as `1.95.0`, or `None` if it does not answer.
pub fn rustc_version(rustc: &Path, folder: &Path) -> Option<String> {
    let output = Command::new(rustc).arg("--version").current_dir(folder).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.strip_prefix("rustc ")?.split_whitespace().next().map(str::to_owned)
}

/// Returns the profile of an executable that cargo built. cargo names the folder after it, except
/// that the built-in profiles `dev` and `test` share `debug`, and `release` and `bench` `release`.
pub fn profile(executable: &Path) -> Option<&str> {
    let folders = executable.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    let folder = folders.into_iter().find(|folder| !["examples", "deps"].contains(folder))?;
    Some(if folder == "debug" { "dev" } else { folder })
}

fn metadata(cargo: &Path, manifest: &Path, without: &[String]) -> Result<Metadata, CargoError> {
    let mut command = MetadataCommand::new();
    for name in without {
        command.env_remove(name);
    }
    command.cargo_path(cargo).manifest_path(manifest).no_deps();
    command.exec().map_err(|source| CargoError::Metadata { manifest: manifest.to_owned(), source })
}

/// Returns the folder of a package.
pub fn root(package: &Package) -> PathBuf {
    package.manifest_path.parent().map_or_else(PathBuf::new, |folder| folder.as_std_path().to_owned())
}

fn unknown(package: &Package, target: &Target) -> NotBuilt {
    let word = target.kind.word();
    let names: Vec<&str> =
        package.targets.iter().filter(|known| target.kind.is_of(known)).map(|known| known.name.as_str()).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    NotBuilt(format!("package {} has no {word} target named `{}` (it has: {known})", package.name, target.name))
}

fn not_built(target: &Target, failure: &str) -> NotBuilt {
    let subject = format!("cargo could not build the {} target `{}`", target.kind.word(), target.name);
    NotBuilt(match failure {
        "" => format!("{subject}: see its messages above"),
        failure => format!("{subject}:\n{failure}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: TargetKind, name: &str) -> Target {
        Target { kind, name: name.to_owned() }
    }

    #[test]
    fn only_cargo_targets_need_cargo() {
        for (program, wanted) in [
            (Program::Command(vec!["ls".to_owned()]), None),
            (Program::Bin("a".to_owned()), Some(target(TargetKind::Bin, "a"))),
            (Program::Example("b".to_owned()), Some(target(TargetKind::Example, "b"))),
            (Program::Test("c".to_owned()), Some(target(TargetKind::Test, "c"))),
            (Program::Bench("d".to_owned()), Some(target(TargetKind::Bench, "d"))),
            (Program::Run("e".to_owned()), None),
        ] {
            assert_eq!(Target::of(&program), wanted);
        }
    }

    #[test]
    fn artifacts_round_trip_through_their_file() {
        let mut artifacts = Artifacts::default();
        artifacts.insert(Path::new("/a"), target(TargetKind::Bin, "x"), Ok(PathBuf::from("/t/x")));
        artifacts.insert(Path::new("/b"), target(TargetKind::Test, "y"), Err(NotBuilt("broken\nlines".to_owned())));
        let folder = tempfile::tempdir().expect("temporary directory");
        let file = folder.path().join("artifacts");
        fs::write(&file, artifacts.to_lines().expect("JSON")).expect("file");
        let read = Artifacts::read(&file).expect("artifacts");
        assert_eq!(read, artifacts);
        assert!(!read.complete());
        assert_eq!(read.get(Path::new("/a"), &target(TargetKind::Bin, "x")), Some(Ok(Path::new("/t/x"))));
        assert_eq!(
            read.get(Path::new("/b"), &target(TargetKind::Test, "y")),
            Some(Err(&NotBuilt("broken\nlines".to_owned())))
        );
        assert_eq!(read.get(Path::new("/b"), &target(TargetKind::Bin, "x")), None);
    }

    #[test]
    fn one_cargo_call_builds_all_targets() {
        let this = package(Path::new("cargo"), Path::new(env!("CARGO_MANIFEST_DIR")), &[]).expect("this package");
        let flags = [OsString::from("--release")];
        let build =
            Build { cargo: Path::new("cargo"), flags: &flags, shown: false, stdin: Stdio::null(), without: &[] };
        let (one, two) = (target(TargetKind::Bin, "one"), target(TargetKind::Example, "two"));
        let command = build.command(&[(&this, &one), (&this, &two)]);
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        assert_eq!(arguments[..4], ["build", "--keep-going", "--message-format=json-render-diagnostics", "--release"]);
        assert_eq!(arguments[6..], ["--package", &this.id.repr, "--bin", "one", "--example", "two"]);
    }

    #[test]
    fn unknown_target_is_reported_without_calling_cargo() {
        let this = package(Path::new("cargo"), Path::new(env!("CARGO_MANIFEST_DIR")), &[]).expect("this package");
        let build =
            Build { cargo: Path::new("/nonexistent"), flags: &[], shown: false, stdin: Stdio::null(), without: &[] };
        let wanted = target(TargetKind::Bin, "nowhere");
        let artifacts = build.run(&[(&this, [wanted.clone()].into())]);
        let reason = artifacts.get(&root(&this), &wanted).expect("it was asked for").expect_err("it is not there");
        assert!(reason.0.starts_with("package sysguard has no bin target named `nowhere` (it has: "), "{reason}");
    }

    #[test]
    fn profile_is_taken_from_the_folder_name() {
        for (executable, profile) in [
            ("/target/debug/demo", "dev"),
            ("/target/debug/examples/demo", "dev"),
            ("/target/x86_64-unknown-linux-musl/release/deps/demo-0123", "release"),
            ("/target/small/demo", "small"),
        ] {
            assert_eq!(super::profile(Path::new(executable)), Some(profile), "{executable}");
        }
    }
}
