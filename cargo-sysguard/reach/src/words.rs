//! Which reached code names the words of a file's data. Main type: [`Words`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use iced_x86::{Mnemonic, Register};

use crate::code::Body;
use crate::graph::Graph;
use crate::image::Target;
use crate::program::{Place, Program};

/// The uses of a file's data by reached code of the file.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Instructions that read or write data at an address.
    direct: BTreeMap<u64, Vec<(Place, u64)>>,
    /// Instructions that compute an address of data, or add an index to it.
    taken: BTreeMap<u64, Vec<(Place, u64)>>,
    /// Addresses that data holds.
    pointed: BTreeSet<u64>,
    /// Addresses that other files may use.
    exported: BTreeSet<u64>,
}

/// The code that may use a word by the address of the object that holds it.
#[derive(Debug)]
pub(crate) struct Takers {
    /// Each address with the instruction that computes it.
    pub(crate) addresses: Vec<(u64, Place, u64)>,
    /// Set if code gets other addresses, which could lead to the word only if it is a part of a
    /// larger object. Without symbols, that is not known.
    pub(crate) is_assumed: bool,
}

/// Addresses this near are followed even if code names the word itself: it may be a part of a
/// small object, as the head of a list is.
const NEAR: u64 = 16;

impl Words {
    /// Collects the uses of a file's data.
    pub(crate) fn of(program: &Program<'_>, graph: &Graph<'_, '_>, module: usize) -> Self {
        let image = program.image(module);
        let mut words = Self::default();
        for place in graph.order.iter().filter(|place| place.module == module) {
            let Some(code) = program.code(*place) else { continue };
            for (at, address) in Body::of(image, &code).refers {
                let Some(instruction) = code.at(at).filter(|_| image.is_data(address)) else { continue };
                let is_operand = instruction.is_ip_rel_memory_operand()
                    || instruction.memory_displacement64() == address && instruction.memory_base() == Register::None;
                let is_direct = instruction.mnemonic() != Mnemonic::Lea
                    && is_operand
                    && instruction.memory_index() == Register::None;
                let uses = if is_direct { &mut words.direct } else { &mut words.taken };
                uses.entry(address).or_default().push((*place, at));
            }
        }
        for (at, target) in image.pointers.all() {
            if let Target::Address(address) = target
                && !image.is_own_handle(*at)
            {
                words.pointed.insert(*address);
            }
        }
        words.exported.extend(image.exports.values().flatten());
        words
    }

    /// Returns the instructions that access data in a range of addresses.
    pub(crate) fn direct(&self, range: RangeInclusive<u64>) -> impl Iterator<Item = (u64, Place, u64)> {
        let uses = self.direct.range(range);
        uses.flat_map(|(address, uses)| uses.iter().map(|(place, at)| (*address, *place, *at)))
    }

    /// Returns the code that may use a word by the address of its object. `None` if other files
    /// may, or data holds the address.
    pub(crate) fn takers(&self, program: &Program<'_>, module: usize, word: u64) -> Option<Takers> {
        let (object, is_sized) = program.image(module).data_around(word)?;
        let last = object.end.saturating_sub(1);
        let (first, last) = if is_sized {
            (object.start, last)
        } else {
            // The word is a part of what the nearest name below it names.
            let below = || object.start..=word;
            let names = [
                self.direct.range(below()).next_back().map(|(address, _)| *address),
                self.taken.range(below()).next_back().map(|(address, _)| *address),
                self.pointed.range(below()).next_back().copied(),
            ];
            let name = names.into_iter().flatten().max().unwrap_or(object.start);
            (name.min(word.saturating_sub(NEAR)).max(object.start), word.saturating_add(NEAR).min(last))
        };
        let is_known = |set: &BTreeSet<u64>| set.range(first..=last.min(word + 7)).next().is_some();
        if is_known(&self.pointed) || is_known(&self.exported) {
            return None;
        }
        let taken = self.taken.range(first..=last);
        let addresses = taken.flat_map(|(address, uses)| uses.iter().map(|(place, at)| (*address, *place, *at)));
        let others = |set: &BTreeSet<u64>| set.range(object.clone()).any(|address| !(first..=last).contains(address));
        let is_assumed = others(&self.pointed)
            || others(&self.exported)
            || self.taken.range(object.clone()).any(|(address, _)| !(first..=last).contains(address));
        Some(Takers { addresses: addresses.collect(), is_assumed })
    }
}
