//! Tests of grouped and folded stacks.

use std::collections::BTreeMap;

use super::*;
use crate::model::attribution::Subsystem;
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::observe::first::First;
use crate::model::observe::observation::Tally;

fn used(number: i64) -> Use {
    let syscall = Syscall { abi: Abi::X86_64, number };
    Use {
        subsystem: Subsystem::Filesystem,
        syscall,
        argument: None,
        object: None,
        ambient: false,
        met: Default::default(),
    }
}

/// Returns a function of a module, with a source file if one is given.
fn frame(function: &str, module: &str, file: Option<&str>) -> Frame {
    let source = file.map(|file| (file.to_owned(), 7));
    Frame { function: Some(function.to_owned()), source, module: module.to_owned(), ..Frame::default() }
}

/// Returns the observation of these first calls, each made twice.
fn observed(calls: &[(i64, Vec<Frame>)]) -> Observation {
    let mut observation = Observation::new();
    for (number, frames) in calls {
        let first = First { used: used(*number), phase: None, of_run: true, error: None };
        observation.sites.add(&first, &CallSite { frames: frames.clone(), ..CallSite::default() });
        observation.uses.insert(used(*number), Tally { calls: 2, errors: BTreeMap::new() });
    }
    observation
}

#[test]
fn equal_stacks_are_one_whatever_the_wrapper() {
    let main = || frame("demo::main", "demo", Some("src/main.rs"));
    let by = |wrapper: &str| vec![frame(wrapper, "libc.so.6", None), main()];
    let loader = || vec![frame("open", "ld-linux-x86-64.so.2", None)];
    let observation = observed(&[(3, by("close")), (2, loader()), (1, by("write")), (9, loader()), (0, vec![])]);
    let stacks = grouped(&observation);
    let shown: Vec<(usize, Vec<i64>)> = stacks
        .iter()
        .map(|stack| (stack.frames.len(), stack.calls.iter().map(|(used, _)| used.syscall.number).collect()))
        .collect();
    assert_eq!(shown, [(1, vec![3, 1]), (1, vec![2, 9]), (0, vec![0])]);
    assert_eq!(stacks[0].frames, [main()]);
    assert_eq!(stacks[0].calls[0], (&used(3), 2));

    let observation = observed(&[(3, by("close")), (1, by("close"))]);
    assert_eq!(grouped(&observation)[0].frames.len(), 2, "both calls have the same wrapper");
}

#[test]
fn long_runs_of_a_library_are_folded() {
    let curl = |name: &str| frame(name, "libcurl.so.4", Some("../lib/multi.c"));
    let own = |name: &str| frame(name, "demo", Some("/home/me/demo/src/main.rs"));
    let unnamed = || Frame { module: "ld-linux-x86-64.so.2".to_owned(), ..Frame::default() };
    let frames: Vec<Frame> = [
        vec![unnamed(), unnamed()],
        vec![curl("a"), curl("b"), curl("c"), curl("d"), curl("e")],
        vec![own("demo::one"), own("demo::two"), own("demo::three"), own("demo::four"), own("demo::five")],
        vec![frame("std::one", "demo", Some("/rustc/0123/library/std/src/rt.rs")); 4],
    ]
    .concat();
    let lines: Vec<String> = folded(&frames)
        .into_iter()
        .map(|line| match line {
            Line::Frame(frame) => frame.function.clone().unwrap_or_default(),
            Line::Folded { count, library } => format!("{count} in {library}"),
        })
        .collect();
    let own = ["demo::one", "demo::two", "demo::three", "demo::four", "demo::five"];
    let expected = [&["2 in ld-linux-x86-64.so.2", "a", "3 in libcurl.so.4", "e"][..], &own, &["std::one"; 4]].concat();
    assert_eq!(lines, expected);
}

#[test]
fn library_is_the_package_or_the_module() {
    const REGISTRY: &str = "/home/me/.cargo/registry/src/index.crates.io-0123/minreq-2.11.0/src/lib.rs";
    for (frame, library) in [
        (frame("minreq::get", "demo", Some(REGISTRY)), Some("minreq 2.11.0")),
        (frame("minreq::get", "demo-0123456789abcdef", None), Some("minreq")),
        (frame("core::ops::call_once", "demo", None), Some("std")),
        (frame("demo::main", "demo-0123456789abcdef", None), None),
        (frame("demo::main", "demo", Some("/home/me/demo/src/main.rs")), None),
        (frame("Curl_connect", "libcurl.so.4", Some("../lib/connect.c")), Some("libcurl.so.4")),
        (frame("__connect", "libc.so.6", Some("../sysdeps/unix/connect.c")), Some("libc.so.6")),
        (frame("_PyEval_EvalFrame", "python3.11", None), Some("python3.11")),
    ] {
        assert_eq!(super::library(&frame).as_deref(), library, "{frame:?}");
    }
}
