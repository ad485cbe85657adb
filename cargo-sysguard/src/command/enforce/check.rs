//! `--check FILE`: compares a profile with the one that follows from the baselines now. Main
//! function: [`check`].

use std::fs;
use std::io::Write;
use std::path::Path;

use enforce::Policy;
use enforce::format::Format;

use super::profiles::{Profiles, path_of};
use super::shown;
use crate::exit_code::{Failure, Outcome};
use crate::output;

/// Prints each difference as one line. Without a format, the content of a file tells it.
pub(super) fn check(profiles: &Profiles<'_>, file: &Path, format: Option<Format>) -> Result<Outcome, Failure> {
    let mut differing = Vec::new();
    for (at, profile) in profiles.profiles.iter().enumerate() {
        let path = path_of(file, profile.phase());
        let content =
            fs::read(&path).map_err(|error| Failure::failed(format!("cannot read {}: {error}", shown(&path))))?;
        let format = format.or_else(|| Format::of(&content)).ok_or_else(|| {
            Failure::usage(format!("the format of {} is not known\nhelp: name it by --format", shown(&path)))
        })?;
        let read = |content: &[u8]| {
            format.read(content).map_err(|error| Failure::failed(format!("cannot read {}: {error}", shown(&path))))
        };
        let (_, new) = &profiles.written(format)?[at];
        let differences = read(&content)?.differences(&read(new)?, |call| why(&profile.policy, call));
        let mut out = output::stdout();
        differences.iter().try_for_each(|difference| writeln!(out, "{difference}")).map_err(Failure::output)?;
        if !differences.is_empty() {
            differing.push(shown(&path));
        }
    }
    if differing.is_empty() {
        return Ok(Outcome::Expected);
    }
    Err(Failure::failed(format!(
        "{} does not follow from the baselines\nhelp: write it again by -o FILE instead of --check FILE",
        differing.join(", ")
    )))
}

/// Returns the first reason for which a policy allows a call.
fn why(policy: &Policy, call: &str) -> Option<String> {
    let allowed = policy.allowed.iter().find(|(syscall, _)| syscall.name() == call);
    allowed.and_then(|(_, allowed)| allowed.why.first()).map(ToString::to_string)
}
