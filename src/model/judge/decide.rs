//! Decides what to do after a comparison, as a pure function. Main type: [`Action`].
//!
//! It must not write files or detect CI: the caller passes the update mode and whether this is CI.

use std::fmt;
use std::str::FromStr;

use crate::model::facts::finding::Comparison;

/// The value of `SYSGUARD_UPDATE` or `--update`, modelled on insta's `INSTA_UPDATE`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UpdateMode {
    /// [`UpdateMode::No`] in CI, else [`UpdateMode::New`].
    #[default]
    Auto,
    /// Write proposals beside the expectations.
    New,
    /// Write baselines that differ.
    Always,
    /// Write missing baselines, and proposals for the others.
    Unseen,
    /// Write nothing.
    No,
    /// Write every baseline.
    Force,
}

/// An [`UpdateMode`] resolved for CI or for a developer's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Like [`UpdateMode::New`].
    New,
    /// Like [`UpdateMode::Always`].
    Always,
    /// Like [`UpdateMode::Unseen`].
    Unseen,
    /// Like [`UpdateMode::No`].
    No,
    /// Like [`UpdateMode::Force`].
    Force,
}

impl UpdateMode {
    /// Every mode, the default first.
    pub const ALL: [Self; 6] = [Self::Auto, Self::New, Self::Always, Self::Unseen, Self::No, Self::Force];

    /// Returns the name used on the command line and in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::New => "new",
            Self::Always => "always",
            Self::Unseen => "unseen",
            Self::No => "no",
            Self::Force => "force",
        }
    }

    /// Resolves the mode; only [`UpdateMode::Auto`] depends on CI.
    pub fn resolve(self, ci: bool) -> Update {
        match self {
            Self::Auto if ci => Update::No,
            Self::Auto | Self::New => Update::New,
            Self::Always => Update::Always,
            Self::Unseen => Update::Unseen,
            Self::No => Update::No,
            Self::Force => Update::Force,
        }
    }
}

impl fmt::Display for UpdateMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is no update mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not an update mode: use one of {}", UpdateMode::ALL.map(UpdateMode::name).join(", "))]
pub struct NotAnUpdateMode {
    given: String,
}

impl FromStr for UpdateMode {
    type Err = NotAnUpdateMode;

    fn from_str(text: &str) -> Result<Self, NotAnUpdateMode> {
        let known = Self::ALL.into_iter().find(|mode| mode.name() == text);
        known.ok_or_else(|| NotAnUpdateMode { given: text.to_owned() })
    }
}

/// What to do with an expectation file after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// As expected: write nothing, and remove a stale proposal.
    Keep,
    /// Write a proposal beside the file, and fail.
    Propose,
    /// Write the baseline, and pass.
    Bless,
    /// Write nothing, and fail.
    Refuse,
}

/// Returns the action for a workload after a run that ended as expected.
///
/// A broken `forbid:` rule is refused in every mode. A missing baseline fails like a finding. Notes
/// alone pass; only modes that write baselines add them. Removed facts never cause a write.
pub fn decide(update: Update, has_baseline: bool, comparison: &Comparison) -> Action {
    if comparison.is_forbidden() {
        return Action::Refuse;
    }
    let fails = !has_baseline || !comparison.findings.is_empty();
    let differs = fails || !comparison.notes.is_empty();
    match update {
        Update::Force => Action::Bless,
        Update::Always if differs => Action::Bless,
        Update::Unseen if !has_baseline => Action::Bless,
        Update::New | Update::Unseen if fails => Action::Propose,
        Update::No if fails => Action::Refuse,
        _ => Action::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::blind_spot::BlindSpot;
    use crate::model::facts::fact::Fact;
    use crate::model::facts::finding::Finding;

    #[test]
    fn ci_matters_only_in_auto_mode() {
        for (mode, in_ci, elsewhere) in [
            (UpdateMode::Auto, Update::No, Update::New),
            (UpdateMode::New, Update::New, Update::New),
            (UpdateMode::Always, Update::Always, Update::Always),
            (UpdateMode::Unseen, Update::Unseen, Update::Unseen),
            (UpdateMode::No, Update::No, Update::No),
            (UpdateMode::Force, Update::Force, Update::Force),
        ] {
            assert_eq!((mode.resolve(true), mode.resolve(false)), (in_ci, elsewhere), "{mode}");
        }
    }

    #[test]
    fn mode_is_parsed_and_error_lists_modes() {
        for mode in UpdateMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        let error = "yes".parse::<UpdateMode>().expect_err("no such mode");
        let expected = "`yes` is not an update mode: use one of auto, new, always, unseen, no, force";
        assert_eq!(error.to_string(), expected);
    }

    /// Each row: the comparison, then the action of each mode without and with a baseline.
    #[test]
    fn every_situation_has_one_action() {
        use Action::{Bless, Keep, Propose, Refuse};
        let updates = [Update::New, Update::Always, Update::Unseen, Update::No, Update::Force];
        let finding = || Finding::new(Fact::BlindSpot(BlindSpot::IoUring.into()), 0);
        let forbidden = || Finding { forbidden: Some("never".to_owned()), ..finding() };
        let found =
            |findings, notes| Comparison { findings, notes, gone: vec![finding().fact], ..Comparison::default() };
        for (name, comparison, without_baseline, with_baseline) in [
            ("nothing", found(vec![], vec![]), [Propose, Bless, Bless, Refuse, Bless], [Keep, Keep, Keep, Keep, Bless]),
            (
                "notes",
                found(vec![], vec![finding()]),
                [Propose, Bless, Bless, Refuse, Bless],
                [Keep, Bless, Keep, Keep, Bless],
            ),
            (
                "findings",
                found(vec![finding()], vec![]),
                [Propose, Bless, Bless, Refuse, Bless],
                [Propose, Bless, Propose, Refuse, Bless],
            ),
            ("forbidden", found(vec![finding(), forbidden()], vec![]), [Refuse; 5], [Refuse; 5]),
        ] {
            let decided = |has_baseline| updates.map(|update| decide(update, has_baseline, &comparison));
            assert_eq!(decided(false), without_baseline, "{name}, without a baseline");
            assert_eq!(decided(true), with_baseline, "{name}, with a baseline");
        }
    }
}
