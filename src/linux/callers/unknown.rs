//! Stub without the feature `call-sites`, and for architectures other than x86_64 and aarch64:
//! stacks are not unwound. Main type: [`Callers`].

use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::CallSite;

/// Knows no call sites.
#[derive(Debug, Default)]
pub struct Callers(());

impl Callers {
    /// Returns an empty call site.
    pub fn of(&mut self, _task: Tid) -> CallSite {
        CallSite::default()
    }

    /// Returns 0.
    #[doc(hidden)]
    pub fn loaded_symbols(&self) -> usize {
        0
    }
}
