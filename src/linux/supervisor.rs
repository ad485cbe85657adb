//! Divides this process into a supervisor and a worker, so that no process of an untraced command
//! survives them. Main function: [`supervise`].
//!
//! The worker does the work. The supervisor, which keeps the number that the caller knows, waits
//! for it, passes signals on, and ends as it does. If the worker is killed, the processes of its
//! command become children of the supervisor, which kills them. If the supervisor is killed, so is
//! the worker; during a run without a tracer, it kills the processes of the command before.
//!
//! One process is not enough: orphans are adopted by an ancestor only, so after a SIGKILL of a
//! single process, its orphans are out of reach. The ancestor must have no other children, or it
//! could not tell which orphans are the command's. The worker has none, because it is made by fork.
//! The supervisor may have some if its program was executed by a shell with jobs: then it leaves
//! the orphans of a killed worker alone.
//!
//! The supervisor is made at the start, since later there are threads, and fork copies only one.
//! While a command runs in the process group of this job, the worker is in a group of its own: what
//! a command sends to its group reaches the supervisor only, which can tell such signals from
//! others. It does nothing else, so it reads a signal while the sender is still there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use libc::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGTERM};
use nix::fcntl::OFlag;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpgrp, getppid, pipe2, setpgid};

use super::adoption;
use super::outcome::TraceError;
use super::probe;
use super::senders::Sender;
use super::signals::KEPT;
use super::strays::{self, Descendant};
use super::sys;
use super::wait::{Report, report};
use crate::model::kernel::call::Tid;
use crate::model::run::workload::Exit;

/// Which of the two processes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The worker, which goes on.
    Worker,
    /// The supervisor after the end of the worker, with its exit status.
    Supervisor(u8),
}

/// What the worker knows of its supervisor.
#[derive(Debug)]
pub(super) struct Worker {
    supervisor: Pid,
    /// The process group of both.
    job: Pid,
    record: RunRecord,
    /// The supervisor answers here once it has passed on every signal that it has received.
    answers: File,
}

/// A file in memory that both processes have. During a run, it lists the processes below the
/// supervisor that are not the command's.
#[derive(Debug)]
struct RunRecord(File);

/// The signal by which the worker asks whether every signal was passed on, and says that a run
/// begins or ends. Of several signals, the kernel delivers the one with the lowest number first:
/// signal(7). So this one, the highest, is read after those that came before.
const QUESTION: i32 = 64;

static WORKER: OnceLock<Worker> = OnceLock::new();

/// Divides this process. The worker returns at once, the supervisor after the end of the worker; if
/// a signal ended the worker, the same signal ends the supervisor instead.
///
/// This process must have a single thread.
///
/// # Errors
///
/// [`TraceError`]; then there is no worker.
pub fn supervise() -> Result<Role, TraceError> {
    probe::check_proc()?;
    let system = |operation| move |source: io::Error| TraceError::System { operation, source };
    let record = RunRecord::new().map_err(system("create a file in memory"))?;
    let (answers, answer) = pipe2(OFlag::O_CLOEXEC).map_err(io::Error::from).map_err(system("create a pipe"))?;
    let passed = passed_signals();
    let received = SignalFd::with_flags(&passed, SfdFlags::SFD_CLOEXEC);
    let received = received.map_err(io::Error::from).map_err(system("receive signals"))?;
    let before = passed.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let before = before.map_err(io::Error::from).map_err(system("receive signals"))?;
    let (supervisor, job) = (Pid::this(), getpgrp());
    // Otherwise the kernel would reap children itself: wait(2), "NOTES".
    sys::set_disposition(SIGCHLD, false);
    let forked = sys::fork().inspect_err(|_| before.thread_set_mask().unwrap_or_default());
    let Some(worker) = forked.map_err(system("start a process"))? else {
        drop((received, answer));
        die_with(supervisor);
        let _ = before.thread_set_mask();
        WORKER.get_or_init(|| Worker { supervisor, job, record, answers: answers.into() });
        return Ok(Role::Worker);
    };
    // The sender of a signal may end soon.
    let _ = sys::prefer_this_thread();
    drop(answers);
    let exit = follow(worker, &received, &answer.into(), &record).map_err(system("wait for a process"))?;
    if let Some(known) = record.read() {
        adoption::kill_all(&known);
    }
    if let Exit::Signaled(signal) = exit {
        // The worker has written a core file, if any.
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
        sys::set_disposition(signal, false);
        sys::kill(supervisor.as_raw(), signal);
        let _ = SigSet::empty().thread_set_mask();
    }
    Ok(Role::Supervisor(u8::try_from(exit.shell_status()).unwrap_or(u8::MAX)))
}

