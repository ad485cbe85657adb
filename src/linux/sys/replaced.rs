//! Replaces a call at its entry by another one, and lets the task make the original call
//! afterwards; or skips a call. Main type: [`ReplacedCall`].
//!
//! The kernel restarts interrupted calls in the same way: it moves the instruction pointer back
//! over the syscall instruction (`arch_do_signal_or_restart()`, arch/x86/kernel/signal.c, and
//! `do_signal()`, arch/arm64/kernel/signal.c). The instruction overwrites the same registers as
//! before, and no other register is changed.

use std::io;

use libc::pid_t;

use crate::model::kernel::syscall::Syscall;

/// The registers of a call that was replaced, as they were at its entry.
#[derive(Debug)]
pub(in crate::linux) struct ReplacedCall(architecture::Saved);

/// Replaces the call that a task is entering by another one of the same ABI, with two arguments.
pub(in crate::linux) fn replace_call(tid: pid_t, by: Syscall, args: [u64; 2]) -> io::Result<ReplacedCall> {
    architecture::replace(tid, by, args).map(ReplacedCall)
}

/// Restores the registers at the exit of the other call, so that the task makes the replaced call
/// once it resumes.
pub(in crate::linux) fn restore_call(tid: pid_t, replaced: &ReplacedCall) -> io::Result<()> {
    architecture::restore(tid, &replaced.0)
}

/// Makes the kernel skip the call that a task is entering. Its exit follows, with this result.
///
/// "No call" as a number also keeps the kernel from restarting the call for a signal. A seccomp
/// filter of the task judges that number, and may write another result.
#[cfg(feature = "unstable")]
pub(in crate::linux) fn skip_call(tid: pid_t, result: i64) -> io::Result<()> {
    architecture::skip(tid, result)
}

#[cfg(target_arch = "x86_64")]
mod architecture {
    use std::io;
    use std::mem::offset_of;

    use libc::{pid_t, user_regs_struct};

    use super::super::registers::{argument_registers, poke, registers};
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[derive(Debug)]
    pub(super) struct Saved {
        abi: Abi,
        number: u64,
        args: [u64; 2],
        next_instruction: u64,
    }

    /// `syscall`, `sysenter` and `int $0x80` are two bytes long. From `sysenter` the kernel returns
    /// to the instruction after an `int $0x80`: arch/x86/entry/vdso/vdso32/system_call.S.
    const INSTRUCTION: u64 = 2;

    /// "No syscall to restart": arch/x86/entry/entry_64.S.
    const NO_CALL: u64 = u64::MAX;

    pub(super) fn replace(tid: pid_t, by: Syscall, args: [u64; 2]) -> io::Result<Saved> {
        let before = registers(tid)?;
        let saved = Saved {
            abi: by.abi,
            number: before.orig_rax,
            args: if by.abi == Abi::I386 { [before.rbx, before.rcx] } else { [before.rdi, before.rsi] },
            next_instruction: before.rip,
        };
        poke(tid, offset_of!(user_regs_struct, orig_rax), by.number as u64)?;
        argument_registers(by.abi)
            .into_iter()
            .zip(args)
            .try_for_each(|(register, value)| poke(tid, register, value))?;
        Ok(saved)
    }

    pub(super) fn restore(tid: pid_t, saved: &Saved) -> io::Result<()> {
        let others = [
            (offset_of!(user_regs_struct, rax), saved.number),
            (offset_of!(user_regs_struct, orig_rax), NO_CALL),
            (offset_of!(user_regs_struct, rip), saved.next_instruction.wrapping_sub(INSTRUCTION)),
        ];
        let args = argument_registers(saved.abi).into_iter().zip(saved.args);
        args.chain(others).try_for_each(|(register, value)| poke(tid, register, value))
    }

    /// The kernel leaves the result register of such a call as it is: `do_syscall_64()` and
    /// `do_syscall_32_irqs_on()`, arch/x86/entry.
    #[cfg(feature = "unstable")]
    pub(super) fn skip(tid: pid_t, result: i64) -> io::Result<()> {
        poke(tid, offset_of!(user_regs_struct, orig_rax), NO_CALL)?;
        poke(tid, offset_of!(user_regs_struct, rax), result as u64)
    }
}

#[cfg(target_arch = "aarch64")]
mod architecture {
    use std::io;
    use std::ptr;

    use libc::{c_void, pid_t};
    use object::elf::NT_ARM_SYSTEM_CALL;

    use super::super::checked;
    use super::super::registers::{change_registers, general_registers};
    use crate::model::kernel::syscall::Syscall;

    #[derive(Debug)]
    pub(super) struct Saved {
        args: [u64; 2],
        next_instruction: u64,
    }

    /// The length of `svc`.
    const INSTRUCTION: u64 = 4;

    /// `NO_SYSCALL`, arch/arm64/include/asm/ptrace.h: there is no call to restart.
    const NO_CALL: i32 = -1;

    /// The number is not in a general register: x8 stays as it is.
    pub(super) fn replace(tid: pid_t, by: Syscall, args: [u64; 2]) -> io::Result<Saved> {
        let mut before = [0; 34];
        general_registers(libc::PTRACE_GETREGSET, tid, &mut before)?;
        write_number(tid, by.number as i32)?;
        change_registers(tid, |registers| registers[..2].copy_from_slice(&args))?;
        Ok(Saved { args: [before[0], before[1]], next_instruction: before[32] })
    }

    pub(super) fn restore(tid: pid_t, saved: &Saved) -> io::Result<()> {
        write_number(tid, NO_CALL)?;
        change_registers(tid, |registers| {
            registers[..2].copy_from_slice(&saved.args);
            registers[32] = saved.next_instruction.wrapping_sub(INSTRUCTION);
        })
    }

    /// The kernel leaves the result register, which holds the first argument, as it is:
    /// `el0_svc_common()`, arch/arm64/kernel/syscall.c.
    #[cfg(feature = "unstable")]
    pub(super) fn skip(tid: pid_t, result: i64) -> io::Result<()> {
        write_number(tid, NO_CALL)?;
        change_registers(tid, |registers| registers[0] = result as u64)
    }

    /// Writes the number of the call that a task is in: `NT_ARM_SYSTEM_CALL`,
    /// arch/arm64/kernel/ptrace.c.
    fn write_number(tid: pid_t, mut number: i32) -> io::Result<()> {
        let mut place = libc::iovec { iov_base: ptr::from_mut(&mut number).cast(), iov_len: size_of_val(&number) };
        // SAFETY: the kernel reads at most `iov_len` bytes of a live int, and the length in the
        // live iovec; ptrace(2).
        let returned = unsafe {
            libc::ptrace(
                libc::PTRACE_SETREGSET as _,
                tid,
                NT_ARM_SYSTEM_CALL as usize as *mut c_void,
                ptr::from_mut(&mut place).cast::<c_void>(),
            )
        };
        checked(returned).map(drop)
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod architecture {
    use std::io;

    use libc::pid_t;

    use crate::model::kernel::syscall::Syscall;

    #[derive(Debug)]
    pub(super) struct Saved;

    pub(super) fn replace(_tid: pid_t, _by: Syscall, _args: [u64; 2]) -> io::Result<Saved> {
        Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
    }

    pub(super) fn restore(_tid: pid_t, _saved: &Saved) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
    }

    #[cfg(feature = "unstable")]
    pub(super) fn skip(_tid: pid_t, _result: i64) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP))
    }
}
