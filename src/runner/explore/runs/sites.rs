//! Finds the packages on the stacks of calls. Main type: [`Sites`].

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::explore::survey::SurveyedCall;
use crate::model::observe::call_site::CallSite;
use crate::runner::manifests::Manifests;
use crate::runner::suite::Suite;

/// The manifests of a suite, read when first needed.
#[derive(Debug)]
pub(super) struct Sites<'a> {
    suite: &'a Suite,
    manifests: Mutex<Option<Manifests>>,
}

impl<'a> Sites<'a> {
    pub(super) fn of(suite: &'a Suite) -> Self {
        Self { suite, manifests: Mutex::new(None) }
    }

    /// Finds the packages on a stack, and names the files of the package relative to it.
    pub(super) fn resolve(&self, site: &mut CallSite) {
        if !site.frames.is_empty() {
            let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
            manifests.get_or_insert_with(|| Manifests::of(self.suite)).resolve(site);
            site.relative_to(&self.suite.package().to_string_lossy());
        }
    }

    /// As [`Self::resolve`], for the stacks of all calls.
    pub(super) fn resolve_all(&self, calls: &mut [SurveyedCall]) {
        let mut resolved: HashMap<u64, CallSite> = HashMap::new();
        for call in calls {
            let site = resolved.entry(call.point.stack).or_insert_with(|| {
                let mut site = std::mem::take(&mut call.site);
                self.resolve(&mut site);
                site
            });
            call.site.clone_from(site);
        }
    }
}
