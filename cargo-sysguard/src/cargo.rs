//! cargo's own flags, with cargo's names, and the packages that they select. Main types:
//! [`PackageFlags`] for commands that only read, [`BuildFlags`] for commands that build, and
//! [`TargetFlags`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use clap::ArgAction;
use sysguard::unstable::artifacts::CLOSURES;
use sysguard::unstable::model::run::workload::Program;

use crate::exit_code::Failure;

/// The flags that select packages and control how cargo reads their manifests.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PackageFlags {
    #[command(flatten, next_help_heading = "Package selection")]
    workspace: clap_cargo::Workspace,
    #[command(flatten, next_help_heading = "Manifest options")]
    manifest: clap_cargo::Manifest,
    #[command(flatten)]
    access: Access,
}

/// The flags that select packages and control how cargo builds them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct BuildFlags {
    #[command(flatten)]
    pub(crate) packages: PackageFlags,
    #[command(flatten, next_help_heading = "Feature selection")]
    features: clap_cargo::Features,
    #[command(flatten)]
    compilation: Compilation,

    /// Print less
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print more
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

/// The flags that select workloads by the target that they run. A command has no target.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Target selection")]
pub(crate) struct TargetFlags {
    /// Accepted for compatibility with cargo; selects nothing
    #[arg(long)]
    lib: bool,
    /// Select workloads that run this binary
    #[arg(long, value_name = "NAME")]
    bin: Vec<String>,
    /// Select workloads that run any binary
    #[arg(long)]
    bins: bool,
    /// Select workloads that run this example
    #[arg(long, value_name = "NAME")]
    example: Vec<String>,
    /// Select workloads that run any example
    #[arg(long)]
    examples: bool,
    /// Select workloads that run this test target
    #[arg(long, value_name = "NAME")]
    test: Vec<String>,
    /// Select workloads that run any test target
    #[arg(long)]
    tests: bool,
    /// Select workloads that run this benchmark
    #[arg(long, value_name = "NAME")]
    bench: Vec<String>,
    /// Select workloads that run any benchmark
    #[arg(long)]
    benches: bool,
    /// Select workloads that run any target
    #[arg(long)]
    all_targets: bool,
}

impl TargetFlags {
    /// Returns whether any of the flags is given.
    pub(crate) fn given(&self) -> bool {
        let Self { lib, bin, bins, example, examples, test, tests, bench, benches, all_targets } = self;
        [lib, bins, examples, tests, benches, all_targets].into_iter().any(|given| *given)
            || [bin, example, test, bench].into_iter().any(|names| !names.is_empty())
    }

    /// Returns whether the flags select workloads that run this program.
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

#[derive(Debug, Clone, Default, clap::Args)]
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
    /// Directory for build artifacts
    #[arg(long, value_name = "DIRECTORY")]
    target_dir: Option<PathBuf>,
    /// Number of parallel build jobs
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    jobs: Option<String>,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Manifest options")]
struct Access {
    /// Require Cargo.lock to stay unchanged
    #[arg(long)]
    locked: bool,
    /// Do not access the network
    #[arg(long)]
    offline: bool,
    /// Equivalent to --locked and --offline
    #[arg(long)]
    frozen: bool,
}

impl BuildFlags {
    /// Returns the build flags for cargo.
    pub(crate) fn build_flags(&self) -> Vec<OsString> {
        self.build_flags_into(self.compilation.target_dir.as_deref())
    }

    /// Returns the build flags for cargo, with another target directory.
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

    /// Returns the flags that decide which program is built, each after a space.
    pub(crate) fn compilation_words(&self) -> String {
        let quiet = BuildFlags { compilation: self.compilation.clone(), ..BuildFlags::default() };
        let features = clap_cargo::Features::clone(&self.features);
        let flags = BuildFlags { features, ..quiet };
        let mut words = flags.build_flags().into_iter().map(|word| word.to_string_lossy().into_owned());
        let mut text = String::new();
        while let Some(word) = words.next() {
            if word == "--jobs" {
                words.next();
            } else {
                text.extend([" ", &word]);
            }
        }
        text
    }

