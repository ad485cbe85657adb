//! The functions that `/proc/kallsyms` lists, by address. Main type: [`Symbols`].
//!
//! Of several symbols at one address, it keeps the one that perf shows (tools/perf/util/symbol.c,
//! `choose_best_symbol`).

use std::ops::Range;
use std::sync::Arc;

/// A function of the kernel or of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) address: u64,
    pub(crate) name: String,
    pub(crate) binding: Binding,
    pub(crate) module: Option<Arc<str>>,
}

/// How the linker sees a symbol: the letters of nm(1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binding {
    /// `T`
    Global,
    /// `t`
    Local,
    /// `W`, `w`
    Weak,
}

/// Functions ordered by address, one for each address.
#[derive(Debug)]
pub(crate) struct Symbols {
    all: Vec<Symbol>,
    /// Where sections begin and end, in order.
    borders: Vec<u64>,
}

/// Symbols that are farther apart are not neighbours: other code lies between them, such as a BPF
/// program without a symbol.
const GAP: u64 = 1 << 20;

/// The part of a gap that belongs to the function before it.
const PAGE: u64 = 4096;

impl Symbols {
    /// Reads the lines of `/proc/kallsyms` or `System.map`. Returns `None` if no line has an
    /// address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut symbols: Vec<Symbol> = text.lines().filter_map(symbol).collect();
        symbols.iter().any(|symbol| symbol.address != 0).then_some(())?;
        // Stable: of equally good symbols, the first line wins.
        symbols.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| rank(b).cmp(&rank(a))));
        let borders = symbols.iter().filter(|symbol| is_marker(&symbol.name)).map(|symbol| symbol.address).collect();
        symbols.retain(|symbol| !is_marker(&symbol.name));
        symbols.dedup_by_key(|symbol| symbol.address);
        Some(Self { all: symbols, borders })
    }

    /// Returns the position of the symbol that contains the address.
    pub(crate) fn at(&self, address: u64) -> Option<usize> {
        let at = self.all.partition_point(|symbol| symbol.address <= address).checked_sub(1)?;
        self.extent(at).contains(&address).then_some(at)
    }

    /// Returns the addresses of the symbol at a position: up to the next symbol, but not across a
    /// gap.
    pub(crate) fn extent(&self, at: usize) -> Range<u64> {
        let start = self.all[at].address;
        let next = self.all.get(at + 1).map_or(u64::MAX, |next| next.address);
        start..if next - start < GAP { next } else { start.saturating_add(PAGE) }
    }

    /// Returns the symbols in the order of their addresses.
    pub(crate) fn all(&self) -> &[Symbol] {
        &self.all
    }

    /// Returns a number for each symbol, which changes where a section or a module ends.
    pub(crate) fn regions(&self) -> Vec<usize> {
        let mut region = 0;
        let mut regions = vec![0; self.all.len()];
        for (at, pair) in self.all.windows(2).enumerate() {
            let [before, after] = pair else { continue };
            let borders = |address| self.borders.partition_point(|&border| border <= address);
            let is_border = before.module != after.module
                || after.address - before.address >= GAP
                || borders(before.address) != borders(after.address);
            region += usize::from(is_border);
            regions[at + 1] = region;
        }
        regions
    }
}

/// The better symbol of an address ranks higher.
fn rank(symbol: &Symbol) -> (bool, bool, isize, usize) {
    let underscores = symbol.name.bytes().take_while(|&byte| byte == b'_').count();
    (
        symbol.binding != Binding::Weak,
        symbol.binding == Binding::Global,
        -isize::try_from(underscores).unwrap_or(isize::MAX),
        symbol.name.len(),
    )
}

/// Returns whether the linker script defines the symbol (include/asm-generic/vmlinux.lds.h): it
/// marks a section instead of a function.
pub(crate) fn is_marker(name: &str) -> bool {
    matches!(name, "_text" | "_stext" | "_etext" | "_sinittext" | "_einittext")
        || name.ends_with("_text_start")
        || name.ends_with("_text_end")
}

/// `ffffffff81000000 T _stext [module]`
fn symbol(line: &str) -> Option<Symbol> {
    let mut words = line.split_ascii_whitespace();
    let (address, letter, name) = (words.next()?, words.next()?, words.next()?);
    let binding = match letter {
        "T" => Binding::Global,
        "t" => Binding::Local,
        "W" | "w" => Binding::Weak,
        _ => return None,
    };
    // Never executed: padding before functions, and types for checks of indirect calls.
    if name.starts_with("__pfx_") || name.starts_with("__cfi_") {
        return None;
    }
    let module = words.next().and_then(|word| word.strip_prefix('[')?.strip_suffix(']')).map(Arc::from);
    Some(Symbol { address: u64::from_str_radix(address, 16).ok()?, name: name.to_owned(), binding, module })
}

#[cfg(test)]
mod tests;
