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

/// Returns the format of a file, by its content.
pub(super) fn format_of(file: &Path) -> Result<Format, Failure> {
    Format::of(&content(file)?)
        .ok_or_else(|| Failure::usage(format!("the format of {} is not known\nhelp: name it by --format", shown(file))))
}

fn content(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| Failure::failed(format!("cannot read {}: {error}", shown(file))))
}

/// Prints each difference as one line.
pub(super) fn check(profiles: &Profiles<'_>, file: &Path) -> Result<Outcome, Failure> {
    let mut differing = Vec::new();
    let written = profiles.written()?;
    for (profile, (phase, new)) in profiles.profiles.iter().zip(&written) {
        let path = path_of(file, *phase);
        let read = |content: &[u8]| {
            let read = profiles.format.read(content);
            read.map_err(|error| Failure::failed(format!("cannot read {}: {error}", shown(&path))))
        };
        let old = content(&path)?;
        let differences = read(&old)?.differences(&read(new)?, |call| why(&profile.policy, call));
        let other = if differences.is_empty() { profiles.format.other_difference(&old, new) } else { None };
        let other = other.map(|part| format!("~ {part}"));
        let mut out = output::stdout();
        let lines = differences.iter().map(ToString::to_string).chain(other.clone());
        lines.into_iter().try_for_each(|line| writeln!(out, "{line}")).map_err(Failure::output)?;
        if !differences.is_empty() || other.is_some() {
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
