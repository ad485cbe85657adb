//! What cargo knows and does: which packages are selected, and cargo's own flags in cargo's own
//! words. Main types: [`PackageFlags`] for commands that only read, [`BuildFlags`] for those that
//! build, and [`TargetFlags`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use clap::ArgAction;
use sysguard::artifacts::CLOSURES;
use sysguard::model::run::workload::Program;

use crate::exit_code::Failure;

/// Which packages are meant, and how cargo reads their manifests.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PackageFlags {
    #[command(flatten, next_help_heading = "Package selection")]
    workspace: clap_cargo::Workspace,
    #[command(flatten, next_help_heading = "Manifest options")]
    manifest: clap_cargo::Manifest,
    #[command(flatten)]
    access: Access,
}

/// Which packages are meant, and how cargo builds them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct BuildFlags {
    #[command(flatten)]
    pub(crate) packages: PackageFlags,
    #[command(flatten, next_help_heading = "Feature selection")]
    features: clap_cargo::Features,
    #[command(flatten)]
    compilation: Compilation,

    /// Say less
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

/// Which targets' workloads are meant; a command belongs to no target.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Target selection")]
pub(crate) struct TargetFlags {
    /// Only workloads of the library (there are none yet)
    #[arg(long)]
    lib: bool,
    /// Only workloads that run this binary
    #[arg(long, value_name = "NAME")]
    bin: Vec<String>,
    /// Only workloads that run a binary
    #[arg(long)]
    bins: bool,
    /// Only workloads that run this example
    #[arg(long, value_name = "NAME")]
    example: Vec<String>,
    /// Only workloads that run an example
    #[arg(long)]
    examples: bool,
    /// Only workloads that run this test target
    #[arg(long, value_name = "NAME")]
    test: Vec<String>,
    /// Only workloads that run a test target
    #[arg(long)]
    tests: bool,
    /// Only workloads that run this benchmark
    #[arg(long, value_name = "NAME")]
    bench: Vec<String>,
    /// Only workloads that run a benchmark
    #[arg(long)]
    benches: bool,
    /// Only workloads that run any target
    #[arg(long)]
    all_targets: bool,
}

impl TargetFlags {
    /// Whether any target is named.
    pub(crate) fn given(&self) -> bool {
        let Self { lib, bin, bins, example, examples, test, tests, bench, benches, all_targets } = self;
        [lib, bins, examples, tests, benches, all_targets].into_iter().any(|given| *given)
            || [bin, example, test, bench].into_iter().any(|names| !names.is_empty())
    }

    /// Whether workloads that run this program are meant.
    pub(crate) fn select(&self, program: &Program) -> bool {
        !self.given()
            || match program {
                Program::Command(_) | Program::Run(_) => false,
                _ if self.all_targets => true,
                Program::Bin(name) => self.bins || self.bin.contains(name),
                Program::Example(name) => self.examples || self.example.contains(name),
                Program::Test(name) => self.tests || self.test.contains(name),
                Program::Closure(_) => self.tests || self.test.contains(&CLOSURES.target().name),
                Program::Bench(name) => self.benches || self.bench.contains(name),
            }
    }
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Compilation options")]
struct Compilation {
    /// Build with optimizations
    #[arg(short, long, conflicts_with = "profile")]
    release: bool,
    /// Build with this profile
    #[arg(long, value_name = "PROFILE-NAME")]
    profile: Option<String>,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Directory for all that is built
    #[arg(long, value_name = "DIRECTORY")]
    target_dir: Option<PathBuf>,
    /// Number of parallel build jobs
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    jobs: Option<String>,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Manifest options")]
struct Access {
    /// Cargo.lock must stay unchanged
    #[arg(long)]
    locked: bool,
    /// No network
    #[arg(long)]
    offline: bool,
    /// --locked and --offline
    #[arg(long)]
    frozen: bool,
}

impl BuildFlags {
    /// The flags by which things are built, for cargo.
    pub(crate) fn build_flags(&self) -> Vec<OsString> {
        self.build_flags_into(self.compilation.target_dir.as_deref())
    }

