//! Reads and writes the registers of a stopped tracee, as far as this architecture allows. What
//! they mean is decided elsewhere.

use std::io;
#[cfg(target_arch = "aarch64")]
use std::ptr;

#[cfg(target_arch = "aarch64")]
use libc::c_void;
use libc::pid_t;
#[cfg(target_arch = "aarch64")]
use object::elf::NT_PRSTATUS;

#[cfg(target_arch = "aarch64")]
use super::checked;
#[cfg(target_arch = "x86_64")]
use super::ptrace;
#[cfg(target_arch = "aarch64")]
use crate::linux::uapi::PtraceRequest;
#[cfg(target_arch = "x86_64")]
use crate::linux::uapi::USER32_CS;
#[cfg(target_arch = "x86_64")]
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::Abi;
#[cfg(target_arch = "x86_64")]
use crate::model::kernel::syscall::Syscall;
#[cfg(target_arch = "x86_64")]
use crate::model::kernel::uapi::{AUDIT_ARCH_I386, AUDIT_ARCH_X86_64};
use crate::model::notify::interruption::Registers;

/// The registers that stack unwinding starts with.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[derive(Debug, Clone, Copy)]
pub struct StackRegisters {
    /// The instruction pointer.
    pub instruction: u64,
    /// The return address, on architectures that keep it in a register.
    #[cfg(target_arch = "aarch64")]
    pub link: u64,
    /// The stack pointer.
    pub stack: u64,
    /// The frame pointer.
    pub frame: u64,
}

#[cfg(target_arch = "x86_64")]
pub(in crate::linux) fn stack_registers(tid: pid_t) -> io::Result<StackRegisters> {
    let registers = registers(tid)?;
    Ok(StackRegisters { instruction: registers.rip, stack: registers.rsp, frame: registers.rbp })
}

#[cfg(target_arch = "aarch64")]
pub(in crate::linux) fn stack_registers(tid: pid_t) -> io::Result<StackRegisters> {
    let mut registers = [0; 34];
    general_registers(libc::PTRACE_GETREGSET, tid, &mut registers)?;
    Ok(StackRegisters { instruction: registers[32], link: registers[30], stack: registers[31], frame: registers[29] })
}

#[cfg(target_arch = "x86_64")]
pub(super) fn registers(tid: pid_t) -> io::Result<libc::user_regs_struct> {
    // SAFETY: all-zero registers are valid: they are numbers only.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    ptrace(libc::PTRACE_GETREGS, tid, 0, (&raw mut registers).addr())?;
    Ok(registers)
}

/// Returns whether a stopped task runs 32-bit code.
#[cfg(target_arch = "x86_64")]
pub(in crate::linux) fn is_32_bit(tid: pid_t) -> bool {
    registers(tid).is_ok_and(|registers| registers.cs == USER32_CS)
}

/// Returns whether a stopped task runs 32-bit code: calls of such code have an ABI of their own.
#[cfg(target_arch = "aarch64")]
pub(in crate::linux) fn is_32_bit(_tid: pid_t) -> bool {
    false
}

/// Returns the registers of the syscall that a stopped task is leaving; `None` if there is none, or
/// the task is gone. The code segment gives the ABI, except for `int $0x80` in 64-bit code.
#[cfg(target_arch = "x86_64")]
pub(in crate::linux) fn syscall_registers(tid: pid_t) -> io::Result<Option<Registers>> {
    let r = match registers(tid) {
        Ok(registers) => registers,
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(None),
        Err(error) => return Err(error),
    };
    // -1 is "no syscall to restart": arch/x86/entry/entry_64.S.
    let Ok(number) = u64::try_from(r.orig_rax as i64) else { return Ok(None) };
    let (arch, args) = if r.cs == USER32_CS {
        (AUDIT_ARCH_I386, [r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp])
    } else {
        (AUDIT_ARCH_X86_64, [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9])
    };
    let call = |syscall| Call { syscall, args, instruction_pointer: r.rip };
    Ok(Syscall::from_kernel(arch, number).map(|syscall| Registers { call: call(syscall), result: r.rax as i64 }))
}

