//! The `CONFIG_` symbols that build a source file, from its Makefile and those of its parents. Main
//! type: [`Kbuild`].
//!
//! It reads only assignments such as `obj-$(CONFIG_X) += file.o` and the conditions around them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::conditions::{Stack, Symbols, required};
use crate::definitions::logical_lines;
use crate::tree::Tree;

/// The Makefiles of one tree, read on demand.
pub(crate) struct Kbuild<'t> {
    tree: &'t Tree,
    makefiles: RefCell<BTreeMap<String, Vec<Assignment>>>,
}

/// `LIST-GATE += WORD…` with the conditions around it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assignment {
    list: String,
    symbols: Symbols,
    words: Vec<String>,
}

impl<'t> Kbuild<'t> {
    /// Returns the Makefiles of a tree without reading any.
    pub(crate) fn new(tree: &'t Tree) -> Self {
        Self { tree, makefiles: RefCell::default() }
    }

    /// Returns the symbols that build this file, or `None` if no Makefile names it.
    pub(crate) fn symbols(&self, file: &str) -> Option<Symbols> {
        let (directory, name) = file.rsplit_once('/')?;
        let object = format!("{}.o", name.strip_suffix(".c")?);
        let Some(mut symbols) = self.of_word(directory, &object) else { return self.of_includer(directory, name) };
        symbols.extend(self.of_directory(directory));
        Some(symbols)
    }

    /// Returns the symbols that build this file or folder.
    pub(crate) fn symbols_of(&self, source: &str) -> Option<Symbols> {
        if self.tree.is_directory(source) { Some(self.of_directory(source)) } else { self.symbols(source) }
    }

    /// Returns the path for patterns of MAINTAINERS: a folder ends with a slash.
    pub(crate) fn pattern(&self, source: &str) -> String {
        let slash = if self.tree.is_directory(source) { "/" } else { "" };
        format!("{source}{slash}")
    }

    /// Returns the symbols that make kbuild enter a folder.
    fn of_directory(&self, directory: &str) -> Symbols {
        let mut symbols = Symbols::new();
        let mut below = directory;
        // The Makefile of the root also names folders by variables of the architecture. Those are
        // always built.
        while let Some((parent, name)) = below.rsplit_once('/') {
            symbols.extend(self.of_word(parent, &format!("{name}/")).unwrap_or_default());
            below = parent;
        }
        symbols.extend(self.of_word("", &format!("{below}/")).unwrap_or_default());
        symbols
    }

    /// Returns the symbols that put this word on the directory's list of objects, through
    /// composites (`landlock-y`) and variables (`mmu-y`).
    fn of_word(&self, directory: &str, word: &str) -> Option<Symbols> {
        let assignments = self.assignments(directory);
        // A file of 32-bit and 64-bit kernels (sys_ia32.o) is on two lists. Ignore the 32-bit one.
        let ours = |assignment: &&Assignment| !assignment.symbols.contains("CONFIG_X86_32");
        let naming = assignments.iter().filter(ours);
        let naming = naming.filter(|assignment| assignment.words.iter().any(|other| other == word));
        // Each line that names it can build it (pty.o of CONFIG_LEGACY_PTYS and
        // CONFIG_UNIX98_PTYS), so only symbols that all lines require are required.
        naming.map(|assignment| self.of_assignment(directory, assignment)).reduce(|a, b| &a & &b)
    }

    /// Returns the symbols that build the objects of one line.
    fn of_assignment(&self, directory: &str, assignment: &Assignment) -> Symbols {
        let mut symbols = assignment.symbols.clone();
        if !matches!(assignment.list.as_str(), "obj" | "lib") {
            let composite = [format!("{}.o", assignment.list), format!("$({}-y)", assignment.list)];
            let outer = composite.iter().find_map(|outer| self.of_word(directory, outer));
            symbols.extend(outer.unwrap_or_default());
        }
        symbols
    }

