//! What programs see of a fault, and what events show of it.

use libtest_mimic::{Failed, Trial};
use sysguard::unstable::linux::NotInjected;
use sysguard::unstable::model::explore::injection::{Fault, Injection};
use sysguard::unstable::model::explore::survey::SurveyedCall;
use sysguard::unstable::model::kernel::call::Errno;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::runner::NotExplored;

use crate::needs::Need;
use crate::workload::{Workload, ensure_eq, error, lines, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("faults::each_call_fails_with_its_error", &[], || each_call_fails(&[])),
        trial("faults::each_call_of_a_32_bit_program_fails", &[Need::Programs32, Need::X86], || {
            each_call_fails(&["-m32"])
        }),
        trial("faults::short_counts_reach_the_kernel_only", &[], || short_counts(&[])),
        trial("faults::short_counts_of_a_32_bit_program", &[Need::Programs32, Need::X86], || short_counts(&["-m32"])),
        trial("faults::close_releases_its_fd", &[], close_releases_its_fd),
        trial("faults::broken_pipe_raises_its_signal", &[], broken_pipe),
        trial("faults::restarted_call_keeps_its_fault", &[], restarted_call),
        trial("faults::threads_and_children_fail", &[], || threads_and_children(&[])),
        trial("faults::threads_and_children_of_a_32_bit_program_fail", &[Need::Programs32, Need::X86], || {
            threads_and_children(&["-m32"])
        }),
        trial("faults::calls_of_other_abis_fail", &[Need::X86], other_abis),
        trial("faults::end_is_never_injected", &[], end_is_never_injected),
        trial("faults::foreign_filter_is_refused", &[], foreign_filter),
        trial("faults::missing_call_is_not_reached", &[], missing_call),
        trial("faults::1000_attempts_end", &[], many_attempts),
    ]
}

/// An error that no call of `calls.c` has by itself.
const EREMOTEIO: i32 = libc::EREMOTEIO;

/// Injects the error into each call of `calls.c`: its result is the error, that of earlier calls is
/// as before, and no argument has changed (the program checks that).
fn each_call_fails(flags: &[&str]) -> Result<(), Failed> {
    let workload = Workload::of("calls.c", flags)?;
    let explored = workload.explored()?;
    let plain = lines(&explored.surveyed.survey.result.stdout.start);
    let calls: Vec<_> = explored.calls_between("getppid").into_iter().filter(|call| is_printed(call)).collect();
    ensure_eq!(calls.len(), plain.len());
    for (at, call) in calls.into_iter().enumerate() {
        let attempt = explored.attempt(call, error(EREMOTEIO))?;
        let seen = lines(&attempt.result.stdout.start);
        let name = call.point.syscall.name();
        let (exit, injected) = (attempt.result.exit, seen.get(at).cloned().unwrap_or_default());
        ensure_eq!((exit, injected), (Some(Exit::Exited(0)), format!("{name} -{EREMOTEIO}")));
        ensure_eq!(seen[..at], plain[..at]);
        let mut errors = attempt.observation.uses.iter().filter(|(used, _)| used.syscall == call.point.syscall);
        let counted = errors.find_map(|(_, tally)| tally.errors.get(&Errno(EREMOTEIO)));
        ensure_eq!((&name, counted), (&name, Some(&1)));
        ensure_eq!(attempt.observation.lost_events, 0);
    }
    Ok(())
}

/// Returns whether a call is one of those that `calls.c` prints: its child's end and `getpid` are
/// not.
fn is_printed(call: &SurveyedCall) -> bool {
    !matches!(&*call.point.syscall.name(), "exit_group" | "getpid")
}

