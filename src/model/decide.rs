//! What to do about a comparison: a pure function from what was asked and what was found. Main type: [`Action`].

/// What `SYSGUARD_UPDATE` or `--update` asks for, as insta's `INSTA_UPDATE`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UpdateMode {
    /// [`UpdateMode::No`] in CI, else [`UpdateMode::New`].
    #[default]
    Auto,
    /// Write proposals beside the expectations.
    New,
    /// Write baselines where something differs.
    Always,
    /// Write baselines where there is none yet, else proposals.
    Unseen,
    /// Write nothing.
    No,
    /// Write every baseline.
    Force,
}

/// What is done with an expectation file after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing differs: nothing is written, and a stale proposal is removed.
    Keep,
    /// A proposal is written beside the file, and the run fails.
    Propose,
    /// The baseline is written, and the run passes.
    Bless,
    /// Nothing is written, and the run fails.
    Refuse,
}
