//! A closure that has assertions instead of an expectation file. Main type: [`Check`].

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Termination;
use std::sync::Arc;
use std::time::Duration;

use super::closure_body::ClosureBody;
use crate::model::expectation::Rule;
use crate::model::observe::observation::Observation;
use crate::runner::{Case, CheckOptions};

/// Assertions on an observation; like any assertion, they fail by a panic.
pub(super) type Assertions = Arc<dyn Fn(&Observation) + Send + Sync>;

/// A closure and assertions on what it uses, with options that a workload has in its file.
///
/// ```no_run
/// use std::time::Duration;
/// use sysguard::{Check, Harness, Subsystem};
///
/// fn main() -> std::process::ExitCode {
///     let read = || std::fs::read("/proc/sys/kernel/random/boot_id").map(drop);
///     Harness::new(env!("CARGO_MANIFEST_DIR"))
///         .check_with(
///             Check::new("offline", read, |seen| seen.forbid(Subsystem::Network))
///                 .timeout(Duration::from_secs(5))
///                 .env("RUST_LOG", "off"),
///         )
///         .check_with(
///             Check::new("download", || (), |seen| assert!(seen.uses(Subsystem::Network)))
///                 .ignore("requires a mirror"),
///         )
///         .main()
/// }
/// ```
#[must_use = "a check does nothing until it is added to a harness"]
pub struct Check {
    pub(super) name: String,
    pub(super) run: ClosureBody,
    pub(super) options: CheckOptions,
    pub(super) assertions: Assertions,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("options", &self.options).finish_non_exhaustive()
    }
}

impl Check {
    /// Creates a check of the closure `run`. `assertions` get the observation of one run.
    ///
    /// [`Harness::check`](super::Harness::check) describes how they are run.
    pub fn new<T: Termination>(
        name: impl Into<String>,
        run: impl FnOnce() -> T + 'static,
        assertions: impl Fn(&Observation) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            run: ClosureBody::new(run),
            options: CheckOptions::default(),
            assertions: Arc::new(assertions),
        }
    }

    /// Limits the time of one run: 60 s by default. After it, the processes of the closure are
    /// killed and the check fails.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sets an environment variable for the process that runs the closure. This process does not
    /// get it.
    ///
    /// Other variables are not inherited: a closure gets `PATH`, `HOME`, `TMPDIR`, `LANG`, `TZ`,
    /// `USER` and `PWD` with fixed values, unless they are set here.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.env.insert(name.into(), value.into());
        self
    }

    /// Compares each call with the ranges of addresses and the paths of these rules, so that the
    /// assertions can use them. Folders have the names of expectation files: `~` and `$TMPDIR` are
    /// scratch folders. A call that cannot be compared is the blind spot
    /// [`Unanswerable`](crate::BlindSpot::Unanswerable).
    ///
    /// ```no_run
    /// # use sysguard::{Check, Rule};
    /// let keys = Rule::default().path("~/.ssh/**");
    /// let check = Check::new("keys", || (), {
    ///     let keys = keys.clone();
    ///     move |seen| seen.forbid(keys.clone())
    /// });
    /// let check = check.rules([keys]);
    /// ```
    pub fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.options.rules.extend(rules);
        self
    }

    /// Runs the check on request only (`--ignored`, `--include-ignored`), as libtest's `#[ignore =
    /// "reason"]` does.
    pub fn ignore(mut self, reason: impl Into<String>) -> Self {
        self.options.ignore = Some(reason.into());
        self
    }
}

/// A check that can be run.
#[derive(Clone)]
pub(super) struct CheckCase {
    pub(super) case: Case,
    pub(super) assertions: Assertions,
}

impl fmt::Debug for CheckCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckCase").field("case", &self.case).finish_non_exhaustive()
    }
}

impl CheckCase {
    /// Runs the assertions.
    ///
    /// # Errors
    ///
    /// The message of the panic.
    pub(super) fn judge(&self, observation: &Observation) -> Result<(), String> {
        catch_unwind(AssertUnwindSafe(|| (self.assertions)(observation))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            text.unwrap_or("the check panicked").to_owned()
        })
    }
}
