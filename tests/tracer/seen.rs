//! Traces a program and counts its events. Main types: [`Watched`], the program, and [`Seen`], the
//! result.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::time::Duration;

use sysguard::unstable::linux::{
    Command, Environment, Limits, Outcome, Recorder, Stream, TraceError, Watching, trace, watch, watch_notified,
};
use sysguard::unstable::model::attribution::blind_spot::BlindSpot;
use sysguard::unstable::model::attribution::{blind_spot, unanswerable};
use sysguard::unstable::model::kernel::call::CallOutcome;
use sysguard::unstable::model::kernel::syscall::Abi;
use sysguard::unstable::model::observe::ends::Ends;
use sysguard::unstable::model::observe::observation::{Engine, Observer, Part};
use sysguard::unstable::model::trace::event::Event;

use crate::needs::slowness;

/// Calls and failures of one syscall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    /// Calls that a signal interrupted, whether the kernel restarts them or they fail with EINTR.
    pub(crate) restarts: u64,
    /// Calls that never returned.
    pub(crate) unfinished: u64,
}

/// What one run showed.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) outcome: Outcome,
    pub(crate) counts: BTreeMap<(Abi, String), Count>,
    pub(crate) processes: u64,
    pub(crate) threads: u64,
    pub(crate) ended: u64,
    pub(crate) ends: Ends,
    pub(crate) blind: BTreeSet<BlindSpot>,
    pub(crate) output: String,
}

impl Seen {
    /// Returns the number of calls of a native syscall.
    pub(crate) fn calls(&self, name: &str) -> u64 {
        self.count(NATIVE, name).calls
    }

    pub(crate) fn count(&self, abi: Abi, name: &str) -> Count {
        self.counts.get(&(abi, name.to_owned())).copied().unwrap_or_default()
    }
}

/// The ABI of 64-bit programs on this machine.
pub(crate) const NATIVE: Abi = if cfg!(target_arch = "aarch64") {
    Abi::Aarch64
} else if cfg!(target_arch = "riscv64") {
    Abi::Riscv64
} else {
    Abi::X86_64
};

/// The engines of this machine that report every call.
pub(crate) const ENGINES: &[Engine] = match NATIVE {
    Abi::X86_64 => &[Engine::Ptrace, Engine::Notify],
    _ => &[Engine::Ptrace],
};

/// A program to trace.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) program: PathBuf,
    pub(crate) argv: Vec<OsString>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) limits: Limits,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) engine: Engine,
}

impl Watched {
    /// Returns the tracee of this name in `tracees/`.
    pub(crate) fn tracee(name: &str) -> Self {
        let program = std::env::current_exe().expect("the path of this binary");
        Self::program(&program, &["--tracee", name])
    }

    /// Returns a shell script.
    pub(crate) fn shell(script: &str) -> Self {
        Self::program(Path::new("/bin/sh"), &["-c", script])
    }

    pub(crate) fn program(program: &Path, args: &[&str]) -> Self {
        let argv = [program.into()].into_iter().chain(args.iter().map(OsString::from)).collect();
        let environment = [("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"), ("LC_ALL", "C"), ("HOME", "/")];
        let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into()));
        // Under ptrace, LeakSanitizer fails and replaces the program's exit status.
        let sanitizers = ["ASAN_OPTIONS", "LSAN_OPTIONS"].into_iter();
        let sanitizers = sanitizers.filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
        let environment = environment.chain(sanitizers).collect();
        // Most trials need a second. On two CPUs under a load of thirty the longest ones need two
        // minutes.
        let timeout = Some(Duration::from_secs(300) * slowness());
        let limits = Limits { timeout, stop: None, grace: Duration::from_secs(2) };
        Self { program: program.to_owned(), argv, cwd: None, limits, environment, engine: Engine::Ptrace }
    }

    /// Returns the command without our tracer, run by `runner` if that is given. The caller sets
    /// its streams.
    pub(crate) fn plain(&self, runner: &[&OsStr]) -> io::Result<process::Command> {
        let mut command = process::Command::new(std::env::current_exe()?);
        command.arg("--plain").args(runner).args(&self.argv).env_clear().stdin(Stdio::null()).stderr(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        Ok(command)
    }

    /// Selects the notify engine.
    pub(crate) fn notified(self) -> Self {
        Self { engine: Engine::Notify, ..self }
    }

    /// Traces it with an empty standard input, and keeps its standard output.
    pub(crate) fn watch(self) -> Result<Seen, TraceError> {
        self.watch_with(&mut |_| {})
    }

    /// Traces it and passes every event to `sink`.
    pub(crate) fn watch_with(self, sink: &mut (dyn FnMut(&Event) + Send)) -> Result<Seen, TraceError> {
        self.watch_by(sink, None)
    }

    /// Traces it with a log.
    pub(crate) fn watch_logged(self, recorder: &mut dyn Recorder) -> Result<Seen, TraceError> {
        self.watch_by(&mut |_| {}, Some(recorder))
    }

    fn watch_by(
        self,
        sink: &mut (dyn FnMut(&Event) + Send),
        recorder: Option<&mut dyn Recorder>,
    ) -> Result<Seen, TraceError> {
        let mut output = tempfile::tempfile().expect("a file for the output");
        let null = || Stream::Given(File::open("/dev/null").expect("/dev/null").into());
        let errors = File::options().write(true).open("/dev/null").expect("/dev/null");
        let command = Command {
            program: self.program,
            argv: self.argv,
            environment: Environment::Exactly(self.environment),
            cwd: self.cwd,
            scratch: None,
            stdio: [null(), Stream::Given(output.try_clone().expect("a copy").into()), Stream::Given(errors.into())],
            isolated: true,
            filters: Vec::new(),
        };
        let mut counts = BTreeMap::<_, Count>::new();
        let mut observer = Observer::new(Part::All);
        let (mut processes, mut threads, mut ended, mut blind) = (0, 0, 0, BTreeSet::new());
        let mut note = |event: &Event| match event {
            Event::Spawned { process, .. } => {
                threads += 1;
                processes += u64::from(*process);
            }
            Event::Called { call, outcome, answers, .. } => {
                let count = counts.entry((call.syscall.abi, call.syscall.name().into_owned())).or_default();
                count.calls += 1;
                count.errors += u64::from(matches!(outcome, CallOutcome::Failed(_)));
                count.restarts += u64::from(matches!(outcome, CallOutcome::Restarting));
                count.unfinished += u64::from(matches!(outcome, CallOutcome::NeverReturned));
                blind.extend(blind_spot(call, *outcome));
                blind.extend(unanswerable(call, *outcome, answers));
            }
            Event::Ended { .. } => ended += 1,
            Event::Handled { .. } => {}
            Event::Blind(spot) => _ = blind.insert(*spot),
        };
        let mut sink = |event: &Event| {
            note(event);
            observer.fold(event);
            sink(event);
        };
        let outcome = match (self.engine, recorder) {
            (_, Some(recorder)) => watch(command, &self.limits, Watching::Logged(recorder), &mut sink)?,
            (Engine::Notify, None) => watch_notified(command, &self.limits, &mut sink)?,
            (_, None) => trace(command, &self.limits, &mut sink)?,
        };
        let output = read_from_start(&mut output).expect("the program's output");
        let ends = observer.observation.ends;
        Ok(Seen { outcome, counts, processes, threads, ended, ends, blind, output })
    }
}

/// Reads a whole file from its start.
pub(crate) fn read_from_start(file: &mut File) -> io::Result<String> {
    use std::io::Seek;
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
