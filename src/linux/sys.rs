//! Holds every unsafe call of the tracer, each short and with its reason. It must not decide
//! anything.
//!
//! nix is used where it suffices. It does not for ptrace stops, since its `Signal` has no real-time
//! signals.
#![expect(unsafe_code, reason = "the module of system calls")]

mod ask;
mod directory;
mod filter;
#[cfg(feature = "unstable")]
mod fork;
mod glibc;
mod harness_mark;
mod limits;
#[cfg(all(feature = "call-sites", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mapped;
mod marker;
pub(super) mod members;
mod notification;
mod registers;
mod replaced;
mod signal_info;
mod signals;
mod start;
mod terminal;
mod wait;

use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;
use std::ptr;

use libc::{c_int, c_long, c_void, pid_t};

use super::uapi::{self, PtraceRequest};

pub(super) use ask::{
    FileStatus, copy_fd, file_status, has_statx, open_file_status, open_place, read_memory, read_proc, share_fd_table,
    share_memory, short_attribute, socket_option,
};
#[cfg(feature = "unstable")]
pub(super) use ask::{process_handle, signal_process};
pub(super) use directory::change_directory;
pub(super) use filter::{Filter, has_killable_notifications, install_filter, is_filtered};
#[cfg(feature = "unstable")]
pub(super) use fork::fork;
pub(super) use glibc::glibc_version;
pub(super) use harness_mark::SECTION as HARNESS_SECTION;
pub use harness_mark::mark_harness;
#[cfg(feature = "unstable")]
pub use limits::prefer_this_thread;
pub(super) use limits::{forbid_core_file, set_core_limit};
#[cfg(all(feature = "call-sites", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) use mapped::{MappedFile, map_file};
pub use marker::mark;
pub(super) use notification::{Notification, answer, next_notification, prefer_one_cpu};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub use registers::StackRegisters;
pub(super) use registers::{
    RESULT_REPLACES_FIRST_ARGUMENT, syscall_registers, write_argument, write_first_argument, write_result,
};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use registers::{is_32_bit, stack_registers};
#[cfg(feature = "unstable")]
pub(super) use replaced::skip_call;
pub(super) use replaced::{ReplacedCall, replace_call, restore_call};
pub(super) use signal_info::{is_sent_by_us, set_signal_info, signal_info, signal_task};
pub(super) use signals::ignore_traced_senders;
pub use start::note_start;
pub(super) use start::{was_closed, was_ignored};
pub(super) use terminal::{keep_modes, restore_before, restore_modes};
#[cfg(feature = "unstable")]
pub(super) use wait::{ended_child, reap_ended, wait_for_end, wait_until_ended};
pub(super) use wait::{has_report, wait, waiting_report, waiting_stop};

/// The tracer's ptrace options: follow every child and thread, report exec, mark syscall stops
/// apart from SIGTRAP, and kill all tracees when the tracer ends.
const OPTIONS: c_int = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_EXITKILL;

fn checked(returned: c_long) -> io::Result<c_long> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// Calls ptrace(2) with two numbers as its last arguments.
fn ptrace(request: PtraceRequest, tid: pid_t, addr: usize, data: usize) -> io::Result<()> {
    // SAFETY: the requests used with this function take numbers, not pointers, in `addr` and
    // `data`; ptrace(2).
    checked(unsafe { libc::ptrace(request, tid, addr as *mut c_void, data as *mut c_void) }).map(drop)
}

/// The stops that a tracer requests besides those for new children, exec and exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeizeOptions {
    /// Calls that a seccomp filter stops.
    pub(super) filtered: bool,
    /// Exiting tasks.
    pub(super) exits: bool,
}

/// Attaches without stopping the task, with all options of this tracer.
pub(super) fn seize(tid: pid_t, stops: SeizeOptions) -> io::Result<()> {
    let option = |is_wanted, option| if is_wanted { option } else { 0 };
    let filtered = option(stops.filtered, libc::PTRACE_O_TRACESECCOMP);
    let options = OPTIONS | filtered | option(stops.exits, libc::PTRACE_O_TRACEEXIT);
    ptrace(libc::PTRACE_SEIZE, tid, 0, options as usize)
}

