//! Runs a command without a tracer, and leaves no process of it behind. Main function:
//! [`run_untraced`].
//!
//! Processes that lose their parent become children of this process (PR_SET_CHILD_SUBREAPER,
//! prctl(2)), so every process of the command stays a descendant of it.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::prctl::{get_child_subreaper, set_child_subreaper};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeVal;
use nix::unistd::getpid;

use super::command::Command;
use super::deadlines::{Deadlines, Due};
use super::launch::PreparedCommand;
use super::outcome::{Limits, TraceError};
use super::sys::members::Members;
use super::trace::system;
use super::wait::{Report, report};
use super::{strays, sys};
use crate::model::kernel::call::Tid;
use crate::model::run::workload::Exit;

/// The result of a run without a tracer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UntracedOutcome {
    /// How the first process ended.
    pub exit: Exit,
    /// Number of processes that outlived the first one and were killed after the grace period.
    pub killed_stragglers: u64,
    /// Time from the start of the command to the end of its first process.
    pub elapsed: Duration,
    /// What the processes of the command used.
    pub usage: RunUsage,
}

/// Resources that all processes of a command used: getrusage(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunUsage {
    /// CPU time in user mode.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// Context switches, voluntary and not.
    pub context_switches: u64,
    /// Page faults without I/O.
    pub minor_faults: u64,
    /// Page faults with I/O.
    pub major_faults: u64,
}

/// Runs a command and returns when no process of it is left. `ready` is called with the number of
/// its first process, which has not executed the command yet.
///
/// SIGTERM and SIGHUP to this process go to the command's first process instead. If this process is
/// killed, so is the command's first process. This process must start no other children meanwhile.
/// SIGURG gets a handler that does nothing.
///
/// # Errors
///
/// [`TraceError`], or the error of `ready`. No process of the command is left in these cases
/// either.
pub fn run_untraced<E: From<TraceError>>(
    command: Command,
    limits: &Limits,
    ready: impl FnOnce(Tid) -> Result<(), E>,
) -> Result<UntracedOutcome, E> {
    /// Runs at the same time would take each other's processes for their own.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let program = command.program.display().to_string();
    let directory = command.cwd.as_ref().map(|cwd| cwd.display().to_string()).unwrap_or_default();
    let is_isolated = command.isolated;
    let adoption = Adoption::begin().map_err(system("adopt orphans"))?;
    let before = usage().map_err(system("read the resource usage"))?;
    let suspended = PreparedCommand::new(command, None)
        .and_then(|command| command.dying_with_parent_if(true).suspend())
        .map_err(system("start a process"))?;
    // The child must not inherit this mask, so it is set after the launch.
    let signals = ForwardedSignals::begin().map_err(system("forward signals"))?;
    let root = suspended.tid;
    // A command outside of this process group cannot signal it.
    let mut members = (!is_isolated).then(Members::default);
    members.iter_mut().for_each(|members| members.join(root));
    ready(root)?;
    let deadlines = Deadlines::start(limits).map_err(system("start a timer"))?;
    let started = Instant::now();
    let launched = suspended.go().map_err(system("resume a process"))?;
    let mut run = UntracedRun { root, deadlines, signals: &signals, adoption: &adoption, killed_stragglers: 0 };
    let ended = run.wait_for_root();
    let elapsed = started.elapsed();
    let rest = run.end_rest(ended.is_err());
    members.iter_mut().for_each(|members| members.leave(root));
    let exit = ended.map_err(system("wait for a process"))?;
    rest.map_err(system("wait for a process"))?;
    if let Some(failure) = launched.failure().map_err(system("read the result of a launch"))? {
        return Err(failure.explain(program, directory).into());
    }
    let used = usage().map_err(system("read the resource usage"))?;
    Ok(UntracedOutcome { exit, killed_stragglers: run.killed_stragglers, elapsed, usage: used.since(&before) })
}

/// The state of one run.
struct UntracedRun<'a> {
    root: Tid,
    deadlines: Deadlines,
    signals: &'a ForwardedSignals,
    adoption: &'a Adoption,
    killed_stragglers: u64,
}

