//! Runs a command without a tracer, and leaves no process of it behind. Main function:
//! [`run_untraced`].

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeVal;

use super::adoption::{Adoption, PAUSE};
use super::command::Command;
use super::deadlines::{Deadlines, Due};
use super::launch::PreparedCommand;
use super::outcome::{Limits, TraceError};
use super::senders::Sender;
use super::supervisor::SupervisedRun;
use super::sys::members::Members;
use super::trace::system;
use super::wait::{Report, report};
use super::{probe, sys};
use crate::model::kernel::call::Tid;
use crate::model::run::workload::Exit;

/// The result of a run without a tracer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UntracedOutcome {
    /// How the first process ended.
    pub exit: Exit,
    /// Number of processes that outlived the first one and were killed after the grace period.
    pub killed_stragglers: u64,
    /// Number of processes that still live, since this process has no right to kill them.
    pub left_alive: u64,
    /// A signal asked this process to end: SIGTERM or SIGHUP, and with a supervisor SIGINT or
    /// SIGQUIT.
    pub interrupted: bool,
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
/// SIGTERM and SIGHUP to this process go to the command's first process instead, unless the command
/// is isolated. If this process is killed, so is the command's first process, and with a supervisor
/// ([`supervise`](super::supervise)) every process of the command. This process must start no other
/// children meanwhile. SIGURG gets a handler that does nothing.
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
    let is_in_group = !command.isolated;
    probe::check_proc()?;
    let supervised = SupervisedRun::begin(is_in_group).map_err(system("begin a run"))?;
    let adoption = Adoption::begin().map_err(system("adopt orphans"))?;
    let before = usage().map_err(system("read the resource usage"))?;
    let group = supervised.as_ref().and_then(SupervisedRun::job);
    let suspended = PreparedCommand::new(command, None)
        .and_then(|command| command.dying_with_parent_if(true).in_group(group).suspend())
        .map_err(system("start a process"))?;
    let root = suspended.tid;
    // The child must not inherit this mask, so it is set after the launch.
    let signals = is_in_group.then(|| EndSignals::begin(supervised.is_some()));
    let signals = signals.transpose().map_err(system("receive signals"))?;
    // A command outside of this process group cannot signal it.
    let mut members = is_in_group.then(Members::default);
    members.iter_mut().for_each(|members| members.join(root));
    ready(root)?;
    let deadlines = Deadlines::start(limits).map_err(system("start a timer"))?;
    let started = Instant::now();
    let launched = suspended.go().map_err(system("resume a process"))?;
    let mut run = UntracedRun { root, deadlines, signals, adoption: &adoption, supervised: supervised.as_ref() };
    let ended = run.wait_for_root();
    let elapsed = started.elapsed();
    let rest = run.end_rest(&ended);
    supervised.iter().for_each(SupervisedRun::settle);
    run.check_signals();
    members.iter_mut().for_each(|members| members.leave(root));
    let exit = ended.map_err(system("wait for a process"))?;
    if let Some(failure) = launched.failure().map_err(system("read the result of a launch"))? {
        return Err(failure.explain(program, directory).into());
    }
    let used = usage().map_err(system("read the resource usage"))?;
    Ok(UntracedOutcome {
        exit,
        killed_stragglers: rest.killed,
        left_alive: rest.left_alive,
        interrupted: run.signals.is_some_and(|signals| signals.any),
        elapsed,
        usage: used.since(&before),
    })
}

/// The state of one run.
struct UntracedRun<'a> {
    root: Tid,
    deadlines: Deadlines,
    /// `None` for an isolated command, which is not to survive such a signal.
    signals: Option<EndSignals>,
    adoption: &'a Adoption,
    supervised: Option<&'a SupervisedRun>,
}

/// What became of the processes that outlived the first one.
#[derive(Default)]
struct Rest {
    killed: u64,
    left_alive: u64,
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
            self.check_signals();
            match self.deadlines.due() {
                Due::Signal(signal) => sys::kill(self.root, signal),
                Due::Timeout => return Ok(Exit::TimedOut),
                Due::Nothing | Due::GraceOver => {}
            }
        }
    }

    /// Waits for the other processes during the grace period, and kills those that are left. After
    /// a timeout or an error, and once a signal asks this process to end, there is no such period.
    fn end_rest(&mut self, ended: &io::Result<Exit>) -> Rest {
        /// A signal to the whole process group may be noticed this long after the end of the first
        /// process, and is no request to hurry the others.
        const LATE: Duration = Duration::from_millis(200);
        let has_grace = matches!(ended, Ok(Exit::Exited(_) | Exit::Signaled(_)));
        let late = Instant::now() + LATE;
        loop {
            let left = self.adoption.living().len() as u64;
            if left == 0 {
                return Rest::default();
            }
            self.check_signals();
            let passed = self.signals.as_ref().and_then(|signals| signals.passed);
            let is_hurried = passed.is_some_and(|passed| passed > late);
            if !has_grace || is_hurried || self.deadlines.due() == Due::GraceOver {
                let left_alive = self.adoption.kill_all();
                // A timeout is said by the exit.
                let killed = if has_grace { left.saturating_sub(left_alive) } else { 0 };
                return Rest { killed, left_alive };
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Passes on what has arrived. Without its supervisor, this process ends.
    fn check_signals(&mut self) {
        if let Some(signals) = &mut self.signals {
            signals.pass_to(self.root);
        }
        if self.supervised.is_some_and(SupervisedRun::is_abandoned) {
            self.adoption.kill_all();
            sys::kill(std::process::id() as Tid, libc::SIGKILL);
        }
    }
}

/// Signals that ask this process to end, for a command in its process group.
struct EndSignals {
    received: SignalFd,
    former: SigSet,
    /// One has arrived.
    any: bool,
    /// When the last one was passed on.
    passed: Option<Instant>,
}

impl EndSignals {
    /// Blocks the signals for this thread and every thread that it starts. With a supervisor, these
    /// include SIGINT and SIGQUIT, which the command gets itself.
    fn begin(has_supervisor: bool) -> io::Result<Self> {
        let noted: &[Signal] = if has_supervisor { &[Signal::SIGINT, Signal::SIGQUIT] } else { &[] };
        let all = [Signal::SIGTERM, Signal::SIGHUP].iter().chain(noted);
        let signals: SigSet = all.copied().filter(|signal| !sys::is_ignored(*signal as i32)).collect();
        let former = SigSet::thread_get_mask()?;
        let received = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        signals.thread_block()?;
        Ok(Self { received, former, any: false, passed: None })
    }

    /// Passes what has arrived on to the command's first process. What the command sent itself does
    /// not count.
    fn pass_to(&mut self, root: Tid) {
        while let Ok(Some(signal)) = self.received.read_signal() {
            if Sender::of(&signal) == Sender::Descendant {
                continue;
            }
            self.any = true;
            let number = signal.ssi_signo as i32;
            if [libc::SIGTERM, libc::SIGHUP].contains(&number) {
                self.passed = Some(Instant::now());
                sys::kill(root, number);
                // A stopped process would end only later. timeout(1) does the same.
                sys::kill(root, libc::SIGCONT);
            }
        }
    }
}

impl Drop for EndSignals {
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
