//! The signal handler that distinguishes traced senders from all others. Everything in it is
//! async-signal-safe. Main function: [`ignore_traced_senders`].

use std::io;
use std::ptr;
use std::sync::OnceLock;

use libc::{c_int, c_long, c_void, siginfo_t};

use super::checked;
use super::members;
use super::terminal::restore_modes;
use crate::model::kernel::uapi::NSIG;

/// `struct sigaction` of the kernel (include/linux/signal_types.h): at most 32 bytes, the first 8
/// are the handler. The C library's own function refuses the signals that it reserves.
type Action = [usize; 4];

/// The size of the kernel's signal sets.
const SET: usize = 8;

/// One more than the last signal, since signals begin with 1.
const SIGNALS: usize = NSIG as usize + 1;

/// The actions before ours were installed.
static BEFORE: OnceLock<[Action; SIGNALS]> = OnceLock::new();

fn action_of(signal: c_int) -> io::Result<Action> {
    let mut action = Action::default();
    // SAFETY: the kernel writes its `struct sigaction` at a live local of at least that size;
    // rt_sigaction(2).
    checked(unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, ptr::null::<c_void>(), action.as_mut_ptr(), SET) })?;
    Ok(action)
}

fn set_action(signal: c_int, action: &Action) -> io::Result<()> {
    // SAFETY: a whole `struct sigaction` that the kernel wrote before; rt_sigaction(2).
    let done =
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), ptr::null_mut::<c_void>(), SET) };
    checked(done).map(drop)
}

/// Makes these signals do nothing if a traced task sent them, and SIGINT and SIGQUIT do nothing at
/// all. Otherwise they keep their former effect. An ignored signal stays ignored.
pub(in crate::linux) fn ignore_traced_senders(signals: impl Iterator<Item = c_int>) -> io::Result<()> {
    let mut before = [Action::default(); SIGNALS];
    for (signal, action) in (1..).zip(&mut before[1..]) {
        *action = action_of(signal)?;
    }
    BEFORE.get_or_init(|| before);
    install(libc::SIGTERM)?;
    let ours = action_of(libc::SIGTERM)?;
    set_action(libc::SIGTERM, &before[libc::SIGTERM as usize])?;
    for signal in signals {
        let handler = before[signal as usize][0];
        // A handler of a real-time signal belongs to the C library.
        let is_free = if signal < libc::SIGSYS { handler != libc::SIG_IGN } else { handler == libc::SIG_DFL };
        if is_free {
            set_action(signal, &ours)?;
        }
    }
    Ok(())
}

/// Installs the handler by the C library, which knows how a handler returns on this architecture.
fn install(signal: c_int) -> io::Result<()> {
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = handle_signal;
    // SAFETY: an empty sigset_t is all zeroes on Linux.
    let mut mask: libc::sigset_t = unsafe { std::mem::zeroed() };
    // No other signal, and no stop by a terminal, may interrupt the handler.
    // SAFETY: a live set; sigfillset(3).
    unsafe { libc::sigfillset(&raw mut mask) };
    let action = libc::sigaction {
        sa_sigaction: handler as usize,
        sa_mask: mask,
        sa_flags: libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK,
        sa_restorer: None,
    };
    // SAFETY: `action` is a live, whole sigaction, and its handler is async-signal-safe;
    // sigaction(2).
    checked(c_long::from(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) })).map(drop)
}

extern "C" fn handle_signal(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    if matches!(signal, libc::SIGINT | libc::SIGQUIT) {
        return;
    }
    // SAFETY: "a pointer to a siginfo_t" that lives as long as the handler runs; sigaction(2),
    // SA_SIGINFO.
    let info = unsafe { &*info };
    if matches!(info.si_code, libc::SI_USER | libc::SI_TKILL | libc::SI_QUEUE) {
        // SAFETY: signals of these codes have a sender; sigaction(2).
        let sender = unsafe { info.si_pid() };
        if members::is_traced_sender(sender) {
            return;
        }
    }
    // A fault is raised again when the handler returns.
    let is_fault = info.si_code > 0
        && matches!(signal, libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE | libc::SIGTRAP)
        && info.si_code != libc::SI_KERNEL;
    restore_modes();
    let default = Action::default();
    let before = BEFORE.get().map_or(&default, |before| &before[signal as usize]);
    // The kernel accepts an action that it returned before.
    let _ = set_action(signal, before);
    if !is_fault {
        // SAFETY: takes a number; raise(3) is async-signal-safe.
        unsafe { libc::raise(signal) };
    }
}
