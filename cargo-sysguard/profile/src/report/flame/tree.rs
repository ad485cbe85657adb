//! The stacks of a profile as a tree of boxes. Main type: [`Node`].

use std::collections::BTreeMap;

use crate::report::record::ProfileRecord;
use crate::report::stacks::FunctionRecord;

/// The most functions of a stack that are drawn. More would not be readable on a page.
const DEEPEST: usize = 52;
/// Outermost functions of a deeper stack that are drawn.
const OUTERMOST: usize = 6;

/// A function with the samples of those that it called.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub(super) ticks: u64,
    pub(super) samples: u64,
    pub(super) called: BTreeMap<Drawn<'a>, Node<'a>>,
}

/// The content of a box. Adjacent boxes have this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Drawn<'a> {
    /// Everything.
    All,
    /// A program by its name.
    Program(&'a str),
    /// A number of functions that are left out.
    Omitted(usize),
    /// A function.
    Function(&'a FunctionRecord),
}

/// A box: its left edge and width as shares of the picture, its row from below.
#[derive(Debug)]
pub(super) struct Box<'a> {
    pub(super) drawn: Drawn<'a>,
    pub(super) left: f64,
    pub(super) width: f64,
    pub(super) row: usize,
    pub(super) samples: u64,
}

impl<'a> Node<'a> {
    /// Returns the tree of all stacks.
    pub(super) fn of(record: &'a ProfileRecord) -> Self {
        let mut root = Self::default();
        for stack in &record.stacks {
            let mut path = vec![Drawn::Program(&stack.program)];
            let functions: Vec<&FunctionRecord> = record.frames(stack).collect();
            if functions.len() > DEEPEST {
                let omitted = functions.len() - DEEPEST;
                path.extend(functions[..OUTERMOST].iter().copied().map(Drawn::Function));
                path.push(Drawn::Omitted(omitted));
                path.extend(functions[OUTERMOST + omitted..].iter().copied().map(Drawn::Function));
            } else {
                path.extend(functions.into_iter().map(Drawn::Function));
            }
            root.add(path, stack.ticks, stack.samples);
        }
        root
    }

    fn add(&mut self, path: Vec<Drawn<'a>>, ticks: u64, samples: u64) {
        self.ticks += ticks;
        self.samples += samples;
        let mut at = self;
        for drawn in path {
            at = at.called.entry(drawn).or_default();
            at.ticks += ticks;
            at.samples += samples;
        }
    }

    /// Returns the boxes that are at least this wide, the outermost first.
    pub(super) fn boxes(&self, narrowest: f64) -> Vec<Box<'a>> {
        let mut boxes = Vec::new();
        if self.ticks == 0 {
            return boxes;
        }
        let mut left_to_place = vec![(Drawn::All, self, 0.0, 0)];
        while let Some((drawn, node, left, row)) = left_to_place.pop() {
            let width = node.ticks as f64 / self.ticks as f64;
            if width < narrowest {
                continue;
            }
            boxes.push(Box { drawn, left, width, row, samples: node.samples });
            let mut at = left;
            for (drawn, node) in &node.called {
                left_to_place.push((drawn.clone(), node, at, row + 1));
                at += node.ticks as f64 / self.ticks as f64;
            }
        }
        boxes
    }
}
