//! Which reached code stores in a word of a file's data. Main type: [`Words`].

use std::collections::{BTreeSet, HashMap};

use iced_x86::{InstructionInfoFactory, Mnemonic, OpAccess, OpKind};

use crate::code::Body;
use crate::graph::Graph;
use crate::image::Target;
use crate::program::{Place, Program};

/// The uses of a file's data by reached code of the file.
#[derive(Debug, Default)]
pub(crate) struct Words {
    stores: HashMap<u64, Vec<(Place, u64)>>,
    /// Addresses that other code may get to know.
    taken: BTreeSet<u64>,
    /// Words that are changed in another way than by a store.
    changed: BTreeSet<u64>,
    /// Set if other files may use the data.
    exported: BTreeSet<u64>,
}

/// Data with an address this far below a word may be an object that holds the word. Without
/// symbols, the size of objects is not known: this is that of the head of a list.
const NEAR: u64 = 16;

impl Words {
    /// Collects the uses of a file's data.
    pub(crate) fn of(program: &Program<'_>, graph: &Graph<'_, '_>, module: usize) -> Self {
        let image = program.image(module);
        let mut words = Self::default();
        let mut info = InstructionInfoFactory::new();
        for place in graph.order.iter().filter(|place| place.module == module) {
            let Some(code) = program.code(*place) else { continue };
            for (at, address) in Body::of(image, &code).refers {
                let Some(instruction) = code.at(at).filter(|_| image.is_data(address)) else { continue };
                let is_address = instruction.mnemonic() == Mnemonic::Lea || !instruction.is_ip_rel_memory_operand();
                let is_written = info.info(instruction).used_memory().iter().any(|it| it.access() != OpAccess::Read);
                if is_address {
                    words.taken.insert(address);
                } else if instruction.mnemonic() == Mnemonic::Mov && instruction.op0_kind() == OpKind::Memory {
                    words.stores.entry(address).or_default().push((*place, at));
                } else if is_written {
                    words.changed.insert(address);
                }
            }
        }
        for (_, target) in image.pointers.all() {
            if let Target::Address(address) = target {
                words.taken.insert(*address);
            }
        }
        words.exported.extend(image.exports.values().flatten());
        words
    }

    /// Returns the code that stores in a word. `None` if other code may do so, too.
    pub(crate) fn stores(&self, word: u64) -> Option<&[(Place, u64)]> {
        let has = |set: &BTreeSet<u64>, below: u64| set.range(word.saturating_sub(below)..word + 8).next().is_some();
        if has(&self.taken, NEAR) || has(&self.exported, NEAR) || has(&self.changed, 7) {
            return None;
        }
        Some(self.stores.get(&word).map(Vec::as_slice).unwrap_or_default())
    }
}
