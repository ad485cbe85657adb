//! Kconfig, only as far as one question needs: which symbols are offered to experts alone.
//!
//! It must not evaluate dependencies. Main type: [`Kconfig`].

use std::collections::BTreeSet;

use crate::Result;
use crate::tree::{ROOTS, Tree};

/// What the Kconfig files of one tree say of prompts.
pub(crate) struct Kconfig {
    for_experts: BTreeSet<String>,
}

impl Kconfig {
    /// Reads every Kconfig file outside the architectures that we do not describe.
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        let mut for_experts = BTreeSet::new();
        for root in ROOTS {
            for file in tree.files(root, |name| name.starts_with("Kconfig"))? {
                for_experts.extend(offered_to_experts(&tree.read(&file)?));
            }
        }
        Ok(Self { for_experts })
    }

    /// Whether the prompt of this `CONFIG_` symbol is shown `if EXPERT` only: then practically
    /// every kernel has its default.
    pub(crate) fn is_for_experts(&self, symbol: &str) -> bool {
        symbol.strip_prefix("CONFIG_").is_some_and(|name| self.for_experts.contains(name))
    }
}

/// `config AIO` followed by `bool "Enable AIO support" if EXPERT`.
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
    fn a_prompt_for_experts_is_told_from_others() {
        let text = "config AIO\n\tbool \"Enable AIO support\" if EXPERT\n\tdefault y\n\nconfig NET\n\tbool \"Networking support\"\n\
                    menuconfig FUTEX\n\tprompt \"Futex\" if EXPERT\n";
        assert_eq!(offered_to_experts(text), ["AIO", "FUTEX"]);
    }
}