fn short_counts(flags: &[&str]) -> Result<(), Failed> {
    let workload = Workload::of("calls.c", flags)?;
    let explored = workload.explored()?;
    for (name, asked) in [("write", 10), ("read", 8)] {
        let call = *explored.calls(name).iter().find(|call| call.bytes() == Some(asked)).ok_or("no such call")?;
        for bytes in [0, 1, asked - 1] {
            let seen = explored.lines(call, Fault::Short(bytes))?;
            // The program fails if the register of the count has changed.
            ensure_eq!(seen.iter().filter(|line| **line == format!("{name} {bytes}")).count(), 1);
        }
        let injection = Injection { point: call.point, fault: Fault::Short(asked) };
        let refused = explored.explorer.attempt(&injection, explored.limit).map(|attempt| attempt.reached);
        ensure_eq!(refused, Err(NotExplored::NotInjected(NotInjected::TooFewBytes)));
    }
    Ok(())
}

fn close_releases_its_fd() -> Result<(), Failed> {
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let call = explored.calls_between("getppid").into_iter().find(|call| call.point.syscall.name() == "close");
    let seen = explored.lines(call.ok_or("no close")?, error(libc::EIO))?;
    let at = seen.iter().position(|line| *line == format!("close -{}", libc::EIO)).ok_or("no result")?;
    ensure_eq!(seen[at + 1], format!("fcntl -{}", libc::EBADF));
    Ok(())
}

fn broken_pipe() -> Result<(), Failed> {
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let call = *explored.calls("write").iter().find(|call| call.bytes() == Some(3)).ok_or("no write to the pipe")?;
    let attempt = explored.attempt(call, error(libc::EPIPE))?;
    ensure_eq!(
        (attempt.result.exit, lines(&attempt.result.stdout.start).len()),
        (Some(Exit::Signaled(libc::SIGPIPE)), 0)
    );
    Ok(())
}

fn restarted_call() -> Result<(), Failed> {
    let workload = Workload::of("restarts.c", &[])?;
    let explored = workload.explored()?;
    let reads: Vec<_> = explored.calls("read").into_iter().filter(|call| call.bytes() == Some(8)).collect();
    ensure_eq!(reads.len(), 1);
    let read = reads[0];
    ensure_eq!(explored.lines(read, Fault::Short(3))?, ["read 3"]);
    ensure_eq!(explored.lines(read, error(libc::EINTR))?, [format!("read -{}", libc::EINTR)]);
    Ok(())
}

fn other_abis() -> Result<(), Failed> {
    let workload = Workload::of("../../tracees/abis/x32.c", &[])?;
    let explored = workload.explored()?;
    let calls = explored.calls("getppid");
    ensure_eq!(calls.len(), 3);
    for call in calls {
        let attempt = explored.attempt(call, error(EREMOTEIO))?;
        let failed = attempt.observation.uses.iter().filter(|(_, tally)| tally.errors.contains_key(&Errno(EREMOTEIO)));
        ensure_eq!(failed.map(|(used, _)| used.syscall).collect::<Vec<_>>(), [call.point.syscall]);
    }
    Ok(())
}

fn threads_and_children(flags: &[&str]) -> Result<(), Failed> {
    let workload = Workload::of("children.c", flags)?;
    let explored = workload.explored()?;
    let all: Vec<_> = explored.surveyed.survey.calls.iter().filter(|call| !call.by_loader).collect();
    let births: Vec<_> = all.iter().filter(|call| is_birth(&call.point.syscall.name())).collect();
    ensure_eq!(births.len(), 4);
    for (at, birth) in births.into_iter().enumerate() {
        let seen = explored.lines(birth, error(libc::EAGAIN))?;
        let failed = seen.iter().position(|line| line.ends_with(&format!(" {}", libc::EAGAIN)));
        ensure_eq!((failed, seen.len()), (Some(at), 4));
    }
    // The calls of the children: of the forked one, then the programs that two others execute.
    let programs: Vec<_> = explored.calls("execve");
    ensure_eq!(programs.len(), 2);
    for (at, execve) in programs.into_iter().enumerate() {
        let seen = explored.lines(execve, error(libc::E2BIG))?;
        let failed = seen.iter().position(|line| line.ends_with(&format!(" {}", libc::E2BIG)));
        ensure_eq!(failed, Some(at + 2));
    }
    let marks = explored.calls("getppid");
    let in_child = marks.iter().filter_map(|mark| explored.lines(mark, error(libc::EPERM)).ok());
    let failed: Vec<_> = in_child.filter(|seen| seen.contains(&format!("fork {}", libc::EPERM))).collect();
    ensure_eq!((marks.len(), failed.len()), (2, 1));
    Ok(())
}

