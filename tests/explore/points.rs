//! How calls are found again: the same call has the same point in each run.

use std::collections::BTreeSet;

use libtest_mimic::{Failed, Trial};
use sysguard::unstable::model::explore::injection::{CallPoint, Injection};

use crate::workload::{Workload, ensure_eq, error, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("points::each_line_is_a_stack", &[], each_line_is_a_stack),
        trial("points::runs_agree", &[], runs_agree),
        trial("points::handler_is_the_same_wherever_it_interrupts", &[], handlers),
        trial("points::loader_is_apart", &[], loader_is_apart),
        trial("points::call_is_named_in_a_replay", &[], call_is_named),
        trial("points::commands_agree", &[], commands_agree),
    ]
}

fn each_line_is_a_stack() -> Result<(), Failed> {
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let writes: Vec<_> = explored.calls_between("getppid");
    let stacks: BTreeSet<u64> = writes.iter().map(|call| call.point.stack).collect();
    ensure_eq!(stacks.len(), writes.len());
    ensure_eq!(writes.iter().all(|call| call.point.occurrence == 0), true);
    // The results are printed in a loop.
    let last = explored.calls("write").last().map(|call| call.point.occurrence);
    ensure_eq!(last.is_some_and(|occurrence| occurrence > 10), true);
    Ok(())
}

/// Returns the points of the calls of so many surveys.
fn surveys(workload: &Workload, runs: usize) -> Result<Vec<Vec<CallPoint>>, Failed> {
    let explorer = workload.explorer()?;
    let survey = || Ok(explorer.survey(false)?.survey.calls.iter().map(|call| call.point).collect());
    (0..runs).map(|_| survey()).collect()
}

fn runs_agree() -> Result<(), Failed> {
    for program in ["calls.c", "children.c", "restarts.c"] {
        let workload = Workload::of(program, &[])?;
        let runs = surveys(&workload, 5)?;
        // The order of tasks that run at the same time differs, and so do waits for a child.
        let sets = runs.into_iter().map(|points| {
            let is_steady = |point: &CallPoint| !matches!(&*point.syscall.name(), "futex" | "madvise" | "munmap");
            points.into_iter().filter(is_steady).collect::<BTreeSet<_>>()
        });
        let sets: Vec<_> = sets.collect();
        if program == "restarts.c" {
            // Its child polls until another process sleeps.
            let reads = |set: &BTreeSet<CallPoint>| set.iter().filter(|point| point.occurrence == 0).count();
            ensure_eq!(sets.iter().all(|set| reads(set) == reads(&sets[0])), true);
        } else {
            ensure_eq!(sets.iter().all(|set| *set == sets[0]), true);
        }
    }
    Ok(())
}

fn handlers() -> Result<(), Failed> {
    let workload = Workload::of("handlers.c", &[])?;
    let explorer = workload.explorer()?;
    let mut points = BTreeSet::new();
    for _ in 0..8 {
        let calls = explorer.survey(false)?.survey.calls;
        let of_handler = |name: &str| matches!(name, "getpgid" | "rt_sigreturn");
        points.extend(calls.iter().map(|call| call.point).filter(|point| of_handler(&point.syscall.name())));
    }
    ensure_eq!(points.len(), 2);
    Ok(())
}

fn loader_is_apart() -> Result<(), Failed> {
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let calls = &explored.surveyed.survey.calls;
    let mark = calls.iter().position(|call| call.point.syscall.name() == "getppid").ok_or("no mark")?;
    ensure_eq!(calls[..mark].iter().any(|call| call.by_loader), true);
    ensure_eq!(calls[mark..].iter().all(|call| !call.by_loader), true);
    let workload = Workload::of("calls.c", &["-static"])?;
    ensure_eq!(workload.explored()?.surveyed.survey.calls.iter().any(|call| call.by_loader), false);
    Ok(())
}

fn call_is_named() -> Result<(), Failed> {
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let call = *explored.calls("openat").first().ok_or("no openat")?;
    let injection = Injection { point: call.point, fault: error(5) };
    let replay = explored.explorer.replay(&injection, explored.limit)?;
    let text = replay.call.map(|example| example.call).unwrap_or_default();
    ensure_eq!(text, "openat(\"file\", O_RDWR|O_CREAT, 0600)");
    let functions: Vec<_> = replay.site.frames.iter().filter_map(|frame| frame.function.as_deref()).collect();
    ensure_eq!(functions.starts_with(&["raw", "call", "files", "main"]), true);
    let named = explored.explorer.survey(true)?.survey.calls;
    let named = named.iter().find(|other| other.point == call.point).map(|call| &call.site);
    ensure_eq!(named, Some(&replay.site));
    Ok(())
}

fn commands_agree() -> Result<(), Failed> {
    for words in [&["ls", "-l", "/"][..], &["sh", "-c", "echo one; ls / | wc -l; true"]] {
        let runs = surveys(&Workload::command(words)?, 4)?;
        let sets: Vec<BTreeSet<_>> = runs.into_iter().map(|points| points.into_iter().collect()).collect();
        let same = sets.iter().skip(1).fold(sets[0].clone(), |same, set| &same & set);
        // Which of two processes waits for the other one differs.
        let differing = sets.iter().map(|set| set.len() - same.len()).max().unwrap_or_default();
        if same.len() < 50 || differing * 20 > same.len() {
            return Err(format!("{words:?}: {} calls in each run, up to {differing} more in some", same.len()).into());
        }
    }
    Ok(())
}
