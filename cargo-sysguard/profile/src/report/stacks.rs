//! The stacks of a profile as JSON: each function once, and stacks that refer to them. Main types:
//! [`FunctionRecord`] and [`StackRecord`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::profile::{Frame, KnownBy, Profile};
use crate::shares::{Amount, NO_SYMBOLS, Origin, kernel_name, user_name};

/// A function on a stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct FunctionRecord {
    pub(super) kernel: bool,
    pub(super) name: String,
    /// The program or library.
    pub(super) module: Option<String>,
    /// The source file.
    pub(super) source: Option<String>,
    pub(super) subsystem: Option<String>,
    /// The section of MAINTAINERS.
    pub(super) section: Option<String>,
}

/// Equal stacks of one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct StackRecord {
    pub(super) program: String,
    /// Indices of functions, outermost first.
    pub(super) frames: Vec<usize>,
    pub(super) samples: u64,
    /// Nanoseconds, or cycles, as the clock of the sampled run says.
    pub(super) ticks: u64,
}

impl FunctionRecord {
    fn of(frame: &Frame) -> Self {
        match frame {
            Frame::Kernel(function) => {
                let place = function.place.as_ref().filter(|_| function.known_by != KnownBy::Nothing);
                Self {
                    kernel: true,
                    name: kernel_name(function),
                    module: None,
                    source: place.map(|place| place.file.to_string()),
                    subsystem: place.map(|place| place.subsystem.to_string()),
                    section: place.and_then(|place| place.section.as_ref()).map(ToString::to_string),
                }
            }
            Frame::User(function) => Self {
                kernel: false,
                name: user_name(function).to_owned(),
                module: Some(function.file.to_string()),
                source: function.source.as_ref().map(|(file, _)| file.to_string()),
                subsystem: None,
                section: None,
            },
        }
    }

    /// Returns its name, or the name of its file in brackets.
    pub(super) fn label(&self) -> String {
        match &self.module {
            Some(module) if !self.kernel && self.name == NO_SYMBOLS => {
                let file = module.rsplit('/').next().unwrap_or_default();
                if module.starts_with('[') { module.clone() } else { format!("[{file}]") }
            }
            _ => self.name.clone(),
        }
    }

    /// Returns the frame that stands for hidden kernel functions.
    fn hidden() -> Self {
        let name = Origin::Hidden.label();
        Self { kernel: true, name, module: None, source: None, subsystem: None, section: None }
    }
}

/// Returns each function once, and the stacks that refer to them. Samples of one function at
/// different lines are the same stack.
pub(super) fn stacks(profile: &Profile) -> (Vec<FunctionRecord>, Vec<StackRecord>) {
    let mut functions: BTreeMap<FunctionRecord, usize> = BTreeMap::new();
    let mut stacks: BTreeMap<(String, Vec<usize>), Amount> = BTreeMap::new();
    for stack in &profile.stacks {
        let is_hidden = stack.in_kernel && !stack.frames.iter().any(|frame| matches!(frame, Frame::Kernel(_)));
        let frames = stack.frames.iter().rev().map(FunctionRecord::of).chain(is_hidden.then(FunctionRecord::hidden));
        let frames = frames.map(|function| {
            let next = functions.len();
            *functions.entry(function).or_insert(next)
        });
        let frames = frames.collect();
        *stacks.entry((stack.program.to_string(), frames)).or_default() +=
            Amount { ticks: stack.ticks, samples: stack.samples };
    }
    let mut listed: Vec<(FunctionRecord, usize)> = functions.into_iter().collect();
    listed.sort_by_key(|(_, at)| *at);
    let stack = |((program, frames), Amount { ticks, samples })| StackRecord { program, frames, samples, ticks };
    (listed.into_iter().map(|(function, _)| function).collect(), stacks.into_iter().map(stack).collect())
}
