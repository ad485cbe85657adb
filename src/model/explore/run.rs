//! What others see of a run: its end, its output and its files. Main type: [`RunResult`].

use std::collections::BTreeMap;

use crate::model::explore::injection::Injection;
use crate::model::observe::observation::Observation;
use crate::model::run::workload::Exit;
use crate::model::text::hash;

/// What others see of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunResult {
    /// How its first process ended.
    pub exit: Option<Exit>,
    /// Its standard output.
    pub stdout: Content,
    /// Its standard error.
    pub stderr: Content,
    /// What it left in its scratch directory, by path: `$PWD/out`, `$HOME/.config/x`.
    pub files: BTreeMap<String, LeftFile>,
}

/// Bytes that a run wrote.
///
/// The first ones are kept. Only the number and the hash of the others are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The first bytes, at most [`Content::LIMIT`].
    pub start: Vec<u8>,
    /// The others, if there are any.
    pub rest: Option<Rest>,
}

/// Bytes that are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// Their number.
    pub length: u64,
    /// Their hash.
    pub hash: u64,
}

impl Content {
    /// How many bytes are kept.
    pub const LIMIT: usize = 4 << 20;

    /// Adds bytes at the end.
    pub fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(Self::LIMIT.saturating_sub(self.start.len()));
        let (kept, others) = bytes.split_at(kept);
        self.start.extend_from_slice(kept);
        if !others.is_empty() {
            let rest = self.rest.get_or_insert(Rest { length: 0, hash: hash::EMPTY });
            rest.length += others.len() as u64;
            rest.hash = hash::extended(rest.hash, others);
        }
    }

    /// Returns whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Returns the number of bytes.
    pub fn length(&self) -> u64 {
        self.start.len() as u64 + self.rest.map_or(0, |rest| rest.length)
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        content.push(bytes);
        content
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

/// A file that a run left in its scratch directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftFile {
    /// The bits of its mode that chmod(2) sets; 0 for a symbolic link, which has none of its own.
    pub mode: u32,
    /// What it is, and its content.
    pub kind: LeftKind,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftKind {
    /// A regular file with its content.
    Regular(Content),
    /// A directory.
    Folder,
    /// A symbolic link to this path.
    Link(String),
    /// A socket, a FIFO or a device.
    Special,
    /// A file that could not be read, such as one without permission to read.
    Unreadable,
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
    /// Whether it tried to change the user's files, and calls that would have done so failed.
    pub is_refused: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_beyond_the_limit_are_hashed() {
        let mut content = Content::default();
        assert!(content.is_empty());
        content.push(&vec![b'a'; Content::LIMIT]);
        assert_eq!((content.length(), content.rest), (Content::LIMIT as u64, None));
        content.push(b"b");
        let first = content.clone();
        content.push(b"c");
        assert_eq!(content.length(), Content::LIMIT as u64 + 2);
        assert_ne!(first.rest.map(|rest| rest.hash), content.rest.map(|rest| rest.hash));
    }

    proptest! {
        // Each case hashes some megabytes.
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn content_does_not_depend_on_the_size_of_writes(cuts in prop::collection::vec(0usize..40, 0..8)) {
            let bytes: Vec<u8> = (0..Content::LIMIT + 40).map(|index| index as u8).collect();
            let mut pieces = Content::default();
            let mut start = 0;
            for cut in cuts {
                let end = (Content::LIMIT - 20 + cut).max(start);
                pieces.push(&bytes[start..end]);
                start = end;
            }
            pieces.push(&bytes[start..]);
            prop_assert_eq!(pieces, Content::from(&bytes[..]));
        }
    }
}
