//! The kernel layer: turns the kernel's reports into stops and carries out directives.
//!
//! [`trace()`] is the entry point. Other systems get the stubs of `elsewhere`. Nothing here judges
//! events, prints, or reads an expectation.

mod command;
mod outcome;
mod recorder;
mod watcher;

pub use command::{Command, Environment, Handle, Stream};
pub use outcome::{Incomplete, Limits, Outcome, TraceError};
pub use recorder::{Recorder, Selection};
#[cfg(feature = "unstable")]
pub use watcher::NotInjected;
pub use watcher::{Watcher, Watching};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{
    CallExamples, KeptTerminal, Machine, block_ending_signals, inherited, keep_terminal, leave_signals_to_workload,
    mark, mark_harness, may_be_harness, probe, remove_tree, suspend_job, trace, watch, watch_notified,
};

/// Why this system cannot trace any workload; `None` on Linux.
pub const NEEDED: Option<&str> = if cfg!(target_os = "linux") { None } else { Some("tracing needs Linux") };

#[cfg(target_os = "linux")]
mod availability;
#[cfg(target_os = "linux")]
mod blocked;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod untraced_run;

#[cfg(all(target_os = "linux", feature = "unstable"))]
mod adoption;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod senders;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod supervisor;

#[cfg(all(target_os = "linux", feature = "call-sites", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod callers;
#[cfg(not(all(target_os = "linux", feature = "call-sites", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "callers/unknown.rs"]
mod callers;
#[cfg(target_os = "linux")]
mod colocation;
#[cfg(target_os = "linux")]
mod deadlines;
#[cfg(target_os = "linux")]
mod dumpable;
#[cfg(target_os = "linux")]
mod engine;
#[cfg(target_os = "linux")]
mod examples;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod fd_mode;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod groups;
#[cfg(target_os = "linux")]
mod harness_mark;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod inject;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod leave;
#[cfg(target_os = "linux")]
mod loader;
#[cfg(target_os = "linux")]
mod log;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod maps;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod named_paths;
#[cfg(target_os = "linux")]
mod objects;
#[cfg(target_os = "linux")]
mod paths;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod programs;
#[cfg(target_os = "linux")]
mod remove;
#[cfg(target_os = "linux")]
mod reports;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(feature = "unstable")]
mod stack;
#[cfg(target_os = "linux")]
mod status;
#[cfg(target_os = "linux")]
mod stopped;
#[cfg(target_os = "linux")]
mod strays;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod tracer;
#[cfg(target_os = "linux")]
mod unmount;
#[cfg(target_os = "linux")]
mod untraced;
#[cfg(target_os = "linux")]
mod vdso;
#[cfg(target_os = "linux")]
mod wait;
#[cfg(target_os = "linux")]
mod witness;
#[cfg(all(target_os = "linux", feature = "unstable"))]
mod written_files;

#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod uapi;

#[cfg(target_os = "linux")]
pub use blocked::block_ending_signals;
pub use callers::{Callers, SymbolFiles, WaitingParent};
#[cfg(all(target_os = "linux", feature = "unstable", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use callers::{Function, Functions, Image, Layout, StackRegisters, UnwindRules};
#[cfg(target_os = "linux")]
pub use engine::inherited;
#[cfg(target_os = "linux")]
pub use examples::CallExamples;
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use fd_mode::is_nonblocking;
#[cfg(target_os = "linux")]
pub use harness_mark::may_be_harness;
#[cfg(target_os = "linux")]
pub use machine::Machine;
#[cfg(target_os = "linux")]
pub use probe::probe;
#[cfg(target_os = "linux")]
pub use remove::remove_tree;
#[cfg(target_os = "linux")]
pub use signals::leave_signals_to_workload;
#[cfg(feature = "unstable")]
pub use stack::StackIdentity;
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use supervisor::{Role, supervise};
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use sys::prefer_this_thread;
#[cfg(target_os = "linux")]
pub use sys::{mark, mark_harness, note_start};
#[cfg(target_os = "linux")]
pub use terminal::{KeptTerminal, keep_terminal, suspend_job};
#[cfg(target_os = "linux")]
pub use trace::{trace, trace_unasked, watch, watch_notified};
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use untraced_run::{RunUsage, UntracedOutcome, run_untraced};
#[cfg(all(target_os = "linux", feature = "unstable"))]
pub use written_files::WrittenFiles;
