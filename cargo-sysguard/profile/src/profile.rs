//! Samples with names. Main type: [`Profile`].

use std::sync::Arc;

use crate::recording::{Clock, Missing, Totals};

/// The stacks of a run, with a name for each address.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// What ticks between two samples.
    pub clock: Clock,
    /// Samples per second, as asked for.
    pub frequency: u64,
    /// In no order.
    pub stacks: Vec<Stack>,
    /// Samples that the kernel could not store.
    pub lost: u64,
    /// How often the kernel paused sampling because it took too much time.
    pub throttled: u64,
    /// Totals of the run.
    pub totals: Totals,
    /// What could not be measured.
    pub missing: Vec<Missing>,
}

/// Equal stacks of one program.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The name of the program (proc_pid_comm(5)).
    pub program: Arc<str>,
    /// Innermost first: kernel functions, then user functions.
    pub frames: Vec<Frame>,
    /// How many samples had this stack.
    pub samples: u64,
    /// Ticks of all its samples: nanoseconds or cycles, see [`Clock`].
    pub ticks: u64,
    /// Whether the task was in the kernel, also if the kernel's functions are not visible.
    pub in_kernel: bool,
}

/// A function on a stack. Frames share functions.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// In the kernel.
    Kernel(Arc<KernelFunction>),
    /// In a program or a library.
    User(Arc<UserFunction>),
}

/// A function of the kernel or of one of its modules.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KernelFunction {
    /// As `/proc/kallsyms` names it.
    pub name: String,
    /// The module that it belongs to; `None` for the kernel itself.
    pub module: Option<String>,
    /// Where it is defined, if that is known.
    pub place: Option<Place>,
    /// How its place is known.
    pub known_by: KnownBy,
}

/// Where a kernel function is defined.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the kernel's source tree: `net/core/dev_ioctl.c`.
    pub file: Arc<str>,
    /// The subsystem, by the file: `network`.
    pub subsystem: Arc<str>,
    /// The section of MAINTAINERS; `None` if only THE REST covers the file.
    pub section: Option<Arc<str>>,
}

/// How the place of a kernel function is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KnownBy {
    /// One source file defines a function of this name.
    Name,
    /// Several files do; the functions next to it in memory are of only one of them.
    Neighbours,
    /// The place is not known.
    Nothing,
}

/// A function of a program or a library.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserFunction {
    /// Demangled. `None` if the file has no symbol for the address.
    pub name: Option<String>,
    /// The path of the file, or a name in brackets: `[vdso]`.
    pub file: Arc<str>,
    /// Source file and line of the sampled instruction.
    pub source: Option<(Arc<str>, u32)>,
}

#[cfg(test)]
pub(crate) mod fixture;
