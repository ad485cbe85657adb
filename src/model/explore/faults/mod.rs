//! Which errors can happen to a call of a correct program. Main function: [`plausible`].
//!
//! The errors are those of the section ERRORS of the manual, as far as they can happen on the
//! object of the call: a disk may be full, a peer may close a connection, another process may
//! remove a file. Errors that only a wrong argument causes (EBADF, EFAULT, EINVAL) are left out.

mod conditions;
mod exempt;
mod rows;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use conditions::Subject;
use rows::{ROWS, Row};

use crate::model::explore::injection::Fault;
use crate::model::explore::survey::SurveyedCall;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::error_path::FaultName;
use crate::model::kernel::call::CallOutcome;
use crate::model::kernel::syscall::Syscall;

/// Why no error of a call is plausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoFault {
    /// Calls of this name have none, for this reason.
    Exempt(&'static str),
    /// Calls of this name have some, but not with this argument or on this object.
    NotHere,
    /// It failed in the survey, and no other error is plausible.
    FailedAlready,
    /// It did not return, or the kernel restarted it.
    NoResult,
    /// It writes to standard error, where a program reports errors.
    StandardError,
    /// Its number has no name, or the manual says nothing of it.
    Unknown,
}

impl NoFault {
    /// Returns the reason as a clause: "… because" this.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Exempt(reason) => reason,
            Self::NotHere => "no error is plausible with this argument or on this object",
            Self::FailedAlready => "it fails anyway, and no other error is plausible",
            Self::NoResult => "it has no result in a run without an injection",
            Self::StandardError => "a program cannot report that its error message was lost",
            Self::Unknown => "it is not known which errors are plausible",
        }
    }
}

/// The file descriptor of standard error.
const STANDARD_ERROR: u64 = 2;
/// The first of the numbers, equal under every ABI, that Linux 5.3 does not have: `close_range`. It
/// is the oldest Linux that sysguard traces on, ptrace(2).
const FIRST_YOUNG: i64 = 436;
/// The first number that belongs to one ABI only again: x32's own calls.
const END_OF_YOUNG: i64 = 512;

/// Returns the faults that are plausible at this call, the most interesting first.
///
/// # Errors
///
/// Returns why there are none.
pub fn plausible(call: &SurveyedCall) -> Result<Vec<Fault>, NoFault> {
    let native = match call.outcome {
        CallOutcome::Returned(_) | CallOutcome::Unknown => None,
        CallOutcome::Failed(errno) => Some(FaultName::Errno(ErrnoName(errno))),
        CallOutcome::Restarting | CallOutcome::NeverReturned => return Err(NoFault::NoResult),
    };
    let subject = Subject::of(call);
    if let Some(reason) = exempt::reason(&subject.name) {
        return Err(NoFault::Exempt(reason));
    }
    if matches!(&*subject.name, "write" | "writev") && call.args[0] == STANDARD_ERROR {
        return Err(NoFault::StandardError);
    }
    let mut names: Vec<FaultName> = Vec::new();
    let mut is_known = false;
    for row in rows_of(&subject.name) {
        is_known = true;
        if row.conditions.iter().all(|condition| condition.is_met(&subject)) {
            names.extend(row.faults());
        }
    }
    if is_young(call.point.syscall) {
        is_known = true;
        names.extend(FaultName::from_name("ENOSYS"));
    }
    if !is_known {
        return Err(NoFault::Unknown);
    }
    let fails_already = native.is_some_and(|native| names.contains(&native));
    let mut faults: Vec<Fault> = Vec::new();
    for fault in names.into_iter().filter(|name| Some(*name) != native).filter_map(|name| fault(name, call)) {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    match (faults.is_empty(), fails_already) {
        (false, _) => Ok(faults),
        (true, true) => Err(NoFault::FailedAlready),
        (true, false) => Err(NoFault::NotHere),
    }
}

/// Returns the rows of the calls with this name. The names are split once only.
fn rows_of(name: &str) -> &'static [&'static Row] {
    static BY_NAME: OnceLock<BTreeMap<&str, Vec<&Row>>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        let mut by_name: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in ROWS {
            row.calls().for_each(|call| by_name.entry(call).or_default().push(row));
        }
        by_name
    });
    by_name.get(name).map_or(&[], Vec::as_slice)
}

/// Returns the fault of this name at a call; `None` if the call moves too few bytes to be
/// shortened.
fn fault(name: FaultName, call: &SurveyedCall) -> Option<Fault> {
    match name {
        FaultName::Errno(ErrnoName(errno)) => Some(Fault::Errno(errno)),
        FaultName::Short => {
            let CallOutcome::Returned(moved) = call.outcome else { return None };
            let moved = u64::try_from(moved).ok()?.min(call.bytes()?);
            (moved > 1).then_some(Fault::Short(moved / 2))
        }
    }
}

impl SurveyedCall {
    /// Returns the number of bytes that it asks to read or write; `None` if it does neither with
    /// one count.
    pub fn bytes(&self) -> Option<u64> {
        let register = count_register(&self.point.syscall.name())?;
        self.args.get(register).copied()
    }
}

/// Returns the register that holds the number of bytes that a call moves, if it may move fewer.
pub fn count_register(name: &str) -> Option<usize> {
    match base(name) {
        "read" | "write" | "pread64" | "pwrite64" | "recvfrom" | "sendto" | "tee" => Some(2),
        "sendfile" => Some(3),
        "copy_file_range" | "splice" => Some(4),
        "getrandom" => Some(1),
        _ => None,
    }
}

/// Returns whether the kernel does what this call asks although the call fails: close(2) releases
/// the file descriptor even if it fails. An injector lets the kernel make such a call and replaces
/// the result only.
pub fn happens_anyway(name: &str) -> bool {
    name == "close"
}

/// Returns whether an older kernel that sysguard supports lacks this call, so that it fails with
/// ENOSYS there. From pidfd_send_signal (424, Linux 5.1) on, later calls have higher numbers.
fn is_young(syscall: Syscall) -> bool {
    (FIRST_YOUNG..END_OF_YOUNG).contains(&syscall.number) && syscall.row().is_some()
}

/// Returns the name of the call that the manual describes: `fstat` for `fstat64`.
fn base(name: &str) -> &str {
    match name {
        "_llseek" => "lseek",
        "_newselect" => "select",
        "fadvise64_64" => "fadvise64",
        "fstatat64" => "newfstatat",
        "mmap2" => "mmap",
        "oldfstat" => "fstat",
        "oldlstat" => "lstat",
        "oldolduname" | "olduname" => "uname",
        "oldstat" => "stat",
        "ugetrlimit" => "getrlimit",
        "umount" => "umount2",
        "waitpid" => "wait4",
        "fadvise64" | "getdents64" | "pread64" | "prlimit64" | "pwrite64" => name,
        _ => {
            let plain = name.strip_suffix("_time64").unwrap_or(name);
            plain.strip_suffix("64").or_else(|| plain.strip_suffix("32")).unwrap_or(plain)
        }
    }
}

#[cfg(test)]
mod manual;
#[cfg(test)]
mod tests;