    /// The same, but built into this directory.
    pub(crate) fn build_flags_into(&self, target_dir: Option<&Path>) -> Vec<OsString> {
        let Compilation { release, profile, target, jobs, target_dir: _ } = &self.compilation;
        let mut flags = self.packages.lock_flags();
        let mut switch = |given: bool, flag: &str| {
            if given {
                flags.push(flag.into());
            }
        };
        switch(*release, "--release");
        switch(self.features.all_features, "--all-features");
        switch(self.features.no_default_features, "--no-default-features");
        switch(self.quiet, "--quiet");
        for _ in 0..self.verbose {
            switch(true, "--verbose");
        }
        let mut option = |flag: &str, value: Option<OsString>| {
            if let Some(value) = value {
                flags.extend([flag.into(), value]);
            }
        };
        option("--profile", profile.clone().map(OsString::from));
        option("--target", target.clone().map(OsString::from));
        option("--target-dir", target_dir.map(OsString::from));
        option("--jobs", jobs.clone().map(OsString::from));
        for feature in &self.features.features {
            option("--features", Some(feature.into()));
        }
        flags
    }

    /// The features that are asked for of a package: `default` unless it is switched off, and what
    /// is named.
    pub(crate) fn features_of(&self, package: &Package) -> impl Iterator<Item = String> {
        let clap_cargo::Features { all_features, no_default_features, features, .. } = &self.features;
        let all = package.features.keys().filter(|_| *all_features).cloned();
        let default = (!no_default_features).then(|| "default".to_owned());
        // cargo takes several in one word, and `PACKAGE/FEATURE`.
        let named = features.iter().flat_map(|names| names.split([',', ' ']));
        let named = named.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
        all.chain(default).chain(named)
    }

    /// The triple that is built for, where the user names one.
    pub(crate) fn target(&self) -> Option<&str> {
        self.compilation.target.as_deref()
    }
}

impl PackageFlags {
    /// Whether there is a manifest to start from: one that is named, or one above this folder.
    pub(crate) fn is_in_a_project(&self) -> bool {
        self.manifest.manifest_path.is_some() || nearest_manifest().is_some()
    }

    /// The words that select the same packages again, each after a blank.
    pub(crate) fn selection(&self) -> String {
        let clap_cargo::Workspace { package, workspace, all, exclude, .. } = &self.workspace;
        let mut words = String::new();
        for (flag, values) in [("-p", package), ("--exclude", exclude)] {
            words.extend(values.iter().map(|value| format!(" {flag} {value}")));
        }
        if *workspace || *all {
            words.insert_str(0, " --workspace");
        }
        let manifest = self.manifest.manifest_path.as_ref();
        words.extend(manifest.map(|path| format!(" --manifest-path {}", path.display())));
        words
    }

    /// `--locked`, `--offline` and `--frozen`, as given.
    pub(crate) fn lock_flags(&self) -> Vec<OsString> {
        let Access { locked, offline, frozen } = self.access;
        let given = [(locked, "--locked"), (offline, "--offline"), (frozen, "--frozen")];
        given.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.into()).collect()
    }

