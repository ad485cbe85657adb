//! A package with one workload, and policies of its baseline. Main type: [`Blessed`].

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use enforce::policy::Options;
use enforce::trials::container::Container;
use enforce::trials::{Subject, Trials};
use enforce::{Policy, Source};
use libtest_mimic::{Completion, Failed};
use sysguard::unstable::model::expectation::Unseen;
use sysguard::unstable::model::judge::verdict::Status;
use sysguard::unstable::model::run::recording::Length;
use sysguard::unstable::runner::{Case, Silent, Suite};
use sysguard::unstable::settings::{Flags, RawSettings, platform, resolve};
use tempfile::TempDir;

/// A workload with a complete baseline.
pub(crate) struct Blessed {
    suite: Suite,
    folder: TempDir,
}

/// How many runs the trials make.
pub(crate) const RUNS: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

impl Blessed {
    /// Records a command, with more lines of its document.
    pub(crate) fn command(words: &[&str], more: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("status"), "3")?;
        let expectations = folder.path().join("expectations");
        fs::create_dir(&expectations)?;
        fs::write(expectations.join("it.yaml"), format!("version: 2\ncommand: {words:?}\n{more}"))?;
        let open = || -> Result<Suite, Failed> {
            let settings = resolve(&RawSettings::default(), Flags::default())?;
            Ok(Suite::open(folder.path(), Some(folder.path()), platform(), settings)?)
        };
        let suite = open()?;
        let case = suite.cases().first().ok_or("no workload")?;
        let verdict = suite.bless(case, Length::UntilQuiet, Unseen::Keep, &Silent);
        if !matches!(verdict.status, Status::Blessed | Status::Passed) {
            return Err(format!("not recorded: {:?}", verdict.status).into());
        }
        let suite = open()?;
        Ok(Self { suite, folder })
    }

    /// Returns the folder of the package. The file `status` in it holds `3`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn case(&self) -> Result<&Case, Failed> {
        Ok(self.suite.cases().first().ok_or("no workload")?)
    }

    pub(crate) fn policy(&self, options: &Options) -> Result<Policy, Failed> {
        let parsed = self.case()?.content.as_ref().map_err(|unreadable| unreadable.message.clone())?;
        Ok(Policy::of(&[Source::of("it", &parsed.expectation, &platform())?], options))
    }

    /// Runs the workload under a policy, without a container.
    pub(crate) fn tried(&self, policy: &Policy) -> Result<Trials, Failed> {
        self.tried_in(policy, Err("no container".to_owned()))
    }

    pub(crate) fn tried_in(&self, policy: &Policy, container: Result<Container, String>) -> Result<Trials, Failed> {
        let subject = Subject::new(policy, RUNS, container)?;
        subject.run(&self.suite, self.case()?, &Silent).map_err(|reason| reason.0.into())
    }
}

/// Ignores a trial, or fails it under `SYSGUARD_REQUIRE=1`.
pub(crate) fn ignored(reason: &str) -> Result<Completion, Failed> {
    let required = std::env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1");
    if required { Err(reason.into()) } else { Ok(Completion::ignored_with(reason)) }
}
