//! `profile WORKLOAD…`: builds the workloads and profiles each in its own environment.

use std::io::Write;

use profile::report::Traced;
use profile::workload;
use sysguard::unstable::model::run::workload::Program;
use sysguard::unstable::runner::{Case, Suite};
use sysguard::unstable::settings::Flags;

use super::runs::{KernelNames, RunFailed, Sampled, traced};
use super::{Content, Options};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;
use crate::profiles::SavedProfiles;
use crate::suites::{self, Package};

impl Options {
    /// Profiles each selected workload.
    pub(super) fn workloads(&self, context: &Context) -> Result<Outcome, Failure> {
        let file = self.file().map_err(Failure::failed)?;
        let settings = context.settings(Flags::default())?;
        let names = KernelNames::read(&self.sampling()).map_err(failure)?;
        let packages = suites::open_all(&self.cargo.packages, suites::platform(&self.cargo)?, &settings)?;
        let all: Vec<&Case> = packages.iter().flat_map(|package| package.suite.cases()).collect();
        let selected = self.selected(&all)?;
        let is_selected = |case: &Case| selected.contains(&case.name);
        let built = suites::build(&packages, is_selected, |_| None, &settings.cargo, &self.cargo.build_flags());
        let target = self.cargo.packages.select(&settings.cargo)?.target;
        let saved = SavedProfiles::below(&target);
        let mut contents = Vec::new();
        for Package { metadata, mut suite } in packages {
            suite.add_artifacts(built.clone());
            for case in suite.cases().iter().filter(|case| is_selected(case)) {
                let sampled = self.sample(&suite, case)?;
                if let Some(function) = &self.annotate {
                    let text = self
                        .annotation(function, &sampled, &names)
                        .map_err(|failed| Failure::failed(failed.message))?;
                    contents.push(Content::Annotation(text));
                    continue;
                }
                let traced = if self.counts() { self.count_workload(&suite, case) } else { None };
                let record = sampled.record(
                    Some(&case.name),
                    case.document().map(|document| document.workload.words()).unwrap_or_default(),
                    traced,
                    &names,
                );
                if self.save {
                    saved.save(metadata.name.as_str(), &case.name, &record)?;
                }
                contents.push(Content::Profile(Box::new(record)));
            }
        }
        let written = self.write(&contents, file, &mut output::stdout());
        written.map_err(|error| Failure::failed(format!("cannot write the profile: {error}")))?;
        Ok(Outcome::Expected)
    }

    /// Returns the names of the selected workloads: those with exactly these names, or else those
    /// with one of the words in their name.
    fn selected(&self, all: &[&Case]) -> Result<Vec<String>, Failure> {
        let is_runnable = |case: &&&Case| {
            // Only cargo can start a test of `run`.
            case.document().is_none_or(|document| !matches!(document.workload.program, Program::Run(_)))
        };
        let cases: Vec<&Case> = all.iter().filter(is_runnable).copied().collect();
        let mut selected = Vec::new();
        for word in &self.workloads {
            let named: Vec<&&Case> = cases.iter().filter(|case| case.name == *word).collect();
            let matching = || cases.iter().filter(|case| case.name.contains(word.as_str()) && case.ignored().is_none());
            let found: Vec<&&Case> = if named.is_empty() { matching().collect() } else { named };
            if found.is_empty() {
                return Err(Failure::usage(format!(
                    "no workload matches `{word}`\nhelp: to profile a command, write `--` before it"
                )));
            }
            selected.extend(found.iter().map(|case| case.name.clone()));
        }
        selected.sort();
        selected.dedup();
        if selected.len() > 1 && self.annotate.is_none() && !self.format.has_several() {
            return Err(Failure::usage(format!(
                "--format {} holds one profile, but {} match\nhelp: name one of {}",
                self.format.name(),
                selected.len(),
                selected.join(", ")
            )));
        }
        Ok(selected)
    }

    fn sample(&self, suite: &Suite, case: &Case) -> Result<Sampled, Failure> {
        let sampling = self.sampling();
        Sampled::collect(&sampling, || {
            let run =
                workload::record(suite, case, sampling.frequency, sampling.call_graph).map_err(
                    |error| match error {
                        workload::Error::CannotRun(reason) => {
                            let message = format!("cannot run {}: {reason}", case.name);
                            Failure { outcome: Outcome::NotStarted, message }
                        }
                        workload::Error::Perf(error) => failure(error.into()),
                        other => Failure::failed(other),
                    },
                )?;
            if !run.ended_well {
                let ended = "did not end as its file expects; the end of its output";
                let text = format!("{} {ended}:\n{}", case.name, run.output.trim_end());
                // Ignore a closed standard error: this is only a warning.
                let _ = writeln!(anstream::stderr(), "{}", message::warning(&text));
            }
            Ok(run.recorded)
        })
    }

    /// Returns the counts of a traced run. A failure is only a warning: the samples are still
    /// reported.
    fn count_workload(&self, suite: &Suite, case: &Case) -> Option<Traced> {
        match traced(|| suite.observe_once(case)) {
            Ok(traced) => Some(traced),
            Err(reason) => {
                let text = format!("calls of {} are not counted: {reason}", case.name);
                // Ignore a closed standard error: this is only a warning.
                let _ = writeln!(anstream::stderr(), "{}", message::warning(&text));
                None
            }
        }
    }
}

fn failure(failed: RunFailed) -> Failure {
    let (outcome, message) = match failed {
        RunFailed::Perf(profile::perf::Error::Launch(error)) => (Outcome::NotStarted, error.to_string()),
        RunFailed::Perf(error @ profile::perf::Error::Failed(_)) => return Failure::failed(error),
        RunFailed::Perf(error) => (Outcome::Untraceable, error.to_string()),
        RunFailed::Usage(message) => (Outcome::Usage, message),
    };
    Failure { outcome, message }
}
