//! Finds the executables that workloads run. They come from a parent `cargo sysguard test`, from
//! the cargo that runs this process, or from an own build. Main type: [`Targets`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use crate::artifacts::{self, Artifacts, Build, NotBuilt, Target, TargetKind};

/// The executables of one package.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) package: PathBuf,
    pub(super) cargo: PathBuf,
    /// Executables built by the parent `cargo sysguard test`, with the user's own flags.
    pub(super) prebuilt: Artifacts,
    /// Executables that cargo built for this test.
    pub(super) binaries: BTreeMap<String, PathBuf>,
    /// The targets that will be run; one call of cargo builds all of them.
    pub(super) wanted: BTreeSet<Target>,
    /// The result of the own build, once it was needed.
    pub(super) built: OnceLock<Result<Artifacts, NotBuilt>>,
}

impl Targets {
    /// Returns the executable of a target; builds it if needed.
    pub(super) fn executable(&self, target: &Target) -> Result<PathBuf, NotBuilt> {
        if let Some(known) = self.known(target) {
            return known;
        }
        let built = self.built.get_or_init(|| self.build(target)).as_ref().map_err(NotBuilt::clone)?;
        match built.get(&self.package, target) {
            Some(executable) => executable.map(Path::to_owned).map_err(NotBuilt::clone),
            None => Err(NotBuilt(format!("cargo did not build the {} target `{}`", target.kind.word(), target.name))),
        }
    }

    fn known(&self, target: &Target) -> Option<Result<PathBuf, NotBuilt>> {
        if let Some(prebuilt) = self.prebuilt.get(&self.package, target) {
            return Some(prebuilt.map(Path::to_owned).map_err(NotBuilt::clone));
        }
        let binary = self.binaries.get(&target.name).filter(|_| target.kind == TargetKind::Bin);
        binary.map(|executable| Ok(executable.clone()))
    }

    fn build(&self, first: &Target) -> Result<Artifacts, NotBuilt> {
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
    fn prebuilt_executables_come_before_cargos_and_a_build() {
        let target = |name: &str| Target { kind: TargetKind::Bin, name: name.to_owned() };
        let package = PathBuf::from("/package");
        let mut prebuilt = Artifacts::default();
        prebuilt.insert(&package, target("prebuilt"), Ok(PathBuf::from("/prebuilt")));
        prebuilt.insert(&package, target("broken"), Err(NotBuilt("it does not compile".to_owned())));
        prebuilt.insert(Path::new("/other"), target("foreign"), Ok(PathBuf::from("/foreign")));
        let binaries = ["prebuilt", "named", "broken"].map(|name| (name.to_owned(), PathBuf::from("/named")));
        let targets = Targets {
            package,
            cargo: PathBuf::from("/nonexistent/cargo"),
            prebuilt,
            binaries: binaries.into(),
            wanted: BTreeSet::new(),
            built: OnceLock::new(),
        };
        assert_eq!(targets.executable(&target("prebuilt")), Ok(PathBuf::from("/prebuilt")));
        assert_eq!(targets.executable(&target("named")), Ok(PathBuf::from("/named")));
        assert_eq!(targets.executable(&target("broken")), Err(NotBuilt("it does not compile".to_owned())));
        let example = Target { kind: TargetKind::Example, name: "named".to_owned() };
        for unknown in [target("foreign"), example] {
            let reason = targets.executable(&unknown).expect_err("there is no cargo to build it");
            assert!(reason.0.starts_with("cannot ask cargo about /package/Cargo.toml: "), "{reason}");
        }
    }
}
