//! The expectation files of the selected packages, without tracing anything. Main type:
//! [`Workload`].

use std::path::PathBuf;

use sysguard::unstable::model::expectation::Expectation;
use sysguard::unstable::model::explain::{Proposed, Recorded};
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::store::StoreError;

use crate::proposals::Proposals;

/// One workload as its file describes it.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: String,
    /// The folder of its package.
    pub(crate) package: PathBuf,
    /// The path of the file, relative to the workspace.
    pub(crate) file: String,
    pub(crate) expectation: Expectation,
    /// The path of its proposal, relative to the workspace, and what is pending there.
    pending: Option<(String, Pending)>,
}

impl Workload {
    /// Returns the input for an explanation.
    pub(crate) fn recorded(&self) -> Recorded<'_> {
        let pending = self.pending.as_ref().map(|(file, pending)| Proposed { file, facts: pending.all() });
        Recorded { workload: &self.name, expectation: &self.expectation, pending }
    }
}

/// Returns every readable workload with what is pending, tests without a baseline included, and
/// the faults of the others.
pub(crate) fn all_with_pending(proposals: &Proposals) -> (Vec<Workload>, Vec<StoreError>) {
    let (mut workloads, mut faults) = all(proposals);
    let (found, unreadable) = proposals.all();
    for (place, pending) in found {
        let (name, file) = (place.1.clone(), proposals.file(&place));
        let expectation = pending.file().expectation.clone();
        let pending = Some((proposals.proposal_file(&place), pending));
        match workloads.iter_mut().find(|known| (&known.name, &known.file) == (&name, &file)) {
            Some(known) => known.pending = pending,
            None => {
                let package = proposals.folder(&place).to_owned();
                workloads.push(Workload { name, package, file, expectation, pending });
            }
        }
    }
    // An unreadable file with a proposal was found twice.
    let known: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.extend(unreadable.into_iter().filter(|fault| !known.contains(&fault.to_string())));
    (workloads, faults)
}

/// Returns every readable workload, and the faults of the others.
pub(crate) fn all(proposals: &Proposals) -> (Vec<Workload>, Vec<StoreError>) {
    let (mut workloads, mut faults) = (Vec::new(), Vec::new());
    for (folder, store) in proposals.packages() {
        for name in store.names() {
            match store.load(name) {
                Ok(parsed) => workloads.push(Workload {
                    name: name.to_owned(),
                    package: folder.to_owned(),
                    file: proposals.file_below(folder, store, name),
                    expectation: parsed.expectation,
                    pending: None,
                }),
                Err(fault) => faults.push(fault),
            }
        }
    }
    (workloads, faults)
}
