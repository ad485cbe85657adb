//! Who built what a workload runs: a watching `cargo sysguard test`, the cargo that runs us, or we
//! ourselves. Main type: [`Targets`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use crate::artifacts::{self, Artifacts, Build, Target, TargetKind};

/// The executables of one package.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) package: PathBuf,
    pub(super) cargo: PathBuf,
    /// What we were told; it is as the user wants it built.
    pub(super) told: Artifacts,
    /// What cargo built for the test that we are.
    pub(super) binaries: BTreeMap<String, PathBuf>,
    /// What is about to be run: one call of cargo builds all of it.
    pub(super) wanted: BTreeSet<Target>,
    /// What we built ourselves, once it turned out to be needed.
    pub(super) built: OnceLock<Result<Artifacts, String>>,
}

impl Targets {
    /// The executable of a target, built if need be.
    pub(super) fn executable(&self, target: &Target) -> Result<PathBuf, String> {
        if let Some(known) = self.known(target) {
            return known;
        }
        let built = self.built.get_or_init(|| self.build(target)).as_ref().map_err(String::clone)?;
        match built.get(&self.package, target) {
            Some(executable) => executable.map(Path::to_owned).map_err(str::to_owned),
            None => Err(format!("the {} target `{}` was not among what was built", target.kind.word(), target.name)),
        }
    }

    fn known(&self, target: &Target) -> Option<Result<PathBuf, String>> {
        if let Some(told) = self.told.get(&self.package, target) {
            return Some(told.map(Path::to_owned).map_err(str::to_owned));
        }
        let binary = self.binaries.get(&target.name).filter(|_| target.kind == TargetKind::Bin);
        binary.map(|executable| Ok(executable.clone()))
    }

    fn build(&self, first: &Target) -> Result<Artifacts, String> {
        let package = artifacts::package(&self.cargo, &self.package, &[])?;
        let mut wanted: BTreeSet<Target> =
            self.wanted.iter().filter(|target| self.known(target).is_none()).cloned().collect();
        wanted.insert(first.clone());
        let build = Build { cargo: &self.cargo, flags: &[], shown: false, stdin: Stdio::null(), without: &[] };
        let mut built = Artifacts::default();
        for (target, executable) in build.run(&[(&package, wanted)]).of(&artifacts::root(&package)) {
            built.insert(&self.package, target, executable);
        }
        Ok(built)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_beats_what_cargo_names_and_both_beat_building() {
        let target = |name: &str| Target { kind: TargetKind::Bin, name: name.to_owned() };
        let package = PathBuf::from("/package");
        let mut told = Artifacts::default();
        told.insert(&package, target("told"), Ok(PathBuf::from("/told")));
        told.insert(&package, target("broken"), Err("it does not compile".to_owned()));
        told.insert(Path::new("/other"), target("foreign"), Ok(PathBuf::from("/foreign")));
        let binaries = ["told", "named", "broken"].map(|name| (name.to_owned(), PathBuf::from("/named")));
        let targets = Targets {
            package,
            cargo: PathBuf::from("/nonexistent/cargo"),
            told,
            binaries: binaries.into(),
            wanted: BTreeSet::new(),
            built: OnceLock::new(),
        };
        assert_eq!(targets.executable(&target("told")), Ok(PathBuf::from("/told")));
        assert_eq!(targets.executable(&target("named")), Ok(PathBuf::from("/named")));
        assert_eq!(targets.executable(&target("broken")), Err("it does not compile".to_owned()));
        let example = Target { kind: TargetKind::Example, name: "named".to_owned() };
        for unknown in [target("foreign"), example] {
            let reason = targets.executable(&unknown).expect_err("there is no cargo to build it");
            assert!(reason.starts_with("cannot ask cargo about /package/Cargo.toml: "), "{reason}");
        }
    }
}