/// Returns the signals that the supervisor passes to the worker, and SIGCHLD. Ignored signals stay
/// ignored.
fn passed_signals() -> SigSet {
    let mut signals = SigSet::all();
    for signal in
        Signal::iterator().filter(|signal| KEPT.contains(&(*signal as i32)) || sys::is_ignored(*signal as i32))
    {
        signals.remove(signal);
    }
    signals.add(Signal::SIGCHLD);
    signals
}

/// Passes signals to the worker until its end.
fn follow(worker: Tid, received: &SignalFd, mut answer: &File, record: &RunRecord) -> io::Result<Exit> {
    loop {
        let signal = match received.read_signal() {
            Ok(Some(signal)) => signal,
            Ok(None) | Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let number = signal.ssi_signo as i32;
        if number == SIGCHLD {
            // Adopted processes are reaped too.
            while let Some((child, status)) = sys::waiting_report() {
                if let (true, Report::Ended(exit)) = (child == worker, report(status)) {
                    return Ok(exit);
                }
            }
        } else if number == QUESTION && signal.ssi_pid == worker.unsigned_abs() {
            // Orphans of anything but a run, such as a server that a build starts, are not adopted.
            let _ = set_child_subreaper(record.read().is_some());
            // If the worker has ended meanwhile, it needs no answer.
            let _ = answer.write_all(&[1]);
        } else if let Some(passed) = passed(number, Sender::of(&signal)) {
            sys::kill(worker, passed);
        }
    }
}

/// Returns the signal that the worker gets for one that the supervisor has received, if any.
fn passed(signal: i32, sender: Sender) -> Option<i32> {
    match sender {
        // The command has signaled its process group.
        Sender::Descendant => None,
        // It may have been the command, so only a request to end is passed on.
        Sender::Gone => [SIGTERM, SIGHUP, SIGINT].contains(&signal).then_some(signal),
        // The terminal signals the command too. It is not to get SIGHUP twice.
        Sender::Kernel if signal == SIGHUP => Some(SIGINT),
        Sender::Kernel | Sender::Other => Some(signal),
    }
}

/// Makes this process end with the supervisor.
fn die_with(supervisor: Pid) {
    let _ = set_pdeathsig(Signal::SIGKILL);
    if getppid() != supervisor {
        sys::kill(std::process::id() as Tid, SIGKILL);
    }
}

/// Returns the descendants of the supervisor, if all are below the worker. Otherwise, orphans of
/// the others would become children of the supervisor too.
fn only_below(worker: Tid, supervisor: Tid, descendants: &[Descendant]) -> Option<Vec<Tid>> {
    let is_other = |it: &Descendant| it.parent == supervisor && it.process != worker;
    (!descendants.iter().any(is_other)).then(|| descendants.iter().map(|it| it.process).collect())
}

/// A run without a tracer, as the supervisor knows it.
#[derive(Debug)]
pub(super) struct SupervisedRun {
    worker: &'static Worker,
    has_left_job: bool,
}

impl SupervisedRun {
    /// Begins a run, if this process has a supervisor. Its command must be started in the process
    /// group of [`SupervisedRun::job`] if `is_in_job`.
    pub(super) fn begin(is_in_job: bool) -> io::Result<Option<Self>> {
        let Some(worker) = WORKER.get() else { return Ok(None) };
        let supervisor = worker.supervisor.as_raw();
        if let Some(known) = only_below(std::process::id() as Tid, supervisor, &strays::descendants(supervisor)) {
            worker.record.write(known)?;
        }
        let run = Self { worker, has_left_job: is_in_job };
        // This process is to kill the command first: see `is_abandoned`.
        set_pdeathsig(None)?;
        if is_in_job {
            setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
        }
        run.settle();
        Ok(Some(run))
    }

    /// Returns the process group that the command belongs in.
    pub(super) fn job(&self) -> Option<Pid> {
        self.has_left_job.then_some(self.worker.job)
    }

    /// Waits until every signal is passed on that the supervisor has received so far.
    pub(super) fn settle(&self) {
        sys::kill(self.worker.supervisor.as_raw(), QUESTION);
        let mut answer = [0];
        // It ends without an answer if the supervisor does.
        while (&self.worker.answers).read(&mut answer).is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {}
    }

    /// Returns whether the supervisor has ended.
    pub(super) fn is_abandoned(&self) -> bool {
        getppid() != self.worker.supervisor
    }
}

impl Drop for SupervisedRun {
    fn drop(&mut self) {
        if self.has_left_job {
            // It fails if the job is gone.
            let _ = setpgid(Pid::from_raw(0), self.worker.job);
        }
        die_with(self.worker.supervisor);
        self.worker.record.clear();
        self.settle();
    }
}

impl RunRecord {
    fn new() -> io::Result<Self> {
        Ok(Self(memfd_create(c"sysguard-run", MFdFlags::MFD_CLOEXEC)?.into()))
    }

    /// Begins a run. The known processes are not the command's.
    fn write(&self, known: Vec<Tid>) -> io::Result<()> {
        let numbers = [known.len() as Tid].into_iter().chain(known);
        let bytes: Vec<u8> = numbers.flat_map(Tid::to_ne_bytes).collect();
        self.0.write_all_at(&bytes, 0)
    }

    /// Ends a run.
    fn clear(&self) {
        // Without it, the supervisor would look for processes that are gone.
        let _ = self.0.set_len(0);
    }

    /// Returns the processes that are not the command's, if this is during a run.
    fn read(&self) -> Option<BTreeSet<Tid>> {
        let mut bytes = vec![0; usize::try_from(self.0.metadata().ok()?.len()).ok()?];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        let mut numbers =
            bytes.chunks_exact(size_of::<Tid>()).filter_map(|bytes| Some(Tid::from_ne_bytes(*bytes.first_chunk()?)));
        let count = usize::try_from(numbers.next()?).ok()?;
        let known: BTreeSet<Tid> = numbers.collect();
        // A worker that was killed while it wrote had not started the command.
        (known.len() == count).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_of_the_command_are_not_passed_on() {
        use libc::{SIGINT, SIGUSR1};
        for (signal, sender, expected) in [
            (SIGTERM, Sender::Other, Some(SIGTERM)),
            (SIGUSR1, Sender::Other, Some(SIGUSR1)),
            (SIGTERM, Sender::Descendant, None),
            (SIGTERM, Sender::Gone, Some(SIGTERM)),
            (SIGUSR1, Sender::Gone, None),
            (SIGINT, Sender::Kernel, Some(SIGINT)),
            (SIGHUP, Sender::Kernel, Some(SIGINT)),
        ] {
            assert_eq!(passed(signal, sender), expected, "{signal} {sender:?}");
        }
    }

    #[test]
    fn other_children_of_the_supervisor_prevent_adoption() {
        let of = |pairs: &[(Tid, Tid)]| {
            let descendant = |&(process, parent)| Descendant { process, parent, has_ended: false };
            only_below(8, 7, &pairs.iter().map(descendant).collect::<Vec<_>>())
        };
        assert_eq!(of(&[(8, 7), (9, 8)]), Some(vec![8, 9]));
        assert_eq!(of(&[(8, 7), (6, 7), (9, 8)]), None);
    }

    #[test]
    fn record_is_read_only_during_a_run() {
        let record = RunRecord::new().expect("a file");
        assert_eq!(record.read(), None);
        record.write(vec![7, 8]).expect("written");
        assert_eq!(record.read(), Some(BTreeSet::from([7, 8])));
        record.clear();
        assert_eq!(record.read(), None);
        record.0.write_all_at(&3_i32.to_ne_bytes(), 0).expect("written");
        assert_eq!(record.read(), None, "it is cut");
    }
}
