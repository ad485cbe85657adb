//! Compiles a policy to BPF. Main function: [`compile`].

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};
use sysguard::unstable::model::attribution::RegisterTest;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};

use crate::policy::{Action, Calls, Policy};
use crate::uapi::{BPF_JMP_JA, BPF_MAXINSNS, BPF_RET_K, ENOSYS, EPERM, SECCOMP_RET_ALLOW, X32_SYSCALL_BIT};

/// Why a policy has no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCompiled {
    /// A program of this form can tell one architecture only.
    #[error("the baseline has calls of {0}, and a filter of one program covers one architecture only")]
    SeveralArchitectures(Abi),
    /// seccompiler knows no such architecture.
    #[error("seccomp filters for {0} are not supported")]
    UnknownArchitecture(Abi),
    /// The program is too long, or a rule is not supported.
    #[error("the filter cannot be compiled: {0}")]
    Refused(String),
}

/// The rules of a filter by syscall number: calls that match one of them.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Returns the programs of a policy: the one that refuses calls comes first, if there is one. All
/// of them are installed, in the reverse order.
///
/// # Errors
///
/// [`NotCompiled`].
pub fn compile(policy: &Policy) -> Result<Vec<BpfProgram>, NotCompiled> {
    let arch = architecture(policy)?;
    let refused = policy.refused.iter().map(|(syscall, calls)| (*syscall, calls));
    let allowed = policy.allowed.iter().map(|(syscall, allowed)| (*syscall, &allowed.calls));
    let filters = [
        (rules(refused)?, SeccompAction::Allow, SeccompAction::Errno(EPERM)),
        (rules(allowed)?, action(policy.otherwise), SeccompAction::Allow),
    ];
    let filters = filters.into_iter().filter(|(rules, ..)| !rules.is_empty());
    let compiled = filters.map(|(rules, otherwise, matching)| {
        let filter = SeccompFilter::new(rules, otherwise, matching, arch);
        filter.and_then(BpfProgram::try_from).map_err(|error| NotCompiled::Refused(error.to_string()))
    });
    compiled.collect()
}

/// Returns one program that does what a policy says: the program that refuses calls, followed by
/// the one that allows calls.
///
/// Unlike two installed programs, a refused call fails with EPERM also if all other calls kill the
/// process: of several installed programs the kernel takes the severest action, seccomp(2).
///
/// # Errors
///
/// [`NotCompiled`].
pub fn program(policy: &Policy) -> Result<BpfProgram, NotCompiled> {
    let mut programs = compile(policy)?.into_iter();
    let (first, second) = (programs.next().unwrap_or_default(), programs.next());
    let Some(second) = second else { return Ok(first) };
    let length = first.len();
    let pass = |(at, instruction): (usize, sock_filter)| match instruction {
        sock_filter { code: BPF_RET_K, k: SECCOMP_RET_ALLOW, .. } => {
            // A jump counts from the next instruction.
            sock_filter { code: BPF_JMP_JA, jt: 0, jf: 0, k: (length - at - 1) as u32 }
        }
        other => other,
    };
    let program: BpfProgram = first.into_iter().enumerate().map(pass).chain(second).collect();
    match program.len() {
        0..=BPF_MAXINSNS => Ok(program),
        long => {
            Err(NotCompiled::Refused(format!("it needs {long} instructions, and the kernel allows {BPF_MAXINSNS}")))
        }
    }
}

fn architecture(policy: &Policy) -> Result<TargetArch, NotCompiled> {
    let is_foreign = |abi: &Abi| !matches!((policy.native, abi), (Abi::X86_64, Abi::X32)) && *abi != policy.native;
    if let Some(foreign) = policy.abis().into_iter().find(is_foreign) {
        return Err(NotCompiled::SeveralArchitectures(foreign));
    }
    match policy.native {
        Abi::X86_64 => Ok(TargetArch::x86_64),
        Abi::Aarch64 => Ok(TargetArch::aarch64),
        Abi::Riscv64 => Ok(TargetArch::riscv64),
        other => Err(NotCompiled::UnknownArchitecture(other)),
    }
}

/// Returns the action as seccompiler names it.
pub fn action(action: Action) -> SeccompAction {
    match action {
        Action::Unimplemented => SeccompAction::Errno(ENOSYS),
        Action::Kill => SeccompAction::KillProcess,
        Action::Log => SeccompAction::Log,
        Action::Trap => SeccompAction::Trap,
    }
}

fn rules<'a>(calls: impl Iterator<Item = (Syscall, &'a Calls)>) -> Result<Rules, NotCompiled> {
    let rules = calls.map(|(syscall, calls)| {
        let number = if syscall.abi == Abi::X32 { syscall.number | X32_SYSCALL_BIT } else { syscall.number };
        let rules = match calls {
            Calls::All => Vec::new(),
            Calls::Some(lists) => lists.iter().map(|tests| rule(tests)).collect::<Result<_, _>>()?,
        };
        Ok((number, rules))
    });
    rules.collect()
}

fn rule(tests: &[RegisterTest]) -> Result<SeccompRule, NotCompiled> {
    let conditions = tests.iter().map(|test| {
        let RegisterTest { arg, mask, value } = *test;
        let length = if mask >> 32 == 0 { SeccompCmpArgLen::Dword } else { SeccompCmpArgLen::Qword };
        SeccompCondition::new(arg as u8, length, SeccompCmpOp::MaskedEq(mask), value)
    });
    let conditions: Result<Vec<_>, _> = conditions.collect();
    conditions.and_then(SeccompRule::new).map_err(|error| NotCompiled::Refused(error.to_string()))
}
