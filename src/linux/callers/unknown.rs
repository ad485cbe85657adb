//! Stub without the feature `call-sites`, and for systems and architectures other than Linux on
//! x86_64 and aarch64: stacks are not unwound. Main type: [`Callers`].

use std::marker::PhantomData;

#[cfg(feature = "unstable")]
use super::StackIdentity;
use crate::model::facts::site::NoSite;
#[cfg(feature = "unstable")]
use crate::model::kernel::call::Call;
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::CallSite;

/// A stub without files.
#[derive(Debug, Default)]
pub struct SymbolFiles(());

/// A stub without registers.
#[derive(Debug, Clone, Copy)]
pub struct WaitingParent(());

impl WaitingParent {
    /// Returns `None`.
    pub fn new(_task: Tid) -> Option<Self> {
        None
    }
}

/// A stub without call sites.
#[derive(Debug)]
pub struct Callers<'a>(PhantomData<&'a SymbolFiles>);

impl<'a> Callers<'a> {
    /// Returns the stub.
    pub fn new(_: &'a SymbolFiles) -> Self {
        Self(PhantomData)
    }

    /// Returns an empty call site.
    pub fn of(&mut self, _task: Tid) -> CallSite {
        CallSite::without_frames(NoSite::Unsupported)
    }

    /// Returns an empty call site.
    pub fn of_child(&mut self, _task: Tid, _parent: &WaitingParent) -> CallSite {
        CallSite::without_frames(NoSite::Unsupported)
    }

    /// Whether this build reads stacks.
    #[cfg(feature = "unstable")]
    pub const READS_STACKS: bool = false;

    /// Returns `None`.
    #[cfg(feature = "unstable")]
    pub fn identity(&mut self, _task: Tid, _call: &Call, _parent: Option<&WaitingParent>) -> Option<StackIdentity> {
        None
    }

    /// Does nothing.
    #[cfg(feature = "unstable")]
    pub fn changed(&mut self) {}

    /// Returns 0.
    #[doc(hidden)]
    pub fn loaded_symbols(&self) -> usize {
        0
    }
}
