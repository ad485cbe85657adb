//! Call sites: the stack of a stopped program is compared with its source.

use std::path::Path;

use libtest_mimic::Failed;
use sysguard::unstable::linux::Callers;
use sysguard::unstable::model::observe::call_site::CallSite;
use sysguard::unstable::model::trace::event::Event;

use crate::case::Stack;
use crate::seen::{Seen, Watched};
use crate::tracees;
use crate::trials::{self, Plain};

/// Trial names and functions.
pub(crate) const TRIALS: &[Plain] = &[("callers::of_a_rust_thread", of_a_rust_thread)];

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
            site = Some(Callers::default().of(*task));
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
