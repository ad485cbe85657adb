//! Call sites: the stack of a stopped program is compared with its source.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::unstable::linux::{Callers, SymbolFiles};
use sysguard::unstable::model::observe::call_site::CallSite;
use sysguard::unstable::model::trace::event::Event;

use crate::case::Stack;
use crate::needs::{self, Need};
use crate::seen::{Seen, Watched};
use crate::tracees;
use crate::trials::{self, Plain};

/// Trial names and functions.
pub(crate) const TRIALS: &[Plain] = &[("callers::of_a_rust_thread", of_a_rust_thread)];

/// Returns a trial for each place where compilers and linkers leave debug information.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |&(name, flags): &'static (&str, &[&str])| {
        Trial::ignorable_test(format!("callers::debug_information::{name}"), move || {
            let needs = [Need::Cargo, Need::Program("cc".to_owned())];
            needs::unmet(&needs).unwrap_or_else(|| of_a_build(flags).map(|()| Completion::Completed))
        })
    };
    BUILDS.iter().map(trial).collect()
}

/// Where the debug information of a program is, and the flags of rustc for that.
const BUILDS: &[(&str, &[&str])] = &[
    ("in_the_file", &[]),
    ("in_its_package", &["-Csplit-debuginfo=packed"]),
    ("in_the_compiler's_objects", &["-Csplit-debuginfo=unpacked"]),
    ("compressed", &["-Clink-arg=-Wl,--compress-debug-sections=zlib"]),
    ("compressed_in_its_package", &["-Csplit-debuginfo=packed", "-Clink-arg=-Wl,--compress-debug-sections=zlib"]),
];

/// Only full debug information names the inlined function.
const SOURCE: &str = "unsafe extern \"C\" {
    fn getppid() -> i32;
}
#[inline(always)]
fn asks() -> i32 {
    unsafe { getppid() }
}
#[inline(never)]
fn calls() -> i32 {
    asks() + 1
}
fn main() {
    assert!(calls() > 0);
}
";

fn of_a_build(flags: &[&str]) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("demo.rs"), SOURCE)?;
    // The compiler of the toolchain that built these tests lies beside its cargo.
    let rustc = needs::cargo().ok_or("no cargo")?.with_file_name("rustc");
    let mut compiler = Command::new(rustc);
    compiler.args(["--edition=2024", "-Cdebuginfo=2", "demo.rs"]).args(flags).current_dir(folder.path());
    trials::ensure_eq!(compiler.status()?.success(), true);
    let functions = [("asks", 6), ("calls", 10), ("main", 13)];
    let functions = functions.map(|(name, line)| (format!("demo::{name}"), line)).into();
    let stack = Stack { call: "getppid".to_owned(), functions };
    watch(Watched::program(&folder.path().join("demo"), &[]), &stack, Path::new("demo.rs")).map(drop)
}

fn of_a_rust_thread() -> Result<(), Failed> {
    let functions = tracees::callers::STACK.iter().map(|&(name, line)| (name.to_owned(), line)).collect();
    let stack = Stack { call: "getppid".to_owned(), functions };
    let seen = watch(Watched::tracee("asks_in_a_thread"), &stack, Path::new("tracees/callers.rs"))?;
    trials::ensure_eq!(seen.outcome.lost_events, 0);
    Ok(())
}

/// Traces a program and compares the stack of its first such call with the truth, as far as it lies
/// in this file.
pub(crate) fn watch(watched: Watched, stack: &Stack, file: &Path) -> Result<Seen, Failed> {
    let mut site = None;
    let seen = watched.watch_with(&mut |event| {
        if let (Event::Called { task, call, .. }, None) = (event, &site)
            && call.syscall.name() == stack.call
        {
            site = Some(Callers::new(&SymbolFiles::default()).of(*task));
        }
    })?;
    let site = site.ok_or_else(|| format!("{} was not called", stack.call))?;
    if functions(&site, file) == stack.functions && goes_through_libc(&site) {
        Ok(seen)
    } else {
        Err(format!("the stack of {} is not {:?}: {:#?}", stack.call, stack.functions, site.frames).into())
    }
}

/// Returns the functions of this file on the stack, with their lines.
fn functions(site: &CallSite, file: &Path) -> Vec<(String, u32)> {
    let own = site.frames.iter().filter_map(|frame| {
        let (source, line) = frame.source.as_ref()?;
        // Compilers mangle closures in two ways.
        let name = frame.function.as_deref().unwrap_or_default().replace("{closure#0}", "{{closure}}");
        Path::new(source).ends_with(file).then_some((name, *line))
    });
    own.collect()
}

/// Returns true if the innermost frame is a named function without a source file here.
fn goes_through_libc(site: &CallSite) -> bool {
    site.frames.first().is_some_and(|frame| frame.source.is_none() && frame.function.is_some())
}
