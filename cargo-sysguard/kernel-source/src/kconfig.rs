//! The Kconfig symbols that have a prompt only `if EXPERT`. Main type: [`Kconfig`].
//!
//! It must not evaluate dependencies.

use std::collections::BTreeSet;

use crate::Result;
use crate::tree::{ROOTS, Tree};

/// The prompts in the Kconfig files of one tree.
pub(crate) struct Kconfig {
    for_experts: BTreeSet<String>,
}

impl Kconfig {
    /// Reads every Kconfig file except those of unsupported architectures.
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        let mut for_experts = BTreeSet::new();
        for root in ROOTS {
            for file in tree.files(root, |name| name.starts_with("Kconfig"))? {
                for_experts.extend(offered_to_experts(&tree.read(&file)?));
            }
        }
        Ok(Self { for_experts })
    }

    /// Returns whether this `CONFIG_` symbol has a prompt only `if EXPERT`. Practically every
    /// kernel has the default of such a symbol.
    pub(crate) fn is_for_experts(&self, symbol: &str) -> bool {
        symbol.strip_prefix("CONFIG_").is_some_and(|name| self.for_experts.contains(name))
    }
}

/// Returns symbols such as `config AIO` followed by `bool "Enable AIO support" if EXPERT`.
fn offered_to_experts(text: &str) -> Vec<String> {
    let mut symbol = None;
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("config" | "menuconfig") => symbol = words.next(),
            Some("bool" | "tristate" | "prompt") if line.trim_end().ends_with("if EXPERT") => {
                found.extend(symbol.map(str::to_owned));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expert_prompts_are_recognized() {
        let text = "config AIO\n\tbool \"Enable AIO support\" if EXPERT\n\tdefault y\n\nconfig NET\n\tbool \"Networking support\"\n\
                    menuconfig FUTEX\n\tprompt \"Futex\" if EXPERT\n";
        assert_eq!(offered_to_experts(text), ["AIO", "FUTEX"]);
    }
}
