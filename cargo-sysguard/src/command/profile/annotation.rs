//! `profile --annotate`: the instructions of one function with their share of its samples.

use super::Options;
use super::runs::{KernelNames, Sampled};
use crate::command_line::Failed;

impl Options {
    /// Returns the annotated instructions of a function.
    pub(super) fn annotation(
        &self,
        function: &str,
        _sampled: &Sampled,
        _names: &KernelNames,
    ) -> Result<String, Failed> {
        Err(Failed::ours(format!("cannot annotate {function}: not written yet")))
    }
}
