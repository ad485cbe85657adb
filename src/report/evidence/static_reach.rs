//! What the programs of workloads could call, beside what they did. Main type: [`StaticReach`].

use serde::Serialize;

/// The saved result of `reach` for the program of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticReach {
    /// How many of the reachable syscalls a run of the workload made.
    pub observed: u64,
    /// The number of syscalls that are reachable in its program and modules.
    pub reachable: u64,
    /// Whether they are an upper bound for these files.
    pub is_upper_bound: bool,
    /// A file that has changed since the analysis.
    pub changed: Option<String>,
}

/// How many of the syscalls that the program's code could make were observed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct StaticReachRecord<'a> {
    /// How many of the reachable syscalls a run of the program made.
    pub(super) observed: u64,
    /// The number of syscalls that are reachable in the program and its modules.
    pub(super) reachable: u64,
    /// Whether they are an upper bound for these files.
    pub(super) upper_bound: bool,
    /// A file that has changed since the analysis; null if none has.
    pub(super) changed: Option<&'a str>,
}

impl<'a> From<&'a StaticReach> for StaticReachRecord<'a> {
    fn from(reach: &'a StaticReach) -> Self {
        Self {
            observed: reach.observed,
            reachable: reach.reachable,
            upper_bound: reach.is_upper_bound,
            changed: reach.changed.as_deref(),
        }
    }
}

/// The title of the table.
pub(super) const TITLE: &str = "Observed of reachable syscalls";

/// What the table shows, in the words of both pages.
pub(super) const MEANING: &str = "Reachable: what code of the program, its libraries and known plug-ins could call, by a static analysis \
                                  (`cargo sysguard reach --save`). Observed: how many of these one run made.";

/// The columns of the table.
pub(super) const COLUMNS: [&str; 3] = ["Workload", "Observed of reachable", "Limits"];

impl StaticReachRecord<'_> {
    /// Returns `26 of 95`.
    pub(super) fn share(&self) -> String {
        format!("{} of {}", self.observed, self.reachable)
    }

    /// Returns what limits the result, as plain text.
    pub(super) fn limits(&self) -> String {
        let stale = self.changed.map(|file| format!("stale: {file} has changed since"));
        let unbounded = (!self.upper_bound).then(|| "no upper bound".to_owned());
        let limits: Vec<String> = stale.into_iter().chain(unbounded).collect();
        if limits.is_empty() {
            "no generated code, and no modules beyond those analysed".to_owned()
        } else {
            limits.join("; ")
        }
    }
}
