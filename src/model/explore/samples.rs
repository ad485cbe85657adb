//! Calls and runs for the tests of this module.

use std::borrow::Cow;

use crate::model::attribution::{ObjectKind, Subsystem, Use};
use crate::model::explore::injection::{CallPoint, Fault, Injection};
use crate::model::explore::run::{Attempt, LeftFile, LeftKind, RunResult};
use crate::model::explore::survey::{Survey, SurveyedCall};
use crate::model::kernel::call::{CallOutcome, Errno};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::observe::observation::Observation;
use crate::model::run::workload::Exit;

/// Returns the errno of this name.
pub(super) fn errno(name: &str) -> Errno {
    Errno::from_name(name).expect(name)
}

/// Returns a call that returned 0. The object `""` is none.
pub(super) fn call(name: &str, object: &str) -> SurveyedCall {
    let found = |abi| Syscall::from_name(abi, name);
    let syscall = found(Abi::X86_64).or_else(|| found(Abi::I386)).or_else(|| found(Abi::Riscv64)).expect(name);
    let object = Some(object).filter(|object| !object.is_empty()).map(ObjectKind::from);
    let used = Use {
        subsystem: Subsystem::Filesystem,
        syscall,
        argument: None,
        object,
        ambient: false,
        met: Default::default(),
    };
    SurveyedCall {
        point: CallPoint { syscall, stack: 1, occurrence: 0 },
        used,
        args: [3, 0, 0, 0, 0, 0],
        nonblocking: None,
        outcome: CallOutcome::Returned(0),
        depth: 3,
        by_loader: false,
        example: Default::default(),
        site: Default::default(),
    }
}

impl SurveyedCall {
    pub(super) fn argument(mut self, argument: &'static str) -> Self {
        self.used.argument = Some(Cow::Borrowed(argument));
        self
    }

    pub(super) fn args(mut self, args: [u64; 6]) -> Self {
        self.args = args;
        self
    }

    pub(super) fn nonblocking(mut self, nonblocking: bool) -> Self {
        self.nonblocking = Some(nonblocking);
        self
    }

    pub(super) fn returned(mut self, value: i64) -> Self {
        self.outcome = CallOutcome::Returned(value);
        self
    }

    pub(super) fn failed(mut self, name: &str) -> Self {
        self.outcome = CallOutcome::Failed(errno(name));
        self
    }

    pub(super) fn at(mut self, stack: u64, depth: usize, occurrence: u32) -> Self {
        self.point = CallPoint { stack, occurrence, ..self.point };
        self.depth = depth;
        self
    }

    pub(super) fn of_loader(mut self) -> Self {
        self.by_loader = true;
        self
    }
}

/// Returns a survey with these calls.
pub(super) fn survey(calls: impl IntoIterator<Item = SurveyedCall>) -> Survey {
    Survey { calls: calls.into_iter().collect(), ..Survey::default() }
}

/// Returns a run that exits with this status and writes these texts.
pub(super) fn run(status: i32, stdout: &str, stderr: &str) -> RunResult {
    RunResult { exit: Some(Exit::Exited(status)), stdout: stdout.into(), stderr: stderr.into(), ..RunResult::default() }
}

impl RunResult {
    pub(super) fn with_file(mut self, path: &str, text: &str) -> Self {
        let file = LeftFile { mode: 0o644, kind: LeftKind::Regular(text.into()) };
        self.files.insert(path.to_owned(), file);
        self
    }
}

/// Returns an injection of this fault into the first call of a stack.
pub(super) fn injection(name: &str, fault: &str) -> Injection {
    let fault = match fault {
        "short" => Fault::Short(1),
        name => Fault::Errno(errno(name)),
    };
    Injection { point: call(name, "").point, fault }
}

/// Returns an attempt that reached its call.
pub(super) fn attempt(injection: Injection, result: RunResult) -> Attempt {
    Attempt { injection, reached: true, result, observation: Observation::new(), hung: false, is_refused: false }
}