impl UntracedRun<'_> {
    /// Waits for the end of the first process, or for the timeout.
    fn wait_for_root(&mut self) -> io::Result<Exit> {
        loop {
            match sys::wait_for_end(self.root) {
                Ok(status) => {
                    self.deadlines.begin_grace();
                    return Ok(match report(status) {
                        Report::Ended(exit) => exit,
                        _ => Exit::Signaled(libc::SIGKILL),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            self.signals.forward_to(self.root);
            match self.deadlines.due() {
                Due::Signal(signal) => sys::kill(self.root, signal),
                Due::Timeout => {
                    self.adoption.kill_all();
                    return Ok(Exit::TimedOut);
                }
                Due::Nothing | Due::GraceOver => {}
            }
        }
    }

    /// Waits for the other processes during the grace period, and kills those that are left.
    fn end_rest(&mut self, at_once: bool) -> io::Result<()> {
        loop {
            let left = self.adoption.living();
            if left.is_empty() {
                return Ok(());
            }
            if at_once || self.deadlines.due() == Due::GraceOver {
                self.killed_stragglers = left.len() as u64;
                self.adoption.kill_all();
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Interval at which the end of adopted processes is checked.
const PAUSE: Duration = Duration::from_millis(5);

/// Makes this process the parent of the command's orphans.
struct Adoption {
    /// Children that this process had before.
    known: BTreeSet<Tid>,
    was_subreaper: bool,
}

impl Adoption {
    fn begin() -> io::Result<Self> {
        let was_subreaper = get_child_subreaper()?;
        set_child_subreaper(true)?;
        let own = getpid().as_raw();
        let known = strays::parents().into_iter().filter(|(_, parent)| *parent == own).map(|(child, _)| child);
        Ok(Self { known: known.collect(), was_subreaper })
    }

    /// Reaps processes that have ended, and returns those that live.
    fn living(&self) -> Vec<Tid> {
        let parents = strays::parents();
        let own = getpid().as_raw();
        let mut found: Vec<Tid> = Vec::new();
        let mut ancestors = vec![own];
        while let Some(ancestor) = ancestors.pop() {
            let children = parents.iter().filter(|(_, parent)| *parent == ancestor).map(|(child, _)| *child);
            for child in children.filter(|child| !self.known.contains(child)) {
                if ancestor != own || !sys::reap_ended(child) {
                    found.push(child);
                    ancestors.push(child);
                }
            }
        }
        found
    }

    /// Kills and reaps every process of the command.
    fn kill_all(&self) {
        loop {
            let living = self.living();
            if living.is_empty() {
                return;
            }
            living.iter().for_each(|process| sys::kill(*process, libc::SIGKILL));
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        self.kill_all();
        let _ = set_child_subreaper(self.was_subreaper);
    }
}

/// Signals to this process that the command's first process gets instead.
struct ForwardedSignals {
    received: SignalFd,
    former: SigSet,
}

impl ForwardedSignals {
    /// Blocks the signals for this thread and every thread that it starts.
    fn begin() -> io::Result<Self> {
        let forwarded: SigSet = [Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        let former = SigSet::thread_get_mask()?;
        let received = SignalFd::with_flags(&forwarded, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        forwarded.thread_block()?;
        Ok(Self { received, former })
    }

    fn forward_to(&self, root: Tid) {
        while let Ok(Some(signal)) = self.received.read_signal() {
            sys::kill(root, signal.ssi_signo as i32);
        }
    }
}

impl Drop for ForwardedSignals {
    fn drop(&mut self) {
        let _ = self.former.thread_set_mask();
    }
}

impl RunUsage {
    fn since(&self, before: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            context_switches: self.context_switches.saturating_sub(before.context_switches),
            minor_faults: self.minor_faults.saturating_sub(before.minor_faults),
            major_faults: self.major_faults.saturating_sub(before.major_faults),
        }
    }
}

/// Returns what all children of this process that have ended have used.
fn usage() -> io::Result<RunUsage> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let number = |number| u64::try_from(number).unwrap_or_default();
    Ok(RunUsage {
        user: duration(usage.user_time()),
        system: duration(usage.system_time()),
        context_switches: number(usage.voluntary_context_switches() + usage.involuntary_context_switches()),
        minor_faults: number(usage.minor_page_faults()),
        major_faults: number(usage.major_page_faults()),
    })
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or_default())
}
