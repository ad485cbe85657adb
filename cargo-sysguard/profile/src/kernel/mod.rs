//! Kernel functions: the name of an address, and where the function is defined. Main type:
//! [`Kernel`].
//!
//! Names come from `/proc/kallsyms`, places from an index of functions by source file.

mod index;
mod places;
mod symbols;

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::profile::{KernelFunction, KnownBy};
pub use index::encode;

use index::Index;
use kernel_source::Tree;
use symbols::{Symbol, Symbols};

/// The functions of a kernel by address.
#[derive(Debug)]
pub struct Kernel {
    /// Parallel to the symbols.
    functions: Vec<Arc<KernelFunction>>,
    symbols: Symbols,
    index_version: String,
}

/// Why kernel functions cannot be named.
#[derive(Debug)]
pub enum Unavailable {
    /// `/proc/kallsyms` shows no addresses: `Missing::KernelNames`.
    Names,
    /// `/proc/kallsyms` cannot be read.
    Unreadable(io::Error),
    /// The kernel source tree cannot be read.
    Source(String),
}

impl Kernel {
    /// Returns the functions of the running kernel. Their places come from the source tree, if
    /// given, or from the newest built-in index that is not newer than the kernel.
    ///
    /// # Errors
    /// Fails without the right to see addresses (CAP_SYSLOG, or `kernel.kptr_restrict` 0), and if
    /// the source tree cannot be read.
    pub fn running(source: Option<&Path>) -> Result<Self, Unavailable> {
        let symbols = fs::read_to_string("/proc/kallsyms").map_err(Unavailable::Unreadable)?;
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").map_err(Unavailable::Unreadable)?;
        Self::of(&symbols, release.trim(), source)
    }

    /// Returns the functions of a kernel by its symbols, in the format of `/proc/kallsyms` or
    /// `System.map`, and its release (`6.18.44-amd64`).
    ///
    /// # Errors
    /// Fails if all addresses are zero, and if the source tree cannot be read.
    pub fn of(symbols: &str, release: &str, source: Option<&Path>) -> Result<Self, Unavailable> {
        let symbols = Symbols::parse(symbols).ok_or(Unavailable::Names)?;
        let index = match source {
            Some(root) => index_of(root).map_err(Unavailable::Source)?,
            None => Index::built_in(),
        };
        let version = newest_not_after(index.versions(), release);
        let names: Vec<String> = symbols.all().iter().flat_map(|symbol| kernel_source::family(&symbol.name)).collect();
        let found = index.find(version, names.iter().map(String::as_str));
        let places = places::places(&symbols, &found);
        let function = |(symbol, (file, known_by)): (&Symbol, (Option<usize>, KnownBy))| {
            Arc::new(KernelFunction {
                name: symbol.name.clone(),
                module: symbol.module.as_deref().map(str::to_owned),
                place: file.map(|file| found.files[file].place.clone()),
                known_by,
            })
        };
        let functions = symbols.all().iter().zip(places).map(function).collect();
        Ok(Self { functions, symbols, index_version: index.versions()[version].clone() })
    }

    /// Returns the function that contains the address. Outside all functions, the name is the
    /// address.
    pub fn function(&self, address: u64) -> Arc<KernelFunction> {
        self.symbols.at(address).map_or_else(|| unnamed(address), |at| Arc::clone(&self.functions[at]))
    }

    /// Returns the addresses of the function that holds this one.
    pub fn extent(&self, address: u64) -> Option<Range<u64>> {
        Some(self.symbols.extent(self.symbols.at(address)?))
    }

    /// Returns every function, in the order of their addresses.
    pub fn functions(&self) -> impl Iterator<Item = (u64, &KernelFunction)> {
        self.symbols.all().iter().zip(&self.functions).map(|(symbol, function)| (symbol.address, &**function))
    }

    /// Returns the version of the kernel source that places come from: `6.18.15`.
    pub fn index_version(&self) -> &str {
        &self.index_version
    }
}

/// Returns the index of a source tree.
fn index_of(root: &Path) -> Result<Index, String> {
    let functions = kernel_source::functions(&Tree::open(root)?)?;
    Index::read(&encode(&[functions])).ok_or_else(|| format!("cannot index the kernel tree `{}`", root.display()))
}

/// Returns the position of the newest version that is not of a later release than the kernel, or
/// the oldest if all are. Versions are ordered. Within a release (6.18), functions stay where they
/// are.
fn newest_not_after(versions: &[String], release: &str) -> usize {
    let number = |text: &str| {
        let mut parts = text.split(|letter: char| !letter.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    versions.iter().rposition(|version| number(version) <= number(release)).unwrap_or(0)
}

fn unnamed(address: u64) -> Arc<KernelFunction> {
    let name = format!("{address:#x}");
    Arc::new(KernelFunction { name, module: None, place: None, known_by: KnownBy::Nothing })
}

#[cfg(test)]
mod tests;
