//! Identifies the stack of a call without names, so that it is found again in other runs. Main
//! type: [`StackIdentity`].
//!
//! It must not depend on where code was loaded, or on the folder of a file: a scratch directory has
//! another name in each run.

use crate::model::text::hash;

/// A stack, as runs of the same executables share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackIdentity {
    /// A hash of the file of each frame and the address in that file.
    pub hash: u64,
    /// The number of frames.
    pub depth: usize,
    /// Whether every frame lies in the dynamic loader.
    pub by_loader: bool,
}

/// A stack that is being read, innermost frame first.
#[derive(Debug)]
pub(super) struct Frames {
    hash: u64,
    depth: usize,
    others: usize,
}

impl Frames {
    /// Returns a stack without frames.
    pub(super) fn new() -> Self {
        Self { hash: hash::EMPTY, depth: 0, others: 0 }
    }

    /// Adds a frame in a file. Code that is in no file has no stable address.
    pub(super) fn add(&mut self, frame: Option<(&str, u64)>, is_loader: impl FnOnce(&str) -> bool) {
        let (file, address) = frame.unwrap_or_default();
        self.hash = hash::extended(hash::extended(self.hash, file.as_bytes()), &[0]);
        self.hash = hash::extended(self.hash, &address.to_le_bytes());
        self.depth += 1;
        self.others += usize::from(!is_loader(file));
    }

    /// Returns the identity of the stack.
    pub(super) fn identity(&self) -> StackIdentity {
        StackIdentity { hash: self.hash, depth: self.depth, by_loader: self.depth > 0 && self.others == 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(frames: &[Option<(&str, u64)>]) -> StackIdentity {
        let mut stack = Frames::new();
        frames.iter().for_each(|frame| stack.add(*frame, |file| file == "ld.so"));
        stack.identity()
    }

    #[test]
    fn stacks_differ_in_files_addresses_and_order() {
        let stacks = [
            identity(&[]),
            identity(&[None]),
            identity(&[Some(("a", 1))]),
            identity(&[Some(("a", 2))]),
            identity(&[Some(("b", 1))]),
            identity(&[Some(("a", 1)), Some(("b", 1))]),
            identity(&[Some(("b", 1)), Some(("a", 1))]),
        ];
        for (at, stack) in stacks.iter().enumerate() {
            assert!(stacks[..at].iter().all(|other| other.hash != stack.hash), "{at}");
        }
        assert_eq!(stacks.map(|stack| stack.depth), [0, 1, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn only_stacks_within_the_loader_are_its_own() {
        for (frames, by_loader) in [
            (&[][..], false),
            (&[Some(("ld.so", 1)), Some(("ld.so", 2))], true),
            (&[Some(("ld.so", 1)), Some(("a", 2))], false),
            (&[Some(("ld.so", 1)), None], false),
        ] {
            assert_eq!(identity(frames).by_loader, by_loader, "{frames:?}");
        }
    }
}
