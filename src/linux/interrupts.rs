//! Ctrl-C belongs to the workload: the terminal sends it to the whole foreground group, and whoever traces must outlive it to tell.

use std::{fs, io};

use nix::sys::signal::Signal;

use super::sys;

/// From now on SIGINT and SIGQUIT do nothing to this process. A program that it starts has their default, as handlers end at execve(2);
/// one that is already ignored (as nohup and background jobs of scripts have it) stays so, for the workload too.
pub fn leave_interrupts_to_workload() -> io::Result<()> {
    for signal in [Signal::SIGINT, Signal::SIGQUIT] {
        if !is_ignored(signal)? {
            sys::interrupt_waits_with(signal as i32)?;
        }
    }
    Ok(())
}

/// Whether this process ignores a signal.
pub(super) fn is_ignored(signal: Signal) -> io::Result<bool> {
    Ok(is_in_mask(&fs::read_to_string("/proc/self/status")?, signal as u32))
}

/// `SigIgn:` of proc_pid_status(5) is a hexadecimal mask, the lowest bit is signal 1.
fn is_in_mask(status: &str, signal: u32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_the_mask() {
        let status = "SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001002\nSigCgt:\tffffffffffffffff\n";
        let ignored: Vec<u32> = (1..=64).filter(|&signal| is_in_mask(status, signal)).collect();
        assert_eq!(ignored, [2, 13]);
        assert!(!is_in_mask("", 2));
    }
}
