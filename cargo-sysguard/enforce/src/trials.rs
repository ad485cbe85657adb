//! Runs workloads under the filter of a policy, traced and untraced, and in a container. Main
//! types: [`Subject`] and [`Trials`].

mod capabilities;
pub mod container;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;

use sysguard::unstable::linux::{Command, Limits, Machine, TraceError, UntracedOutcome, run_untraced};
use sysguard::unstable::model::facts::example::Example;
use sysguard::unstable::model::facts::site::{NoSite, Site};
use sysguard::unstable::model::guard::bpf::Instruction;
use sysguard::unstable::model::kernel::call::Call;
use sysguard::unstable::model::kernel::syscall::Syscall;
use sysguard::unstable::model::run::workload::{Exit, Program};
use sysguard::unstable::runner::{Case, CpuLoad, DeniedCall, NotRun, Progress, RunBy, Suite};

use self::container::{Container, Privileges};
use crate::filter::{self, NotCompiled};
use crate::policy::{Denial, Policy};

/// What is run, and how often.
#[derive(Debug)]
pub struct Subject<'a> {
    policy: &'a Policy,
    filters: Vec<Vec<Instruction>>,
    runs: NonZeroU32,
    container: Result<Container, String>,
}

/// What the runs of one workload showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trials {
    /// The workload.
    pub workload: String,
    /// Runs under the filter and the ptrace tracer.
    pub traced: u32,
    /// Runs under the filter alone.
    pub untraced: u32,
    /// How many of both had busy CPUs.
    pub busy: u32,
    /// Runs in a container under the profile, or why there are none.
    pub contained: Result<u32, String>,
    /// The denied calls of traced runs, ordered by syscall.
    pub denied: Vec<Denied>,
    /// The runs that did not end as the workload's document says.
    pub wrong_ends: Vec<WrongEnd>,
    /// The files that its processes executed.
    pub programs: BTreeSet<PathBuf>,
}

/// The calls of one syscall by one command that the profile denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The syscall.
    pub syscall: Syscall,
    /// Why the first of them is denied.
    pub denial: Denial,
    /// The first of them.
    pub example: Example,
    /// Where that was called.
    pub site: Result<Site, NoSite>,
    /// How many there were in all traced runs.
    pub count: u64,
    /// In how many traced runs.
    pub runs: u32,
}

/// Runs that ended otherwise than the workload's document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongEnd {
    /// How they were run.
    pub kind: Kind,
    /// How they ended.
    pub exit: Exit,
    /// How many they were.
    pub runs: u32,
    /// The end of the output of the first.
    pub output: String,
}

/// How a workload is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Under the filter and the ptrace tracer.
    Traced,
    /// Under the filter.
    Untraced,
    /// In a container with the profile.
    Contained,
}

impl<'a> Subject<'a> {
    /// Compiles the filter of a policy. Each workload is run `runs` times under it, half of them
    /// traced, and in the container, if there is one.
    ///
    /// # Errors
    ///
    /// [`NotCompiled`].
    pub fn new(
        policy: &'a Policy,
        runs: NonZeroU32,
        container: Result<Container, String>,
    ) -> Result<Self, NotCompiled> {
        // A program that installs its profile itself may refuse execve; here that starts it.
        let mut starting = policy.clone();
        starting.refused.retain(|syscall, _| !syscall.is_execute());
        let program = filter::program(&starting)?;
        let program = program.iter().map(|it| Instruction { code: it.code, jt: it.jt, jf: it.jf, k: it.k });
        Ok(Self { policy, filters: vec![program.collect()], runs, container })
    }

    /// Runs a workload. Its targets must have been built.
    ///
    /// # Errors
    ///
    /// [`NotRun`].
    pub fn run(&self, suite: &Suite, case: &Case, progress: &dyn Progress) -> Result<Trials, NotRun> {
        check(case)?;
        let traced = self.runs.get().div_ceil(2);
        let mut trials = Trials {
            workload: case.name.clone(),
            traced,
            untraced: self.runs.get() - traced,
            busy: 0,
            contained: Ok(0),
            denied: Vec::new(),
            wrong_ends: Vec::new(),
            programs: BTreeSet::new(),
        };
        for run in 0..self.runs.get() {
            progress.running(&case.name, run + 1, self.runs.get());
            // Every second run of each kind; of two runs, the untraced one.
            let is_busy = if run < traced { run % 2 == 1 } else { (run - traced).is_multiple_of(2) };
            let _busy = is_busy.then(|| CpuLoad::keep(Machine::cpus()));
            trials.busy += u32::from(is_busy);
            if run < traced {
                self.run_traced(suite, case, &mut trials)?;
            } else {
                let run = |command, limits: &Limits| self.run_untraced(command, limits);
                let run = suite.run_by(case, run, |run| run.as_ref().ok().map(|run| run.exit))?;
                trials.take_end(Kind::Untraced, not_run(run)?);
            }
        }
        trials.contained = match &self.container {
            Ok(container) => self.run_contained(container, suite, case, &mut trials)?,
            Err(reason) => Err(reason.clone()),
        };
        trials
            .denied
            .sort_by(|one, other| (one.syscall, &one.example.process).cmp(&(other.syscall, &other.example.process)));
        Ok(trials)
    }

