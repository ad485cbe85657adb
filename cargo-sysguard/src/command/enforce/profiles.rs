//! The profiles of workloads: one, or one for each phase. Main type: [`Profiles`].

use std::path::{Path, PathBuf};

use enforce::format::{Format, Heading, Input, NotWritten};
use enforce::phases::{from_phase, order};
use enforce::policy::Options as PolicyOptions;
use enforce::{Policy, Source};
use sysguard::unstable::model::expectation::Baseline;
use sysguard::unstable::model::run::platform::Platform;

use super::Options;
use crate::exit_code::Failure;

/// The profiles that are asked for, in the order of the phases.
#[derive(Debug)]
pub(super) struct Profiles<'a> {
    sources: &'a [Source<'a>],
    pub(super) format: Format,
    pub(super) profiles: Vec<Profile>,
}

/// The profile of a program, or of it from a phase on.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) policy: Policy,
    heading: Heading,
    /// The baselines from the phase on, in the order of the workloads.
    baselines: Vec<Baseline>,
}

/// The content of a profile's file, with its phase.
pub(super) type File<'p> = (Option<&'p str>, Vec<u8>);

impl Profile {
    /// Returns the phase, if there is one for each.
    pub(super) fn phase(&self) -> Option<&str> {
        self.heading.phase.as_deref()
    }
}

impl<'a> Profiles<'a> {
    /// Makes the profiles.
    pub(super) fn of(
        asked: &Options,
        sources: &'a [Source<'a>],
        platform: &Platform,
        format: Format,
    ) -> Result<Self, Failure> {
        let proof = asked.proven(sources.len());
        let heading = |phase| Heading { platform: platform.clone(), phase, proof: proof.clone() };
        let options = |tightens| PolicyOptions {
            action: asked.action,
            arguments: asked.arguments,
            runtime: asked.runtime,
            tightens,
            starts: asked.per_phase.is_none() && format.starts_program(),
        };
        let Some(phases) = &asked.per_phase else {
            let policy = Policy::of(sources, &options(false));
            let baselines = sources.iter().map(|source| source.baseline.clone()).collect();
            return Ok(Self { sources, format, profiles: vec![Profile { policy, heading: heading(None), baselines }] });
        };
        if !format.is_for_programs() {
            return Err(Failure::usage(format!(
                "a running program cannot install a profile of the format {}\nhelp: choose seccompiler, libseccomp, bpf or rust for --per-phase",
                format.name()
            )));
        }
        let phases =
            order(sources, phases).map_err(|error| Failure::usage(format!("{error}\nhelp: {}", error.help())))?;
        let from = |(at, phase): (usize, &String)| {
            let later = &phases[at..];
            let baselines: Vec<Baseline> = sources.iter().map(|source| from_phase(source.baseline, later)).collect();
            let policy = Policy::of(&with(sources, &baselines), &options(later.len() > 1));
            Profile { policy, heading: heading(Some(phase.clone())), baselines }
        };
        Ok(Self { sources, format, profiles: phases.iter().enumerate().map(from).collect() })
    }

    /// Returns the files of the profiles with their phases.
    pub(super) fn written(&self) -> Result<Vec<File<'_>>, Failure> {
        let written = |profile: &'_ Profile| {
            let sources = with(self.sources, &profile.baselines);
            let input = Input { policy: &profile.policy, sources: &sources, heading: &profile.heading };
            self.format.write(&input).map_err(|error| {
                let hint = match error {
                    NotWritten::Action(_) => "help: choose another --format, or another --action",
                    _ => "help: choose another --format",
                };
                Failure::failed(format!("cannot write the profile as {}: {error}\n{hint}", self.format.name()))
            })
        };
        self.profiles.iter().map(|profile| Ok((profile.phase(), written(profile)?))).collect()
    }
}

/// Returns the sources with other baselines.
fn with<'a>(sources: &[Source<'a>], baselines: &'a [Baseline]) -> Vec<Source<'a>> {
    sources.iter().zip(baselines).map(|(source, baseline)| Source { baseline, ..*source }).collect()
}

/// Returns the file of a phase's profile: FILE with the phase before its extension.
pub(super) fn path_of(file: &Path, phase: Option<&str>) -> PathBuf {
    let Some(phase) = phase else { return file.to_owned() };
    match file.extension() {
        Some(extension) => {
            let mut with_phase = std::ffi::OsString::from(phase);
            with_phase.extend(["."].map(std::ffi::OsStr::new));
            with_phase.push(extension);
            file.with_extension(with_phase)
        }
        None => file.with_extension(phase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_is_before_the_extension() {
        for (file, phase, path) in [
            ("a.json", None, "a.json"),
            ("out/a.json", Some("serving"), "out/a.serving.json"),
            ("a", Some("serving"), "a.serving"),
            ("a.b.c", Some("x.y"), "a.b.x.y.c"),
        ] {
            assert_eq!(path_of(Path::new(file), phase), Path::new(path));
        }
    }
}