fn is_birth(name: &str) -> bool {
    matches!(name, "clone" | "clone3" | "fork" | "vfork")
}

fn end_is_never_injected() -> Result<(), Failed> {
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let end = *explored.calls("exit_group").last().ok_or("no end")?;
    let injection = Injection { point: end.point, fault: error(libc::EIO) };
    let attempt = explored.explorer.attempt(&injection, explored.limit).map(|attempt| attempt.reached);
    ensure_eq!(attempt, Err(NotExplored::NotInjected(NotInjected::CannotFail)));
    // The last call that can fail.
    let last = *explored.calls("write").last().ok_or("no write")?;
    let attempt = explored.attempt(last, error(libc::EIO))?;
    ensure_eq!(attempt.result.exit, Some(Exit::Exited(0)));
    Ok(())
}

fn foreign_filter() -> Result<(), Failed> {
    let workload = Workload::of("filtered.c", &[])?;
    let explored = workload.explored()?;
    let mark = *explored.calls("getppid").first().ok_or("no mark")?;
    let injection = Injection { point: mark.point, fault: error(libc::EIO) };
    let attempt = explored.explorer.attempt(&injection, explored.limit).map(|attempt| attempt.reached);
    ensure_eq!(attempt, Err(NotExplored::NotInjected(NotInjected::OwnFilter)));
    // Before the filter is installed.
    let before = *explored.calls("prctl").first().ok_or("no prctl")?;
    ensure_eq!(explored.attempt(before, error(libc::EIO))?.result.exit, Some(Exit::Exited(99)));
    Ok(())
}

fn missing_call() -> Result<(), Failed> {
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let mut point = explored.calls("read").first().ok_or("no read")?.point;
    for change in [|stack, at| (stack, at + 100), |stack, at| (stack ^ 1, at)] as [fn(u64, u32) -> (u64, u32); 2] {
        (point.stack, point.occurrence) = change(point.stack, point.occurrence);
        let attempt = explored.explorer.attempt(&Injection { point, fault: error(libc::EIO) }, explored.limit)?;
        ensure_eq!(attempt.reached, false);
        ensure_eq!(attempt.result, explored.surveyed.survey.result);
    }
    Ok(())
}

fn many_attempts() -> Result<(), Failed> {
    const ATTEMPTS: usize = 1000;
    let workload = Workload::of("calls.c", &[])?;
    let explored = workload.explored()?;
    let calls = explored.surveyed.survey.calls.iter().filter(|call| !call.by_loader);
    let calls: Vec<_> = calls.filter(|call| call.point.syscall.name() != "exit_group").collect();
    let injections: Vec<_> = calls
        .iter()
        .cycle()
        .take(ATTEMPTS)
        .map(|call| Injection { point: call.point, fault: error(EREMOTEIO) })
        .collect();
    let (mut made, mut wrong) = (0, Vec::new());
    explored.explorer.attempts(&injections, explored.limit, 2, &|| true, &mut |at, attempt| {
        made += 1;
        match attempt {
            Ok(attempt) if attempt.reached && !attempt.hung => {}
            Ok(attempt) => wrong.push(format!("{} {} {:?}", injections[at].id(), attempt.reached, attempt.result.exit)),
            Err(error) => wrong.push(format!("{} {error}", injections[at].id())),
        }
    });
    ensure_eq!((made, wrong), (ATTEMPTS, Vec::<String>::new()));
    Ok(())
}