    fn run_traced(&self, suite: &Suite, case: &Case, trials: &mut Trials) -> Result<(), NotRun> {
        let denial = |call: &Call| self.policy.denial(call.syscall, &call.args);
        let RunBy { result, output, ended_well } =
            suite.run_filtered(case, &self.filters, &|call| denial(call).is_some())?;
        for call in result.denied {
            let denial = denial(&call.first).unwrap_or(Denial::NotAllowed);
            trials.take_denied(call, denial);
        }
        trials.programs.extend(result.programs);
        trials.take_end(Kind::Traced, RunBy { result: result.outcome.exit, output, ended_well });
        Ok(())
    }

    fn run_untraced(&self, command: Command, limits: &Limits) -> Result<UntracedOutcome, TraceError> {
        run_untraced(Command { filters: self.filters.clone(), ..command }, limits, |_| Ok(()))
    }

    /// Runs a workload in a container without a profile, and then, if that is possible, with it.
    fn run_contained(
        &self,
        container: &Container,
        suite: &Suite,
        case: &Case,
        trials: &mut Trials,
    ) -> Result<Result<u32, String>, NotRun> {
        let expected = |exit| container::of_runtime(exit, case);
        let run = |privileges| {
            let run = |command, limits: &Limits| container.run(command, limits, privileges);
            suite.run_by(case, run, |run| run.as_ref().ok().map(|run| expected(run.exit)))
        };
        let control = run(Privileges::Unconfined)?;
        if !control.ended_well {
            let reason = match control.result {
                Ok(_) => last_line(&control.output),
                Err(error) => error.to_string(),
            };
            return Ok(Err(format!(
                "not run under runc: without the profile it does not end there as its file says: {reason}"
            )));
        }
        let runs = self.runs.get().div_ceil(4);
        for number in 0..runs {
            let run = run(if number.is_multiple_of(2) { Privileges::Kept } else { Privileges::NoNew })?;
            trials.take_end(Kind::Contained, not_run(run)?);
        }
        Ok(Ok(runs))
    }
}

impl Trials {
    /// Returns whether no call was denied, and every run ended as the workload's document says.
    pub fn passed(&self) -> bool {
        self.denied.is_empty() && self.wrong_ends.is_empty()
    }

    fn take_denied(&mut self, call: DeniedCall, denial: Denial) {
        let DeniedCall { first, example, site, count } = call;
        let syscall = first.syscall;
        let is_it = |known: &&mut Denied| known.syscall == syscall && known.example.process == example.process;
        match self.denied.iter_mut().find(is_it) {
            Some(known) => {
                known.count += count;
                known.runs += 1;
            }
            None => self.denied.push(Denied { syscall, denial, example, site, count, runs: 1 }),
        }
    }

    fn take_end(&mut self, kind: Kind, run: RunBy<Exit>) {
        let RunBy { result: exit, output, ended_well } = run;
        if ended_well {
            return;
        }
        match self.wrong_ends.iter_mut().find(|known| (known.kind, known.exit) == (kind, exit)) {
            Some(known) => known.runs += 1,
            None => self.wrong_ends.push(WrongEnd { kind, exit, runs: 1, output }),
        }
    }
}

/// Refuses workloads that are a part of a process, which is all under the filter.
fn check(case: &Case) -> Result<(), NotRun> {
    match case.document().map(|document| &document.workload.program) {
        Some(Program::Closure(_)) => Err(NotRun(
            "it is a closure of a test, and a filter would also judge the calls of the test around it".to_owned(),
        )),
        Some(Program::Run(_)) => Err(NotRun("only cargo can start it".to_owned())),
        _ => Ok(()),
    }
}

fn not_run<E: ToString>(run: RunBy<Result<UntracedOutcome, E>>) -> Result<RunBy<Exit>, NotRun> {
    let RunBy { result, output, ended_well } = run;
    let outcome = result.map_err(|error| NotRun(error.to_string()))?;
    Ok(RunBy { result: outcome.exit, output, ended_well })
}

fn last_line(output: &str) -> String {
    output.trim_end().lines().next_back().unwrap_or("it has no output").to_owned()
}