    /// Returns how many runs are made at once: the value of `--jobs` as cargo reads it, else the
    /// number of CPUs.
    pub(crate) fn jobs(&self) -> usize {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.compilation.jobs.as_deref().and_then(|jobs| jobs.parse::<isize>().ok());
        jobs.map_or(cpus, |jobs| match usize::try_from(jobs) {
            Ok(jobs) => jobs,
            Err(_) => cpus.saturating_sub(jobs.unsigned_abs()),
        })
        .max(1)
    }

    /// Returns the requested features of a package: the named ones, and `default` unless it is
    /// turned off.
    pub(crate) fn features_of(&self, package: &Package) -> impl Iterator<Item = String> {
        let clap_cargo::Features { all_features, no_default_features, features, .. } = &self.features;
        let all = package.features.keys().filter(|_| *all_features).cloned();
        let default = (!no_default_features).then(|| "default".to_owned());
        // cargo accepts several features in one argument, and `PACKAGE/FEATURE`.
        let named = features.iter().flat_map(|names| names.split([',', ' ']));
        let named = named.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
        all.chain(default).chain(named)
    }

    /// Returns the value of `--target`.
    pub(crate) fn target(&self) -> Option<&str> {
        self.compilation.target.as_deref()
    }
}

impl PackageFlags {
    /// Returns whether `--manifest-path` is given or a folder above has a manifest.
    pub(crate) fn is_in_a_project(&self) -> bool {
        self.manifest.manifest_path.is_some() || nearest_manifest().is_some()
    }

    /// Returns the arguments that select the same packages again, each after a space.
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

    /// Returns `--locked`, `--offline` and `--frozen` as given.
    pub(crate) fn lock_flags(&self) -> Vec<OsString> {
        let Access { locked, offline, frozen } = self.access;
        let given = [(locked, "--locked"), (offline, "--offline"), (frozen, "--frozen")];
        given.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.into()).collect()
    }

    /// Returns the workspace and the packages that the flags select.
    pub(crate) fn select(&self, cargo: &Path) -> Result<Selected, Failure> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo).no_deps();
        if let Some(path) = &self.manifest.manifest_path {
            command.manifest_path(path);
        }
        command.other_options(
            self.lock_flags().into_iter().filter_map(|flag| flag.into_string().ok()).collect::<Vec<_>>(),
        );
        // cargo's messages become part of the error message.
        command.env("CARGO_TERM_COLOR", "never");
        let metadata = command.exec().map_err(|error| match error {
            cargo_metadata::Error::CargoMetadata { stderr } => Failure::usage(without_label(&stderr)),
            other => Failure::usage(format!("cannot read the metadata of the workspace: {other}")),
        })?;
        let packages = self.packages(&metadata)?.into_iter().cloned().collect();
        let (root, target) = (metadata.workspace_root.into(), metadata.target_directory.into());
        Ok(Selected { root, target, packages })
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
                        "the workspace has no package `{spec}`\nhelp: its packages are {known}"
                    )));
                }
            }
            Ok(found)
        };
        let clap_cargo::Workspace { package, workspace, all, exclude, .. } = &self.workspace;
        let everything = *workspace || *all;
        if !exclude.is_empty() && !everything {
            return Err(Failure::usage("--exclude requires --workspace"));
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

    /// Returns the member of the current folder, or else the default members of the workspace.
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

/// The workspace and its selected packages.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The workspace's folder.
    pub(crate) root: PathBuf,
    /// Its target directory.
    pub(crate) target: PathBuf,
    /// The selected packages, in order.
    pub(crate) packages: Vec<Package>,
}

/// Returns whether a package ID specification matches this package: a name or a pattern,
/// `name@version`, or a whole ID.
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

/// Returns a message of cargo without its `error:` label.
fn without_label(message: &str) -> &str {
    message.trim().trim_start_matches("error: ")
}

#[cfg(test)]
mod tests;
