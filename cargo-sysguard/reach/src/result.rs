//! What is analysed, and what the analysis found. Main types: [`Module`] and [`Reach`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use sysguard::unstable::model::kernel::syscall::Syscall;
use sysguard::unstable::model::text::escape;

/// A file to analyse.
#[derive(Debug, Clone)]
pub struct Module {
    /// The path, as it is shown. It is not read.
    pub path: PathBuf,
    /// The whole file.
    pub bytes: Arc<[u8]>,
    /// Why it is analysed.
    pub origin: Origin,
}

/// Why a file is part of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It is the program.
    Program,
    /// It is the dynamic loader that the program names (PT_INTERP, elf(5)).
    Interpreter,
    /// The file of this path needs it (DT_NEEDED, elf(5)).
    NeededBy(PathBuf),
    /// A run mapped it as code.
    Mapped,
    /// This component loads it at run time, for example `nss` or `gconv`.
    PlugIn(String),
    /// The user named it.
    Given,
}

impl Origin {
    /// Returns whether the program loads it at run time (dlopen(3)). Then code looks up its
    /// functions by name, so each function that it exports counts as reached.
    pub fn is_loaded_at_run_time(&self) -> bool {
        matches!(self, Self::Mapped | Self::PlugIn(_) | Self::Given)
    }
}

/// What the code of some files could do.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// The files, in the order in which they were given.
    pub modules: Vec<ModuleReach>,
    /// The syscalls that reached code makes, each with one way to it. They are an upper bound only
    /// if `unresolved` is empty. The execve(2) that starts the program is made by other code.
    pub calls: BTreeMap<Syscall, Chain>,
    /// The number of reached instructions that make a syscall.
    pub sites: usize,
    /// What could not be known, ordered by module and address.
    pub unresolved: Vec<Unresolved>,
    /// A way to code that loads further files as code (dlopen(3)), if one is reached.
    pub loads_modules: Option<Chain>,
    /// A way to execve(2) or execveat(2), if one is reached. Programs that are executed are not
    /// part of the analysis.
    pub executes_programs: Option<Chain>,
}

/// A file of an analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleReach {
    /// Its path.
    pub path: PathBuf,
    /// Why it was analysed.
    pub origin: Origin,
    /// Its build ID in hexadecimal digits (NT_GNU_BUILD_ID), if it has one.
    pub build_id: Option<String>,
    /// The number of functions in it.
    pub functions: usize,
    /// The number of those that can be reached.
    pub reached: usize,
    /// The names of the reached functions that it exports, as they are in its symbols. Some of them
    /// load plug-ins: those of nsswitch.conf(5), for example.
    pub reached_exports: BTreeSet<String>,
}

/// A way from a root to a syscall: each step is a function that leads to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The functions, from the root on. The last one has the syscall instruction.
    pub steps: Vec<Step>,
    /// Set if the kernel makes the call itself: it is `restart_syscall`, which resumes this call
    /// after a signal (restart_syscall(2)).
    pub resumes: Option<Syscall>,
}

/// A function on a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Index of its file in [`Reach::modules`].
    pub module: usize,
    /// The demangled name, if a symbol gives one.
    pub function: Option<String>,
    /// The address in the file where the function starts.
    pub start: u64,
    /// The address in the file of the instruction that leads on: to the next step, or the syscall
    /// itself. It is `start` where no single instruction does.
    pub at: u64,
    /// How this function is reached.
    pub reached: Reached,
}

/// How a function is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It is the entry point of the program or of its loader.
    Entry,
    /// It runs when its file is loaded or unloaded (DT_INIT_ARRAY and the like, elf(5)).
    Constructor,
    /// It chooses the implementation of a function when its file is loaded (STT_GNU_IFUNC).
    Resolver,
    /// The dynamic loader looks it up by name.
    Loader,
    /// A file that is loaded at run time exports it.
    Exported,
    /// Its name is a string of a file, and dlsym(3) is reached.
    LookedUp,
    /// Initial data of threads or of a language runtime refers to it.
    InitialData,
    /// The step before calls it.
    Called,
    /// The step before takes its address.
    AddressTaken,
    /// The step before refers to data that holds its address.
    InData,
}

/// A syscall instruction with a number that is not known, or code that could not be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// Why it is not known.
    pub why: Why,
    /// A way to it. The last step has the instruction.
    pub chain: Chain,
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The number is computed, or read from memory.
    Number {
        /// The module and name of the function where it is lost, if that is another one.
        lost_in: Option<(usize, String)>,
    },
    /// The number is an argument of a function that is called through a pointer.
    CalledThroughPointer {
        /// The module and name of the function.
        function: (usize, String),
    },
    /// A jump through a register or memory goes to targets that are not known.
    Jump,
    /// Instructions that cannot be decoded.
    Undecodable,
    /// A jump or call leads to an address that belongs to no known code.
    NoFunction,
    /// The call has the convention of 32-bit programs (`int $0x80`, `sysenter`), where numbers mean
    /// other calls.
    Compatibility,
}

/// Why files cannot be analysed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The first file is to be the program.
    #[error("no program to analyse")]
    NoProgram,
    /// It is no ELF file.
    #[error("cannot analyse {}: not an ELF file", shown(.path))]
    NotElf {
        /// Its path.
        path: PathBuf,
    },
    /// Its code is for another processor.
    #[error("cannot analyse {}: cannot decode {machine} code, only that of x86_64", shown(.path))]
    Machine {
        /// Its path.
        path: PathBuf,
        /// The processor.
        machine: String,
    },
    /// It is neither a program nor a library.
    #[error("cannot analyse {}: {kind}, neither a program nor a shared library", shown(.path))]
    Kind {
        /// Its path.
        path: PathBuf,
        /// What it is instead.
        kind: &'static str,
    },
    /// Its headers contradict each other.
    #[error("cannot analyse {}: {reason}", shown(.path))]
    Malformed {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

fn shown(path: &std::path::Path) -> String {
    escape::line(&path.to_string_lossy()).into_owned()
}