/// Stops a running tracee.
pub(super) fn interrupt(tid: pid_t) -> io::Result<()> {
    ptrace(libc::PTRACE_INTERRUPT, tid, 0, 0)
}

/// Resumes a stopped tracee to its next syscall-stop, and delivers a signal (0: none).
pub(super) fn resume(tid: pid_t, signal: c_int) -> io::Result<()> {
    ptrace(libc::PTRACE_SYSCALL, tid, 0, signal as usize)
}

/// Resumes a stopped tracee to the next call that its filter stops, and delivers a signal (0:
/// none).
pub(super) fn resume_filtered(tid: pid_t, signal: c_int) -> io::Result<()> {
    ptrace(libc::PTRACE_CONT, tid, 0, signal as usize)
}

/// No longer traces a stopped tracee, and delivers a signal (0: none).
#[cfg(feature = "unstable")]
pub(super) fn detach(tid: pid_t, signal: c_int) -> io::Result<()> {
    ptrace(libc::PTRACE_DETACH, tid, 0, signal as usize)
}

/// Leaves a tracee in its group-stop until the next event.
pub(super) fn listen(tid: pid_t) -> io::Result<()> {
    ptrace(libc::PTRACE_LISTEN, tid, 0, 0)
}

/// Returns the message of a ptrace event: a child's number, a thread's former number, an exit
/// status.
pub(super) fn event_message(tid: pid_t) -> io::Result<libc::c_ulong> {
    let mut message: libc::c_ulong = 0;
    // SAFETY: PTRACE_GETEVENTMSG writes one unsigned long at `data`, which is a live local;
    // ptrace(2).
    let returned = unsafe {
        libc::ptrace(
            libc::PTRACE_GETEVENTMSG,
            tid,
            ptr::null_mut::<c_void>(),
            ptr::from_mut(&mut message).cast::<c_void>(),
        )
    };
    checked(returned)?;
    Ok(message)
}

/// `struct ptrace_syscall_info` (include/uapi/linux/ptrace.h) with the widest member of its union,
/// that of an entry. For an exit, `number` is the result, and the low byte of `args[0]` is set if
/// it is an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct SyscallInfo {
    pub(super) op: u8,
    pub(super) pad: [u8; 3],
    pub(super) arch: u32,
    pub(super) instruction_pointer: u64,
    pub(super) stack_pointer: u64,
    pub(super) number: u64,
    pub(super) args: [u64; 6],
    pub(super) reserved: u64,
}

/// Returns what a syscall-stop reports.
pub(super) fn syscall_info(tid: pid_t) -> io::Result<SyscallInfo> {
    let mut info = SyscallInfo::default();
    // SAFETY: PTRACE_GET_SYSCALL_INFO writes at most `addr` bytes at `data`, a live local of that
    // size, valid for any bytes; ptrace(2).
    let returned = unsafe {
        libc::ptrace(
            uapi::PTRACE_GET_SYSCALL_INFO,
            tid,
            size_of::<SyscallInfo>() as *mut c_void,
            ptr::from_mut(&mut info).cast::<c_void>(),
        )
    };
    checked(returned)?;
    Ok(info)
}

/// Reads eight bytes of a stopped tracee's memory.
pub(super) fn read_word(tid: pid_t, address: u64) -> io::Result<u64> {
    let mut word: u64 = 0;
    // SAFETY: the system call, unlike its wrapper, writes one word of the tracee at `data`, which
    // is a live local; ptrace(2), "C library/kernel differences".
    let returned = unsafe { libc::syscall(libc::SYS_ptrace, libc::PTRACE_PEEKDATA, tid, address, &raw mut word) };
    checked(returned)?;
    Ok(word)
}

