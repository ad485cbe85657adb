//! Runs closures that have no expectation file. Main type: [`CheckOptions`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::runnable::{Runnable, Wanted};
use super::suite::{Case, Suite};
use crate::model::expectation::Rule;
use crate::model::judge::verdict::{Asked, Verdict};
use crate::model::observe::observation::Observation;

/// The options of a closure without a file; a workload has them in its document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// The time limit of one run; `None`: the default of workloads.
    pub timeout: Option<Duration>,
    /// Variables that are added to the built environment.
    pub env: BTreeMap<String, String>,
    /// The reason to run it on request only.
    pub ignore: Option<String>,
    /// The rules that calls are compared with.
    pub rules: Vec<Rule>,
}

impl Suite {
    /// Returns the case of a closure that has no file.
    pub fn check(&self, name: &str, options: CheckOptions) -> Case {
        let mut case = self.closure(name.to_owned());
        if let Ok(parsed) = &mut case.content {
            let document = &mut parsed.expectation.document;
            let CheckOptions { timeout, env, ignore, rules } = options;
            document.workload.timeout = timeout.unwrap_or(document.workload.timeout);
            document.workload.env = env;
            document.ignore = ignore;
            // Assertions decide about these calls: a check has no findings.
            document.forbid = rules.iter().filter_map(Rule::condition).map(Rule::from).collect();
        }
        case
    }

    /// Runs a check's closure once and returns its observation.
    ///
    /// # Errors
    ///
    /// The verdict that says why there is none.
    pub fn observe_check(&self, case: &Case) -> Result<Observation, Box<Verdict>> {
        let mut observed = None;
        let verdict = self.verdict(case, |parsed| {
            observed = Some(self.prepare(&parsed.expectation.document)?.good_run(Wanted::Nothing)?.observation);
            Ok(Self::ignored(case, "it has no file"))
        });
        observed.ok_or_else(|| Box::new(Verdict { asked: Asked::Check, ..verdict }))
    }
}