/// Writes the result register of a task that leaves its call. Does nothing if the task is gone.
#[cfg(target_arch = "x86_64")]
pub(in crate::linux) fn write_result(tid: pid_t, value: i64) -> io::Result<()> {
    match poke(tid, std::mem::offset_of!(libc::user_regs_struct, rax), value as u64) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => Err(error),
        _ => Ok(()),
    }
}

/// Filters notify on x86_64 only.
#[cfg(not(target_arch = "x86_64"))]
pub(in crate::linux) fn syscall_registers(_tid: pid_t) -> io::Result<Option<Registers>> {
    Ok(None)
}

/// Writes the result register of a task that leaves its call. Does nothing if the task is gone.
#[cfg(target_arch = "aarch64")]
pub(in crate::linux) fn write_result(tid: pid_t, value: i64) -> io::Result<()> {
    match change_registers(tid, |registers| registers[0] = value as u64) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) fn poke(tid: pid_t, register: usize, value: u64) -> io::Result<()> {
    ptrace(libc::PTRACE_POKEUSER, tid, register, value as usize)
}

/// Writes the register that holds the first argument of a call at its entry.
pub(in crate::linux) fn write_first_argument(tid: pid_t, abi: Abi, value: u64) -> io::Result<()> {
    write_argument(tid, abi, 0, value)
}

/// Writes the register that holds an argument of a call, from the first (0) to the fifth (4).
#[cfg(target_arch = "x86_64")]
pub(in crate::linux) fn write_argument(tid: pid_t, abi: Abi, at: usize, value: u64) -> io::Result<()> {
    poke(tid, argument_registers(abi)[at], value)
}

/// Returns where the registers of the first five arguments are in `struct user_regs_struct`.
#[cfg(target_arch = "x86_64")]
pub(super) fn argument_registers(abi: Abi) -> [usize; 5] {
    /// The offsets of registers.
    macro_rules! offsets {
        ($($register:ident)*) => { [$(std::mem::offset_of!(libc::user_regs_struct, $register)),*] };
    }
    match abi {
        Abi::I386 => offsets!(rbx rcx rdx rsi rdi),
        _ => offsets!(rdi rsi rdx r10 r8),
    }
}

/// Writes the register that holds an argument of a call, from the first (0) to the fifth (4).
#[cfg(target_arch = "aarch64")]
pub(in crate::linux) fn write_argument(tid: pid_t, abi: Abi, at: usize, value: u64) -> io::Result<()> {
    if abi != Abi::Aarch64 {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    change_registers(tid, |registers| registers[at] = value)
}

#[cfg(target_arch = "aarch64")]
pub(super) fn change_registers(tid: pid_t, change: impl FnOnce(&mut [u64; 34])) -> io::Result<()> {
    let mut registers = [0; 34];
    general_registers(libc::PTRACE_GETREGSET, tid, &mut registers)?;
    change(&mut registers);
    general_registers(libc::PTRACE_SETREGSET, tid, &mut registers)
}

/// Reads or writes `struct user_pt_regs` (arch/arm64/include/uapi/asm/ptrace.h): 31 registers,
/// stack pointer, program counter, state.
#[cfg(target_arch = "aarch64")]
pub(super) fn general_registers(request: PtraceRequest, tid: pid_t, registers: &mut [u64; 34]) -> io::Result<()> {
    let mut place = libc::iovec { iov_base: registers.as_mut_ptr().cast(), iov_len: size_of_val(registers) };
    // SAFETY: the kernel reads or writes at most `iov_len` bytes of the registers, and the length
    // in the live iovec; ptrace(2).
    let returned = unsafe {
        libc::ptrace(request, tid, NT_PRSTATUS as usize as *mut c_void, ptr::from_mut(&mut place).cast::<c_void>())
    };
    checked(returned).map(drop)
}

/// Whether a call's result overwrites its first argument: then the argument must not be restored.
pub(in crate::linux) const RESULT_REPLACES_FIRST_ARGUMENT: bool = !cfg!(target_arch = "x86_64");

/// RISC-V reads the first argument from a register that no tracer can write (`orig_a0`,
/// arch/riscv/kernel/traps.c).
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(in crate::linux) fn write_argument(_tid: pid_t, _abi: Abi, _at: usize, _value: u64) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}

/// No call is changed on these architectures.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(in crate::linux) fn write_result(_tid: pid_t, _value: i64) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}