/// Writes eight bytes of a stopped tracee's memory.
pub(super) fn write_word(tid: pid_t, address: u64, word: u64) -> io::Result<()> {
    ptrace(libc::PTRACE_POKEDATA, tid, address as usize, word as usize)
}

/// Returns whether the task is a thread group leader: only then tgkill(2) with signal 0 finds it
/// under its own number as the group's number.
pub(super) fn leads_thread_group(tid: pid_t) -> bool {
    // SAFETY: tgkill takes three numbers, and signal 0 only checks; tgkill(2).
    let returned = unsafe { libc::syscall(libc::SYS_tgkill, tid, tid, 0) };
    returned == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Returns whether there is a task with this number.
pub(super) fn is_alive(tid: pid_t) -> bool {
    // SAFETY: kill takes two numbers, and signal 0 only checks; kill(2).
    let returned = unsafe { libc::kill(tid, 0) };
    returned == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Sends a signal to the process of a task. Errors are ignored, since the process may be gone.
pub(super) fn kill(tid: pid_t, signal: c_int) {
    let _ = try_kill(tid, signal);
}

/// Sends a signal to the process of a task.
pub(super) fn try_kill(tid: pid_t, signal: c_int) -> io::Result<()> {
    // SAFETY: kill takes two numbers; kill(2).
    checked(c_long::from(unsafe { libc::kill(tid, signal) })).map(drop)
}

/// Interrupts a blocked call of a thread of this process, if there is one: see
/// [`interrupt_waits_with`].
pub(super) fn wake(tid: pid_t) {
    // SAFETY: tgkill takes three numbers; tgkill(2).
    unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), tid, libc::SIGURG) };
}

/// Returns this thread's number.
pub(super) fn gettid() -> pid_t {
    // SAFETY: gettid takes nothing and cannot fail; gettid(2).
    let tid = unsafe { libc::syscall(libc::SYS_gettid) };
    tid as pid_t
}

/// Returns whether the effective user is root.
pub(super) fn is_root() -> bool {
    // SAFETY: geteuid takes nothing and cannot fail; geteuid(2).
    unsafe { libc::geteuid() == 0 }
}

extern "C" fn nothing(_signal: c_int) {}

/// Gives a signal a handler that does nothing, so that the signal interrupts a blocked wait with
/// EINTR and has no other effect.
pub(super) fn interrupt_waits_with(signal: c_int) -> io::Result<()> {
    let handler: extern "C" fn(c_int) = nothing;
    let action = libc::sigaction {
        sa_sigaction: handler as usize,
        // SAFETY: an empty sigset_t is all zeroes on Linux.
        sa_mask: unsafe { std::mem::zeroed() },
        sa_flags: 0,
        sa_restorer: None,
    };
    // SAFETY: `action` is a live, whole sigaction, and its handler touches nothing; sigaction(2).
    checked(c_long::from(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) })).map(drop)
}

/// Gives a signal its default disposition, or ignores it. Async-signal-safe.
///
/// Calls the kernel directly, since the C library refuses 32 and 33, which its own posix_spawn(3)
/// leaves ignored.
pub(super) fn set_disposition(signal: c_int, is_ignored: bool) {
    // `struct sigaction` of the kernel (include/linux/signal_types.h): the handler, no flags,
    // nothing blocked.
    let action = [if is_ignored { libc::SIG_IGN } else { libc::SIG_DFL }, 0, 0, 0];
    // SAFETY: the kernel reads at most these 32 bytes, the mask in them being 8 long; SIGKILL and
    // SIGSTOP are refused; rt_sigaction(2).
    unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), ptr::null_mut::<c_void>(), 8_usize) };
}

/// Returns whether a signal is ignored. Async-signal-safe.
pub(super) fn is_ignored(signal: c_int) -> bool {
    let mut action = [0_usize; 4];
    // SAFETY: the kernel writes its `struct sigaction`, at most 32 bytes of which the handler is
    // the first; rt_sigaction(2).
    unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, ptr::null::<c_void>(), action.as_mut_ptr(), 8_usize) };
    action[0] == libc::SIG_IGN
}

