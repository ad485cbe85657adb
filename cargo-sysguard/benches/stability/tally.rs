//! The results of the runs. Main type: [`Tally`].

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// The counts of every program.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<String, Sums>);

#[derive(Default)]
struct Sums {
    runs: usize,
    failures: usize,
    /// The suspects, with the number of tests that reported each.
    suspects: BTreeMap<String, usize>,
    /// The reason it is not run here.
    ignored: Option<String>,
}

impl Tally {
    /// Counts a verdict. Returns a line for a failure.
    pub(crate) fn add(&mut self, verdict: &Value) -> Option<String> {
        let workload = verdict["workload"].as_str().unwrap_or_default();
        let sums = self.0.entry(workload.to_owned()).or_default();
        if verdict["status"]["kind"] == "ignored" {
            sums.ignored = verdict["status"]["reason"].as_str().map(str::to_owned);
            return None;
        }
        sums.runs += 1;
        for key in keys(&verdict["suspects"]) {
            *sums.suspects.entry(key.to_owned()).or_default() += 1;
        }
        let failed = verdict["status"]["kind"] != "passed";
        sums.failures += usize::from(failed);
        failed.then(|| format!("{workload}: {} {}", verdict["status"], keys(&verdict["findings"]).join(" ")))
    }

    pub(crate) fn failures(&self) -> usize {
        self.0.values().map(|sums| sums.failures).sum()
    }
}

fn keys(findings: &Value) -> Vec<&str> {
    findings.as_array().into_iter().flatten().filter_map(|finding| finding["key"].as_str()).collect()
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20} {:>6} {:>9}  suspects", "program", "tests", "failures")?;
        for (workload, Sums { runs, failures, suspects, ignored }) in &self.0 {
            let suspects: Vec<String> = suspects.iter().map(|(key, tests)| format!("{key} ({tests})")).collect();
            let remark = ignored.as_ref().map_or_else(|| suspects.join(", "), |reason| format!("ignored: {reason}"));
            writeln!(f, "{workload:<20} {runs:>6} {failures:>9}  {remark}")?;
        }
        let runs: usize = self.0.values().map(|sums| sums.runs).sum();
        writeln!(f, "{:<20} {runs:>6} {:>9}", "all", self.failures())
    }
}