    /// The workspace as cargo sees it, and the packages that the flags select.
    pub(crate) fn select(&self, cargo: &Path) -> Result<Selected, Failure> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo).no_deps();
        if let Some(path) = &self.manifest.manifest_path {
            command.manifest_path(path);
        }
        command.other_options(
            self.lock_flags().into_iter().filter_map(|flag| flag.into_string().ok()).collect::<Vec<_>>(),
        );
        // Its messages become part of ours.
        command.env("CARGO_TERM_COLOR", "never");
        let metadata = command.exec().map_err(|error| match error {
            cargo_metadata::Error::CargoMetadata { stderr } => Failure::usage(without_label(&stderr)),
            other => Failure::usage(format!("cannot ask cargo about the workspace: {other}")),
        })?;
        let packages = self.packages(&metadata)?.into_iter().cloned().collect();
        Ok(Selected { root: metadata.workspace_root.into(), packages })
    }

    fn packages<'m>(&self, metadata: &'m Metadata) -> Result<Vec<&'m Package>, Failure> {
        let members = metadata.workspace_packages();
        let named = |specs: &[String]| -> Result<Vec<&'m Package>, Failure> {
            let mut found = Vec::new();
            for spec in specs {
                let before = found.len();
                found.extend(members.iter().copied().filter(|package| names(spec, package)));
                if found.len() == before {
                    let known: Vec<&str> = members.iter().map(|package| package.name.as_str()).collect();
                    let known = known.join(", ");
                    return Err(Failure::usage(format!(
                        "no package of the workspace is named `{spec}` (it has: {known})"
                    )));
                }
            }
            Ok(found)
        };
        let clap_cargo::Workspace { package, workspace, all, exclude, .. } = &self.workspace;
        let everything = *workspace || *all;
        if !exclude.is_empty() && !everything {
            return Err(Failure::usage("--exclude can only be used together with --workspace"));
        }
        let excluded = named(exclude)?;
        let mut selected = match (everything, package.is_empty()) {
            (true, _) => members.clone(),
            (false, false) => named(package)?,
            (false, true) => self.default_packages(metadata, &members),
        };
        selected.retain(|package| !excluded.iter().any(|other| other.id == package.id));
        selected.sort_by(|a, b| a.id.cmp(&b.id));
        selected.dedup_by(|a, b| a.id == b.id);
        Ok(selected)
    }

    /// Below a member, that member; else the workspace's default members.
    fn default_packages<'m>(&self, metadata: &'m Metadata, members: &[&'m Package]) -> Vec<&'m Package> {
        let manifest = self.manifest.manifest_path.clone().or_else(nearest_manifest);
        let manifest = manifest.and_then(|path| fs::canonicalize(path).ok());
        let here = members.iter().find(|package| {
            fs::canonicalize(&package.manifest_path).ok() == manifest
                && package.manifest_path.parent() != Some(&metadata.workspace_root)
        });
        here.map_or_else(|| metadata.workspace_default_packages(), |package| vec![*package])
    }
}

/// The workspace and what is selected of it.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The workspace's folder.
    pub(crate) root: PathBuf,
    /// The selected packages, in order.
    pub(crate) packages: Vec<Package>,
}

/// Whether a package id specification means this package: a name, perhaps with wildcards,
/// `name@version`, or a whole id.
fn names(spec: &str, package: &Package) -> bool {
    let name = package.name.as_str();
    let versioned =
        spec.split_once('@').is_some_and(|(of, version)| of == name && version == package.version.to_string());
    let matches = || glob::Pattern::new(spec).is_ok_and(|pattern| pattern.matches(name));
    versioned || spec == package.id.repr || matches()
}

fn nearest_manifest() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

/// cargo's message without the label that ours gets.
fn without_label(message: &str) -> &str {
    message.trim().trim_start_matches("error: ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: BuildFlags,
        #[command(flatten)]
        targets: TargetFlags,
    }

    fn parsed(line: &str) -> Line {
        Line::parse_from(std::iter::once("cargo").chain(line.split_whitespace()))
    }

    #[test]
    fn build_flags_go_to_cargo_as_they_came() {
        for line in [
            "",
            "--release",
            "--locked --offline --verbose --verbose --profile fast --target x86_64-unknown-linux-musl",
            "--frozen --all-features --no-default-features --quiet --target-dir /t --jobs 3 --features a,b --features c",
        ] {
            let flags: Vec<String> =
                parsed(line).flags.build_flags().into_iter().map(|flag| flag.into_string().expect("UTF-8")).collect();
            assert_eq!(flags.join(" "), line);
        }
    }

    #[test]
    fn target_flags_select_the_workloads_of_their_targets() {
        let programs = [
            Program::Command(vec!["ls".to_owned()]),
            Program::Bin("a".to_owned()),
            Program::Bin("b".to_owned()),
            Program::Example("a".to_owned()),
            Program::Test("a".to_owned()),
            Program::Bench("a".to_owned()),
        ];
        for (line, selected) in [
            ("", [true; 6]),
            ("--lib", [false; 6]),
            ("--bin a", [false, true, false, false, false, false]),
            ("--bins --example a", [false, true, true, true, false, false]),
            ("--tests", [false, false, false, false, true, false]),
            ("--bench a", [false, false, false, false, false, true]),
            ("--all-targets", [false, true, true, true, true, true]),
        ] {
            let targets = parsed(line).targets;
            assert_eq!(programs.each_ref().map(|program| targets.select(program)), selected, "{line}");
        }
    }
}
