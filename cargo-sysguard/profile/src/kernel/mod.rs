//! Kernel functions: the name of an address, and where the function is defined. Main type:
//! [`Kernel`].
//!
//! Names come from `/proc/kallsyms`, places from an index of functions by source file.

mod index;
mod symbols;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::profile::{KernelFunction, KnownBy};
pub use index::encode;

use symbols::Symbols;

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
    pub fn of(symbols: &str, _release: &str, _source: Option<&Path>) -> Result<Self, Unavailable> {
        let symbols = Symbols::parse(symbols).ok_or(Unavailable::Names)?;
        let place = |symbol: &symbols::Symbol| {
            let (name, module) = (symbol.name.clone(), symbol.module.as_deref().map(str::to_owned));
            Arc::new(KernelFunction { name, module, place: None, known_by: KnownBy::Nothing })
        };
        let functions = symbols.iter().map(place).collect();
        Ok(Self { functions, symbols, index_version: String::new() })
    }

    /// Returns the function that holds the address. Outside of every function, its name is the
    /// address.
    pub fn function(&self, address: u64) -> Arc<KernelFunction> {
        self.symbols.at(address).map_or_else(|| unnamed(address), |at| Arc::clone(&self.functions[at]))
    }

    /// Returns the version of the kernel source that the places are from: `6.18.15`.
    pub fn index_version(&self) -> &str {
        &self.index_version
    }
}

fn unnamed(address: u64) -> Arc<KernelFunction> {
    let name = format!("{address:#x}");
    Arc::new(KernelFunction { name, module: None, place: None, known_by: KnownBy::Nothing })
}
