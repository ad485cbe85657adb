//! What others see of a run: its end, its output and its files. Main type: [`RunResult`].

use std::collections::BTreeMap;

use crate::model::explore::injection::Injection;
use crate::model::observe::observation::Observation;
use crate::model::run::workload::Exit;

/// What others see of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunResult {
    /// How its first process ended.
    pub exit: Option<Exit>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// What it left in its scratch directory, by path: `$PWD/out`, `$HOME/.config/x`.
    pub files: BTreeMap<String, LeftFile>,
}

/// A file that a run left in its scratch directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftFile {
    /// A file with this content, or with the hash of it if it is long.
    Content(Vec<u8>),
    /// A directory.
    Folder,
    /// A symbolic link to this path.
    Link(String),
    /// A socket, a FIFO or a device.
    Special,
}

/// One run with an injection.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The injection.
    pub injection: Injection,
    /// Whether its call was made.
    pub reached: bool,
    /// What others see of it.
    pub result: RunResult,
    /// What the run used.
    pub observation: Observation,
    /// Whether the run was ended because it took much longer than a run without an injection.
    pub hung: bool,
}