    /// Returns the symbols of a neighbour that includes this file (kernel/sched/build_utility.c).
    fn of_includer(&self, directory: &str, name: &str) -> Option<Symbols> {
        let neighbours = self.tree.files(directory, |other| other.ends_with(".c") && other != name).ok()?;
        neighbours.iter().find_map(|neighbour| {
            let mut symbols = inclusion(&self.tree.read_if_present(neighbour)?, name)?;
            symbols.extend(self.symbols(neighbour)?);
            Some(symbols)
        })
    }

    fn assignments(&self, directory: &str) -> Vec<Assignment> {
        let read = || {
            let path = |name: &str| if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
            let text = ["Kbuild", "Makefile"].iter().find_map(|name| self.tree.read_if_present(&path(name)));
            parse(&text.unwrap_or_default())
        };
        self.makefiles.borrow_mut().entry(directory.to_owned()).or_insert_with(read).clone()
    }
}

/// Returns the symbols that the `#if` stack requires where a C file includes another.
fn inclusion(text: &str, name: &str) -> Option<Symbols> {
    let mut stack = Stack::default();
    let included = |line: &str| {
        let file = line.strip_prefix('#')?.trim_start().strip_prefix("include")?;
        Some(file.trim().trim_matches('"').to_owned())
    };
    logical_lines(text).iter().find(|line| !stack.read_c(line) && included(line).as_deref() == Some(name))?;
    Some(stack.symbols())
}

fn parse(makefile: &str) -> Vec<Assignment> {
    let mut stack = Stack::default();
    let mut assignments = Vec::new();
    for line in logical_lines(makefile) {
        let line = line.split('#').next().unwrap_or_default();
        if !stack.read_make(line)
            && let Some(mut assignment) = assignment(line)
        {
            assignment.symbols.extend(stack.symbols());
            assignments.push(assignment);
        }
    }
    assignments
}

/// Parses a line such as `obj-$(CONFIG_AIO) += aio.o`.
fn assignment(line: &str) -> Option<Assignment> {
    let (left, right) = line.split_once('=')?;
    let (list, gate) = left.trim_end_matches([':', '+', ' ', '\t']).trim_start().rsplit_once('-')?;
    if !(gate == "y" || gate == "objs" || gate.starts_with("$(")) {
        return None;
    }
    // All supported kernels are 64-bit: `signal_$(BITS).o`.
    let words = right.replace("$(BITS)", "64");
    let words = words.split_whitespace().map(str::to_owned).collect();
    Some(Assignment { list: list.to_owned(), symbols: required(gate), words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_file_requires_enclosing_conditions() {
        let text = "#include <a.h>\n#ifdef CONFIG_MEMBARRIER\n# include \"membarrier.c\"\n#endif\n";
        assert_eq!(inclusion(text, "membarrier.c"), Some(["CONFIG_MEMBARRIER".to_owned()].into()));
        assert_eq!(inclusion(text, "other.c"), None);
    }

    #[test]
    fn assignments_have_list_symbols_and_words() {
        let makefile = "obj-y := open.o \\\n  stat.o\nobj-$(CONFIG_AIO)\t+= aio.o # comment\nifdef CONFIG_MMU\n\
                        mmu-$(CONFIG_SWAP) := swap.o\nendif\nrng-core-y := core.o\nccflags-y := -O\nCFLAGS_x.o = -g\n";
        let found: Vec<_> = parse(makefile)
            .into_iter()
            .map(|a| (a.list, a.symbols.into_iter().collect::<Vec<_>>().join(" "), a.words.join(" ")))
            .collect();
        let expected = [
            ("obj", "", "open.o stat.o"),
            ("obj", "CONFIG_AIO", "aio.o"),
            ("mmu", "CONFIG_MMU CONFIG_SWAP", "swap.o"),
            ("rng-core", "", "core.o"),
            ("ccflags", "", "-O"),
        ];
        assert_eq!(found, expected.map(|(list, gate, words)| (list.to_owned(), gate.to_owned(), words.to_owned())));
    }
}
