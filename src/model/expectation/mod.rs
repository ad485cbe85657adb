//! The expectation of a workload: its author's document, and one recorded baseline per platform.
//!
//! [`terms`] holds the types; [`mod@format`] is the only module that knows YAML;

mod error_paths;
pub mod first_calls;
pub mod format;
pub mod merge;
pub mod project;
pub mod remarks;
mod rule;
pub mod split;
pub mod storage;
pub mod terms;

pub use crate::model::facts::version::Version;
pub use format::{Malformed, Parsed, Shared};
pub use merge::{Recorded, Unseen, amend, record};
pub use project::{FirstCallFilter, Projection, project};
pub use remarks::Remarks;
pub use terms::{
    Baseline, Document, Entry, ErrorPaths, Expectation, ExploreSettings, Explored, Level, OutcomeRule, Rule,
};