/// A null-terminated array of pointers to strings, as execve(2) takes it. It owns its strings and
/// may be made before fork.
#[derive(Debug)]
pub(super) struct StringArray {
    pointers: Vec<*const libc::c_char>,
    _strings: Vec<CString>,
}

// SAFETY: the pointers lead into strings that it owns.
unsafe impl Send for StringArray {}

impl StringArray {
    pub(super) fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }

    pub(super) fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

/// Calls execve(2), and returns the errno if it fails. Async-signal-safe.
pub(super) fn execve(program: &CString, argv: &StringArray, environment: &StringArray) -> c_int {
    // SAFETY: a C string and two null-terminated arrays of C strings, all alive; execve(2).
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), environment.as_ptr()) };
    errno()
}

/// Returns the errno of the last error. Async-signal-safe.
pub(super) fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// Ends this process without the clean-up of the C library or Rust. Async-signal-safe.
pub(super) fn exit_now(status: c_int) -> ! {
    // SAFETY: _exit takes a number and does not return; _exit(2).
    unsafe { libc::_exit(status) }
}

/// Runs a function in a vfork(2) child with a stack of its own. Returns the child's number once the
/// child has executed another program or ended.
///
/// # Safety
///
/// Until execve or its end the child may only do what is async-signal-safe: "in a multithreaded
/// program", signal-safety(7). It shares all memory, and must not run this process's signal
/// handlers.
pub(super) unsafe fn vfork(mut child: &mut dyn FnMut() -> c_int) -> io::Result<pid_t> {
    /// In units of 16 bytes, the alignment of a stack.
    const STACK: usize = (64 << 10) / size_of::<u128>();
    extern "C" fn enter(child: *mut c_void) -> c_int {
        // SAFETY: the local below, alive since its function is suspended.
        let child = unsafe { &mut *child.cast::<&mut dyn FnMut() -> c_int>() };
        child()
    }
    let mut stack = Vec::<u128>::with_capacity(STACK);
    let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the end of a live stack that no other code uses; no other code uses the thread-local
    // storage while this thread is suspended; clone(2).
    checked(c_long::from(unsafe { libc::clone(enter, top.cast(), flags, (&raw mut child).cast()) }))
        .map(|child| child as pid_t)
}

/// Calls dup2(2) so that the copy survives execve. Async-signal-safe.
pub(super) fn duplicate_onto(fd: RawFd, onto: RawFd) -> Result<(), c_int> {
    let returned = if fd == onto {
        // dup2 onto itself would keep the close-on-exec flag.
        // SAFETY: takes numbers only; fcntl(2).
        unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }
    } else {
        // SAFETY: takes numbers only; dup2(2).
        unsafe { libc::dup2(fd, onto) }
    };
    if returned == -1 { Err(errno()) } else { Ok(()) }
}

/// Returns whether the fd stays open across execve.
pub(super) fn survives_exec(fd: RawFd) -> bool {
    // SAFETY: takes numbers only; fcntl(2).
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags != -1 && flags & libc::FD_CLOEXEC == 0
}

/// Calls close(2) on an fd that no Rust value owns. Async-signal-safe.
pub(super) fn close(fd: RawFd) {
    // SAFETY: takes a number only, and nothing of Rust owns it in this process; close(2).
    unsafe { libc::close(fd) };
}

/// Records, before Rust's start-up, how this process was started: standard streams that were closed
/// stay closed for a command that inherits them. Call it at the top of a program's `main.rs`; on
/// Linux only.
#[cfg(feature = "unstable")]
#[doc(hidden)]
#[macro_export]
macro_rules! note_start {
    () => {
        const _: () = {
            #[expect(unsafe_code, reason = "a section that the C library calls functions of, before main")]
            #[used]
            // SAFETY: pointers to functions, which ignore the arguments that they get;
            // "Initialization and Termination Functions", gABI.
            #[unsafe(link_section = ".init_array")]
            static NOTE: extern "C" fn() = $crate::note_start;
        };
    };
}
