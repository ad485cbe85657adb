//! The expectation files of the selected packages, without tracing anything. Main type:
//! [`Workload`].

use sysguard::unstable::model::expectation::Expectation;
use sysguard::unstable::model::explain::Recorded;
use sysguard::unstable::store::StoreError;

use crate::proposals::Proposals;

/// One workload as its file describes it.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: String,
    /// The path of the file, relative to the workspace.
    pub(crate) file: String,
    pub(crate) expectation: Expectation,
}

impl Workload {
    /// Returns the input for an explanation.
    pub(crate) fn recorded(&self) -> Recorded<'_> {
        Recorded { workload: &self.name, expectation: &self.expectation }
    }
}

/// Returns every readable workload, and the faults of the others.
pub(crate) fn all(proposals: &Proposals) -> (Vec<Workload>, Vec<StoreError>) {
    let (mut workloads, mut faults) = (Vec::new(), Vec::new());
    for (folder, store) in proposals.packages() {
        for name in store.names() {
            match store.load(name) {
                Ok(parsed) => workloads.push(Workload {
                    name: name.to_owned(),
                    file: proposals.file_below(folder, store, name),
                    expectation: parsed.expectation,
                }),
                Err(fault) => faults.push(fault),
            }
        }
    }
    (workloads, faults)
}
