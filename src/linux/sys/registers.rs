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
pub(in crate::linux) struct StackRegisters {
    pub(in crate::linux) instruction: u64,
    /// The return address, on architectures that keep it in a register.
    #[cfg(target_arch = "aarch64")]
    pub(in crate::linux) link: u64,
    pub(in crate::linux) stack: u64,
    pub(in crate::linux) frame: u64,
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
fn registers(tid: pid_t) -> io::Result<libc::user_regs_struct> {
    // SAFETY: all-zero registers are valid: they are numbers only.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    ptrace(libc::PTRACE_GETREGS, tid, 0, (&raw mut registers).addr())?;
    Ok(registers)
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
    match ptrace(libc::PTRACE_POKEUSER, tid, std::mem::offset_of!(libc::user_regs_struct, rax), value as usize) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => Err(error),
        _ => Ok(()),
    }
}

/// Filters notify on x86_64 only.
#[cfg(not(target_arch = "x86_64"))]
pub(in crate::linux) fn syscall_registers(_tid: pid_t) -> io::Result<Option<Registers>> {
    Ok(None)
}

/// Filters notify on x86_64 only.
#[cfg(not(target_arch = "x86_64"))]
pub(in crate::linux) fn write_result(_tid: pid_t, _value: i64) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}

/// Writes the register that holds the first argument of a call at its entry.
#[cfg(target_arch = "x86_64")]
pub(in crate::linux) fn write_first_argument(tid: pid_t, abi: Abi, value: u64) -> io::Result<()> {
    let register = match abi {
        Abi::I386 => std::mem::offset_of!(libc::user_regs_struct, rbx),
        _ => std::mem::offset_of!(libc::user_regs_struct, rdi),
    };
    ptrace(libc::PTRACE_POKEUSER, tid, register, value as usize)
}

/// Writes the register that holds the first argument of a call at its entry.
#[cfg(target_arch = "aarch64")]
pub(in crate::linux) fn write_first_argument(tid: pid_t, abi: Abi, value: u64) -> io::Result<()> {
    if abi != Abi::Aarch64 {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    let mut registers = [0_u64; 34];
    general_registers(libc::PTRACE_GETREGSET, tid, &mut registers)?;
    registers[0] = value;
    general_registers(libc::PTRACE_SETREGSET, tid, &mut registers)
}

/// Reads or writes `struct user_pt_regs` (arch/arm64/include/uapi/asm/ptrace.h): 31 registers,
/// stack pointer, program counter, state.
#[cfg(target_arch = "aarch64")]
fn general_registers(request: PtraceRequest, tid: pid_t, registers: &mut [u64; 34]) -> io::Result<()> {
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
pub(in crate::linux) fn write_first_argument(_tid: pid_t, _abi: Abi, _value: u64) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}
