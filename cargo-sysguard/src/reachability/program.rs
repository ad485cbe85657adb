//! Finds a program by what the user calls it: a path, a name on PATH, or a binary of the package.
//! Main function: [`find`].

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use sysguard::unstable::artifacts::{self, Build, Target, TargetKind};
use sysguard::unstable::model::text::escape;
use sysguard::unstable::model::text::near::near;
use sysguard::unstable::runner::{Lookup, find_command};
use sysguard::unstable::settings::{Flags, Settings};

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::suites;

/// The beginning of the name of a package's own binary.
const BINARY: &str = "bin:";

/// Finds a program: `bin:NAME` is built, a path is taken as it is, and another name is looked for
/// on PATH.
pub(crate) fn find(
    name: &OsStr,
    packages: &PackageFlags,
    flags: &[OsString],
    context: &Context,
) -> Result<PathBuf, Failure> {
    if let Some(binary) = name.to_str().and_then(|name| name.strip_prefix(BINARY)) {
        return build(binary, packages, flags, &context.settings(Flags::default())?);
    }
    if name.as_encoded_bytes().contains(&b'/') {
        return Ok(PathBuf::from(name));
    }
    match find_command(name) {
        Lookup::Found(path) | Lookup::NotExecutable(path) => Ok(path),
        Lookup::Missing => {
            let name = escape::line(&name.to_string_lossy()).into_owned();
            let message = format!("cannot find {name} on PATH\nhelp: for a file in this folder, write ./{name}");
            Err(Failure { outcome: Outcome::NotStarted, message })
        }
    }
}

/// Builds a binary of the selected packages.
fn build(name: &str, packages: &PackageFlags, flags: &[OsString], settings: &Settings) -> Result<PathBuf, Failure> {
    let packages = packages.select(&settings.cargo)?.packages;
    let binaries = || packages.iter().flat_map(|package| package.targets.iter().filter(|target| target.is_bin()));
    let has_it = |package: &&cargo_metadata::Package| {
        package.targets.iter().any(|target| target.is_bin() && target.name == name)
    };
    let Some(package) = packages.iter().find(has_it) else {
        const MOST: usize = 3;
        let near = near(name, binaries().map(|target| target.name.as_str()));
        let near: Vec<String> = near.into_iter().take(MOST).map(str::to_owned).collect();
        let hint = message::did_you_mean(&near).unwrap_or_default();
        return Err(Failure::usage(format!("no selected package has a binary `{}`{hint}", escape::line(name))));
    };
    let target = Target { kind: TargetKind::Bin, name: name.to_owned() };
    let colour = suites::colour_flags(settings.colour);
    let arguments: Vec<OsString> = flags.iter().cloned().chain(colour).collect();
    let build = Build {
        cargo: &settings.cargo,
        flags: &arguments,
        shown: true,
        stdin: std::process::Stdio::null(),
        without: &[],
    };
    let built = build.run(&[(package, [target.clone()].into())]);
    let not_built = |reason: String| Failure { outcome: Outcome::NotStarted, message: reason };
    match built.get(&artifacts::root(package), &target) {
        Some(Ok(executable)) => Ok(executable.to_owned()),
        Some(Err(reason)) => Err(not_built(reason.to_string())),
        None => Err(not_built(format!("cargo did not build the binary `{}`", escape::line(name)))),
    }
}
